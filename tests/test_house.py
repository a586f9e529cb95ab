"""What holds for the whole tree: the locks, the layering, the version, the shared vocabulary."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reviewer.finding import Category, Finding, Place, Severity
from reviewer.request import (
    ChangeInfo,
    Cost,
    Coverage,
    DependencyChange,
    LookFirst,
    Module,
    ModuleImport,
    Review,
    Risk,
    Skipped,
    StopReason,
)

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.txt", "requirements-dev.txt")

PINNED = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)", re.M
)
ADDRESS = re.compile(r"://|^\s*-", re.M)


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Each package of a lock: its version and how many files of it are allowed."""
    text = (ROOT / name).read_text()
    return {found[1]: (found[2], found[3].count("--hash")) for found in PINNED.finditer(text)}


def tracked() -> Iterator[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip("not in a git repository")
    for name in done.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield ROOT / name


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_only_exact_versions_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    rest = PINNED.sub("", "\n".join(lines)).split()
    assert rest == []
    assert [pkg for pkg, (_, hashes) in locked(name).items() if hashes == 0] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address(name: str) -> None:
    text = re.sub(r"--hash=", "", (ROOT / name).read_text())
    text = re.sub(r"^ +sha256:", "", text, flags=re.M)
    assert ADDRESS.findall(text) == []


def test_a_lock_covers_the_wheels_of_other_platforms() -> None:
    native = (
        "pydantic-core",
        "cryptography",
        "tree-sitter",
        "tree-sitter-python",
        "ruff",
        "zizmor",
    )
    lock = locked("requirements.txt")
    assert [name for name in native if lock[name][1] < 8] == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements.txt", PROJECT["build-system"]["requires"]),
        ("requirements-dev.txt", PROJECT["dependency-groups"]["dev"]),
    ],
    ids=["runtime", "build", "dev"],
)
def test_a_lock_satisfies_pyproject(name: str, wanted: list[str]) -> None:
    lock = locked(name)
    for requirement in map(Requirement, wanted):
        if requirement.marker is not None and not requirement.marker.evaluate(
            dict(default_environment())
        ):
            continue
        pinned = lock.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{requirement.name} is not in {name}: make lock"
        assert requirement.specifier.contains(pinned[0], prereleases=True), (requirement, pinned)


def test_the_two_locks_agree() -> None:
    runtime, dev = (locked(name) for name in LOCKS)
    assert {name: dev[name] for name in runtime.keys() & dev.keys()} == {
        name: runtime[name] for name in runtime.keys() & dev.keys()
    }


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield node.module or ""


def modules(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert len(found) > 5
    return found


def test_the_engine_imports_nothing_of_the_app() -> None:
    upwards = [
        (path.relative_to(ROOT).as_posix(), name)
        for path in modules("reviewer")
        for name in imports(path)
        if name.split(".")[0] == "app"
    ]
    assert upwards == []


def test_the_engine_knows_no_github_queue_or_terminal() -> None:
    foreign = {"github", "git", "redis", "rq", "flask", "rich", "argparse"}
    found = [
        (path.relative_to(ROOT).as_posix(), name)
        for path in modules("reviewer")
        for name in imports(path)
        if name.split(".")[0] in foreign
    ]
    assert found == []


def test_the_kernel_knows_none_of_its_tasks() -> None:
    own = {"errors", "model", "ports", "request", "rlm", "text"}
    found = [
        (path.relative_to(ROOT).as_posix(), name)
        for path in modules("reviewer/rlm")
        for name in imports(path)
        if name.split(".")[0] == "reviewer" and name.split(".")[1:2] not in [[one] for one in own]
    ]
    assert found == []


def test_a_test_command_is_run_in_a_workflow_alone() -> None:
    who = {
        path.relative_to(ROOT).as_posix()
        for path in modules("app")
        for name in imports(path)
        if name == "app.trial"
    }
    assert who == {"app/action_trials.py", "app/action_write.py"}


def test_what_is_imported_is_declared() -> None:
    """A package that only comes along with another may be gone after that one's next release."""
    imported = third_party()
    assert imported - declared() == set()


def test_what_is_declared_is_used() -> None:
    programs = {"ruff", "zizmor"}
    # SQLAlchemy loads the one by the name of a database, and rq needs the other: an upper bound.
    theirs = {"psycopg", "python-dateutil"}
    grammars = {name for name in declared() if name.startswith("tree-sitter-")}  # by their names
    assert declared() - third_party() == programs | theirs | grammars


def declared() -> set[str]:
    return {
        canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]
    }


def third_party() -> set[str]:
    provides = {
        "yaml": "pyyaml",
        "github": "pygithub",
        "git": "gitpython",
        "jwt": "pyjwt",
        "markdown_it": "markdown-it-py",
    }
    tops = {
        name.split(".")[0]
        for path in [*modules("app"), *modules("reviewer")]
        for name in imports(path)
    }
    own = {"app", "reviewer"}
    return {
        provides.get(top, canonicalize_name(top)) for top in tops - own - sys.stdlib_module_names
    }


def test_the_version_is_the_same_everywhere() -> None:
    declared = PROJECT["project"]["version"]
    assert version("rlm-review") == declared
    assert f"\n## {declared} (" in (ROOT / "CHANGELOG.md").read_text()


def test_the_license_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text) > 11_000


def test_no_file_mentions_a_place_of_this_machine() -> None:
    places = [place for place in (ROOT, Path.home()) if len(place.parts) > 2]  # "/src" is a word
    found = [
        (path.relative_to(ROOT).as_posix(), str(place))
        for path in tracked()
        for place in places
        if str(place).encode() in path.read_bytes()
    ]
    assert found == []


def test_the_app_asks_for_the_least() -> None:
    manifest = yaml.safe_load((ROOT / "app.yml").read_text())
    assert manifest["default_permissions"] == {
        "metadata": "read",
        "contents": "read",
        "issues": "read",
        "pull_requests": "write",
        "checks": "write",
        "merge_queues": "read",
    }
    assert manifest["public"] is False


def test_the_image_copies_only_what_its_context_lets_in() -> None:
    let_in = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied: set[str] = set()
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied.update(line.split()[1:-1])
    assert copied == let_in
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_json_contract_names_every_field_and_word() -> None:
    models = (Review, ChangeInfo, Finding, Place, Coverage, Skipped, DependencyChange, Cost)
    models += (Risk, LookFirst, Module, ModuleImport)
    fields = [field for model in models for field in model.model_fields.items()]
    names = {name for name, field in fields if not field.exclude}
    words = {str(word) for vocabulary in (Category, Severity, StopReason) for word in vocabulary}
    text = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    described = set(re.findall(r'[`"]([\w]+)["`]', text))
    assert (names | words) - described == set()


def make(
    *arguments: str, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**clean, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A folder in which `make review` finds everything installed and an rlm that tells its words."""
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    binaries = tmp_path / ".venv/bin"
    binaries.mkdir(parents=True)
    rlm = binaries / "rlm"
    rlm.write_text(
        '#!/bin/sh\nfor word in "$@"; do printf "<%s>\\n" "$word"; done\nexit "${CODE:-0}"\n'
    )
    rlm.chmod(0o755)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    for name in (".locked", ".installed"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


HOSTILE = [
    "two words",
    "$(touch oops)",
    "`touch oops`",
    "a'; touch oops; '",
    'a"b',
    "-x",
    "*",
    "$$",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_make_review_passes_what_it_is_given_as_it_is(value: str, stage: Path) -> None:
    done = make("review", f"REPO={value}", f"RANGE={value}", folder=stage)
    assert done.stdout.splitlines() == ["<review>", f"<--repo={value}>", "<-->", f"<{value}>"]
    done = make("review", folder=stage, PR=value)
    assert done.stdout.splitlines() == ["<review>", "<-->", f"<{value}>"]
    assert not (stage / "oops").exists()


def test_make_review_splits_further_options_into_words(stage: Path) -> None:
    done = make("review", "RANGE=a..b", "ARGS=--format json -q *", folder=stage)
    assert done.stdout.split() == [
        "<review>", "<--repo=.>", "<--format>", "<json>", "<-q>", "<*>", "<-->", "<a..b>",
    ]  # fmt: skip


def test_make_review_of_a_repository_alone_names_no_range(stage: Path) -> None:
    assert make("review", "REPO=x", folder=stage).stdout.split() == ["<review>", "<--repo=x>"]


def test_make_fails_when_the_review_does(stage: Path) -> None:
    done = make("review", "RANGE=a..b", folder=stage, CODE="3")
    assert done.returncode == 2  # make has no other way to say it
    assert len(done.stderr.splitlines()) == 1
    assert "Error 3" in done.stderr


def test_make_says_what_to_do_without_a_python(stage: Path) -> None:
    (stage / ".venv/.locked").unlink()
    done = make("install", "PYTHON=no-such-python", folder=stage)
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_make_alone_lists_what_there_is() -> None:
    listed = set(re.findall(r"^make (\w+)", make().stdout, re.M))
    assert {"install", "review", "test", "check", "lock", "clean"} <= listed
    for target in listed:
        assert make("--dry-run", target).returncode == 0, target


def test_a_lock_names_packages_and_no_address() -> None:
    for path in (ROOT / "tests/npm/package-lock.json", *ROOT.glob("requirements*.txt")):
        assert "://" not in path.read_text(), path
