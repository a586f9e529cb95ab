"""Changes of whole small trees, written as texts, and what the detector says about them."""

from collections.abc import Mapping
from contextlib import nullcontext

from reviewer.change import Change, FileChange, Kind
from reviewer.context.provider import Provider
from reviewer.detectors.contracts.detector import Also, Contracts
from reviewer.detectors.run import Registered, run_all
from reviewer.finding import Finding
from tests.reviewer.context.memory import MemoryObjects
from tests.reviewer.context.plain import Trees
from tests.reviewer.detectors.sources import Files, file_change

Files_ = Mapping[str, str]


def changed(
    base: Files_, head: Files_, renamed: Mapping[str, str] | None = None
) -> tuple[FileChange, ...]:
    """Return the changed files of two trees; `renamed` maps new paths to old ones."""
    renamed = renamed or {}
    found = []
    for path in sorted({*base, *head} - set(renamed.values())):
        old_path = renamed.get(path, path)
        before, after = base.get(old_path), head.get(path)
        if old_path != path:
            kind = Kind.RENAME_ONLY if before == after else Kind.TEXT
            found.append(file_change(path, before, after, old_path=old_path, kind=kind))
        elif before != after:
            found.append(file_change(path, before, after))
    return tuple(found)


def breaks(
    base: Files_,
    edits: Mapping[str, str | None],
    *,
    renamed: Mapping[str, str] | None = None,
    refused: frozenset[str] = frozenset(),
    also: Also | None = None,
) -> list[Finding]:
    """Return what is said about a change; `edits` are the files that it adds, changes, deletes."""
    head = {path: text for path, text in {**base, **edits}.items() if text is not None}
    for old in (renamed or {}).values():
        head.pop(old, None)
    files = changed(base, head, renamed)
    # What finds more asks what only the real one answers.
    known = Provider(MemoryObjects(head, base)) if also else None
    trees = Trees(_bytes(head), _bytes(base), refused)
    with known or nullcontext():
        said = run_all(
            [Registered(Contracts(known or trees, also=also), "scope", "hunk", renames=True)],
            Change(base="b" * 40, head="a" * 40, merge_base="b" * 40, files=files),
            Files(dict(head), dict(base)),
            files,
            lambda: False,
        )
    assert said.notes == []
    return said.findings


def _bytes(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}
