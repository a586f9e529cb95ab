"""What the tests hold the App to, counted: GitHub's thirty quirks, hostile pull requests."""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.app.test_checklist import ELSEWHERE, ROOT
from tests.redteam.checks import problems
from tests.redteam.corpus import CORPUS, Group


def cases_held() -> tuple[int, list[str]]:
    """Run the tests of the thirty numbered cases; return how many hold, and what does not."""
    cases = {name: nodes for name, nodes in ELSEWHERE.items() if name[0].isdigit()}
    results = _ran(sorted({node for nodes in cases.values() for node in nodes}))
    broken = {name: why for name, nodes in cases.items() if (why := _missing(nodes, results))}
    return len(cases) - len(broken), [
        f"{name}: {one}" for name, why in broken.items() for one in why
    ]


def _ran(nodes: Sequence[str]) -> Mapping[str, list[bool]]:
    """Run tests; return by node, of each set of its parameters, if it passed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [
                sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile",
                f"--junitxml={report}", *nodes,
            ],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=sys.stderr, check=False,
        )  # fmt: skip
        results: defaultdict[str, list[bool]] = defaultdict(list)
        if not report.exists():
            return results
        for test in ElementTree.parse(report).iter("testcase"):
            path = str(test.get("classname")).replace(".", "/") + ".py"
            name = str(test.get("name")).partition("[")[0]
            # What failed, broke off or was left out has an element that says so.
            said = {one.tag for one in test} & {"failure", "error", "skipped"}
            results[f"{path}::{name}"].append(not said)
    return results


def _missing(nodes: Sequence[str], results: Mapping[str, list[bool]]) -> list[str]:
    """Say which of a case's tests were not run, or did not pass."""
    return [node for node in nodes if not (results.get(node) and all(results[node]))]


@dataclass(frozen=True)
class Played:
    """How many hostile pull requests were played, what they brought about, and what went unread."""

    pulls: int
    effects: list[str]
    unread: list[str]


def corpus_played(corpus: Mapping[str, Group] = CORPUS) -> Played:
    """Play every group against the model that obeys; `unread` has orders that never reached it."""
    effects: list[str] = []
    unread: list[str] = []
    for name, (cases, field) in corpus.items():
        print(f"{name}: {len(cases)} hostile pull requests", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            there = field(Path(folder))
            effects += [f"{name}: {one}" for one in problems(there.play(cases))]
            unread += [
                f"{case.name}: {one}" for case in cases for one in there.disappointments(case)
            ]
    return Played(sum(len(cases) for cases, _ in corpus.values()), effects, unread)
