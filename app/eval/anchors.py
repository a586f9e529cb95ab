"""Is the line of each claim one that the diff or the file has?"""

from collections.abc import Mapping, Sequence

from reviewer.change import Change, FileChange
from reviewer.finding import Finding
from reviewer.ports import FileTooLarge, MissingBlob, NoSuchFile, Objects, Rev
from reviewer.text import printable


def nowhere(findings: Sequence[Finding], change: Change, objects: Objects) -> tuple[str, ...]:
    """Return the ids of the claims whose place is in neither the diff nor its file."""
    files = {printable(file.path): file for file in change.files}
    return tuple(one.id for one in findings if not _is_there(one, files, objects))


def _is_there(finding: Finding, files: Mapping[str, FileChange], objects: Objects) -> bool:
    file = files.get(finding.path)
    if finding.start_line is None or finding.line is None:
        return file is not None or _lines(finding.path, "head", objects) > 0
    if file is not None and file.takes_comment(finding.side, finding.start_line, finding.line):
        return True
    at: Rev = "head" if finding.side == "RIGHT" else "base"
    path: str | None = finding.path
    if file is not None:
        path = file.new_path if at == "head" else file.old_path
    return path is not None and finding.line <= _lines(path, at, objects)


def _lines(path: str, at: Rev, objects: Objects) -> float:
    """Return how many lines a file has; without end where its text cannot be had."""
    try:
        raw = objects.read(path, at)
    except NoSuchFile:
        return 0
    except (FileTooLarge, MissingBlob):
        return float("inf")
    return raw.count(b"\n") + (not raw.endswith(b"\n"))
