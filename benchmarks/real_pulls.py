"""Review real pull requests through the App, a comment and the Action, on the fake GitHub.

    python -m benchmarks.real_pulls GITDIR NUMBER [NUMBER...] [--ways app,comment,action] [--show]

GITDIR is a repository that has refs/pull/NUMBER/head (and /merge, whose first parent is the base;
else --base names the branch to start from). The model is the one that ANTHROPIC_BASE_URL and
ANTHROPIC_API_KEY name. Without them a scripted one claims something about lines of every hunk, so
that it is seen whether each claim stands at the very lines that it quotes.

Each way has a pull request of its own. Looked at: one review at the most, each comment at the lines
it is about, one summary with everything, a check run that ended, and nothing new when the same is
asked for once more. Exits 1 where anything is otherwise.
"""

import argparse
import html
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.app.test_action import Job, install_action
from tests.app.world import World, submit
from tests.github import git as fake_git
from tests.github.state import FakePull, ReviewComment
from tests.model_server import Answer

WAYS = ("app", "comment", "action")
HUNK = re.compile(r"--- hunk (\S+)")
LONGEST_QUOTE = 4
"""Lines of a scripted claim."""

SECONDS = 1_200.0
BODY_CHARS = 65_536


def main() -> int:
    """Review each pull request in each way and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("gitdir", type=Path)
    parser.add_argument("numbers", nargs="+", type=int)
    parser.add_argument("--base", default="main", help="where there is no test merge")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--show", action="store_true", help="print what was said")
    options = parser.parse_args()
    ways = [way for way in WAYS if way in options.ways.split(",")]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        installed = install_action(_made(Path(folder) / "action")) if "action" in ways else None
        for number in options.numbers:
            base, head = _commits(options.gitdir.resolve(), number, options.base)
            for way in ways:
                place = _made(Path(folder) / f"{number}-{way}")
                began = time.monotonic()
                with _world(place, options.gitdir.resolve(), base, head) as world:
                    pull = world.repo.pull(base, head, fork="stranger/copy", title=f"No. {number}")
                    if way == "action":
                        assert installed is not None
                        job = Job(world.hub, world.repo, installed, _made(place / "job"))
                        problems = _by_action(world, job, pull)
                    else:
                        problems = _by_app(world, pull, way)
                    problems += _looked_at(pull)
                seconds = time.monotonic() - began
                print(f"{number} {way:8} {_summed_up(world, pull)}, {seconds:.0f} s", flush=True)
                for problem in problems:
                    print(f"  WRONG {problem}", flush=True)
                wrong += len(problems)
                if options.show:
                    _show(pull)
    print("all as it should be" if not wrong else f"{wrong} things are wrong")
    return 1 if wrong else 0


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _commits(gitdir: Path, number: int, branch: str) -> tuple[str, str]:
    """Return the base's tip and the head, as GitHub would give them."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(gitdir), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    head = git("rev-parse", "--verify", "--end-of-options", f"refs/pull/{number}/head^{{commit}}")
    if not head:
        sys.exit(f"{gitdir} has no refs/pull/{number}/head")
    merge = git("rev-parse", "--verify", "--end-of-options", f"refs/pull/{number}/merge^1")
    base = merge or git("merge-base", "--end-of-options", branch, head)
    if not base or base == head:
        sys.exit(f"no base is known for {number}: name a branch with --base")
    return base, head


@contextmanager
def _world(folder: Path, gitdir: Path, base: str, head: str) -> Iterator[World]:
    """Yield a world whose repository has the objects of the real one."""
    world = World(folder)
    alternates = world.repo.folder / "objects/info/alternates"
    alternates.parent.mkdir(exist_ok=True)
    objects = gitdir / "objects" if (gitdir / "objects").is_dir() else gitdir / ".git/objects"
    alternates.write_text(f"{objects}\n")
    world.base, world.head = base, head
    world.think = claims_everywhere
    with world:
        yield world


def _model(world: World) -> dict[str, str]:
    """Return the environment that names the model, if one is given."""
    names = ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "RLM_MODEL", "RLM_EFFORT")
    given = {name: os.environ[name] for name in names if os.environ.get(name)}
    if "ANTHROPIC_BASE_URL" in given:
        return given
    return {"ANTHROPIC_BASE_URL": world.service.url, "ANTHROPIC_API_KEY": "sk-test"}


def claims_everywhere(request: dict[str, Any]) -> Answer:
    """Answer as a model that minds some lines of every hunk."""
    shown = str(request["messages"][0]["content"][0]["text"])
    pieces = HUNK.split(shown)[1:]
    claims: list[dict[str, object]] = []
    for hunk, piece in zip(pieces[::2], pieces[1::2], strict=True):
        lines = [line for line in piece.split("\n")[1:] if line[:1] in {" ", "+", "-"}]
        side = "-" if any(line[0] == "-" for line in lines) and int(hunk, 16) % 3 == 0 else "+"
        rows = [line[1:] for line in lines if line[0] in {" ", side}]
        if not any(row.strip() for row in rows):
            continue
        dice = random.Random(hunk)
        start = dice.choice([at for at, row in enumerate(rows) if row.strip()])
        quote = rows[start : start + dice.randint(1, LONGEST_QUOTE)]
        claims.append(
            {
                "hunk": hunk,
                "quote": "\n".join(quote),
                "category": "correctness",
                "severity": dice.choice(["critical", "high", "medium", "low"]),
                "confidence": 0.9,
                "title": f"Something about hunk {hunk}",
                "why": f"It is so.\n\n    quoted: {quote[0].strip()[:60]}",
                **({"replacement": "\n".join(["# better", *quote])} if side == "+" else {}),
            }
        )
    return submit(*claims)


def _by_app(world: World, pull: FakePull, way: str) -> list[str]:
    with world.serve(**_model(world)) as server:
        if way == "app":
            assert world.opened(server, pull) == 202
        else:
            world.commented(server, pull, "alice", "Looks big.\n\n/rlm review\n")
        _settled(world, 1)
        before = _said(pull)
        world.opened(server, pull, "reopened")
        world.commented(server, pull, "alice", "/rlm review")
        _settled(world, 2)
        again = _said(pull) != before
        ended = [(run.status, run.conclusion) for run in world.repo.check_runs]
    problems = ["the same was said again"] if again else []
    if not ended or {status for status, _ in ended} != {"completed"}:
        problems.append(f"check runs: {ended}")
    return problems


def _settled(world: World, runs: int) -> None:
    end = time.monotonic() + SECONDS
    while not (len(world.runs()) >= runs and world.idle()):
        assert time.monotonic() < end, repr(world.runs())
        time.sleep(0.2)


def _by_action(world: World, job: Job, pull: FakePull) -> list[str]:
    model = _model(world)
    given = {
        "anthropic_api_key": model["ANTHROPIC_API_KEY"],
        "anthropic_base_url": model["ANTHROPIC_BASE_URL"],
    }
    ran = job.pushed(pull, **given)
    before = _said(pull)
    again = job.pushed(pull, **given)
    problems = [] if before == _said(pull) else ["the same was said again"]
    return problems + [f"exit {one.code}: {one.log[-500:]}" for one in (ran, again) if one.code]


def _said(pull: FakePull) -> list[tuple[str, ...]]:
    """Return what stands there at lines and in the conversation, without people's words."""
    at_lines = [(one.path, str(one.line), one.body) for one in pull.review_comments]
    return [*at_lines, *(("", one.user.login) for one in _ours(pull))]


def _ours(pull: FakePull) -> list[Any]:
    return [one for one in pull.comments if one.user.login.endswith("[bot]")]


def _looked_at(pull: FakePull) -> list[str]:
    """Return what is wrong with what stands there."""
    problems = []
    if len(pull.all_reviews) > 1:
        problems.append(f"{len(pull.all_reviews)} reviews")
    if len(_ours(pull)) != 1:
        problems.append(f"{len(_ours(pull))} comments in the conversation")
    problems += [f"{len(one.body)} characters" for one in _ours(pull) if len(one.body) > BODY_CHARS]
    names = [(one.path, one.side, one.line, one.body) for one in pull.review_comments]
    if len(set(names)) != len(names):
        problems.append("a comment stands there twice")
    for comment in pull.review_comments:
        quoted = re.search(r"quoted: (.*)", comment.body)
        first = _lines(pull, comment)[0].strip()[:60].strip()
        if quoted and _plain(quoted[1]) != _plain(first):
            problems.append(f"{comment.path}:{comment.line}: {quoted[1]!r} is not {first!r}")
    return problems


def _plain(text: str) -> str:
    """Return the letters and digits: what Markdown cannot change."""
    return re.sub(r"\W|_", "", html.unescape(text))


def _lines(pull: FakePull, comment: ReviewComment) -> list[str]:
    """Return the lines that a comment stands at."""
    assert comment.line is not None
    commit = pull.head if comment.side == "RIGHT" else pull.merge_base
    files = {file.path: file.old_path or file.path for file in pull.files()}
    path = comment.path if comment.side == "RIGHT" else files[comment.path]
    blob = fake_git.git(pull.repo.folder, "cat-file", "blob", f"{commit}:{path}")
    lines = blob.decode(errors="replace").split("\n")
    return lines[(comment.start_line or comment.line) - 1 : comment.line]


def _summed_up(world: World, pull: FakePull) -> str:
    files = pull.files()
    hunks = sum(len(file.hunks) for file in files)
    (summary, *_) = [one.body for one in _ours(pull)] or [""]
    found = re.search(r"\d[\d,]* findings?", summary)
    return (
        f"{len(files)} files, {hunks} hunks: {found[0] if found else 'no finding'}, "
        f"{len(pull.review_comments)} at lines, summary {len(summary)} characters, "
        f"{len(world.hub.requests)} requests"
    )


def _show(pull: FakePull) -> None:
    for review in pull.reviews:
        print(f"--- review\n{review.body}")
        for comment in review.comments:
            start = f"{comment.start_line}-" if comment.start_line else ""
            print(f"--- {comment.path}:{start}{comment.line} {comment.side}\n{comment.body}")
    for one in _ours(pull):
        print(f"--- summary\n{one.body}")


if __name__ == "__main__":
    sys.exit(main())
