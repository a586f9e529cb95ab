"""What the diff of a lock file means, as a table of dependencies that came, went and moved."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reviewer.detectors.lock_parsers import Locked, Parser, parser_for
from reviewer.request import DependencyChange
from reviewer.text import decode, printable

MAX_LOCK_BYTES = 8_000_000  # a tomllib second or two; the largest known ones are about 4 MB


@dataclass(frozen=True)
class Table:
    """What changed between two versions of a lock file; `note` says why nothing could be read."""

    changes: list[DependencyChange]
    note: str | None = None


_WRITTEN_BY_PEOPLE = ("go.mod", ".txt")


def is_lockfile(path: str) -> bool:
    """Is this a file that a program writes, so that the table says all there is to review in it?

    `dependency_table` also reads go.mod and requirements files; people write those.
    """
    return parser_for(path) is not None and not path.endswith(_WRITTEN_BY_PEOPLE)


def may_lock(path: str) -> bool:
    """Is this a file that `dependency_table` reads?"""
    return parser_for(path) is not None


def dependency_changes(path: str, base: bytes | None, head: bytes | None) -> list[DependencyChange]:
    """Return what a lock file's change adds, removes and moves; see `dependency_table`."""
    return dependency_table(path, base, head).changes


def dependency_table(path: str, base: bytes | None, head: bytes | None) -> Table:
    """Return the dependency changes between two ends of a lock file, by name; raise nothing.

    A broken or huge file gives no changes and a note. go.sum gives none: it also lists versions
    that are not used, and go.mod beside it says which are.
    """
    parser = parser_for(path)
    if parser is None or path.endswith("go.sum"):
        return Table([])
    ends = read_locked(parser, base), read_locked(parser, head)
    if isinstance(ends[0], str) or isinstance(ends[1], str):
        why = next(end for end in ends if isinstance(end, str))
        return Table([], f"{printable(path)} is not in the table of dependencies: {why}")
    old, new = (_versions(end) for end in ends if not isinstance(end, str))
    rows = []
    for name in sorted(old.keys() | new.keys()):
        gone, came = sorted(old[name] - new[name]), sorted(new[name] - old[name])
        pairs: list[tuple[str | None, str | None]] = (
            [(gone[0], came[0])]
            if len(gone) == len(came) == 1
            else [*((version, None) for version in gone), *((None, version) for version in came)]
        )
        rows += [
            DependencyChange(
                path=printable(path),
                ecosystem=parser.ecosystem,
                name=printable(name),
                old=None if before is None else printable(before),
                new=None if after is None else printable(after),
            )
            for before, after in pairs
        ]
    return Table(rows)


def read_locked(parser: Parser, data: bytes | None) -> list[Locked] | str:
    """Return what a file locks, or why it cannot be read."""
    if data is None:
        return []
    if len(data) > MAX_LOCK_BYTES:
        return f"it has more than {MAX_LOCK_BYTES // 1_000_000} MB"
    try:
        text = decode(data.removeprefix(b"\xef\xbb\xbf")).replace("\r\n", "\n")
        locked = list(parser.parse(text))
        if not all(isinstance(part, str) for each in locked for part in (each.name, each.version)):
            raise TypeError  # JSON and TOML have other types where a name should be
        return locked
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        return f"it could not be read ({type(error).__name__})"


def _versions(locked: Iterable[Locked]) -> defaultdict[str, set[str]]:
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for each in locked:
        versions[each.name].add(each.version)
    return versions
