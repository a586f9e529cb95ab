import json
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.detectors.base import Source
from reviewer.detectors.lock_parsers import PARSERS, Locked, parser_for
from reviewer.detectors.lock_risks import LockFiles
from reviewer.detectors.lockfiles import (
    dependency_changes,
    dependency_table,
    is_lockfile,
    may_lock,
    read_locked,
)
from reviewer.finding import Finding, Severity
from tests.examples import examples
from tests.reviewer.detectors.sources import Files, findings, notes, source

A, B, C = ("sha512-" + letter * 86 + "==" for letter in "ABC")
URL = "https://registry.npmjs.org"


def npm(*entries: tuple[str, str, str, str | None]) -> str:
    """Return a package-lock of version 3: name, version, address, hash."""
    packages: dict[str, object] = {"": {"name": "app"}, "packages/own": {"version": "1.0.0"}}
    for name, version, resolved, integrity in entries:
        entry = {"version": version, "resolved": resolved}
        packages[f"node_modules/{name}"] = entry | ({"integrity": integrity} if integrity else {})
    return json.dumps({"lockfileVersion": 3, "packages": packages}, indent=2) + "\n"


def tarball(name: str, version: str = "1.0.0", registry: str = URL) -> str:
    return f"{registry}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"


def locked(path: str, text: str) -> dict[str, Locked]:
    parser = parser_for(path)
    assert parser is not None
    entries = read_locked(parser, text.encode())
    assert not isinstance(entries, str), entries
    return {each.name: each for each in entries}


# One small file for each parser: path, text, and what is in it as (version, source, hashes).
SAMPLES: list[tuple[str, str, dict[str, tuple[str, str, int]]]] = [
    (
        "web/package-lock.json",
        npm(("left-pad", "1.3.0", tarball("left-pad", "1.3.0"), A), ("@s/b", "2.0.0", "", None)),
        {"left-pad": ("1.3.0", tarball("left-pad", "1.3.0"), 1), "@s/b": ("2.0.0", "", 0)},
    ),
    (
        "npm-shrinkwrap.json",
        json.dumps(
            {
                "lockfileVersion": 1,
                "dependencies": {
                    "a": {
                        "version": "1.0.0",
                        "integrity": A,
                        "dependencies": {"b": {"version": "npm:real-b@2.0.0"}},
                    }
                },
            }
        ),
        {"a": ("1.0.0", "", 1), "real-b": ("2.0.0", "", 0)},
    ),
    (
        "yarn.lock",
        f'# yarn lockfile v1\n\n\n"@s/a@^1.0.0", "@s/a@^1.1.0":\n  version "1.2.0"\n'
        f'  resolved "{URL}/@s/a/-/a-1.2.0.tgz#0f"\n  integrity {A}\n  dependencies:\n'
        '    b "^2.0.0"\n\nb@^2.0.0:\n  version "2.0.1"\n\n"x@npm:real-x@^3":\n  version "3.0.0"\n',
        {
            "@s/a": ("1.2.0", f"{URL}/@s/a/-/a-1.2.0.tgz#0f", 1),
            "b": ("2.0.1", "", 0),
            "real-x": ("3.0.0", "", 0),
        },
    ),
    (
        "berry/yarn.lock",
        '__metadata:\n  version: 8\n  cacheKey: 10\n\n"a@npm:^1.0.0, a@npm:^1.1.0":\n'
        '  version: 1.2.0\n  resolution: "a@npm:1.2.0"\n  checksum: 10/abcdef\n  languageName: node\n'
        '  linkType: hard\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n'
        '  resolution: "app@workspace:."\n  linkType: soft\n',
        {"a": ("1.2.0", "", 1)},
    ),
    (
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n"
        "        version: 1.0.0\n\npackages:\n\n  '@s/a@1.0.0':\n"
        f"    resolution: {{integrity: {A}}}\n\n  b@2.0.0(react@18.0.0):\n    resolution:"
        f" {{integrity: {B}, tarball: https://x.io/b.tgz}}\n\nsnapshots:\n\n  '@s/a@1.0.0': {{}}\n",
        {"@s/a": ("1.0.0", "", 1), "b": ("2.0.0", "https://x.io/b.tgz", 1)},
    ),
    (
        "old/pnpm-lock.yaml",
        f"lockfileVersion: 5.4\npackages:\n\n  /@s/a/1.0.0:\n    resolution: {{integrity: {A}}}\n"
        f"  /b/2.0.0_react@18.0.0:\n    resolution: {{integrity: {B}}}\n    dev: true\n",
        {"@s/a": ("1.0.0", "", 1), "b": ("2.0.0", "", 1)},
    ),
    (
        "poetry.lock",
        '[[package]]\nname = "rich"\nversion = "15.0.0"\nfiles = [\n    {file = "rich.whl",'
        ' hash = "sha256:aa"},\n    {file = "rich.tar.gz", hash = "sha256:bb"},\n]\n',
        {"rich": ("15.0.0", "", 2)},
    ),
    (
        "uv.lock",
        'version = 1\n[[package]]\nname = "rich"\nversion = "15.0.0"\n'
        'source = { registry = "https://pypi.org/simple" }\n'
        'sdist = { url = "https://files.pythonhosted.org/r.tar.gz", hash = "sha256:aa" }\n'
        'wheels = [{ url = "https://files.pythonhosted.org/r.whl", hash = "sha256:bb" }]\n'
        '[[package]]\nname = "app"\nversion = "0.1"\nsource = { editable = "." }\n',
        {"rich": ("15.0.0", "https://files.pythonhosted.org/r.whl", 2)},
    ),
    (
        "pdm.lock",
        '[[package]]\nname = "rich"\nversion = "15.0.0"\nfiles = [{file = "r", hash = "sha256:a"}]\n',
        {"rich": ("15.0.0", "", 1)},
    ),
    (
        "Pipfile.lock",
        json.dumps({"default": {"rich": {"version": "==15.0.0", "hashes": ["sha256:aa"]}}}),
        {"rich": ("15.0.0", "", 1)},
    ),
    (
        "requirements-dev.txt",
        "# comment\n-r base.txt\nRich_Text[all]==15.0.0 ; python_version > '3' \\\n"
        "    --hash=sha256:aa \\\n    --hash=sha256:bb\nloose>=1\nown @ https://x.io/own.zip\n",
        {
            "rich-text": ("15.0.0", "", 2),
            "own": ("https://x.io/own.zip", "https://x.io/own.zip", 0),
        },
    ),
    (
        "Cargo.lock",
        'version = 3\n[[package]]\nname = "serde"\nversion = "1.0.0"\n'
        'source = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "aa"\n'
        '[[package]]\nname = "own"\nversion = "0.1.0"\n',
        {"serde": ("1.0.0", "registry+https://github.com/rust-lang/crates.io-index", 1)},
    ),
    (
        "go.sum",
        "golang.org/x/text v0.3.0 h1:aa=\ngolang.org/x/text v0.3.0/go.mod h1:bb=\n",
        {"golang.org/x/text": ("v0.3.0", "", 1)},
    ),
    (
        "go.mod",
        "module x.io/app\n\ngo 1.22\n\nrequire (\n\tgolang.org/x/text v0.3.0\n"
        "\tx.io/dep/v2 v2.1.0 // indirect\n)\n\nrequire y.io/one v1.0.0\n\nreplace (\n"
        "\tz.io/no v1.0.0 => ./local\n)\n",
        {
            "golang.org/x/text": ("v0.3.0", "", 0),
            "x.io/dep/v2": ("v2.1.0", "", 0),
            "y.io/one": ("v1.0.0", "", 0),
        },
    ),
    (
        "Gemfile.lock",
        "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (3.0.0)\n      base (>= 1)\n\n"
        "PLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n\nCHECKSUMS\n  rack (3.0.0) sha256=aa\n",
        {"rack": ("3.0.0", "https://rubygems.org/", 1)},
    ),
    (
        "composer.lock",
        json.dumps(
            {
                "packages": [
                    {
                        "name": "a/b",
                        "version": "v1.0.0",
                        "source": {"reference": "abc"},
                        "dist": {"url": "https://api.github.com/repos/a/b/zipball/abc"},
                    }
                ],
                "packages-dev": [{"name": "c/d", "version": "dev-main", "dist": None}],
            }
        ),
        {
            "a/b": ("v1.0.0", "https://api.github.com/repos/a/b/zipball/abc", 1),
            "c/d": ("dev-main", "", 0),
        },
    ),
    (
        "mix.lock",
        '%{\n  "jason": {:hex, :jason, "1.4.0", "aa", [:mix], [], "hexpm", "bb"},\n'
        '  "own": {:git, "https://github.com/a/own.git", "0f0f", []},\n}\n',
        {"jason": ("1.4.0", "", 1), "own": ("0f0f", "https://github.com/a/own.git", 0)},
    ),
    (
        "packages.lock.json",
        json.dumps(
            {
                "version": 1,
                "dependencies": {
                    "net8.0": {
                        "Serilog": {"type": "Direct", "resolved": "3.0.0", "contentHash": "aa"},
                        "own": {"type": "Project"},
                    }
                },
            }
        ),
        {"Serilog": ("3.0.0", "", 1)},
    ),
    (
        "gradle.lockfile",
        "# This is a Gradle generated file\norg.slf4j:slf4j-api:2.0.0=compileClasspath\nempty=\n",
        {"org.slf4j:slf4j-api": ("2.0.0", "", 0)},
    ),
    (
        "Podfile.lock",
        "PODS:\n  - AFNetworking (4.0.1):\n    - AFNetworking/UI (= 4.0.1)\n"
        '  - AFNetworking/UI (4.0.1)\n  - "Odd+Pod (1.0)"\n\nDEPENDENCIES:\n  - AFNetworking\n',
        {"AFNetworking": ("4.0.1", "", 0), "Odd+Pod": ("1.0", "", 0)},
    ),
    (
        "Package.resolved",
        json.dumps(
            {
                "version": 2,
                "pins": [
                    {
                        "identity": "swift-nio",
                        "location": "https://github.com/apple/swift-nio.git",
                        "state": {"revision": "0f", "version": "2.0.0"},
                    }
                ],
            }
        ),
        {"swift-nio": ("2.0.0", "https://github.com/apple/swift-nio.git", 1)},
    ),
    (
        "pubspec.lock",
        'packages:\n  http:\n    dependency: "direct main"\n    description:\n      name: http\n'
        '      sha256: "aa"\n      url: "https://pub.dev"\n    source: hosted\n'
        '    version: "1.0.0"\n  own:\n    source: path\n    version: "0.1.0"\nsdks:\n  dart: "3"\n',
        {"http": ("1.0.0", "https://pub.dev", 1)},
    ),
]


@pytest.mark.parametrize(("path", "text", "expected"), SAMPLES, ids=[s[0] for s in SAMPLES])
def test_each_format(path: str, text: str, expected: dict[str, tuple[str, str, int]]) -> None:
    found = locked(path, text)
    assert {k: (v.version, v.source, len(v.hashes)) for k, v in found.items()} == expected
    crlf = locked(path, text.replace("\n", "\r\n"))
    assert {k: v.version for k, v in crlf.items()} == {k: v.version for k, v in found.items()}


@pytest.mark.parametrize(("path", "text", "expected"), SAMPLES, ids=[s[0] for s in SAMPLES])
def test_each_format_as_a_table(
    path: str, text: str, expected: dict[str, tuple[str, str, int]]
) -> None:
    added = dependency_changes(path, None, text.encode())
    gone = dependency_changes(path, text.encode(), None)
    if path == "go.sum":
        assert (added, gone) == ([], [])  # go.mod says which of its versions are used
        return
    assert {(c.name, c.old, c.new) for c in added} == {
        (name, None, version) for name, (version, _, _) in expected.items()
    }
    assert {(c.name, c.old) for c in gone} == {(n, v) for n, (v, _, _) in expected.items()}
    assert dependency_changes(path, text.encode(), text.encode()) == []


def test_every_parser_has_a_sample() -> None:
    assert set(PARSERS) <= {path.rpartition("/")[2] for path, _, _ in SAMPLES}


def test_an_update_is_one_row_and_several_versions_are_listed() -> None:
    base = npm(("a", "1.0.0", "", A), ("x/node_modules/b", "1.0.0", "", A), ("b", "2.0.0", "", A))
    head = npm(("a", "1.1.0", "", A), ("x/node_modules/b", "1.5.0", "", A), ("b", "3.0.0", "", A))
    rows = dependency_changes("package-lock.json", base.encode(), head.encode())
    assert [(row.name, row.old, row.new) for row in rows] == [
        ("a", "1.0.0", "1.1.0"),
        ("b", "1.0.0", None),
        ("b", "2.0.0", None),
        ("b", None, "1.5.0"),
        ("b", None, "3.0.0"),
    ]
    assert {(row.path, row.ecosystem) for row in rows} == {("package-lock.json", "npm")}


@pytest.mark.parametrize("path", sorted(PARSERS))
@pytest.mark.parametrize(
    "data",
    [
        *(
            b"\xff\xfe\x00",
            b"{",
            b"[[package]]\nname = 3",
            b"[]",
            b'{"packages": 7}',
            b"[" * 50_000,
        ),
        *(b'{"dependencies": {"a": 1}}', b'{"pins": [1]}', b'{"packages": [1]}', b"<<<<<<< HEAD\n"),
    ],
)
def test_a_broken_file_is_a_note_or_nothing_and_never_an_error(path: str, data: bytes) -> None:
    table = dependency_table(path, b"", data)
    assert isinstance(table.changes, list)
    one = source(path, data, b"\n")
    assert findings(list(LockFiles().run([one], Files.of(one)))) == []


def test_a_broken_or_huge_file_says_so() -> None:
    broken = dependency_table("package-lock.json", b"{}", b"{")
    assert broken.changes == []
    assert broken.note and "could not be read" in broken.note
    huge = dependency_table("Cargo.lock", b"", b"#" * 9_000_000)
    assert huge.note and "more than 8 MB" in huge.note
    assert dependency_changes("README.md", b"a", b"b") == []


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 2_000), st.sampled_from(string.printable)), max_size=6),
)
@settings(max_examples=examples(200), deadline=None)
def test_damaged_files_never_raise(
    sample: tuple[str, str, object], damage: list[tuple[int, str]]
) -> None:
    path, text, _ = sample
    letters = list(text)
    for place, letter in damage:
        letters[place % len(letters)] = letter
    dependency_table(path, text.encode(), "".join(letters).encode())


@pytest.mark.parametrize("path", sorted(PARSERS))
def test_reading_takes_time_in_proportion_to_the_file(path: str) -> None:
    for data in (
        b" " * 500_000,
        b"a" * 500_000,
        b'"a@' * 160_000,
        b"packages:\n" + b"  a:\n" * 80_000,
    ):
        began = time.monotonic()
        dependency_table(path, b"", data)
        assert time.monotonic() - began < 5


def test_which_files_are_lock_files() -> None:
    assert is_lockfile("a/b/uv.lock") and is_lockfile("go.sum")
    assert not is_lockfile("requirements.txt") and not is_lockfile("go.mod")
    assert may_lock("dev-requirements.txt") and may_lock("go.mod")
    assert not may_lock("notes.txt") and not may_lock("package.json")


# --- the detector ---


def look(
    head: str,
    base: str,
    path: str = "package-lock.json",
    manifests: dict[str, str | bytes] | None = None,
) -> list[Finding]:
    one = source(path, head, base)
    return findings(list(LockFiles().run([one], Files(manifests or {}))))


def rules(found: list[Finding]) -> list[str]:
    return [each.source.rpartition("/")[2] for each in found]


MANY = [(name, "1.0.0", tarball(name), A) for name in ("a", "b", "c", "d", "e", "f", "@s/g")]
BASE = npm(*MANY)


def test_an_ordinary_update_says_nothing() -> None:
    head = npm(("a", "1.1.0", tarball("a", "1.1.0"), B), *MANY[1:], ("n", "1.0.0", tarball("n"), C))
    assert look(head, BASE) == []


def test_an_address_without_tls() -> None:
    url = tarball("evil", registry="http://registry.npmjs.org")
    [found] = look(npm(*MANY, ("evil", "1.0.0", url, A)), BASE)
    assert rules([found]) == ["insecure-source"]
    assert found.severity is Severity.MEDIUM
    assert url in found.evidence
    assert found.line is not None
    [bare] = look(npm(*MANY, ("evil", "1.0.0", url, None)), BASE)
    assert bare.severity is Severity.HIGH


def test_a_project_that_always_used_plain_http_knows_it() -> None:
    base = npm(*MANY, ("old", "1.0.0", tarball("old", registry="http://npm.corp"), A))
    new = ("new", "1.0.0", tarball("new", registry="http://npm.corp"), A)
    assert (
        look(npm(*MANY, ("old", "1.0.0", tarball("old", registry="http://npm.corp"), A), new), base)
        == []
    )


def test_another_host_than_the_rest() -> None:
    url = "https://cdn.evil.io/a/-/a-1.0.0.tgz"
    [found] = look(npm(("a", "1.0.0", url, A), *MANY[1:]), BASE)
    assert rules([found]) == ["foreign-source"]
    assert url in found.evidence


@pytest.mark.parametrize(
    "manifest",
    [
        {".npmrc": "@s:registry=https://npm.corp.io/\n"},
        {"package.json": '"x": "https://npm.corp.io/x"'},
    ],
)
def test_a_host_that_a_manifest_names_is_meant(manifest: dict[str, str | bytes]) -> None:
    head = npm(*MANY, ("@s/x", "1.0.0", tarball("@s/x", registry="https://npm.corp.io"), A))
    assert rules(look(head, BASE)) == ["foreign-source"]
    assert look(head, BASE, manifests=manifest) == []


def test_moving_to_another_registry_is_no_attack() -> None:
    moved = [
        (n, v, tarball(n, registry="https://npm.corp.io/api/npm/all"), h) for n, v, _, h in MANY
    ]
    assert look(npm(*moved), BASE) == []


def test_a_few_entries_show_no_habit() -> None:
    two = [("a", "1.0.0", tarball("a"), A), ("b", "1.0.0", "https://other.io/b/-/b-1.0.0.tgz", A)]
    assert look(npm(*two), npm(two[0])) == []


def test_the_address_of_another_package() -> None:
    [found] = look(npm(("a", "1.0.0", tarball("a-evil"), A), *MANY[1:]), BASE)
    assert rules([found]) == ["other-package"]
    assert (found.severity, "a-evil" in found.body) == (Severity.CRITICAL, True)


def test_an_alias_is_not_another_package() -> None:
    head = json.loads(BASE)
    head["packages"]["node_modules/alias"] = {
        "name": "real",
        "version": "1.0.0",
        "resolved": tarball("real"),
        "integrity": A,
    }
    assert look(json.dumps(head, indent=2) + "\n", BASE) == []


def test_a_hash_that_changed_under_the_same_version() -> None:
    [found] = look(npm(("a", "1.0.0", tarball("a"), B), *MANY[1:]), BASE)
    assert rules([found]) == ["changed-hash"]
    assert B in found.evidence


def test_go_sum_and_hashes_of_python() -> None:
    sums = "x.io/a v1.0.0 h1:{}=\nx.io/b v1.0.0 h1:b=\n"
    assert rules(look(sums.format("z"), sums.format("a"), "go.sum")) == ["changed-hash"]
    base = "a==1.0 --hash=sha256:aa --hash=sha256:bb\n"
    assert look("a==1.0 --hash=sha256:aa --hash=sha256:cc\n", base, "requirements.txt") == []
    assert rules(look("a==1.0 --hash=sha256:cc\n", base, "requirements.txt")) == ["changed-hash"]


def test_another_algorithm_is_not_another_file() -> None:
    assert look(npm(("a", "1.0.0", tarball("a"), "sha256-" + "B" * 43), *MANY[1:]), BASE) == []


def test_a_change_of_format_touches_all_entries() -> None:
    assert look(npm(*[(n, v, url, B) for n, v, url, _ in MANY]), BASE) == []


def test_a_hash_that_went_away_is_shown_where_it_was() -> None:
    [found] = look(npm(("a", "1.0.0", tarball("a"), None), *MANY[1:]), BASE)
    assert rules([found]) == ["lost-hash"]
    assert found.side == "LEFT"
    assert A in found.evidence


def test_a_broken_lock_file_is_a_note() -> None:
    broken: Source = source("package-lock.json", "{", BASE)
    said = list(LockFiles().run([broken], Files({})))
    assert [bool(text) for text in notes(said)] == [True]
