"""Changed files made by hand: two texts become a FileChange, a Source or a whole Change."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from reviewer.change import Change, FileChange, Hunk, Kind, Line, Status
from reviewer.detectors.base import Note, Source
from reviewer.finding import Finding
from reviewer.ports import Entry, FileTooLarge, Match, NoSuchFile, Rev
from reviewer.text import decode

CONTEXT = 3


def as_bytes(text: str | bytes | None) -> bytes | None:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def _lines(data: bytes | None) -> list[str]:
    if not data:
        return []
    return [decode(line) for line in data.removesuffix(b"\n").split(b"\n")]


def _hunks(path: str, base: bytes | None, head: bytes | None) -> tuple[Hunk, ...]:
    old, new = _lines(base), _lines(head)
    hunks = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        lines: list[Line] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [
                    Line(" ", old[i], i + 1, j + 1)
                    for i, j in zip(range(i1, i2), range(j1, j2), strict=True)
                ]
                continue
            lines += [Line("-", old[i], i + 1, None) for i in range(i1, i2)]
            lines += [Line("+", new[j], None, j + 1) for j in range(j1, j2)]
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        first_old, first_new = i1 + (i2 > i1), j1 + (j2 > j1)
        number = len(hunks)
        hunks.append(
            Hunk(f"{path}#{number}", path, first_old, i2 - i1, first_new, j2 - j1, "", tuple(lines))
        )
    return tuple(hunks)


def file_change(
    path: str,
    base: str | bytes | None,
    head: str | bytes | None,
    *,
    old_path: str | None = None,
    kind: Kind = Kind.TEXT,
) -> FileChange:
    """Return the change of one file; None is a file that is absent at that end."""
    before, after = as_bytes(base), as_bytes(head)
    hunks = _hunks(path, before, after) if kind is Kind.TEXT else ()
    if before is None:
        status = Status.ADDED
    elif after is None:
        status = Status.DELETED
    else:
        status = Status.RENAMED if old_path else Status.MODIFIED
    return FileChange(
        path=path,
        old_path=None if before is None else (old_path or path),
        new_path=None if after is None else path,
        status=status,
        kind=kind,
        old_mode=None if before is None else "100644",
        new_mode=None if after is None else "100644",
        old_sha=None if before is None else "1" * 40,
        new_sha=None if after is None else "2" * 40,
        added=sum(line.kind == "+" for hunk in hunks for line in hunk.lines),
        deleted=sum(line.kind == "-" for hunk in hunks for line in hunk.lines),
        hunk_count=len(hunks),
        parse=lambda: hunks,
    )


def source(
    path: str,
    head: str | bytes | None,
    base: str | bytes | None = None,
    *,
    old_path: str | None = None,
) -> Source:
    """Return one changed file as a detector gets it; without `base` it is new."""
    file = file_change(path, base, head, old_path=old_path)
    return Source(file, as_bytes(head), as_bytes(base))


def change(*files: FileChange) -> Change:
    return Change(base="b" * 40, head="a" * 40, merge_base="b" * 40, files=files)


class Files:
    """Objects that are two dictionaries. `too_large` names paths that the reader refuses."""

    def __init__(
        self,
        head: Mapping[str, str | bytes],
        base: Mapping[str, str | bytes] | None = None,
        too_large: Sequence[str] = (),
    ) -> None:
        self._at: dict[Rev, dict[str, bytes]] = {
            "head": {path: as_bytes(text) or b"" for path, text in head.items()},
            "base": {path: as_bytes(text) or b"" for path, text in (base or {}).items()},
        }
        self._too_large = too_large

    def read(self, path: str, at: Rev = "head") -> bytes:
        if path in self._too_large:
            raise FileTooLarge(path)
        if path not in self._at[at]:
            raise NoSuchFile(path)
        return self._at[at][path]

    def prefetch(self, shas: Iterable[str]) -> None:
        pass

    def entries(self, under: str = "", at: Rev = "head") -> list[Entry]:
        prefix = f"{under}/" if under else ""
        return [
            Entry(path, "100644", "3" * 40, len(data))
            for path, data in sorted(self._at[at].items())
            if path.startswith(prefix)
        ]

    def grep(
        self,
        pattern: str,
        at: Rev = "head",
        under: str = "",
        limit: int = 200,
        *,
        literal: bool = False,
    ) -> list[Match]:
        raise NotImplementedError("no detector here greps")

    @classmethod
    def of(cls, *sources: Source) -> "Files":
        """Return the objects that hold exactly these sources."""
        head = {each.file.path: each.head for each in sources if each.head is not None}
        base = {
            each.file.old_path or each.file.path: each.base
            for each in sources
            if each.base is not None
        }
        return cls(head, base)


def findings(said: Sequence[Finding | Note]) -> list[Finding]:
    return [each for each in said if isinstance(each, Finding)]


def notes(said: Sequence[Finding | Note]) -> list[str]:
    return [each.text for each in said if isinstance(each, Note)]
