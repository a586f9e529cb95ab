"""Carries the modules of a plan out: nodes edit, detectors look, what they find goes back."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import fill

from reviewer.context.values import Context
from reviewer.detectors.secrets import redacted
from reviewer.errors import GiveUp
from reviewer.finding import Finding
from reviewer.languages import NO_CODE, is_prose, language_of
from reviewer.parsing.worker import Parsers
from reviewer.ports import Objects
from reviewer.refactor import entry_points
from reviewer.refactor.apply import applied
from reviewer.refactor.declined import undone
from reviewer.refactor.dotted import parts
from reviewer.refactor.edit import Editor, EditScope, Part, units_of
from reviewer.refactor.gone import defined_no_more
from reviewer.refactor.host import Hosted
from reviewer.refactor.parse import broken
from reviewer.refactor.patch import Blob, Commit, commit_of
from reviewer.refactor.protect import shown
from reviewer.refactor.repair import blamed, examined, with_victims
from reviewer.refactor.retyped import retyped
from reviewer.refactor.tree import Overlay, Trees
from reviewer.refactor.unread import is_unread, still_named
from reviewer.refactor.values import Edits, Joined, Left, Module, Plan, Step, Unneeded
from reviewer.request import StopReason
from reviewer.review.guidance import seen
from reviewer.rlm.run import Run
from reviewer.rlm.solve import solve
from reviewer.rlm.solved import Solved
from reviewer.text import printable

IDLE_ROUNDS = 2
"""So many rounds in a row that leave no less of what the detectors find, and mending ends."""

MENDING = 0.3
"""Of the budget for the work, held back for that."""

LOOKED_AT = 500
NAMED = 5
"""Of the places where an old name still stands: lines looked at, documents named."""

_ROOTS = frozenset({"lib", "python", "src"})
"""Folders that are no part of a module's name."""

MEND = "Mend what the renames and moves broke"


@dataclass
class Carried:
    """What came of the modules."""

    commits: list[Commit] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    unneeded: list[Unneeded] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: StopReason | None = None


@dataclass
class _Module:
    """One module on its way: what it is, what its nodes said, and the files that are its own."""

    module: Module
    message: str = ""
    left: list[Left] = field(default_factory=list)
    unneeded: list[str] = field(default_factory=list)
    complaints: list[tuple[str, str]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)


async def carry(plan: Plan, hosted: Hosted, trees: Trees, run: Run, *, guidance: str) -> Carried:
    """Have the modules edited, looked at and mended; return their commits and what was left."""
    modules = [_as_it_is(one, hosted.overlay) for one in (*plan.modules, *hosted.wanted)]
    work = _Carrying(plan, hosted.overlay, modules, trees, run, guidance)
    held = run.account.child(run.account.left.share(MENDING))
    wanted = {one.name for one in hosted.wanted}
    told = {path: texts for path, texts in hosted.leads.items() if texts}
    await work.edit(
        [
            Part(one, tuple(one.files), _for(one, told), left_over=one.name in wanted)
            for one in modules
            if one.files or one.new_files
        ],
        "2",
    )
    held.close()
    await work.mend()
    await work.look_up(hosted.declined)
    return work.result()


def _as_it_is(module: Module, tree: Overlay) -> Module:
    """Return a module by what is there after the moves: a file may have come, or not."""
    there = [path for path in (*module.files, *module.new_files) if tree.blob(path) is not None]
    absent = [path for path in (*module.files, *module.new_files) if path not in there]
    return module.model_copy(update={"files": there, "new_files": absent})


def _for(module: Module, told: Mapping[str, Sequence[str]]) -> tuple[tuple[str, str], ...]:
    paths = (*module.files, *module.new_files)
    return tuple((path, text) for path in paths for text in told.get(path, ()))


class _Carrying:
    """The tree as the nodes bring it on, round by round."""

    def __init__(  # noqa: PLR0917
        self,
        plan: Plan,
        start: Overlay,
        modules: Sequence[Module],
        trees: Trees,
        run: Run,
        guidance: str,
    ) -> None:
        self._plan = plan
        self._start = start
        self._overlay = start
        self._trees = trees
        self._run = run
        self._guidance = guidance
        self._modules = {one.name: _Module(one) for one in modules}
        self._missed: dict[str, set[str]] = {}
        self._findings: list[Finding] = []
        self._lost: list[tuple[str, str]] = []
        """Entry points that name nothing any more, and the settings that they stand in."""
        self._undone: list[Left] = []
        self._notes: list[str] = []
        self._said: list[str] = []
        """What nodes left of what the tools report, and why: of interest if it is still there."""
        self._stops: set[StopReason] = set()

    async def edit(
        self, parts: Sequence[Part], name: str, *, mending: bool = False
    ) -> frozenset[StopReason]:
        """Have parts edited, and take what fits; return what ended nodes before they were done."""
        if not parts:
            return frozenset()
        with self._trees.tree(self._overlay.files) as tree:
            editor = Editor(
                tree,
                self._overlay,
                self._plan.contract,
                guidance=self._guidance,
                mending=mending,
                window=self._run.window,
            )
            solved: Solved[Edits] = await solve(editor, EditScope(tuple(parts)), self._run, name)
        self._stops |= solved.stops
        for part in parts:
            why = {solved.missed[unit] for unit in units_of(part) if unit in solved.missed}
            if why and not mending:
                self._missed[part.module.name] = why
        joined = solved.result if isinstance(solved.result, Joined) else Joined()
        taken = await asyncio.to_thread(self._taken, joined, mending=mending)
        self._overlay = self._overlay.over(taken)
        return solved.stops

    def _taken(self, joined: Joined, *, mending: bool) -> dict[str, Blob | None]:
        """Return the files that edits make; those of a node that do not fit are left out."""
        files: dict[str, Blob | None] = {}
        wrong: dict[str, list[tuple[str, str]]] = {}
        fitting: set[str] = set()
        with Parsers() as parsers:
            for name, edits in joined.by_module:
                known = self._modules[name]
                module = known.module
                tree = self._overlay.over(files)
                done = applied(edits, tree, module.files, module.new_files, module.removed)
                before = {path: tree.blob(path) for path in done.files}
                faults = broken(done.files, before, parsers)
                problems = [
                    *(done.problems or retyped(edits, tree, module.files)),
                    *(f'"{shown(path)}": {fault}' for path, fault in faults.items()),
                ]
                self._told(known, edits, mending=mending)
                if problems:
                    path = next(iter((*module.files, *module.new_files)), "")
                    wrong.setdefault(name, []).extend(
                        (path, f"Edits of yours were not taken: {one}") for one in problems
                    )
                elif done.files:
                    fitting.add(name)
                    files.update(done.files)
                    self._taken_over(known, edits, done.files, mending=mending)
        for name, known in self._modules.items():
            # Who hands in nothing after edits that did not fit has not mended them.
            if name in wrong or name in fitting:
                known.complaints = wrong.get(name, [])
        return files

    def _told(self, known: _Module, edits: Edits, *, mending: bool) -> None:
        """Note what a node leaves: of its part, or of what the tools report about it."""
        name = known.module.name
        why = edits.unneeded.strip()
        if mending and not known.complaints:
            self._said += [f"{name}: {one.what}: {one.why}" for one in edits.left]
            self._said += [f"{name}: {why}"] if why else []
        elif why and edits.is_empty and not edits.left:
            known.unneeded.append(why)
        else:
            known.left += [Left(module=name, what=one.what, why=one.why) for one in edits.left]

    def _taken_over(
        self, known: _Module, edits: Edits, files: Mapping[str, Blob | None], *, mending: bool
    ) -> None:
        """Keep account of a module: its message, and its files now: made, renamed, removed."""
        known.touched.update(files)
        if not known.message.strip():
            known.message = edits.message
        elif edits.message.strip() and not mending:
            known.message += f"\n\n{edits.message.strip()}"
        made = [path for path, blob in files.items() if blob is not None]
        kept = [path for path in known.module.files if files.get(path, Blob(b"")) is not None]
        known.module = known.module.model_copy(
            update={
                "files": list(dict.fromkeys([*kept, *made])),
                "new_files": [path for path in known.module.new_files if path not in made],
            }
        )

    async def mend(self) -> None:
        """Have the detectors look, and give back what they find: until it is clean, or no round
        leaves less of it any more, or the run may spend no more. Which of them, a note says.
        """
        least: int | None = None
        idle = asked = 0
        while True:
            await self._examine()
            parts = self._to_mend()
            wrong = len(self._findings) + len(self._complaints())
            if not wrong:
                return
            if not parts:
                self._ended(asked, "it is in files that are not edited here")
                return
            if self._is_stopped():
                self._ended(asked, "the run was stopped")
                return
            idle = 0 if least is None or wrong < least else idle + 1
            least = wrong if least is None else min(least, wrong)
            if idle == IDLE_ROUNDS:
                self._ended(asked, f"the last {idle} rounds left no less of it")
                return
            before = self._overlay.files, self._complaints()
            stops = await self.edit(parts, str(3 + asked), mending=True)
            if (self._overlay.files, self._complaints()) != before:
                asked += 1
                continue
            if StopReason.BUDGET in stops:
                self._ended(asked, "the budget is used up")
            elif self._is_stopped():
                self._ended(asked, "the run was stopped")
            else:  # to ask the same again would be answered the same
                self._ended(asked + 1, "the last round changed nothing")
            return

    def _is_stopped(self) -> bool:
        return self._run.stopped is not None

    def _complaints(self) -> list[tuple[str, str]]:
        return [each for one in self._modules.values() for each in one.complaints]

    def _ended(self, asked: int, why: str) -> None:
        """Note why what the tools report is given back no more."""
        times = "once" if asked == 1 else f"{asked} times"
        said = f"went back {times}, and no more" if asked else "did not go back"
        self._notes.append(f"What tools report of the result {said}: {why}.")

    async def _examine(self) -> None:
        self._findings, self._lost = [], []
        if not self._overlay.files:
            return
        with self._trees.tree(self._overlay.files) as tree:
            # Not ended by a cancellation: what is handed out has been looked at.
            found = await asyncio.to_thread(examined, tree, lambda: False)
            still = await asyncio.to_thread(documents, self._plan, tree.objects)
            gone = await asyncio.to_thread(self._gone, tree.code.context)
            before = Overlay(self._overlay.start)
            self._lost = await asyncio.to_thread(
                entry_points.broken, before, self._overlay, tree.code.context
            )
        self._findings = found.findings
        self._notes = [*found.notes, *still, *gone]

    def _gone(self, context: Context) -> list[str]:
        """Say where names that are gone or moved still stand in code that the context knows not."""
        renamed = {one.symbol.rpartition(".")[2] for one in self._plan.renames}
        moved = {one.symbol: one.to for one in self._plan.moves}
        gone = defined_no_more(self._overlay, context) - renamed
        return still_named(gone, moved, self._overlay)

    async def look_up(self, declined: Sequence[Step]) -> None:
        """Note which of the plan's steps that the host has left to nodes nobody has done."""
        if not declined:
            return
        with self._trees.tree(self._overlay.files) as tree:
            self._undone = await asyncio.to_thread(
                undone, declined, self._plan, tree.code.context, self._overlay
            )

    def _to_mend(self) -> list[Part]:
        owners = {
            path: name
            for name, one in self._modules.items()
            for path in (*one.touched, *one.module.files, *one.module.new_files)
        }
        told = blamed(self._findings, owners, self._overlay)
        for name, known in self._modules.items():
            if known.complaints:
                told.setdefault(name, []).extend(known.complaints)
        parts = []
        for name, problems in told.items():
            taken = {
                path
                for one in self._modules.values()
                for path in (*one.module.files, *one.module.new_files)
            }
            known = self._modules.get(name) or self._modules.setdefault(
                MEND,
                _Module(Module(name=MEND, what="Renames and moves broke what is mended here.")),
            )
            known.module = with_victims(known.module, problems, self._overlay, taken)
            if known.module.files or known.module.new_files:
                parts.append(Part(known.module, tuple(known.module.files), tuple(problems)))
        return parts

    def result(self) -> Carried:
        """Return the commits in the order of the plan, and all that is not as it was asked."""
        said = self._said if self._findings else []
        done = Carried(findings=self._findings, notes=[*self._notes, *said])
        for name, known in self._modules.items():
            before = {path: self._start.blob(path) for path in known.touched}
            after = {path: self._overlay.blob(path) for path in known.touched}
            message = message_of(known.message, name, known.module.what)
            commit = commit_of(name, "model", message, before, after)
            if commit is not None:
                done.commits.append(commit)
            before_left = len(done.left)
            done.left += known.left
            done.left += [Left(module=name, what="edits", why=why) for _, why in known.complaints]
            done.left += [
                Left(module=name, what="all of it" if commit is None else "some files", why=why)
                for why in sorted(self._missed.get(name, ()))
            ]
            if commit is None and len(done.left) == before_left and known.unneeded:
                why = " ".join(dict.fromkeys(known.unneeded))
                done.unneeded.append(Unneeded(module=name, why=why))
        done.left += [
            Left(
                module="entry points",
                what=shown(path),
                why=f"{printable(ref)} is not there any more",
            )
            for path, ref in self._lost
        ]
        done.left += self._undone
        if self._stops and (self._missed or done.findings):
            done.stopped = min(self._stops, key=list(StopReason).index)
        return done


def documents(plan: Plan, objects: Objects) -> list[str]:
    """Say which documents, settings and code without a parser still have an old name: the context
    does not know them.

    Of a file that was moved these are its path and its dotted name.
    """
    old = [one.symbol.rpartition(".")[2] for one in plan.renames]
    for each in plan.module_moves:
        names = parts(each.path)
        names = names[1:] if names[0] in _ROOTS else names
        old += [each.path, *([".".join(names)] if len(names) > 1 else [])]
    notes = []
    for short in dict.fromkeys(old):
        pattern = rf"(^|[^A-Za-z0-9_]){re.escape(short)}([^A-Za-z0-9_]|$)"
        try:
            found = objects.grep(pattern, "head", "", LOOKED_AT)
        except GiveUp:
            continue
        paths = list(dict.fromkeys(each.path for each in found if _is_unknown(each.path)))
        if paths:
            named = ", ".join(shown(path) for path in paths[:NAMED])
            more = f" and {len(paths) - NAMED} more" if paths[NAMED:] else ""
            notes.append(f"The name {printable(short)} still stands in {named}{more}.")
    return notes


def _is_unknown(path: str) -> bool:
    return is_prose(path) or language_of(path) in NO_CODE or is_unread(path)


def message_of(said: str, name: str, why: str = "") -> str:
    """Return a commit's message: what nobody sees is left out of it, and secrets.

    One without a body has `why` for it.
    """
    lines = [seen(line).rstrip() for line in said.strip().splitlines()]
    while lines and not lines[0]:
        lines.pop(0)
    text = "\n".join(lines) if lines else printable(name)
    subject, _, body = text.partition("\n")
    if not body.strip() and why:
        body = "\n\n".join(fill(line, 72) for line in printable(why).split("\n") if line.strip())
    if body and not body.startswith("\n"):
        text = f"{subject}\n\n{body}"
    return redacted(text)
