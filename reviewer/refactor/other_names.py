"""Uses of what a file hands on under another name: `from shapes import area as size`.

Who imports it from there has the other name alone, and is not among those who have its own.
"""

from collections.abc import Iterable

from reviewer.context.values import Answer, Certainty, Context, Used
from reviewer.errors import GiveUp
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import UseKind
from reviewer.refactor.protect import shown
from reviewer.text import printable

MOST_NAMES = 20
"""Other names of one symbol that are followed; each costs a look at all files that have it."""


def uses_by_any_name(symbol: str, path: str, context: Context) -> Answer[Used]:
    """Return every use of a symbol, as `Context.uses` does, also by names it is handed on under.

    GiveUp where such a name may stand for something else as well.
    """
    answer = context.uses(symbol, path)
    items, notes = list(answer.items), list(answer.notes)
    if "." in symbol:  # a member: nobody imports it
        return answer
    seen: set[tuple[str, str]] = set()
    waiting = list(_other_names(answer.items, symbol, context))
    while waiting:
        where, name = waiting.pop()
        if (where, name) in seen:
            continue
        seen.add((where, name))
        if len(seen) > MOST_NAMES:
            raise GiveUp(f"{printable(symbol)} is imported under more than {MOST_NAMES} names")
        found = {(each.path, path_of(each.definition)) for each in context.meant(name, where)}
        own = any(each == where for each, _ in found)
        if (path, symbol) not in found and not own:
            continue  # imported there, too, from elsewhere
        if own or len(found) > 1:
            raise GiveUp(f"{printable(name)} of {shown(where)} may be {printable(symbol)}, or not")
        more = context.uses(name, where)
        items += more.items
        notes += more.notes
        waiting += _other_names(more.items, symbol, context)
    return Answer(_best(items), len(items), tuple(dict.fromkeys(notes)))


def _other_names(uses: Iterable[Used], symbol: str, context: Context) -> Iterable[tuple[str, str]]:
    """Give the files that import it under another name, with that name."""
    for each in uses:
        if each.use.kind is UseKind.IMPORT and each.certainty is Certainty.EXACT:
            for what in context.extraction(each.path).what.imports:
                if what.name == each.use.name and what.alias not in {"", symbol}:
                    yield each.path, what.alias


def _best(uses: Iterable[Used]) -> tuple[Used, ...]:
    """Return each place once, as what it most surely is, the surest first."""
    found: dict[tuple[str, int, int], Used] = {}
    for each in uses:
        key = (each.path, each.use.line, each.use.column)
        if key not in found or each.score > found[key].score:
            found[key] = each
    return tuple(
        sorted(
            found.values(),
            key=lambda each: (-each.score, each.path, each.use.line, each.use.column),
        )
    )
