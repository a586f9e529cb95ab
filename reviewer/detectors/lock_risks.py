"""Lock-file injection: addresses and hashes that do not belong to what they stand beside.

A lock file is where nobody looks: the version in it is right, and the address or the hash is not
the package's.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote, urlsplit

from reviewer.change import FileChange, Kind
from reviewer.detectors.added import quote
from reviewer.detectors.base import Note, Source
from reviewer.detectors.lock_parsers import Locked, Parser, parser_for
from reviewer.detectors.lockfiles import read_locked
from reviewer.errors import GiveUp
from reviewer.finding import Category, Finding, Severity, Side
from reviewer.ports import Objects
from reviewer.text import decode, printable


class LockFiles:
    """Addresses and hashes in lock files that do not belong to what they stand beside."""

    @property
    def name(self) -> str:
        return "lock-files"

    def wants(self, file: FileChange) -> bool:
        return (
            file.kind is Kind.TEXT
            and file.old_path is not None
            and file.new_path is not None
            and parser_for(file.path) is not None
        )

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterable[Finding | Note]:
        for source in sources:
            parser = parser_for(source.file.path)
            if parser is None:
                continue
            base, head = read_locked(parser, source.base), read_locked(parser, source.head)
            if isinstance(head, str):
                yield Note(f"{printable(source.file.path)} was not checked: {head}")
            elif not isinstance(base, str):
                yield from _foreign(source, parser, base, head, objects)
                yield from _other_package(source, parser, base, head)
                yield from _changed_hashes(source, base, head)
                yield from _lost_hashes(source, base, head)


# --- where a dependency comes from ---

_FORGES = ("github.com", "gitlab.com", "bitbucket.org")
_SAME_REGISTRY = {
    "registry.yarnpkg.com": "registry.npmjs.org",
    "pypi.org": "files.pythonhosted.org",
}
_FEW = 5  # entries: fewer show no habit to depart from
_MANIFESTS = (
    "package.json",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    "pnpm-workspace.yaml",
    "pyproject.toml",
    "pdm.toml",
    "uv.toml",
    "Pipfile",
)


def _host(source: str) -> str:
    try:
        parts = urlsplit(source)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https"):
        return ""
    host = (parts.hostname or "").lower()
    return _SAME_REGISTRY.get(host, host)


def _foreign(
    source: Source, parser: Parser, base: list[Locked], head: list[Locked], objects: Objects
) -> Iterator[Finding]:
    """Report new addresses without TLS, and new hosts that neither lock file nor manifest knows."""
    known = {(each.name, each.source) for each in base}
    hosts = [_host(each.source) for each in head if _host(each.source)]
    usual = {_host(each.source) for each in base}
    plain_before = any(each.source.startswith("http://") for each in base)
    told: set[str] = set()
    for each in head:
        host = _host(each.source)
        if not host or (each.name, each.source) in known:
            continue
        if each.source.startswith("http://") and not plain_before and host not in told:
            told.add(host)
            yield _finding(
                source,
                _line_with(source, each.source),
                f"{each.name} is fetched without TLS",
                rule="insecure-source",
                severity=Severity.MEDIUM if each.hashes else Severity.HIGH,
                confidence=0.9,
                body=f"Whoever sits between can answer in the place of `{host}`"
                + (
                    ": only the hash stands against it."
                    if each.hashes
                    else ", and no hash is locked."
                ),
            )
        elif (
            parser.ecosystem in ("npm", "PyPI")
            and host not in usual | told
            and len(hosts) >= _FEW
            and hosts.count(host) * 2 < len(hosts)
            and not _declared(source, host, each, objects)
        ):
            told.add(host)
            yield _finding(
                source,
                _line_with(source, each.source),
                f"{each.name} comes from another host than the rest",
                rule="foreign-source",
                severity=Severity.HIGH,
                confidence=0.75,
                body=f"The lock file takes {each.name} from `{host}`, which no other entry used "
                "before and no manifest beside it names. Whoever edits a lock file can put any "
                "package behind a known name this way.",
            )


def _declared(source: Source, host: str, each: Locked, objects: Objects) -> bool:
    """Does a manifest beside the lock file name the host, or the repository on a forge?"""
    folder = source.file.path.rpartition("/")[0]
    forge = any(host == name or host.endswith("." + name) for name in _FORGES)
    owner = "/".join(urlsplit(each.source).path.strip("/").split("/")[:2]).removesuffix(".git")
    for manifest in _MANIFESTS:
        for place in {f"{folder}/{manifest}" if folder else manifest, manifest}:
            try:
                text = decode(objects.read(place, "head"))
            except GiveUp:
                continue  # not there, or too large to be a manifest
            if (owner and owner in text) if forge else host in text:
                return True
    return False


_NPM_TARBALL = re.compile(r"https?://[^/]+/(?P<path>.+)/-/[^/]+\.tgz(?:[?#].*)?$")


def _other_package(
    source: Source, parser: Parser, base: list[Locked], head: list[Locked]
) -> Iterator[Finding]:
    """Report entries whose address is a registry's address of another package."""
    if parser.ecosystem != "npm":
        return
    known = {(each.name, each.source) for each in base}
    for each in head:
        found = _NPM_TARBALL.match(each.source)
        if not found or (each.name, each.source) in known:
            continue
        path = unquote(found["path"])
        if path != each.name and not path.endswith("/" + each.name):
            yield _finding(
                source,
                _line_with(source, each.source),
                f"{each.name} is fetched from the address of another package",
                rule="other-package",
                severity=Severity.CRITICAL,
                confidence=0.85,
                body=f"The entry says {each.name} {each.version}, and its address is that of "
                f"`{path.rpartition('/-/')[0] or path}`: what gets installed is the other package.",
            )


# --- which bytes it is ---


def _by_version(locked: Iterable[Locked]) -> dict[tuple[str, str], Locked]:
    return {(each.name, each.version): each for each in locked}


def _algorithm(value: str) -> str:
    found = re.match(r"\w+(?=[-:=/])", value)
    return found[0] if found else ""


def _contradict(old: frozenset[str], new: frozenset[str]) -> bool:
    """Is there an algorithm in both, and not one hash in common?"""
    shared = {_algorithm(value) for value in old} & {_algorithm(value) for value in new}
    return bool(shared) and not old & new


def _fixed(each: Locked) -> bool:
    """A registry's release never changes; a folder, a branch or a packed repository does."""
    return not each.source.startswith(("git", "file:", "ssh")) and ":" not in each.version


_MASS = 0.5  # share of a file's entries that no attack and only a change of format touches


def _changed_hashes(source: Source, base: list[Locked], head: list[Locked]) -> Iterator[Finding]:
    before = _by_version(base)
    common = [each for each in head if (each.name, each.version) in before]
    changed = [
        each
        for each in common
        if _fixed(each)
        and _contradict(before[each.name, each.version].hashes, each.hashes)
        and urlsplit(before[each.name, each.version].source).path == urlsplit(each.source).path
    ]
    if len(changed) > _FEW and len(changed) > len(common) * _MASS:
        return
    for each in changed:
        line = next((n for value in sorted(each.hashes) if (n := _line_with(source, value))), None)
        yield _finding(
            source,
            line,
            f"The hash of {each.name} changed and its version did not",
            rule="changed-hash",
            severity=Severity.HIGH,
            confidence=0.85,
            body=f"{each.name} {each.version} was locked to other bytes before. A released version "
            "does not change: either the registry serves something else now, or the lock file was "
            "edited.",
        )


def _lost_hashes(source: Source, base: list[Locked], head: list[Locked]) -> Iterator[Finding]:
    after: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in head:
        after[each.name, each.version] |= each.hashes
    kept = {(each.name, each.version) for each in head}
    lost = [
        each
        for each in base
        if each.hashes
        and _fixed(each)
        and (each.name, each.version) in kept
        and not after[each.name, each.version]
    ]
    if lost:
        names = ", ".join(sorted({each.name for each in lost})[:3])
        more = len({each.name for each in lost}) - 3
        line = next((n for v in sorted(lost[0].hashes) if (n := _line_with(source, v, "-"))), None)
        yield _finding(
            source,
            line,
            "Locked dependencies lose their hash",
            rule="lost-hash",
            severity=Severity.MEDIUM,
            confidence=0.85,
            body=f"{names}{f' and {more} more' if more > 0 else ''} stay at their version without "
            "the hash that fixed their bytes: whatever the source serves will be installed.",
            side="LEFT",
        )


# --- reporting ---


def _line_with(source: Source, text: str, kind: str = "+") -> tuple[int, str] | None:
    for hunk in source.file.hunks:
        for line in hunk.lines:
            number = line.new if kind == "+" else line.old
            if line.kind == kind and number is not None and text in line.text:
                return number, line.text
    return None


def _finding(
    source: Source,
    line: tuple[int, str] | None,
    title: str,
    *,
    rule: str,
    severity: Severity,
    confidence: float,
    body: str,
    side: Side = "RIGHT",
) -> Finding:
    number = line[0] if line else None
    return Finding(
        path=printable(source.file.path),
        side=side,
        start_line=number,
        line=number,
        category=Category.SECURITY,
        severity=severity,
        confidence=confidence,
        title=printable(title),
        body=printable(body),
        evidence=quote([line[1]], 1, 1) if line else "",
        source=f"detector:lock-files/{rule}",
    )
