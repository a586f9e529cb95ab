"""Lock files of many ecosystems as one list of values: what is locked, from where, to which bytes.

A parser is a function from the file's text to `Locked` values; `parser_for` finds it by file name.
Parsers raise ValueError (or KeyError, TypeError, AttributeError) for what they cannot read, and
take time in proportion to the file. YAML is read by lines: these files are written by one program
each, and a YAML library brings anchors that make kilobytes into gigabytes.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Locked:
    """One locked dependency. `source` is the URL it comes from, "" where the file does not say.

    `hashes` hold the algorithm as they are written: `sha512-…`, `sha256:…`, `h1:…`.
    """

    name: str
    version: str
    source: str = ""
    hashes: frozenset[str] = frozenset()


Parse = Callable[[str], Iterator[Locked]]


@dataclass(frozen=True, slots=True)
class Parser:
    """How to read one kind of lock file, and what its ecosystem is called."""

    ecosystem: str
    parse: Parse


def parser_for(path: str) -> Parser | None:
    """Return the parser for a file of that name, or None if it is no lock file we can read."""
    name = path.rpartition("/")[2]
    if name in PARSERS:
        return PARSERS[name]
    return _REQUIREMENTS if _REQUIREMENTS_NAME.fullmatch(name) else None


def _hashes(*values: object) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str) and value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# npm, yarn, pnpm ---------------------------------------------------------------------------------


def _npm(text: str) -> Iterator[Locked]:
    lock = json.loads(text)
    if "packages" in lock:
        for place, entry in lock["packages"].items():
            _, found, name = place.rpartition("node_modules/")
            if found and not entry.get("link"):
                yield _npm_entry(_text(entry.get("name")) or name, entry)
        return
    waiting = [lock.get("dependencies", {})]
    while waiting:
        for name, entry in waiting.pop().items():
            yield _npm_entry(name, entry)
            waiting.append(entry.get("dependencies", {}))


def _npm_entry(name: str, entry: Mapping[str, Any]) -> Locked:
    version = _text(entry.get("version"))
    alias = re.match(r"npm:(.+)@(.+)", version)
    if alias:
        name, version = alias[1], alias[2]
    hashes = _text(entry.get("integrity")).split()
    return Locked(name, version, _text(entry.get("resolved")), _hashes(*hashes))


_YARN_FIELD = re.compile(
    r"^ {2}\"?(version|resolved|resolution|integrity|checksum|linkType)\"?:? (.*)$"
)


def _yarn(text: str) -> Iterator[Locked]:
    for header, lines in _blocks(text, indent=""):
        fields = {}
        for line in lines:
            found = _YARN_FIELD.match(line)
            if found:
                fields[found[1]] = found[2].strip().strip('"')
        if header == "__metadata" or "version" not in fields or fields.get("linkType") == "soft":
            continue  # the file's own version, or a workspace
        name = _yarn_name(header)
        hashes = _hashes(*fields.get("integrity", "").split(), fields.get("checksum", ""))
        resolution = fields.get("resolution", "")
        source = fields.get("resolved", "")
        if not source and "@npm:" not in resolution:
            source = resolution[len(name) + 1 :]
        yield Locked(name, fields["version"], source, hashes)


def _yarn_name(header: str) -> str:
    first = header.split(",", maxsplit=1)[0].strip().strip('"')
    real = re.match(r"(?:@?[^@]+)@npm:(@?[^@]+)@", first)
    if real:
        return real[1]
    return first[: first.index("@", 1)] if "@" in first[1:] else first


_PNPM_KEY = re.compile(r"(?P<name>@[^/@]+/[^/@]+|[^/@]+)[/@](?P<version>[^(_]+)")
_PNPM_RESOLUTION = re.compile(r"\b(integrity|tarball|repo|commit): ([^,}\s]+)")


def _pnpm(text: str) -> Iterator[Locked]:
    for header, lines in _blocks(_section(text, "packages"), indent="  "):
        key = header.strip("'\"").lstrip("/")
        found = _PNPM_KEY.match(key)
        if not found:
            continue
        fields: dict[str, str] = {}
        for line in lines:
            if line.strip().startswith(("resolution:", "integrity:", "tarball:")):
                fields.update(_PNPM_RESOLUTION.findall(line))
        source = fields.get("tarball", fields.get("repo", ""))
        yield Locked(found["name"], found["version"], source, _hashes(fields.get("integrity")))


def _section(text: str, name: str) -> str:
    """Return the lines of a top-level key of a YAML file, without the key's own line."""
    found = re.search(rf"^{name}:[ \t]*\n((?:[ \t].*\n|\n)*)", text + "\n", re.MULTILINE)
    return found[1] if found else ""


def _blocks(text: str, indent: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each key at an indentation with the deeper lines below it."""
    header, lines = "", list[str]()
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.startswith(indent) and line[len(indent)] not in " \t":
            if header:
                yield header, lines
            header, _, value = line[len(indent) :].rpartition(":")
            lines = [value] if value.strip() else []
        else:
            lines.append(line)
    if header:
        yield header, lines


# Python ------------------------------------------------------------------------------------------


def _python_toml(text: str) -> Iterator[Locked]:
    """Read poetry.lock, uv.lock and pdm.lock, which differ in where they keep files."""
    lock = tomllib.loads(text)
    old_files = lock.get("metadata", {}).get("files", {})  # poetry before 1.3
    for package in lock.get("package", []):
        source = package.get("source", {})
        if isinstance(source, str) or {"virtual", "editable", "directory"} & set(source):
            continue
        name = package["name"]
        files = [
            *package.get("files", old_files.get(name, [])),
            *package.get("wheels", []),
            *([package["sdist"]] if isinstance(package.get("sdist"), dict) else []),
        ]
        url = next((_text(each["url"]) for each in files if each.get("url")), "")
        for key in ("git", "url", "registry"):
            url = url or _text(source.get(key))
        hashes = _hashes(*(each.get("hash") for each in files))
        yield Locked(name, _text(package.get("version")), url, hashes)


def _pipfile(text: str) -> Iterator[Locked]:
    lock = json.loads(text)
    for section in ("default", "develop"):
        for name, entry in lock.get(section, {}).items():
            version = _text(entry.get("version")).removeprefix("==") or _text(entry.get("ref"))
            source = _text(entry.get("git")) or _text(entry.get("file"))
            yield Locked(name, version, source, _hashes(*entry.get("hashes", [])))


_REQUIREMENTS_NAME = re.compile(
    r"(?:[\w.-]*requirements[\w.-]*|constraints[\w.-]*)\.(?:txt|lock)", re.IGNORECASE
)
_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*===?\s*(?P<version>[^\s;#,]+)"
)
_DIRECT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*@\s*(?P<url>\S+)")
_HASH = re.compile(r"--hash[= ](\S+)")


def _requirements(text: str) -> Iterator[Locked]:
    for line in map(str.strip, text.replace("\\\n", " ").split("\n")):
        if pinned := _PINNED.match(line):
            name = re.sub(r"[-_.]+", "-", pinned["name"]).lower()
            yield Locked(name, pinned["version"], "", _hashes(*_HASH.findall(line)))
        elif direct := _DIRECT.match(line):
            yield Locked(
                direct["name"], direct["url"], direct["url"], _hashes(*_HASH.findall(line))
            )


# Rust, Go, Ruby, PHP, Elixir ---------------------------------------------------------------------


def _cargo(text: str) -> Iterator[Locked]:
    for package in tomllib.loads(text).get("package", []):
        if "source" in package:  # without one it is a member of the workspace
            hashes = _hashes(package.get("checksum"))
            yield Locked(package["name"], _text(package.get("version")), package["source"], hashes)


def _go_sum(text: str) -> Iterator[Locked]:
    for line in text.split("\n"):
        parts = line.split()
        if len(parts) == 3 and not parts[1].endswith("/go.mod"):
            yield Locked(parts[0], parts[1], "", _hashes(parts[2]))


_GO_REQUIRE = re.compile(r"^(?:require\s+|\s+)([^\s()/][^\s()]*\.[^\s()]+)\s+(v\d\S*)(?:\s*//.*)?$")


def _go_mod(text: str) -> Iterator[Locked]:
    block = ""
    for line in text.splitlines():
        if opened := re.match(r"(\w+)\s*\(\s*$", line):
            block = opened[1]
        elif line.startswith(")"):
            block = ""
        elif (block == "require" or line.startswith("require")) and (
            found := _GO_REQUIRE.match(line)
        ):
            yield Locked(found[1], found[2])


def _gemfile(text: str) -> Iterator[Locked]:
    sums = dict(re.findall(r"^  ([\w.-]+ \([^)]+\)) (sha256=\w+)$", text, re.MULTILINE))
    section, remote = "", ""
    for line in text.splitlines():
        if line and line[0] != " ":
            section, remote = line, ""
        elif section in ("GEM", "GIT"):
            if found := re.match(r"  remote: (\S+)", line):
                remote = found[1]
            elif found := re.match(r"    ([\w.-]+) \(([^)]+)\)$", line):
                hashes = _hashes(sums.get(f"{found[1]} ({found[2]})"))
                yield Locked(found[1], found[2], remote, hashes)


def _composer(text: str) -> Iterator[Locked]:
    lock = json.loads(text)
    for entry in [*lock.get("packages", []), *lock.get("packages-dev", [])]:
        dist = entry.get("dist") or {}
        version = entry["version"]
        # The commit of a released version never changes; a branch's does every day.
        commit = "" if "dev" in version else _text((entry.get("source") or {}).get("reference"))
        yield Locked(entry["name"], version, _text(dist.get("url")), _hashes(commit))


_MIX = re.compile(
    r'^\s*"(?P<name>[^"]+)":\s*\{:(?P<kind>hex|git),\s*(?::\w+|"(?P<url>[^"]*)"),'
    r'\s*"(?P<version>[^"]*)"(?:,\s*"(?P<hash>[^"]*)")?',
    re.MULTILINE,
)


def _mix(text: str) -> Iterator[Locked]:
    for found in _MIX.finditer(text):
        digest = found["hash"] if found["kind"] == "hex" else None
        yield Locked(found["name"], found["version"], found["url"] or "", _hashes(digest))


# .NET, Java, Apple, Dart -------------------------------------------------------------------------


def _nuget(text: str) -> Iterator[Locked]:
    seen: set[tuple[str, str]] = set()
    for framework in json.loads(text).get("dependencies", {}).values():
        for name, entry in framework.items():
            version = _text(entry.get("resolved"))
            if version and (name, version) not in seen:
                seen.add((name, version))
                yield Locked(name, version, "", _hashes(entry.get("contentHash")))


def _gradle(text: str) -> Iterator[Locked]:
    for group, name, version in re.findall(
        r"^([^\s:#=]+):([^\s:=]+):([^\s:=]+)=", text, re.MULTILINE
    ):
        yield Locked(f"{group}:{name}", version)


def _podfile(text: str) -> Iterator[Locked]:
    seen: set[str] = set()
    for name, version in re.findall(
        r"^  - \"?([^\s\"/(]+)(?:/[^\s(]+)? \(([^)]+)\)", _section(text, "PODS"), re.MULTILINE
    ):
        if name not in seen:
            seen.add(name)
            yield Locked(name, version)


def _swift(text: str) -> Iterator[Locked]:
    lock = json.loads(text)
    for pin in lock.get("pins") or lock.get("object", {}).get("pins", []):
        state = pin["state"]
        version = _text(state.get("version"))
        name = _text(pin.get("identity")) or _text(pin.get("package"))
        source = _text(pin.get("location")) or _text(pin.get("repositoryURL"))
        revision = _text(state.get("revision"))
        # The commit of a released version never changes.
        yield Locked(name, version or revision, source, _hashes(revision if version else None))


def _pub(text: str) -> Iterator[Locked]:
    for name, lines in _blocks(_section(text, "packages"), indent="  "):
        fields = dict(re.findall(r"^\s+(\w+): \"?([^\"\n]*)\"?$", "\n".join(lines), re.MULTILINE))
        if fields.get("source") in ("hosted", "git"):
            hashes = _hashes(fields.get("sha256"))
            yield Locked(name, fields.get("version", ""), fields.get("url", ""), hashes)


PARSERS: dict[str, Parser] = {
    "package-lock.json": Parser("npm", _npm),
    "npm-shrinkwrap.json": Parser("npm", _npm),
    "yarn.lock": Parser("npm", _yarn),
    "pnpm-lock.yaml": Parser("npm", _pnpm),
    "poetry.lock": Parser("PyPI", _python_toml),
    "uv.lock": Parser("PyPI", _python_toml),
    "pdm.lock": Parser("PyPI", _python_toml),
    "Pipfile.lock": Parser("PyPI", _pipfile),
    "Cargo.lock": Parser("crates.io", _cargo),
    "go.mod": Parser("Go", _go_mod),
    "go.sum": Parser("Go", _go_sum),
    "Gemfile.lock": Parser("RubyGems", _gemfile),
    "composer.lock": Parser("Packagist", _composer),
    "mix.lock": Parser("Hex", _mix),
    "packages.lock.json": Parser("NuGet", _nuget),
    "gradle.lockfile": Parser("Maven", _gradle),
    "Podfile.lock": Parser("CocoaPods", _podfile),
    "Package.resolved": Parser("Swift", _swift),
    "pubspec.lock": Parser("Pub", _pub),
}
_REQUIREMENTS = Parser("PyPI", _requirements)
