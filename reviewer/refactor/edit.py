"""The edit: the recursive question "which exact replacements carry out this part of the plan?"."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from reviewer.errors import GiveUp
from reviewer.parsing.worker import Parsers
from reviewer.refactor.apply import applied, as_in, readable
from reviewer.refactor.outlines import divided, marked, named_code, outline, tokens
from reviewer.refactor.parse import broken
from reviewer.refactor.protect import shown
from reviewer.refactor.reach import looking
from reviewer.refactor.retyped import retyped
from reviewer.refactor.symbols import IN_PROSE, LINE_CHARS, MOST_LEADS
from reviewer.refactor.tree import Overlay, Tree
from reviewer.refactor.values import Answer, Edits, Joined, Module
from reviewer.request import StopReason
from reviewer.review.guidance import set_apart
from reviewer.review.scope import quoted
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function, Tier, Unit
from reviewer.text import encode, printable

WHOLE_TOKENS = WINDOW_TOKENS
"""A file up to this size is shown whole; a larger one in outline, with what its part names."""

NAMED_TOKENS = WINDOW_TOKENS // 2
"""Of the code that is shown of such a file."""

TOLD = 60
TOLD_BYTES = 30_000
TOLD_EACH_CHARS = 1_200
"""Leads and findings that are listed for one node: so many, and so much of all and of each. A part
of several files that has more is divided."""

_SAYS_NOTHING = re.compile(
    r"(?:edit|change|update|fix|modify|refactor)(?: (?:it|this|that|files?|(?:the )?code))?\W*",
    re.I,
)
"""A first line that could stand over any commit."""

_LINES = "of which these lines, each prefixed with its number and |, not part of the file"
_MARKED = "each line is prefixed with |, which is not part of the file"


@dataclass(frozen=True)
class Part:
    """A module, or some files of one that is too large for one node.

    `told` are facts for whoever edits: uses that the host was not sure of, findings to be mended.
    `first`: it is the part that makes the module's new files. `left_over`: it is what renames and
    moves have left, and nothing else.
    """

    module: Module
    files: tuple[str, ...]
    told: tuple[tuple[str, str], ...] = ()
    first: bool = True
    left_over: bool = False

    def lines_alone(self, path: str) -> list[str]:
        """Return what was told of a file that is shown by those lines alone; else nothing."""
        told = [text for at, text in self.told if at == path]
        if len(told) >= MOST_LEADS:
            return []  # perhaps not all of them
        return told if self.left_over and all(IN_PROSE in text for text in told) else []

    def listed(self, path: str) -> list[tuple[str, str]]:
        """Return what was told of a file and is listed apart from it."""
        return [] if self.lines_alone(path) else [one for one in self.told if one[0] == path]

    @property
    def new_files(self) -> tuple[str, ...]:
        return tuple(self.module.new_files) if self.first else ()

    @property
    def removable(self) -> tuple[str, ...]:
        return tuple(path for path in self.module.removed if path in self.files)


@dataclass(frozen=True)
class EditScope:
    """Parts to be carried out, in the order of their commits."""

    parts: tuple[Part, ...]


class Editor:
    """The task. One instance for each state of the tree; a node edits one part."""

    name = "edit"
    version = "8"
    tier: Tier = "strong"
    goes_back: int = 2
    result: type[Edits] = Answer
    asks_why = True
    """Does a commit's message without a reason go back, once?"""

    def __init__(
        self,
        tree: Tree,
        overlay: Overlay,
        contract: str,
        *,
        guidance: str = "",
        mending: bool = False,
        window: int = WINDOW_TOKENS,
    ) -> None:
        self._tree = tree
        self._overlay = overlay
        self._contract = contract
        self._guidance = guidance
        self._mending = mending
        self._window = window
        self._shown: dict[tuple[str, str], str] = {}
        self._asked: set[frozenset[Unit]] = set()
        """Of which parts the message was sent back."""

    def instructions(self, scope: EditScope) -> str:
        return _prompt() + (f"\n{self._guidance}" if self._guidance else "")

    def units(self, scope: EditScope) -> frozenset[Unit]:
        return frozenset(unit for part in scope.parts for unit in units_of(part))

    def size(self, scope: EditScope) -> int:
        size = sum(tokens(self._file(path, part)) for part in scope.parts for path in part.files)
        if any(len(part.files) > 1 and _share(part, part.files) > 1 for part in scope.parts):
            size = max(size, self._window + 1)
        # Two modules never share a node, however small they are.
        return max(size, self._window + 1) if len(scope.parts) > 1 else size

    def label(self, scope: EditScope) -> str:
        names = list(dict.fromkeys(part.module.name for part in scope.parts))
        return printable(names[0]) if len(names) == 1 else f"{len(names)} modules"

    def content(self, scope: EditScope) -> str:
        (part,) = scope.parts
        files = "\n".join(self._file(path, part) for path in part.files) or "(none)\n"
        return printable(f"Your files:\n\n{files}")

    def lens(self, scope: EditScope) -> str:
        if len(scope.parts) != 1:
            return ""
        (part,) = scope.parts
        said = [f"Your part: {' '.join(part.module.name.split())}\n\n{set_apart(part.module.what)}"]
        if self._contract:
            said.append(f"The contract between the parts:\n\n{set_apart(self._contract)}")
        if len(part.files) < len(part.module.files):
            said.append(_SPLIT)
        if part.new_files:
            made = "\n".join(f"- {quoted(path)}" for path in part.new_files)
            said.append(f"Files that you may make:\n\n{made}")
        if part.removable:
            gone = "\n".join(f"- {quoted(path)}" for path in part.removable)
            said.append(f"Files of yours that go, to be removed or renamed:\n\n{gone}")
        alone = [text for path in part.files for text in part.lines_alone(path)]
        if heads := {_head(text) for text in alone}:
            said.append(f"{_PROSE}\n\n" + "\n".join(f"- {head}" for head in sorted(heads)))
        if told := [one for one in part.told if not part.lines_alone(one[0])]:
            said.append(f"{_MENDING if self._mending else _LEADS}\n\n{_listed(told)}")
        return printable("\n\n".join(said) + "\n")

    def split(self, scope: EditScope) -> list[EditScope]:
        if len(scope.parts) != 1:
            return [EditScope((part,)) for part in scope.parts]
        (part,) = scope.parts
        if len(part.files) < 2:
            return [scope]
        sizes = {
            path: max(tokens(self._file(path, part)), int(_share(part, [path]) * self._window))
            for path in part.files
        }
        pieces = divided(sorted(part.files), sizes, self._window)
        return [
            EditScope(
                (
                    replace(
                        part,
                        files=piece,
                        told=tuple(one for one in part.told if one[0] in piece),
                        first=part.first and not index,
                    ),
                )
            )
            for index, piece in enumerate(pieces)
        ]

    def leads(self, scope: EditScope) -> bool:
        return False

    def brief(self, scope: EditScope, parts: Mapping[str, EditScope]) -> str:
        return ""  # nobody leads

    def lenses(self) -> Mapping[str, str]:
        return {}

    def join(self, parts: Sequence[EditScope], lens: str) -> EditScope:
        return EditScope(tuple(one for part in parts for one in part.parts))

    def editable(self, part: Part) -> Collection[str]:
        """Return the files that a part's node may edit."""
        return part.files

    def removable(self, part: Part) -> Collection[str]:
        """Return the files that a part's node may remove."""
        return part.removable

    def functions(self, scope: EditScope) -> Mapping[str, Function]:
        async def stands(path: str, old: str) -> int:
            """How often a text stands in one of your files, as `old` of a replacement would."""
            mine = any(path in self.editable(part) for part in scope.parts)
            blob = self._overlay.blob(path) if mine else None
            if blob is None or not old:
                raise GiveUp(f"{shown(path)!r} is none of your files, or the text is empty")
            return blob.data.count(as_in(blob.data, old))

        return {**looking(self._tree), "stands": stands}

    def check(self, scope: EditScope, result: Edits) -> list[str]:
        """Complain about what does not fit the files, and about a file that does not parse."""
        (part,) = scope.parts
        done = applied(
            result, self._overlay, self.editable(part), part.new_files, self.removable(part)
        )
        if done.problems:
            return done.problems
        if again := retyped(result, self._overlay, self.editable(part)):
            return again
        if done.files and not result.message.strip() and not self._mending:
            return ["message: a commit needs one that says what it does, and why"]
        if not done.files and not result.left and not result.unneeded.strip():
            return [
                "you hand in no edits: say why, in unneeded if nothing has to change, else in left"
            ]
        before = {path: self._overlay.blob(path) for path in done.files}
        with Parsers() as parsers:
            faults = broken(done.files, before, parsers)
        problems = [f'"{shown(path)}": {fault}' for path, fault in faults.items()]
        asks = self.asks_why and not self._mending and units_of(part) not in self._asked
        if done.files and asks and not _says_why(result.message):
            self._asked.add(units_of(part))
            problems.append("message: what it does in one line, a blank line, and why it does so")
        return problems

    def across(self, scope: EditScope, parts: Sequence[Edits]) -> str | None:
        return None

    def merge(self, scope: EditScope, parts: Sequence[Edits], own: Edits | None) -> Joined:
        if own is not None:
            (part,) = scope.parts
            return Joined(by_module=((part.module.name, own),))
        pairs = (pair for part in parts if isinstance(part, Joined) for pair in part.by_module)
        return Joined(by_module=tuple(pairs))

    def partial(self, scope: EditScope, reason: StopReason) -> Joined:
        return Joined()

    def _file(self, path: str, part: Part) -> str:
        key = (path, part.module.name)
        known = self._shown.get(key)
        if known is None:
            known = self._shown[key] = self._as_shown(path, part)
        return known

    def _as_shown(self, path: str, part: Part) -> str:
        blob = self._overlay.blob(path)
        if blob is None:
            return f"=== file {quoted(path)} is not there\n"
        text = readable(blob.data)
        if alone := part.lines_alone(path):
            return f"=== file {quoted(path)}, {_LINES}\n{_lines_of(text, alone)}\n"
        whole = marked(text.split("\n"))
        if tokens(whole) <= WHOLE_TOKENS:
            return f"=== file {quoted(path)}, {_MARKED}\n{whole}\n"
        context = self._tree.code.context
        shown = f"{outline(path, context)}(too long to be shown whole: read(path, start, end))\n"
        said = [part.module.what, self._contract, *(told for at, told in part.told if at == path)]
        pieces = named_code(text, context.extraction(path).what, said, NAMED_TOKENS)
        if pieces:
            shown += f"\n--- of it, what your part names, {_MARKED}\n"
            shown += "\n…\n".join(marked(piece) for piece in pieces) + "\n"
        return shown


def _share(part: Part, paths: Sequence[str]) -> float:
    """Return how much of what is listed for one node these files have listed: 1 is all."""
    told = [one for path in paths for one in part.listed(path)]
    size = sum(len(encode(f"{path}{text[:TOLD_EACH_CHARS]}")) + 8 for path, text in told)
    return max(len(told) / TOLD, size / TOLD_BYTES)


def _listed(told: Sequence[tuple[str, str]]) -> str:
    """Return what a node is told, a line each, as much as there is room for in a prompt."""
    lines: list[str] = []
    room = TOLD_BYTES
    for path, text in told[:TOLD]:
        cut = text if len(text) <= TOLD_EACH_CHARS else f"{text[:TOLD_EACH_CHARS]}… (cut)"
        line = f"- {quoted(path)}: {cut}"
        room -= len(encode(line))
        if room < 0:
            break
        lines.append(line)
    if more := len(told) - len(lines):
        lines.append(f"- and {more} more like these: `grep` and `references` find them")
    return "\n".join(lines)


def _head(told: str) -> str:
    """Return what is told of several lines alike, without the line."""
    return told.partition(": ")[0]


def _lines_of(text: str, told: Sequence[str]) -> str:
    """Return the lines of a file that something was told of, as they are in it, with numbers."""
    rows = {one.partition(": ")[2] for one in told}
    return "\n".join(
        f"{number}|{line[:LINE_CHARS]}"
        for number, line in enumerate(text.split("\n"), 1)
        if printable(line.strip())[:LINE_CHARS] in rows
    )


def _says_why(message: str) -> bool:
    subject, _, body = message.strip().partition("\n")
    return bool(body.strip()) and not _SAYS_NOTHING.fullmatch(subject.strip())


def units_of(part: Part) -> frozenset[Unit]:
    """Return what a part covers: its files; its module alone, where it only makes new ones."""
    return frozenset(f"{part.module.name}: {path}" for path in part.files or ("new files",))


_SPLIT = (
    "The host has split this part by size: other nodes edit its other files. Do what concerns "
    "yours. The part is one commit, whose message is that of its first node, with those of the "
    "others below it: let yours say what you do in your files."
)
_LEADS = (
    "The host has renamed or moved symbols. Of what follows it was not sure, or it could not do "
    "it; look at each place, and bring it in line where it means that symbol:"
)
_PROSE = (
    "The host has renamed symbols. Of files of yours that have the old name in comments and "
    "strings alone, you are shown those lines and no more. Bring those in line that mean the "
    "symbol, if your part does not let them stay; a string that is code (what a test writes to a "
    "file and imports) means it. `read` more only where a line does not tell:"
)
_MENDING = (
    "This part was edited already; you see the result. Deterministic tools report the following "
    "about it. Mend it with as few edits as you can, and leave everything else; what is a false "
    "alarm goes into `left` with the reason:"
)


@cache
def _prompt() -> str:
    return (Path(__file__).parent / "edit.md").read_text(encoding="utf-8").strip() + "\n"
