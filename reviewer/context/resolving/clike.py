"""Which files an #include of C or C++ means: beside the file, else by the end of the path."""

from functools import cached_property

from reviewer.context.resolving.tree import (
    Endings,
    Tree,
    folder_of,
    joined,
    longest_word,
    nearest_first,
    stem_of,
    upward,
    within,
)
from reviewer.context.values import Resolved
from reviewer.parsing.symbols import Import

_SUFFIXES = ("h", "hh", "hpp", "hxx", "h++", "ipp", "tpp", "inl", "inc", "def", "c", "cc", "cpp")
_ROOTS = ("include", "inc", "src", "lib", "source")
_MAX_ALIKE = 8  # headers of one name: which one is meant is up to the build
_SYSTEM_NAMES = """
aio alloca assert complex cpio ctype dirent dlfcn errno fcntl fenv float fmtmsg fnmatch ftw getopt
glob grp iconv inttypes iso646 langinfo libgen limits locale malloc math memory monetary mqueue ndbm
netdb nl_types poll pthread pwd regex sched search semaphore setjmp signal spawn stdalign stdarg
stdatomic stdbit stdbool stdckdint stddef stdint stdio stdlib stdnoreturn string strings stropts
syslog tar termios tgmath threads time trace uchar ulimit unistd utime utmpx wchar wctype windows
winsock2 wordexp
"""
_SYSTEM = frozenset(_SYSTEM_NAMES.split())


class CLike:
    """Resolves the includes of C and C++ files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the included file; several, nearest first, where only the build knows which.

        Only a path that starts with a dot is `inside`: any other may be found elsewhere, or made.
        """
        module = what.module
        wanted = module.strip("<>").strip()
        if "\0" in module or not wanted or wanted.startswith("/"):
            return Resolved()
        if module.startswith("<"):
            return Resolved(self._by_angle(importer, wanted))
        at = joined(folder_of(importer), wanted)
        if at is not None and at in self._tree:
            return Resolved((at,), "", True)
        if wanted.startswith(("./", "../")):
            return Resolved((), "", at is not None)
        return Resolved(self._searched(importer, wanted))

    def _by_angle(self, importer: str, wanted: str) -> tuple[str, ...]:
        """Return a header that is meant by <>: none of the system's, none that has namesakes."""
        if wanted.removesuffix(".h") in _SYSTEM:
            return ()
        found = self._searched(importer, wanted)
        return found if "/" in wanted or len(found) == 1 else ()

    def _searched(self, importer: str, wanted: str) -> tuple[str, ...]:
        """Return the nearest header in a folder that is mostly searched, else all of the ending."""
        ending = joined("", wanted)
        if not ending:
            return ()
        for each in upward(folder_of(importer)):
            for root in (each, *(within(each, name) for name in _ROOTS)):
                at = within(root, ending)
                if at in self._tree:
                    return (at,)
        return tuple(nearest_first(self._endings.find(ending), importer)[:_MAX_ALIKE])

    def beside(self, path: str) -> str:
        """Return the path: a file sees what it includes."""
        return path

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return a word of the file's name, which an #include has in full."""
        word = longest_word(stem_of(path))
        return (word,) if word else ()

    @cached_property
    def _endings(self) -> Endings:
        return Endings(self._tree.having(*_SUFFIXES))
