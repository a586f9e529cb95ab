"""Nothing is paid twice: not after a crash, not on the next push, not by two nodes at a time."""

import random
import re
import threading
import time
from typing import Any

import pytest

from reviewer.rlm.budget import Amount
from reviewer.rlm.memory import MemoryJournal
from reviewer.rlm.recording import Replies
from reviewer.rlm.trace import CallEnded, Replayed, as_json
from tests.model_server import Answer, ModelServer, stopped, text, tool
from tests.reviewer.rlm.tasks import Outcome, Report, honest, leads, solved, told, turn_of, words_of

WORDS = tuple(f"w{number:02d}" for number in range(24))
DONE = tool("submit", {"words": []})


def script(request: dict[str, Any]) -> Answer:
    """Divide in code at first, look once at two parts' results, and then hand in."""
    if not leads(request):
        return honest(request)
    if turn_of(request) == 0:
        code = "print([(await c)['result'] for c in [delegate([p]) for p in ['p2', 'p1']]])"
        return tool("python", {"code": code})
    return DONE


def led() -> Report:
    return Report(led=True, question="What is missing?")


def test_running_again_costs_nothing_and_comes_to_the_same():
    journal = MemoryJournal()
    with ModelServer(script) as server:
        first = solved(server, WORDS, task=led(), journal=journal)
        paid = len(server.calls)
        second = solved(server, WORDS, task=led(), journal=journal.again(run="next push"))
    assert len(server.calls) == paid
    assert second.solved == first.solved
    assert (second.usd, second.calls) == (0, 0)
    assert len(second.of(Replayed)) == paid
    assert {one.source for one in second.of(Replayed)} == {"journal"}


def test_a_run_that_is_taken_up_again_counts_what_it_paid_before():
    journal = MemoryJournal()
    with ModelServer(script) as server:
        first = solved(server, WORDS, task=led(), journal=journal)
        again = solved(server, WORDS, task=led(), journal=journal.again())
    assert again.solved == first.solved
    assert again.usd == pytest.approx(first.usd)
    assert again.of(CallEnded) == []


def test_a_local_change_pays_for_itself_and_for_those_above_it():
    journal = MemoryJournal()
    words = tuple(f"w{number:03d}" for number in range(48))
    with ModelServer(script) as server:
        solved(server, words, task=led(), journal=journal)
        before = len(server.calls)
        changed = (*words[:20], "new", *words[21:])
        done = solved(server, changed, task=led(), journal=journal.again(run="next"))
    asked = server.calls[before:]
    assert done.solved.covered == set(changed)
    assert len([call for call in asked if not leads(call)]) == 1
    # Above it: of the root and of the part that has it, what follows the first look at results.
    assert len(asked) <= 1 + 2 * 2


def test_a_refusal_of_an_earlier_run_is_asked_for_anew():
    journal = MemoryJournal()
    with ModelServer([stopped("refusal"), DONE]) as server:
        first = solved(server, WORDS[:2], journal=journal)
        second = solved(server, WORDS[:2], journal=journal.again(run="next"))
    assert first.solved.covered == set()
    assert second.solved.covered == set(WORDS[:2])


def test_a_node_that_came_to_nothing_in_an_earlier_run_gets_another_chance():
    journal = MemoryJournal()
    with ModelServer(lambda _: text("hm")) as server:
        first = solved(server, WORDS[:2], journal=journal)
        calls = len(server.calls)
    with ModelServer(honest) as server:
        second = solved(server, WORDS[:2], journal=journal.again(run="next"))
        resumed = solved(server, WORDS[:2], journal=journal.again())
    assert first.solved.covered == set()
    assert second.solved.covered == set(WORDS[:2])
    assert len(server.calls) == 1
    # The run itself, taken up again, comes to what it came to before.
    assert resumed.solved == first.solved
    assert calls == len(resumed.of(Replayed))


def test_tenants_share_nothing():
    journal = MemoryJournal()
    with ModelServer(honest) as server:
        solved(server, WORDS[:3], journal=journal, tenant="one")
        solved(server, WORDS[:3], journal=journal.again(run="2"), tenant="other")
        assert len(server.calls) == 2
        solved(server, WORDS[:3], journal=journal.again(run="3"), tenant="one")
    assert len(server.calls) == 2


def test_equal_requests_at_the_same_time_are_one_call():
    both = "calls = [ask('why?', 'x'), ask('why?', 'x')]\nprint([await c for c in calls])"

    def answer(request: dict[str, Any]) -> Answer:
        if "tools" not in request:
            time.sleep(0.2)
            return text("so")
        return tool("python", {"code": both}) if turn_of(request) == 0 else honest(request)

    with ModelServer(answer) as server:
        done = solved(server, WORDS[:2])
    assert "['so', 'so']" in told(server.calls[-1])
    assert sum("tools" not in call for call in server.calls) == 1
    assert [one.source for one in done.of(Replayed)] == ["run"]


def test_what_an_earlier_process_lost_counts_towards_the_cost():
    journal = MemoryJournal()
    lost = journal.again()
    lost._lost = Amount(1.0, 10, 1)
    with ModelServer(honest) as server:
        done = solved(server, WORDS[:2], journal=lost)
    assert done.total == Amount(done.usd, 0, done.calls) + Amount(1.0, done.total.tokens, 1)


def shuffled(seed: int) -> Outcome:
    """Return a run in which answers come in another order."""
    chance, lock = random.Random(seed), threading.Lock()

    def late(request: dict[str, Any]) -> Answer:
        with lock:
            wait_s = chance.choice([0, 0, 0.01, 0.05, 0.1])
        time.sleep(wait_s)
        answer = script(request)
        odd = hash("".join(sorted(words_of(request)))) if not leads(request) else 1
        return text("hm") if odd % 7 == 0 and turn_of(request) == 0 else answer

    with ModelServer(late) as server:
        done = solved(server, WORDS, task=led(), journal=MemoryJournal())
    done.requests = sorted(re.sub(r"toolu_\w+", "id", str(call)) for call in server.calls)
    return done


def test_the_order_in_which_answers_come_changes_nothing():
    runs = [shuffled(seed) for seed in range(6)]
    assert len({str(run.solved) for run in runs}) == 1
    assert len({str(run.requests) for run in runs}) == 1
    # Each node's own story is the same, too; only their order differs.
    assert len({str(stories(run)) for run in runs}) == 1


def stories(run: Outcome) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for event in run.events:
        value = as_json(event)
        for timed in ("seconds", "call", "usage", "usd", "reserved_usd"):
            value.pop(timed, None)
        told.setdefault(value.get("node", ""), []).append(str(value))
    return {node: sorted(events) for node, events in sorted(told.items())}


def test_a_recording_outlives_a_reworded_prompt():
    recording = Replies()
    with ModelServer(script) as server:
        first = solved(server, WORDS, task=led(), recording=recording)
    reworded = led()
    reworded.instructions = lambda scope: "Kindly report the words."  # type: ignore[method-assign]
    with ModelServer([]) as server:
        again = solved(server, WORDS, task=reworded, recording=Replies(dict(recording.values)))
        assert server.calls == []
    assert again.solved == first.solved
    assert {one.source for one in again.of(Replayed)} == {"recording"}
