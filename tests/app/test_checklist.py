"""GitHub's thirty quirks, and the edges of publishing: each has a test, here or where it belongs.

The numbers are those of a list made when the platform was looked through. What another file tries
already is named in `ELSEWHERE`, and looked for there; what is left stands below the table.
"""

import ast
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.github.auth import AppAuth
from app.github.client import Hub
from app.github.contents import read_file
from app.github.publish import Publication, publish
from app.github.reviews import shows
from app.github.urls import Server
from app.jobs import Command, Look, Queued
from app.steps import Steps
from app.store import GITHUB, Job, NewJob, Store
from app.worker import Claims, work
from reviewer.errors import RlmError
from reviewer.policy import FILE
from tests.app.deliveries import SECRET, headers
from tests.app.github.test_publish import KEY, RUN, Scene, report
from tests.app.site import Site
from tests.app.test_webhook import Web, opened
from tests.app.world import BASE, FLAWED, World, wait_until
from tests.github.hub import FakeGitHub

ROOT = Path(__file__).parents[2]

APP, TROUBLE = "tests/app/test_app.py", "tests/app/test_app_trouble.py"
HOOK, EVENTS = "tests/app/test_webhook.py", "tests/app/test_events.py"
PUBLISH, CHECKS = "tests/app/github/test_publish.py", "tests/app/github/test_check_runs.py"
CLIENT, ERRORS = "tests/app/github/test_client.py", "tests/app/github/test_errors.py"
AUTH, FETCH = "tests/app/github/test_auth.py", "tests/app/github/test_fetch.py"
STORE, WORKER = "tests/app/test_store.py", "tests/app/test_worker.py"
AWAY = "tests/app/test_store_away.py"
HERE = "tests/app/test_checklist.py"

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "1 a webhook is answered in ten seconds": (
        f"{HOOK}::test_a_crowd_of_silent_clients_delays_a_delivery_by_seconds_at_most",
        f"{HOOK}::test_a_signed_delivery_is_stored_before_it_is_answered",
    ),
    "2 a redelivery has the same GUID": (
        f"{HOOK}::test_the_same_delivery_again_is_known_and_stored_once",
    ),
    "3 pushes arrive out of order": (
        f"{TROUBLE}::test_an_older_delivery_that_comes_later_changes_nothing",
    ),
    "4 a body of 25 MB": (
        f"{HOOK}::test_a_payload_of_25_mb_is_taken_and_one_byte_more_is_not",
        f"{HOOK}::test_a_body_without_an_announced_end_is_cut_off_at_the_limit",
    ),
    "5 a signature that is bad, missing or SHA-1 alone": (
        f"{HOOK}::test_a_forged_delivery_is_refused_and_leaves_nothing",
        f"{HOOK}::test_a_sha1_signature_does_not_count",
    ),
    "6 a token of 520 characters with dots": (
        "tests/github/test_hub.py::test_a_token_has_520_characters_with_dots_dashes_and_underscores",
        f"{AUTH}::test_a_token_opens_its_repository_and_no_other",
        "tests/app/render/test_comment.py::test_no_token_leaves",
        "tests/app/test_log.py::test_what_looks_like_a_secret_is_masked_wherever_it_stands",
    ),
    "7 a token that ends in the middle": (
        f"{APP}::test_an_expired_token_is_replaced_in_the_middle",
    ),
    "8 limits of the rate, primary and secondary, with and without a time": (
        f"{ERRORS}::test_a_limit_lasts_as_long_as_the_headers_say",
        f"{CLIENT}::test_a_rate_limit_is_neither_slept_for_nor_asked_again",
        f"{PUBLISH}::test_a_rate_limit_is_passed_on_and_the_next_call_completes",
        f"{WORKER}::test_what_is_no_fault_of_the_job_does_not_count",
        f"{HERE}::test_08_a_limit_puts_the_job_back_for_the_time_given_and_nobody_sleeps",
    ),
    "9 a 502 after the review was made": (
        f"{PUBLISH}::test_a_lost_answer_does_not_post_twice_and_is_not_even_noticed",
        f"{PUBLISH}::test_a_lost_answer_to_the_summary_does_not_double_it",
        f"{CHECKS}::test_a_check_run_whose_answer_was_lost_is_found_again",
    ),
    "10 a 422 in every wording": (f"{PUBLISH}::test_every_wording_of_a_line_refused_is_known",),
    "11 a stray pending review": (
        f"{PUBLISH}::test_a_stray_pending_review_of_ours_is_removed",
        f"{PUBLISH}::test_a_persons_pending_review_is_left_alone",
    ),
    "12 our own pull request": (
        f"{TROUBLE}::test_our_own_pull_requests_are_left_alone",
        f"{HERE}::test_12_on_our_own_pull_request_a_review_comments_and_judges_nothing",
    ),
    "13 a diff that GitHub refuses (406)": (
        f"{HERE}::test_13_and_15_a_pull_request_of_3001_files",
    ),
    "14 files without a patch": (
        f"{PUBLISH}::test_a_patch_shows_the_lines_of_its_hunks",
        f"{HERE}::test_14_lines_of_a_file_without_a_patch_go_to_the_summary",
    ),
    "15 3,001 files": (
        f"{HERE}::test_13_and_15_a_pull_request_of_3001_files",
        f"{HERE}::test_15_a_model_reads_all_of_3001_files",
    ),
    "16 the check run of a fork names no pull request": (
        f"{APP}::test_a_rerun_reviews_again",
        "tests/github/test_hub.py::test_a_check_run_knows_no_pull_request_of_a_fork",
    ),
    "17 bytes, not characters": (
        f"{PUBLISH}::test_sixty_thousand_bytes_of_emoji_fit_everywhere",
        f"{CHECKS}::test_a_title_and_a_summary_are_cut_by_bytes_between_characters",
    ),
    "18 51 annotations": (
        f"{CHECKS}::test_annotations_go_by_fifties",
        f"{CHECKS}::test_an_interrupted_conclusion_goes_on_where_it_ended",
    ),
    "19 another base": (f"{APP}::test_another_base_is_another_change",),
    "20 a push by force during the review": (
        f"{APP}::test_a_push_stops_the_review_before_and_the_newest_head_is_reviewed",
        f"{APP}::test_a_head_that_moved_unnoticed_gets_no_old_review",
        f"{PUBLISH}::test_a_head_that_moves_while_a_review_is_posted_is_noticed",
    ),
    "21 our own comment comes back": (
        f"{APP}::test_our_own_words_and_those_of_other_bots_are_no_commands",
    ),
    "22 who may only read": (f"{APP}::test_a_stranger_cannot_give_commands_and_is_told_once",),
    "23 a command on an issue": (f"{EVENTS}::test_a_comment_on_an_issue_is_no_command",),
    "24 a permission that was not accepted, or in part": (
        f"{APP}::test_permissions_that_were_not_accepted_cost_the_check_run_alone",
        f"{TROUBLE}::test_without_permission_to_speak_the_check_run_has_the_review",
        f"{TROUBLE}::test_without_permission_to_read_the_code_the_check_run_says_so",
        f"{TROUBLE}::test_a_permission_that_is_accepted_later_brings_the_review",
        f"{TROUBLE}::test_what_nobody_can_see_is_in_the_log",
    ),
    "25 a repository or pull request that is gone": (
        f"{TROUBLE}::test_what_is_taken_back_in_the_middle_ends_the_run",
        f"{PUBLISH}::test_a_repository_that_vanishes_mid_way_is_reported",
        f"{PUBLISH}::test_a_pull_request_that_is_gone_is_no_error",
    ),
    "26 a locked conversation": (
        f"{TROUBLE}::test_a_locked_conversation_is_answered_by_the_check_run",
        f"{PUBLISH}::test_a_conversation_locked_at_the_last_moment_too",
    ),
    "27 the base is not the merge base": (
        f"{FETCH}::test_the_merge_base_is_found_without_the_api_however_far_back",
        f"{FETCH}::test_an_old_common_ancestor_is_not_taken_for_the_newest",
    ),
    "28 servers of one's own": (
        "tests/app/github/test_urls.py::test_each_product_has_its_api_elsewhere",
        "tests/app/test_oidc.py::test_each_product_has_its_issuer_elsewhere",
        f"{HERE}::test_28_deliveries_of_every_product_are_taken",
    ),
    "29 a thread that may not be resolved": (
        f"{APP}::test_where_contents_may_be_written_threads_are_resolved_with_a_token_for_that_alone",
        "tests/app/github/test_threads.py::test_elsewhere_its_first_comment_is_folded_away_once",
        f"{ERRORS}::test_a_graphql_answer_is_a_200_with_the_errors_inside",
    ),
    "30 links, submodules, LFS and .git": (
        "tests/app/github/test_checkout.py::test_nothing_of_the_pull_request_is_run_or_fetched",
        f"{FETCH}::test_a_tree_that_would_write_into_dot_git_is_refused",
    ),
    "a draft": (f"{APP}::test_a_draft_waits_until_it_is_ready",),
    "closed or merged meanwhile": (
        f"{APP}::test_a_pull_request_that_ends_meanwhile_ends_its_run",
        f"{PUBLISH}::test_nothing_is_said_at_lines_of_a_closed_pull_request",
        f"{PUBLISH}::test_a_merged_pull_request_without_findings_is_left_in_peace",
    ),
    "renamed or transferred": (
        f"{PUBLISH}::test_a_repository_that_was_renamed_is_found_with_all_that_was_said",
        f"{CLIENT}::test_a_renamed_repository_does_not_swallow_a_post",
        f"{HERE}::test_a_repository_that_is_transferred_meanwhile_has_its_review_all_the_same",
        f"{HERE}::test_a_command_reaches_a_repository_under_its_new_name",
        f"{HERE}::test_a_repository_that_is_transferred_out_of_reach_ends_the_job",
        f"{HERE}::test_a_name_that_somebody_else_took_is_not_the_repository",
    ),
    "no commits": (f"{HERE}::test_a_repository_without_commits_says_nothing_and_breaks_nothing",),
    "a full disk": (
        f"{HOOK}::test_a_full_disk_is_told_and_forgotten_when_there_is_room_again",
        "tests/app/github/test_transport.py::test_each_complaint_says_what_to_do",
    ),
    "a store that goes away": (
        f"{HERE}::test_a_store_that_goes_away_and_returns_costs_nothing_but_time",
        f"{AWAY}::test_a_database_that_goes_away_during_a_review_and_returns",
        f"{AWAY}::test_a_store_that_somebody_holds_during_a_review",
        f"{AWAY}::test_a_disk_that_takes_nothing_more_during_a_review",
    ),
    "a clock that jumps": (
        f"{AUTH}::test_a_wrong_clock_is_told_with_the_seconds",
        f"{AUTH}::test_a_clock_that_is_a_little_wrong_does_no_harm",
        f"{STORE}::test_who_lost_a_claim_cannot_end_the_run_again",
        f"{HERE}::test_a_clock_that_jumps_ahead_has_a_job_done_twice_and_ended_once",
        f"{STORE}::test_a_clock_that_leaps_ahead_removes_nothing_before_it_has_lasted",
        f"{STORE}::test_a_claim_and_a_release_by_a_clock_that_ran_ahead_hold_nobody_up",
    ),
    "never blocking unless asked for": (
        f"{CHECKS}::test_findings_never_block_and_only_a_whole_review_is_a_success",
        "tests/app/github/test_blocking.py::test_the_worst_severity_that_stands_decides",
    ),
    "code scanning where allowed": (
        "tests/app/github/test_blocking.py::test_a_refusal_of_code_scanning_costs_nothing_else",
    ),
}


@cache
def functions_of(path: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / path).read_bytes())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_there_are_thirty() -> None:
    numbers = {int(name.split()[0]) for name in ELSEWHERE if name[0].isdigit()}
    assert numbers == set(range(1, 31))


@pytest.mark.parametrize(
    ("case", "node"), [(case, node) for case, nodes in ELSEWHERE.items() for node in nodes]
)
def test_each_case_has_a_test_that_is_there_and_can_fail(case: str, node: str) -> None:
    path, _, name = node.partition("::")
    found = functions_of(path).get(name)
    assert found is not None, f"{case}: {node} is gone"
    checks = (ast.Assert, ast.Raise)
    called = {ast.unparse(one.func) for one in ast.walk(found) if isinstance(one, ast.Call)}
    asserts = any(isinstance(one, checks) for one in ast.walk(found))
    assert asserts or any("assert" in one or "raises" in one or "whole" in one for one in called)


# What no other file tries -------------------------------------------------------------------------


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ((403, "You have exceeded a secondary rate limit.", {"retry-after": "1800"}), 1_800),
        ((403, "You have exceeded a secondary rate limit.", {}), 60),
        ((429, "Too many requests", {}), 60),
        ((403, "API rate limit exceeded", {"x-ratelimit-remaining": "0"}), 60),
    ],
)
def test_08_a_limit_puts_the_job_back_for_the_time_given_and_nobody_sleeps(
    scene: Scene, tmp_path: Path, said: tuple[int, str, dict[str, str]], wait_s: int
) -> None:
    status, message, fields = said
    limit = scene.fake.fault(
        "POST", r"/reviews$", status=status, body={"message": message}, headers=fields, times=None
    )
    stopping = threading.Event()

    def do(_job: Job) -> None:
        stopping.set()
        scene.publish()

    with closing(Store(tmp_path / "rlm.sqlite3")) as store:
        store.put(NewJob(GITHUB, "publish", "k", "{}"))
        work(Claims(store, GITHUB, "w"), stopping, do, lambda *_: pytest.fail("it is lost"))
        assert limit.met == 1 and scene.pull.reviews == []
        assert store.waiting(GITHUB) == 1 and store.claim(GITHUB, "w", 60) is None
        due = not_before(tmp_path / "rlm.sqlite3")
        assert wait_s - 30 < due - scene.fake.state.now() < wait_s + 30
    scene.fake.mend()
    scene.publish()
    scene.whole()


def not_before(path: Path) -> float:
    with closing(sqlite3.connect(path)) as db:
        ((due,),) = db.execute("SELECT not_before FROM jobs").fetchall()
    return float(due)


def test_12_on_our_own_pull_request_a_review_comments_and_judges_nothing(scene: Scene) -> None:
    scene.pull.author = scene.fake.user(scene.actor)
    scene.publish()
    scene.whole()
    assert [review.state for review in scene.pull.reviews] == ["COMMENTED"]
    assert all("event" in one.body and one.body["event"] == "COMMENT" for one in posted(scene))


def posted(scene: Scene) -> list[Any]:
    return [one for one in scene.fake.asked("POST", r"/reviews$") if isinstance(one.body, dict)]


def test_13_and_15_a_pull_request_of_3001_files(tmp_path: Path) -> None:
    """GitHub lists 3,000 files and shows no diff of more than 300: nobody asks it for either."""
    with World(tmp_path, model=False) as world:
        files = {f"many/{number // 100}/{number}.txt": b"one\n" for number in range(3_000)}
        marked = b"a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n"
        world.base = world.repo.commit(BASE)
        world.head = world.repo.commit({**BASE, **files, "zz.txt": marked}, world.base)
        with world.serve() as server:
            pull = world.pull()
            assert world.opened(server, pull) == 202
            world.settle()
        (review,) = pull.reviews
        assert [(one.path, one.line) for one in review.comments] == [("zz.txt", 6)]
        (summary,) = world.ours(pull)
        assert "3,001 files" in summary
        assert world.hub.asked("GET", r"/pulls/1/files$") == []
        assert all("diff" not in one.headers.get("Accept", "") for one in world.hub.requests)


def test_15_a_model_reads_all_of_3001_files(site: Site) -> None:
    """In a few dozen calls: what is small is read together, and each hunk is accounted for."""
    with site.world() as (world, server):
        files = {
            f"many/{number // 100}/m{number}.py": b"def f%d(x):\n    return x + 1\n" % number
            for number in range(3_000)
        }
        head = world.repo.commit({**BASE, **files, "cart.py": FLAWED["cart.py"]}, world.base)
        pull = world.repo.pull(world.base, head)
        before = len(world.service.requests)
        assert world.opened(server, pull) == 202
        wait_until(lambda: bool(world.runs()) and world.idle(), lambda: server.said, 300)
        world.assert_said_once(pull)
        (summary,) = world.ours(pull)
        assert "3,001 of 3,001 hunks" in summary and "3,001 files" in summary
        assert len(world.service.requests) - before < 100
        (run,) = world.runs()
        assert run.outcome == "posted"


def test_14_lines_of_a_file_without_a_patch_go_to_the_summary(scene: Scene) -> None:
    body = {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]}
    scene.fake.fault("POST", r"/reviews$", status=422, body=body)
    listed = [{"filename": "a.txt", "status": "modified", "sha": "0" * 40}]  # too large: no patch
    scene.fake.fault("GET", r"/files$", status=200, body=listed)
    published = scene.publish()
    assert scene.pull.reviews == [] and "no place for 3 comments" in published.problem
    assert "Ten is a word" in scene.stickies[0]
    assert not shows(None, {"path": "a.txt", "body": "x", "line": 1, "side": "RIGHT"})


@pytest.mark.parametrize(
    "fields",
    [
        {"X-GitHub-Enterprise-Host": "github.example.com", "X-GitHub-Enterprise-Version": "3.21.0"},
        {"X-GitHub-Tenant": "octo"},
        {},
    ],
)
def test_28_deliveries_of_every_product_are_taken(tmp_path: Path, fields: dict[str, str]) -> None:
    body = json.dumps(opened()).encode()
    given = headers("pull_request", body, secret=SECRET) | fields
    with closing(Store(tmp_path / "rlm.sqlite3")) as store, Web(store, (SECRET,)) as web:
        assert web.ask("POST", "/webhook", body, given).status == 202
        assert len(web.jobs()) == 1


# A repository that moves


class Desk:
    """The github role's steps, without its process: the App, its store, one repository."""

    def __init__(self, fake: FakeGitHub, folder: Path) -> None:
        self.fake = fake
        self.app = fake.app("rlm-review")
        self.repo = fake.repository("octo/hello")
        self.repo.permit("alice", "write")
        self.installation = self.app.install(self.repo)
        base = self.repo.commit(BASE)
        self.pull = self.repo.pull(base, self.repo.commit(FLAWED, base))
        self.store = Store(folder / "rlm.sqlite3")
        self.server = Server(fake.web, fake.api)
        self.auth = AppAuth(self.server, str(self.app.id), SecretStr(self.app.pem))
        self.steps = Steps(
            self.store,
            self.connect,
            self.connect,
            KEY,
            lambda *_: None,
            connect_for_scanning=self.connect,
            installed=self.auth.installation_of,
            includes=self.auth.includes,
            is_installed=self.auth.is_installed,
        )

    def connect(self, installation: int, repository: int) -> AbstractContextManager[Hub]:
        @contextmanager
        def opened_hub() -> Iterator[Hub]:
            wanted = {"pull_requests": "write", "checks": "write"}
            token = self.auth.installation_token(installation, repository, wanted)
            with Hub(self.server, token.value, actor=self.app.actor, write_pause_s=0) as hub:
                yield hub

        return opened_hub()

    def place(self) -> dict[str, Any]:
        return {
            "installation": self.installation.id,
            "repository_id": self.repo.id,
            "repository": "octo/hello",
            "number": self.pull.number,
        }

    def put(self, job: NewJob) -> None:
        self.store.put(job)

    def go(self, before: Callable[[Job], None] = lambda _: None) -> list[str]:
        """Do every job that there is for the role; return their kinds."""
        done = []
        while (job := self.store.claim(GITHUB, "github", 60)) is not None:
            before(job)
            self.steps.do(job)
            done.append(job.kind)
        return done


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with FakeGitHub(tmp_path / "hub") as fake:
        desk = Desk(fake, tmp_path)
        yield desk
        desk.store.close()


def test_a_repository_that_is_transferred_meanwhile_has_its_review_all_the_same(
    desk: Desk,
) -> None:
    desk.put(Look(**desk.place(), trigger="opened").job())

    def move(job: Job) -> None:
        if job.kind == "open":
            desk.repo.rename("octo/goodbye")

    assert desk.go(move) == ["look", "open"]
    (check,) = desk.repo.check_runs
    assert (check.status, check.head_sha) == ("in_progress", desk.pull.head)
    (run,) = desk.store.runs_of(desk.repo.id, desk.pull.number)
    assert run.check_run == check.id


def test_a_command_reaches_a_repository_under_its_new_name(desk: Desk) -> None:
    comment = desk.pull.comment("alice", "/rlm help")
    said = {"comment_id": comment.id, "body": comment.body, "sender": "alice"}
    desk.put(Command(**desk.place(), **said).job())
    desk.repo.rename("octo/goodbye")
    assert desk.go() == ["command"]
    answers = [one.body for one in desk.pull.comments if one.user.login == desk.app.actor]
    assert len(answers) == 1 and "/rlm review" in answers[0]
    assert [one.content for one in comment.reactions] == ["eyes"]


def test_a_repository_that_is_transferred_out_of_reach_ends_the_job(desk: Desk) -> None:
    desk.put(Look(**desk.place(), trigger="opened").job())
    desk.repo.rename("elsewhere/hello")
    desk.installation.remove(desk.repo)
    stopping = threading.Event()
    lost: list[str] = []

    def lose(job: Job, error: RlmError, *, last: bool) -> None:
        lost.append(str(error))
        desk.steps.lost(job, error, last=last)
        stopping.set()

    work(Claims(desk.store, GITHUB, "w"), stopping, desk.steps.do, lose)
    assert len(lost) == 1 and "does not include this repository" in lost[0]
    assert desk.store.waiting(GITHUB) == 0 and desk.repo.check_runs == []


def test_a_repository_without_commits_says_nothing_and_breaks_nothing(desk: Desk) -> None:
    empty = desk.fake.repository("octo/.github")
    assert empty.git("rev-list", "--all") == ""
    token = SecretStr(desk.fake.token("alice"))
    assert read_file(desk.server, "octo/.github", FILE, token) is None
    # Nothing can be asked of it either: a merge queue's check is about a commit that is not there.
    desk.app.install(empty)
    place = desk.place() | {"repository_id": empty.id, "repository": "octo/.github"}
    desk.put(Look(**place, trigger="opened").job())
    assert desk.go() == ["look"]
    desk.put(Queued(**place, head="a" * 40).job())
    stopping = threading.Event()
    lost: list[str] = []

    def lose(job: Job, error: RlmError, *, last: bool) -> None:
        lost.append(str(error))
        desk.steps.lost(job, error, last=last)
        stopping.set()

    work(Claims(desk.store, GITHUB, "w"), stopping, desk.steps.do, lose)
    assert len(lost) == 1 and "No commit found" in lost[0]
    assert desk.store.waiting(GITHUB) == 0


def test_a_name_that_somebody_else_took_is_not_the_repository(desk: Desk) -> None:
    desk.repo.rename("octo/goodbye")
    other = desk.fake.repository("octo/hello")
    base = other.commit(BASE)
    theirs = other.pull(base, other.commit(FLAWED, base))
    desk.put(Look(**desk.place(), trigger="opened").job())
    assert desk.go() == ["look"]
    assert desk.store.open_runs() == []
    with desk.connect(desk.installation.id, desk.repo.id) as hub:
        what = Publication(
            RUN, "octo/hello", 1, theirs.head, report(), None, repository_id=desk.repo.id
        )
        assert publish(hub, what, key=KEY).outcome == "gone"
    assert theirs.all_reviews == [] and theirs.comments == [] and other.check_runs == []


# A machine in trouble


def test_a_store_that_goes_away_and_returns_costs_nothing_but_time(tmp_path: Path) -> None:
    path = tmp_path / "rlm.sqlite3"
    with closing(Store(path)) as store, Web(store, (SECRET,)) as web:
        with closing(sqlite3.connect(path)) as other:
            for table in ("deliveries", "jobs", "workers"):
                other.execute(
                    f"CREATE TRIGGER no_{table} BEFORE INSERT ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'gone'); END"
                )
            answer = web.deliver(
                "pull_request", opened(), delivery="1" * 8 + "-1111-4111-8111-" + "1" * 12
            )
            assert (answer.status, answer.json["status"]) == (503, "failed")
            assert int(answer.headers["retry-after"]) > 0
            assert web.ask("GET", "/readyz").status == 503
            assert web.ask("GET", "/healthz").status == 200
            for table in ("deliveries", "jobs", "workers"):
                other.execute(f"DROP TRIGGER no_{table}")
        again = web.deliver(
            "pull_request", opened(), delivery="1" * 8 + "-1111-4111-8111-" + "1" * 12
        )
        assert again.status == 202
        assert len(web.jobs()) == 1


def test_a_clock_that_jumps_ahead_has_a_job_done_twice_and_ended_once(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "rlm.sqlite3")) as store:
        store.put(NewJob(GITHUB, "look", "k", "{}"))
        before = store.claim(GITHUB, "one", -1)  # an hour passes at once: its lease is over
        after = store.claim(GITHUB, "two", 60)
        assert before is not None and after is not None and before.id == after.id
        store.again(before, "late", 0.0)
        store.fail(before, "late")
        store.done(before, NewJob(GITHUB, "late", "k2", "{}"))
        assert store.claimant("k") == "two"
        store.done(after)
        assert store.waiting(GITHUB) == 0
