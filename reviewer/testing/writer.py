"""The writer: the question "which new tests in this file say what the change does?"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from reviewer.change import Change, Span
from reviewer.fix.coder import CODE_CHARS, Refusal
from reviewer.languages import language_of
from reviewer.parsing.symbols import Definition
from reviewer.parsing.worker import Parsers
from reviewer.refactor.apply import Applied, applied, readable
from reviewer.refactor.edit import Editor, EditScope, Part
from reviewer.refactor.outlines import marked, outline, tokens
from reviewer.refactor.parse import broken
from reviewer.refactor.protect import shown
from reviewer.refactor.tree import Overlay, Tree
from reviewer.refactor.values import Edits, Module
from reviewer.review.functions import functions
from reviewer.review.guidance import set_apart
from reviewer.review.scope import quoted, show, size_of
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function
from reviewer.testing.additions import (
    changed_definition,
    missing_name,
    short,
)
from reviewer.testing.finder import Target
from reviewer.testing.insertions import not_added
from reviewer.testing.layout import Layout
from reviewer.testing.values import TestEdits
from reviewer.text import printable

WHOLE_TOKENS = WINDOW_TOKENS
"""A test file up to this size is shown whole; of a larger one, its outline and its two ends."""

CODE_TOKENS = WINDOW_TOKENS
STYLE_TOKENS = WINDOW_TOKENS // 2
"""Of the code under test, and of the test file that a new one is to be like."""

HUNKS_TOKENS = WINDOW_TOKENS // 4
"""Of hunks of the change beside those that make a behaviour so, in the same files."""

END_LINES = 60
"""At the beginning of a test file and at its end: its imports, and where tests are added."""

AROUND_LINES = 40
"""Before and after what makes a behaviour so, in code that is too long to be shown whole."""

BODY_CHARS = 4_000

_MARKED = "each line behind a | that is not in it"


@dataclass(eq=False)
class TestFile:
    """A test file on its way: what its tests are to say, and what became of earlier versions."""

    __test__ = False

    path: str
    targets: list[Target]
    refusals: list[Refusal] = field(default_factory=list)


class Writer(Editor):
    """The task. One instance for each state of the tree; a part is a test file."""

    name = "write-tests"
    version = "1"
    result: type[Edits] = TestEdits

    def __init__(
        self,
        tree: Tree,
        overlay: Overlay,
        files: Sequence[TestFile],
        *,
        guidance: str = "",
        window: int = WINDOW_TOKENS,
    ) -> None:
        super().__init__(tree, overlay, "", guidance=guidance, window=window)
        self._files = {one.path: one for one in files}
        self._layout = Layout(overlay.start.modes)

    def scope(self) -> EditScope:
        """Return the scope with a part for each test file."""
        return EditScope(tuple(self.part_of(one) for one in self._files.values()))

    def part_of(self, file: TestFile) -> Part:
        """Return a test file as a part of the work: the only one that its node may write."""
        there = [file.path] if self._overlay.blob(file.path) is not None else []
        new = [] if there else [file.path]
        module = Module.model_construct(
            name=file.path, files=there, new_files=new, what=told(file.targets)
        )
        return Part(module, tuple(there))

    def instructions(self, scope: EditScope) -> str:
        return _prompt() + (f"\n{self._guidance}" if self._guidance else "")

    def size(self, scope: EditScope) -> int:
        size = sum(tokens(self._material(part)) for part in scope.parts)
        # Two test files never share a node, however small they are.
        return max(size, self._window + 1) if len(scope.parts) > 1 else size

    def label(self, scope: EditScope) -> str:
        names = [part.module.name for part in scope.parts]
        return printable(names[0]) if len(names) == 1 else f"{len(names)} test files"

    def content(self, scope: EditScope) -> str:
        (part,) = scope.parts
        return printable(self._material(part))

    def lens(self, scope: EditScope) -> str:
        if len(scope.parts) != 1:
            return ""
        (part,) = scope.parts
        said = [f"What to test:\n\n{set_apart(part.module.what)}"]
        for each in self._files[part.module.name].refusals:
            said.append(f"A version that did not stand, because:\n\n{set_apart(each.why)}")
            if each.diff:
                said.append(f"That version:\n\n{set_apart(each.diff[:CODE_CHARS])}")
        return printable("\n\n".join(said) + "\n")

    def split(self, scope: EditScope) -> list[EditScope]:
        return [EditScope((part,)) for part in scope.parts]

    def functions(self, scope: EditScope) -> Mapping[str, Function]:
        known = functions(self._tree.change, self._tree.objects, (), self._tree.code)
        more = {name: known[name] for name in ("changed", "diff")}
        return {**super().functions(scope), **more}

    def check(self, scope: EditScope, result: Edits) -> list[str]:
        (part,) = scope.parts
        with Parsers() as parsers:
            return self.made(part, result, parsers).problems

    def made(self, part: Part, edits: Edits, parsers: Parsers) -> Applied:
        """Return what edits make of a test file, or what is wrong with them, for the model."""
        file = self._files[part.module.name]
        done = applied(edits, self._overlay, part.files, part.new_files, part.files)
        if done.problems:
            return done
        before = {path: self._overlay.blob(path) for path in done.files}
        problems = [
            f'"{shown(path)}": {fault}'
            for path, fault in broken(done.files, before, parsers).items()
        ]
        problems += self._beyond(part, done)
        if not problems:
            problems = self._unaccounted(file, edits, done)
        return Applied({}, problems) if problems else done

    def _beyond(self, part: Part, done: Applied) -> list[str]:
        """Say where edits do more than to add tests to their file."""
        path = part.module.name
        if problem := self._layout.refusal(path):
            return [f'"{shown(path)}": {problem}']
        after = done.files.get(path)
        if done.files and (after is None or set(done.files) != {path}):
            return [f'only "{shown(path)}" is yours, and it is neither removed nor renamed']
        blob = self._overlay.blob(path)
        if blob is None or after is None:
            return []
        old, new = readable(blob.data), readable(after.data)
        if (more := not_added(old, new, language_of(path))) is not None:
            return [f"replacements: {more} (tests are added beside what is there)"]
        known = self._known(path)
        if (name := changed_definition(old, new, known)) is not None:
            return [
                f"replacements: {printable(name)} was there and is to stay as it is, with what "
                "stands above it: add a test beside it"
            ]
        return []

    def _unaccounted(self, file: TestFile, edits: Edits, done: Applied) -> list[str]:
        """Say which behaviour has neither tests nor a reason, and which tests are not there."""
        tests = edits.tests if isinstance(edits, TestEdits) else []
        mine = [each.id for each in file.targets]
        if strange := [one.behaviour for one in tests if one.behaviour not in mine]:
            return [f"tests: there is no behaviour {strange[0]!a}; yours are {', '.join(mine)}"]
        told = {one.behaviour for one in tests} | {one.what.strip() for one in edits.left}
        problems = [
            f"{each.id}: name its tests in `tests`, or say in `left` why there is none"
            for each in file.targets
            if each.id not in told
        ]
        after = done.files.get(file.path)
        if after is None:
            return [*problems, *(["tests: no edits are handed in"] if tests else [])]
        if not tests:
            problems.append("tests: say which behaviour each new test is for")
        if not edits.message.strip():
            problems.append("message: a commit needs one that says which behaviour is tested")
        before, now = self._text(file.path), readable(after.data)
        known = self._known(file.path) if before else ()
        for one in tests:
            if (name := missing_name(one.names, before, now, known)) is not None:
                problems.append(f"tests: nothing that you add has the name {short(name)!r}")
        return problems

    # What a node sees -----------------------------------------------------------------------------

    def _material(self, part: Part) -> str:
        file = self._files[part.module.name]
        key = ("", file.path)
        if key not in self._shown:
            hunks = hunks_of(file.targets, self._tree.change)
            self._shown[key] = f"{self._own(file.path)}\n{self._code_of(file)}\n{hunks}"
        return self._shown[key]

    def _own(self, path: str) -> str:
        blob = self._overlay.blob(path)
        if blob is not None:
            return f"Your test file:\n\n{self._whole_or_ends(path, WHOLE_TOKENS)}"
        text = f"Your test file is new: {quoted(path)}\n"
        near = self._neighbour(path)
        if near is None:
            return text
        return f"{text}\nA test file near it, as an example:\n\n" + self._whole_or_ends(
            near, STYLE_TOKENS
        )

    def _neighbour(self, path: str) -> str | None:
        """Return a test file to be like: near, and one that can be shown whole if there is any."""
        near = [one for one in self._layout.neighbours(path) if self._overlay.blob(one)][:8]
        sizes = {one: tokens(self._text(one)) for one in near}
        fitting = (one for one in near if 0 < sizes[one] <= STYLE_TOKENS)
        return next(fitting, near[0] if near else None)

    def _whole_or_ends(self, path: str, room: int) -> str:
        text = self._text(path)
        heading = f"=== file {quoted(path)}, {_MARKED}"
        lines = text.split("\n")
        if tokens(text) <= room or len(lines) <= 2 * END_LINES:
            return f"{heading}\n{marked(lines)}\n"
        told = outline(path, self._tree.code.context)
        return (
            f"{told}(too long to be shown whole: read(path, start, end))\n\n"
            f"--- of it, its beginning and its end, {_MARKED}\n"
            f"{marked(lines[:END_LINES])}\n… line {len(lines) - END_LINES + 1}:\n"
            f"{marked(lines[-END_LINES:])}\n"
        )

    def _code_of(self, file: TestFile) -> str:
        """Return the code that the behaviours stand in, whole as far as it fits."""
        pieces, left = ["The code under test, as it is now:\n"], CODE_TOKENS
        for path in dict.fromkeys(each.path for each in file.targets):
            text = self._text(path)
            if not text:
                pieces.append(f"=== file {quoted(path)} is not there any more: see diff(path)\n")
                continue
            lines = text.split("\n")
            piece = f"=== file {quoted(path)}, {_MARKED}\n{marked(lines)}\n"
            if tokens(piece) > left:
                wanted = [
                    (each.place.start_line or 1, each.place.line or 1)
                    for each in file.targets
                    if each.path == path and each.place.side == "RIGHT"
                ]
                piece = (
                    f"=== file {quoted(path)}, too long to be shown whole; around what was "
                    f"changed, {_MARKED}\n{_around(lines, wanted)}\n"
                )
            pieces.append(piece)
            left = max(0, left - tokens(piece))
        return "\n".join(pieces)

    def _known(self, path: str) -> Sequence[Definition]:
        return self._tree.code.context.extraction(path).what.definitions

    def _text(self, path: str) -> str:
        blob = self._overlay.blob(path)
        return readable(blob.data) if blob is not None else ""


def hunks_of(targets: Sequence[Target], change: Change) -> str:
    """Return what the change did there, as its finder saw it, and what else it did to those files,
    as far as that fits: the base is in it, too."""
    wanted = list({each.span.id: each.span for each in targets}.values())
    known = {span.hunk.id for span in wanted}
    left = HUNKS_TOKENS
    for path in dict.fromkeys(each.path for each in targets):
        file = change.by_path.get(path)
        for hunk in file.hunks if file is not None else ():
            whole = Span(hunk.id, hunk, 0, len(hunk.lines))
            if hunk.id not in known and size_of([whole]) <= left:
                left -= size_of([whole])
                wanted.append(whole)
    spans = sorted(wanted, key=lambda span: (span.path, span.hunk.new_start, span.start))
    return f"What the change did there (- is gone, + is new):\n\n{show(change, spans)}"


def told(targets: Sequence[Target]) -> str:
    """Return behaviours as a node reads them."""
    return "\n\n".join(told_of(each) for each in targets)


def told_of(each: Target) -> str:
    """Return one behaviour as a node reads it: it was written by a node, and is data."""
    one = each.behaviour
    gone = " (lines that the change took away)" if each.place.side == "LEFT" else ""
    said = [
        f"{each.id} ({one.kind}): {' '.join(one.what.split())[:BODY_CHARS]}",
        f"By {quoted(each.path)}{gone}:\n\n{_indented(each.place.evidence[:CODE_CHARS])}",
    ]
    if one.case.strip():
        said.append(f"For example: {' '.join(one.case.split())[:BODY_CHARS]}")
    return "\n\n".join(said)


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.split("\n"))


def _around(lines: Sequence[str], wanted: Sequence[tuple[int, int]]) -> str:
    numbers: set[int] = set()
    for first, last in wanted:
        low, high = max(1, first - AROUND_LINES), min(len(lines), last + AROUND_LINES)
        numbers |= set(range(low, high + 1))
    shown_lines, before = [], 0
    for number in sorted(numbers):
        if number != before + 1:
            shown_lines.append(f"… line {number}:")
        shown_lines.append(marked([lines[number - 1]]))
        before = number
    return "\n".join(shown_lines)


@cache
def _prompt() -> str:
    return (Path(__file__).parent / "writer.md").read_text(encoding="utf-8").strip() + "\n"
