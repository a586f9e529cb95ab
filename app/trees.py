"""The trees that a refactoring comes to, in a repository of ours that borrows the objects.

Nothing is written to the user's repository before there is a result that the user wants there.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

from app.code import cache_file
from app.objects import LocalObjects
from app.plumbing import Author, Plumbing
from reviewer.change import Change
from reviewer.context.provider import Provider
from reviewer.diff import Start as Beginning
from reviewer.diff import build_change
from reviewer.git import GitRepo, once_more, open_repo
from reviewer.gitdir import find
from reviewer.refactor.patch import Files, Patch
from reviewer.refactor.tree import Start, Tree
from reviewer.review.functions import Code
from reviewer.text import decode

LIST_TIMEOUT_S = 60.0


class GitTrees:
    """Implements `reviewer.refactor.tree.Trees` for one commit; a context manager.

    `home` is where what is derived from files is kept, None to keep nothing.
    """

    def __init__(self, repo: GitRepo, commit: str, home: Path | None = None) -> None:
        self._commit = commit
        self._cache = cache_file(home, repo.path) if home is not None else None
        self._closing = ExitStack()
        folder = Path(tempfile.mkdtemp(prefix="rlm-trees-"))
        self._closing.callback(rmtree, folder, ignore_errors=True)
        self._plumbing = Plumbing.apart(folder, find(repo.path).common / "objects", commit)
        self._repo = self._closing.enter_context(open_repo(folder))
        self._objects = self._closing.enter_context(
            LocalObjects(self._repo, Change(commit, commit, commit, ()))
        )
        self.start = Start(
            self._objects,
            tuple(self._objects.entries("", "base")),
            _submodules(self._repo, commit),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._closing.close()

    @contextmanager
    def tree(self, files: Files, since: str = "") -> Iterator[Tree]:
        """Open the start with these files in it; its base is the start, or the commit `since`."""
        head = self._plumbing.snapshot(self._commit, files) if files else self._commit
        base = since or self._commit
        change = build_change(self._repo, base, head, Beginning(base))
        with LocalObjects(self._repo, change) as objects, Provider(objects, self._cache) as context:
            yield Tree(change, objects, Code(context))

    def mails(self, patch: Patch, author: Author) -> bytes:
        """Return a patch as `git am` takes it, one mail a commit."""
        names = self._plumbing.commits(patch.start, patch.commits, author)
        if not names:
            return b""
        return self._plumbing.run(
            "format-patch",
            "--stdout",
            "--no-signature",
            "--binary",
            "--full-index",
            "--no-ext-diff",
            "--no-textconv",
            f"{patch.start}..{names[-1]}",
        )


@once_more
def _submodules(repo: GitRepo, commit: str) -> frozenset[str]:
    """Return the paths of the other repositories that a tree names."""
    args = ("ls-tree", "-r", "-z", "--full-tree", commit)
    with repo.stream(*args, timeout_s=LIST_TIMEOUT_S) as pipe:
        rest, found = b"", set()
        while piece := pipe.read(1 << 20):
            *entries, rest = (rest + piece).split(b"\0")
            for entry in entries:
                head, _, path = entry.partition(b"\t")
                if head.split()[1:2] == [b"commit"]:
                    found.add(decode(path))
    return frozenset(found)
