"""Branches of ours, made over the Git Data API, and the pull requests from them.

Objects come first and harm nobody; a reference comes last, and only where there is none, or only
forwards. A commit has neither author nor date from us: GitHub signs what an App commits only where
it "contains no custom author information, custom committer information", and some repositories take
nothing unsigned. So the same commit, made twice, has two names, and a repeat cannot know its own
work by them. It knows it by what cannot differ: the trees, whose names say what is in them, the
messages, and how many commits there are.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.github.cache import Stopped
from app.github.client import Hub, checked_name
from app.github.errors import SOON_S, Forbidden, NotThere, Refused, Unsure, calls
from app.github.git_trees import GitCommit, Sha, Trees
from app.github.sticky import is_ours
from app.written import Written, WrittenCommit, WrittenFile, blob_id
from reviewer.errors import GiveUp, RetryLater

MOST_NAMES = 9
"""Of a branch: the one that was thought of, then with -2 to -9 behind it."""

INLINE_BYTES = 200_000
"""A larger file is handed over as an object of its own."""

MOST_ABOVE = 30
"""Commits of others on top of ours, below which ours are looked for."""

ENTRIES = 100
ENTRIES_BYTES = 1_000_000
"""Of one request for a tree: GitHub gives up on what takes it longer than ten seconds."""

PAGE = 100

GITHUB_ITSELF = "web-flow"

# GitHub's words, each of which makes a refusal an answer.
_TAKEN = "reference already exists"
_NO_SUCH_REFERENCE = "reference does not exist"
_NO_FAST_FORWARD = "not a fast forward"
_PULL_THERE = "a pull request already exists"


@dataclass(frozen=True, slots=True)
class Made:
    """A branch of ours and the commit that it ends at."""

    branch: str
    head: str


def names_of(name: str) -> Iterator[str]:
    """Yield the names that a branch may get, the first that is free or ours to be taken."""
    yield name
    yield from (f"{name}-{number}" for number in range(2, MOST_NAMES + 1))


def make_branch(
    hub: Hub,
    repository: str,
    commits: Sequence[WrittenCommit],
    *,
    onto: str,
    name: str,
    cancelled: Callable[[], bool] = lambda: False,
) -> Made:
    """Make a branch with these commits on top of `onto`, unless it is there already.

    What is there is ours if it holds exactly these commits, on whatever they were put at the time;
    the name of any other is left alone. Raise GiveUp where all names are taken, and Stopped where
    `cancelled` says so before there is a branch: what has no reference harms nobody.
    """
    stack = _Stack(hub, repository, commits)
    head = ""
    for one in names_of(name):
        tip = tip_of(hub, repository, one)
        if tip is None:
            head = head or stack.commit(onto, cancelled)
            _go_on(cancelled)
            if _create(hub, repository, one, head):
                return Made(one, head)
            tip = tip_of(hub, repository, one)
        if tip is not None and stack.is_at(tip):
            return Made(one, tip)
    raise GiveUp(f"There are branches {name} and {name}-2 to {name}-{MOST_NAMES} already.")


def ours_below(hub: Hub, repository: str, commits: Sequence[WrittenCommit], tip: str) -> str:
    """Return the last of these commits at or below the end of a branch; "" if they are not there.

    Whoever may write can put commits on top of ours.
    """
    stack = _Stack(hub, repository, commits)
    for _ in range(MOST_ABOVE):
        if stack.is_at(tip):
            return tip
        if (below := stack.parent(tip)) is None:
            break
        tip = below
    return ""


def below(hub: Hub, repository: str, tip: str, commits: int) -> str:
    """Return the commit that so many commits, the last of them `tip`, stand on; "" where they are
    not one above the other.
    """
    stack = _Stack(hub, repository, ())
    for _ in range(commits):
        if (parent := stack.parent(tip)) is None:
            return ""
        tip = parent
    return tip


def ends_with(hub: Hub, repository: str, commits: Sequence[WrittenCommit], tip: str) -> bool:
    """Does a branch end with exactly these commits, on whatever they were put?"""
    return _Stack(hub, repository, commits).is_at(tip)


def tip_of(hub: Hub, repository: str, branch: str) -> str | None:
    """Return the commit that a branch ends at; None if there is none."""
    doing = f"look for the branch {branch}"
    try:
        answer = hub.ask(doing, "GET", _git(repository, f"ref/{_heads(branch)}"))
    except NotThere:
        return None
    with calls(hub.server, doing):
        return _Ref.model_validate(answer).object.sha


def _go_on(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Stopped("Stopped before there was a branch")


def _create(hub: Hub, repository: str, branch: str, head: str) -> bool:
    """Make a reference that is not there; say False if it is by now."""
    body = {"ref": f"refs/heads/{branch}", "sha": head}
    try:
        hub.ask(f"make the branch {branch}", "POST", _git(repository, "refs"), body)
    except Refused as error:
        if _TAKEN in error.said.lower():
            return False
        raise
    except Unsure:
        if tip_of(hub, repository, branch) != head:
            raise
    return True


# A moved head ------------------------------------------------------------------------------------


Fit = Literal["same", "rebased", "conflict"]
"""How a patch meets a head: it was made for that very commit, it fits as it is, or it does not."""


def rebased(trees: Trees, written: Written, head: str) -> tuple[Fit, tuple[str, ...]]:
    """Say whether a patch fits `head` exactly, and the paths at which it does not.

    It fits if each file that it touches is there what it was at the start, to the byte and the
    mode, and no link or file lies on the way to it.
    """
    gone = {one.path for commit in written.commits for one in commit.files if not one.mode}
    paths = [path for path in written.before if not _is_as(trees, head, written, gone, path)]
    if head != written.start and not paths:
        paths = [path for path in written.before if not _has_its_mode(trees, written, head, path)]
    if paths:
        return "conflict", tuple(sorted(paths))
    return ("same" if head == written.start else "rebased"), ()


def _is_as(trees: Trees, commit: str, written: Written, gone: set[str], path: str) -> bool:
    """Is a file at a commit what the patch says it was? `gone`: what the patch deletes."""
    blob, entry = written.before[path], trees.at(commit, path)
    if entry is None:
        return not blob
    if entry == "blocked":  # by a file that goes, it may be
        return not blob and not gone.isdisjoint(_above({path}))
    if entry.type == "tree":  # a folder of which nothing stays
        return not blob and gone.issuperset(trees.below(entry, path))
    return bool(blob) and entry.is_file and entry.sha == blob


def _has_its_mode(trees: Trees, written: Written, head: str, path: str) -> bool:
    """Has a file the mode that it had? A start that nobody has any more says nothing about it."""
    if not written.before[path]:
        return True
    try:
        then = trees.at(written.start, path)
    except NotThere:
        return False
    now = trees.at(head, path)
    if then is None or now is None or then == "blocked" or now == "blocked":
        return False
    return then.mode == now.mode


# More commits on a branch of ours ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pushed:
    """`moved`: somebody else's commits stand on the branch. `gone`: it is not there."""

    state: Literal["pushed", "moved", "gone"]
    head: str = ""


def push_commits(
    hub: Hub, repository: str, branch: str, commits: Sequence[WrittenCommit], *, onto: str
) -> Pushed:
    """Put commits on top of our branch, which ended at `onto`; never by force.

    To do it again changes nothing.
    """
    stack = _Stack(hub, repository, commits)
    tip = tip_of(hub, repository, branch)
    if tip is None:
        return Pushed("gone")
    if tip != onto:
        return Pushed("pushed", tip) if stack.is_at(tip, on=onto) else Pushed("moved", tip)
    head = stack.commit(onto)
    path = _git(repository, f"refs/{_heads(branch)}")
    try:
        hub.ask(f"push to {branch}", "PATCH", path, {"sha": head, "force": False})
    except Refused as error:
        if _NO_FAST_FORWARD in error.said.lower():
            return Pushed("moved", tip_of(hub, repository, branch) or "")
        if _NO_SUCH_REFERENCE in error.said.lower():
            return Pushed("gone")
        raise
    except Unsure:
        if tip_of(hub, repository, branch) != head:
            raise
    return Pushed("pushed", head)


# The pull request --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A pull request from a branch of ours. `ours`: our own actor opened it."""

    number: int
    branch: str
    url: str
    state: Literal["open", "closed", "merged"]
    onto: str
    head: str
    ours: bool


def opened(hub: Hub, repository: str, branch: str) -> list[Opened]:
    """Return the pull requests from a branch of this repository, open or not, the newest first."""
    doing = f"look for a pull request from {branch}"
    head = f"{checked_name(repository).partition('/')[0]}:{branch}"
    query = urlencode({"head": head, "state": "all", "per_page": PAGE})
    answer = hub.ask(doing, "GET", f"/repos/{repository}/pulls?{query}")
    with calls(hub.server, doing):
        found = _PULLS.validate_python(answer)
    # Without a branch of that name, GitHub has been seen to answer with every pull request.
    return [
        _opened(hub, one) for one in found if one.head.ref == branch and _is_from(one, repository)
    ]


def opened_into(hub: Hub, repository: str, branch: str) -> list[Opened]:
    """Return the pull requests into a branch that our own actor has opened from branches of this
    repository, open or not, the newest first; the newest hundred into it are looked at.
    """
    doing = f"look for pull requests into {branch}"
    query = urlencode({"base": branch, "state": "all", "per_page": PAGE})
    answer = hub.ask(doing, "GET", f"/repos/{checked_name(repository)}/pulls?{query}")
    with calls(hub.server, doing):
        found = _PULLS.validate_python(answer)
    every = [_opened(hub, one) for one in found if _is_from(one, repository)]
    return [one for one in every if one.ours and one.onto == branch]


def _is_from(pull: "_Pull", repository: str) -> bool:
    there = pull.head.repo
    return there is not None and there.full_name.lower() == repository.lower()


def open_stacked(  # noqa: PLR0917
    hub: Hub, repository: str, branch: str, onto_branch: str, title: str, body: str
) -> Opened:
    """Return the pull request from our branch into another branch, opened if there is none.

    One that we had opened and somebody closed stays closed.
    """
    if there := _stacked(hub, repository, branch, onto_branch):
        return there
    doing = "open the stacked pull request"
    asked = {"title": title, "body": body, "head": branch, "base": onto_branch}
    try:
        answer = hub.ask(doing, "POST", f"/repos/{checked_name(repository)}/pulls", asked)
    except Unsure:
        if there := _stacked(hub, repository, branch, onto_branch):
            return there
        raise
    except Refused as error:
        if _PULL_THERE not in error.said.lower():
            raise
        if there := _stacked(hub, repository, branch, onto_branch):
            return there
        # The list is behind. To take it for a refusal would be to take the branch away.
        raise RetryLater(str(error), SOON_S) from error
    with calls(hub.server, doing):
        return _opened(hub, _Pull.model_validate(answer))


def _stacked(hub: Hub, repository: str, branch: str, onto_branch: str) -> Opened | None:
    found = opened(hub, repository, branch)
    open_ones = [one for one in found if one.state == "open" and one.onto == onto_branch]
    return next(iter([*open_ones, *(one for one in found if one.ours)]), None)


# Undoing it --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Undone:
    """How pull request and branch stand now.

    The pull request: closed, merged (then nothing is undone), gone, or forbidden to close. The
    branch: gone, kept with it, foreign (it has commits that are not ours, and stays), or forbidden
    to delete ("off": our own server does not write). `why` has GitHub's words where something was
    forbidden.
    """

    pull: Literal["closed", "merged", "gone", "forbidden"]
    branch: Literal["gone", "kept", "foreign", "forbidden", "off"]
    why: str = ""


def undo(hub: Hub, repository: str, number: int, branch: str, head: str) -> Undone:
    """Close our stacked pull request and delete its branch; to do it again says the same.

    `head` is the last commit of ours that we know of. Raise GiveUp for a pull request of others.
    """
    path = f"/repos/{checked_name(repository)}/pulls/{number:d}"
    doing = f"read {repository}#{number}"
    try:
        answer = hub.ask(doing, "GET", path)
    except NotThere:
        return _without_branch(hub, repository, branch, head, "gone")
    with calls(hub.server, doing):
        found = _opened(hub, pull := _Pull.model_validate(answer))
    if not found.ours or pull.head.ref != branch:
        raise GiveUp(f"#{number} is no pull request of ours from {branch}.")
    if found.state == "merged":
        return Undone("merged", "kept")
    if found.state == "open":
        try:
            hub.ask("close the stacked pull request", "PATCH", path, {"state": "closed"})
        except (Forbidden, NotThere) as error:
            return Undone("forbidden", "kept", error.said)
    return _without_branch(hub, repository, branch, head, "closed")


def _without_branch(
    hub: Hub, repository: str, branch: str, head: str, pull: Literal["closed", "gone"]
) -> Undone:
    try:
        return Undone(pull, delete_ours(hub, repository, branch, head))
    except Refused as error:
        return Undone(pull, "forbidden", error.said)


def grown_from(hub: Hub, repository: str, branch: str, tip: str) -> str:
    """Return the commit at which `tip` left a branch; "" where nobody can say."""
    doing = "look for where our branch began"
    there = f"{quote(branch, safe='')}...{tip}"
    try:
        answer = hub.ask(
            doing, "GET", f"/repos/{checked_name(repository)}/compare/{there}?per_page=1"
        )
    except NotThere:
        return ""
    with calls(hub.server, doing):
        return _Parted.model_validate(answer).merge_base_commit.sha


def delete_ours(hub: Hub, repository: str, branch: str, head: str) -> Literal["gone", "foreign"]:
    """Delete a branch that ends at a commit of ours; say that it is foreign where it does not."""
    tip = tip_of(hub, repository, branch)
    if tip is None:
        return "gone"
    if tip != head and not _ours_alone(hub, repository, head, tip):
        return "foreign"
    try:
        path = _git(repository, f"refs/{_heads(branch)}")
        hub.ask(f"delete the branch {branch}", "DELETE", path)
    except Refused as error:
        if not isinstance(error, NotThere) and _NO_SUCH_REFERENCE not in error.said.lower():
            raise
    except Unsure:
        if tip_of(hub, repository, branch) is not None:
            raise
    return "gone"


def _ours_alone(hub: Hub, repository: str, head: str, tip: str) -> bool:
    """Has our own actor made every commit above `head`, by GitHub's own signature?

    A name anybody can write into a commit, and the signature is its committer's: whoever takes a
    commit of ours to another place leaves us its author. Where a server signs nothing, none is
    ours for certain.
    """
    doing = "compare our branch with what we made of it"
    try:
        path = f"/repos/{checked_name(repository)}/compare/{head}...{tip}?per_page={PAGE}"
        answer = hub.ask(doing, "GET", path)
    except NotThere:
        return False
    with calls(hub.server, doing):
        found = _Comparison.model_validate(answer)
    return (
        found.status == "ahead"
        and found.total_commits == len(found.commits)
        and all(one.commit.verification.verified for one in found.commits)
        and all(is_ours(hub, one.author) for one in found.commits)
        and all(_is_signed_for_us(hub, one.committer) for one in found.commits)
    )


def _is_signed_for_us(hub: Hub, committer: "_User | None") -> bool:
    """GitHub itself commits in the name of whoever has it make a commit."""
    return is_ours(hub, committer) or (committer is not None and committer.login == GITHUB_ITSELF)


# Commits on top of one another -------------------------------------------------------------------


class _Stack:
    """Commits to be made, on top of whatever they are put on."""

    def __init__(self, hub: Hub, repository: str, commits: Sequence[WrittenCommit]) -> None:
        self._hub = hub
        self._repository = repository
        self._commits = commits
        self._reader = Trees(hub, repository)
        self._trees: dict[str, list[str]] = {}

    def commit(self, onto: str, cancelled: Callable[[], bool] = lambda: False) -> str:
        """Make the commits on top of another one; return the last. Raise Stopped between two."""
        parent = onto
        trees = self._trees_on(onto, cancelled)
        for tree, commit in zip(trees, self._commits, strict=True):
            _go_on(cancelled)
            body = {"message": commit.message, "tree": tree, "parents": [parent]}
            answer = self._write("commit", "commits", body)
            parent = answer.sha
        return parent

    def parent(self, commit: str) -> str | None:
        """Return the one commit that another stands on; None where it is not one."""
        try:
            parents = self._reader.commit(commit).parents
        except NotThere:
            return None
        return parents[0].sha if len(parents) == 1 else None

    def is_at(self, tip: str, *, on: str = "") -> bool:
        """Are these the commits that a branch ends with? `on`: on top of this one alone."""
        found: list[GitCommit] = []
        name = tip
        try:
            for _ in self._commits:
                found.append(self._reader.commit(name))
                if len(found[-1].parents) != 1:
                    return False
                name = found[-1].parents[0].sha
            if on and name != on:
                return False
            for one, commit in zip(reversed(found), self._commits, strict=True):
                if one.message.strip() != commit.message.strip():
                    return False
            trees = [one.tree.sha for one in reversed(found)]
            try:
                return trees == self._trees_on(name)
            except Forbidden:  # it takes the right to write; to read what differs does not
                return self._are_read(trees, name)
        except Forbidden:
            raise
        except Refused:
            # It ends too early, or the patch does not fit what it stands on: others' work.
            return False

    def _are_read(self, trees: Sequence[str], onto: str) -> bool:
        """Are these the trees of the commits, on top of another one? Nothing is written."""
        before = self._reader.commit(onto).tree.sha
        for tree, commit in zip(trees, self._commits, strict=True):
            made = {
                one.path: (one.mode, blob_id(one.raw, onto)) if one.mode else None
                for one in commit.files
            }
            found = self._reader.differing(before, tree, made.keys())
            if found is None:
                return False
            if made != {path: one and (one.mode, one.sha) for path, one in found.items()}:
                return False
            before = tree
        return True

    def _trees_on(self, onto: str, cancelled: Callable[[], bool] = lambda: False) -> list[str]:
        """Return the tree of each commit. Trees are named by what they hold: a repeat is free."""
        if onto not in self._trees:
            tree = self._reader.commit(onto).tree.sha
            made = []
            for commit in self._commits:
                for files in _steps(commit.files):
                    entries = []
                    for one in files:
                        _go_on(cancelled)
                        entries.append(self._entry(one, onto))
                    _go_on(cancelled)
                    body = {"base_tree": tree, "tree": entries}
                    tree = self._write("tree", "trees", body).sha
                made.append(tree)
            self._trees[onto] = made
        return self._trees[onto]

    def _entry(self, one: WrittenFile, like: str) -> dict[str, str | None]:
        known: dict[str, str | None] = {"path": one.path, "type": "blob"}
        known["mode"] = one.mode or "100644"
        if not one.mode:
            return known | {"sha": None}
        raw = one.raw
        if blob_id(raw, like) == one.before:  # another mode, and the same bytes
            return known | {"sha": one.before}
        text = _as_text(raw)
        if text is not None:
            return known | {"content": text}
        body = {"content": base64.b64encode(raw).decode(), "encoding": "base64"}
        return known | {"sha": self._write("file", "blobs", body).sha}

    def _write(self, what: str, where: str, body: object) -> "_Written":
        doing = f"write a {what}"
        answer: Any = self._hub.ask(doing, "POST", _git(self._repository, where), body)
        with calls(self._hub.server, doing):
            return _Written.model_validate(answer)


def _steps(files: Sequence[WrittenFile]) -> Iterator[list[WrittenFile]]:
    """Yield the files in the order in which trees are made of them: nearly always all at once.

    Where a folder and a file change places, what goes has gone before the other comes.
    """
    gone = [one for one in files if not one.mode]
    there = [one for one in files if one.mode]
    left, came = {one.path for one in gone}, {one.path for one in there}
    if left & _above(came) or came & _above(left):
        yield from _batches(gone)
        yield from _batches(there)
    else:
        yield from _batches(files)


def _batches(files: Sequence[WrittenFile]) -> Iterator[list[WrittenFile]]:
    """Yield files in requests of a size that GitHub takes."""
    batch: list[WrittenFile] = []
    room = ENTRIES_BYTES
    for one in files:
        room -= len(one.data)
        if batch and (len(batch) == ENTRIES or room < 0):
            yield batch
            batch, room = [], ENTRIES_BYTES - len(one.data)
        batch.append(one)
    yield batch


def _above(paths: set[str]) -> set[str]:
    """Return the folders that paths lie in."""
    return {
        "/".join(parts[:end])
        for parts in (path.split("/") for path in paths)
        for end in range(1, len(parts))
    }


def _as_text(raw: bytes) -> str | None:
    """Return the text that stands for a file in a tree's request; None for what is no such text.

    What is empty or blank could be taken for none at all.
    """
    if len(raw) > INLINE_BYTES or b"\0" in raw or not raw.strip():
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


# What GitHub answers -----------------------------------------------------------------------------


class _Answer(BaseModel):
    """What we read of an answer; the rest of it is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Written(_Answer):
    sha: Sha


class _Ref(_Answer):
    object: _Written


class _Repository(_Answer):
    full_name: str


class _End(_Answer):
    ref: str
    sha: Sha
    repo: _Repository | None = None


class _User(_Answer):
    login: str


class _Pull(_Answer):
    number: Annotated[int, Field(gt=0)]
    html_url: str
    state: Literal["open", "closed"]
    merged_at: str | None = None
    user: _User | None = None
    head: _End
    base: _End


class _Verification(_Answer):
    verified: bool


class _CommitOf(_Answer):
    verification: _Verification


class _Compared(_Answer):
    commit: _CommitOf
    author: _User | None = None
    committer: _User | None = None


class _Comparison(_Answer):
    status: str
    total_commits: int
    commits: tuple[_Compared, ...]


class _Parted(_Answer):
    merge_base_commit: _Written


_PULLS = TypeAdapter(list[_Pull])


def _opened(hub: Hub, pull: _Pull) -> Opened:
    return Opened(
        number=pull.number,
        branch=pull.head.ref,
        url=f"{hub.server.web}/{pull.base.repo.full_name}/pull/{pull.number}"
        if pull.base.repo
        else pull.html_url,
        state="merged" if pull.merged_at else pull.state,
        onto=pull.base.ref,
        head=pull.head.sha,
        ours=is_ours(hub, pull.user),
    )


def _git(repository: str, path: str) -> str:
    return f"/repos/{checked_name(repository)}/git/{path}"


def _heads(branch: str) -> str:
    return f"heads/{quote(branch, safe='/')}"
