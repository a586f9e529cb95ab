"""What host code does of a plan, one operation after the other; the rest becomes leads.

Each operation that succeeds is a commit of its own. One that the host declines is handed to whoever
edits the files that it concerns, with every place that the context knows.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import fill, shorten

from reviewer.context.values import Certainty, Context, Used
from reviewer.detectors.secrets import redacted
from reviewer.errors import GiveUp
from reviewer.languages import language_of
from reviewer.parsing.packed import path_of
from reviewer.parsing.worker import Parsers
from reviewer.refactor.entry_points import follow
from reviewer.refactor.module_moves import move_module
from reviewer.refactor.moves import companions, move
from reviewer.refactor.parameters import calls_of, function_of, rename_parameter
from reviewer.refactor.parse import broken
from reviewer.refactor.patch import Commit, commit_of
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.script_moves import move_script
from reviewer.refactor.script_names import SCRIPTS
from reviewer.refactor.steps import once, title
from reviewer.refactor.stubs import stubs_of
from reviewer.refactor.symbols import (
    Done,
    declined_keywords,
    how_likely,
    line_of,
    rename,
    tell_stubs,
)
from reviewer.refactor.tree import Overlay, Trees
from reviewer.refactor.unread import tell_components
from reviewer.refactor.values import (
    MODULE_CHARS,
    MOST_FILES,
    Left,
    Module,
    ModuleMove,
    Move,
    Plan,
    Rename,
    Step,
)
from reviewer.text import printable

TITLE_CHARS = 80
SUMMARY_CHARS = 400
WISH_CHARS = 3_000
"""Of a plan's summary: in a commit's message, and for whoever gets what is left. What is to stay is
said at its end."""
"""Of the plan's, in the message of a commit of the host's."""

RELATIVES = 200
"""Members that override one which the host does not rename, told to whoever does."""

NAMED = 12
"""Classes whose members were renamed along, in the message of a commit."""


@dataclass
class Hosted:
    """What came of the operations: the tree now, commits, leads by path, words for the user."""

    overlay: Overlay
    commits: list[Commit] = field(default_factory=list)
    leads: dict[str, list[str]] = field(default_factory=dict)
    wanted: list[Module] = field(default_factory=list)
    """Modules for files that leads are about and that no module of the plan has."""

    left: list[Left] = field(default_factory=list)
    """What nobody can be asked to do: places that were not looked at, or may not be edited."""

    declined: list[Step] = field(default_factory=list)
    """Steps that nodes are to do: whether they have is looked up in the end."""

    notes: list[str] = field(default_factory=list)


def host(plan: Plan, start: Overlay, trees: Trees) -> Hosted:
    """Do the renames and moves of a plan, as far as the context is sure of them."""
    done = Hosted(start)
    taken = {module.name for module in plan.modules}
    owned = {path for module in plan.modules for path in (*module.files, *module.new_files)}
    plan = once(plan)
    steps: list[Step] = [*_inner_first(plan.renames), *plan.moves, *plan.module_moves]
    gone: set[Step] = set()
    for one in steps:
        if one in gone:
            continue
        try:
            step, along = _tried(
                one, [each for each in plan.moves if each not in gone], done, trees
            )
            gone.update(along, _taken_along(one, step, plan))
        except GiveUp as error:
            done.notes.append(f"{title(one)}: left to the model, for {_lower(str(error))}")
            done.declined.append(one)
            with trees.tree(done.overlay.files) as tree:
                step = _declined(one, tree.code.context, done, str(error))
        if not isinstance(one, ModuleMove):  # that is declined where a component names it
            tell_components(one, step, done.overlay)
        before = {path: done.overlay.blob(path) for path in step.files}
        said = _message(one, plan, step)
        commit = commit_of(title(one), "host", said, before, step.files)
        if commit is not None:
            done.commits.append(commit)
            done.overlay = done.overlay.over(step.files)
        done.notes += step.notes
        done.left += [Left(module=title(one), what=what, why=why) for what, why in step.left]
        _given(one, step.leads, done, owned, taken, plan.summary)
    return done


def _inner_first(renames: Sequence[Rename]) -> list[Rename]:
    """Return renames in their order, but of what is in another one, a parameter, say, before it.

    Their symbols are those of the start.
    """
    outer = {(each.path, each.symbol) for each in renames}

    def depth(each: Rename) -> int:
        above = each.symbol.split(".")[:-1]
        return sum((each.path, ".".join(above[: at + 1])) in outer for at in range(len(above)))

    return sorted(renames, key=depth, reverse=True)


def _tried(one: Step, moves: Sequence[Move], done: Hosted, trees: Trees) -> tuple[Done, list[Move]]:
    """Do an operation, a move with all that has to be moved before it, which is returned, too."""
    along: list[Move] = []
    if isinstance(one, Move):
        with trees.tree(done.overlay.files) as tree:
            along = companions(one, moves, tree.code.context, done.overlay)
    whole, overlay = Done(), done.overlay
    for each in (*along, one):
        with trees.tree(overlay.files) as tree:
            step = _step(each, tree.code.context, overlay)
        _parses(step, overlay)
        overlay = overlay.over(step.files)
        whole.files.update(step.files)
        whole.along += step.along
        whole.how = step.how
        whole.left += step.left
        whole.notes += step.notes
        for path, texts in step.leads.items():
            whole.leads.setdefault(path, []).extend(texts)
    return whole, along


def _taken_along(one: Step, step: Done, plan: Plan) -> list[Step]:
    """Return the plan's renames that one has done with its own; GiveUp where they say otherwise."""
    also = [each for each in plan.renames if (each.path, each.symbol) in step.along]
    for each in also:
        if isinstance(one, Rename) and each.to != one.to:
            raise GiveUp(
                f"another name, {printable(each.to)}, is what {printable(each.symbol)} of "
                f"{shown(each.path)} is to have, and they are of one family"
            )
    return list(also)


def _step(one: Step, context: Context, tree: Overlay) -> Done:
    """Do one operation, with what settings name as entry points."""
    renamed: tuple[tuple[str, str], ...] = ()
    if isinstance(one, Rename) and function_of(one, context) is not None:
        return rename_parameter(one, context, tree)  # no setting names one
    if isinstance(one, ModuleMove) and language_of(one.path) in SCRIPTS:
        return move_script(one, context, tree)  # its settings are looked at there
    if isinstance(one, Rename):
        done = rename(one, context, tree)
        renamed = ((one.path, one.symbol), *done.along)
    elif isinstance(one, ModuleMove):
        done = move_module(one, context, tree)
    else:
        done = move(one, context, tree)
    also = follow(one, renamed, context, tree)
    done.files.update(also.files)
    for path, text in also.leads:
        done.lead(path, f"{title(one)}: {text}")
    done.left += [(f"entry points of {shown(path)}", why) for path, why in also.left]
    return done


def _parses(step: Done, tree: Overlay) -> None:
    """Refuse what would not parse: a context that misread a file must not break it."""
    before = {path: tree.blob(path) for path in step.files}
    with Parsers() as parsers:
        faults = broken(step.files, before, parsers)
    for path, fault in faults.items():
        raise GiveUp(f"of {shown(path)} it would be true that {fault}")


def _message(one: Step, plan: Plan, step: Done) -> str:
    along = step.along
    if isinstance(one, Rename):
        how = step.how or (
            f"It is defined in {shown(one.path)}. Every use that the imports and scopes of the "
            "language tell is renamed with it."
        )
        if along:
            owners = [printable(symbol.rpartition(".")[0]) for _, symbol in along]
            more = f" and {len(owners) - NAMED} more" if len(owners) > NAMED else ""
            how += f" So is what overrides it or is overridden: in {', '.join(owners[:NAMED])}"
            how += f"{more}."
    elif isinstance(one, ModuleMove):
        how = "Whoever imported it from its old path does so from the new one."
        if one.shim:
            how += f" {shown(one.path)} hands on what is public, for users elsewhere."
    else:
        how = f"It was in {shown(one.path)}. Whoever imported it from there does so from here."
    whole = shorten(f"Part of this: {printable(plan.summary)}", SUMMARY_CHARS, placeholder=" …")
    return redacted("\n\n".join([title(one), fill(whole, 72), fill(how, 72)]))


def _declined(one: Step, context: Context, done: Hosted, why: str) -> Done:
    """Return nothing but leads: the definition, and each use that is not a mere namesake.

    All of them: what is not looked at, or may not be edited, is left, and said so.
    """
    step, tree, said = Done(), done.overlay, title(one)
    order = f"{said}. Host code could not, for {_lower(why)}"
    places: list[tuple[str, str]] = []
    sure: set[str] = set()
    unseen: Sequence[str] = ()
    shim = isinstance(one, ModuleMove) and one.shim
    where = "Give the file its new path." if isinstance(one, ModuleMove) else "It is defined here."
    keeps = " The old path keeps a file that hands on what is public." if shim else ""
    step.lead(one.path, f"{order} {where}{keeps}")
    if not isinstance(one, Rename):
        step.lead(one.to, f"{order} It goes here.")
    try:
        if isinstance(one, ModuleMove):
            imported = context.importing(one.path)
            places = [(x.path, f"imported here: {x.what.module}") for x in imported.items]
            sure, unseen = {path for path, _ in places}, imported.notes
        else:
            used, unseen = _uses(one, context, tree)
            places = [(x.path, text) for x in used if (text := _used(one, x, tree))]
            sure = {x.path for x in used if x.certainty is Certainty.EXACT}
            places += _overriding(one, context)
    except GiveUp as error:
        unseen = [str(error)]
    done.left += [Left(module=said, what="places that were not looked at", why=x) for x in unseen]
    for path, text in places:
        if tree.blob(path) is not None:
            step.lead(path, f"{said}: {text}")
    if not isinstance(one, ModuleMove):
        for path in sorted({one.path} | sure):
            tell_stubs(path, one.symbol.rpartition(".")[2], said, step, tree)
    if isinstance(one, Move):
        for stub in stubs_of(one.to, tree):
            step.lead(stub, f"{order} It goes here, as it is declared.")
    done.left += [
        Left(module=said, what=f"its uses in {shown(path)}", why=problem)
        for path in sorted(sure & step.leads.keys())
        if (problem := refused(path, tree))
    ]
    return step


def _uses(
    one: Rename | Move, context: Context, tree: Overlay
) -> tuple[Sequence[Used], Sequence[str]]:
    """Return the uses of a symbol, the keywords that may mean it, and what was not looked at."""
    if isinstance(one, Rename) and function_of(one, context) is not None:
        return calls_of(one, context)
    used = context.uses(one.symbol, one.path)
    words = declined_keywords(one, context, tree) if isinstance(one, Rename) else []
    return (*used.items, *words), used.notes


def _overriding(one: Rename | Move, context: Context) -> list[tuple[str, str]]:
    """Return where classes override a member, or that of a parameter, and that they do."""
    symbol = one.symbol
    if isinstance(one, Rename) and function_of(one, context) is not None:
        symbol = symbol.rpartition(".")[0]
    if "." not in symbol:
        return []
    found = context.implementations(symbol, one.path, limit=RELATIVES).items
    return [(x.path, f"{printable(path_of(x.definition))} {x.why}") for x in found]


def _used(one: Rename | Move, each: Used, tree: Overlay) -> str:
    """Return a use in words, "" for what is most likely a mere namesake's."""
    sure = each.certainty is Certainty.EXACT
    how = "used" if sure else f"{how_likely(each, '.' in one.symbol)} used"
    blob = tree.blob(each.path)
    if blob is None or how == " used":
        return ""
    return f"{how} here ({each.why}): {line_of(blob.data, each.use.line)}"


def _given(  # noqa: PLR0917
    one: Step,
    leads: Mapping[str, Sequence[str]],
    done: Hosted,
    owned: set[str],
    taken: set[str],
    wish: str,
) -> None:
    """Keep the leads; give files that nobody has to a module of their own."""
    loose = []
    for path, texts in leads.items():
        if problem := refused(path, done.overlay):
            done.notes.append(f"{title(one)}: {shown(path)} was left as it is: {problem}.")
            continue
        done.leads.setdefault(path, []).extend(texts)
        if path not in owned:
            owned.add(path)
            loose.append(path)
    goes = isinstance(one, ModuleMove) and not one.shim
    for at in range(0, len(loose), MOST_FILES):
        some = loose[at : at + MOST_FILES]
        there = [path for path in some if done.overlay.blob(path) is not None]
        done.wanted.append(
            Module(
                name=_fresh(f"{title(one)[:TITLE_CHARS]}: what is left", taken),
                files=there,
                new_files=[path for path in some if done.overlay.blob(path) is None],
                removed=[one.path] if goes and one.path in there else [],
                what=f"{title(one)}, from {shown(one.path)}: bring the places below in line with "
                "it, and nothing else. The whole, which says what is to stay: "
                f"{shorten(printable(wish), WISH_CHARS, placeholder='...')}",
            )
        )


def _fresh(name: str, taken: set[str]) -> str:
    """Return a module's name that no other one has, and no longer than one may be."""
    for number in itertools.count(1):
        end = f" ({number})" if number > 1 else ""
        fresh = name[: MODULE_CHARS - len(end)] + end
        if fresh not in taken:
            break
    taken.add(fresh)
    return fresh


def _lower(text: str) -> str:
    text = text if text.endswith(".") else f"{text}."
    return text[:1].lower() + text[1:] if text[:2].istitle() else text
