"""Folders of commits, read over the API as they are asked for: what lies where, in which mode.

A folder that several commits have in common has one name and is read once.
"""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.github.client import Hub, checked_name
from app.github.errors import calls

Sha = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]

REGULAR = frozenset({"100644", "100755"})


class _Answer(BaseModel):
    """What we read of an answer; the rest of it is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Named(_Answer):
    sha: Sha


class GitCommit(_Answer):
    """A commit as git's database has it."""

    sha: Sha
    message: str
    tree: _Named
    parents: tuple[_Named, ...]


class Entry(_Answer):
    """What a folder has under a name."""

    path: str
    mode: str
    type: str
    sha: Sha

    @property
    def is_file(self) -> bool:
        """Is it a regular file, and no link, folder or other repository?"""
        return self.type == "blob" and self.mode in REGULAR


class _Tree(_Answer):
    tree: tuple[Entry, ...]
    truncated: bool


Blocked = Literal["blocked"]
"""In place of an entry: a file or a link lies on the way to it, or nobody can tell."""

_AnyAnswer = TypeVar("_AnyAnswer", bound=_Answer)


class Trees:
    """Reads commits and folders of one repository."""

    def __init__(self, hub: Hub, repository: str) -> None:
        self._hub = hub
        self._path = f"/repos/{checked_name(repository)}/git"
        self._commits: dict[str, GitCommit] = {}
        self._folders: dict[str, dict[str, Entry] | None] = {}

    def commit(self, sha: str) -> GitCommit:
        """Read a commit; raise NotThere where there is none."""
        if sha not in self._commits:
            self._commits[sha] = self._read(GitCommit, "read a commit", f"commits/{sha}")
        return self._commits[sha]

    def at(self, commit: str, path: str) -> Entry | Blocked | None:
        """Return what lies at a path of a commit, None for nothing.

        Nothing is followed: below a link there is nothing of this tree.
        """
        *folders, name = path.split("/")
        here = self.commit(commit).tree.sha
        for folder in folders:
            known = self._folder(here)
            if known is None:
                return "blocked"
            entry = known.get(folder)
            if entry is None:
                return None
            if entry.type != "tree":
                return "blocked"
            here = entry.sha
        known = self._folder(here)
        return "blocked" if known is None else known.get(name)

    def below(self, folder: Entry, path: str) -> Iterator[str]:
        """Yield the paths of all that lies in a folder and in its folders.

        Of one that GitHub does not tell all of, the path ends in a slash.
        """
        known = self._folder(folder.sha)
        if known is None:
            yield f"{path}/"
            return
        for name, entry in known.items():
            if entry.type == "tree":
                yield from self.below(entry, f"{path}/{name}")
            else:
                yield f"{path}/{name}"

    def changes(
        self, start: str, head: str, folders: int
    ) -> Iterator[tuple[str, Entry | None, Entry | None]]:
        """Yield the path of each file that differs between two commits, and what it was and is.

        Links and submodules are left out. Of more than so many `folders`, and of those that GitHub
        does not tell all of, the folder itself comes in place of what lies in it.
        """
        left = [("", self.commit(start).tree.sha, self.commit(head).tree.sha)]
        while left:
            path, was, now = left.pop()
            before = self._folder(was) if was else {}
            after = self._folder(now) if now else {}
            folders -= 1
            if before is None or after is None or folders < 0:
                entry = Entry(path=path, mode="040000", type="tree", sha=now or was)
                yield path, None, entry
                continue
            for name in sorted(before.keys() | after.keys()):
                old, new = before.get(name), after.get(name)
                if old == new:
                    continue
                below = f"{path}{name}"
                folder_was = old.sha if old is not None and old.type == "tree" else ""
                folder_now = new.sha if new is not None and new.type == "tree" else ""
                if folder_was or folder_now:
                    left.append((f"{below}/", folder_was, folder_now))
                file_was = old if old is not None and old.is_file else None
                file_now = new if new is not None and new.is_file else None
                if file_was is not None or file_now is not None:
                    yield below, file_was, file_now

    def differing(
        self, before: str | None, after: str | None, paths: Collection[str], at: str = ""
    ) -> dict[str, Entry | None] | None:
        """Return what has become of the files by which two folders differ, None for what is gone.

        None for it all where something else than these paths differs, or nobody can tell. Without
        a name a folder is empty; `at` is where both lie.
        """
        was = {} if before is None else self._folder(before)
        now = {} if after is None else self._folder(after)
        if was is None or now is None:
            return None
        found: dict[str, Entry | None] = {}
        for name in was.keys() | now.keys():
            old, new, path = was.get(name), now.get(name), f"{at}{name}"
            if old == new:
                continue
            old_folder, new_folder = _folder_of(old), _folder_of(new)
            if old_folder or new_folder:
                if not any(one.startswith(f"{path}/") for one in paths):
                    return None
                below = self.differing(old_folder, new_folder, paths, f"{path}/")
                if below is None:
                    return None
                found |= below
            if (old and not old_folder) or (new and not new_folder):
                if path not in paths:
                    return None
                found[path] = None if new_folder else new
        return found

    def _folder(self, tree: str) -> dict[str, Entry] | None:
        """Return the entries of a folder by name; None where GitHub does not tell all of them."""
        if tree not in self._folders:
            read = self._read(_Tree, "read a folder", f"trees/{tree}")
            entries = {one.path: one for one in read.tree}
            self._folders[tree] = None if read.truncated else entries
        return self._folders[tree]

    def _read(self, kind: type[_AnyAnswer], doing: str, path: str) -> _AnyAnswer:
        answer: Any = self._hub.ask(doing, "GET", f"{self._path}/{path}")
        with calls(self._hub.server, doing):
            return kind.model_validate(answer)


def _folder_of(entry: Entry | None) -> str | None:
    """Return the name of a folder, None for what is none."""
    return entry.sha if entry is not None and entry.type == "tree" else None
