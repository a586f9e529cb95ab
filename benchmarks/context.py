"""Recall and latency of "who uses this function", beside grep and jedi, against language servers.

    python -m benchmarks.context --repos '/mirrors/{owner}/{name}.git' [OWNER/NAME...] [--json FILE]

Needs the truth that `benchmarks.context_truth` builds. Judged is what is held out, all repositories
of a language together; exit 1 where a bound is missed. Matching is by path and line.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import context_ours
from benchmarks.context_recall import GROUPS, Outcome, Place, Score, outcome, quantile, scores
from benchmarks.context_repos import (
    REPOS,
    Repo,
    add_arguments,
    check_out,
    chosen,
    file_of,
    git_dir,
)
from benchmarks.context_sample import SUFFIXES

CANDIDATES = 0.97
PYTHON_AT = {5: 0.90, 10: 0.94}
MANY_AT_10 = 0.85
"""Python names with more than five definitions."""

OTHERS_AT_10 = 0.85
"""TypeScript against tsserver, Go against gopls."""

JEDI_BUDGET_S = 90.0
"""For one repository. jedi takes seconds for each function; it is scored on those it came to."""


def main() -> int:
    options = _arguments()
    by_tool: dict[str, dict[str, list[Outcome]]] = {}
    for repo in chosen(options):
        kept = file_of(options, repo, "truth")
        if not kept.exists():
            raise SystemExit(f"no truth about {repo.name}: run benchmarks.context_truth")
        truth = json.loads(kept.read_text())
        for tool in options.tools.split(","):
            found = measured(tool, repo, truth, options)
            if found is not None:
                by_tool.setdefault(tool, {})[repo.name] = found
                print(".", end="", flush=True, file=sys.stderr)
    report = table(by_tool)
    missed = [
        sentence
        for language in ("python", "typescript", "go")
        for sentence in judge(language, pooled(by_tool.get("ours", {}), language))
    ]
    print(*report, *(f"MISSED: {sentence}" for sentence in missed), sep="\n")
    if options.json:
        options.json.write_text(json.dumps(as_json(by_tool), indent=1))
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--tools", default="ours,grep,jedi", help="of ours, grep and jedi")
    parser.add_argument("--peers", type=Path, default=Path(".make/peers"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return parser.parse_args()


def measured(
    tool: str, repo: Repo, truth: dict[str, Any], options: argparse.Namespace
) -> list[Outcome] | None:
    """Return what a tool finds of each function with uses; None where it has no such language."""
    functions = [one for one in truth["functions"] if one["uses"]]
    git = git_dir(options, repo)
    if tool == "jedi":
        return _jedi(repo, truth, functions, options) if repo.language == "python" else None
    if tool == "ours":
        return _ours(git, truth["sha"], functions)
    found = []
    for one in functions:
        start = time.perf_counter()
        places = grep(git, truth["sha"], repo.language, one["name"])
        found.append(outcome(one, places, seconds=time.perf_counter() - start))
    return found


def _ours(git: Path, sha: str, functions: list[dict[str, Any]]) -> list[Outcome]:
    """Ask our provider: twice, and the second time is what is timed, as all is warm then."""
    found = []
    with context_ours.opened(git, sha) as provider:
        for one in functions:
            context_ours.ranked(provider, one)
            start = time.perf_counter()
            places = context_ours.ranked(provider, one)
            seconds = time.perf_counter() - start
            every = context_ours.candidates(provider, one) + places
            found.append(outcome(one, places, every, seconds))
    return found


def grep(git: Path, sha: str, language: str, name: str) -> list[Place]:
    """Return what `git grep` finds of a word, in its order, without the lines that define it."""
    globs = [f"*{suffix}" for suffix in SUFFIXES[language]]
    command = ["git", f"--git-dir={git}", "grep", "-I", "-n", "-w", "-F", "-z", "-e", name, sha]
    run = subprocess.run([*command, "--", *globs], capture_output=True, check=False)
    defines = re.compile(
        rf"\b(def|class|func|function|type|interface)\s+(\([^)]*\)\s*)?{re.escape(name)}\b".encode()
    )
    places = []
    for row in run.stdout.split(b"\n"):
        head, _, rest = row.partition(b"\0")
        number, _, text = rest.partition(b"\0")
        if number and not defines.search(text):
            places.append((head[len(sha) + 1 :].decode("utf-8", "replace"), int(number)))
    return places


def _jedi(
    repo: Repo, truth: dict[str, Any], functions: list[dict[str, Any]], options: argparse.Namespace
) -> list[Outcome]:
    """Return what jedi finds, kept beside the truth: it takes longer than all else together."""
    kept = file_of(options, repo, "jedi")
    known = json.loads(kept.read_text()) if kept.exists() else {}
    if known.get("sha") != truth["sha"]:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder, "tree")
            check_out(git_dir(options, repo), truth["sha"], repo.language, tree)
            asked = {"root": str(tree), "roots": repo.roots, "budget_s": JEDI_BUDGET_S}
            run = subprocess.run(
                [
                    options.peers / "python" / "bin" / "python",
                    Path(__file__).with_name("context_jedi.py"),
                ],
                input=json.dumps({**asked, "functions": functions}),
                capture_output=True,
                text=True,
                check=True,
            )
        known = {"sha": truth["sha"], **json.loads(run.stdout)}
        kept.write_text(json.dumps(known))
    return [
        outcome(one, [(path, line) for path, line in answer["uses"]], seconds=answer["seconds"])
        for one, answer in zip(functions, known["answers"], strict=False)
    ]


def pooled(by_repo: dict[str, list[Outcome]], language: str) -> dict[str, Score]:
    """Return the scores over all held-out repositories of a language."""
    held_out = {repo.name for repo in REPOS if repo.held_out and repo.language == language}
    return scores(one for name, some in by_repo.items() if name in held_out for one in some)


def judge(language: str, score: dict[str, Score]) -> Iterator[str]:
    """Yield a sentence for each bound that is missed; none where nothing was measured."""
    bounds: list[tuple[str, int | None, float]] = [("all", 10, OTHERS_AT_10)]
    if language == "python":
        bounds = [("all", None, CANDIDATES), (">5", 10, MANY_AT_10)]
        bounds += [("all", k, bound) for k, bound in PYTHON_AT.items()]
    for group, depth, bound in bounds:
        of = score[group]
        value = of.found if depth is None else of.at.get(depth)
        if value is not None and value < bound:
            what = "candidates" if depth is None else f"recall@{depth}"
            yield f"{language}, {group}: {what} {value:.1%}, bound {bound:.0%}"


def table(by_tool: dict[str, dict[str, list[Outcome]]]) -> list[str]:
    """Return the lines of the report: each repository, then what is held out, by language."""
    lines = [
        f"{'':34}{'tool':6}{'functions':>10}{'cands':>8}{'recall':>8}{'@5':>7}{'@10':>7}{'@20':>7}"
        f"{'p50':>9}{'p95 ms':>9}"
    ]
    for repo in REPOS:
        for tool, by_repo in by_tool.items():
            if some := by_repo.get(repo.name):
                mark = "" if repo.held_out else " (tuned)"
                lines.append(_row(repo.name + mark, tool, scores(some)["all"], some))
    for language in ("python", "typescript", "go"):
        for group in GROUPS:
            for tool, by_repo in by_tool.items():
                score = pooled(by_repo, language)[group]
                if score.functions:
                    lines.append(_row(f"{language}, held out: {group}", tool, score, []))
    return lines


def _row(what: str, tool: str, score: Score, outcomes: list[Outcome]) -> str:
    if not score.functions:
        return f"{what:34}{tool:6}{0:>10}"
    shares = [score.found or 0.0, *score.at.values()]
    times = [quantile((one.seconds for one in outcomes), share) * 1000 for share in (0.5, 0.95)]
    told = "".join(f"{value:9.1f}" for value in times) if outcomes else ""
    return (
        f"{what:34}{tool:6}{score.functions:>10}{score.candidates:>8}"
        + "".join(
            f"{100 * share:{8 if first == 0 else 7}.1f}" for first, share in enumerate(shares)
        )
        + told
    )


def as_json(by_tool: dict[str, dict[str, list[Outcome]]]) -> dict[str, Any]:
    """Return all scores, by tool, and by repository or held-out language."""
    return {
        tool: {
            "repositories": {
                name: {
                    "held_out": next(repo.held_out for repo in REPOS if repo.name == name),
                    "p50_s": quantile((one.seconds for one in some), 0.5),
                    "p95_s": quantile((one.seconds for one in some), 0.95),
                    "groups": {group: asdict(score) for group, score in scores(some).items()},
                }
                for name, some in by_repo.items()
            },
            "held_out": {
                language: {
                    group: asdict(score) for group, score in pooled(by_repo, language).items()
                }
                for language in ("python", "typescript", "go")
            },
        }
        for tool, by_repo in by_tool.items()
    }


if __name__ == "__main__":
    sys.exit(main())
