"""Rounds: coders make patches, detectors and fresh nodes look at them, what stands is taken."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from reviewer.finding import Finding
from reviewer.fix.coder import Coder, Refusal, part_of
from reviewer.fix.locate import Target, located, spellings
from reviewer.fix.reviewer import Candidate, LookScope, Reviewer, diff_of, lacking
from reviewer.fix.values import Closed, Open, Opinion, Opinions, State, left_open
from reviewer.parsing.worker import Parsers
from reviewer.refactor.apply import applied
from reviewer.refactor.carry import message_of
from reviewer.refactor.edit import units_of
from reviewer.refactor.parse import broken
from reviewer.refactor.patch import Blob, Commit, Files, commit_of
from reviewer.refactor.protect import shown
from reviewer.refactor.repair import described, examined
from reviewer.refactor.tree import Overlay, Trees
from reviewer.refactor.values import Edits, FileInfo, Joined
from reviewer.request import StopReason
from reviewer.rlm.run import Run
from reviewer.rlm.solve import solve
from reviewer.rlm.solved import Solved
from reviewer.text import printable

BACK = 2
"""How often a patch that does not stand goes back with the reason."""

AT_ONCE = 8
"""Findings of one round. Each patch has a tree of its own while it is looked at."""

LOOKING = 0.3
"""Of the budget, held back while patches are made: one that nobody looks at is worth nothing."""


@dataclass
class _Patch:
    """A patch for a finding: its files, on the tree of its round, and what its coder says."""

    target: Target
    files: Files
    diff: str
    message: str


@dataclass
class Rounds:
    """The tree as patches bring it on. `commits` and `closed` are in the same order."""

    trees: Trees
    run: Run
    tree: Overlay
    guidance: str
    commits: list[Commit] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stops: set[StopReason] = field(default_factory=set)
    roots: int = 0
    _refusals: dict[str, list[Refusal]] = field(default_factory=dict)

    async def close(self, targets: Sequence[Target]) -> None:
        """Work on findings until each is closed, or it is known why it stays open."""
        todo = list(targets)
        while todo:
            if self.run.stopped is not None:
                for each in todo:
                    self._leave(each, "missed", str(self.run.stopped))
                return
            batch, before = apart(todo), self.tree
            again = await self._round(batch, [each for each in todo if each not in batch])
            todo = [each for each in todo if each not in batch or each in again]
            if self.tree is not before:
                todo = await asyncio.to_thread(self._looked_up_again, todo)

    def _looked_up_again(self, todo: Sequence[Target]) -> list[Target]:
        """Return where findings stand now that code has moved; some may be closed with others."""
        spelled = spellings(self.tree)
        left: list[Target] = []
        for each in todo:
            found = each if each.is_checks else located(each.finding, self.tree, spelled)
            if isinstance(found, Target):
                left.append(found)
            else:
                why = f"{found.why} (another patch of this run has changed it)"
                self._leave(each, found.state, why)
        return left

    async def _round(self, batch: Sequence[Target], waiting: Sequence[Target]) -> list[Target]:
        """Work once on findings of different files; return those that are to be tried again."""
        patches, again = await self._made(batch, waiting)
        with ExitStack() as open_trees:
            candidates = []
            for one in list(patches):
                tree = open_trees.enter_context(self.trees.tree(self.tree.over(one.files).files))
                found = await asyncio.to_thread(examined, tree, lambda: False)
                known = {each.id for each in self.findings}
                new = [described(each) for each in found.findings if each.id not in known]
                if new:
                    patches.remove(one)
                    why = f"Deterministic tools report of the result: {' '.join(new)}"
                    again += self._refused(one.target, one.diff, why)
                else:
                    candidates.append(Candidate(one.target, one.diff, tree))
            opinions = await self._looked_at(candidates)
        again += await self._taken(
            [one for one in patches if one.target.finding.id in opinions], opinions
        )
        return again

    # Making ---------------------------------------------------------------------------------------

    async def _made(
        self, batch: Sequence[Target], waiting: Sequence[Target]
    ) -> tuple[list[_Patch], list[Target]]:
        """Have patches made; return those that fit, and findings that are to be tried again."""
        with self.trees.tree(self.tree.files) as tree:
            coder = Coder(
                tree,
                self.tree,
                batch,
                self._refusals,
                waiting=waiting,
                guidance=self.guidance,
                window=self.run.window,
            )
            held = self.run.account.child(self.run.account.left.share(LOOKING))
            solved: Solved[Edits] = await solve(coder, coder.scope(), self.run, self._root())
            held.close()
        self.stops |= solved.stops
        by_id = dict(solved.result.by_module) if isinstance(solved.result, Joined) else {}
        return await asyncio.to_thread(self._fitting, batch, coder, by_id, solved.missed)

    def _fitting(
        self,
        batch: Sequence[Target],
        coder: Coder,
        by_id: dict[str, Edits],
        missed: dict[str, str],
    ) -> tuple[list[_Patch], list[Target]]:
        patches: list[_Patch] = []
        again: list[Target] = []
        with Parsers() as parsers:
            for target in batch:
                part = part_of(target)
                edits = by_id.get(target.finding.id)
                if edits is None:
                    whys = {missed[unit] for unit in units_of(part) if unit in missed}
                    self._leave(target, "missed", "; ".join(sorted(whys)) or "nobody came to it")
                    continue
                done = applied(edits, self.tree, coder.editable(part), (), coder.removable(part))
                before = {path: self.tree.blob(path) for path in done.files}
                faults = broken(done.files, before, parsers)
                problems = [
                    *done.problems,
                    *(f'"{shown(path)}": {fault}' for path, fault in faults.items()),
                ]
                if problems:
                    why = f"The edits do not fit: {'; '.join(problems)}"
                    again += self._refused(target, "", why)
                elif all(before[path] == blob for path, blob in done.files.items()):
                    said = "; ".join(f"{one.what}: {one.why}" for one in edits.left)
                    said = said or edits.unneeded.strip() or "no edits were handed in"
                    self._leave(target, "declined", said)
                else:
                    diff = diff_of(before, done.files)
                    patches.append(_Patch(target, done.files, diff, edits.message))
        return patches, again

    # Looking --------------------------------------------------------------------------------------

    async def _looked_at(self, candidates: Sequence[Candidate]) -> dict[str, Opinion]:
        """Have fresh nodes look at patches; a finding whose patch nobody looked at stays open."""
        if not candidates:
            return {}
        task = Reviewer(guidance=self.guidance, window=self.run.window)
        scope = LookScope(tuple(candidates))
        solved: Solved[Opinions] = await solve(task, scope, self.run, self._root())
        self.stops |= solved.stops
        given = {each.finding: each for each in solved.result.opinions}
        opinions = {}
        for one in candidates:
            opinion = given.get(one.id)
            if opinion is None:
                why = solved.missed.get(one.id, "no opinion was handed in")
                self._leave(one.target, "missed", f"nobody has looked at its patch: {why}")
            elif problem := await asyncio.to_thread(lacking, opinion, one):
                # A yes without its proof is none.
                said = f"the look at it brought no proof ({problem})"
                opinions[one.id] = opinion.model_copy(
                    update={"verdict": "unproven", "reason": said}
                )
            else:
                opinions[one.id] = opinion
        return opinions

    # Taking ---------------------------------------------------------------------------------------

    async def _taken(self, patches: Sequence[_Patch], opinions: dict[str, Opinion]) -> list[Target]:
        """Take what stands, one commit each; return the findings that are to be tried again."""
        start, again = self.tree, list[Target]()
        for one in patches:
            opinion = opinions[one.target.finding.id]
            if opinion.verdict != "closes":
                again += self._refused(one.target, one.diff, opinion.reason)
            elif any(self.tree.blob(path) != start.blob(path) for path in one.files):
                again.append(one.target)  # another patch of this round has changed the same file
            else:
                self._commit(one)
        if self.tree is not start:
            with self.trees.tree(self.tree.files) as tree:
                # Not ended by a cancellation: what is handed out has been looked at.
                found = await asyncio.to_thread(examined, tree, lambda: False)
            self.findings, self.notes = found.findings, found.notes
        return again

    def _commit(self, one: _Patch) -> None:
        finding = one.target.finding
        before: dict[str, Blob | None] = {path: self.tree.blob(path) for path in one.files}
        title = printable(" ".join(finding.title.split()))
        about = title if one.target.is_checks else f"Finding: {finding.id}"
        message = message_of(f"{one.message.strip() or title}\n\n{about}", title)
        commit = commit_of(finding.id, "model", message, before, one.files)
        if commit is None:  # `_fitting` lets nothing through that changes nothing
            raise AssertionError("a patch without a change")
        self.tree = self.tree.over(one.files)
        self.commits.append(commit)
        self.closed.append(
            Closed(
                id=finding.id,
                path=finding.path,
                line=finding.line,
                severity=finding.severity,
                title=finding.title,
                message=message,
                files=[FileInfo(path=printable(f.path), status=f.status) for f in commit.files],
                tries=len(self._refusals.get(finding.id, ())) + 1,
            )
        )

    def _refused(self, target: Target, diff: str, why: str) -> list[Target]:
        """Note that a patch did not stand; return its finding where that goes back."""
        known = self._refusals.setdefault(target.finding.id, [])
        known.append(Refusal(diff, why))
        if len(known) <= BACK:
            return [target]
        self._leave(target, "refused", f"{len(known)} patches did not stand; the last one: {why}")
        return []

    def _leave(self, target: Target, state: State, why: str) -> None:
        self.open.append(left_open(target.finding, state, printable(why)))

    def _root(self) -> str:
        self.roots += 1
        return str(self.roots)


def apart(todo: Sequence[Target]) -> list[Target]:
    """Return findings of different files, the first ones first: what is worked on at once."""
    taken: set[str] = set()
    batch: list[Target] = []
    for each in todo:
        if len(batch) < AT_ONCE and taken.isdisjoint(each.paths):
            batch.append(each)
        taken |= set(each.paths)
    return batch
