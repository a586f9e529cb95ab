"""The files of one commit, as far as questions about code go."""

from collections.abc import Iterable
from dataclasses import dataclass

from reviewer.languages import Language, language_of
from reviewer.parsing.extract import LANGUAGES
from reviewer.ports import Entry

_FILES = frozenset({"100644", "100755", "100664"})


@dataclass(frozen=True)
class Tree:
    """`shas` names the blob of each file, `sources` the files that each blob of source code is."""

    shas: dict[str, bytes]
    sources: dict[bytes, tuple[str, ...]]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Tree":
        """Make it of the entries of a commit's tree; symlinks are left out."""
        shas: dict[str, bytes] = {}
        sources: dict[bytes, tuple[str, ...]] = {}
        for entry in entries:
            if entry.mode in _FILES:
                sha = shas[entry.path] = bytes.fromhex(entry.sha)
                if source_language(entry.path) is not None:
                    sources[sha] = (*sources.get(sha, ()), entry.path)
        return cls(shas, sources)


def source_language(path: str) -> Language | None:
    """Return the language of a file whose names can be told, None for any other file."""
    language = language_of(path)
    return language if language in LANGUAGES else None


def family_of(path: str) -> Language | None:
    """Return a language that stands for all whose files use each other's names."""
    language = source_language(path)
    return _FAMILIES.get(language, language) if language is not None else None


_FAMILIES = {
    Language.TSX: Language.TYPESCRIPT,
    Language.JAVASCRIPT: Language.TYPESCRIPT,
    Language.C: Language.CPP,
    Language.KOTLIN: Language.JAVA,
}
