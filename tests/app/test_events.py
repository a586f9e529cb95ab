import random
from typing import Any

import pytest

from app.check_names import REVIEW_LABEL
from app.commands import Misunderstood, PlainCommand, parse_commands
from app.events import Bad, Ignored, Subject, read_event, subject_of
from app.jobs import (
    COMMAND_FIRST,
    MAX_COMMENT_CHARS,
    QUEUE_FIRST,
    Command,
    Look,
    Pressed,
    Queued,
    Rerun,
    Wish,
)
from tests.app.deliveries import VERSIONS, example, examples

DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
HEAD = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"


def comment(body: str | None, **changes: Any) -> dict[str, Any]:
    payload = example("issue_comment", "created", **changes)
    payload["issue"]["pull_request"] = {"url": "https://api.github.com/repos/a/b/pulls/1"}
    payload["comment"]["body"] = body
    return payload


def ignored(event: str, payload: dict[str, Any]) -> str:
    read = read_event(event, payload, DELIVERY)
    assert isinstance(read, Ignored)
    return read.why


@pytest.mark.parametrize("version", VERSIONS)
def test_every_example_of_github_is_a_job_or_is_ignored(version: str) -> None:
    read = [read_event(name, payload, DELIVERY) for name, payload in examples(version)]
    given = {"installation": {"id": 77}}
    read += [
        read_event(name, {**given, **payload}, DELIVERY) for name, payload in examples(version)
    ]
    assert len(read) >= 98
    assert [one for one in read if isinstance(one, Bad)] == []
    assert [one for one in read if isinstance(one, Look)] != []
    assert all(one.why.endswith(".") for one in read if isinstance(one, Ignored))


@pytest.mark.parametrize(
    ("action", "trigger"),
    [
        ("opened", "opened"),
        ("reopened", "reopened"),
        ("ready_for_review", "ready"),
        ("converted_to_draft", "drafted"),
        ("closed", "closed"),
        ("synchronize", "pushed"),
    ],
)
def test_a_pull_request_is_looked_at(action: str, trigger: str) -> None:
    read = read_event("pull_request", example("pull_request", action), DELIVERY)
    assert isinstance(read, Look)
    assert (read.repository, read.repository_id) == ("Codertocat/Hello-World", 186853002)
    assert (read.number, read.trigger) == (2, trigger)
    assert read.job().role == "github"


@pytest.mark.parametrize("action", ["unlabeled", "locked", "assigned", "auto_merge_enabled"])
def test_other_actions_on_a_pull_request_are_ignored(action: str) -> None:
    assert action in ignored("pull_request", example("pull_request", "opened", action=action))


def test_a_change_that_is_nothing_to_us_is_ignored_with_its_reason() -> None:
    edited = example("pull_request", "opened", action="edited", changes={"title": {"from": "x"}})
    assert "its base was not" in ignored("pull_request", edited)
    labelled = example("pull_request", "opened", action="labeled", label={"name": "bug"})
    assert "Another label" in ignored("pull_request", labelled)
    for asked in ({"login": "alice", "type": "User"}, None):
        requested = example(
            "pull_request", "opened", action="review_requested", requested_reviewer=asked
        )
        assert "Somebody else" in ignored("pull_request", requested)


def test_what_asks_for_a_review_by_name_does_so_for_a_draft_and_first() -> None:
    for action, more, trigger in (
        ("labeled", {"label": {"name": REVIEW_LABEL}}, "labelled"),
        (
            "review_requested",
            {"requested_reviewer": {"login": "x[bot]", "type": "Bot"}},
            "requested",
        ),
    ):
        payload = example("pull_request", "opened", action=action, **more)
        payload["pull_request"]["draft"] = True
        read = read_event("pull_request", payload, DELIVERY)
        assert isinstance(read, Look)
        assert (read.trigger, read.job().priority) == (trigger, COMMAND_FIRST)
    assert read.reviewer == "x[bot]"


def test_what_a_bot_asks_for_is_done_and_not_before_what_people_ask_for() -> None:
    label = {"label": {"name": REVIEW_LABEL}, "sender": {"login": "x[bot]", "type": "Bot"}}
    payload = example("pull_request", "opened", action="labeled", **label)
    payload["pull_request"]["draft"] = True
    read = read_event("pull_request", payload, DELIVERY)
    assert isinstance(read, Look)
    assert (read.is_asked, read.job().priority) == (True, 0)
    wish = Wish(trigger=read.trigger, by_bot=read.by_bot)
    assert not wish.is_asked and Wish(trigger=read.trigger).is_asked


def reviewed(body: str | None, action: str = "submitted") -> dict[str, Any]:
    payload = example("pull_request_review", "submitted", action=action)
    payload["review"]["body"] = body
    return payload


def test_a_command_in_the_text_of_a_review_is_one() -> None:
    read = read_event("pull_request_review", reviewed("Fine.\n\n/rlm review"), DELIVERY)
    assert isinstance(read, Command) and read.in_review and read.thread == 0
    assert (read.number, read.comment_id, read.sender) == (2, 237895671, "Codertocat")
    assert (read.name, read.place) == ("review:237895671", -237895671)
    # The review that an answer in a thread makes has no text: the answer is an event of its own.
    for body in (None, "", "Fine.", "> /rlm review"):
        assert "no command" in ignored("pull_request_review", reviewed(body))
    for action in ("edited", "dismissed"):
        assert action in ignored("pull_request_review", reviewed("/rlm review", action))
    by_bot = reviewed("/rlm review")
    by_bot["review"]["user"]["type"] = "Bot"
    assert "bot" in ignored("pull_request_review", by_bot)


def test_another_base_is_looked_at() -> None:
    changes = {"base": {"ref": {"from": "old"}, "sha": {"from": HEAD}}}
    payload = example("pull_request", "opened", action="edited", changes=changes)
    read = read_event("pull_request", payload, DELIVERY)
    assert isinstance(read, Look) and read.trigger == "retargeted"


def test_a_command_in_a_thread_names_the_thread() -> None:
    payload = example("pull_request_review_comment", "created")
    payload["comment"]["body"] = "/rlm ask why?"
    first = read_event("pull_request_review_comment", payload, DELIVERY)
    assert isinstance(first, Command)
    assert first.thread == first.comment_id == payload["comment"]["id"]
    payload["comment"]["in_reply_to_id"] = 17
    answer = read_event("pull_request_review_comment", payload, DELIVERY)
    assert isinstance(answer, Command) and answer.thread == 17


def test_a_merge_group_is_queued_for_its_pull_request() -> None:
    ref = f"refs/heads/gh-readonly-queue/release/1.x/pr-104-{HEAD}"
    payload = example("pull_request", "opened", action="checks_requested")
    payload["merge_group"] = {"head_sha": HEAD, "head_ref": ref}
    read = read_event("merge_group", payload, DELIVERY)
    assert isinstance(read, Queued)
    assert (read.head, read.number, read.job().priority) == (HEAD, 104, QUEUE_FIRST)
    payload["merge_group"]["head_ref"] = "refs/heads/main"
    assert isinstance(read_event("merge_group", payload, DELIVERY), Bad)


def test_a_draft_waits_until_it_is_ready() -> None:
    payload = example("pull_request", "opened")
    payload["pull_request"]["draft"] = True
    assert "draft" in ignored("pull_request", payload)
    payload["action"] = "synchronize"
    assert "draft" in ignored("pull_request", payload)
    for action in ("ready_for_review", "converted_to_draft", "closed"):
        payload["action"] = action
        assert isinstance(read_event("pull_request", payload, DELIVERY), Look)


def test_a_webhook_of_a_repository_alone_is_ignored() -> None:
    payload = example("pull_request", "opened", installation=None)
    assert "installation" in ignored("pull_request", payload)
    del payload["installation"]
    assert "installation" in ignored("pull_request", payload)


def test_a_command_is_taken_from_a_comment() -> None:
    read = read_event("issue_comment", comment("Please\n/rlm review full src/\n"), DELIVERY)
    assert isinstance(read, Command)
    assert read.body == "Please\n/rlm review full src/\n"
    assert (read.sender, read.number, read.comment_id) == ("Codertocat", 1, 492700400)


def test_a_comment_on_an_issue_is_no_command() -> None:
    payload = comment("/rlm review")
    del payload["issue"]["pull_request"]
    assert "issue" in ignored("issue_comment", payload)


@pytest.mark.parametrize(
    "body",
    [
        "nice work",
        "> /rlm review",
        "```\n/rlm review\n```",
        "say `/rlm review` to start",
        "<!-- /rlm review -->",
        "/rlmreview",
        "",
        None,
    ],
)
def test_a_comment_that_gives_no_command_is_ignored(body: str | None) -> None:
    assert "no command" in ignored("issue_comment", comment(body))


@pytest.mark.parametrize("who", ["sender", "author"])
def test_a_bot_gives_no_commands(who: str) -> None:
    payload = comment("/rlm review")
    account = payload["sender"] if who == "sender" else payload["comment"]["user"]
    account.update(login="rlm-review[bot]", type="Bot")
    assert "bot" in ignored("issue_comment", payload)


def test_words_of_another_than_the_sender_are_no_command() -> None:
    payload = comment("/rlm review")
    payload["comment"]["user"]["login"] = "somebody-else"
    assert "did not write" in ignored("issue_comment", payload)


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_only_a_new_comment_is_a_command(action: str) -> None:
    assert action in ignored("issue_comment", comment("/rlm review", action=action))


def test_a_long_comment_is_cut_after_a_whole_line() -> None:
    long = "/rlm review src/\n" + "x" * 60 + "\n" + "y" * MAX_COMMENT_CHARS
    read = read_event("issue_comment", comment(long), DELIVERY)
    assert isinstance(read, Command)
    assert read.body == "/rlm review src/\n" + "x" * 60 + "\n"


def test_a_command_is_found_anywhere_in_a_comment() -> None:
    below = "x" * 70 + "\n"
    long = below * 900 + "/rlm stop"
    assert 60_000 < len(long) < MAX_COMMENT_CHARS
    read = read_event("issue_comment", comment(long), DELIVERY)
    assert isinstance(read, Command) and parse_commands(read.body) == (PlainCommand("stop"),)


def test_a_question_that_is_too_long_is_answered_by_the_limit() -> None:
    read = read_event("issue_comment", comment("/rlm ask " + "😀" * 65_000), DELIVERY)
    assert isinstance(read, Command)
    again = Command.model_validate_json(read.job().payload)
    (said,) = parse_commands(again.body)
    assert isinstance(said, Misunderstood) and "4,000 characters" in said.why


def test_a_check_run_is_run_again() -> None:
    payload = example("check_run", "rerequested")
    check = payload["check_run"]
    check.update(external_id="r1", pull_requests=[])
    read = read_event("check_run", payload, DELIVERY)
    assert isinstance(read, Rerun)
    assert (read.external_id, read.head, read.numbers) == ("r1", check["head_sha"], ())
    assert read.event_id == DELIVERY


def test_the_button_for_a_fix_says_who_has_pressed_it() -> None:
    payload = example("check_run", "requested_action")
    check = payload["check_run"]
    check.update(external_id="octo/hello#2:r1")
    payload["requested_action"] = {"identifier": "fix"}
    read = read_event("check_run", payload, DELIVERY)
    assert isinstance(read, Pressed)
    assert (read.external_id, read.head) == ("octo/hello#2:r1", check["head_sha"])
    assert (read.sender, read.event_id) == (payload["sender"]["login"], DELIVERY)
    assert read.job().priority == COMMAND_FIRST
    payload["sender"]["type"] = "Bot"
    assert isinstance(read_event("check_run", payload, DELIVERY), Ignored)
    del payload["sender"]
    assert isinstance(read_event("check_run", payload, DELIVERY), Bad)
    payload["requested_action"] = {"identifier": "full"}
    assert isinstance(read_event("check_run", payload, DELIVERY), Rerun)


def test_a_check_suite_is_run_again_for_its_pull_requests() -> None:
    payload = example("check_suite", "rerequested")
    here = payload["check_suite"]["pull_requests"][0]
    elsewhere = {**here, "number": 9, "base": {**here["base"], "repo": {"id": 4, "name": "x"}}}
    payload["check_suite"]["pull_requests"] = [here, elsewhere, here]
    read = read_event("check_suite", payload, DELIVERY)
    assert isinstance(read, Rerun)
    assert (read.external_id, read.head, read.numbers) == ("", HEAD, (2,))


def test_a_check_suite_of_a_merge_queue_is_run_again_as_its_check_is() -> None:
    payload = example("check_suite", "rerequested")
    payload["check_suite"]["pull_requests"] = []
    payload["check_suite"]["head_branch"] = f"gh-readonly-queue/main/pr-7-{HEAD}"
    read = read_event("check_suite", payload, DELIVERY)
    assert isinstance(read, Queued)
    assert (read.head, read.number) == (HEAD, 7)
    payload["check_suite"]["head_branch"] = None
    assert isinstance(read_event("check_suite", payload, DELIVERY), Rerun)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("repository", "full_name"), "../../etc"),
        (("repository", "full_name"), "octo/.."),
        (("repository", "full_name"), "octo/hello.git"),
        (("repository", "full_name"), "octo/hello\n"),
        (("repository", "full_name"), "octo/hello/pulls"),
        (("repository", "full_name"), "https://example.com/a"),
        (("repository", "full_name"), "-c/hello"),
        (("repository", "full_name"), 7),
        (("repository", "id"), 0),
        (("repository", "id"), "186853002"),
        (("repository", "id"), True),
        (("repository", "id"), 2**53 + 1),
        (("repository", "id"), 1.5),
        (("repository",), None),
        (("repository",), []),
        (("installation", "id"), -1),
        (("installation", "id"), None),
        (("installation",), []),
        (("installation",), {}),
        (("pull_request", "number"), 0),
        (("pull_request", "number"), "2"),
        (("pull_request", "draft"), "no"),
        (("pull_request",), "2"),
        (("action",), None),
        (("action",), ["opened"]),
    ],
)
def test_what_names_no_place_is_bad_and_says_where(place: tuple[str, ...], value: object) -> None:
    payload = example("pull_request", "opened")
    *outer, last = place
    inner = payload
    for name in outer:
        inner = inner[name]
    inner[last] = value
    read = read_event("pull_request", payload, DELIVERY)
    assert isinstance(read, Bad)
    assert place[0] in read.why


def test_a_reason_repeats_nothing_of_the_payload() -> None:
    payload = example("pull_request", "opened")
    payload["repository"]["full_name"] = "ghp_aTokenThatSomebodyPasted0123456789"
    read = read_event("pull_request", payload, DELIVERY)
    assert isinstance(read, Bad)
    assert "ghp_" not in read.why


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[call-overload]
    found = []
    for key, one in inside:
        found.append((*path, key))
        if isinstance(one, dict | list) and len(path) < 3:
            found += _places(one, (*path, key))
    return found


ODD = (None, True, 0, -1, 2**63, 1e300, "", "x" * 5_000, "\x00\u202e", [], [[]], {}, {"id": {}})


@pytest.mark.parametrize("seed", range(4))
def test_a_mutilated_example_is_read_or_refused_and_never_raises(seed: int) -> None:
    chance = random.Random(seed)
    acted = [
        (name, payload)
        for name, payload in examples("api.github.com")
        if name in {"pull_request", "issue_comment", "check_run", "check_suite"}
    ]
    kinds = set()
    for _ in range(100):
        name, original = chance.choice(acted)
        payload = example(name, original["action"])
        for _ in range(chance.randint(1, 4)):
            *outer, last = chance.choice(_places(payload))
            inner: Any = payload
            for key in outer:
                inner = inner[key]
            if chance.random() < 0.4:
                del inner[last]
            else:
                inner[last] = chance.choice(ODD)
        kinds.add(type(read_event(name, payload, DELIVERY)))
        assert len(subject_of(payload).repository) <= 100
    assert {Bad, Ignored} <= kinds


def test_the_log_is_told_what_a_payload_is_about() -> None:
    assert subject_of(example("pull_request", "opened")) == Subject(
        "opened", "Codertocat/Hello-World", 2, 77, 186853002
    )
    assert subject_of(comment("hi")) == Subject(
        "created", "Codertocat/Hello-World", 1, 77, 186853002
    )
    assert subject_of({"action": 3, "repository": [], "issue": {"number": "x"}}) == Subject()
