"""What a repository may ask for beyond being told: a check run that fails, alerts of code scanning."""

import base64
import gzip
import json
import random
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.github import check_runs
from app.github.client import Hub
from app.github.code_scanning import packed, upload
from app.github.errors import Forbidden, Limited, NotThere, Refused, Unsure
from app.github.markers import short_id
from app.github.publish import publish
from app.policy import Sources, read_policy
from app.report import Report
from reviewer.finding import Severity
from reviewer.policy import FILE
from tests.app.github.test_publish import FINDINGS, NAME, TEN, Scene, at, report, title_of, waived
from tests.app.render.samples import empty, partial, review
from tests.app.site import Site
from tests.app.world import BASE, FLAWED, World
from tests.github.hub import FakeGitHub


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


# A check run that fails ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "ends"),
    [(None, "neutral"), *((one, "failure") for one in Severity)],
)
def test_the_worst_severity_that_stands_decides(blocks: Severity | None, ends: str) -> None:
    assert check_runs.conclusion(review(), blocks) == ends
    assert check_runs.conclusion(empty(), blocks) == "success"
    assert check_runs.conclusion(partial(), None) == "neutral"
    lower = review(findings=[at(10, severity=Severity.LOW)])
    blocked = blocks is not None and Severity.LOW.at_least(blocks)
    assert check_runs.conclusion(lower, blocks) == ("failure" if blocked else "neutral")


def blocking(severity: Severity, findings: Any = None) -> Report:
    made = report(FINDINGS if findings is None else findings)
    return made.model_copy(update={"blocks": severity})


def test_a_check_run_that_fails_says_which_rule_and_what_to_do(scene: Scene) -> None:
    scene.publish(blocking(Severity.HIGH))
    assert scene.checks == [("completed", "failure")]
    (check,) = scene.repo.check_runs
    assert "of severity high or worse (`blocking` in `.github/rlm.yml`" in (check.summary or "")
    assert len(scene.pull.reviews) == 1 and scene.pull.reviews[0].state == "COMMENTED"


def test_below_the_threshold_nothing_fails_and_nothing_is_said_of_it(scene: Scene) -> None:
    scene.publish(blocking(Severity.HIGH, [at(10, severity=Severity.MEDIUM)]))
    assert scene.checks == [("completed", "neutral")]
    assert "blocking" not in (scene.repo.check_runs[0].summary or "")


def test_a_review_of_an_older_head_blocks_nothing(scene: Scene) -> None:
    with scene.hub() as hub:
        what = scene.what(hub, blocking(Severity.NIT))
    scene.push()
    scene.publish(blocking(Severity.NIT), check=True, head=what.head)
    assert {conclusion for _, conclusion in scene.checks} <= {"neutral", None}


def test_what_was_dismissed_blocks_no_more(scene: Scene) -> None:
    with scene.hub() as hub, scene.hub() as other:
        what = scene.what(other, blocking(Severity.HIGH, [TEN]))
        published = publish(hub, replace(what, dismissed=[waived(short_id(TEN.id))]), key=scene.key)
    assert published.findings == ()
    assert scene.checks == [("completed", "success")]


def sources(default: bytes | None, tip: bytes | None = None, owner: bytes | None = None) -> Sources:
    return Sources(lambda _: tip, lambda _: tip, lambda _: default, lambda _: owner, "octo/.github")


ASKED = b"blocking: high\nsarif: on\n"


def test_the_default_branch_alone_says_what_blocks() -> None:
    said = read_policy(sources(ASKED)).policy
    assert (said.blocks, said.sarif) == (Severity.HIGH, True)
    for default, tip in ((None, ASKED), (b"blocking: never\n", ASKED), (b"sarif: off\n", ASKED)):
        said = read_policy(sources(default, tip)).policy
        assert (said.blocks, said.sarif) == (None, False)


def test_nothing_stands_in_for_a_default_branch_whose_file_is_broken() -> None:
    wishes = read_policy(sources(b"blocking: [", ASKED + b"effort: deep\n"))
    assert (wishes.policy.blocks, wishes.policy.sarif) == (None, False)
    assert wishes.policy.effort == "deep", "the rest of the base's file holds"
    assert any("of the default branch was not used" in note for note in wishes.notes)


def test_a_repository_says_otherwise_than_its_owner() -> None:
    assert read_policy(sources(None, owner=ASKED)).policy.blocks is Severity.HIGH
    assert read_policy(sources(b"blocking: never\n", owner=ASKED)).policy.blocks is None


# Code scanning ------------------------------------------------------------------------------------

GRANTED = {"security_events": "write"}


def wanted(findings: Any = None) -> Report:
    return report(FINDINGS if findings is None else findings).model_copy(update={"sarif": True})


def handed(scene: Scene, made: Report, **permissions: str) -> str:
    hub: Hub
    with scene.hub(**(permissions or GRANTED)) as hub:
        return upload(hub, NAME, scene.pull.number, scene.pull.head, made)


def test_findings_are_handed_in_for_the_head_of_the_pull_request(scene: Scene) -> None:
    assert handed(scene, wanted())
    (there,) = scene.repo.sarifs
    assert (there["commit"], there["ref"]) == (
        scene.pull.head,
        f"refs/pull/{scene.pull.number}/head",
    )
    sarif: Any = there["sarif"]
    (run,) = sarif["runs"]
    assert run["automationDetails"]["id"] == "rlm-review/"
    assert len(run["results"]) == len(FINDINGS)
    assert all(result["partialFingerprints"] for result in run["results"])


def test_no_secret_goes_to_code_scanning(scene: Scene) -> None:
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    handed(scene, wanted([at(10, title=f"It holds {token}", body=f"{token}!")]))
    assert token not in json.dumps(scene.repo.sarifs)


def test_what_is_too_large_loses_the_least_of_it() -> None:
    letters = random.Random(5)
    severities = list(Severity)
    many = [
        at(
            10,
            title="".join(letters.choices(string.ascii_letters, k=200)),
            severity=severities[index % len(severities)],
        )
        for index in range(100)
    ]
    whole = packed(wanted(many))
    cut = packed(wanted(many), most_bytes=len(base64.b64decode(whole)) // 2)
    assert len(base64.b64decode(cut)) <= len(base64.b64decode(whole)) // 2
    left = json.loads(gzip.decompress(base64.b64decode(cut)))["runs"][0]["results"]
    assert 0 < len(left) < 100
    kept = {result["properties"]["severity"] for result in left}
    assert "critical" in kept and "nit" not in kept
    assert packed(wanted(many)) == whole, "the same report is the same bytes"


def test_a_lost_answer_is_asked_for_once_more(scene: Scene) -> None:
    scene.fake.fault("POST", r"/sarifs$", status=502, when="after")
    assert handed(scene, wanted())
    assert len(scene.repo.sarifs) == 2, "the same upload takes the place of the first"
    scene.fake.fault("POST", r"/sarifs$", status=502, times=2)
    with pytest.raises(Unsure):
        handed(scene, wanted())


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Forbidden), (404, NotThere), (413, Refused), (400, Refused)]
)
def test_a_refusal_has_its_kind(scene: Scene, status: int, kind: type[Refused]) -> None:
    scene.fake.fault("POST", r"/sarifs$", status=status, body={"message": "No."})
    with pytest.raises(kind):
        handed(scene, wanted())


def test_without_the_permission_it_is_forbidden(scene: Scene) -> None:
    with pytest.raises(Forbidden, match="security_events=write"):
        handed(scene, wanted(), contents="read")


def test_a_limit_is_passed_on_and_not_asked_again(scene: Scene) -> None:
    limit = scene.fake.fault("POST", r"/sarifs$", status=429, times=None)
    with pytest.raises(Limited):
        handed(scene, wanted())
    assert limit.met == 1


# From end to end ----------------------------------------------------------------------------------


def asking(world: World) -> None:
    """Have the default branch ask for both, and a branch with a flaw."""
    world.base = world.repo.commit({**BASE, FILE: ASKED})
    world.head = world.repo.commit({**FLAWED, FILE: b"blocking: never\n"}, world.base)


def test_a_repository_that_asks_gets_a_failed_check_and_alerts(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.app.permissions |= GRANTED
        world.installation.permissions |= GRANTED
        asking(world)
        with world.serve() as server:
            pull = world.pull()
            assert world.opened(server, pull) == 202
            world.settle()
        (check,) = world.repo.check_runs
        assert (check.status, check.conclusion) == ("completed", "failure")
        (review_,) = pull.reviews
        assert review_.state == "COMMENTED"
        assert title_of(review_.comments[0].body) == "The first item is lost"
        (there,) = world.repo.sarifs
        assert there["commit"] == pull.head
        tokens = [seen.token for seen in world.hub.asked("POST", r"/sarifs$")]
        others = {seen.token for seen in world.hub.requests if "sarif" not in seen.path}
        assert tokens[0] not in others, "the token for it does nothing else"


def test_a_refusal_of_code_scanning_costs_nothing_else(site: Site) -> None:
    with site.world() as (world, server):
        asking(world)
        pull = world.pull()
        assert world.opened(server, pull) == 202
        world.settle()
        said = server.said
        assert world.repo.sarifs == [] and "not in code scanning" in said
        assert "security_events: write" in said
        (check,) = world.repo.check_runs
        assert (check.status, check.conclusion) == ("completed", "failure")
        assert len(pull.reviews) == 1 and len(world.ours(pull)) == 1
        assert [run.outcome for run in world.runs()] == ["posted"]


def test_the_app_asks_for_no_such_permission_by_itself() -> None:
    manifest = (Path(__file__).parents[3] / "app.yml").read_text()
    assert "security_events" not in manifest
