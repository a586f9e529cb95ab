"""The files of one tree by their paths: is it there, what lies in a folder, what ends like this.

Every path is relative to the top of the tree, with "/" between its segments; the top is "". What
leaves the tree is None, never a path.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

MAX_SEGMENTS = 64  # of a path or a module that is looked at
MAX_MATCHES = 256  # paths of one ending that are compared with each other
MAX_SETTINGS_BYTES = 256_000
MAX_SETTINGS_FILES = 2_000  # of one name, the shallowest first


def folder_of(path: str) -> str:
    """Return the folder that a path lies in."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """Return the last segment of a path."""
    return path.rpartition("/")[2]


def stem_of(path: str) -> str:
    """Return a file's name up to its first dot; ".eslintrc.js" is all stem but its suffix."""
    name = name_of(path)
    dot = name.find(".", 1)
    return name if dot < 0 else name[:dot]


def within(folder: str, name: str) -> str:
    """Return the path of a name in a folder."""
    return f"{folder}/{name}" if folder else name


def joined(folder: str, relative: str) -> str | None:
    """Return where a relative path leads from a folder, None where that is outside the tree."""
    at = folder.split("/") if folder else []
    for segment in relative.split("/"):
        if segment == "..":
            if not at:
                return None
            at.pop()
        elif segment not in ("", "."):
            at.append(segment)
    return "/".join(at)


def upward(folder: str) -> Iterator[str]:
    """Yield a folder and the folders around it, up to the top."""
    yield folder
    for _ in range(MAX_SEGMENTS):
        if not folder:
            return
        folder = folder_of(folder)
        yield folder
    if folder:
        yield ""


def shared(one: str, other: str) -> int:
    """Return how many folders two paths have in common, from the top."""
    count = 0
    for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if left != right:
            break
        count += 1
    return count


def nearest_first(paths: Iterable[str], near: str) -> list[str]:
    """Return the paths, those first that share most folders with `near`, then the shallow ones."""
    return sorted(paths, key=lambda path: (-shared(path, near), path.count("/"), path))


def longest_word(text: str) -> str:
    """Return the longest run of identifier characters, "" if there is none."""
    words = "".join(
        each if (each.isascii() and each.isalnum()) or each == "_" or each > "\x7f" else " "
        for each in text[:1_000]
    ).split(" ")
    return max(words, key=len)


class Endings:
    """Which of some paths end with given segments, in the time of a binary search."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._backward = sorted("/" + path for path in paths)
        self._backward = sorted(path[::-1] for path in self._backward)

    def find(self, ending: str) -> list[str]:
        """Return at most MAX_MATCHES of the paths whose last segments are `ending`."""
        start = ("/" + ending)[::-1]
        at = bisect_left(self._backward, start)
        found = []
        for backward in self._backward[at : at + MAX_MATCHES]:
            if not backward.startswith(start):
                break
            found.append(backward[-2::-1])
        return found


class Tree:
    """All files of a tree. What is derived is made when it is first asked for."""

    def __init__(self, paths: Iterable[str], read: Callable[[str], bytes | None]) -> None:
        self.files = frozenset(paths)
        self._read = read

    def __contains__(self, path: str) -> bool:
        return path in self.files

    @cached_property
    def _by_suffix(self) -> dict[str, list[str]]:
        suffixes: dict[str, list[str]] = {}
        for path in self.files:
            dot = path.rfind(".")
            suffix = path[dot + 1 :].lower()
            if dot >= 0 and "/" not in suffix:
                suffixes.setdefault(suffix, []).append(path)
        return suffixes

    def having(self, *suffixes: str) -> list[str]:
        """Return the files that have one of some suffixes (lower case, no dot), in no order."""
        return [path for suffix in suffixes for path in self._by_suffix.get(suffix, ())]

    def named(self, name: str) -> list[str]:
        """Return the files of a name that has a suffix, the shallowest first."""
        suffix = name.rpartition(".")[2].lower()
        ending = "/" + name
        found = [
            path
            for path in self._by_suffix.get(suffix, ())
            if path.endswith(ending) or path == name
        ]
        return sorted(found, key=lambda path: (path.count("/"), path))[:MAX_SETTINGS_FILES]

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """Every folder, and the files that lie directly in it."""
        folders: dict[str, list[str]] = {"": []}
        for path in self.files:
            folder = folder_of(path)
            held = folders.get(folder)
            if held is None:
                folders[folder] = [path]
                while (folder := folder_of(folder)) not in folders:
                    folders[folder] = []
            else:
                held.append(path)
        return folders

    def settings(self, path: str) -> bytes:
        """Return the bytes of a small file, b"" where there is none or it is too large."""
        data = self._read(path) if path in self.files else None
        return b"" if data is None or len(data) > MAX_SETTINGS_BYTES else data
