"""Ten refactorings of real packages by `rlm refactor`, and what became of the packages.

    python -m benchmarks.refactor --repositories '/mirrors/{owner}/{name}.git' [--only NAME,NAME]
        [--replay | --record] [--records FOLDER] [--json]

`refactor.toml` has the ten. Each is carried out by the command in a clone, onto a branch. Looked
at: whether the changed files parse, what the detectors find anew across files, what judges that are
not ours find anew (mypy, and Python as it imports each module), the tests of the package before and
after (in an environment of its own, `--environments`), the largest prompt, the lines changed
outside: in files that were not planned or that the instruction may not touch, and lines of the
others that no accepted edit and no rename accounts for, and what was left undone. The model is that
of ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY. With --record its answers are kept, a file for each of
the ten, and what is there already is not asked again. With --replay nobody is asked: those that
have a record are carried out by it. Exits 1 where a bound is missed.
"""

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contracts import detected
from benchmarks.refactor_judge import Silent, judged, names_of, new
from benchmarks.refactor_lines import unnamed
from benchmarks.refactor_replies import Record, Unusable, named, replies
from benchmarks.trees import Store

ROOT = Path(__file__).parent.parent
MOST_PROMPT = 40_000
BRANCH = "refactored"
TESTS_S = 600
TESTS_MISSED = 1
"""Of ten, so many may fail tests that passed before."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass
class Row:
    """What was measured of one refactoring. `error` says why nothing could be; `left` is what the
    command itself says is undone, or not clean.
    """

    name: str
    error: str = ""
    files: int = 0
    lines: int = 0
    commits: int = 0
    left: list[str] = field(default_factory=list)
    unparsed: list[str] = field(default_factory=list)
    contracts: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    newly_failing: list[str] = field(default_factory=list)
    failing_before: int = 0
    prompt: int = 0
    calls: int = 0
    outside: int = 0
    outside_files: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)


def main() -> int:
    """Carry them out, one after the other; print the rows beside the bounds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--repositories", required=True, help="with {owner} and {name}")
    parser.add_argument("--only", default="", help="names of the table, divided by commas")
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument("--replay", action="store_true", help="ask no model, only the records")
    answers.add_argument("--record", action="store_true", help="keep what the model answers")
    parser.add_argument(
        "--records", type=Path, default=ROOT / "benchmarks/refactor_records", help="their folder"
    )
    parser.add_argument(
        "--environments", type=Path, default=ROOT / ".make/refactor", help="folder for them"
    )
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    table = tomllib.loads((ROOT / "benchmarks/refactor.toml").read_text(encoding="utf-8"))
    known = [one["name"] for one in table["refactoring"]]
    only = [name for name in asked.only.split(",") if name] or known
    if unknown := sorted(set(only) - set(known)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
    behind = os.environ.get("ANTHROPIC_BASE_URL")
    if not asked.replay and not behind:
        parser.error("set ANTHROPIC_BASE_URL, or give --replay")
    if asked.replay:
        lacking = [name for name in only if not _kept(asked.records, name).exists()]
        if lacking:
            print(f"without a record: {', '.join(lacking)}", file=sys.stderr)
        only = [name for name in only if name not in lacking]
        if not only:
            parser.error("there is no record to replay")
    rows = []
    for one in table["refactoring"]:
        if one["name"] not in only:
            continue
        package = table[one["package"]]
        owner, _, name = package["repository"].partition("/")
        origin = Path(asked.repositories.format(owner=owner, name=name))
        model = Asked(
            None if asked.replay else behind,
            _kept(asked.records, one["name"]) if asked.replay or asked.record else None,
        )
        rows.append(measured(one, package, origin, model, asked.environments))
        print(f"{one['name']}: done", file=sys.stderr, flush=True)
    if asked.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        _show(rows)
    return int(bool(missed(rows)))


def _kept(records: Path, name: str) -> Path:
    return records / f"{name}.json"


# One refactoring ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Who answers: a model's service, a file of answers, or first the file, then the service."""

    behind: str | None
    record: Path | None


def measured(
    one: dict[str, Any], package: dict[str, Any], origin: Path, model: Asked, environments: Path
) -> Row:
    """Carry one out in a clone and look at what it came to."""
    row = Row(one["name"])
    with tempfile.TemporaryDirectory() as place:
        clone = Path(place) / package["repository"].rpartition("/")[2]
        _git(None, "clone", "-q", "--no-checkout", str(origin), str(clone))
        _git(clone, "checkout", "-q", "--detach", package["commit"])
        python = _environment(package, environments)
        before = _failing(python, package, clone)
        judge = _Judge(python, clone, package["source"], Path(place) / "cache")
        try:
            done, trace = _answered(one, clone, Path(place), model, row)
        except Unusable as error:
            row.error = str(error)
            return row
        row.failing_before = len(before)
        row.prompt, row.calls = _largest(trace)
        if row.error or _git(clone, "branch", "--list", BRANCH).strip() == "":
            row.error = row.error or done
            return row
        account = json.loads(done)
        row.commits = len(account["commits"])
        row.left = _left(account)
        changed = _changed(clone, package["commit"])
        row.files, row.lines = len(changed), sum(changed.values())
        _git(clone, "checkout", "-q", BRANCH)
        row.unparsed = [path for path in changed if not _parses(clone / path)]
        row.contracts = _contracts(clone, package["commit"])
        row.judged = judge.found_since(account["plan"])
        row.newly_failing = sorted(_failing(python, package, clone) - before)
        planned = _planned(account)
        row.outside_files = [p for p in changed if p not in planned or not _may(p, one["paths"])]
        stray = unnamed(clone, package["commit"], BRANCH, account, trace)
        stray = {path: many for path, many in stray.items() if path not in row.outside_files}
        row.outside = sum(changed[path] for path in row.outside_files) + sum(stray.values())
        row.outside_files += sorted(stray)
    return row


class _Judge:
    """What independent judges say of the tree of a clone, now and later."""

    def __init__(self, python: Path, clone: Path, source: str, cache: Path) -> None:
        self._source = source
        self._judged = partial(judged, python, clone, source, cache)
        self._before = self._asked()

    def found_since(self, plan: dict[str, Any]) -> list[str]:
        """Return what is said now and was not at first; that nobody can say it, where so."""
        after = self._asked()
        silent = [one for one in (self._before, after) if isinstance(one, str)]
        if isinstance(self._before, str) or isinstance(after, str):
            return silent
        return new(self._before, after, names_of(plan, self._source))

    def _asked(self) -> Counter[str] | str:
        try:
            return self._judged()
        except Silent as error:
            return f"not judged: {error}"


def _answered(
    one: dict[str, Any], clone: Path, place: Path, model: Asked, row: Row
) -> tuple[str, Sequence[dict[str, Any]]]:
    """Have it carried out with whoever answers; what a replay lacks is the row's error."""
    if model.record is None:
        return _carried_out(one, clone, place, model.behind or "")
    commit = _git(clone, "rev-parse", "HEAD").strip()
    record = Record.load(model.record, commit, _texts(clone))
    with replies(record, model.behind) as url:
        done = _carried_out(one, clone, place, url)
    row.unasked = [named(place) for place in record.unasked]
    if model.behind is None and record.lacking:
        row.error = f"the record has no answer for {named(record.lacking[0])}"
    return done


def _texts(clone: Path) -> dict[str, str]:
    """Return the text files of a clone by path."""
    texts = {}
    for path in _git(clone, "ls-files", "-z").split("\0"):
        file = clone / path
        if path and file.is_file() and not file.is_symlink():
            with suppress(UnicodeDecodeError):
                texts[path] = file.read_bytes().decode()
    return texts


def _carried_out(
    one: dict[str, Any], clone: Path, place: Path, url: str
) -> tuple[str, Sequence[dict[str, Any]]]:
    """Return the command's JSON (or what it said where there is none), and its trace."""
    trace = place / "trace.jsonl"
    environ = {
        **os.environ,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": os.environ.get("ANTHROPIC_API_KEY", "none"),
        "PYTHONPATH": str(ROOT),
        "RLM_HOME": str(place / "home"),
        "GIT_AUTHOR_NAME": "Benchmark",
        "GIT_AUTHOR_EMAIL": "benchmark@localhost",
        "GIT_COMMITTER_NAME": "Benchmark",
        "GIT_COMMITTER_EMAIL": "benchmark@localhost",
    }
    command = [sys.executable, "-c", "from app.cli import run; run()", "refactor"]
    command += [one["instruction"], *one.get("within", []), "--repo", str(clone)]
    command += ["--branch", BRANCH, "--partial", "--format", "json", "--trace", str(trace)]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    lines = trace.read_text().splitlines() if trace.exists() else []
    said = ended.stdout
    if ended.returncode not in {0, 3} or not said.startswith("{"):
        said = f"exit {ended.returncode}: {ended.stderr.strip()[-400:]}"
    elif not json.loads(said)["commits"]:
        account = json.loads(said)
        said = f"no commit: {account['status']} {account['left']} {account['plan']}"[:400]
    return said, [json.loads(line) for line in lines]


def _largest(trace: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return the tokens of the largest prompt, cached ones too, and the number of calls."""
    sizes = [
        usage["input"] + usage["cache_read"] + usage["cache_write"]
        for event in trace
        if event["event"] == "CallEnded" and (usage := event["usage"])
    ]
    return max(sizes, default=0), len(sizes)


def _left(account: dict[str, Any]) -> list[str]:
    """Return what the command says is undone or not clean, and why it ended where it did early."""
    left = [f"{one['module']}: {one['what']}: {one['why']}" for one in account["left"]]
    left += [f"{one['path']}: {one['title']}" for one in account["findings"]]
    if account["status"] != "complete" and not left:
        left.append(f"{account['status']}: {account['stopped']}")
    return left


def _planned(account: dict[str, Any]) -> set[str]:
    """Return the files of the plan's modules and of what host code renamed or moved.

    What a node touched beyond its module (files that an edit broke) is not of the plan.
    """
    modules = account["plan"]["modules"]
    planned = {path for each in modules for path in (*each["files"], *each["new_files"])}
    renamed = [commit for commit in account["commits"] if commit["by"] == "host"]
    return planned | {file["path"] for commit in renamed for file in commit["files"]}


def _may(path: str, allowed: Sequence[str]) -> bool:
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in allowed)


def _changed(clone: Path, base: str) -> dict[str, int]:
    """Return the changed files, with the lines added and removed; a binary one counts as one."""
    rows = _git(clone, "diff", "--numstat", "--no-renames", "-z", base, BRANCH).split("\0")
    counted = {}
    for added, removed, path in (row.split("\t", 2) for row in rows if row):
        counted[path] = int(added) + int(removed) if added != "-" else 1
    return counted


def _parses(path: Path) -> bool:
    if path.suffix not in {".py", ".pyi"} or not path.exists():
        return True
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return False
    return True


def _contracts(clone: Path, base: str) -> list[str]:
    store = Store(clone / ".git")
    before, after = store.tree(base), store.tree(BRANCH)
    edits = {path: after.get(path) for path in {*before, *after}}
    edits = {path: data for path, data in edits.items() if data != before.get(path)}
    return [f"{each.path}: {each.title}" for each in detected(before, edits).findings]


# The package's own tests -------------------------------------------------------------------------


def _environment(package: dict[str, Any], environments: Path) -> Path:
    """Return the Python of an environment with what the package's tests need, made on first use."""
    folder = environments / package["repository"].replace("/", "+")
    python: Path = folder / "bin/python"
    ready = folder / "ready"
    wanted = json.dumps(package["requires"])
    if not ready.exists() or ready.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-q", *package["requires"]]
        subprocess.run(install, check=True, stdout=sys.stderr)
        ready.write_text(wanted)
    return python


def _failing(python: Path, package: dict[str, Any], clone: Path) -> set[str]:
    """Return the tests that fail; "the run" where there was none that came to an end.

    The package is that of the clone, with its version, which some tests ask for.
    """
    package_at = clone / package["source"]
    environ = {**os.environ, "PYTHONPATH": str(package_at), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python), *package["tests"]]
    try:
        ended = subprocess.run(
            command,
            cwd=clone,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=TESTS_S,
        )
    except subprocess.TimeoutExpired:
        return {"the run"}
    failed = set(_FAILED.findall(ended.stdout))
    return failed | ({"the run"} if ended.returncode not in {0, 1} else set())


def _git(clone: Path | None, *arguments: str) -> str:
    where = ["-C", str(clone)] if clone is not None else []
    command = ["git", *where, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# The table ---------------------------------------------------------------------------------------


def missed(rows: Sequence[Row]) -> list[str]:
    """Return the bounds that are missed, in words; one refactoring in ten may fail its tests."""
    found = [f"{row.name}: {row.error}" for row in rows if row.error]
    found += [f"{row.name}: left undone: {one[:200]}" for row in rows for one in row.left]
    found += [f"{row.name}: {p} does not parse" for row in rows for p in row.unparsed]
    found += [f"{row.name}: {said}" for row in rows for said in (*row.contracts, *row.judged)]
    found += [
        f"{row.name}: a prompt of {row.prompt:,} tokens" for row in rows if row.prompt > MOST_PROMPT
    ]
    found += [
        f"{row.name}: {row.outside} lines outside, in {', '.join(row.outside_files)}"
        for row in rows
        if row.outside
    ]
    failing = [row for row in rows if row.newly_failing]
    if len(failing) > TESTS_MISSED * len(rows) // 10:
        found += [f"{row.name}: fails {', '.join(row.newly_failing[:5])}" for row in failing]
    return found


def _show(rows: Sequence[Row]) -> None:
    heads = (
        "files",
        "lines",
        "left",
        "unparsed",
        "contracts",
        "judges",
        "new fails",
        "prompt",
        "calls",
    )
    heads = (*heads, "outside")
    print(f"{'':12}" + "".join(f"{head:>10}" for head in heads))
    for row in rows:
        cells = [row.files, row.lines, len(row.left), len(row.unparsed), len(row.contracts)]
        cells += [len(row.judged), len(row.newly_failing), row.prompt, row.calls, row.outside]
        print(f"{row.name:12}" + "".join(f"{cell:10,}" for cell in cells))
    bounds = ("", "", "0", "0", "0", "0", "1 of 10", f"{MOST_PROMPT:,}", "", "0")
    print(f"{'bound':12}" + "".join(f"{bound:>10}" for bound in bounds))
    for said in missed(rows):
        print(f"MISSED {said}")
    for row in rows:
        if row.unasked:
            print(f"NOTE {row.name}: recorded and not asked: {'; '.join(row.unasked)}")


if __name__ == "__main__":
    sys.exit(main())
