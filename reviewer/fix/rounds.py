"""Rounds: coders make patches, detectors and fresh nodes look at them, what stands is taken.

Patches of one round are made side by side. One whose ground another has changed meanwhile is put on
top of that, if it fits there, and looked at again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from reviewer.finding import Finding
from reviewer.fix.claims import Claims
from reviewer.fix.coder import Coder, Refusal, part_of
from reviewer.fix.locate import Spot, Target, located, spellings
from reviewer.fix.mended import Mended, mended, told_mended
from reviewer.fix.patching import Patch, edited, put
from reviewer.fix.reviewer import Candidate, LookScope, Reviewer, diff_of, lacking
from reviewer.fix.values import (
    Closed,
    ClosedWith,
    Mending,
    Open,
    Opinion,
    Opinions,
    State,
    closed_with,
    left_open,
    said_of,
)
from reviewer.parsing.worker import Parsers
from reviewer.refactor.carry import message_of
from reviewer.refactor.edit import units_of
from reviewer.refactor.patch import Blob, Commit, commit_of
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

NO_OPINION = "no opinion was handed in"

LOOKING = 0.3
"""Of the budget, held back while patches are made: one that nobody looks at is worth nothing."""


@dataclass
class _Gone:
    """A finding that stands nowhere any more, since a patch of this run has changed its file."""

    target: Target
    state: State
    why: str


@dataclass
class Rounds:
    """The tree as patches bring it on. `commits` and `closed` are in the same order."""

    trees: Trees
    run: Run
    tree: Overlay
    guidance: str
    commits: list[Commit] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    closed_with: list[ClosedWith] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stops: set[StopReason] = field(default_factory=set)
    roots: int = 0
    _refusals: dict[str, list[Refusal]] = field(default_factory=dict)
    _claims: Claims = field(default_factory=Claims)
    _grounds: dict[str, frozenset[str]] = field(default_factory=dict)

    async def close(self, targets: Sequence[Target]) -> None:
        """Work on findings until each is closed, or it is known why it stays open."""
        todo = list(targets)
        while todo:
            if self.run.stopped is not None:
                for each in todo:
                    self._leave(each, "missed", str(self.run.stopped))
                return
            free = [each for each in todo if each.finding.id not in self._claims]
            batch, before, gone = apart(free), self.tree, list[_Gone]()
            again = await self._round(batch, [each for each in todo if each not in batch])
            done = _ids(batch) - _ids(again)
            todo = [each for each in todo if each.finding.id not in done]
            if self.tree is not before:
                todo, gone = await asyncio.to_thread(self._looked_up_again, todo)
            todo = await self._settled(todo, gone)

    def _looked_up_again(self, todo: Sequence[Target]) -> tuple[list[Target], list[_Gone]]:
        """Return where findings stand now that code has moved, and those that stand nowhere."""
        spelled = spellings(self.tree)
        left, gone = list[Target](), list[_Gone]()
        for each in todo:
            found = each if each.is_checks else located(each.finding, self.tree, spelled)
            if isinstance(found, Target):
                left.append(found)
            else:
                why = f"{found.why} (another patch of this run has changed it)"
                gone.append(_Gone(each, found.state, why))
        return left, gone

    async def _round(self, batch: Sequence[Target], waiting: Sequence[Target]) -> list[Target]:
        """Work once on findings of different files; return those that are to be tried again."""
        patches, again = await self._made(batch, waiting)
        while patches:
            standing, fallen = await self._standing(patches)
            patches, moved = await self._taken(standing)
            again += [*fallen, *moved]
        return again

    # Making ---------------------------------------------------------------------------------------

    async def _made(
        self, batch: Sequence[Target], waiting: Sequence[Target]
    ) -> tuple[list[Patch], list[Target]]:
        """Have patches made; return those that fit, and findings that are to be tried again."""
        with self.trees.tree(self.tree.files) as tree:
            coder = Coder(
                tree,
                self.tree,
                batch,
                self._refusals,
                waiting=waiting,
                mended=self._mended(),
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
    ) -> tuple[list[Patch], list[Target]]:
        patches: list[Patch] = []
        again: list[Target] = []
        with Parsers() as parsers:
            for target in batch:
                part = part_of(target)
                edits = by_id.get(target.finding.id)
                if edits is None:
                    whys = {missed[unit] for unit in units_of(part) if unit in missed}
                    self._leave(target, "missed", "; ".join(sorted(whys)) or "nobody came to it")
                    continue
                own = coder.editable(part)
                made = put(target, edits, own, self.tree, parsers)
                if isinstance(made, Patch):
                    patches.append(made)
                elif made:
                    why = f"The edits do not fit: {'; '.join(made)}"
                    again += self._refused(target, why, files=edited(edits).intersection(own))
                elif isinstance(edits, Mending) and edits.closed_with and not target.is_checks:
                    self._claims.make(target.finding.id, edits.closed_with)
                    again.append(target)
                else:
                    said = "; ".join(f"{one.what}: {one.why}" for one in edits.left)
                    said = said or edits.unneeded.strip() or "no edits were handed in"
                    self._leave(target, "declined", said)
        return patches, again

    # Looking --------------------------------------------------------------------------------------

    async def _standing(self, patches: Sequence[Patch]) -> tuple[list[Patch], list[Target]]:
        """Return the patches that stand, and the findings of others that are to be tried again.

        One that detectors complain of is shown to nobody; one that nobody looked at stays open.
        """
        standing, again = list[Patch](), list[Target]()
        with ExitStack() as open_trees:
            candidates: dict[str, Candidate] = {}
            for one in patches:
                tree = open_trees.enter_context(self.trees.tree(self.tree.over(one.files).files))
                found = await asyncio.to_thread(examined, tree, lambda: False)
                known = {each.id for each in self.findings}
                if new := [described(each) for each in found.findings if each.id not in known]:
                    why = f"Deterministic tools report of the result: {' '.join(new)}"
                    again += self._refused(one.target, why, one)
                else:
                    told = told_mended(self._mended_before(one), one.own, self.tree)
                    candidates[one.target.finding.id] = Candidate(
                        one.target, one.diff, tree, mended=told
                    )
            opinions, missed = await self._looked_at(tuple(candidates.values()))
        for one in patches:
            if one.target.finding.id not in candidates:
                continue
            opinion = opinions.get(one.target.finding.id)
            if opinion is None:
                why = missed.get(one.target.finding.id, NO_OPINION)
                self._leave(one.target, "missed", f"nobody has looked at its patch: {why}")
            elif opinion.verdict != "closes":
                again += self._refused(one.target, opinion.reason, one)
            else:
                standing.append(one)
        return standing, again

    async def _looked_at(
        self, candidates: Sequence[Candidate]
    ) -> tuple[dict[str, Opinion], dict[str, str]]:
        """Have fresh nodes look; return what they say, and why some have said nothing."""
        if not candidates:
            return {}, {}
        task = Reviewer(guidance=self.guidance, window=self.run.window)
        scope = LookScope(tuple(candidates))
        solved: Solved[Opinions] = await solve(task, scope, self.run, self._root())
        self.stops |= solved.stops
        given = {each.finding: each for each in solved.result.opinions}
        opinions = {}
        for one in candidates:
            opinion = given.get(one.id)
            if opinion is None:
                continue
            if problem := await asyncio.to_thread(lacking, opinion, one):
                # A yes without its proof is none.
                said = f"the look at it brought no proof ({problem})"
                opinion = opinion.model_copy(update={"verdict": "unproven", "reason": said})
            opinions[one.id] = opinion
        return opinions, solved.missed

    # Taking ---------------------------------------------------------------------------------------

    async def _taken(self, patches: Sequence[Patch]) -> tuple[list[Patch], list[Target]]:
        """Take patches that stand, one commit each.

        What rests on files that one of these has changed is not taken, nor what changes files on
        which one rests. Return such patches as they are on top of it, to be looked at again, and
        the findings of those that do not fit there.
        """
        start, moved = self.tree, list[Patch]()
        changed, grounds = set[str](), set[str]()
        for one in patches:
            if changed.isdisjoint(one.own) and grounds.isdisjoint(one.files):
                self._commit(one)
                changed |= set(one.files)
                grounds |= set(one.own)
            else:
                moved.append(one)
        if self.tree is not start:
            with self.trees.tree(self.tree.files) as tree:
                # Not ended by a cancellation: what is handed out has been looked at.
                found = await asyncio.to_thread(examined, tree, lambda: False)
            self.findings, self.notes = found.findings, found.notes
        return await asyncio.to_thread(self._on_top, moved)

    def _on_top(self, patches: Sequence[Patch]) -> tuple[list[Patch], list[Target]]:
        """Return patches as the tree takes them now, and the findings of those that it does not."""
        fitting, again = list[Patch](), list[Target]()
        targets, _ = self._looked_up_again([one.target for one in patches])
        where = {each.finding.id: each for each in targets}
        with Parsers() as parsers:
            for one in patches:
                target = where.get(one.target.finding.id)
                made = put(target, one.edits, one.own, self.tree, parsers) if target else None
                if isinstance(made, Patch):
                    fitting.append(made)
                else:
                    again.append(one.target)  # no fault of it: it is not told
        return fitting, again

    def _mended_before(self, one: Patch) -> list[Mended]:
        """Return what was mended where a patch rests, or resting on what that changes."""
        return [
            each
            for each in self._mended()
            if each.touches(one.own) or not self._grounds[each.id].isdisjoint(one.files)
        ]

    def _commit(self, one: Patch) -> None:
        finding = one.target.finding
        self._grounds[finding.id] = frozenset(one.own)
        before: dict[str, Blob | None] = {path: self.tree.blob(path) for path in one.files}
        title = printable(" ".join(finding.title.split()))
        about = title if one.target.is_checks else f"Finding: {finding.id}"
        message = message_of(f"{one.edits.message.strip() or title}\n\n{about}", title)
        commit = commit_of(finding.id, "model", message, before, one.files)
        if commit is None:  # `put` lets nothing through that changes nothing
            raise AssertionError("a patch without a change")
        self.tree = self.tree.over(one.files)
        self.commits.append(commit)
        self.closed.append(
            Closed(
                **said_of(finding),
                message=message,
                files=[FileInfo(path=printable(f.path), status=f.status) for f in commit.files],
                tries=len(self._refusals.get(finding.id, ())) + 1,
            )
        )

    # Closed with another one ----------------------------------------------------------------------

    async def _settled(self, todo: Sequence[Target], gone: Sequence[_Gone]) -> list[Target]:
        """Find out which findings a patch of this run has closed along with its own.

        That is asked of those that a coder has said it of, and of those that stand nowhere any
        more. Return what is still to be worked on.
        """
        for one in gone:
            self._claims.drop(one.target.finding.id)
        closers = {one.id: one.id for one in self.closed}
        closers |= {one.id: one.by for one in self.closed_with}
        ids = {each.finding.id: each for each in todo}
        ready, idle = self._claims.settled(ids.keys(), closers)
        asked = [(ids[one], by) for one, by in ready.items()]
        asked += [(_anywhere(one.target), self._mover(one.target)) for one in gone]
        opinions, missed = await self._closing(asked)
        settled = set[str]()
        for target, by in asked:
            opinion = opinions.get(target.finding.id)
            if opinion is not None and opinion.verdict == "closes":
                why = printable(opinion.reasoning)
                self.closed_with.append(closed_with(target.finding, by, why))
                settled.add(target.finding.id)
        for one in gone:
            opinion = opinions.get(one.target.finding.id)
            if opinion is None:
                self._leave(one.target, one.state, one.why)
            elif opinion.verdict != "closes":
                why = f"{one.why}, which does not close it: {opinion.reason}"
                self._leave(one.target, "refused", why)
        left = []
        for each in todo:
            finding = each.finding.id
            if finding in idle:
                why = f"No edits: {idle[finding]} was to close it, and is not closed itself."
                left += self._refused(each, why)
            elif finding not in ready:
                left.append(each)
            elif finding not in settled:
                by, opinion = ready[finding], opinions.get(finding)
                if opinion is None:
                    why = missed.get(finding, NO_OPINION)
                    self._leave(each, "missed", f"nobody has looked if {by} closes it: {why}")
                else:
                    left += self._refused(each, f"{by} does not close it: {opinion.reason}")
        return left

    async def _closing(
        self, asked: Sequence[tuple[Target, str]]
    ) -> tuple[dict[str, Opinion], dict[str, str]]:
        """Ask of each finding if the patch of another one, by its id, closes it, too."""
        if not asked:
            return {}, {}
        patches = {one.id: _diff(one) for one in self._mended()}
        with self.trees.tree(self.tree.files) as tree:
            candidates = [Candidate(target, patches[by], tree, by=by) for target, by in asked]
            return await self._looked_at(candidates)

    def _mover(self, target: Target) -> str:
        """Return the id of the finding whose patch was the last to change a finding's file."""
        path = target.spots[0].path
        return next(one.id for one in reversed(self._mended()) if one.touches({path}))

    def _mended(self) -> tuple[Mended, ...]:
        return mended(self.closed, self.commits)

    def _refused(
        self,
        target: Target,
        why: str,
        patch: Patch | None = None,
        files: frozenset[str] = frozenset(),
    ) -> list[Target]:
        """Note that what was handed in did not stand; return its finding where that goes back.

        `files` are those that it was to edit, where no patch came of that.
        """
        known = self._refusals.setdefault(target.finding.id, [])
        diff, files = (patch.diff, frozenset(patch.files)) if patch else ("", files)
        known.append(Refusal(diff, why, files))
        if len(known) <= BACK:
            return [target]
        self._leave(target, "refused", f"{len(known)} tries did not stand; the last one: {why}")
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


def _ids(targets: Sequence[Target]) -> set[str]:
    """Return which findings these are, wherever they stand by now."""
    return {each.finding.id for each in targets}


def _diff(one: Mended) -> str:
    before = {edit.path: edit.before for edit in one.files}
    return diff_of(before, {edit.path: edit.after for edit in one.files})


def _anywhere(target: Target) -> Target:
    """Return a finding as one of its files, for its lines are not there any more."""
    return Target(target.finding, tuple(Spot(path) for path in target.paths))
