from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.github import check_runs
from app.github.check_runs import Annotation, ExternalId, parse_external_id
from app.github.client import Hub
from app.github.errors import Forbidden, Limited, Unsure
from app.github.urls import Server
from reviewer.errors import GiveUp, TellUser
from reviewer.finding import Severity
from reviewer.request import Coverage, StopReason
from tests.app.render.samples import empty, finding, partial, review
from tests.github.hub import FakeGitHub

ACTOR = "rlm-review[bot]"
RUN = "0123456789abcdef"
NAME = "octo/hello"


class Scene:
    """A pull request on the fake GitHub, and our client there."""

    def __init__(self, fake: FakeGitHub) -> None:
        self.fake = fake
        self.repo = fake.repository(NAME)
        fake.app("rlm-review")
        fake.app("other-app")
        base = self.repo.commit({"a.py": b"one\n"})
        self.pull = self.repo.pull(base=base, head=self.repo.commit({"a.py": b"two\n"}, base))

    def hub(self, actor: str = ACTOR, **permissions: str) -> Hub:
        wanted = {"checks": "write", "pull_requests": "write"} | permissions
        token = self.fake.token(actor=actor, repo=self.repo, permissions=wanted)
        server = Server(self.fake.web, self.fake.api)
        return Hub(server, SecretStr(token), actor=actor, write_pause_s=0)

    def ensure(self, hub: Hub, run: str = RUN) -> int:
        number = self.pull.number
        return check_runs.ensure(hub, NAME, self.pull.head, run, number, "Reviewing", "It began.")

    def written(self) -> list[str]:
        return [f"{r.method} {r.status}" for r in self.fake.requests if r.method != "GET"]


def test_details_lead_to_the_page_of_the_run_where_it_has_one(tmp_path: Path) -> None:
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake)
        with scene.hub() as hub:
            number, head = scene.pull.number, scene.pull.head
            page = "https://rlm.example.org/runs/abc"
            check_runs.ensure(hub, NAME, head, RUN, number, "Reviewing", "It began.", page=page)
            scene.ensure(hub, "another")
        assert [one.details_url for one in scene.repo.check_runs] == [page, None]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def test_an_id_survives_the_way_to_github_and_back():
    made = ExternalId("octo/hello.py", 17, RUN)
    assert parse_external_id(str(made)) == made


@pytest.mark.parametrize(
    "text",
    ["", "octo/hello#17", "octo/hello#0:r", "hello#1:r", "o/h#1:r\n", "o/h#1:r r", "../x#1:r"],
)
def test_an_id_of_another_app_is_not_ours(text):
    assert parse_external_id(text) is None


def test_a_run_has_one_check_run_however_often_it_is_asked_for(scene):
    with scene.hub() as hub:
        made = scene.ensure(hub)
        assert scene.ensure(hub) == made
        assert scene.ensure(hub, "fedcba9876543210") != made
        assert scene.ensure(hub) == made
    first, second = scene.repo.check_runs
    assert (first.id, first.name, first.status) == (made, "rlm review", "in_progress")
    assert first.external_id == f"octo/hello#{scene.pull.number}:{RUN}"
    assert second.external_id.endswith(":fedcba9876543210")


def test_a_check_run_whose_answer_was_lost_is_found_again(scene):
    scene.fake.fault(method="POST", path=r"/check-runs$", status=502, when="after")
    with scene.hub() as hub:
        made = scene.ensure(hub)
    assert [run.id for run in scene.repo.check_runs] == [made]


def test_a_check_run_that_was_not_made_is_not_made_up(scene):
    scene.fake.fault(method="POST", path=r"/check-runs$", status=502, when="before")
    with scene.hub() as hub:
        with pytest.raises(Unsure):
            scene.ensure(hub)
        assert scene.repo.check_runs == []
        scene.ensure(hub)
    assert len(scene.repo.check_runs) == 1


def test_another_apps_check_run_with_our_id_is_not_ours(scene):
    with scene.hub("other-app[bot]") as other, scene.hub() as hub:
        theirs = scene.ensure(other)
        assert scene.ensure(hub) != theirs


def test_without_the_permission_it_is_forbidden(scene):
    with scene.hub(checks="read") as hub, pytest.raises(Forbidden):
        scene.ensure(hub)


def test_progress_is_shown_and_the_end_is_the_end(scene):
    with scene.hub() as hub:
        made = scene.ensure(hub)
        check_runs.progress(hub, NAME, made, "Reviewing: 3 of 9", "Three parts are done.")
        (run,) = scene.repo.check_runs
        assert (run.status, run.title) == ("in_progress", "Reviewing: 3 of 9")
        check_runs.conclude(hub, NAME, made, "neutral", "2 findings", "They are these.")
        check_runs.conclude(hub, NAME, made, "neutral", "2 findings", "They are these.")
    assert (run.status, run.conclusion) == ("completed", "neutral")
    assert (run.title, run.summary) == ("2 findings", "They are these.")


def test_a_title_and_a_summary_are_cut_by_bytes_between_characters(scene):
    with scene.hub() as hub:
        made = scene.ensure(hub)
        check_runs.conclude(hub, NAME, made, "neutral", "🟥" * 100, "🟥" * 30_000)
    (run,) = scene.repo.check_runs
    assert len(run.title.encode()) <= 255
    assert run.title.startswith("🟥" * 60)
    assert 65_500 < len(run.summary.encode()) <= 65_535
    assert run.summary.endswith("🟥\n\n… (cut: there is a limit of size)")


def remarks(number: int) -> list[Annotation]:
    return [Annotation("a.py", 1, 1, "warning", f"high: number {n}", "Why.") for n in range(number)]


@pytest.mark.parametrize(("number", "requests"), [(50, 1), (51, 2), (120, 3)])
def test_annotations_go_by_fifties(scene, number, requests):
    with scene.hub() as hub:
        made = scene.ensure(hub)
        before = len(scene.written())
        check_runs.conclude(hub, NAME, made, "neutral", "t", "s", remarks(number))
    (run,) = scene.repo.check_runs
    assert [one["title"] for one in run.annotations] == [r.title for r in remarks(number)]
    assert len(scene.written()) - before == requests
    assert run.conclusion == "neutral"


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_conclusion_goes_on_where_it_ended(scene, when):
    with scene.hub() as hub:
        made = scene.ensure(hub)
        for _ in range(3):
            scene.fake.fault(method="PATCH", path=r"/check-runs/\d+$", status=502, when=when)
            with pytest.raises(Unsure):
                check_runs.conclude(hub, NAME, made, "neutral", "t", "s", remarks(120))
        check_runs.conclude(hub, NAME, made, "neutral", "t", "s", remarks(120))
    (run,) = scene.repo.check_runs
    assert [one["title"] for one in run.annotations] == [r.title for r in remarks(120)]
    assert run.status == "completed"


def test_a_limit_is_passed_on(scene):
    with scene.hub() as hub:
        made = scene.ensure(hub)
        body = {"message": "You have exceeded a secondary rate limit."}
        scene.fake.fault(
            method="PATCH", path="/check-runs", status=403, body=body, headers={"Retry-After": "7"}
        )
        with pytest.raises(Limited) as caught:
            check_runs.conclude(hub, NAME, made, "neutral", "t", "s")
    assert 7 <= caught.value.after_s <= 9


def test_what_leaves_holds_no_token(scene):
    token = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"
    with scene.hub() as hub:
        made = scene.ensure(hub)
        one = Annotation("a.py", 1, 1, "notice", token, token)
        check_runs.conclude(hub, NAME, made, "neutral", token, token, [one])
    (run,) = scene.repo.check_runs
    assert token not in f"{run.title} {run.summary} {run.annotations}"


@pytest.mark.parametrize(
    ("error", "title", "summary"),
    [
        (
            TellUser("The key of the model is refused", "Set ANTHROPIC_API_KEY @octocat."),
            "No review: The key of the model is refused",
            "The key of the model is refused\n\nSet ANTHROPIC\\_API\\_KEY @&#8203;octocat.",
        ),
        (GiveUp("git: <b>broken</b>"), "No review: git: <b>broken</b>", "git: &lt;b>broken&lt;/b>"),
    ],
)
def test_a_review_that_did_not_happen_says_why(scene, error, title, summary):
    with scene.hub() as hub:
        check_runs.refuse(hub, NAME, scene.ensure(hub), error)
    (run,) = scene.repo.check_runs
    assert (run.status, run.conclusion) == ("completed", "neutral")
    assert (run.title, run.summary) == (title, summary)


def test_findings_never_block_and_only_a_whole_review_is_a_success():
    stopped = partial().model_copy(update={"stopped": StopReason.CANCELLED})
    unread = empty().model_copy(update={"coverage": Coverage(hunks=3, reviewed=0)})
    assert [check_runs.conclusion(one) for one in (review(), empty(), partial())] == [
        "neutral",
        "success",
        "neutral",
    ]
    assert check_runs.conclusion(partial().model_copy(update={"findings": []})) == "neutral"
    assert check_runs.conclusion(stopped) == "cancelled"
    assert check_runs.conclusion(unread) == "neutral"


def test_the_title_of_a_partial_review_says_why():
    assert check_runs.title(review()).startswith("5 findings: 1 critical")
    assert check_runs.title(partial()).startswith("This review ended early because the budget")


def test_only_lines_of_the_head_are_annotated():
    findings = [
        finding(severity=Severity.LOW),
        finding(side="LEFT"),
        finding(severity=Severity.NIT),
        finding(start_line=None, line=None),
        finding(body=""),
    ]
    low, high = check_runs.annotations(findings)
    assert (low.level, low.path, low.start_line, low.end_line) == ("notice", "shop/refund.py", 6, 8)
    assert (high.level, high.message) == ("warning", findings[4].title)
