"""The plan: the recursive question "what has to be done in these files, in which order?"."""

import keyword
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from reviewer.errors import GiveUp
from reviewer.languages import Language, language_of
from reviewer.parsing.packed import path_of
from reviewer.refactor.apply import TWIN
from reviewer.refactor.outlines import divided, outline, tokens
from reviewer.refactor.parameters import function_of
from reviewer.refactor.proposals import letter
from reviewer.refactor.protect import no_path, refused, shown
from reviewer.refactor.reach import looking
from reviewer.refactor.script_names import ENDINGS
from reviewer.refactor.steps import once
from reviewer.refactor.survey import under
from reviewer.refactor.tree import Overlay, Tree
from reviewer.refactor.values import Module, ModuleMove, Move, Plan, Rename
from reviewer.request import StopReason
from reviewer.review.guidance import set_apart
from reviewer.review.scope import quoted
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function, Tier, Unit
from reviewer.text import encode, printable

WINDOWS = 2
"""Outlines up to so many windows are one node's: two that see half each plan the same thing twice.
A prompt of them leaves room for some looks (see `node.MOST_PROMPT_TOKENS`)."""

ELSEWHERE = 20
"""Files that the instruction names, as they are told to a node that does not see them."""

PATHS_BYTES = 8_000
"""Of the paths that the user has named, as they are told to a node; its check knows all."""

_MOVED = (".py", *ENDINGS)
_NAME = re.compile(r"(?!\d)[\w$]+")
_JAVASCRIPT = """
    await break case catch class const continue debugger default delete do else enum export extends
    false finally for function if import in instanceof new null return super switch this throw true
    try typeof var void while with yield
"""
_GO = """
    break case chan const continue default defer else fallthrough for func go goto if import
    interface map package range return select struct switch type var
"""
_SCRIPTS = frozenset({Language.JAVASCRIPT, Language.TSX, Language.TYPESCRIPT})
_RESERVED = {
    Language.PYTHON: frozenset(keyword.kwlist),
    Language.GO: frozenset(_GO.split()),
    **dict.fromkeys(_SCRIPTS, frozenset(_JAVASCRIPT.split())),
}
"""Words that nothing in a language is called, but members in JavaScript: renames to one of them
would be declined later."""


@dataclass(frozen=True)
class PlanScope:
    """Files to plan over, sorted."""

    paths: tuple[str, ...]


class Planner:
    """The task. `paths` are those that the user has named: modules lie within them.

    `first` are files that the instruction names, or that use what it names: one node's if they fit.
    """

    name = "plan"
    version = "10"
    tier: Tier = "strong"
    goes_back: int = 2
    result: type[Plan] = Plan

    def __init__(
        self,
        instruction: str,
        tree: Tree,
        overlay: Overlay,
        *,
        paths: Sequence[str] = (),
        first: Sequence[str] = (),
        guidance: str = "",
        window: int = WINDOW_TOKENS,
    ) -> None:
        self._first = {path: index for index, path in enumerate(first)}
        self._instruction = instruction
        self._tree = tree
        self._overlay = overlay
        self._paths = tuple(paths)
        self._guidance = guidance
        self._window = window
        self._most = WINDOWS * window
        self._outlines: dict[str, str] = {}
        self.cut: list[str] = []
        """Of what nodes proposed: what whoever makes one plan of it did not see, or not whole."""

    def instructions(self, scope: PlanScope) -> str:
        return _prompt() + (f"\n{self._guidance}" if self._guidance else "")

    def units(self, scope: PlanScope) -> frozenset[Unit]:
        return frozenset(scope.paths)

    def size(self, scope: PlanScope) -> int:
        size = sum(self._size(path) for path in scope.paths)
        return size if size > self._most else min(size, self._window)

    def label(self, scope: PlanScope) -> str:
        first = scope.paths[0] if scope.paths else "nothing"
        return printable(first) if len(scope.paths) == 1 else f"{len(scope.paths)} files in outline"

    def content(self, scope: PlanScope) -> str:
        ordered = sorted(scope.paths, key=lambda path: self._first.get(path, len(self._first)))
        files = "\n".join(self._outline(path) for path in ordered)
        return printable(
            f"{self._elsewhere(scope)}Files that it may concern, in outline:\n\n{files}"
        )

    def lens(self, scope: PlanScope) -> str:
        text = f"The user's instruction:\n\n{set_apart(self._instruction)}\n"
        if self._paths:
            where = _some(self._paths)
            text += f"\nThe files of modules have to lie in {where}; renames and moves reach all.\n"
        return printable(text)

    def split(self, scope: PlanScope) -> list[PlanScope]:
        if len(scope.paths) < 2:
            return [scope]
        first = tuple(path for path in scope.paths if path in self._first)
        if first and first != scope.paths:
            rest = tuple(path for path in scope.paths if path not in self._first)
            return [PlanScope(first), PlanScope(rest)]
        sizes = {path: self._size(path) for path in scope.paths}
        return [PlanScope(part) for part in divided(scope.paths, sizes, self._most)]

    def leads(self, scope: PlanScope) -> bool:
        return False

    def brief(self, scope: PlanScope, parts: Mapping[str, PlanScope]) -> str:
        return ""  # nobody leads

    def lenses(self) -> Mapping[str, str]:
        return {}

    def join(self, parts: Sequence[PlanScope], lens: str) -> PlanScope:
        return PlanScope(tuple(path for part in parts for path in part.paths))

    def functions(self, scope: PlanScope) -> Mapping[str, Function]:
        return looking(self._tree)

    def check(self, scope: PlanScope, result: Plan) -> list[str]:
        """Complain about files that are not there, may not be written, or belong to two modules."""
        if result.questions or result.refusal:
            return []
        problems = [
            f"renames.{index}: {problem}"
            for index, one in enumerate(result.renames)
            if (problem := self._no_symbol(one) or _no_name(one) or _of_its_file(one))
        ]
        problems += [
            f"moves.{index}: {problem}"
            for index, move in enumerate(result.moves)
            if (problem := self._no_symbol(move, result.renames) or self._no_target(move))
        ]
        problems += _twice("renames", result.renames) + _twice("moves", result.moves)
        problems += [
            f"module_moves.{index}: {problem}"
            for index, whole in enumerate(result.module_moves)
            if (problem := self._no_module_move(whole, result))
        ]
        taken: dict[str, str] = {}
        names: set[str] = set()
        new = {path for module in result.modules for path in module.new_files}
        moved = {move.to for move in result.moves}
        for index, module in enumerate(result.modules):
            where = f"modules.{index}"
            if module.name in names:
                problems.append(f"{where}.name: two modules are called {module.name!r}")
            names.add(module.name)
            problems += [f"{where}.{said}" for said in self._of_module(module, taken, new | moved)]
        return problems

    def across(self, scope: PlanScope, parts: Sequence[Plan]) -> str | None:
        told = letter(parts)
        self.cut += told.cut
        return told.text

    def merge(self, scope: PlanScope, parts: Sequence[Plan], own: Plan | None) -> Plan:
        if own is not None:
            return once(own)
        if not parts:
            return Plan(summary="There is no file that could be changed.")
        return parts[0] if len(parts) == 1 else _NOT_JOINED

    def partial(self, scope: PlanScope, reason: StopReason) -> Plan:
        return Plan(summary="There is no plan.")

    # What is checked -----------------------------------------------------------------------------

    def _no_symbol(self, one: Rename | Move, renames: Sequence[Rename] = ()) -> str | None:
        if problem := no_path(one.path) or refused(one.path, self._overlay):
            return f'"{shown(one.path)}": {problem}'
        try:
            found = self._tree.code.context.extraction(one.path)
        except GiveUp as error:
            return str(error)
        known = {path_of(each) for each in found.what.definitions}
        known |= {each.to for each in renames if each.path == one.path}
        is_parameter = isinstance(one, Rename) and function_of(one, self._tree.code.context)
        if one.symbol not in known and not is_parameter:
            return f'"{shown(one.path)}" defines no {printable(one.symbol)!r}; see outline(path)'
        return None

    def _no_target(self, move: Move) -> str | None:
        if "." in move.symbol:
            return "only a definition at the top of a file can be moved; use a module"
        if move.to == move.path:
            return "it is there already"
        problem = refused(move.to, self._overlay)
        return f'"{shown(move.to)}": {problem}' if problem else None

    def _no_module_move(self, one: ModuleMove, plan: Plan) -> str | None:
        for path in (one.path, one.to):
            problem = no_path(path) or refused(path, self._overlay)
            if problem is None and self._paths and not under(path, self._paths):
                problem = "it is outside of the paths that the user named"
            if problem is None and not path.endswith(_MOVED):
                problem = (
                    "only a file of Python, JavaScript or TypeScript is moved so; use a module"
                )
            if problem is None and PurePosixPath(path).suffix != PurePosixPath(one.path).suffix:
                problem = f'its ending has to be that of "{shown(one.path)}"'
            if problem is None and any(
                path in (*each.files, *each.new_files) for each in plan.modules
            ):
                problem = "it is a file of a module, too: leave it to one of the two"
            if problem is None and path == one.path and self._overlay.blob(path) is None:
                problem = "there is no such file"
            if problem is None and path == one.to and self._overlay.has(path):
                problem = "it is there already"
            if problem is not None:
                return f'"{shown(path)}": {problem}'
        before = plan.module_moves[: plan.module_moves.index(one)]
        same = any({each.path, each.to} & {one.path, one.to} for each in before)
        return f'"{shown(one.path)}" or its new path is in two of them' if same else None

    def _of_module(self, module: Module, taken: dict[str, str], new: set[str]) -> list[str]:
        problems = []
        if not module.files and not module.new_files:
            problems.append("files: a module has at least one file")
        for path in (*module.files, *module.new_files):
            kind = "files" if path in module.files else "new_files"
            problem = refused(path, self._overlay)
            if problem is None and path in taken:
                problem = f"it belongs to {taken[path]!r} as well"
            if problem is None and kind == "files" and self._overlay.blob(path) is None:
                problem = "there is no such file" if path not in new else None
            if problem is None and kind == "new_files":
                problem = "it is there already" if self._overlay.has(path) else None
                twin = self._overlay.twin(path)
                if problem is None and twin not in {None, *module.removed}:
                    problem = TWIN.format(path=shown(twin or ""))
            if problem is None and self._paths and not under(path, self._paths):
                problem = "it is outside of the paths that the user named"
            taken[path] = module.name
            if problem is not None:
                problems.append(f'{kind}: "{shown(path)}": {problem}')
        problems += [
            f'removed: "{shown(path)}": it is none of the `files` of this module'
            for path in module.removed
            if path not in module.files
        ]
        return problems

    def _elsewhere(self, scope: PlanScope) -> str:
        """Tell a node that does not see what the instruction names who does."""
        if not self._first or any(path in self._first for path in scope.paths):
            return ""
        named = ", ".join(quoted(path) for path in list(self._first)[:ELSEWHERE])
        more = f" and {len(self._first) - ELSEWHERE} more" if len(self._first) > ELSEWHERE else ""
        return (
            "Another node has the files that the instruction names or that use what it names, and "
            f"plans for them: {named}{more}.\n\n"
        )

    # What is shown -------------------------------------------------------------------------------

    def _outline(self, path: str) -> str:
        known = self._outlines.get(path)
        if known is None:
            known = self._outlines[path] = outline(path, self._tree.code.context)
        return known

    def _size(self, path: str) -> int:
        return tokens(self._outline(path))


def _twice(where: str, steps: Sequence[Rename | Move]) -> list[str]:
    """Complain about a symbol that is to become two different things."""
    known: dict[tuple[str, str], str] = {}
    problems = []
    for index, one in enumerate(steps):
        before = known.setdefault((one.path, one.symbol), one.to)
        if before != one.to:
            problems.append(
                f"{where}.{index}: {printable(one.symbol)} is to be {shown(before)}, too"
            )
    return problems


def _no_name(one: Rename) -> str | None:
    if not _NAME.fullmatch(one.to):
        return f"{printable(one.to)!r} is no name: give the last part alone"
    language = language_of(one.path)
    whole = unicodedata.normalize("NFKC", one.to) == one.to
    if not whole or (language is Language.PYTHON and not one.to.isidentifier()):
        return f"{printable(one.to)!r} is no name that the language takes as it is written"
    is_member = language in _SCRIPTS and "." in one.symbol
    if language and not is_member and one.to in _RESERVED.get(language, frozenset()):
        return f"{one.to!r} is a word of the language, which nothing can be called"
    return "it has that name" if one.symbol.rpartition(".")[2] == one.to else None


def _of_its_file(one: Rename) -> str | None:
    """Refuse a class that its file is named after, where the language asks for that."""
    path = PurePosixPath(one.path)
    if path.suffix != ".java" or path.stem != one.symbol:
        return None
    return (
        "a class of Java has the name of its file, which no rename changes: plan a module with the "
        "file in `files` and `removed`, and the new one in `new_files`"
    )


def _some(paths: Sequence[str]) -> str:
    """Return paths as a list in a sentence, as many as there is room for."""
    said: list[str] = []
    room = PATHS_BYTES
    for path in paths:
        room -= len(encode(quoted(path))) + 2
        if room < 0:
            return f"{', '.join(said)} and {len(paths) - len(said)} more"
        said.append(quoted(path))
    return ", ".join(said)


_NOT_JOINED = Plan(
    summary="There is no plan.",
    refusal="The files were planned in parts, and nobody came to make one plan of the parts.",
)


@cache
def _prompt() -> str:
    return (Path(__file__).parent / "plan.md").read_text(encoding="utf-8").strip() + "\n"
