"""Renames by the context engine: what the rules of the language say, and nothing that is guessed.

A use is rewritten only if it is "exact"; a member of a class with all of its family (`family.py`);
in Python also a name in a string that is read as one (`strings.py`).
What is left of the old name is a lead for whoever edits that file: uses that are only likely, and
the word wherever it still stands in a file that was rewritten (a string, a comment, a variable of
the same name).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

from reviewer.context.values import Certainty, Context, Used
from reviewer.detectors.contracts.masking import MASKED, masked
from reviewer.detectors.contracts.views import View
from reviewer.errors import GiveUp
from reviewer.languages import Language, language_of
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Extraction, UseKind
from reviewer.refactor.family import WALKED, Class, Family, class_around, family, is_own
from reviewer.refactor.fixtures import Taken, is_fixture, taken
from reviewer.refactor.keywords import Keywords
from reviewer.refactor.made_objects import MadeObjects
from reviewer.refactor.other_names import uses_by_any_name
from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.strings import named_in_strings
from reviewer.refactor.stubs import named_in_stubs
from reviewer.refactor.tree import Overlay
from reviewer.refactor.unbound import may_be_unbound, unbound
from reviewer.refactor.values import Rename
from reviewer.text import decode, encode, printable

LINE_CHARS = 160
MOST_LEADS = 40
"""Of one file and step; whoever edits it is told that there is more."""

MOST_EXTENDING = 20
"""Classes whose constructors are looked for where a rename is declined."""

MORE = "more places of this file have it than are named here: look through all of it"

IN_PROSE = "the old name still stands here, in a comment or a string"
"""Begins what is said of a line that needs no more than itself to be understood, mostly."""

_SCRIPT = frozenset({Language.JAVASCRIPT, Language.TYPESCRIPT, Language.TSX})
_LISTED = re.compile(rb"(?:^|[;\s}])(?:export|import)(?:\s+type)?\s*$")
_MEMBER_USES = frozenset({UseKind.CALL, UseKind.ATTRIBUTE, UseKind.WRITE})
_SELF = frozenset({"self", "cls"})
_IN_WORD = re.compile(rb"[\w$]")
_OPENS, _CLOSES = b"{[(", b"}])"


@dataclass
class Done:
    """What the host did of one operation: files as they are now, and leads, by path."""

    files: dict[str, Blob | None] = field(default_factory=dict)
    leads: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    """(What, why) of what nobody else will do."""

    along: tuple[tuple[str, str], ...] = ()
    """(Path, symbol) of members that a rename has taken along: those of the family."""

    how: str = ""
    """What was done, for the commit's message, where that of a plain rename would not be true."""

    def lead(self, path: str, text: str) -> None:
        known = self.leads.setdefault(path, [])
        if text in known or len(known) > MOST_LEADS:
            return
        known.append(text if len(known) < MOST_LEADS else MORE)


def rename(one: Rename, context: Context, tree: Overlay) -> Done:
    """Give a symbol another name wherever the context is sure; raise GiveUp, and do nothing."""
    short = one.symbol.rpartition(".")[2]
    definitions = [
        each
        for each in context.extraction(one.path).what.definitions
        if path_of(each) == one.symbol
    ]
    if not definitions:
        raise GiveUp(f"{shown(one.path)} defines no {printable(one.symbol)}")
    kin = _kin(one, definitions, context)
    members = members_of(one, kin)
    uses = uses_of(one, kin, context, tree)
    exact = [each for each in uses if each.certainty is Certainty.EXACT]
    places = _places(one, members, exact, context, tree)
    fixture = _as_fixture(one, definitions, context, tree)
    for path, more in fixture.places.items():
        places[path] = places.get(path, set()) | more
    keyed = {each.path for each in exact if each.use.kind is UseKind.KEYWORD}
    keyed -= {each.path for each in exact if each.use.kind is not UseKind.KEYWORD}
    _free(one, places.keys() - keyed | {path for path, _ in members}, tree)
    done = Done(along=tuple(each for each in members if each != (one.path, one.symbol)))
    for path in sorted(places):
        blob = tree.blob(path)
        if blob is None or (problem := refused(path, tree)):
            problem = "it is not there" if blob is None else problem
            raise GiveUp(f"it is used in {shown(path)}, which is not edited: {problem}")
        data = rewritten(blob.data, sorted(places[path]), short, one.to, path)
        if data != blob.data:
            done.files[path] = Blob(data, blob.mode)
    if one.path not in done.files:
        raise GiveUp(f"the definition of {printable(one.symbol)} was not found in its file")
    for path, line in fixture.unsure:
        blob = tree.blob(path)
        text = line_of(blob.data, line) if blob is not None else ""
        done.lead(path, f"{said(one)}, perhaps taken here as a fixture: {text}")
    _unbound(one, definitions, uses, done, context, tree)
    _leads(one, uses, done, tree)
    for path in sorted(done.files):
        tell_stubs(path, short, said(one), done, tree)
    return done


def members_of(one: Rename, kin: Family | None) -> list[tuple[str, str]]:
    """Return the path and the symbol of all that a rename is about: it, or those of its family."""
    if kin is None:
        return [(one.path, one.symbol)]
    short = one.symbol.rpartition(".")[2]
    return [(each.path, f"{each.name}.{short}") for each in kin.members]


def uses_of(
    one: Rename, kin: Family | None, context: Context, tree: Overlay, *, by_any_name: bool = False
) -> list[Used]:
    """Return every use of a symbol, or of the members of its family, and how sure each is.

    `by_any_name`: also those by other names that files hand it on under. GiveUp where something
    was not looked at.
    """
    ask = partial(uses_by_any_name, context=context) if by_any_name else context.uses
    answers = [ask(symbol, path) for path, symbol in members_of(one, kin)]
    if notes := [note for each in answers for note in each.notes]:
        raise GiveUp(" ".join(dict.fromkeys(notes)))
    uses = _best(use for each in answers for use in each.items)
    if kin is not None:
        uses = _of_kin(uses, kin, one, context, tree)
    uses = _seen_through("." in one.symbol, uses, context, tree)
    return uses if kin is None else _of_objects(uses, kin, context, tree)


def _as_fixture(
    one: Rename, definitions: Sequence[Definition], context: Context, tree: Overlay
) -> Taken:
    """Return where a fixture of pytest is taken by its name; nothing for what is none."""
    if "." in one.symbol or not any(is_fixture(each) for each in definitions):
        return Taken()
    return taken(one.path, one.symbol, context, tree)


def _places(
    one: Rename,
    members: Sequence[tuple[str, str]],
    exact: Sequence[Used],
    context: Context,
    tree: Overlay,
) -> dict[str, set[tuple[int, int]]]:
    """Return the lines and columns (in bytes) where the name is to be another one, by path."""
    places: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for path, symbol in members:
        what = context.extraction(path).what
        for definition in (each for each in what.definitions if path_of(each) == symbol):
            places[path].add(_place_of(definition, what, path, tree))
    for each in exact:
        places[each.path].add((each.use.line, each.use.column))
    if "." not in one.symbol and language_of(one.path) is Language.PYTHON:
        for place in named_in_strings(one.path, one.symbol, context, tree):
            places[place.path].add((place.what.line, place.what.column))
    return places


def _best(uses: Iterable[Used]) -> list[Used]:
    """Return each place once, as what it most surely is, in the order of `Context.uses`."""
    found: dict[tuple[str, int, int], Used] = {}
    for each in uses:
        key = (each.path, each.use.line, each.use.column)
        known = found.get(key)
        if known is None or _surer(each) > _surer(known):
            found[key] = each
    return sorted(
        found.values(), key=lambda each: (-each.score, each.path, each.use.line, each.use.column)
    )


def _surer(each: Used) -> tuple[bool, bool, float]:
    return (
        each.certainty is Certainty.EXACT,
        each.certainty is Certainty.LIKELY,
        each.score,
    )


def _of_kin(
    uses: Sequence[Used], kin: Family, one: Rename, context: Context, tree: Overlay
) -> list[Used]:
    """Return the uses, sure of those by a class of the family, by `self`, and in its body.

    Keywords are sure where they name a field of what is made or matched.
    """
    classes = [
        each
        for each in _seen_through(False, kin.uses, context, tree)
        if each.certainty is Certainty.EXACT
    ]
    named = {
        (each.path, each.use.line, each.use.column + len(encode(each.use.name)) + 1)
        for each in classes
    }
    keywords = _keywords(one, kin, classes, context, tree)
    if problem := keywords.other_argument():
        raise GiveUp(problem)
    found = []
    for each in uses:
        use = each.use
        if use.kind is UseKind.KEYWORD and language_of(each.path) is Language.PYTHON:
            found.append(keywords.judged(each))
            continue
        if use.kind in _MEMBER_USES and (around := _class_asked(each, context)) is not None:
            sure, other = around in kin.classes, around not in kin.classes
        else:
            sure, other = (each.path, use.line, use.column) in named, False
            sure = sure or (use.kind is UseKind.READ and _in_body(each, kin, tree))
        if sure:
            each = replace(each, certainty=Certainty.EXACT, why="by a class of its family")  # noqa: PLW2901
        elif other:
            each = replace(each, certainty=Certainty.NAME, why="of another class", score=-1.0)  # noqa: PLW2901
        found.append(each)
    return found


def _of_objects(uses: Sequence[Used], kin: Family, context: Context, tree: Overlay) -> list[Used]:
    """Return the uses, sure of those of an object that its scope makes of a class of the family.

    In Python alone. Not where calling such a class may make something else.
    """
    classes = {
        (each.path, each.use.line, each.use.column)
        for each in _seen_through(False, kin.uses, context, tree)
        if each.certainty is Certainty.EXACT
    }
    if any(makes_others(each, context) for each in kin.classes):
        return list(uses)
    objects: dict[str, MadeObjects | None] = {}
    found = []
    for each in uses:
        path, use = each.path, each.use
        if each.certainty is not Certainty.EXACT and use.kind in _MEMBER_USES and use.receiver:
            if path not in objects:
                view = view_of(path, context, tree)
                objects[path] = MadeObjects(view) if view is not None else None
            known = objects[path]
            made = known.made_by(use) if known is not None else ()
            if any((path, one.line, one.column) in classes for one in made):
                each = replace(each, certainty=Certainty.EXACT, why="of an object of its family")  # noqa: PLW2901
        found.append(each)
    return found


def makes_others(one: Class, context: Context) -> bool:
    """May a call of a class of Python make an object of another one?"""
    definitions = context.extraction(one.path).what.definitions
    return any(path_of(each) == f"{one.name}.__new__" for each in definitions) or any(
        path_of(each) == one.name and re.search(r"\bmetaclass\s*=", each.signature)
        for each in definitions
    )


def _keywords(
    one: Rename, kin: Family, classes: Iterable[Used], context: Context, tree: Overlay
) -> Keywords:
    """Return what judges the keywords that are called like a member, which is to have a name."""
    named = {(each.path, each.use.line, each.use.column): each.use.kind for each in classes}
    short = one.symbol.rpartition(".")[2]
    view = cache(lambda path: view_of(path, context, tree))
    return Keywords(short, one.to, kin, named, context, view)


def declined_keywords(one: Rename, context: Context, tree: Overlay) -> list[Used]:
    """Return the keywords that mean or may mean a member whose rename is declined.

    By what names its class and those that extend it, as far as that is known.
    """
    owner = one.symbol.rpartition(".")[0]
    if not owner or language_of(one.path) is not Language.PYTHON:
        return []
    first = Class(one.path, owner)
    owners: dict[tuple[str, int, int], Class] = {}
    above: dict[Class, tuple[Class, ...]] = {first: ()}
    classes: list[Used] = []
    waiting = [first]
    while waiting and len(above) <= MOST_EXTENDING:
        class_ = waiting.pop()
        for each in context.uses(class_.name, class_.path).items:
            if each.certainty is Certainty.EXACT:
                owners[each.path, each.use.line, each.use.column] = class_
                classes.append(each)
                inner = Class(each.path, each.use.scope)
                if each.use.kind is UseKind.OVERRIDE and inner not in above:
                    above[inner] = (class_,)
                    waiting.append(inner)
    kin = Family(frozenset(above), (first,), tuple(classes), owners, above)
    keywords = _keywords(one, kin, classes, context, tree)
    uses = context.uses(one.symbol, one.path).items
    return [keywords.judged(each) for each in uses if each.use.kind is UseKind.KEYWORD]


def _class_asked(each: Used, context: Context) -> Class | None:
    """Return the class that is asked for a member: the one around it, or one of the same file."""
    use, definitions = each.use, context.extraction(each.path).what.definitions
    if is_own(use):
        around = class_around(definitions, use.scope)
        return Class(each.path, around) if around else None
    classes = [one for one in definitions if one.kind is DefKind.CLASS and not one.scope]
    named = any(one.name == use.receiver for one in classes)
    return Class(each.path, use.receiver) if named else None


def _in_body(each: Used, kin: Family, tree: Overlay) -> bool:
    """Is a bare name of Python read where the body of a class that defines it is run?"""
    if language_of(each.path) is not Language.PYTHON or each.use.receiver:
        return False
    outer, _, _ = each.use.scope.rpartition(".")
    if Class(each.path, each.use.scope) in kin.members:
        return True
    blob = tree.blob(each.path)
    decorates = blob is not None and line_of(blob.data, each.use.line).startswith("@")
    return decorates and Class(each.path, outer) in kin.members


def _seen_through(
    member: bool, uses: Sequence[Used], context: Context, tree: Overlay
) -> list[Used]:
    """Return the uses, no longer sure of those where a variable may hide what the name means.

    The context knows parameters; a variable of a function it does not.
    """
    views: dict[str, View | None] = {}
    found = []
    for each in uses:
        name = each.use.receiver.partition(".")[0] or each.use.name
        sure = each.certainty is Certainty.EXACT and each.use.kind is not UseKind.IMPORT
        bare_member = member and not each.use.receiver
        if not sure or bare_member or name in _SELF or not name.isidentifier():
            found.append(each)
            continue
        if each.path not in views:
            views[each.path] = view_of(each.path, context, tree)
        view = views[each.path]
        if view is not None and view.hidden(name, each.use):
            found.append(replace(each, certainty=Certainty.LIKELY, why=f"{name} may be another"))
        else:
            found.append(each)
    return found


def view_of(path: str, context: Context, tree: Overlay) -> View | None:
    """Return a file of Python as it is now, None for others."""
    language, blob = language_of(path), tree.blob(path)
    if language is not Language.PYTHON or blob is None:
        return None
    return View(path, language, context.extraction(path).what, blob.data)


def _kin(one: Rename, definitions: Sequence[Definition], context: Context) -> Family | None:
    """Return the family of a member of a class, None for what is none or has no relatives.

    In languages where a family cannot be known, one that has relatives is refused.
    """
    scope = definitions[0].scope
    what = context.extraction(one.path).what
    owners = [
        each for each in what.definitions if path_of(each) == scope and each.kind is DefKind.CLASS
    ]
    if language_of(one.path) in WALKED and owners:
        return family(Class(one.path, scope), definitions[0].name, one.to, context)
    if all(each.kind is not DefKind.METHOD for each in definitions):
        return None
    if language_of(one.path) is Language.GO:
        raise GiveUp("a method of Go may be what an interface asks for, without saying so")
    if context.implementations(one.symbol, one.path).items:
        raise GiveUp(f"classes that extend its own override {printable(one.symbol)}")
    bases = [base for each in owners for base in each.bases]
    bases += [
        use.name for use in what.uses if use.kind is UseKind.OVERRIDE and use.scope == scope
    ]  # what a part of the class elsewhere in the file says (Rust)
    if bases:
        raise GiveUp(
            f"class {printable(scope)} extends {printable(', '.join(dict.fromkeys(bases)))}, which "
            f"may have {printable(one.symbol)} as well"
        )
    return None


def _free(one: Rename, paths: Iterable[str], tree: Overlay) -> None:
    """Refuse a name that a file which would get it has already, whatever it means there.

    Where only keywords get it, it hides nothing, and no class of the family has it.
    """
    word = re.compile(rb"(?<![\w$])" + re.escape(encode(one.to)) + rb"(?![\w$])")
    for path in sorted(paths):
        blob = tree.blob(path)
        if blob is not None and word.search(blob.data):
            raise GiveUp(f"{shown(path)} has the name {printable(one.to)} already")


def _place_of(
    definition: Definition, what: Extraction, path: str, tree: Overlay
) -> tuple[int, int]:
    """Return the line and column (in bytes) of a definition's own name."""
    blob = tree.blob(path)
    if blob is None:
        raise GiveUp(f"{shown(path)} is not there")
    lines = blob.data.split(b"\n")
    name = encode(definition.name)
    # As a word: `f` is in `def`, too, and `on` in `function`.
    named = re.search(rf"(?<![\w$]){re.escape(definition.name)}(?![\w$])", definition.signature)
    before = definition.signature[: named.start()] if named else definition.signature
    header = b"".join(encode(before).split())
    uses = {(use.line, use.column) for use in what.uses}
    word = re.compile(rb"(?<![\w$])" + re.escape(name) + rb"(?![\w$])")
    for number in range(definition.start, min(definition.end, len(lines)) + 1):
        for found in word.finditer(lines[number - 1]):
            if (number, found.start()) in uses:
                continue
            # The words before the name (def, export function) stand before it in the signature.
            start = lines[number - 1][: found.start()]
            if header and not b"".join(start.split()).endswith(header[-20:]):
                continue
            return number, found.start()
    raise GiveUp(f"the definition of {printable(definition.name)} was not found in {shown(path)}")


def rewritten(data: bytes, places: list[tuple[int, int]], short: str, to: str, path: str) -> bytes:
    """Return a file with the name at these places replaced; an import's alias stays as it is."""
    old, new = encode(short), encode(to)
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    out, at = [], 0
    for number, column in places:
        if number >= len(starts):
            continue
        place = starts[number - 1] + column
        end = place + len(old)
        if place < at or data[place:end] != old or _IN_WORD.match(data, end):
            continue  # known there under another name
        text = new
        if language_of(path) in _SCRIPT and _is_shorthand(data, place, end):
            text = old + b": " + new
        out += [data[at:place], text]
        at = end
        if again := re.compile(rb"(\s+as\s+)" + re.escape(old) + rb"(?![\w$])").match(data, end):
            # `f as f` is no name of its own: it hands the symbol on, and users follow.
            out += [again[1], new]
            at = again.end()
    return b"".join([*out, data[at:]])


def _is_shorthand(data: bytes, start: int, end: int) -> bool:
    """Is the name both key and value of an object (`{ name }`)? The key is not ours to rename."""
    before, after = data[:start].rstrip(), data[end : end + 200].lstrip()
    if not before or before[-1:] not in (b"{", b",") or after[:1] not in (b"}", b","):
        return False
    depth = 0
    for place in range(len(before) - 1, -1, -1):
        sign = before[place]
        if sign in _CLOSES:
            depth += 1
        elif sign in _OPENS:
            if depth == 0:
                return sign == ord("{") and not _LISTED.search(before[:place])
            depth -= 1
    return False


def _unbound(  # noqa: PLR0917
    one: Rename,
    definitions: Sequence[Definition],
    uses: Sequence[Used],
    done: Done,
    context: Context,
    tree: Overlay,
) -> None:
    """Tell where the name may be meant in languages whose names are not known for sure.

    What may not be edited is left. Files that were rewritten are told of line by line elsewhere.
    """
    problems: dict[str, str] = {}
    for each in unbound(definitions[0], one.path, uses, context, tree):
        blob = tree.blob(each.path)
        if blob is None or each.path in done.files:
            continue
        done.lead(each.path, f"{said(one)}, {each.how}: {line_of(blob.data, each.line)}")
        if each.path not in problems:
            problems[each.path] = refused(each.path, tree) or ""
    done.left += [
        (f"what may be its uses in {shown(path)}", why) for path, why in problems.items() if why
    ]


def _leads(one: Rename, uses: Sequence[Used], done: Done, tree: Overlay) -> None:
    short = one.symbol.rpartition(".")[2]
    word = re.compile(rb"(?<![\w$])" + re.escape(encode(short)) + rb"(?![\w$])")
    elsewhere: set[str] = set()
    member = "." in one.symbol
    for each in uses:
        if each.path in done.files or each.certainty is Certainty.EXACT:
            continue
        if may_be_unbound(one.path, each.path) and each.path in done.leads:
            continue  # told of, each line that may be one
        if how := how_likely(each, member):
            blob = tree.blob(each.path)
            line = line_of(blob.data, each.use.line) if blob is not None else ""
            done.lead(each.path, f"{said(one)}, {how} here ({each.why}): {line}")
        elif each.path not in done.leads:
            elsewhere.add(each.path)
    for path, blob in done.files.items():
        if blob is None:
            continue
        language = language_of(path)
        code = masked(blob.data, language) if language in MASKED else blob.data
        for row, bare in zip(blob.data.split(b"\n"), code.split(b"\n"), strict=False):
            if word.search(row) and not _is_key(row, short, one.to):
                how = "the old name still stands here" if word.search(bare) else IN_PROSE
                done.lead(path, f"{said(one)}, and {how}: {cut(row)}")
    elsewhere -= done.leads.keys()
    if elsewhere:
        named = ", ".join(shown(path) for path in sorted(elsewhere)[:5])
        more = f" and {len(elsewhere) - 5} more" if len(elsewhere) > 5 else ""
        done.notes.append(
            f"The name {printable(short)} also stands in {named}{more}, most likely for something "
            "else."
        )


def tell_stubs(path: str, name: str, what: str, done: Done, tree: Overlay) -> None:
    """Tell of the lines with a name in stubs beside a file; those not edited are left."""
    for stub, line in named_in_stubs(path, name, tree):
        blob = tree.blob(stub)
        if blob is None or stub in done.files:
            continue
        done.lead(stub, f"{what}, and this stub has it still: {line_of(blob.data, line)}")
        left = (f"{printable(name)} in {shown(stub)}", refused(stub, tree) or "")
        if left[1] and left not in done.left:
            done.left.append(left)


def how_likely(each: Used, member: bool) -> str:
    """Return how likely a use that is not sure means a symbol, "" where it hardly does.

    The type of most receivers is not known: a method's uses are seldom more than "perhaps".
    """
    if each.certainty is Certainty.LIKELY:
        return "likely"
    may = each.use.kind in _MEMBER_USES or each.use.kind is UseKind.KEYWORD
    return "perhaps" if member and each.score > 0 and may else ""


def _is_key(line: bytes, short: str, to: str) -> bool:
    return encode(f"{short}: {to}") in line


def said(one: Rename) -> str:
    """Return a rename in words, as what is so by now."""
    return f"{printable(one.symbol)} of {shown(one.path)} is {printable(one.to)} now"


def line_of(data: bytes, number: int) -> str:
    """Return a line of a file as it is told to nodes, "" for one that is not there."""
    lines = data.split(b"\n")
    return cut(lines[number - 1]) if 0 < number <= len(lines) else ""


def cut(line: bytes) -> str:
    """Return a line as it is told to nodes."""
    return printable(decode(line.strip()))[:LINE_CHARS]
