"""What the detectors say of the result, and to whose part it goes back."""

import re
from collections.abc import Collection, Mapping, Sequence

from reviewer.change import FileChange
from reviewer.detectors.run import Detected, detect
from reviewer.finding import Finding, Severity
from reviewer.ports import Cancelled
from reviewer.refactor.members import at_objects
from reviewer.refactor.protect import refused
from reviewer.refactor.tree import Overlay, Tree
from reviewer.refactor.values import Module
from reviewer.text import printable
from reviewer.triage import triage

LEFTOVERS = frozenset({"leftovers", "hidden", "secrets", "python-lint"})
"""Detectors that speak of a line by itself: of code that was only moved they say nothing new."""

BODY_CHARS = 600

_CONTRACTS = "detector:contracts/"
_BROKEN = re.compile(r"`([^`\n]+):\d+`")
"""How that detector names a place that was not adapted."""


def examined(tree: Tree, cancelled: Cancelled) -> Detected:
    """Return what the detectors say of the tree that its start did not have already."""
    sorted_out = triage(tree.change, tree.objects)
    scope, context = sorted_out.scope, tree.code.context
    found = detect(tree.change, tree.objects, scope, cancelled, context, ours=True, also=at_objects)
    gone = _gone(tree.change.files)
    new = [each for each in found.findings if not _was_there(each, gone)]
    return Detected(new, found.notes, found.checked)


def _gone(files: Sequence[FileChange]) -> frozenset[str]:
    return frozenset(
        printable(line.text).strip()
        for file in files
        for hunk in file.hunks
        for line in hunk.lines
        if line.kind == "-"
    )


def _was_there(finding: Finding, gone: frozenset[str]) -> bool:
    name = finding.source.removeprefix("detector:").partition("/")[0]
    # A name that nothing defines any more stands at the line that defined it, which is gone.
    if name not in LEFTOVERS or finding.source.endswith(("/F821", "/F822")):
        return False
    # An import that nothing uses any more is new, although its line is not.
    if name == "python-lint" and not finding.evidence.strip():
        return False
    lines = [line.strip() for line in finding.evidence.splitlines() if line.strip()]
    moved = bool(lines) and all(line in gone for line in lines)
    return moved or (name == "leftovers" and not finding.severity.at_least(Severity.MEDIUM))


def blamed(
    findings: Sequence[Finding], owners: Mapping[str, str], tree: Overlay
) -> dict[str, list[tuple[str, str]]]:
    """Return, by the module that caused it, (path, what is wrong) of each finding.

    `owners` has the module of each path. "" stands for what none has caused: the host's own work.
    """
    spelled = {printable(path): path for path in (*tree.start.modes, *tree.files)}
    found: dict[str, list[tuple[str, str]]] = {}
    for each in findings:
        victims = _BROKEN.findall(each.body) if each.source.startswith(_CONTRACTS) else []
        names = [each.path, *(place.path for place in each.places), *victims]
        paths = [spelled[name] for name in dict.fromkeys(names) if name in spelled]
        cause = next((owners[path] for path in paths if path in owners), "")
        told = found.setdefault(cause, [])
        told += [(path, described(each)) for path in paths]
    return found


def with_victims(
    module: Module, told: Sequence[tuple[str, str]], tree: Overlay, taken: Collection[str]
) -> Module:
    """Return the module with the files that it broke and that belong to nobody."""
    more = [
        path
        for path in dict.fromkeys(path for path, _ in told)
        if path not in taken and tree.blob(path) is not None and refused(path, tree) is None
    ]
    return module.model_copy(update={"files": [*module.files, *more]})


def described(each: Finding) -> str:
    """Return a finding as whoever has to mend it reads it."""
    body = " ".join(each.body.split())[:BODY_CHARS]
    line = f" At: {' '.join(each.evidence.split())[:200]}" if each.evidence.strip() else ""
    return f"{each.title}. {body}{line}"
