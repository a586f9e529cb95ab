"""The coder: the question "which exact replacements close this finding?", one node for each."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any

from reviewer.fix.locate import Spot, Target
from reviewer.fix.mended import Mended, told_mended
from reviewer.fix.values import Mending
from reviewer.refactor.apply import readable
from reviewer.refactor.edit import WHOLE_TOKENS, Editor, EditScope, Part
from reviewer.refactor.outlines import marked, tokens
from reviewer.refactor.tree import Overlay, Tree
from reviewer.refactor.values import Edits, Module
from reviewer.review.guidance import set_apart
from reviewer.review.scope import quoted
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function
from reviewer.text import printable

AROUND_LINES = 60
"""Shown before and after a place in a file that is too large to be shown whole."""

TITLE_CHARS = 300
BODY_CHARS = 4_000
CODE_CHARS = 8_000
"""Of a finding and of a patch that did not stand, as they are told: a finding may be anybody's."""

OTHERS = 20
"""Findings that are named to the coder of another one."""

_MARKED = "each line behind a | that is not in it"


@dataclass(frozen=True)
class Refusal:
    """A patch that did not stand: its diff, "" where it made no files, and why.

    `files` are those that it edited, or tried to: they need not be read again to be edited.
    """

    diff: str
    why: str
    files: frozenset[str] = frozenset()


class Coder(Editor):
    """The task. One instance for each state of the tree; a part is a finding, named by its id.

    `waiting` are findings that are worked on later: a node is told of those in its files, and of
    those that others work on now. It is told of all that was `mended` before, too.
    """

    name = "fix"
    version = "5"
    result: type[Edits] = Mending
    asks_why = False  # the finding says it

    def __init__(
        self,
        tree: Tree,
        overlay: Overlay,
        targets: Sequence[Target],
        refusals: Mapping[str, Sequence[Refusal]],
        *,
        waiting: Sequence[Target] = (),
        mended: Sequence[Mended] = (),
        guidance: str = "",
        window: int = WINDOW_TOKENS,
    ) -> None:
        super().__init__(tree, overlay, "", guidance=guidance, window=window)
        self._targets = {each.finding.id: each for each in targets}
        self._waiting = waiting
        self._mended = mended
        self._refusals = refusals
        self._spelled = {printable(path): path for path in (*overlay.start.modes, *overlay.files)}
        self._read: defaultdict[str, set[str]] = defaultdict(set)

    def scope(self) -> EditScope:
        """Return the scope with a part for each finding."""
        return EditScope(tuple(part_of(each) for each in self._targets.values()))

    def instructions(self, scope: EditScope) -> str:
        # Only a scope of one part is read.
        checks = self._target(scope.parts[0]).is_checks
        text = _prompt("checks.md" if checks else "coder.md")
        return text + (f"\n{self._guidance}" if self._guidance else "")

    def size(self, scope: EditScope) -> int:
        size = sum(tokens(self._code(part)) for part in scope.parts)
        # Two findings never share a node, however small their files are.
        return max(size, self._window + 1) if len(scope.parts) > 1 else size

    def label(self, scope: EditScope) -> str:
        if len(scope.parts) != 1:
            return f"{len(scope.parts)} findings"
        return " ".join(printable(self._target(scope.parts[0]).finding.title).split())[:TITLE_CHARS]

    def content(self, scope: EditScope) -> str:
        (part,) = scope.parts
        return printable(f"The code:\n\n{self._code(part)}")

    def lens(self, scope: EditScope) -> str:
        if len(scope.parts) != 1:
            return ""
        (part,) = scope.parts
        what = "What failed" if self._target(part).is_checks else "The finding"
        said = [f"{what} {part.module.name}:\n\n{set_apart(part.module.what)}"]
        if before := told_mended(self._mended, part.files, self._overlay):
            said.append(f"{_MENDED}\n\n{set_apart(before)}")
        if others := self._others(part):
            listed = "\n".join(f"- {_titled(each)}" for each in others[:OTHERS])
            more = f"\n- and {len(others) - OTHERS} more" if others[OTHERS:] else ""
            said.append(f"{_OTHERS}\n\n{set_apart(listed + more)}")
        for each in self._refusals.get(part.module.name, ()):
            said.append(f"A patch that did not stand, because:\n\n{set_apart(each.why)}")
            if each.diff:
                said.append(f"That patch:\n\n{set_apart(each.diff[:CODE_CHARS])}")
        return printable("\n\n".join(said) + "\n")

    def split(self, scope: EditScope) -> list[EditScope]:
        return [EditScope((part,)) for part in scope.parts]

    def functions(self, scope: EditScope) -> Mapping[str, Function]:
        known = super().functions(scope)
        read = known["read"]
        seen = [self._read[part.module.name] for part in scope.parts]

        @wraps(read)
        async def noting(path: str, *args: Any, **named: Any) -> Any:
            text = await read(path, *args, **named)
            for paths in seen:
                paths.add(self._spelled.get(path, path))
            return text

        return {**known, "read": noting}

    def editable(self, part: Part) -> Collection[str]:
        """Return the files that the finding names, and those that its nodes have read or edited."""
        if self._target(part).alone:
            return part.files
        refusals = self._refusals.get(part.module.name, ())
        edited = {path for each in refusals for path in each.files}
        return {*part.files, *self._read[part.module.name], *edited}

    def check(self, scope: EditScope, result: Edits) -> list[str]:
        (part,) = scope.parts
        if isinstance(result, Mending) and result.closed_with:
            return self._unfounded(part, result)
        if result.is_empty and result.unneeded.strip() and not result.left:
            return ["unneeded: say in left why you hand in no edits"]
        return super().check(scope, result)

    def _unfounded(self, part: Part, result: Mending) -> list[str]:
        """Complain of the word that another patch closes this finding, where it cannot be so."""
        if not result.is_empty:
            return ["closed_with: either the patch of another finding closes yours, or your edits"]
        told = {each.id for each in self._mended} | {each.finding.id for each in self._others(part)}
        if self._target(part).is_checks or result.closed_with not in told:
            return ["closed_with: it is the id of none of the findings that you were told of"]
        return []

    def removable(self, part: Part) -> Collection[str]:
        """Return the files that the finding names: what was only read is not removed."""
        return part.files

    def _others(self, part: Part) -> list[Target]:
        """Return the findings that others close: in its files, or at the same time."""
        mine = set(part.files)
        near = [each for each in self._waiting if not mine.isdisjoint(each.paths)]
        return [*(each for each in self._targets.values() if each != self._target(part)), *near]

    def _target(self, part: Part) -> Target:
        return self._targets[part.module.name]

    def _code(self, part: Part) -> str:
        """Return the files of a finding whole, as far as they fit, else the lines around it.

        No outline: whoever closes one finding seldom needs more of a file than that.
        """
        shown, left = "", WHOLE_TOKENS
        for path in part.files:
            blob = self._overlay.blob(path)
            text = readable(blob.data) if blob is not None else ""
            spots = [spot for spot in self._target(part).spots if spot.path == path]
            if tokens(text) <= left:
                piece = f"=== file {quoted(path)}, {_MARKED}\n{marked(text.split(chr(10)))}\n"
            else:
                piece = f"=== file {quoted(path)}, around the finding, {_MARKED}\n"
                piece += "(too long to be shown whole: read(path, start, end), outline(path))\n"
                piece += f"{_around(text, spots)}\n"
            shown += piece + "\n"
            left -= tokens(piece)
        return shown


def part_of(target: Target) -> Part:
    """Return a finding as a part of the work."""
    module = Module.model_construct(
        name=target.finding.id, files=list(target.paths), new_files=[], what=told(target)
    )
    return Part(module, target.paths)


def told(target: Target) -> str:
    """Return a finding as a node reads it, with the lines where it stands today."""
    finding = target.finding
    if target.is_checks:
        return finding.body
    said = [
        f"{' '.join(finding.title.split())[:TITLE_CHARS]} ({finding.category}, {finding.severity})",
        finding.body[:BODY_CHARS],
    ]
    if finding.trigger.strip():
        said.append(f"It fails when: {' '.join(finding.trigger.split())[:BODY_CHARS]}")
    if finding.evidence.strip():
        gone = " (lines that the change took away)" if finding.side == "LEFT" else ""
        said.append(f"It quotes{gone}:\n\n{_indented(finding.evidence[:CODE_CHARS])}")
    said.append("It stands at:\n\n" + "\n".join(f"- {_place(spot)}" for spot in target.spots))
    if finding.suggestion is not None:
        code = _indented(finding.suggestion[:CODE_CHARS])
        said.append(f"It proposes to put in place of exactly the quoted lines:\n\n{code}")
    return "\n\n".join(said)


def _titled(target: Target) -> str:
    title = " ".join(target.finding.title.split())[:TITLE_CHARS]
    return f"{target.finding.id}, {_place(target.spots[0])}: {title}"


def _place(spot: Spot) -> str:
    if spot.start is None:
        return quoted(spot.path)
    lines = f"line {spot.start}" if spot.start == spot.end else f"lines {spot.start}-{spot.end}"
    return f"{quoted(spot.path)}, {lines}"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.split("\n"))


def _around(text: str, spots: Sequence[Spot]) -> str:
    lines = text.split("\n")
    wanted: set[int] = set()
    for spot in spots:
        first, last = spot.start or 1, spot.end or 1
        wanted |= set(range(max(1, first - AROUND_LINES), min(len(lines), last + AROUND_LINES) + 1))
    shown, before = [], 0
    for number in sorted(wanted):
        if number != before + 1:
            shown.append(f"… line {number}:")
        shown.append(marked([lines[number - 1]]))
        before = number
    return "\n".join(shown)


_MENDED = "Mended before yours, and in the code as you see it:"
_OTHERS = "Others close these findings; leave them:"


@cache
def _prompt(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8").strip() + "\n"
