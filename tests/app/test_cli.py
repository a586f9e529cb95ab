"""The command as a user meets it: a process, its exit code, its two streams."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import _bug, main
from reviewer.request import Review
from tests import warm
from tests.app.pull_server import PullServer, Refusal
from tests.app.schemas import assert_fits
from tests.model_server import Answer, ModelServer, hang, tool
from tests.repo import Repo
from tests.warm import COMMAND, ROOT

CLEAN = "def area(w, h):\n    return w * h\n"
FLAWED = "def area(w, h):\n<<<<<<< HEAD\n    return w * h\n=======\n    return h * w\n>>>>>>> x\n"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def review(self) -> Review:
        return Review.model_validate_json(self.out)


@dataclass(frozen=True)
class User:
    """Somebody at a shell, standing in a repository."""

    repo: Repo
    home: Path

    def environ(self, **more: str) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **more}

    def start(self, *arguments: str, cwd: Path | None = None, **environ: str) -> Any:
        return warm.start(
            arguments, cwd=cwd or self.repo.path, env=self.environ(**environ), text=True
        )

    def rlm(self, *arguments: str, cwd: Path | None = None, **environ: str) -> Ran:
        process = self.start(*arguments, cwd=cwd, **environ)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        return Ran(process.returncode, out, err)


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user whose branch `topic` leaves a conflict marker in a file of `main`."""
    home = tmp_path / "home"
    home.mkdir()
    repo = Repo(tmp_path / "work")
    repo.write("shapes.py", CLEAN)
    repo.commit()
    repo.git("switch", "-q", "-c", "topic")
    repo.write("shapes.py", FLAWED)
    repo.commit()
    return User(repo, home)


def submitted(*claims: dict[str, object]) -> Answer:
    return tool("submit", {"overview": "Changes how areas are computed.", "claims": list(claims)})


@pytest.fixture
def service() -> Iterator[ModelServer]:
    with ModelServer(lambda _: submitted(), key="sk-test") as server:
        yield server


def key(server: ModelServer) -> dict[str, str]:
    return {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": server.url}


# Arguments ---------------------------------------------------------------------------------------


def test_a_path_narrows_the_review_and_the_rest_is_listed(user: User) -> None:
    user.repo.write("docs.md", "words\n")
    user.repo.commit()
    args = ("review", "--no-model", "--format", "json", "--path", "docs.md", "main..topic")
    review = user.rlm(*args).review
    assert review.findings == []
    assert [one.path for one in review.coverage.skipped] == ["shapes.py"]


def test_the_effort_of_the_settings_counts_where_none_is_given(user: User) -> None:
    said = user.rlm("review", "--estimate", "--format", "json", "main..topic", RLM_EFFORT="quick")
    deep = user.rlm("review", "--estimate", "--format", "json", "--effort", "deep", "main..topic")
    assert json.loads(said.out)["estimate"]["nodes"] < json.loads(deep.out)["estimate"]["nodes"]
    assert "RLM_EFFORT" in user.rlm("review", "main..topic", RLM_EFFORT="huge").err


def test_help_loads_nothing_heavy() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from app.cli import _bug, main\n"
        "try: main(['review', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'pydantic', 'anthropic', 'github', 'git', 'rich', 'asyncio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().rstrip().endswith("set()")


def test_nothing_typed_shows_the_help_and_is_an_error(user: User) -> None:
    ran = user.rlm()
    assert (ran.code, ran.out) == (2, "")
    assert "exit codes:" in ran.err


def test_help_is_found_under_every_name(user: User) -> None:
    texts = [user.rlm(*words) for words in (["help", "review"], ["review", "-h"])]
    assert {ran.code for ran in texts} == {0}
    assert texts[0].out == texts[1].out
    assert "--fail-on" in texts[0].out and "2.00" in texts[0].out


def test_the_version(user: User) -> None:
    ran = user.rlm("--version")
    assert ran.code == 0 and ran.out.startswith("rlm ")


def test_a_start_from_nothing_is_as_those_of_the_tests(user: User) -> None:
    """All others start from a process that has the program in memory."""
    command = [*COMMAND, "review", "--format", "json", "main..topic"]
    real = subprocess.run(
        command, cwd=user.repo.path, env=user.environ(), capture_output=True, check=True
    )
    warm = user.rlm(*command[len(COMMAND) :])
    found = Review.model_validate_json(real.stdout).findings
    assert found and found == warm.review.findings and warm.code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["reviw"],
        ["review", "--efort", "quick"],
        ["review", "--form", "json"],
        ["review", "--format", "yaml"],
        ["review", "--fail-on", "bad"],
        ["review", "--deadline", "0"],
        ["review", "--deadline", "soon"],
        ["review", "--budget", "much"],
        ["review", "--budget", "-1"],
        ["review", "--model", "a b"],
        ["review", "--model", "x", "--no-model"],
        ["review", "a..b", "c..d"],
    ],
)
def test_wrong_usage_is_two_lines(user: User, arguments: list[str]) -> None:
    ran = user.rlm(*arguments, ANTHROPIC_API_KEY="k")
    assert (ran.code, ran.out) == (2, "")
    problem, hint = ran.err.splitlines()
    assert problem.startswith("rlm: ") and hint.startswith("hint: ")


def test_two_revisions_without_dots_are_shown_how_to_be_a_range(user: User) -> None:
    err = user.rlm("review", "main", "topic").err
    assert err.splitlines() == ["rlm: one range, with dots: main..topic", "hint: rlm review --help"]
    err = user.rlm("review", "main..topic", "--efort", "quick").err
    assert err.splitlines()[0] == "rlm: unrecognized arguments: --efort quick"


# The result --------------------------------------------------------------------------------------


def test_the_current_branch_is_reviewed_without_being_told(user: User) -> None:
    ran = user.rlm("review")
    assert ran.code == 0
    assert "shapes.py:2" in ran.out
    assert "no model key" in ran.out


def test_exit_codes_follow_the_threshold(user: User) -> None:
    found = user.rlm("review", "--format", "json").review.findings
    worst = min(found, key=lambda finding: finding.severity.rank).severity
    assert user.rlm("review", "--fail-on", worst).code == 1
    assert user.rlm("review", "--fail-on", "nit").code == 1
    if worst != "critical":
        assert user.rlm("review", "--fail-on", "critical").code == 0
    assert user.rlm("review", "main..main", "--fail-on", "nit").code == 0


@pytest.mark.parametrize("name", ["text", "json", "markdown", "sarif", "html"])
def test_every_format_goes_to_a_file_whole(user: User, tmp_path: Path, name: str) -> None:
    file = tmp_path / "result"
    ran = user.rlm("review", "--format", name, "--output", str(file))
    assert (ran.code, ran.out) == (0, "")
    text = file.read_text()
    assert "shapes.py" in text and text.endswith("\n")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_output_file_keeps_its_mode_and_its_link(user: User, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert user.rlm("review", "--format", "json", "--output", str(link)).code == 0
    assert link.is_symlink() and target.stat().st_mode & 0o777 == 0o640
    assert_fits("review", target.read_text())


@pytest.mark.parametrize("option", ["--output", "--trace"])
@pytest.mark.parametrize("link", ["result", "folder", "inside"])
def test_no_link_in_the_work_tree_leads_a_file_elsewhere(
    user: User, tmp_path: Path, option: str, link: str
) -> None:
    aim = {
        "result": tmp_path / "profile",
        "folder": tmp_path,
        "inside": user.repo.path / "Makefile",
    }
    (user.repo.path / link).symlink_to(aim[link])
    victim = tmp_path / "profile" if link == "folder" else aim[link]
    victim.write_text("mine")
    name = "folder/profile" if link == "folder" else link
    ran = user.rlm("review", option, str(user.repo.path / name))
    assert (ran.code, victim.read_text()) == (2, "mine")
    assert "symbolic link" in ran.err and option in ran.err
    assert user.rlm("review", option, name).code == 2
    assert user.rlm("review", option, "plain").code == 0


@pytest.mark.parametrize("name", ["", "missing/result", "shapes.py/result"])
def test_an_output_that_cannot_be_is_refused_before_the_work(user: User, name: str) -> None:
    ran = user.rlm("review", "--output", str(user.repo.path / name))
    assert (ran.code, ran.out) == (2, "")
    assert "--output" in ran.err


def test_a_full_disk_does_not_lose_the_review(user: User) -> None:
    ran = user.rlm("review", "--format", "json", "--output", "/dev/full")
    assert ran.code == 2
    assert ran.review.findings
    assert "No space left" in ran.err


def test_a_full_standard_output_does_not_lose_the_review(user: User) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "review"],
            cwd=user.repo.path,
            env=user.environ(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"shapes.py:2" in done.stderr
    assert b"No space left" in done.stderr and b"Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error(user: User) -> None:
    process = user.start("review", "--format", "html", "-q")
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""


def test_standard_output_carries_the_result_only(user: User) -> None:
    ran = user.rlm("review", "--format", "json", RLM_BUGDET="1")
    assert ran.review.status == "complete"
    assert "RLM_BUGDET" in ran.err
    quiet = user.rlm("review", "--format", "json", "-q", RLM_BUGDET="1")
    assert len(quiet.err.splitlines()) == 1 and quiet.err.startswith("warning: ")
    assert user.rlm("review", "--format", "json", "-q").err == ""


def test_an_empty_range_is_a_valid_result(user: User) -> None:
    ran = user.rlm("review", "main..main", "--format", "json")
    assert ran.code == 0
    assert ran.review.findings == []
    assert ran.review.notes == ["Both ends of this range have the same files."]
    sarif = user.rlm("review", "main..main", "--format", "sarif")
    assert json.loads(sarif.out)["runs"][0]["results"] == []


def test_a_branch_that_adds_nothing_is_told_so_kindly(user: User) -> None:
    user.repo.git("switch", "-q", "main")
    user.repo.git("branch", "-q", "trunk", "topic")
    user.repo.git("branch", "-q", "--set-upstream-to", "trunk")
    ran = user.rlm("review", "--fail-on", "nit")
    assert ran.code == 0
    assert ran.out.startswith("Nothing to review: ")
    words = " ".join(ran.out.split())
    assert "Commit your work first" in words and "no model key" not in words


def test_a_range_the_wrong_way_around_is_told_so(user: User) -> None:
    ran = user.rlm("review", "topic..main")
    assert ran.code == 0
    assert ran.out.startswith("Nothing to review: ")
    assert "type it the other way around" in " ".join(ran.out.split())


def test_what_was_paid_is_found_again_whatever_the_order_of_sets(
    user: User, service: ModelServer
) -> None:
    """Processes of the tests have one order of sets (`tests/warm.py`); those of users have not."""
    for name in ("one", "two", "three"):
        user.repo.write(f"{name}.py", f"def {name}(a, b):\n    return a + b + {len(name)}\n")
    user.repo.commit()
    asked = []
    for seed in ("1", "2"):
        args = ("review", "main..topic", "--format", "json")
        assert user.rlm(*args, PYTHONHASHSEED=seed, **key(service)).code == 0
        asked.append(len(service.requests))
    assert asked[0] > 0 and asked[1] == asked[0]


def test_nothing_is_said_twice(user: User) -> None:
    said = user.rlm("review").out
    assert len(re.findall(r"\d findings?\b", said)) == 1
    assert len(re.findall(r"\d hunks?\b", said)) == 1
    assert len(re.findall(r"\d files?\b", said)) == 1
    user.repo.write("shapes.py", CLEAN + "\n")
    user.repo.commit()
    assert user.rlm("review").out.lower().count("no findings") == 1


# What is in the way ------------------------------------------------------------------------------


def refused(ran: Ran) -> str:
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 2, ran.err
    assert "hint: " in ran.err
    return ran.err


def test_outside_of_any_repository(user: User, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    assert "not in a git repository" in refused(user.rlm("review", cwd=outside))
    assert "no such folder" in refused(user.rlm("review", "--repo", "/no/where"))


def test_a_typo_in_the_range(user: User) -> None:
    assert "Did you mean 'main'" in refused(user.rlm("review", "mian..HEAD"))
    refused(user.rlm("review", "--repo", ".", "--", "--output=/tmp/x..HEAD"))


def test_a_repository_with_one_commit_or_none(user: User, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "young")
    refused(user.rlm("review", cwd=repo.path))
    repo.write("a", "1")
    repo.commit()
    assert "only commit" in refused(user.rlm("review", cwd=repo.path))


def test_a_bad_setting(user: User) -> None:
    assert "RLM_BUDGET" in refused(user.rlm("review", RLM_BUDGET="two"))


def test_a_name_with_control_characters_does_not_reach_the_terminal(user: User) -> None:
    ran = user.rlm("review", "--repo", "/no/\x1b[31mred\udcff")
    assert "\x1b" not in refused(ran)


@pytest.mark.parametrize(("value", "shown"), [("1", True), ("0", False), ("", False)])
def test_a_traceback_is_shown_to_who_asks(
    value: str,
    shown: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RLM_DEBUG", value)
    try:
        raise ZeroDivisionError("boom")
    except ZeroDivisionError as error:
        assert _bug(error) == 2
    assert ("Traceback" in capsys.readouterr().err) is shown


def test_a_bug_is_one_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert _bug(ZeroDivisionError("boom")) == 2
    assert capsys.readouterr().err == (
        "rlm: This is a bug: ZeroDivisionError: boom.\n"
        "hint: Run again with RLM_DEBUG=1 and report what it prints.\n"
    )


# The model ---------------------------------------------------------------------------------------


def test_the_reasons_for_no_model_are_said(user: User, service: ModelServer) -> None:
    for arguments, why in (
        (["--no-model"], "--no-model"),
        (["--budget", "0"], "budget is $0"),
    ):
        ran = user.rlm("review", "--format", "json", *arguments, **key(service))
        assert ran.code == 0
        assert any(why in note for note in ran.review.notes)
        assert ran.review.cost.model is None
    assert service.requests == []


def test_a_model_without_a_key(user: User) -> None:
    assert "ANTHROPIC_API_KEY" in refused(user.rlm("review", "--model", "claude-opus-5-5"))
    assert user.rlm("review", RLM_MODEL="claude-opus-5-5").code == 0


def test_an_unknown_price_cannot_be_capped(user: User, service: ModelServer) -> None:
    ran = user.rlm("review", "--model", "home-grown-7b", **key(service))
    assert "RLM_PRICES" in refused(ran) and "--budget none" in ran.err
    assert service.requests == []
    ran = user.rlm(
        "review", "--model", "home-grown-7b", "--budget", "none", "--format", "json", **key(service)
    )
    assert ran.code == 0, ran.err
    assert ran.review.cost.model == "home-grown-7b" and ran.review.cost.usd is None


def test_the_model_and_the_detectors_together(user: User, service: ModelServer) -> None:
    def answer(request: dict[str, Any]) -> Answer:
        text = json.dumps(request)
        hunk = text.split("hunk ")[1].split()[0].strip('":\\n') if "hunk " in text else "?"
        return submitted(
            {
                "hunk": hunk,
                "path": "shapes.py",
                "quote": "    return h * w",
                "category": "correctness",
                "severity": "critical",
                "confidence": 0.9,
                "title": "Both sides of a conflict are kept",
                "why": "The second return can never run.",
            }
        )

    service.script = answer
    ran = user.rlm("review", "--format", "json", "--fail-on", "critical", **key(service))
    assert ran.code == 1, ran.err
    sources = {finding.source.partition(":")[0] for finding in ran.review.findings}
    assert sources == {"model", "detector"}
    assert ran.review.cost.usd and ran.review.cost.usd <= 2.0
    assert "no model key" not in ran.out


def test_an_estimate_asks_nobody(user: User, service: ModelServer) -> None:
    ran = user.rlm("review", "--estimate", **key(service))
    assert ran.code == 0 and "$" in ran.out
    asked = user.rlm("review", "--estimate", "--format", "json")
    estimate = json.loads(asked.out)["estimate"]
    assert 0 < estimate["usd_low"] <= estimate["usd_high"]
    described = (ROOT / "docs/json.md").read_text(encoding="utf-8").partition("## An estimate")[2]
    assert set(re.findall(r"`(\w+)`", described)) >= set(estimate)
    assert service.requests == []


@pytest.mark.parametrize("form", ["markdown", "sarif", "html"])
def test_an_estimate_has_two_forms(user: User, form: str) -> None:
    assert "text or json" in refused(user.rlm("review", "--estimate", "--format", form))


def test_an_estimate_without_a_model_is_refused(user: User) -> None:
    assert "--no-model" in refused(user.rlm("review", "--estimate", "--no-model"))


def test_a_service_that_refuses_the_key_leaves_the_detectors(
    user: User, service: ModelServer
) -> None:
    environ = key(service) | {"ANTHROPIC_API_KEY": "sk-wrong"}
    ran = user.rlm("review", "--format", "json", **environ)
    assert ran.code == 3
    assert ran.review.stopped == "model"
    assert any(finding.source.startswith("detector") for finding in ran.review.findings)


def test_the_trace_is_json_lines(user: User, service: ModelServer, tmp_path: Path) -> None:
    file = tmp_path / "trace"
    assert user.rlm("review", "--trace", str(file), **key(service)).code == 0
    events = [json.loads(line) for line in file.read_text().splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[:2] == ["RunStarted", "NodeStarted"] and kinds[-1] == "RunEnded"
    assert "CallEnded" in kinds
    assert [event["at_s"] for event in events] == sorted(event["at_s"] for event in events)
    cut = user.rlm("review", "-q", "--trace", "/dev/full", **key(service))
    assert cut.code == 0 and "the trace ends here" in cut.err
    refused(user.rlm("review", "--trace", "/no/where", **key(service)))


# Ctrl-C ------------------------------------------------------------------------------------------


def wait_until(true: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_with_what_there_is(
    user: User, service: ModelServer, number: int
) -> None:
    service.script = lambda _: hang(60, submitted())
    process = user.start("review", "--format", "json", "--fail-on", "nit", **key(service))
    wait_until(lambda: service.calls)
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert time.monotonic() - began < 5
    ran = Ran(3, out, err)
    assert (ran.review.status, ran.review.stopped) == ("partial", "cancelled")
    assert any(finding.source.startswith("detector") for finding in ran.review.findings)
    assert "Traceback" not in err


def test_the_second_signal_ends_at_once(user: User, service: ModelServer) -> None:
    service.script = lambda _: hang(60, submitted())
    process = user.start("review", **key(service))
    wait_until(lambda: service.calls)
    # Frozen in between, so that both are waiting when it goes on.
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=30)
    assert process.returncode in {130, 143}
    assert "Traceback" not in err


def test_ctrl_c_before_there_is_anything(tmp_path: Path, user: User) -> None:
    with PullServer(tmp_path) as hub:
        root = hub.commit({"a": b"1"})
        hub.pull(1, root, hub.commit({"a": b"2"}, root))
        arrived, go = threading.Event(), threading.Event()

        def block() -> None:
            arrived.set()
            go.wait(30)

        hub.before_git = block
        process = user.start("review", str(hub.url(1)), **hub.environ(user.home))
        assert arrived.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        go.set()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "rlm: Stopped before there was a result."
    assert "Traceback" not in err


# A pull request ----------------------------------------------------------------------------------


def test_a_pull_request_by_its_address(tmp_path: Path, user: User) -> None:
    with PullServer(tmp_path, token="t0ken") as hub:
        root = hub.commit({"shapes.py": CLEAN.encode()})
        hub.pull(5, root, hub.commit({"shapes.py": FLAWED.encode()}, root))
        ran = user.rlm(
            "review",
            f"{hub.url(5)}/files#diff-1",
            "--format",
            "json",
            cwd=user.home,
            **hub.environ(user.home, "t0ken"),
        )
        assert ran.code == 0, ran.err
        assert [finding.path for finding in ran.review.findings][:1] == ["shapes.py"]
        assert ran.review.change.merge_base == root
        missing = user.rlm("review", str(hub.url(6)), **hub.environ(user.home, "t0ken"))
        assert "There is no" in refused(missing)
        spent = {"X-RateLimit-Reset": "1", "X-RateLimit-Remaining": "0"}
        hub.refusal = Refusal(403, "API rate limit exceeded", spent)
        limited = user.rlm("review", str(hub.url(5)), **hub.environ(user.home))
        assert "limits the rate" in refused(limited)


def test_no_network(user: User) -> None:
    environ = {
        "RLM_GITHUB_SERVER_URL": "http://127.0.0.1:9",
        "RLM_GITHUB_API_URL": "http://127.0.0.1:9/api/v3",
    }
    ran = user.rlm("review", "http://127.0.0.1:9/o/r/pull/1", **environ)
    assert "cannot be reached" in refused(ran)


def test_arguments_can_be_given_in_process(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: rlm")
