"""What a finder would look up first, told ahead: who uses what its hunks change, what is around.

Readers of a part spent their first turn on these two questions. The answers are those of the
functions that they have (`questions`), and a few lines of each: what is pasted in bulk makes models
worse (see "Context" in the design). They depend on the spans and on the code that they speak of,
not on the lens, so that all passes over a part share one prefix; and they give no number of a line
that a push to the same change could move.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from reviewer.change import Change, Span
from reviewer.context.values import Certainty, Context, Defined, Used
from reviewer.errors import GiveUp
from reviewer.languages import is_test
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import DefKind, Use, UseKind
from reviewer.ports import Objects, Rev
from reviewer.review.borders import Border
from reviewer.review.callees import callees, told_callee, type_lines
from reviewer.review.docstrings import documented
from reviewer.review.fields import fields, writers
from reviewer.review.leading import changed, elsewhere
from reviewer.review.members import listings
from reviewer.review.mentions import About, Key, Mention, told
from reviewer.review.nearby import Around, Nearby, Touched
from reviewer.review.questions import Row, used
from reviewer.review.scope import BYTES_A_TOKEN, quoted, shown_line
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.shares import shares
from reviewer.text import decode, encode, printable

MOST_BYTES = int(WINDOW_TOKENS * BYTES_A_TOKEN / 4)
"""Beside hunks that leave room: a quarter of a window."""

LEAST_BYTES = MOST_BYTES // 2
"""Beside hunks that fill a window: these may make a letter longer than one, by an eighth."""

FITTING_BYTES = 400
"""With less room nothing is said: it would be headings."""

NAMES = 16
"""Of one part that are asked for, in some hundredths of a second each, for what callers must follow
first."""

MANY_FILES = 1_000
"""In a change of more nobody is asked for users: it would take minutes, and the nodes can ask."""

USES = 8
BODY_USES = 3
"""Shown of a name whose contract changes, and of one whose body alone does."""

TEST_USES = 2
"""In tests, of a name whose contract changes and that nothing else uses; of others one."""

WRITERS = 3
"""Shown of a field."""

LISTINGS = 4
"""Shown of a new member of an enum."""

OTHERS_SHARE, FIELD_SHARE, LISTED_SHARE, CALLS_SHARE = 3, 6, 6, 5
"""Of the room for names a third goes to what other hunks do at the most, a sixth each to fields and
to enums, and a fifth to what is called for certain: who uses what changes has the rest."""

FETCHED = 60
TEXT_CHARS = 160
NAME_CHARS = 300

HEADER_LINES = 2
"""The first lines of a definition, which say what it is: shown before what is near the hunk."""

PIECE_BYTES = 500
"""Of a definition's code at the least, if it has as much: some ten lines."""

MOST_IDS = 8
"""Of hunks in one definition that its heading names."""

NEAR_LINES = 30
"""How far from a changed line the code around it is shown."""

TEST_LINES = 6
"""The same in a test: what it sets up and checks is near, and says less of what may be wrong."""

INTRO = (
    "Looked up for you at the head, as far as there is room; `references` and `read` tell the rest."
)
USERS = "What these hunks change, and who uses it outside of them:"
OTHERS = "What other hunks of the change do to what these mention:"
ASSIGNED = "Where fields that added lines of these hunks use are assigned outside of them:"
LISTED = "Where code lists members of an enum to which these hunks add one, without it:"
CALLS = "What added lines of these hunks call outside of them, as it is at the head:"
CODE = "The code around these hunks, with … for lines of a hunk or left out:"

_SECTION_BYTES = 80
"""For a heading and the blank line before it."""


class Ahead:
    """Answers for the parts of one change, each worked out once. May be used from several threads.

    Without a `context` nobody is asked for users.
    """

    def __init__(
        self,
        change: Change,
        objects: Objects,
        nearby: Nearby,
        borders: Sequence[Border],
        context: Context | None,
    ) -> None:
        self._change = change
        self._objects = objects
        self._nearby = nearby
        self._borders = borders
        self._context = context if len(change.files) <= MANY_FILES else None
        self._by_old = {file.old_path: file for file in change.files if file.old_path is not None}
        self._facts: dict[tuple[str, str], list[Border]] = {}
        for border in borders:
            if border.kind == "error":
                continue  # what a hunk raises it shows
            self._facts.setdefault((border.path, border.symbol), []).append(border)
        self._told: dict[tuple[str, ...], str] = {}

    def told(self, spans: Sequence[Span], taken: int) -> str:
        """Return what is told beside the hunks, "" for nothing; `taken`: bytes of the letter."""
        key = tuple(span.id for span in spans)
        known = self._told.get(key)
        if known is None:
            known = self._told.setdefault(key, self._written(spans, _room(taken)))
        return known

    def _written(self, spans: Sequence[Span], room: int) -> str:
        room -= _size([INTRO]) + 6 * _SECTION_BYTES
        if room < FITTING_BYTES:
            return ""
        pieces = self._pieces(spans)
        needed = sum(piece.size for piece in pieces)
        for_names = room - min(needed, room * 2 // 5)
        shown: set[Key] = set()
        others = _fitting(elsewhere(spans, self._borders), for_names // OTHERS_SHARE)
        assigned = self._fields(spans, for_names // FIELD_SHARE, shown)
        listed = self._listed(spans, for_names // LISTED_SHARE, shown)
        left = for_names - _size(others) - _size(assigned) - _size(listed)
        calls = self._calls(spans)
        certain = _whole(calls, for_names // CALLS_SHARE)
        users = self._users(spans, left - _size(certain), shown)
        called = _whole(calls, min(room // 4, left - _size(users)))
        named = (
            (USERS, users),
            (OTHERS, others),
            (ASSIGNED, assigned),
            (LISTED, listed),
            (CALLS, called),
        )
        code = _code(pieces, room - sum(_size(lines) for _, lines in named))
        sections = ["\n".join([head, *lines]) for head, lines in (*named, (CODE, code)) if lines]
        return "\n\n".join([INTRO, *sections]) + "\n" if sections else ""

    # Who uses what is changed --------------------------------------------------------------------

    def _users(self, spans: Sequence[Span], room: int, shown: set[Key]) -> list[str]:
        """Return a line for each name, what its users can see first, and its users below it."""
        names = dict.fromkeys(
            each for span in spans for each in self._nearby.touched.get(span.id, ())
        )
        wanted = sorted(names, key=_weight)
        found = [(each.contract, self._about(each, spans)) for each in wanted[:NAMES]]
        # That a body changes is what the hunk shows: it is worth a line for its users alone.
        about = sorted((one for contract, one in found if contract or one.mentions), key=_rank)
        return told(about, room, shown, len(wanted) - len(found))

    def _about(self, each: Touched, spans: Sequence[Span]) -> About:
        """Return what changes of a name, and its uses outside of the spans."""
        name, facts = _one_line(each.name, NAME_CHARS), self._facts.get((each.path, each.name), ())
        said = "its declaration changes" if each.contract else "its body changes"
        if facts:
            said = _one_line(changed(facts), NAME_CHARS)
        elif each.at == "base":
            said = "no longer there"
        kind = facts[0].kind if facts else each.kind
        uses, total, rest = self._used(each, spans)
        most = USES if each.contract else BODY_USES
        inside = {span.path for span in spans}
        mentions = self._mentions(each, uses, inside)
        return About(quoted(each.path), kind, name, f"{said}{rest}", mentions, most, total)

    def _used(self, each: Touched, spans: Sequence[Span]) -> tuple[list[Used], int, str]:
        """Return sure uses outside of the spans, how many there are, and a word for none."""
        if self._context is None or not each.asked:
            return [], 0, ""
        try:
            answer = self._context.references(each.asked, each.path, each.at, FETCHED)
        except GiveUp:
            return [], 0, ""  # the node meets the same when it asks, and is told why
        shown = _Shown(spans)
        outside = [use for use in answer.items if not shown.has(use, each.at)]
        if each.at == "base":
            outside = [now for use in outside if (now := self._still(use)) is not None]
        sure = [use for use in outside if use.certainty is not Certainty.NAME]
        # The code around the hunks, or they, show where it speaks of itself.
        sure = [use for use in sure if (use.path, use.use.scope) != (each.path, each.name)]
        using = {use.path for use in sure if use.use.kind is not UseKind.IMPORT}
        sure = [use for use in sure if use.use.kind is not UseKind.IMPORT or use.path not in using]
        if not sure:
            unsure = f", {len(outside)} by name only" if outside else ""
            return [], 0, f"; no sure use elsewhere{unsure}"
        return sure, len(sure) + answer.total - len(answer.items), ""

    def _mentions(
        self, each: Touched, uses: Sequence[Used], inside: Collection[str]
    ) -> list[Mention]:
        """Return the uses by what they are worth to a reader of the hunks.

        A test tells less than code that runs, what is in a file of the hunks less than what is not,
        and a second use in a file less than another file's first.
        """
        seen: Counter[str] = Counter()
        found: list[Mention] = []
        tests: list[Mention] = []
        for use in uses:
            worth = (
                is_test(use.path),
                use.use.kind is UseKind.IMPORT,
                not each.contract,
                use.path in inside,
                seen[use.path],
            )
            seen[use.path] += 1
            (tests if worth[0] else found).append(self._mention(use, worth))
        few = TEST_USES if each.contract and not found else 1
        return [*found, *sorted(tests, key=lambda one: one.worth)[:few]]

    def _mention(self, use: Used, worth: tuple[int, ...]) -> Mention:
        row: Row = used(use)
        place = quoted(row["path"])
        text, scope = _one_line(row["text"], TEXT_CHARS), _one_line(row["scope"], NAME_CHARS)
        key = (place, scope, text)
        if use.path not in self._change.by_path:  # no push to the change can have moved it
            place += f":{row['line']}"
        place += f" in {scope}" if scope else ""
        likely = ", likely" if use.certainty is Certainty.LIKELY else ""
        return Mention(worth, key, place, f"{row['kind']}{likely}", text)

    def _still(self, use: Used) -> Used | None:
        """Return a use of the base as it is at the head, None where its line is gone."""
        file = self._by_old.get(use.path)
        if file is None:
            return use
        if file.new_path is None or not use.text:
            return None
        lines = self._lines(file.new_path)
        there = any(printable(line).strip().startswith(use.text) for line in lines)
        return replace(use, path=file.new_path) if there else None

    # Who assigns the fields that are used --------------------------------------------------------

    def _fields(self, spans: Sequence[Span], room: int, shown: set[Key]) -> list[str]:
        """Return a line for each field that added lines use, and the lines that assign it."""
        if self._context is None:
            return []
        hunks = _Shown(spans)
        about = []
        for each in fields(spans, self._context):
            of_it = each.definition
            found = self._first_value(each, hunks)
            for use in writers(each, self._context):
                if not hunks.has(use, "head"):
                    found.append(self._mention(use, (0, use.path != each.path, len(found))))
            name, where = _one_line(path_of(of_it), NAME_CHARS), quoted(each.path)
            if found:
                about.append(About(where, "field", name, "is set", found, WRITERS, len(found)))
        return told(about, room, shown)

    def _first_value(self, field: Defined, hunks: "_Shown") -> list[Mention]:
        """Return the line that defines a field, where it gives it a value."""
        of_it = field.definition
        if "=" not in of_it.signature or hunks.has_line(field.path, of_it.start, "head"):
            return []
        lines = self._lines(field.path)[of_it.start - 1 : of_it.start]
        use = Use(of_it.name, UseKind.WRITE, of_it.start, 0, of_it.scope)
        text = lines[0].strip() if lines else ""
        defined = Used(field.path, use, Certainty.EXACT, field.why, text=text)
        return [self._mention(defined, (0, 0, 0))] if text else []

    def _listed(self, spans: Sequence[Span], room: int, shown: set[Key]) -> list[str]:
        """Return a line for each new member of an enum, and the places that list others of it."""
        if self._context is None:
            return []
        hunks = _Shown(spans)
        about = []
        for path, new, places in listings(spans, self._context):
            found = [
                self._mention(use, (0, use.path == path, number))
                for number, use in enumerate(places)
                if not hunks.has(use, "head")
            ]
            if found:
                name = _one_line(path_of(new), NAME_CHARS)
                where = quoted(path)
                about.append(About(where, "member", name, "added", found, LISTINGS, len(found)))
        return told(about, room, shown)

    # What is called ------------------------------------------------------------------------------

    def _calls(self, spans: Sequence[Span]) -> list[list[str]]:
        """Return what is told of each definition that added lines call and no hunk shows."""
        if self._context is None:
            return []
        hunks = _Shown(spans)
        return [
            entry
            for each in callees(self._change, spans, self._context)
            if not hunks.has_all(each)
            if (entry := told_callee(each, self._lines(each.path)))
        ]

    # The code around -----------------------------------------------------------------------------

    def _pieces(self, spans: Sequence[Span]) -> list["_Piece"]:
        """Return what is around the hunks and not in them, in their order."""
        held: dict[tuple[str, Around], list[Span]] = {}
        for span in spans:
            for each in self._nearby.around.get(span.id, ()):
                held.setdefault((span.path, each), []).append(span)
        seen: dict[str, set[int]] = {}
        for span in spans:
            numbers = (line.new for line in span.lines if line.new is not None)
            seen.setdefault(span.path, set()).update(numbers)
        typed: dict[str, set[int]] = {}
        pieces = []
        for (path, each), of_it in held.items():
            at_head = self._change.by_path[path].new_path
            lines = [] if at_head is None else self._lines(at_head)
            said = documented(path, lines)
            rest = {
                number: shown_line(" ", lines[number - 1])
                for number in range(each.start, min(each.end, len(lines)) + 1)
                if number not in seen[path] and number not in said
            }
            if any(text.strip() for text in rest.values()):
                ids = ", ".join(span.id for span in of_it[:MOST_IDS])
                name = _one_line(each.name, NAME_CHARS)
                head = f"--- around {ids}: {each.kind} {name}"
                known = seen[path] | typed.setdefault(path, set())
                of_type = {} if is_test(path) else self._type(path, each, lines, known)
                typed[path].update(of_type)
                pieces.append(_Piece(path, head, each, {**rest, **of_type}, seen[path]))
        return sorted(pieces, key=lambda piece: is_test(piece.path))

    def _type(
        self, path: str, each: Around, lines: Sequence[str], seen: Collection[int]
    ) -> dict[int, str]:
        """Return the lines that say what the class of a method is, where nothing shows them."""
        owner = each.name.rpartition(".")[0]
        if not owner or self._context is None:
            return {}
        try:
            definitions = self._context.extraction(path).what.definitions
        except GiveUp:
            return {}
        of = next((one for one in definitions if path_of(one) == owner and not one.scope), None)
        if of is None or of.kind is not DefKind.CLASS or of.start in seen:
            return {}
        numbers = [number for number in type_lines(of, lines) if number not in seen]
        return {number: shown_line(" ", _cut_line(lines[number - 1])) for number in numbers}

    def _lines(self, path: str) -> list[str]:
        try:
            return decode(self._objects.read(path, "head")).split("\n")
        except GiveUp:
            return []


class _Shown:
    """The lines that some spans show, by path at each end."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._lines: dict[tuple[Rev, str], set[int]] = {}
        for span in spans:
            head = self._lines.setdefault(("head", span.path), set())
            base = self._lines.setdefault(("base", span.path), set())
            head.update(line.new for line in span.lines if line.new is not None)
            base.update(line.old for line in span.lines if line.old is not None)

    def has(self, use: Used, at: Rev) -> bool:
        return self.has_line(use.path, use.use.line, at)

    def has_all(self, each: Defined) -> bool:
        """Do they show all of a definition at the head?"""
        lines = range(each.definition.start, each.definition.end + 1)
        return self._lines.get(("head", each.path), set()).issuperset(lines)

    def has_line(self, path: str, line: int, at: Rev) -> bool:
        return line in self._lines.get((at, path), ())


class _Piece:
    """What is around some hunks: a heading, and the lines by their numbers, nearest first."""

    def __init__(
        self, path: str, head: str, around: Around, lines: Mapping[int, str], shown: set[int]
    ) -> None:
        self.path, self.head = path, head
        inside = sorted(number for number in shown if around.start <= number <= around.end)
        of_type = [number for number in lines if not around.start <= number <= around.end]
        first = {*range(around.start, around.start + HEADER_LINES), *of_type}
        far = {number: _distance(number, inside) for number in lines}
        near = TEST_LINES if is_test(path) else NEAR_LINES
        self._lines = lines
        self._first = min([around.start, *of_type])
        self._last = around.end
        self._order = sorted(
            (n for n in lines if n in first or far[n] <= near),
            key=lambda n: (n not in first, far[n], n),
        )
        self.size = _size([head]) + sum(_size([lines[n]]) + _GAP for n in self._order)

    def within(self, room: int) -> list[str]:
        """Return the heading and as many lines as there is room for; [] if that is none."""
        left = room - _size([self.head])
        kept: set[int] = set()
        for number in self._order:
            left -= _size([self._lines[number]]) + _GAP
            if left < 0:
                break
            kept.add(number)
        rows, last, ends = [self.head], self._first - 1, self._last + 1
        for number in sorted(kept):
            beside = {number - 1, number + 1} - kept - {self._first - 1, ends}
            if beside and not self._lines[number].strip():
                continue  # a blank line beside what is left out says nothing
            rows += ["…"] * (number != last + 1)
            rows.append(self._lines[number])
            last = number
        return [*rows, *["…"] * (last + 1 != ends)] if len(rows) > 1 else []


_GAP = 4
"""Bytes of the mark for lines that are left out, counted for each line."""


def _code(pieces: Sequence[_Piece], room: int) -> list[str]:
    """Return the pieces in their room: rather a few that can be read than a line of each."""
    given = _shares([piece.size for piece in pieces], room, PIECE_BYTES)
    return [row for piece, share in zip(pieces, given, strict=False) for row in piece.within(share)]


def _shares(sizes: Sequence[int], room: int, least: int) -> list[int]:
    """Return the room of the first ones, as many as can have what they need or the `least`.

    Each has an equal share for certain; of what others leave the first ones have the most.
    """
    taken = accumulate(min(size, least) for size in sizes)
    return shares(sizes[: sum(each <= room for each in taken)], room)


def _rank(about: About) -> int:
    """Put first what code relies on, and last what tests alone use."""
    if not about.mentions:
        return 1
    return 2 * min(each.worth[0] for each in about.mentions)


def _weight(each: Touched) -> tuple[bool, bool]:
    """What callers must follow comes first; of a constant they mostly need not."""
    return not each.contract, each.kind == DefKind.CONSTANT.value


def _distance(number: int, inside: Sequence[int]) -> int:
    return min((abs(number - each) for each in inside), default=0)


def _room(taken: int) -> int:
    """Return the bytes that are left beside so many: more where the hunks are few."""
    window = int(WINDOW_TOKENS * BYTES_A_TOKEN)
    return max(0, min(MOST_BYTES, max(LEAST_BYTES, window - taken), window + LEAST_BYTES - taken))


def _whole(entries: Sequence[Sequence[str]], room: int) -> list[str]:
    """Return the first entries, as many as there is whole room for."""
    kept: list[str] = []
    room -= _GAP
    for entry in entries:
        room -= _size(entry)
        if room < 0:
            return [*kept, "…"] if kept else []
        kept += entry
    return kept


def _fitting(lines: Iterable[str], room: int) -> list[str]:
    """Return the first lines, as many as there is room for."""
    kept: list[str] = []
    left = room - _GAP
    for line in lines:
        left -= _size([line])
        if left < 0:
            return [*kept, "…"] if kept else []
        kept.append(line)
    return kept


def _size(lines: Iterable[str]) -> int:
    return sum(len(encode(line)) + 1 for line in lines)


def _cut_line(text: str) -> str:
    return text if len(text) <= NAME_CHARS else f"{text[: NAME_CHARS - 1]}…"


def _one_line(text: str, most: int) -> str:
    text = " ".join(printable(text).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
