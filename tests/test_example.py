"""The example's pull request, reviewed as `make review` does it, without a model."""

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.objects import LocalObjects
from reviewer.diff import build_change
from reviewer.git import open_repo
from reviewer.review.arrangement import arrange
from reviewer.review.estimate import leaves
from reviewer.review.job import prepare
from reviewer.review.scope import size_of
from reviewer.revisions import parse_range
from reviewer.rlm.run import WINDOW_TOKENS

ROOT = Path(__file__).parent.parent
EXPECTED = tomllib.loads((ROOT / "examples/shop/EXPECTED.toml").read_text(encoding="utf-8"))
RANGE = "main..feature/coupons"


def git(repo: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=repo, check=True, capture_output=True)
    return done.stdout.decode()


def build(target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "examples/build.py", target]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("example") / "shop"
    done = build(target)
    assert done.returncode == 0, done.stderr
    return target


@dataclass(frozen=True)
class Place:
    path: str
    line: int


def place(repo: Path, entry: dict[str, str]) -> Place:
    """The one line of the head that the entry quotes."""
    text = git(repo, "show", f"HEAD:{entry['path']}")
    lines = [n for n, line in enumerate(text.split("\n"), 1) if entry["quote"] in line]
    assert len(lines) == 1, f"{entry['path']}: {entry['quote']!r} is on lines {lines}"
    return Place(entry["path"], lines[0])


def rlm_review(repo: Path, form: str) -> str:
    # Whoever runs the tests in parallel has a terminal's width in the environment of each worker.
    ours = ("ANTHROPIC", "RLM", "COLUMNS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    command = [sys.executable, "-m", "app.cli", "review", f"--repo={repo}", f"--format={form}"]
    done = subprocess.run(
        [*command, "--", RANGE],
        check=False,
        cwd=ROOT,
        capture_output=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def review(repo: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(rlm_review(repo, "json"))
    return result


def is_at(finding: dict[str, Any], where: Place) -> bool:
    return (
        finding["path"] == where.path
        and finding["side"] == "RIGHT"
        and finding["line"] is not None
        and finding["start_line"] <= where.line <= finding["line"]
    )


def findings_at(review: dict[str, Any], where: Place) -> list[str]:
    return [
        f"{finding['title']} ({finding['source']})"
        for finding in review["findings"]
        if is_at(finding, where)
    ]


@pytest.mark.parametrize(
    "entry",
    [entry for entry in EXPECTED["defect"] if entry["found_by"] == "detector"],
    ids=lambda entry: entry["kind"],
)
def test_detectors_alone_find(entry: dict[str, str], repo: Path, review: dict[str, Any]) -> None:
    assert findings_at(review, place(repo, entry))


@pytest.mark.parametrize(
    "entry", EXPECTED["innocent"], ids=lambda entry: f"{entry['path']}: {entry['quote']}"
)
def test_detectors_are_silent_about(
    entry: dict[str, str], repo: Path, review: dict[str, Any]
) -> None:
    assert findings_at(review, place(repo, entry)) == []


def test_every_finding_is_about_a_listed_defect(repo: Path, review: dict[str, Any]) -> None:
    listed = {place(repo, entry) for entry in EXPECTED["defect"]}
    unlisted = [
        (finding["path"], finding["start_line"], finding["title"])
        for finding in review["findings"]
        if not any(is_at(finding, where) for where in listed)
    ]
    assert unlisted == []


def test_every_hunk_is_accounted_for(repo: Path, review: dict[str, Any]) -> None:
    hunks = git(repo, "diff", "main...feature/coupons").count("\n@@ ")
    coverage = review["coverage"]
    assert coverage["hunks"] == hunks
    assert coverage["reviewed"] + sum(s["hunks"] for s in coverage["skipped"]) == hunks


def test_the_readme_shows_what_is_printed(repo: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split("This is what you see without one:", 1)[1].split("## ", 1)[0]
    elapsed = re.compile(r"[0-9.]+ s\.")

    def text(lines: list[str]) -> str:
        return "".join(f"{elapsed.sub('N s.', line)}\n" for line in lines if line.strip())

    parts = text([line.removeprefix("    ") for line in shown.splitlines()]).split("[…]\n")
    assert sum(part.count("\n") for part in parts) > 15
    rest = text(rlm_review(repo, "text").splitlines())
    for part in parts:
        _, found, rest = rest.partition(part) if part else ("", "start", rest)
        assert found, f"not printed, or not in this order:\n{part}"
    assert rest == ""


def test_the_readme_counts_the_defects() -> None:
    found = [entry for entry in EXPECTED["defect"] if entry["found_by"] == "detector"]
    words = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert (
        f"{len(EXPECTED['defect'])} planted defects of which the detectors find {len(found)}"
        in words
    )


@pytest.mark.parametrize("found_by", ["detector", "model"])
def test_the_quoted_lines_are_lines_of_the_change(found_by: str, repo: Path) -> None:
    for entry in EXPECTED["defect"]:
        if entry["found_by"] == found_by:
            where = place(repo, entry)
            blamed = git(repo, "blame", "-s", f"-L{where.line},{where.line}", "HEAD", where.path)
            assert not blamed.startswith("^"), f"{where} was there before"


def test_the_commits_are_the_same_everywhere(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "a folder; $(of) 'another' name"
    assert build(other).returncode == 0
    assert build(other).returncode == 0, "it can be built anew"
    assert git(other, "rev-parse", "main", "HEAD") == git(repo, "rev-parse", "main", "HEAD")
    assert git(other, "status", "--porcelain") == ""


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("three years of work")
    done = build(tmp_path)
    assert done.returncode == 2
    assert "holds something else" in done.stderr
    assert kept.read_text() == "three years of work"
    assert list(tmp_path.iterdir()) == [kept]


def test_what_a_scanner_should_find_is_not_stored_here() -> None:
    for path in sorted((ROOT / "examples").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert "sk_" + "live_" not in text, path
            assert not set(text) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200b"), (
                path
            )


@pytest.fixture(scope="module")
def parts(repo: Path) -> list[dict[str, set[int]]]:
    """What the nodes of one pass read: for each part the lines of the head by path."""
    with open_repo(str(repo)) as opened:
        change = build_change(opened, *parse_range(opened, RANGE))
        with LocalObjects(opened, change) as objects:
            prepared = prepare(change, objects, lambda: False)
            clusters = arrange(
                prepared.triage.scope, prepared.spans, objects, lambda: False
            ).clusters
            assert size_of(prepared.spans) > 1.5 * WINDOW_TOKENS
    read: list[dict[str, set[int]]] = []
    for spans in leaves(clusters.order, clusters.divide):
        lines: dict[str, set[int]] = {}
        for span in spans:
            numbers = {line.new for line in span.lines if line.new is not None}
            lines.setdefault(span.path, set()).update(numbers)
        read.append(lines)
    return read


def test_the_example_is_larger_than_a_window(parts: list[dict[str, set[int]]]) -> None:
    assert len(parts) >= 3


@pytest.mark.parametrize(
    "entry", [one for one in EXPECTED["defect"] if "with" in one], ids=lambda entry: entry["kind"]
)
def test_no_node_sees_both_sides(
    entry: dict[str, str], repo: Path, parts: list[dict[str, set[int]]]
) -> None:
    sides = (
        place(repo, entry),
        place(repo, {"path": entry["with"], "quote": entry["with_quote"]}),
    )
    held = [
        {at for at, lines in enumerate(parts) if side.line in lines.get(side.path, set())}
        for side in sides
    ]
    assert all(held)
    assert not held[0] & held[1]
