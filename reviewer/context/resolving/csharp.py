"""Which files a C# `using` means: a namespace need not be a folder, but mostly it is one."""

from functools import cached_property

from reviewer.context.resolving.tree import (
    Endings,
    Tree,
    folder_of,
    nearest_first,
    upward,
    within,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

_MAX_FILES = 5_000  # of one namespace


class CSharp:
    """Resolves the usings of C# files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the files of a namespace's folder, or of a class; never `inside`.

        Below a project's folder the folders are the rest of the namespace; else a folder is found
        that ends as the namespace does.
        """
        segments = what.module.removeprefix("global::").split(".")
        if not all(segments) or any("/" in each for each in segments):
            return Resolved()
        files = self._namespace(importer, segments)
        if not files and len(segments) > 1:  # `using static` and `using X =` name a class
            wanted = segments[-1] + ".cs"
            files = tuple(
                path
                for path in self._namespace(importer, segments[:-1])
                if path.endswith("/" + wanted) or path == wanted
            )
        return Resolved(files)

    def beside(self, path: str) -> str:
        """Return the project's folder, the nearest with a .csproj, else the file's."""
        folder = folder_of(path)
        return next((each for each in upward(folder) if each in self._homes), folder)

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return nothing: a using names a namespace, and the classes of it need no other word."""
        return ()

    def _namespace(self, importer: str, segments: list[str]) -> tuple[str, ...]:
        folders = self._of_projects(segments)
        if not folders and len(segments) > 1:
            folders = [each[:-2] for each in self._folders.find("/".join(segments) + "/.")]
        files = (
            path
            for folder in nearest_first([within(each, "-") for each in folders], importer)
            for path in sorted(self._tree.folders[folder_of(folder)])
            if path.endswith(".cs")
        )
        return tuple(files)[:_MAX_FILES]

    def _of_projects(self, segments: list[str]) -> list[str]:
        """Return the folders of a namespace in the projects whose names it starts with."""
        for count in range(len(segments), 0, -1):
            homes = self._projects.get(".".join(segments[:count]), ())
            folders = ["/".join(filter(None, (home, *segments[count:]))) for home in homes]
            folders = [each for each in folders if self._has_sources(each)]
            if not folders and count < len(segments):  # some folders are left out of namespaces
                folders = [
                    path[:-2]
                    for path in self._folders.find(segments[-1] + "/.")
                    if any(not home or path.startswith(home + "/") for home in homes)
                ]
            if folders:
                return folders
        return []

    def _has_sources(self, folder: str) -> bool:
        return any(path.endswith(".cs") for path in self._tree.folders.get(folder, ()))

    @cached_property
    def _projects(self) -> dict[str, list[str]]:
        """For each name of a project, mostly its namespace too, the folders of that name."""
        projects: dict[str, list[str]] = {}
        for path in self._tree.having("csproj"):
            name = path.rpartition("/")[2].removesuffix(".csproj")
            projects.setdefault(name, []).append(folder_of(path))
        return projects

    @cached_property
    def _homes(self) -> frozenset[str]:
        return frozenset(folder_of(path) for path in self._tree.having("csproj"))

    @cached_property
    def _folders(self) -> Endings:
        folders = {folder_of(path) for path in self._tree.having("cs")}
        return Endings(folder + "/." for folder in folders)
