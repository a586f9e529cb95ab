"""Changes written by hand: a hunk is a list of lines as a diff shows them."""

import hashlib

from reviewer.change import Change, FileChange, Hunk, Kind, Line, Span, Status


def hunk(path: str, shown: str, old_start: int = 1, new_start: int = 1) -> Hunk:
    """Make a hunk from the lines of a diff, first column included."""
    old, new = old_start, new_start
    lines = []
    for row in shown.strip("\n").split("\n"):
        kind, text = row[:1] or " ", row[1:]
        lines.append(
            Line(
                kind=kind,  # type: ignore[arg-type]
                text=text,
                old=None if kind == "+" else old,
                new=None if kind == "-" else new,
            )
        )
        old += kind != "+"
        new += kind != "-"
    digest = hashlib.sha256(f"{path}\n{shown}".encode("utf-8", "surrogateescape")).hexdigest()[:10]
    return Hunk(
        digest, path, old_start, old - old_start, new_start, new - new_start, "", tuple(lines)
    )


def changed(path: str, *hunks: Hunk, status: Status = Status.MODIFIED) -> FileChange:
    """Make a changed text file of some hunks."""
    lines = [line for one in hunks for line in one.lines]
    return FileChange(
        path=path,
        old_path=path,
        new_path=path,
        status=status,
        kind=Kind.TEXT,
        old_mode="100644",
        new_mode="100644",
        old_sha="1" * 40,
        new_sha="2" * 40,
        added=sum(line.kind == "+" for line in lines),
        deleted=sum(line.kind == "-" for line in lines),
        hunk_count=len(hunks),
        parse=lambda: hunks,
    )


def change(*files: FileChange) -> Change:
    """Make a change of some files."""
    return Change("b" * 40, "a" * 40, "c" * 40, files)


def whole(one: Hunk) -> Span:
    """Return a hunk as one span."""
    return Span(one.id, one, 0, len(one.lines))
