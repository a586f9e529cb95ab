"""The App from end to end: webhooks in, reviews out, with real processes, git and HTTP."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.check_names import REVIEW_LABEL
from app.forget import DONE
from app.obey import MOST_OF_AUTHOR
from reviewer.policy import FILE
from tests.app.site import Site
from tests.app.world import BASE, FLAWED, QUOTE, World, finds, submit, wait_until
from tests.app.writing_desk import GRANTED
from tests.github.state import Reaction, ReviewComment
from tests.model_server import seeks_repeats, tool


def test_an_opened_pull_request_is_reviewed_once(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        assert world.opened(server, pull) == 202
        world.settle()
        world.assert_said_once(pull)
        # The same news again, in every way it can come.
        payload = world.hub.payload_pull(pull, "opened", world.app)
        assert (
            world.sent(
                server, "pull_request", payload, guid="0" * 8 + "-0000-4000-8000-" + "0" * 12
            )
            == 202
        )
        assert (
            world.sent(
                server, "pull_request", payload, guid="0" * 8 + "-0000-4000-8000-" + "0" * 12
            )
            == 200
        )
        assert world.opened(server, pull, "reopened") == 202
        assert world.opened(server, pull, "synchronize") == 202
        world.settle()
        world.assert_said_once(pull)
        assert len(world.runs()) == 1
        assert "error" not in server.said.lower().replace("errors=0", "")


def test_a_command_starts_a_review_and_is_acknowledged(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull(fork="bob/hello")
        comment = world.commented(server, pull, "alice", "Please look.\n\n/rlm review")
        world.settle()
        world.assert_said_once(pull)
        assert [(one.user.login, one.content) for one in comment.reactions] == [
            (world.app.actor, "eyes")
        ]


def test_a_second_review_says_nothing_twice_and_a_full_one_does(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        world.commented(server, pull, "alice", "/rlm review")
        world.settle(runs=2)
        assert len(pull.reviews) == 1
        assert len(world.ours(pull)) == 1
        assert all(run.conclusion == "neutral" for run in world.repo.check_runs)
        world.commented(server, pull, "alice", "/rlm review full")
        world.settle(runs=3)
        assert len(pull.reviews) == 2
        assert len(world.ours(pull)) == 1


def test_only_the_paths_of_a_command_are_reviewed(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.commented(server, pull, "alice", "/rlm review notes.md")
        world.settle()
        assert pull.reviews == []
        (summary,) = world.ours(pull)
        assert "outside the paths asked for" in summary


def test_a_stranger_cannot_give_commands_and_is_told_once(site: Site) -> None:
    with site.world() as (world, server):
        world.repo.permit("mallory", "read")
        pull = world.pull()
        for _ in range(3):
            comment = world.commented(server, pull, "mallory", "/rlm review full")
        world.commented(server, pull, "mallory", "/rlm stop")
        wait_until(lambda: world.idle() and bool(world.ours(pull)), lambda: server.said)
        assert world.runs() == []
        assert world.service.requests == []
        (answer,) = world.ours(pull)
        assert "Only people who may write" in answer
        assert comment.reactions == []


def test_help_and_slips_are_answered_where_they_were_asked(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.commented(server, pull, "alice", "/rlm help")
        world.commented(server, pull, "alice", "/rlm reveiw")
        wait_until(lambda: world.idle() and len(world.ours(pull)) == 2, lambda: server.said)
        first, second = world.ours(pull)
        assert "/rlm review" in first
        assert "Did you mean `/rlm review`?" in second
        assert world.runs() == []


def test_our_own_words_and_those_of_other_bots_are_no_commands(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        for who in (world.app.actor, "dependabot[bot]"):
            world.repo.permit(who, "admin")
            world.commented(server, pull, who, "/rlm review")
        world.commented(server, pull, "alice", "> /rlm review\n\nwhat is this?")
        assert world.idle()
        assert world.runs() == []


def test_a_command_stops_the_review_that_runs(site: Site) -> None:
    with site.world() as (world, server):
        seen: list[Any] = []

        def slow(request: dict[str, Any]) -> Any:
            seen.append(request)
            world.service.wait(3)
            return submit()

        world.think = slow
        pull = world.pull()
        world.opened(server, pull)
        wait_until(lambda: bool(seen), lambda: server.said)
        world.commented(server, pull, "alice", "/rlm stop")
        world.settle()
        assert pull.reviews == []
        assert world.ours(pull) == []
        (check,) = world.repo.check_runs
        assert (check.status, check.conclusion) == ("completed", "cancelled")
        assert "/rlm stop" in (check.summary or "")
        world.commented(server, pull, "alice", "/rlm stop")
        wait_until(lambda: bool(world.ours(pull)), lambda: server.said)
        assert "Nothing is running here." in world.ours(pull)[0]


def test_a_push_stops_the_review_before_and_the_newest_head_is_reviewed(site: Site) -> None:
    with site.world() as (world, server):
        seen: list[Any] = []

        def slow_at_first(request: dict[str, Any]) -> Any:
            seen.append(request)
            if len(seen) == 1:
                world.service.wait(6)
            return finds(request)

        world.think = slow_at_first
        pull = world.pull()
        old = pull.head
        world.opened(server, pull)
        wait_until(lambda: bool(seen), lambda: server.said)
        pull.push(world.repo.commit({**WITH_MORE}, world.head))
        assert world.opened(server, pull, "synchronize") == 202
        world.settle(runs=2)
        world.assert_said_once(pull)
        assert [run.conclusion for run in world.repo.check_runs if run.head_sha == old] == [
            "cancelled"
        ]
        assert pull.reviews[0].commit == pull.head


WITH_MORE = {
    "cart.py": b"def total(items, rate):\n    return sum(i.price for i in items[1:]) * rate\n",
    "notes.md": b"words\nand more words\n",
}


def test_a_head_that_moved_unnoticed_gets_no_old_review(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()

        def pushes(request: dict[str, Any]) -> Any:
            if pull.head == world.head:  # and no webhook tells about it
                pull.push(world.repo.commit(WITH_MORE, world.head))
            return finds(request)

        world.think = pushes
        world.opened(server, pull)
        world.settle(runs=2)
        world.assert_said_once(pull)
        assert pull.reviews[0].commit == pull.head != world.head


@pytest.mark.parametrize("button", ["check_run", "check_suite"])
def test_a_rerun_reviews_again(site: Site, button: str) -> None:
    with site.world() as (world, server):
        pull = world.pull(fork="bob/hello")
        world.opened(server, pull)
        world.settle()
        (check,) = world.repo.check_runs
        if button == "check_run":
            payload = world.hub.payload_check_run(check, "rerequested", world.app)
        else:
            payload = world.hub.payload_check_suite(world.repo, pull.head, "rerequested", world.app)
        assert world.sent(server, button, payload) == 202
        world.settle(runs=2)
        assert len(pull.reviews) == 1
        assert [run.conclusion for run in world.repo.check_runs] == ["neutral", "neutral"]


def test_a_draft_waits_until_it_is_ready(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull(draft=True)
        assert world.opened(server, pull) in {200, 202}
        wait_until(world.idle, lambda: server.said)
        assert world.runs() == []
        pull.draft = False
        assert world.opened(server, pull, "ready_for_review") == 202
        world.settle()
        world.assert_said_once(pull)


def test_without_a_model_the_detectors_review(tmp_path: Path) -> None:
    with World(tmp_path, model=False) as world, world.serve() as server:
        conflict = b"<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n"
        pull = world.repo.pull(world.base, world.repo.commit({"a.py": conflict}, world.base))
        world.opened(server, pull)
        world.settle()
        assert [comment.path for comment in pull.review_comments] == ["a.py"]
        (summary,) = world.ours(pull)
        assert "The detectors reviewed alone" in summary


def test_a_model_that_cannot_be_reached_leaves_a_marked_partial_review(tmp_path: Path) -> None:
    with World(tmp_path) as world, world.serve(ANTHROPIC_API_KEY="sk-wrong") as server:
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        (check,) = world.repo.check_runs
        assert check.conclusion == "neutral"
        assert "ended early" in (check.title or "")
        assert "sk-wrong" not in server.said + (check.summary or "") + world.ours(pull)[0]


@pytest.mark.parametrize("how", ["closed", "merged", "vanished", "deleted", "uninstalled"])
def test_a_pull_request_that_ends_meanwhile_ends_its_run(site: Site, how: str) -> None:
    with site.world() as (world, server):
        pull = world.pull()

        def ends(request: dict[str, Any]) -> Any:
            match how:
                case "closed" | "merged":
                    pull.close(merged=how == "merged")
                case "vanished":
                    pull.vanish()
                case "deleted":
                    world.repo.delete()
                case _:
                    world.installation.delete()
            return finds(request)

        world.think = ends
        world.opened(server, pull)
        world.settle()
        assert pull.reviews == []
        if how in {"closed", "merged", "vanished"}:
            assert {run.status for run in world.repo.check_runs} == {"completed"}
        assert "Traceback" not in server.said


def test_permissions_that_were_not_accepted_cost_the_check_run_alone(site: Site) -> None:
    granted = {"contents": "read", "pull_requests": "write", "metadata": "read"}
    with site.world(permissions=granted) as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        assert world.repo.check_runs == []
        assert len(pull.review_comments) == 1
        assert len(world.ours(pull)) == 1
        assert "checks" in server.said  # the log says what is missing


def test_a_wrong_clock_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.hub.clock_offset = -7_200
        with world.serve() as server:
            pull = world.pull()
            assert world.opened(server, pull) == 202
            wait_until(lambda: "clock" in str(server.ready()), lambda: str(server.ready()))
            assert server.get("/readyz")[0] == 503
            world.hub.clock_offset = 0
            world.settle()
            world.assert_said_once(pull)
            wait_until(lambda: server.get("/readyz")[0] == 200, lambda: str(server.ready()))


def test_an_expired_token_is_replaced_in_the_middle(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()

        def expires(request: dict[str, Any]) -> Any:
            world.hub.expire_all()
            return finds(request)

        world.think = expires
        world.opened(server, pull)
        world.settle()
        world.assert_said_once(pull)


def test_a_secret_is_in_no_log_and_in_no_comment(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        said = server.said + "".join(world.ours(pull)) + str(world.repo.check_runs)
        tokens = {seen.token for seen in world.hub.requests if seen.token}
        assert len(tokens) >= 3  # of the App, for writing, for reading
        for secret in (*tokens, "sk-test", world.app.webhook_secret):
            assert secret not in said


def test_a_repository_says_how_it_is_reviewed(tmp_path: Path) -> None:
    policy = (
        b"ignore: ['*.md']\neffort: quick\ninstructions: [{paths: ['*.py'], text: Use sums.}]\n"
    )
    with World(tmp_path) as world:
        owners = world.hub.repository("octo/.github", private=False)
        said = owners.commit({FILE: b"checks: {secrets: off}\n"})
        owners.git("update-ref", "refs/heads/main", said)
        world.base = world.repo.commit({**BASE, FILE: policy})
        hostile = {**FLAWED, FILE: b"ignore: ['*']\n"}
        world.head = world.repo.commit(hostile, world.base)
        with world.serve() as server:
            pull = world.pull()
            assert world.opened(server, pull) == 202
            world.settle()
        world.assert_said_once(pull)
        (summary,) = world.ours(pull)
        told = str([one.body["system"] for one in world.service.requests])
    assert "ignored by .github/rlm.yml" in summary and "notes.md" in summary
    assert "This change edits" in summary
    assert "Switched off by .github/rlm.yml: secrets." in summary
    assert "> Use sums." in told
    (trace,) = (tmp_path / "rlm" / "traces").glob("*.jsonl*")
    assert '"effort": "quick"' in trace.read_text().splitlines()[0]


# Commands of a conversation with us ---------------------------------------------------------------


def answers(request: dict[str, Any]) -> Any:
    if "The question:" not in str(request["messages"][0]["content"][-1]):
        return finds(request)
    return tool(
        "submit",
        {
            "answer": "Because `items[1:]` drops it.",
            "quotes": [{"path": "cart.py", "quote": QUOTE}],
        },
    )


def test_a_question_in_a_thread_is_answered_there_with_what_was_said_before(site: Site) -> None:
    with site.world() as (world, server):
        world.think = answers
        pull = world.pull(author="bob")
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments
        world.answered(server, ours, "bob", "I think it is meant.")
        asked = world.answered(server, ours, "alice", "/rlm ask Is he right?")
        world.settle(runs=2)
        answer = pull.review_comments[-1]
        assert (answer.user.login, answer.in_reply_to) == (world.app.actor, ours.id)
        assert answer.body.startswith("Because `items[1:]` drops it.")
        assert f"/{world.repo.full_name}/blob/{pull.head}/cart.py?plain=1#L2)" in answer.body
        assert [one.content for one in asked.reactions] == ["eyes"]
        told = world.service.requests[-1].body["messages"][0]["content"]
        shown = "\n".join(block["text"] for block in told)
        assert "reviewer:\n> " in shown and "author:\n> I think it is meant." in shown
        assert f">{QUOTE[0]}{QUOTE}" in shown
        assert len(world.repo.check_runs) == 1, "an answer is no check"
        assert len(pull.reviews) == 4, "the review and three answers"


def test_a_question_stops_no_review_and_a_push_stops_no_answer(site: Site) -> None:
    with site.world() as (world, server):
        seen: list[Any] = []

        def slow(request: dict[str, Any]) -> Any:
            seen.append(request)
            if len(seen) == 1:
                world.service.wait(4)
            return answers(request)

        world.think = slow
        pull = world.pull()
        world.commented(server, pull, "alice", "/rlm ask Why?\n/rlm cost")
        wait_until(lambda: bool(seen), lambda: server.said)
        world.opened(server, pull)
        world.settle(runs=2)
        bodies = world.ours(pull)
        assert sum("Because" in body for body in bodies) == 1
        assert len(pull.reviews) == 1
        world.commented(server, pull, "alice", "/rlm cost")
        wait_until(
            lambda: world.idle() and len(world.ours(pull)) > len(bodies), lambda: server.said
        )
        said = world.ours(pull)[-1]
        assert "in 2 runs on this pull request" in said and "$0.0" in said


def test_a_paused_pull_request_is_reviewed_on_demand_until_it_is_resumed(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.commented(server, pull, "alice", "/rlm pause")
        wait_until(lambda: bool(world.ours(pull)), lambda: server.said)
        assert world.opened(server, pull) == 202
        wait_until(world.idle, lambda: server.said)
        assert world.runs() == []
        world.commented(server, pull, "alice", "/rlm review")
        world.settle()
        world.commented(server, pull, "alice", "/rlm resume\n/rlm resume")
        pull.push(world.repo.commit({**WITH_MORE}, world.head))
        world.opened(server, pull, "synchronize")
        world.settle(runs=2)


def test_threads_are_closed_on_demand(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments
        world.answered(server, ours, "alice", "/rlm resolve")
        wait_until(lambda: bool(ours.folded), lambda: server.said)
        assert not ours.resolved, "that takes a permission to write contents"
        wait_until(lambda: len(pull.review_comments) == 3, lambda: server.said)
        assert "folded away" in pull.review_comments[-1].body
        before = len(world.ours(pull))
        world.commented(server, pull, "alice", "/rlm resolve")
        wait_until(lambda: len(world.ours(pull)) > before, lambda: server.said)


def test_the_settings_are_told_with_where_they_come_from(tmp_path: Path) -> None:
    with World(tmp_path) as world, world.serve(RLM_EFFORT="quick") as server:
        policy = b"budget: 0.5\nthresholds: {severity: medium}\nignore: ['a|b/**']\n"
        base = world.repo.commit({**BASE, FILE: policy}, world.base)
        pull = world.repo.pull(base, world.repo.commit({**FLAWED, FILE: policy}, base))
        world.commented(server, pull, "alice", "/rlm config")
        wait_until(lambda: world.idle() and bool(world.ours(pull)), lambda: server.said)
        (table,) = world.ours(pull)
        assert "| `effort` | `quick` | `RLM_EFFORT` |" in table
        assert f"| `budget` | `$0.50` | `{FILE}` |" in table
        assert "| `ignore` | `a\\|b/**` |" in table
        assert "| `comments.language` | `en` | `default` |" in table
        assert world.repo.check_runs == [] and world.service.requests == []


# What else asks for a review ----------------------------------------------------------------------


def test_a_label_or_a_request_asks_for_a_review_of_a_draft_too(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull(draft=True)
        payload = world.hub.payload_pull(pull, "labeled", world.app)
        for name in ("bug", REVIEW_LABEL):
            world.sent(server, "pull_request", {**payload, "label": {"name": name}})
        world.settle()
        for login, kind in (("alice", "User"), ("other[bot]", "Bot"), (world.app.actor, "Bot")):
            pull.push(world.repo.commit({**WITH_MORE, "n": login.encode()}, pull.head))
            payload = world.hub.payload_pull(pull, "review_requested", world.app)
            reviewer = {"login": login, "type": kind}
            world.sent(server, "pull_request", {**payload, "requested_reviewer": reviewer})
            wait_until(world.idle, lambda: server.said)
        world.settle(runs=2)


def test_another_base_is_another_change(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        payload = world.hub.payload_pull(pull, "edited", world.app)
        world.sent(server, "pull_request", {**payload, "changes": {"title": {"from": "x"}}})
        wait_until(world.idle, lambda: server.said)
        assert len(world.runs()) == 1
        pull.base = world.repo.commit({**BASE, "more.md": b"more\n"}, world.base)
        payload = world.hub.payload_pull(pull, "edited", world.app)
        changes = {"base": {"ref": {"from": "old"}, "sha": {"from": world.base}}}
        world.sent(server, "pull_request", {**payload, "changes": changes})
        world.settle(runs=2)
        assert world.runs()[0].base == pull.base


def test_a_merge_queue_does_not_wait(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        group = world.repo.commit({**WITH_MORE, "queue": b"x"}, world.head)
        payload = world.hub.payload_merge_group(pull, group, world.app)
        assert world.sent(server, "merge_group", payload) == 202
        wait_until(lambda: bool(world.repo.check_runs) and world.idle(), lambda: server.said)
        (check,) = world.repo.check_runs
        assert (check.head_sha, check.status, check.conclusion) == (group, "completed", "success")
        assert f"#{pull.number}" in (check.summary or "") and check.actions == []
        assert world.runs() == [] and world.service.requests == []
        check.status, check.conclusion = "queued", None  # as GitHub shows it when it is run again
        world.sent(
            server, "check_run", world.hub.payload_check_run(check, "rerequested", world.app)
        )
        wait_until(lambda: check.conclusion == "success", lambda: server.said)


def test_the_buttons_below_a_check_run_ask_for_more(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        (check,) = world.repo.check_runs
        assert [one["identifier"] for one in check.actions] == ["again", "full"]
        for runs, button, reviews in ((2, "again", 1), (3, "full", 2)):
            payload = world.hub.payload_check_run(
                check, "requested_action", world.app, button=button
            )
            assert world.sent(server, "check_run", payload) == 202
            world.settle(runs=runs)
            assert len(pull.reviews) == reviews


def test_what_the_author_promises_is_compared_with_the_change(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull(title="Let totals take a rate")
        issue = world.repo.issue(title="Totals have no tax", body="They should.")
        pull.body = f"Closes #{issue.number}"
        world.opened(server, pull)
        world.settle()
        (asked,) = world.service.comparisons
        told = "\n".join(block["text"] for block in asked["messages"][0]["content"])
        assert "> Let totals take a rate" in told and "> They should." in told
        world.assert_said_once(pull)


# Over time ----------------------------------------------------------------------------------------

MENDED_CART = b"def total(items, rate):\n    return sum(i.price for i in items) * rate\n"


def found_or_not(request: dict[str, Any]) -> Any:
    """Find the flaw where it is, as a model does that reads."""
    if "The question:" in str(request["messages"][0]["content"][-1]):
        return answers(request)
    return finds(request) if f"+{QUOTE}" in str(request["messages"]) else submit()


def test_the_thread_of_what_was_mended_is_closed_with_the_commit(site: Site) -> None:
    with site.world() as (world, server):
        world.think = found_or_not
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments
        pull.push(world.repo.commit({"cart.py": MENDED_CART, "notes.md": b"words\n"}, pull.head))
        world.opened(server, pull, "synchronize")
        world.settle(runs=2)
        answer = pull.review_comments[-1]
        assert (answer.in_reply_to, answer.user.login) == (ours.id, world.app.actor)
        assert answer.body.startswith(f"Gone with {pull.head[:10]}: it changed these lines")
        assert ours.folded == "RESOLVED" and len(pull.review_comments) == 2
        assert not ours.resolved and to_write_contents(world) == []
        assert world.became() == ["fixed"]
        # It comes back: that is news, and a thread of its own.
        pull.push(world.repo.commit({**WITH_MORE}, pull.head))
        world.opened(server, pull, "synchronize")
        world.settle(runs=3)
        assert [one.in_reply_to for one in pull.review_comments] == [None, ours.id, None]
        assert world.became() == ["open"]


def test_what_a_push_has_told_in_quite_other_words_is_said_once(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments

        def otherwise(request: dict[str, Any]) -> Any:
            why = "A slice leaves one price out."
            return finds(request, title="Carts come out too cheap", why=why, category="contract")

        world.think, world.service.repeats = otherwise, ("r1", "t1")
        pull.push(world.repo.commit({"cart.py": b"import os\n\n\n" + FLAWED["cart.py"]}, pull.head))
        world.opened(server, pull, "synchronize")
        world.settle(runs=2)
        assert pull.review_comments == [ours] and world.became() == ["open"]
        asked = [one.body for one in world.service.requests if seeks_repeats(one.body)]
        (told,) = [str(one["messages"][0]["content"][0]["text"]) for one in asked]
        assert "said before:\n> The first item is lost" in told, (
            "the first review had nothing to ask"
        )
        (summary,) = world.ours(pull)
        assert "Carts come out too cheap" in summary
        assert "A slice leaves one price out." in summary, "no comment has its reason"


def to_write_contents(world: World) -> list[Any]:
    """Return how tokens that may write contents were asked for."""
    asked = [seen.body for seen in world.hub.requests if seen.path.endswith("/access_tokens")]
    return [one for one in asked if one["permissions"].get("contents") == "write"]


def assert_resolved_alone(world: World, thread: ReviewComment) -> None:
    """Assert that a thread was resolved with a token that did nothing else, and is no more."""
    assert thread.resolved and not thread.folded
    used = [seen for seen in world.hub.requests if seen.token == thread.resolved_with]
    resolving, ending = used
    assert "resolveReviewThread" in resolving.body["query"]
    assert (ending.method, ending.path) == ("DELETE", "/installation/token")
    wait_until(lambda: thread.resolved_with not in world.hub.apps.tokens, lambda: "not ended")


def test_where_contents_may_be_written_threads_are_resolved_with_a_token_for_that_alone(
    site: Site,
) -> None:
    with site.world(permissions=GRANTED | {"contents": "write"}) as (world, server):
        world.think = found_or_not
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        assert to_write_contents(world) == []
        (ours,) = pull.review_comments
        pull.push(world.repo.commit({"cart.py": MENDED_CART, "notes.md": b"words\n"}, pull.head))
        world.opened(server, pull, "synchronize")
        world.settle(runs=2)
        assert pull.review_comments[-1].body.startswith(f"Gone with {pull.head[:10]}")
        assert_resolved_alone(world, ours)
        assert world.became() == ["fixed"]
        # It comes back, and somebody closes it by a command.
        pull.push(world.repo.commit({**WITH_MORE}, pull.head))
        world.opened(server, pull, "synchronize")
        world.settle(runs=3)
        again = pull.review_comments[-1]
        world.answered(server, again, "alice", "/rlm resolve")
        wait_until(lambda: again.resolved and world.idle(), lambda: server.said)
        assert_resolved_alone(world, again)
        assert again.resolved_with != ours.resolved_with
        wanted = {"contents": "write", "pull_requests": "write"}
        asked = {"repository_ids": [world.repo.id], "permissions": wanted}
        assert to_write_contents(world) == [asked, asked]


def test_what_is_still_there_keeps_its_thread_open(site: Site) -> None:
    with site.world() as (world, server):
        world.think = found_or_not
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        moved = b"# A cart.\n\n\n" + FLAWED["cart.py"]
        pull.push(world.repo.commit({"cart.py": moved, "notes.md": b"words\n"}, pull.head))
        world.opened(server, pull, "synchronize")
        world.settle(runs=2)
        (ours,) = pull.review_comments
        assert not ours.folded


def test_what_somebody_dismissed_is_not_said_again_in_the_repository(site: Site) -> None:
    with site.world() as (world, server):
        world.think = found_or_not
        pull = world.pull(author="bob")
        world.repo.permit("bob", "write")
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments
        world.answered(
            server, ours, "bob", "Won't fix."
        )  # the author reviews nobody, himself least
        wait_until(world.idle, lambda: server.said)
        world.commented(server, pull, "alice", "/rlm memory")
        wait_until(lambda: world.idle() and len(world.ours(pull)) == 2, lambda: server.said)
        assert "Nothing was dismissed here." in world.ours(pull)[-1]
        said = world.answered(server, ours, "alice", "False positive: that is meant.")
        wait_until(lambda: bool(said.reactions), lambda: server.said)
        assert [one.content for one in said.reactions] == ["+1"]
        wait_until(lambda: world.became() == ["dismissed"], lambda: server.said)
        other = world.pull(author="carol")
        world.opened(server, other)
        wait_until(lambda: world.idle() and len(world.repo.check_runs) == 2, lambda: server.said)
        assert other.reviews == []
        assert any("dismissed by alice" in body for body in world.ours(other))
        check = world.repo.check_runs[-1]
        assert check.conclusion == "success"
        world.commented(server, other, "alice", "/rlm memory")
        wait_until(lambda: world.idle() and len(world.ours(other)) == 2, lambda: server.said)
        table = world.ours(other)[-1]
        assert "`cart.py`" in table and "`alice`" in table
        name = re.search(r"`([0-9a-f]{12})`", table)
        assert name is not None
        world.commented(server, other, "alice", f"/rlm forget {name[1]}\n/rlm review")
        wait_until(lambda: world.idle() and len(other.reviews) == 1, lambda: server.said)
        assert world.became() == ["open"]


def test_what_is_forgotten_is_said_again_where_it_was_dismissed_until_it_is_dismissed_anew(
    site: Site,
) -> None:
    with site.world() as (world, server):
        world.think = found_or_not
        pull = world.pull(author="bob")
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments

        def dismissed(text: str) -> None:
            said = world.answered(server, ours, "alice", text)
            wait_until(lambda: world.idle() and bool(said.reactions), lambda: server.said)

        def summary_of(run: int) -> str:
            world.settle(runs=run)
            return next(body for body in world.ours(pull) if 'kind":"summary' in body)

        dismissed("False positive.")
        (known,) = world.store.dismissed(world.repo.id)
        world.commented(server, pull, "alice", f"/rlm forget {known.finding}\n/rlm review")
        assert "dismissed by" not in summary_of(2)
        dismissed("By design.")
        world.commented(server, pull, "alice", "/rlm review")
        assert "1 finding not shown: dismissed by alice." in summary_of(3)


def test_a_thumb_that_points_down_dismisses_and_a_grave_finding_stays_in_sight(
    site: Site,
) -> None:
    with site.world() as (world, server):
        world.think = lambda request: finds(request, severity="critical")
        pull = world.pull(author="bob")
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments
        for who in ("bob", "mallory", "alice"):
            number, user = world.hub.state.next_id(), world.hub.user(who)
            ours.reactions.append(Reaction(number, user, "-1", world.hub.state.now()))
        world.commented(server, pull, "alice", "/rlm review full")
        world.settle(runs=2)
        assert len(pull.reviews) == 1, "not even a full review comments on it again"
        summary = next(body for body in world.ours(pull) if 'kind":"summary' in body)
        assert "critical" in summary and "(dismissed by `alice`)" in summary


def test_an_objection_is_answered_and_thanks_are_not(site: Site) -> None:
    with site.world() as (world, server):
        world.think = found_or_not
        world.repo.permit("mallory", "read")
        pull = world.pull(author="bob")
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments
        for who, text in (
            ("bob", "Done, thanks!"),
            ("mallory", "Why would anybody ever want that to be changed at all?"),
        ):
            world.answered(server, ours, who, text)
        wait_until(world.idle, lambda: server.said)
        assert len(world.runs()) == 1
        world.answered(
            server, ours, "bob", "The callers always pass a sentinel first, do they not?"
        )
        world.settle(runs=2)
        assert pull.review_comments[-1].body.startswith("Because")
        theirs = world.service.requests[-1].body["messages"][0]["content"][-1]["text"]
        assert theirs.endswith("> The callers always pass a sentinel first, do they not?")
        # Who may not write is answered a few times, and no more: it is the owner's money.
        for number in range(MOST_OF_AUTHOR):
            world.answered(server, ours, "bob", f"And what about call number {number}?")
            wait_until(world.idle, lambda: server.said)
        assert len(world.runs()) == 1 + MOST_OF_AUTHOR


# When it is over ----------------------------------------------------------------------------------


def test_an_installation_that_is_removed_leaves_nothing_behind(tmp_path: Path) -> None:
    with World(tmp_path) as world, world.serve() as server:
        world.think = found_or_not
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        (run,) = world.runs()
        home = world.folder / "rlm"
        (ours,) = pull.review_comments
        said = world.answered(server, ours, "alice", "Won't fix.")
        world.commented(server, pull, "alice", "/rlm pause")
        wait_until(lambda: world.idle() and bool(said.reactions), lambda: server.said)
        assert (home / "traces" / f"{run.id}.jsonl").exists()
        assert list((home / "cache").rglob("hello.git")) and kept(home) > 0
        payload = world.hub.payload_installation(world.installation, "deleted")
        # Whatever says so: what is there is not forgotten.
        assert world.sent(server, "installation", payload) == 202
        wait_until(lambda: "it is back" in server.said and world.idle(), lambda: server.said)
        assert len(world.runs()) == 1
        world.installation.delete()
        assert world.sent(server, "installation", payload) == 202
        wait_until(lambda: world.idle() and (home / DONE).exists(), lambda: server.said)
        store = world.store
        assert world.runs() == []
        assert store.dismissed(world.repo.id) == [] and not store.paused_by(world.repo.id, 1)
        assert not (home / "traces" / f"{run.id}.jsonl").exists()
        assert not list((home / "cache").rglob("hello.*"))
        assert not list((home / "cache" / "context").glob("*.db")) and kept(home) == 0
        assert world.sent(server, "installation", payload) == 202  # and again
        wait_until(world.idle, lambda: server.said)


def kept(home: Path) -> int:
    """Count the answers in the journal."""
    with closing(sqlite3.connect(home / "journal.sqlite")) as db:
        return int(db.execute("SELECT count(*) FROM replies").fetchone()[0])


def test_a_repository_that_is_taken_out_is_forgotten_and_no_other(tmp_path: Path) -> None:
    with World(tmp_path) as world, world.serve() as server:
        other = world.hub.repository("octo/other", private=True)
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        base = {"installation": {"id": world.installation.id}, "action": "removed"}
        payload = {**base, "repositories_removed": [{"id": other.id, "full_name": "octo/other"}]}
        assert world.sent(server, "installation_repositories", payload) == 202
        wait_until(world.idle, lambda: server.said)
        assert len(world.runs()) == 1
        gone = [{"id": world.repo.id, "full_name": "octo/hello"}]
        # It was put back before the event came, or the event came once more.
        world.sent(server, "installation_repositories", {**base, "repositories_removed": gone})
        wait_until(world.idle, lambda: server.said)
        assert len(world.runs()) == 1 and "it is back" in server.said
        world.installation.remove(world.repo)
        world.sent(server, "installation_repositories", {**base, "repositories_removed": gone})
        wait_until(lambda: not world.runs(), lambda: server.said)
