"""A node that leads: it may divide well, badly or not at all, and every unit is read all the same."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from reviewer.request import Caps, StopReason
from reviewer.rlm.node import DIVIDING_TURNS, MAX_TURNS
from reviewer.rlm.trace import CallStarted, Delegated, NodeEnded, NodeStarted, Submitted
from tests.model_server import Answer, ModelServer, error, text, tool
from tests.reviewer.rlm.tasks import (
    WORD_TOKENS,
    Prices,
    Report,
    Scope,
    honest,
    leads,
    solved,
    told,
    turn_of,
    words_of,
)

WORDS: Scope = tuple(f"w{number:02d}" for number in range(12))  # four parts of three
QUESTION = "Which words are missing?"


def led(question: str | None = QUESTION) -> Report:
    return Report(led=True, question=question)


def code(*lines: str) -> Answer:
    return tool("python", {"code": "\n".join(lines)})


Turn = Answer | Callable[[dict[str, Any]], Answer]


def leading(*turns: Turn, leaf: Callable[[dict[str, Any]], Answer] = honest) -> Any:
    """Return a script: the leading node plays the turns, the last again and again."""

    def script(request: dict[str, Any]) -> Any:
        if not leads(request):
            return leaf(request)
        turn = turns[min(turn_of(request), len(turns) - 1)]
        return turn(request) if callable(turn) else turn

    return script


DONE = tool("submit", {"words": []})
OWN = tool("submit", {"words": ["w03"]})


def test_what_nobody_was_given_the_host_gives_out_and_then_the_parent_asks_across():
    seen: list[str] = []

    def second(request: dict[str, Any]) -> Answer:
        seen.append(told(request))
        return OWN

    with ModelServer(leading(DONE, second)) as server:
        done = solved(server, WORDS, task=led())
    assert done.solved.covered == set(WORDS)
    assert done.solved.result.words == [*WORDS, "w03"]  # the parts in scope order, then its own
    assert QUESTION in seen[0]
    assert "4 of 4" in seen[0]
    given = done.of(Delegated)
    assert [(one.child, one.parts, one.by) for one in given] == [
        (f"1.{number}", (f"p{number}",), "host") for number in range(1, 5)
    ]
    assert [one.size for one in done.of(NodeStarted)] == [12 * WORD_TOKENS] + [3 * WORD_TOKENS] * 4


def test_code_delegates_in_a_plain_loop_in_parallel_and_gets_values():
    at_once = threading.Barrier(4, timeout=5)

    def leaf(request: dict[str, Any]) -> Answer:
        at_once.wait()
        return honest(request)

    loop = code(
        "calls = [delegate([p]) for p in ['p1', 'p2', 'p3', 'p4']]",
        "found = [await c for c in calls]",
        "print([f['result']['words'][0] for f in found], found[0]['parts'], found[0]['missed'])",
    )
    with ModelServer(leading(loop, DONE, OWN, leaf=leaf)) as server:
        done = solved(server, WORDS, task=led())
    assert done.solved.covered == set(WORDS)
    assert {one.by for one in done.of(Delegated)} == {"model"}
    printed = told(next(c for c in server.calls if leads(c) and turn_of(c) == 1))
    assert "['w00', 'w03', 'w06', 'w09'] ['p1']" in printed


def test_parts_are_regrouped_and_read_through_a_lens():
    grouped = code("print(await delegate(['p3', 'p1'], lens='backwards'))")
    with ModelServer(leading(grouped, DONE, OWN)) as server:
        done = solved(server, WORDS, task=led(), window=6 * WORD_TOKENS)
    given = [(one.parts, one.lens, one.by) for one in done.of(Delegated)]
    assert given == [
        (("p1", "p3"), "backwards", "model"),
        (("p2",), "", "host"),
        (("p4",), "", "host"),
    ]
    read = [words_of(call) for call in server.calls if not leads(call)]
    assert ["w08", "w07", "w06", "w02", "w01", "w00"] in read
    assert done.solved.covered == set(WORDS)


def test_the_same_parts_delegated_twice_are_read_once():
    twice = code(
        "one = delegate(['p1'])", "two = delegate('p1')", "print((await one) == (await two))"
    )
    with ModelServer(leading(twice, DONE, OWN)) as server:
        solved(server, WORDS, task=led())
    assert "True" in told(next(c for c in server.calls if leads(c) and turn_of(c) == 1))
    assert sum(not leads(call) for call in server.calls) == 4


def test_a_part_may_be_read_again_through_another_lens_and_no_oftener():
    again = code(
        "await delegate(['p1'])",
        "other = await delegate(['p1'], 'backwards')",
        "print(other['result'])",
        "try:",
        "    await delegate(['p1', 'p2'])",
        "except ValueError as error:",
        "    print(error)",
    )
    with ModelServer(leading(again, DONE, OWN)) as server:
        done = solved(server, WORDS, task=led())
    printed = told(next(c for c in server.calls if leads(c) and turn_of(c) == 1))
    assert "['w02', 'w01', 'w00']" in printed
    assert "given out already" in printed
    assert done.solved.covered == set(WORDS)
    assert sum(not leads(call) for call in server.calls) == 5


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("delegate(['p1', 'p2', 'p3', 'p4'])", "whole scope"),
        ("delegate(['p9'])", "no part 'p9'"),
        ("delegate([])", "takes a list"),
        ("delegate(7)", "takes a list"),
        ("delegate([['p1']])", "no part"),
        ("delegate(['p1'], lens='upside down')", "lens is one of"),
        ("delegate(['p1'], lens=None)", "lens is one of"),
        ("delegate()", "missing"),
        ("delegate(['p1'], depth=9)", "unexpected"),
        ("part('p0')", "no part"),
        ("part(1.5)", "no part"),
        ("ask('')", "two strings"),
        ("ask('x' * 30_000)", "longer than"),
    ],
)
def test_wrong_calls_are_explained_and_cost_nothing(wrong: str, said: str):
    tried = code(
        "try:", f"    await {wrong}", "except (ValueError, TypeError) as e:", "    print(e)"
    )
    with ModelServer(leading(tried, DONE, OWN)) as server:
        done = solved(server, WORDS, task=led())
    assert said in told(next(c for c in server.calls if leads(c) and turn_of(c) == 1))
    assert done.solved.covered == set(WORDS)
    assert {one.by for one in done.of(Delegated)} == {"host"}


@pytest.mark.parametrize(
    "forever",
    [
        text("Let me think about it."),
        code("print('x' * 10_000_000)"),
        lambda request: code("while True: pass") if turn_of(request) < 2 else text("Hm."),
        code("1 / 0"),
        tool("submit", {"nonsense": 1}),
        tool("submit", {}),
        tool("bash", {"command": "ls"}),
        Answer(),
    ],
    ids=["prose", "prints", "loops", "fails", "nonsense", "empty", "unknown tool", "nothing"],
)
def test_a_node_that_never_divides_is_divided_by_the_host(forever: Turn):
    with ModelServer(leading(forever)) as server:
        done = solved(server, WORDS, task=led())
    assert done.solved.covered == set(WORDS)
    assert done.solved.missed == {}
    assert done.solved.result.words == list(WORDS)
    # All was read; that nobody looked across is said.
    assert done.solved.stops == {StopReason.INCOMPLETE}
    assert sum(leads(call) for call in server.calls) <= MAX_TURNS


def test_exploring_without_end_gives_the_question_before_the_turns_end():
    seen: list[int] = []

    def turn(request: dict[str, Any]) -> Answer:
        if QUESTION in str(request["messages"]):
            seen.append(turn_of(request))
            return OWN
        return code("print(len(await part('p1')))")

    with ModelServer(leading(turn)) as server:
        done = solved(server, WORDS, task=led())
    assert seen == [DIVIDING_TURNS]
    assert done.solved.result.words == [*WORDS, "w03"]


def test_a_first_submit_with_a_result_is_not_taken_before_all_was_read():
    with ModelServer(leading(OWN, DONE)) as server:
        done = solved(server, WORDS, task=led())
    assert done.solved.result.words == list(WORDS)
    taken = [one for one in done.of(Submitted) if not one.problems]
    assert len(taken) == 5  # the four leaves, and the leader's second
    assert len(done.of(Submitted)) == 6


def test_two_submits_in_one_reply_do_not_skip_the_question():
    both = Answer((*DONE.blocks, *OWN.blocks))
    with ModelServer(leading(both, DONE)) as server:
        done = solved(server, WORDS, task=led())
    assert done.solved.result.words == list(WORDS)


def test_without_a_question_the_first_submit_is_the_result():
    with ModelServer(leading(OWN)) as server:
        done = solved(server, WORDS, task=led(question=None))
    assert done.solved.result.words == [*WORDS, "w03"]
    assert sum(leads(call) for call in server.calls) == 1


def test_a_refused_key_in_a_child_stops_all_and_keeps_what_was_read():
    def leaf(request: dict[str, Any]) -> Answer:
        if "w03" in words_of(request):
            time.sleep(0.3)
            return error(401, "authentication_error")
        return honest(request)

    waiting = code("print(await delegate(['p2']))")
    with ModelServer(leading(waiting, DONE, OWN, leaf=leaf)) as server:
        done = solved(server, WORDS, task=led())
    assert done.solved.covered | done.solved.missed.keys() == set(WORDS)
    assert StopReason.MODEL in done.solved.stops
    assert done.left_behind == 0


def test_a_run_that_is_cancelled_while_a_parent_waits_keeps_its_children_s_results():
    stop = threading.Event()

    def leaf(request: dict[str, Any]) -> Answer:
        if "w09" in words_of(request):
            stop.set()
            time.sleep(3)
        return honest(request)

    loop = code(
        "calls = [delegate([p]) for p in ['p1', 'p2', 'p3']]",
        "[await c for c in calls]",
        "await delegate('p4')",
    )
    with ModelServer(leading(loop, DONE, leaf=leaf)) as server:
        done = solved(server, WORDS, task=led(), cancelled=stop.is_set)
        server.release()
    assert done.solved.covered == set(WORDS[:9])
    assert set(done.solved.missed) == set(WORDS[9:])
    assert done.solved.result.words == list(WORDS[:9])
    assert done.solved.stops == {StopReason.CANCELLED}


def test_where_the_money_does_not_reach_for_a_leader_the_host_divides():
    with ModelServer(honest) as server:
        done = solved(server, WORDS, task=led(), caps=Caps(usd=150.0))
    assert not any(leads(call) for call in server.calls)
    assert done.solved.covered == set(WORDS)


def test_a_leader_s_parts_are_read_whatever_it_spends_itself():
    spend = code("[await ask('what is it?', 'x' * 20_000) for _ in range(60)]")

    def script(request: dict[str, Any]) -> Answer:
        if "tools" not in request:
            return text("nothing")
        return leading(spend)(request)  # type: ignore[no-any-return]

    with ModelServer(script) as server:
        done = solved(server, WORDS, task=led(), caps=Caps(usd=400.0))
    assert done.solved.covered == set(WORDS)
    assert done.usd <= 400.0


def test_the_tree_is_as_deep_as_the_scope_asks_and_no_deeper_than_the_cap():
    words = tuple(f"w{number:03d}" for number in range(200))
    delegating = code("print(await delegate(['p1', 'p2']))")
    for depth in (1, 2, 3, 4, 7):
        with ModelServer(leading(delegating, DONE)) as server:
            done = solved(server, words, task=led(), caps=Caps(depth=depth))
        deepest = max(one.node.count(".") + 1 for one in done.of(NodeStarted))
        assert deepest <= depth
        if depth >= 4:
            assert deepest >= 4
        if depth > 1:
            assert done.solved.covered == set(words)
        assert len(done.of(NodeEnded)) == len(done.of(NodeStarted))


def test_what_a_leader_is_told_is_the_same_on_every_run():
    asked = []
    for _ in range(2):
        with ModelServer(leading(DONE, OWN)) as server:
            solved(server, WORDS, task=led())
        asked.append(sorted(str(call["messages"]) for call in server.calls))
    assert asked[0] == asked[1]


def test_leaves_and_leaders_share_the_cached_prefix():
    with ModelServer(leading(DONE, OWN)) as server:
        solved(server, WORDS, task=led())
    systems = {str(call["system"]) for call in server.calls}
    assert len(systems) == 1


def test_a_question_to_the_small_model_costs_little_and_covers_nothing():
    asking = code("print(await ask('How many?', 'one two three'))")

    def script(request: dict[str, Any]) -> Answer:
        if "tools" not in request:
            assert request["model"] == "claude-small"
            assert "one two three" in str(request["messages"])
            return text("Three.")
        return leading(asking, DONE, OWN)(request)  # type: ignore[no-any-return]

    with ModelServer(script) as server:
        done = solved(server, WORDS, task=led(), cheap="claude-small")
    assert "Three." in told(next(c for c in server.calls if leads(c) and turn_of(c) == 1))
    assert "claude-small" in {one.model for one in done.of(CallStarted)}
    assert done.solved.covered == set(WORDS)


def test_without_prices_and_caps_all_is_the_same():
    with ModelServer(leading(DONE, OWN)) as server:
        done = solved(server, WORDS, task=led(), prices=Prices(None))
    assert done.solved.covered == set(WORDS)


def test_where_most_parts_are_divided_again_code_divides_and_the_parent_is_asked_all_the_same():
    words = tuple(
        f"w{number:03d}" for number in range(48)
    )  # four parts of twelve, of four of three
    asked: list[str] = []

    def script(request: dict[str, Any]) -> Answer:
        if leads(request):
            return DONE
        if QUESTION in told(request):
            asked.append(told(request))
            return tool("submit", {"words": ["w003"]})
        return honest(request)

    with ModelServer(script) as server:
        done = solved(server, words, task=led())
    assert done.solved.covered == set(words)
    assert {one.node for one in done.of(Delegated)} == {"1.1", "1.2", "1.3", "1.4"}
    assert len(asked) == 1
    assert done.solved.result.words == [*words, "w003"]
