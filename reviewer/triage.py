"""Decides which files of a change are set aside before review, and says why in a few words.

Setting a file aside hides it from the reviewer, so the author of a change must not be able to
decide it. The rules, all in favour of reviewing:

- A **generated** file is set aside only if the merge base had the same file (or the one it was
  renamed from) with a marker of its generator in the first lines, and the head has it still. A new
  file is reviewed, whatever it claims; so is one that gained or lost its marker.
- A **vendored** file is set aside only if the merge base had that vendored folder, and the change
  also touches the manifest or lock file from which the folder is filled. A change to a vendored
  file alone is a hand edit, and reviewed.
- **Minified** code (by name and by the length of its lines) is set aside if the base had it
  minified, or if it is too long to be read by anybody; the reason says that it is unreviewed.
- **Data** is set aside when it is large, of a kind that is not executed (a picture with a script
  in it is), and not named like the configuration of a tool. **Snapshots** must be plain strings.
- What has no text to read (binary, submodule, mode, rename, empty) is set aside with that reason.
- What lies outside the **paths asked for** is set aside; whoever starts the review chose them.
- What the **policy** ignores is set aside, if that of the merge base and that of the base branch
  agree; a file that was renamed only if both its names are, so that nothing is moved out of sight.
- **Lock files** are neither: they become the table of dependency changes.

When in doubt a file is reviewed. Detectors for hidden characters and secrets run on every text
file, whatever is decided here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from reviewer.change import Change, FileChange, Kind, Status
from reviewer.detectors.lockfiles import is_lockfile
from reviewer.errors import RlmError
from reviewer.globs import named
from reviewer.languages import Language, language_of
from reviewer.policy import FILE, NO_POLICY, Policy
from reviewer.ports import Objects, Rev
from reviewer.request import TOO_LONG, UNREADABLE
from reviewer.text import printable

NOT_ASKED = "outside the paths asked for"
IGNORED = f"ignored by {FILE}"
NOT_IN_ONLY = f"not among the files that {FILE} wants reviewed"

_HEAD_BYTES = 4_096  # where a generator writes its marker
_LARGE_DATA = 64_000  # bytes of added and deleted lines together that nobody reads one by one
_UNREADABLE = 50_000  # bytes of minified code that nobody can review
_MINIFIED_LINE = 500  # bytes in an average line; people write about 35


@dataclass(frozen=True)
class Triage:
    """Every file of a change in exactly one of three lists, each in the change's order."""

    scope: tuple[FileChange, ...]
    skipped: tuple[tuple[FileChange, str], ...]
    lockfiles: tuple[FileChange, ...]


def triage(
    change: Change,
    objects: Objects,
    paths: Sequence[str] = (),
    policy: Policy = NO_POLICY,
    before: Policy | None = None,
) -> Triage:
    """Sort the files of a change into what is reviewed, set aside with a reason, and lock files.

    `paths` are files and folders as a person writes them; none means all. `policy` and `before` as
    in `not_wanted`.
    """
    vendor = _Vendored(change, objects)
    scope: list[FileChange] = []
    skipped: list[tuple[FileChange, str]] = []
    lockfiles: list[FileChange] = []
    for file in change.files:
        if paths and not within(file, paths):
            skipped.append((file, NOT_ASKED))
            continue
        if unwanted := not_wanted(file, policy, before):
            skipped.append((file, unwanted))
            continue
        if file.kind is Kind.TEXT and is_lockfile(file.path):
            lockfiles.append(file)
            continue
        reason = _unreadable(file) or vendor.reason(file) or _reason(file, objects)
        if reason is None:
            scope.append(file)
        else:
            skipped.append((file, reason))
    if len(scope) + len(skipped) + len(lockfiles) != len(change.files):
        raise AssertionError("triage lost a file")
    return Triage(tuple(scope), tuple(skipped), tuple(lockfiles))


def not_wanted(file: FileChange, policy: Policy, before: Policy | None = None) -> str | None:
    """Return why the policy, and the one before it if there is one, have a file set aside.

    None if one of them does not.
    """
    if before is not None and not_wanted(file, before) is None:
        return None
    if policy.ignore and all(named(name, policy.ignore) for name in file.names):
        return IGNORED
    if policy.only and not any(named(name, policy.only) for name in file.names):
        return NOT_IN_ONLY
    return None


def within(file: FileChange, paths: Sequence[str]) -> bool:
    """Is the file one of these, or in one of these folders, at either end of the change?"""
    names = [printable(name) for name in file.names]
    folders = [path.removeprefix("./").rstrip("/") for path in paths]
    return any(
        folder in {"", ".", name} or name.startswith(f"{folder}/")
        for name in names
        for folder in folders
    )


_NOTHING_TO_READ = {
    Kind.BINARY: "binary",
    Kind.SUBMODULE: "submodule",
    Kind.EMPTY: "empty",
    Kind.MODE_ONLY: "only its mode changed",
    Kind.RENAME_ONLY: "only renamed",
}


def _unreadable(file: FileChange) -> str | None:
    if file.kind is Kind.BROKEN:
        return f"{UNREADABLE} ({file.error})" if file.error else UNREADABLE
    return _NOTHING_TO_READ.get(file.kind)


def _reason(file: FileChange, objects: Objects) -> str | None:
    """Return why a file is set aside after a look at its contents, None if it is reviewed."""
    if file.kind is not Kind.TEXT:
        return None
    if _may_be_minified(file.path) or _may_be_data(file) or _may_be_snapshot(file.path):
        head = _read(objects, file.new_path, "head")
        base = _read(objects, file.old_path, "base")
        return _minified(file, head, base) or _snapshot(file, head, base) or _data(file, head, base)
    return _generated(file, objects)


def _read(objects: Objects, path: str | None, at: Rev) -> bytes | None:
    """Return a file's bytes, None where it is absent or cannot be read (it is reviewed then)."""
    if path is None:
        return None
    try:
        return objects.read(path, at)
    except RlmError:
        return None


def hands_off(path: str, data: bytes) -> str | None:
    """Return why a file of a tree is not written by hand: generated, vendored, minified.

    Whoever edits goes by it: what a tool or another project writes is not to be edited. Unlike in
    a review nobody gains by such a name or marker, so the file's own word is enough.
    """
    if _VENDORED.match(path):
        return "it is vendored: it belongs to another project"
    if _MARKER.search(data[:_HEAD_BYTES]):
        return "it is generated: its first lines say so"
    if _may_be_minified(path) and _is_minified(data):
        return "it is minified"
    return None


# Generated ---------------------------------------------------------------------------------------

_MARKER = re.compile(
    rb"^(?:[ \t]*(?://+|#+|/?\*+|--+|;+|<!--|%+|\"\"\"|'''|\.\.)[ \t]*)"
    rb"[^\n]{0,200}?(?:@generated\b|\bgenerated\b[^\n]{0,200}\bDO NOT (?:EDIT|MODIFY)\b|"
    rb"\b[Tt]his (?:file|code|class) (?:is|was|has been) (?:\w+ )?(?:auto[- ]?)?generated\b|"
    rb"\b(?:Code|File) generated by\b|\b[Aa]uto-?generated (?:by|from)\b|<auto-generated\b|"
    rb"\bGenerated by the protocol buffer compiler\b|\bautogenerated by\b)",
    re.MULTILINE,
)


def _generated(file: FileChange, objects: Objects) -> str | None:
    if file.old_path is None:
        return None  # new: its author may have written the marker to keep us away
    base = _read(objects, file.old_path, "base")
    if base is None or not _MARKER.search(base[:_HEAD_BYTES]):
        return None
    if file.status is Status.DELETED:
        return "generated (deleted)"
    head = _read(objects, file.new_path, "head")
    if head is None or not _MARKER.search(head[:_HEAD_BYTES]):
        return None
    return "generated (marker in the first lines)"


# Vendored ----------------------------------------------------------------------------------------

_VENDORED = re.compile(
    r"^(?:.*/)?(?:vendor|node_modules|third[_-]party|bower_components|_?vendored|Pods|Carthage|"
    r"Godeps)(?=/)",
)
# What says which packages a vendored folder holds: beside the folder, in it, or at the root.
_MANIFESTS = frozenset(
    {
        "go.mod",
        "modules.txt",
        "package.json",
        "composer.json",
        "Gemfile",
        "Cargo.toml",
        "Podfile",
        "Cartfile",
        "pyproject.toml",
        "vendored.txt",
        "vendor.txt",
        "vendor.json",
        "Godeps.json",
        "bower.json",
        "vendor.conf",
        "METADATA",
        "README.chromium",
        "deps.bzl",
        "WORKSPACE",
        "MODULE.bazel",
    }
)


class _Vendored:
    """Knows for each vendored folder whether the base had it and whether its manifest changed."""

    def __init__(self, change: Change, objects: Objects) -> None:
        self._objects = objects
        self._manifests = {
            str(PurePosixPath(file.path).parent)
            for file in change.files
            if PurePosixPath(file.path).name in _MANIFESTS or is_lockfile(file.path)
        }
        self._known: dict[str, bool] = {}

    def reason(self, file: FileChange) -> str | None:
        match = _VENDORED.match(file.path)
        if match is None:
            return None
        folder = match[0]
        if folder not in self._known:
            self._known[folder] = self._filled(folder) and self._was_there(folder)
        return "vendored" if self._known[folder] else None

    def _filled(self, folder: str) -> bool:
        beside = str(PurePosixPath(folder).parent)
        return any(
            place in {".", beside, folder} or place.startswith(f"{folder}/")
            for place in self._manifests
        )

    def _was_there(self, folder: str) -> bool:
        try:
            return bool(self._objects.entries(folder, at="base"))
        except RlmError:
            return False


# Minified, data, snapshots -----------------------------------------------------------------------

_MINIFIED_NAME = re.compile(
    r"(?:[.-]min|\.bundle|\.chunk)\.(?:[cm]?js|css)$|(?:^|/)(?:dist|build|public|static|assets|out)/"
    r".*\.(?:[cm]?js|css)$"
)


def _may_be_minified(path: str) -> bool:
    return bool(_MINIFIED_NAME.search(path))


def _is_minified(data: bytes | None) -> bool:
    return data is not None and len(data) > _MINIFIED_LINE * (data.count(b"\n") + 1)


def _minified(file: FileChange, head: bytes | None, base: bytes | None) -> str | None:
    if not _may_be_minified(file.path):
        return None
    if file.status is Status.DELETED:
        return "minified (deleted)" if _is_minified(base) else None
    if not _is_minified(head) or head is None:
        return None
    if _is_minified(base):
        return "minified: compare it with its published release"
    if len(head) > _UNREADABLE:
        return TOO_LONG
    return None


_DATA_SUFFIXES = (".json", ".jsonl", ".ndjson", ".geojson", ".csv", ".tsv", ".svg", ".map")
_OTHER_DATA_SUFFIXES = (".lottie", ".har", ".xml", ".txt", ".dat")
_TOOL = re.compile(
    r"(?:^|/)(?:\.[^/]+|package|composer|manifest|tsconfig[^/]*|jsconfig|angular|nx|turbo|lerna|"
    r"vercel|firebase|now|app|project|settings|config|renovate|biome|deno|pom|web|build|requirements"
    r"[^/]*|constraints[^/]*|CMakeLists|AndroidManifest|[^/]*\.config|[^/]*rc)\.[^/.]+$|"
    r"(?:^|/)\.[^/]+/",
    re.IGNORECASE,
)
_ACTIVE = re.compile(
    rb"<script|\bon\w{3,20}\s*=|javascript:|<foreignObject|<!ENTITY", re.IGNORECASE
)


def _may_be_data(file: FileChange) -> bool:
    return (
        file.path.lower().endswith((*_DATA_SUFFIXES, *_OTHER_DATA_SUFFIXES))
        and not _TOOL.search(file.path)
        and language_of(file.path) in {Language.JSON, Language.XML, None}
    )


def _data(file: FileChange, head: bytes | None, base: bytes | None) -> str | None:
    if not _may_be_data(file):
        return None
    data = head if head is not None else base
    if data is None or len(data) < _LARGE_DATA or _ACTIVE.search(data):
        return None
    if file.path.endswith(".map"):
        return "source map" if b'"mappings"' in data else None
    touched = sum(len(line.text) for hunk in file.hunks for line in hunk.lines if line.kind != " ")
    return f"data ({len(data) // 1_000:,} KB)" if touched >= _LARGE_DATA else None


def _may_be_snapshot(path: str) -> bool:
    return path.endswith((".snap", ".ambr"))


# Jest runs a snapshot file as a program: only assignments of plain template strings are data.
_SNAPSHOT_STRING = re.compile(rb"`(?:[^`\\$]|\\.|\$(?!\{))*`", re.DOTALL)
_SNAPSHOT_REST = re.compile(rb"(?:\s|//[^\n]*\n|exports\[\]\s*=\s*;)*")


def _snapshot(file: FileChange, head: bytes | None, base: bytes | None) -> str | None:
    if not _may_be_snapshot(file.path):
        return None
    data = head if head is not None else base
    if data is None:
        return None
    if b"exports[" in data and not _SNAPSHOT_REST.fullmatch(_SNAPSHOT_STRING.sub(b"", data)):
        return None
    return "snapshot of a test"
