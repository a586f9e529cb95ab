"""`rlm eval` as a user meets it: a dataset in, numbers out, over a scripted model."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.eval.judge import NONSENSE
from app.eval.report import Report
from reviewer.model.base import Usage
from reviewer.model.prices import load
from tests.app.test_cli import User
from tests.model_server import (
    Answer,
    ModelServer,
    billed,
    hang,
    reported,
    seeks_repeats,
    text,
    tool,
    verifies,
)
from tests.model_server import verdict as holds
from tests.repo import Repo
from tests.warm import COMMAND, ROOT

MODEL, CHEAP = "claude-sonnet-5-5", "claude-haiku-5-5"
SHIPPED = str(ROOT / "evaluation")

USAGE = {"input_tokens": 1_000, "output_tokens": 100, "cache_read_input_tokens": 50}
JUDGED = {"input_tokens": 300, "output_tokens": 20, "cache_read_input_tokens": 0}

LINES = [f"step_{number} = {number}" for number in range(1, 61)]
NOTE, QUIET = "# a note", "# quiet"


@dataclass(frozen=True)
class Said:
    """What the scripted reviewer claims about a line of shop.py, and the judge of it."""

    line: int
    title: str
    severity: str = "high"
    judge: Answer | str = ""


def verdict(same: bool) -> Answer:
    return tool("verdict", {"why": "because", "same": same})


YES, NO = verdict(True), verdict(False)

CLAIMS = [
    Said(10, "Alpha is lost", "critical", YES),  # the very line of d1
    Said(12, "Bravo goes missing", "high", YES),  # says d1 again, two lines below
    Said(22, "Charlie overflows", "high", YES),  # d2, two lines off
    Said(30, "Delta looks old", "medium", NO),  # at d3 and about something else
    Said(40, "Echo might fail", "medium", text("I cannot tell.")),  # at d4: no verdict
    Said(50, "Foxtrot is unsafe", "low"),  # where a claim is false for sure
]


@dataclass
class Bench:
    """A user with a dataset of one change with four defects and two clean ones."""

    user: User
    dataset: Path
    cases: list[dict[str, Any]]
    server: ModelServer

    def write(self) -> None:
        lines = "".join(f"{json.dumps(one)}\n" for one in self.cases)
        self.dataset.write_text(lines, encoding="utf-8")

    def eval(
        self, *arguments: str, key: str | None = "sk-test", dataset: str = "", **environ: str
    ) -> Any:
        service = service_of(self.server, key) if key else {}
        given = (dataset or str(self.dataset), "--out", str(self.user.home / "out"), *arguments)
        return self.user.rlm("eval", *given, cwd=self.user.home, **service, **environ)

    def report(self, *arguments: str, code: int = 0, **more: Any) -> Report:
        ran = self.eval("--effort", "quick", "--format", "json", *arguments, **more)
        assert ran.code == code, ran.err
        return Report.model_validate_json(ran.out)

    @property
    def judgings(self) -> list[dict[str, Any]]:
        return [call for call in self.server.calls if is_judging(call)]


def service_of(server: ModelServer, key: str = "sk-test") -> dict[str, str]:
    return {
        "ANTHROPIC_API_KEY": key,
        "ANTHROPIC_BASE_URL": server.url,
        "RLM_CHEAP_MODEL": CHEAP,
    }


def is_judging(request: dict[str, Any]) -> bool:
    return [one["name"] for one in request["tools"]] == ["verdict"]


def answer(request: dict[str, Any]) -> Answer:
    words = str(request["messages"][0]["content"][0]["text"])
    if is_judging(request):
        title = json.loads(words)["claim"]["title"]
        said = next(one.judge for one in CLAIMS if one.title == title)
        assert isinstance(said, Answer), f"the judge was asked about {title}"
        return billed(said, **JUDGED)
    if seeks_repeats(request):
        return billed(tool("submit", {"groups": [], "patterns": []}), **USAGE)
    if verifies(request):
        severity = {one.title: one.severity for one in CLAIMS}.get(reported(request)[1], "low")
        return billed(holds(request, severity=severity), **USAGE)
    claims = CLAIMS if NOTE not in words else [Said(5, "Golf is gone", "low")]
    return submitted(words, [] if QUIET in words else claims)


def submitted(words: str, claims: list[Said]) -> Answer:
    hunk = re.findall(r"--- hunk (\S+)", words)[0]
    handed = [
        {
            "hunk": hunk,
            "quote": f"step_{one.line} = {one.line} * rate",
            "category": "correctness",
            "severity": one.severity,
            "confidence": 0.9,
            "title": one.title,
            "why": "It is.",
        }
        for one in claims
    ]
    return billed(tool("submit", {"overview": "Multiplies.", "claims": handed}), **USAGE)


def changed(*notes: str) -> str:
    return "\n".join(
        [*LINES[:4], *(f"{one} * rate" for one in LINES[4:55]), *LINES[55:], *notes, ""]
    )


def known(name: str, line: int, severity: str) -> dict[str, Any]:
    return {
        "id": name,
        "path": "shop.py",
        "start_line": line,
        "line": line,
        "category": "correctness",
        "severity": severity,
        "description": f"{name} goes wrong",
    }


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    repo = Repo(tmp_path / "dataset/shop")
    repo.write("shop.py", "\n".join(["rate = 1", *LINES[1:], ""]))
    repo.commit()
    for branch, notes in (("topic", ()), ("noisy", (NOTE,)), ("quiet", (QUIET,))):
        repo.git("switch", "-q", "-c", branch, "main")
        repo.write("shop.py", changed(*notes).replace(LINES[0], "rate = 1", 1))
        repo.commit()
    (tmp_path / "home").mkdir()
    shared = {"language": "python", "repository": "shop", "base": "main"}
    cases = [
        {
            **shared,
            "id": "shop",
            "head": "topic",
            "defects": [
                known("d1", 10, "critical"),
                known("d2", 20, "high"),
                known("d3", 30, "medium"),
                known("d4", 40, "medium"),
            ],
            "not_defects": [
                {"path": "shop.py", "start_line": 50, "line": 50, "why": "it is meant so"}
            ],
        },
        {**shared, "id": "noisy", "head": "noisy", "control": True},
        {**shared, "id": "quiet", "head": "quiet", "control": True, "held_back": True},
    ]
    with ModelServer(answer, key="sk-test", confirms=False) as server:
        made = Bench(User(repo, tmp_path / "home"), tmp_path / "dataset/cases.jsonl", cases, server)
        made.write()
        yield made


# The numbers -------------------------------------------------------------------------------------


def test_every_number_of_the_report(bench: Bench) -> None:
    report = bench.report()
    score, rows = report.score, {row.severity: row for row in report.score.rows}
    total = rows["all"]
    assert (total.defects, total.found, total.claims) == (4, 2, 7)
    assert (total.true, total.duplicates, total.false, total.not_judged) == (2, 1, 3, 1)
    assert (total.precision, total.recall) == (2 / 5, 2 / 4)
    assert total.f1 == pytest.approx(4 / 9)
    assert (rows["critical"].found, rows["critical"].precision, rows["critical"].f1) == (1, 1, 1)
    assert (rows["high"].claims, rows["high"].true, rows["high"].duplicates) == (2, 1, 1)
    assert (rows["medium"].defects, rows["medium"].found, rows["medium"].recall) == (2, 0, 0)
    assert (rows["medium"].false, rows["medium"].not_judged, rows["medium"].f1) == (1, 1, 0)
    assert (rows["low"].false, rows["low"].recall, rows["low"].f1) == (2, None, None)
    assert (rows["nit"].claims, rows["nit"].precision) == (0, None)
    assert (score.anchors.found, score.anchors.exact, score.anchors.share) == (2, 1, 0.5)
    assert score.anchors.nowhere == 0
    assert (score.noise.controls, score.noise.silent) == (2, 1)
    assert (score.noise.claims, score.noise.per_change) == (1, 0.5)
    assert score.known_false == 1
    assert [one.id for one in score.missed] == ["d3", "d4"]
    assert {(one.case, one.place) for one in score.false} == {
        ("shop", "shop.py:30"),
        ("shop", "shop.py:50"),
        ("noisy", "shop.py:5"),
    }
    (beside,) = score.beside
    assert beside.known is not None
    assert (beside.place, beside.known.place, beside.known.lines) == (
        "shop.py:22",
        "shop.py:20-20",
        2,
    )
    assert (report.unfinished, score.partial, report.taken_up) == ([], [], 0)
    assert report.notes == [f"Not judged, 1 pair of claim and defect: {NONSENSE}"]


def test_the_costs_are_those_of_the_calls(bench: Bench) -> None:
    score, prices = bench.report().score, load(None)
    # Each claim is verified, and where there are several they are compared.
    assert (score.cost.calls, len(bench.judgings)) == (3 + 7 + 1, 5)
    assert (score.cost.input_tokens, score.cost.output_tokens) == (11_000, 1_100)
    assert score.cost.cache_read_tokens == 550
    used = Usage(input=1_000, output=100, cache_read=50)
    found, verified = prices.cost(MODEL, used), prices.cost(CHEAP, used)
    assert found is not None and verified is not None
    assert score.cost.usd == pytest.approx(3 * found + 8 * verified)
    assert score.cost.seconds > 0
    judged = prices.cost(CHEAP, Usage(input=300, output=20))
    assert judged is not None and score.judging.usd == pytest.approx(5 * judged)
    assert (score.judging.calls, score.judging.input_tokens) == (5, 1_500)
    assert {call["model"] for call in bench.judgings} == {CHEAP}


def test_without_a_judge_the_place_alone_decides_and_the_report_says_so(bench: Bench) -> None:
    report = bench.report("--no-judge")
    assert report.judge is None and bench.judgings == []
    total = report.score.rows[-1]
    assert (total.found, total.true, total.duplicates, total.false) == (4, 4, 1, 2)
    assert report.score.anchors.exact == 3
    ran = bench.eval("--effort", "quick", "--no-judge")
    assert "Not judged: a claim within 3 lines of a known place counts" in ran.out
    assert "(3 taken up from an earlier run)" in ran.out


def test_the_text_has_the_same_numbers(bench: Bench) -> None:
    ran = bench.eval("--effort", "quick")
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if line.strip()}
    assert rows["all"] == ["4", "2", "7", "2", "1", "3", "1", "0.40", "0.50", "0.44"]
    assert rows["nit"] == ["0", "0", "0", "0", "0", "0", "0", "-", "-", "-"]
    for told in (
        "Anchors: 1 of 2 found defects at a known line; 0 claims at a line that is nowhere",
        "Clean changes: 1 of 2 silent, 1 claim, 0.50 for each change",
        "Found, beside a known line:\n",
        "  (2 lines from shop.py:20-20)\n",
        f"Claims compared with known defects by {CHEAP}",
        "Reviews: 11 calls, 11,000 tokens in, 1,100 out, 550 read from the cache",
    ):
        assert told in ran.out
    assert "3 cases, $6.00 at the most" in ran.err


# Going on ----------------------------------------------------------------------------------------


def test_a_second_run_asks_only_what_has_no_answer(bench: Bench) -> None:
    first = bench.report()
    asked = len(bench.server.calls)
    bench.server.script = lambda request: billed(YES, **JUDGED) if is_judging(request) else text("")
    second = bench.report()
    assert len(bench.server.calls) == asked + 1  # the pair that was not judged
    assert second.taken_up == 3
    assert second.score.rows[-1].found == first.score.rows[-1].found + 1
    assert (second.score.cost, second.notes) == (first.score.cost, [])
    third = bench.report()
    assert len(bench.server.calls) == asked + 1
    assert third.score == second.score


def test_other_settings_or_commits_are_another_question(bench: Bench) -> None:
    bench.report("--only", "quiet")
    assert bench.report("--only", "quiet", "--budget", "1").taken_up == 0
    assert bench.report("--only", "quiet").taken_up == 1
    bench.user.repo.write("more.py", "x = 1\n")
    bench.user.repo.commit()  # on the branch `quiet`
    assert bench.report("--only", "quiet").taken_up == 0


def test_a_changed_description_is_judged_anew_and_not_reviewed_anew(bench: Bench) -> None:
    bench.report("--only", "shop")
    reviews, judgings = len(bench.server.calls) - len(bench.judgings), len(bench.judgings)
    bench.cases[0]["defects"][1]["description"] = "another way to say it"
    bench.write()
    assert bench.report("--only", "shop").taken_up == 1
    assert len(bench.judgings) == judgings + 2  # that pair, and the one without a verdict
    assert len(bench.server.calls) - len(bench.judgings) == reviews


def test_a_damaged_result_is_made_again(bench: Bench) -> None:
    bench.report("--only", "quiet")
    (kept,) = (bench.user.home / "out/results").iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    assert bench.report("--only", "quiet").taken_up == 0


def test_a_service_that_refuses_ends_the_run_and_the_next_one_goes_on(bench: Bench) -> None:
    report = bench.report(code=3, key="sk-wrong")
    assert report.unfinished == ["shop", "noisy", "quiet"]
    assert any("key" in note for note in report.notes)
    assert "the same command goes on from here" in report.notes[-1]
    assert bench.report().score.cases == 3


def test_ctrl_c_keeps_what_is_finished_and_reports_it(bench: Bench) -> None:
    second = threading.Event()

    def script(request: dict[str, Any]) -> Answer:
        if NOTE in str(request["messages"]):
            second.set()
            return hang(60)
        return answer(request)

    bench.server.script = script
    options = ("--effort", "quick", "--format", "json", "--out", str(bench.user.home / "out"))
    process = bench.user.start("eval", str(bench.dataset), *options, **service_of(bench.server))
    assert second.wait(60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    report = Report.model_validate_json(out)
    assert (report.score.cases, report.unfinished) == (1, ["noisy", "quiet"])
    bench.server.script = answer
    assert bench.report().taken_up == 1


def test_a_review_that_ran_out_of_money_is_partial_and_says_so(bench: Bench) -> None:
    report = bench.report("--only", "shop", "--budget", "0.001", code=3)
    assert report.score.partial == ["shop"]
    assert (report.score.rows[-1].found, report.unfinished) == (0, [])


def test_what_an_ordinary_review_paid_is_not_used(bench: Bench) -> None:
    shop = bench.user.repo.path
    arguments = ("review", "-q", "--effort", "quick", "main..quiet")
    assert bench.user.rlm(*arguments, cwd=shop, **service_of(bench.server)).code == 0
    cost = bench.report("--only", "quiet").score.cost
    assert (cost.calls, cost.replayed_calls) == (1, 0)


# A second review of the same ------------------------------------------------------------------------

FIRST = [Said(12, "Bravo goes missing", "high", YES), Said(50, "Foxtrot is unsafe", "low")]
SECOND = [
    Said(12, "Wrong totals reach whoever reads them", "high", YES),  # says the same, to a reader
    Said(50, "Foxtrot is unsafe", "low"),  # the very same
    Said(22, "Charlie overflows", "high", YES),  # d2, which the first missed
    Said(10, "Kilo lags behind", "high", YES),  # d1 once more, and nobody has seen that
    Said(30, "Delta looks old", "medium", NO),  # at d3, about something else
]


def in_turn(*, sees_repeats: bool) -> Callable[[dict[str, Any]], Answer]:
    """Answer as FIRST when a finder is asked about hunks, and as SECOND when it is asked again."""
    asked: list[str] = []

    def script(request: dict[str, Any]) -> Answer:
        words = str(request["messages"][0]["content"][0]["text"])
        if is_judging(request):
            title = json.loads(words)["claim"]["title"]
            said = next(one.judge for one in [*FIRST, *SECOND] if one.title == title)
            assert isinstance(said, Answer)
            return billed(said, **JUDGED)
        if seeks_repeats(request):
            names = {
                title: name
                for name, title in re.findall(r"^([rt]\d+), [^\n]*\n\W*(.+)$", words, re.M)
            }
            told, again = names.get(FIRST[0].title), names.get(SECOND[0].title)
            pair = {"edit": "Multiply once.", "reports": [again, told]}
            return tool(
                "submit",
                {"groups": [pair] if told and again and sees_repeats else [], "patterns": []},
            )
        if verifies(request):
            severity = {one.title: one.severity for one in [*FIRST, *SECOND]}
            return billed(holds(request, severity=severity[reported(request)[1]]), **USAGE)
        quiet, again = QUIET in words, words in asked
        asked.append(words)
        return submitted(words, [] if quiet else SECOND if again else FIRST)

    return script


def test_a_second_review_of_the_same_counts_what_the_first_had_not_said(bench: Bench) -> None:
    bench.server.script = in_turn(sees_repeats=True)
    report = bench.report("--again", "--only", "shop", "quiet")
    again = report.again
    assert again is not None
    assert {(one.title, one.outcome, one.defect, one.place) for one in again.new} == {
        ("Charlie overflows", "true", "d2", "shop.py:22"),
        ("Kilo lags behind", "repeat", "d1", "shop.py:10"),
        ("Delta looks old", "false", None, "shop.py:30"),
    }
    shop, quiet, every = again.rows
    assert (shop.case, shop.claims, shop.new) == ("shop", 5, 3)
    assert (shop.true, shop.repeats, shop.false, shop.not_judged) == (1, 1, 1, 0)
    assert (quiet.case, quiet.claims, quiet.new) == ("quiet", 0, 0)
    assert (every.case, every.claims, every.new, again.cases, again.silent) == ("all", 5, 3, 2, 1)
    # What was counted of the first review is what is counted without a second one.
    total = report.score.rows[-1]
    assert (total.claims, total.found, total.false) == (2, 1, 1)
    # It was asked, not taken from what the first was told, and paid for apart from it.
    assert (again.cost.calls, again.cost.replayed_calls) == (2 + 5 + 1, 0)
    assert (report.score.cost.calls, again.judging.calls) == (2 + 2 + 1, 4)

    asked = len(bench.server.calls)
    taken_up = bench.report("--again", "--only", "shop", "quiet")
    assert (len(bench.server.calls), taken_up.again) == (asked, again)
    assert bench.report("--only", "shop", "quiet").again is None


def test_what_no_reader_takes_for_the_same_is_new(bench: Bench) -> None:
    bench.server.script = in_turn(sees_repeats=False)
    again = bench.report("--again", "--only", "shop").again
    assert again is not None
    assert (SECOND[0].title, "repeat") in {(one.title, one.outcome) for one in again.new}
    assert SECOND[1].title not in {one.title for one in again.new}


def test_detectors_alone_say_nothing_new(bench: Bench) -> None:
    bench.user.repo.write("left.py", "def f():\n    breakpoint()\n")
    bench.user.repo.commit()  # on the branch `quiet`
    again = bench.report("--again", "--only", "quiet", "--no-model").again
    assert again is not None
    assert (again.rows[-1].claims, again.rows[-1].new, again.silent) == (1, 0, 1)


def test_an_arm_of_the_benchmark_has_letters_of_its_own_for_the_second_review(
    bench: Bench,
) -> None:
    bench.server.script = in_turn(sees_repeats=True)
    out = bench.user.home / "arms"
    given = ("--", "--only", "shop", "--no-judge", "--effort", "quick", "--format", "json")
    # Who answers the second time has said nothing yet, and begins with what the other ends with.
    with ModelServer(bench.server.script, key="sk-test", confirms=False) as other:
        again_at = ("--again", other.url)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.arms", "all", bench.dataset, out, *again_at, *given],
            env=bench.user.environ(PYTHONPATH=str(ROOT), **service_of(bench.server)),
            cwd=bench.user.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert (len(bench.server.requests), len(other.requests)) == (4, 7)
    again = Report.model_validate_json(done.stdout).again
    assert again is not None and again.rows[-1].new == 3
    assert len(list((out / "letters").glob("*.reply"))) == 1 + 2 + 1
    assert len(list((out / "letters/again").glob("*.reply"))) == 1 + 5 + 1


def test_text_and_markdown_tell_of_the_second_review(bench: Bench) -> None:
    bench.server.script = in_turn(sees_repeats=True)
    given = ("--effort", "quick", "--again", "--only", "shop")
    ran = bench.eval(*given)
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["shop", "5", "3", "1", "1", "1", "0"] in rows
    assert (
        "Reviewed a second time, unchanged: 0 of 1 case silent about anything new; of 5 claims 3 "
        "not said at the first: 1 true (missed at the first), 1 about a defect that was said "
        "already, 1 false, 0 not judged"
    ) in ran.out
    assert "  true: shop  shop.py:22  high  Charlie overflows  [" in ran.out
    assert "shop: 5 claims again, 3 new" in ran.err and "1 case, $4.00 at the most" in ran.err
    told = bench.eval(*given, "--format", "markdown").out
    assert "| shop | 5 | 3 | 1 | 1 | 1 | 0 |" in told.splitlines()
    assert "| all | 4 | 1 | 2 | 1 | 0 | 1 | 0 | 0.50 | 0.25 | 0.33 |" in told.splitlines()
    assert "- true: shop `shop.py:22` high: Charlie overflows `" in told
    assert "- false: shop `shop.py:30` medium: Delta looks old `" in told


# Choosing ----------------------------------------------------------------------------------------


def test_halves_and_names_choose_cases(bench: Bench) -> None:
    assert bench.report("--held-back", "--no-model").score.cases == 1
    assert bench.report("--open", "--no-model").score.cases == 2
    assert bench.report("--only", "shop", "quiet", "--no-model").score.cases == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "shop", "shoe"], "there is no case shoe"),
        (["--only", "shop", "--held-back"], "No case is left"),
        (["--no-model", "--judge"], "--judge needs a model"),
        (["--budget", "much"], "--budget is not an amount"),
        (["--model", "home-grown-7b"], "RLM_PRICES"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_asked(
    bench: Bench, arguments: list[str], told: str
) -> None:
    ran = bench.eval(*arguments)
    assert ran.code == 2 and told in ran.err, ran.err
    assert bench.server.requests == []


# Datasets ----------------------------------------------------------------------------------------


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[list[dict[str, Any]]], object]:
    return lambda cases: change(cases[0])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (edit(lambda c: c["defects"][2].update(severity="huge")), "defects.2.severity"),
        (edit(lambda c: c["defects"][0].update(line=3)), "defects.0: start_line is after line"),
        (edit(lambda c: c["defects"][0].update(path="../x")), "defects.0.path: a relative path"),
        (edit(lambda c: c["defects"][0].update(id="d2")), "two defects have one id"),
        (edit(lambda c: c.update(control=True)), "a control has no defects"),
        (edit(lambda c: c.update(defects=[])), "a case without defects says control: true"),
        (edit(lambda c: c.update(sevrity=1)), "sevrity: Extra inputs"),
        (edit(lambda c: c.update(bundle="b")), "give either repository or bundle"),
        (edit(lambda c: c.update(id="../x")), "id: String should match"),
        (edit(lambda c: c.update(head="--all")), "head: String should match"),
        (edit(lambda c: c.update(head="tpoic")), "'tpoic' names no commit"),
        (edit(lambda c: c.update(repository="nowhere")), "no such folder"),
        (edit(lambda c: c.update(repository="https://h/r")), "full names of commits"),
        (
            edit(lambda c: c.update(repository="http://h/r", base="a" * 40, head="b" * 40)),
            "not an https address",
        ),
        (
            edit(lambda c: c.update(repository="ext::sh", base="a" * 40, head="b" * 40)),
            "no such folder",
        ),
        (lambda cases: cases.append({"recipe": "../x.toml"}), "recipe: a relative path"),
    ],
)
def test_a_broken_line_is_named_with_what_is_wrong(
    bench: Bench, change: Callable[[list[dict[str, Any]]], object], told: str
) -> None:
    change(bench.cases)
    bench.cases[0], bench.cases[-1] = bench.cases[-1], bench.cases[0]
    bench.write()
    ran = bench.eval()
    number = 1 if "recipe" in bench.cases[0] else len(bench.cases)
    assert ran.code == 2 and f"cases.jsonl:{number}: " in ran.err and told in ran.err, ran.err
    assert bench.server.requests == []


def test_a_file_that_is_no_dataset_says_so(bench: Bench) -> None:
    for content, told in ((b"{", "cases.jsonl:1: not JSON"), (b"\n", "holds no case")):
        bench.dataset.write_bytes(content)
        assert told in bench.eval().err
    bench.dataset.write_bytes(b"\xff")
    assert "is not UTF-8" in bench.eval().err
    assert "There is no dataset" in bench.eval(dataset="nothing.jsonl").err
    assert "has no recipes" in bench.eval(dataset=str(bench.user.home)).err


def test_two_cases_of_one_name_are_refused(bench: Bench) -> None:
    bench.cases[2]["id"] = "shop"
    bench.write()
    ran = bench.eval()
    assert "cases.jsonl:3: the id shop is that of " in ran.err and ":1" in ran.err


def test_a_bundle_and_a_recipe_beside_the_dataset(bench: Bench) -> None:
    folder = bench.dataset.parent
    bench.user.repo.git("bundle", "create", "-q", str(folder / "shop.bundle"), "--all")
    shutil.copytree(ROOT / "evaluation/packages/library", folder / "packages/library")
    (folder / "cases").mkdir()
    shutil.copy(ROOT / "evaluation/cases/library-style.toml", folder / "cases")
    bench.cases = [
        {
            "id": "packed",
            "language": "python",
            "bundle": "shop.bundle",
            "base": "main",
            "head": "quiet",
            "control": True,
        },
        {"recipe": "cases/library-style.toml"},
    ]
    bench.write()
    shutil.rmtree(bench.user.repo.path)
    report = bench.report("--no-model")
    assert (report.score.cases, report.score.noise.silent) == (2, 2)


def test_a_bundle_outside_of_the_datasets_folder_is_not_read(bench: Bench) -> None:
    (bench.dataset.parent / "shop.bundle").symlink_to(bench.user.home)
    bench.cases[0] = {**bench.cases[0], "bundle": "shop.bundle"}
    del bench.cases[0]["repository"]
    bench.write()
    assert "there is no file shop.bundle beside it" in bench.eval().err


ELSEWHERE = "is not in the dataset's folder"


@pytest.fixture
def elsewhere(bench: Bench, tmp_path: Path) -> Path:
    """The repository, moved out of the dataset's folder."""
    return bench.user.repo.path.rename(tmp_path / "elsewhere")


def named(bench: Bench, repository: str) -> None:
    for case in bench.cases:
        case["repository"] = repository
    bench.write()


@pytest.mark.parametrize("repository", ["../elsewhere", "{elsewhere}", "link", "worktree", "inner"])
def test_a_repository_elsewhere_is_not_read(bench: Bench, elsewhere: Path, repository: str) -> None:
    folder = bench.dataset.parent
    (folder / "link").symlink_to(elsewhere)
    (folder / "worktree").mkdir()
    (folder / "worktree/.git").write_text(f"gitdir: {elsewhere / '.git'}\n")
    (folder / "inner").mkdir()
    (folder.parent / ".git").symlink_to(elsewhere / ".git")
    named(bench, repository.format(elsewhere=elsewhere))
    ran = bench.eval("--no-model")
    assert ran.code == 2 and f"cases.jsonl:1: {elsewhere}" in ran.err, ran.err
    assert ELSEWHERE in ran.err and "RLM_REPOSITORIES" in ran.err


def test_a_repository_elsewhere_is_read_where_it_was_allowed(
    bench: Bench, elsewhere: Path, tmp_path: Path
) -> None:
    named(bench, "../elsewhere")
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(elsewhere)
    assert ELSEWHERE in bench.eval("--no-model", RLM_REPOSITORIES=str(tmp_path / "other")).err
    allowed = os.pathsep.join((str(tmp_path / "other"), str(tmp_path / "link")))
    assert bench.eval("--no-model", RLM_REPOSITORIES=allowed).code == 0
    assert "names no folder" in bench.eval("--no-model", RLM_REPOSITORIES="/nowhere").err


# What is shipped ---------------------------------------------------------------------------------


def test_two_shipped_cases_by_detectors_alone(bench: Bench) -> None:
    names = ("library-style", "depot-search")
    report = bench.report("--no-model", "--only", *names, dataset=SHIPPED, key=None)
    assert report.model is None and report.judge is None
    assert (report.score.cases, report.score.rows[-1].defects) == (2, 2)
    assert (report.score.noise.controls, report.score.noise.silent) == (1, 1)
    assert report.score.anchors.nowhere == 0
    assert any("--no-model" in note for note in report.notes)
    assert report.score.cost.calls == 0


def test_the_command_is_in_the_help() -> None:
    done = subprocess.run(
        [*COMMAND, "eval", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    for option in (
        "--only",
        "--held-back",
        "--open",
        "--no-judge",
        "--no-model",
        "--out",
        "--again",
    ):
        assert option in done.stdout
