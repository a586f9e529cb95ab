"""Is the line of each claim one that its file has, and does its quoted code stand there?"""

from collections.abc import Mapping, Sequence

from reviewer.change import Change, FileChange
from reviewer.detectors.secrets import redacted
from reviewer.finding import Finding
from reviewer.ports import FileTooLarge, MissingBlob, NoSuchFile, Objects, Rev
from reviewer.text import decode, printable


def nowhere(findings: Sequence[Finding], change: Change, objects: Objects) -> tuple[str, ...]:
    """Return the ids of the claims whose place is in neither the diff nor its file, or has not the
    code that the claim quotes."""
    files = {printable(file.path): file for file in change.files}
    return tuple(one.id for one in findings if not _is_there(one, files, objects))


def _is_there(finding: Finding, files: Mapping[str, FileChange], objects: Objects) -> bool:
    file = files.get(finding.path)
    if finding.start_line is None or finding.line is None:
        return file is not None or _lines(finding.path, "head", objects) != []
    at: Rev = "head" if finding.side == "RIGHT" else "base"
    path: str | None = finding.path
    if file is not None:
        path = file.new_path if at == "head" else file.old_path
    lines = [] if path is None else _lines(path, at, objects)
    if lines is None:  # its text cannot be had: the diff has to do
        return file is None or file.takes_comment(finding.side, finding.start_line, finding.line)
    if finding.line > len(lines):
        return False
    return _stands("\n".join(lines[finding.start_line - 1 : finding.line]), finding)


def _stands(there: str, finding: Finding) -> bool:
    """Does a claim quote what is there? Detectors show some of it masked or cut: something has to
    be shown."""
    if finding.source.startswith("model:"):
        return finding.evidence.split() == redacted(printable(there)).split()
    return bool(finding.evidence.strip())


def _lines(path: str, at: Rev, objects: Objects) -> list[str] | None:
    """Return the lines of a file, none where there is no such file; None: they cannot be had."""
    try:
        text = decode(objects.read(path, at))
    except NoSuchFile:
        return []
    except (FileTooLarge, MissingBlob):
        return None
    return text.removesuffix("\n").split("\n")
