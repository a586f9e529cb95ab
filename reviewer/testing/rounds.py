"""Rounds: writers make test files, detectors and fresh nodes look at them, what stands is taken."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from reviewer.finding import Finding
from reviewer.fix.coder import Refusal
from reviewer.parsing.worker import Parsers
from reviewer.refactor.apply import readable
from reviewer.refactor.carry import message_of
from reviewer.refactor.edit import units_of
from reviewer.refactor.patch import Blob, Commit, Files, commit_of
from reviewer.refactor.repair import described, examined
from reviewer.refactor.tree import Overlay, Tree, Trees
from reviewer.refactor.values import Edits, Joined
from reviewer.request import StopReason
from reviewer.rlm.run import Run
from reviewer.rlm.solve import solve
from reviewer.rlm.solved import Solved
from reviewer.testing.additions import code_of, diff_of
from reviewer.testing.finder import Target, left_out, said
from reviewer.testing.reader import Candidate, LookScope, Reader, lacking
from reviewer.testing.values import Left, Look, Looks, State, Tested, TestEdits, Written
from reviewer.testing.writer import TestFile, Writer
from reviewer.text import printable

BACK = 2
"""How often tests that do not stand go back with the reason."""

AT_ONCE = 8
"""Test files of one round. Each has a tree of its own while it is looked at."""

MOST_TARGETS = 12
"""Behaviours that one node writes tests for. A file with more of them is added to again."""

LOOKING = 0.3
"""Of the budget, held back while tests are written: one that nobody looks at is worth nothing."""


@dataclass
class _Version:
    """A test file as it was written: its tests by behaviour, and what its writer says."""

    file: TestFile
    files: Files
    diff: str
    message: str
    names: dict[str, tuple[str, ...]]
    declined: dict[str, str]

    @property
    def tested(self) -> list[Target]:
        return [each for each in self.file.targets if each.id in self.names]


@dataclass
class Rounds:
    """The tree as tests bring it on. `commits` and `written` are in the same order.

    `base` is the commit without the change: what the tests are to fail on. `most` is how many
    behaviours a commit tests, `roots` how many questions the run has asked before.
    """

    trees: Trees
    run: Run
    tree: Overlay
    base: str
    guidance: str
    commits: list[Commit] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stops: set[StopReason] = field(default_factory=set)
    most: int = MOST_TARGETS
    roots: int = 1
    _stood: dict[tuple[str, str], Look] = field(default_factory=dict)

    async def write(self, targets: Sequence[Target]) -> None:
        """Work on test files until each is written, or it is known why not."""
        todo = grouped(targets, self.most)
        while todo:
            if self.run.stopped is not None:
                for file in todo:
                    self._leave(file.targets, "missed", str(self.run.stopped))
                return
            batch = apart(todo)
            again = await self._round(batch)
            todo = [each for each in todo if each not in batch or each in again]

    async def _round(self, batch: Sequence[TestFile]) -> list[TestFile]:
        """Work once on some test files; return those that are to be tried again."""
        versions, again = await self._made(batch)
        with ExitStack() as open_trees:
            candidates: list[tuple[_Version, list[Candidate]]] = []
            for one in versions:
                files = self.tree.over(one.files).files
                with self.trees.tree(files) as tree:
                    found = await asyncio.to_thread(examined, tree, lambda: False)
                known = {each.id for each in self.findings}
                new = [described(each) for each in found.findings if each.id not in known]
                if new:
                    why = f"Deterministic tools report of the result: {' '.join(new)}"
                    again += self._refused(one, {each.id: why for each in one.file.targets})
                    continue
                since = open_trees.enter_context(self.trees.tree(files, self.base))
                candidates.append((one, await asyncio.to_thread(_candidates, one, since)))
            looks = await self._looked_at([each for _, some in candidates for each in some])
        start = self.tree
        for one, some in candidates:
            again += self._judged(one, some, looks)
        if self.tree is not start:
            with self.trees.tree(self.tree.files) as tree:
                # Not ended by a cancellation: what is handed out has been looked at.
                found = await asyncio.to_thread(examined, tree, lambda: False)
            self.findings, self.notes = found.findings, found.notes
        return again

    # Writing --------------------------------------------------------------------------------------

    async def _made(self, batch: Sequence[TestFile]) -> tuple[list[_Version], list[TestFile]]:
        """Have test files written; return what fits, and those that are to be tried again."""
        with self.trees.tree(self.tree.files, self.base) as tree:
            writer = Writer(tree, self.tree, batch, guidance=self.guidance, window=self.run.window)
            held = self.run.account.child(self.run.account.left.share(LOOKING))
            solved: Solved[Edits] = await solve(writer, writer.scope(), self.run, self._root())
            held.close()
            self.stops |= solved.stops
            by_path = dict(solved.result.by_module) if isinstance(solved.result, Joined) else {}
            return await asyncio.to_thread(self._fitting, batch, writer, by_path, solved.missed)

    def _fitting(
        self,
        batch: Sequence[TestFile],
        writer: Writer,
        by_path: Mapping[str, Edits],
        missed: Mapping[str, str],
    ) -> tuple[list[_Version], list[TestFile]]:
        versions: list[_Version] = []
        again: list[TestFile] = []
        with Parsers() as parsers:
            for file in batch:
                part = writer.part_of(file)
                edits = by_path.get(file.path)
                if edits is None:
                    whys = {missed[unit] for unit in units_of(part) if unit in missed}
                    why = "; ".join(sorted(whys)) or "nobody came to it"
                    self._leave(file.targets, "missed", why)
                    continue
                done = writer.made(part, edits, parsers)
                before = {path: self.tree.blob(path) for path in done.files}
                version = _version(file, edits, done.files, before)
                if done.problems:
                    why = f"The edits do not fit: {'; '.join(done.problems)}"
                    again += self._refused(version, {each.id: why for each in file.targets})
                elif version.tested:
                    versions.append(version)
                else:
                    self._decline(version)
        return versions, again

    # Looking --------------------------------------------------------------------------------------

    async def _looked_at(self, candidates: Sequence[Candidate]) -> dict[str, Look]:
        """Have fresh nodes look at tests, but for those that have been looked at as they are."""
        known = {
            one.id: look
            for one in candidates
            if (look := self._stood.get((one.id, one.code or one.diff))) is not None
        }
        new = [one for one in candidates if one.id not in known]
        if not new:
            return known
        task = Reader(window=self.run.window)
        solved: Solved[Looks] = await solve(task, LookScope(tuple(new)), self.run, self._root())
        self.stops |= solved.stops
        given = {each.behaviour: each for each in solved.result.looks}
        for one in new:
            look = given.get(one.id)
            if look is None:
                continue
            if problem := await asyncio.to_thread(lacking, look, one):
                # A yes without its proof is none.
                said_ = f"the look at it brought no proof ({problem})"
                look = look.model_copy(update={"verdict": "unproven", "reason": said_})
            known[one.id] = look
        return known

    # Taking ---------------------------------------------------------------------------------------

    def _judged(
        self, one: _Version, candidates: Sequence[Candidate], looks: Mapping[str, Look]
    ) -> list[TestFile]:
        """Take a test file all of whose tests stand; return it where it is to be tried again."""
        if any(each.id not in looks for each in candidates):
            why = "nobody has looked at all tests of its file"
            self._leave(one.file.targets, "missed", why)
            return []
        refuted = {}
        for each in candidates:
            look = looks[each.id]
            if look.verdict == "proves":
                self._stood[each.id, each.code or each.diff] = look
            else:
                refuted[each.id] = f"{look.verdict}: {look.reason}"
        if refuted:
            return self._refused(one, refuted)
        self._commit(one)
        return []

    def _commit(self, one: _Version) -> None:
        path = one.file.path
        before: dict[str, Blob | None] = {path: self.tree.blob(path)}
        message = message_of(one.message, f"Test {path.rpartition('/')[2]}")
        commit = commit_of(path, "model", message, before, one.files)
        if commit is None:  # `_fitting` lets nothing through that changes nothing
            raise AssertionError("tests without a change")
        self.tree = self.tree.over(one.files)
        self.commits.append(commit)
        self.written.append(
            Written(
                path=printable(path),
                status="added" if before[path] is None else "modified",
                message=message,
                tests=[
                    Tested(
                        names=[printable(name) for name in one.names[each.id]],
                        **said(each.behaviour, each.place),
                    )
                    for each in one.tested
                ],
                tries=len(one.file.refusals) + 1,
            )
        )
        self._decline(one)

    def _decline(self, one: _Version) -> None:
        for each in one.file.targets:
            if each.id not in one.names:
                why = one.declined.get(each.id) or "no test was handed in"
                self._leave([each], "declined", why)

    def _refused(self, one: _Version, whys: Mapping[str, str]) -> list[TestFile]:
        """Note which tests did not stand; return their file where it goes back.

        After that it goes back once more, for the other tests that are in it alone.
        """
        file = one.file
        texts = dict.fromkeys(whys.values())
        told = [f"{', '.join(key for key in whys if whys[key] == text)}: {text}" for text in texts]
        file.refusals.append(Refusal(one.diff, "\n".join(told)))
        if len(file.refusals) <= BACK:
            return [file]
        fell = [each for each in file.targets if each.id in whys]
        for each in fell:
            why = f"{len(file.refusals)} versions did not stand; the last one: {whys[each.id]}"
            self._leave([each], "refused", why)
        file.targets = [each for each in file.targets if each.id not in whys]
        if len(file.refusals) == BACK + 1 and file.targets:
            return [file]
        self._leave(file.targets, "refused", "it could not be told apart from tests that fell")
        return []

    def _leave(self, targets: Sequence[Target], state: State, why: str) -> None:
        self.left += [left_out(each.behaviour, each.place, state, why) for each in targets]

    def _root(self) -> str:
        self.roots += 1
        return str(self.roots)


def grouped(targets: Sequence[Target], most: int = MOST_TARGETS) -> list[TestFile]:
    """Return test files with what each is to say, as much as a node can write at once."""
    by_path: dict[str, list[Target]] = {}
    for each in targets:
        by_path.setdefault(each.test_file, []).append(each)
    return [
        TestFile(path, some[at : at + most])
        for path, some in by_path.items()
        for at in range(0, len(some), most)
    ]


def apart(todo: Sequence[TestFile]) -> list[TestFile]:
    """Return different test files, the first ones first: what is worked on at once."""
    found: dict[str, TestFile] = {}
    for each in todo:
        if each.path in found or len(found) < AT_ONCE:
            found.setdefault(each.path, each)
    return list(found.values())


def _version(
    file: TestFile, edits: Edits, files: Files, before: Mapping[str, Blob | None]
) -> _Version:
    names: dict[str, tuple[str, ...]] = {}
    for one in edits.tests if isinstance(edits, TestEdits) and files else ():
        names[one.behaviour] = tuple(dict.fromkeys((*names.get(one.behaviour, ()), *one.names)))
    declined = {one.what.strip(): one.why for one in edits.left}
    old, new = before.get(file.path), files.get(file.path)
    texts = [readable(blob.data) if blob is not None else "" for blob in (old, new)]
    diff = diff_of(file.path, *texts) if files else ""
    return _Version(file, files, diff, edits.message, names, declined)


def _candidates(one: _Version, tree: Tree) -> list[Candidate]:
    """Return what readers are asked of a test file, in a tree that has it."""
    blob = one.files[one.file.path]
    known = tree.code.context.extraction(one.file.path).what.definitions
    text = readable(blob.data) if blob is not None else ""
    return [
        Candidate(
            target=each,
            names=one.names[each.id],
            diff=one.diff,
            code=code_of(one.names[each.id], text, known),
            tree=tree,
        )
        for each in one.tested
    ]
