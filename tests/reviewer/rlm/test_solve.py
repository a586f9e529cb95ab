"""`solve` over real HTTP through the real SDK: routing, coverage, and every way a reply goes wrong."""

import threading
import time
from typing import Any

import pytest

from reviewer.request import Caps, StopReason
from reviewer.rlm.call import COUNT_MARGIN
from reviewer.rlm.node import CLOSING_TOKENS, MAX_TURNS
from reviewer.rlm.sandbox import PRINT_CHARS
from reviewer.rlm.trace import CallEnded, CodeRun, FunctionCalled, NodeEnded, NodeStarted, Submitted
from tests.model_rules import every_block
from tests.model_server import (
    Answer,
    ModelServer,
    billed,
    cut,
    error,
    hang,
    raw,
    raw_tool,
    stopped,
    text,
    thinking,
    tokens,
    tool,
    truncated,
)
from tests.reviewer.rlm.tasks import WORD_TOKENS, Outcome, Report, Scope, honest, solved, words_of

TWENTY = tuple(f"word{i:02d}" for i in range(20))


def tool_results(request: dict[str, Any]) -> list[str]:
    """Return the tool results of a request's last message as text."""
    last = request["messages"][-1]["content"]
    return [str(b["content"]) for b in last if b["type"] == "tool_result"]


def test_a_scope_that_fits_is_one_node():
    with ModelServer(honest) as server:
        outcome = solved(server, ("a", "b"))
    assert outcome.solved.result.words == ["a", "b"]
    assert outcome.solved.covered == {"a", "b"}
    assert not outcome.solved.missed
    assert len(server.calls) == 1
    assert [e.node for e in outcome.of(NodeStarted)] == ["1"]
    assert [e.outcome for e in outcome.of(NodeEnded)] == ["done"]


def test_a_larger_scope_is_split_solved_in_parallel_and_joined_in_order():
    def slowly(request: dict[str, Any]) -> Answer:
        time.sleep(0.05)
        return honest(request)

    with ModelServer(slowly) as server:
        outcome = solved(server, TWENTY)
    assert outcome.solved.result.words == list(TWENTY)
    assert outcome.solved.covered == set(TWENTY)
    assert server.peak > 1
    depth = max(e.node.count(".") for e in outcome.of(NodeStarted))
    assert depth == 2  # 20 words -> 5 -> 2: two levels below the root
    leaves = {tuple(words_of(call)) for call in server.calls}
    assert sorted(word for leaf in leaves for word in leaf) == list(TWENTY)


def test_the_depth_cap_flattens_and_loses_nothing():
    with ModelServer(honest) as server:
        outcome = solved(server, TWENTY, caps=Caps(depth=2))
    assert outcome.solved.result.words == list(TWENTY)
    assert max(e.node.count(".") for e in outcome.of(NodeStarted)) == 1


def test_code_runs_in_the_sandbox_and_its_print_out_comes_back():
    def script(request: dict[str, Any]) -> Answer:
        if len(request["messages"]) == 1:
            return tool("python", {"code": "print(await length('abcd'))"})
        return tool("submit", {"words": ["a"]}) if "4" in tool_results(request)[0] else text("?")

    with ModelServer(script) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.result.words == ["a"]
    assert [(e.name, e.arguments) for e in outcome.of(FunctionCalled)] == [("length", "'abcd'")]
    assert outcome.of(CodeRun)[0].printed == "4\n"


def test_variables_last_for_the_node_and_are_not_shared_with_its_siblings():
    def script(request: dict[str, Any]) -> Answer:
        mine = words_of(request)[0]
        turn = len(request["messages"])
        if turn == 1:
            return tool("python", {"code": f"kept = '{mine}'"})
        if turn == 3:
            return tool("python", {"code": "print(kept)"})
        assert mine in tool_results(request)[0]
        return honest(request)

    with ModelServer(script) as server:
        outcome = solved(server, TWENTY)
    assert outcome.solved.covered == set(TWENTY)


def test_a_result_of_the_wrong_type_goes_back_with_the_reason():
    with ModelServer(
        [
            tool("submit", {"words": "a", "extra": 1}),
            tool("submit", {"words": ["a"]}),
        ]
    ) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.result.words == ["a"]
    complaint = tool_results(server.calls[1])[0]
    assert "words: Input should be a valid list" in complaint
    assert "extra" in complaint
    assert [bool(e.problems) for e in outcome.of(Submitted)] == [True, False]


def test_results_that_stay_malformed_cost_their_node_alone():
    def script(request: dict[str, Any]) -> Answer:
        return tool("submit", {}) if "word00" in words_of(request) else honest(request)

    with ModelServer(script) as server:
        outcome = solved(server, TWENTY)
    assert "word00" in outcome.solved.missed
    assert "malformed" in outcome.solved.missed["word00"]
    assert outcome.solved.covered == set(TWENTY) - outcome.solved.missed.keys()
    assert len(outcome.solved.covered) >= 17
    assert outcome.solved.stops == {StopReason.INCOMPLETE}


def test_the_task_may_refuse_a_result_twice_and_not_for_ever():
    script = [tool("submit", {"words": ["a", word]}) for word in ("zzz", "yyy", "xxx")]
    with ModelServer(script) as server:
        outcome = solved(server, ("a",))
    assert "zzz is not yours" in tool_results(server.calls[1])[0]
    assert "yyy is not yours" in tool_results(server.calls[2])[0]
    assert outcome.solved.result.words == ["a", "xxx"]  # the job drops and counts what is wrong


def test_a_result_that_was_mended_at_the_second_try_is_taken():
    script = [tool("submit", {"words": words}) for words in (["zzz"], ["yyy"], ["a"])]
    with ModelServer(script) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.result.words == ["a"] and len(server.calls) == 3


def test_what_is_handed_in_in_the_last_turn_is_the_callers_to_judge():
    def script(request: dict[str, Any]) -> Answer:
        if announced(request) == "your last turn":
            return tool("submit", {"words": ["a", "zzz"]})
        return tool("python", {"code": "1"})

    with ModelServer(script) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.result.words == ["a", "zzz"] and not outcome.solved.missed


def test_a_parent_asks_across_its_children():
    def script(request: dict[str, Any]) -> Answer:
        if words_of(request) == ["what", "else?"]:
            return tool("submit", {"words": ["between"]})
        return honest(request)

    task = Report(question="words: what else?", fan=10)
    with ModelServer(script) as server:
        outcome = solved(server, TWENTY, task=task)
    assert outcome.solved.result.words[-1] == "between"
    assert outcome.solved.covered == set(TWENTY)


ODD_REPLIES = {
    "prose instead of a tool": text("I think the words are a and b."),
    "an empty reply": Answer(()),
    "a tool that does not exist": tool("bash", {"command": "id"}),
    "python without code": tool("python", {}),
    "cut in mid tool": truncated("submit", '{"words": ["a'),
    "broken json": raw_tool("submit", '{"words": ["a"'),
    "paused": stopped("pause_turn", text("thinking about it")),
    "a stop reason of tomorrow": stopped("brand_new_reason", text("hm")),
}


@pytest.mark.parametrize("name", ODD_REPLIES)
def test_an_odd_reply_costs_a_turn_and_not_the_node(name: str):
    with ModelServer([ODD_REPLIES[name], tool("submit", {"words": ["a"]})]) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.result.words == ["a"]
    assert not server.refused  # the conversation that goes on is one that the API takes


@pytest.mark.parametrize("reason", ["refusal", "model_context_window_exceeded"])
def test_a_reply_that_ends_the_conversation_is_a_missed_scope(reason: str):
    with ModelServer([stopped(reason)]) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.missed.keys() == {"a"}
    assert outcome.solved.stops == {StopReason.INCOMPLETE}


def test_a_node_that_only_talks_is_given_up():
    with ModelServer(lambda _request: text("let me think")) as server:
        outcome = solved(server, ("a",))
    assert "without a result" in outcome.solved.missed["a"]
    assert len(server.calls) == 3


def test_a_node_that_loops_gets_a_last_turn():
    def script(request: dict[str, Any]) -> Answer:
        last = request["messages"][-1]["content"]
        if any("last turn" in b.get("text", "") for b in last):
            return honest(request)
        return tool("python", {"code": "1"})

    with ModelServer(script) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.result.words == ["a"]
    assert len(server.calls) == 12


def announced(request: dict[str, Any]) -> str:
    """Return what the last message of a request says of the turns that are left."""
    said = [b.get("text", "") for b in request["messages"][-1]["content"]]
    return next((word for word in ("may be your last", "your last turn") if word in str(said)), "")


def test_the_end_is_announced_by_what_turns_have_brought_so_far():
    """The longest reply that there could be would fill the conversation in its second turn."""

    def script(request: dict[str, Any]) -> Answer:
        if announced(request) == "your last turn":
            return honest(request)
        return tool("python", {"code": "print('x' * 11_000)"})

    with ModelServer(script) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.result.words == ["a"]
    heard = [announced(call) for call in server.calls]
    closing = heard.index("your last turn")
    assert heard[closing - 1] == "may be your last"
    told = server.calls[0]["system"][0]["text"]
    assert f"{MAX_TURNS} turns at the most" in told and "the next turn may be your last" in told
    assert 1 <= heard.count("may be your last") <= 2  # a margin, and no alarm from the start
    assert 3 < closing < MAX_TURNS - 1  # for its size, not for the number of turns


def test_busy_answers_are_tried_again():
    script = [
        error(429, "rate_limit_error", retry_after=0),
        error(529, "overloaded_error"),
        error(502, body="<html>bad gateway</html>"),
        tool("submit", {"words": ["a"]}),
    ]
    with ModelServer(script) as server:
        outcome = solved(server, ("a",), first_wait_s=0.01)
    assert outcome.solved.result.words == ["a"]
    assert outcome.calls == 2  # a 502 may have been charged: it counts; being busy does not
    assert [e.stop for e in outcome.of(CallEnded)].count(None) == 3


def test_a_service_that_lets_one_through_at_a_time_is_waited_for():
    """Far more refusals than one call is tried, and in the end everybody is served."""
    turn = threading.Lock()
    arrived = 0

    def script(request: dict[str, Any]) -> Answer:
        nonlocal arrived
        with turn:
            arrived += 1
            if arrived % 3:
                return error(429, "rate_limit_error", retry_after=0)
        return honest(request)

    with ModelServer(script) as server:
        outcome = solved(server, TWENTY[:9], window=WORD_TOKENS, first_wait_s=0.01)
    assert outcome.solved.covered == set(TWENTY[:9])


def test_a_request_that_breaks_the_service_costs_its_node_alone():
    def script(request: dict[str, Any]) -> Answer:
        return error(500) if "word19" in words_of(request) else honest(request)

    with ModelServer(script) as server:
        outcome = solved(server, TWENTY, first_wait_s=0.01)
    assert "word19" in outcome.solved.missed
    assert "answers others" in outcome.solved.missed["word19"]
    assert len(outcome.solved.covered) >= 17


def test_a_service_that_is_down_stops_the_run():
    with ModelServer(lambda _request: error(500)) as server:
        outcome = solved(server, TWENTY, first_wait_s=0.01)
    assert "cannot be reached" in outcome.solved.missed["word00"]
    assert len(server.calls) < 60


def test_a_gateway_that_does_not_say_what_it_used_is_charged_the_worst():
    def silent(request: dict[str, Any]) -> Answer:
        return billed(honest(request), input_tokens=0, output_tokens=0)

    with ModelServer(silent) as server:
        outcome = solved(server, TWENTY, caps=Caps(usd=40.0))
    assert 0 < outcome.usd <= 40.0
    assert outcome.solved.stops == {StopReason.BUDGET}


def test_a_key_that_is_refused_when_the_budget_is_counted_is_no_matter_of_budget():
    with ModelServer(honest, key="another") as server:
        outcome = solved(server, ("a",), caps=Caps(tokens=5_000))
    assert outcome.solved.stops == {StopReason.MODEL}
    assert "key" in outcome.solved.missed["a"]


def test_a_pause_then_thinking_is_a_conversation_that_the_api_takes():
    script = [
        [thinking("hm"), stopped("pause_turn", text("wait"))],
        [thinking("well"), tool("python", {"code": "1"})],
        tool("submit", {"words": ["a"]}),
    ]
    with ModelServer(script, key="secret") as server:
        outcome = solved(server, ("a",), key="secret")
    assert outcome.solved.result.words == ["a"]
    assert not server.refused


def test_the_last_turn_is_announced_by_us_after_a_pause_too():
    """Enough for one usual call and a closing one: the pause leaves the closing one."""
    paused = billed(stopped("pause_turn", text("hm")), input_tokens=2_000, output_tokens=8_000)
    with ModelServer([paused, tool("submit", {"words": ["a"]})]) as server:
        solved(server, ("a",), caps=Caps(tokens=30_000))
    assert len(server.calls) == 2
    last = server.calls[-1]["messages"][-1]
    assert last["role"] == "user"
    assert "last turn" in last["content"][-1]["text"]


def test_many_tools_in_one_reply_print_no_more_than_one():
    many = [tool("python", {"code": "print('x' * 11_000)"})] * 6
    with ModelServer([many, tool("submit", {"words": ["a"]})]) as server:
        outcome = solved(server, ("a",))
    assert outcome.solved.result.words == ["a"]
    results = tool_results(server.calls[1])
    assert len(results) == 6
    assert sum(map(len, results)) < PRINT_CHARS + 6 * 100
    assert "not shown" in results[-1]


def test_where_a_usual_reply_is_not_affordable_a_short_one_is_asked_for():
    """By the estimate two calls fit; by the service's own count not even one of the usual length."""
    words = ("語" * 30_000,)
    with ModelServer(honest, counting=raw(b'{"input_tokens": 80000}')) as server:
        outcome = solved(server, words, caps=Caps(tokens=94_000))
    assert [call["max_tokens"] for call in server.calls] == [CLOSING_TOKENS]
    assert outcome.solved.covered == set(words)


def test_a_run_without_money_for_a_reply_asks_nothing_and_splits_nothing_twice():
    with ModelServer(honest) as server:
        outcome = solved(server, TWENTY, caps=Caps(usd=0.5))
    assert not server.requests
    names = [event.node for event in outcome.of(NodeStarted)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_depth_cap_is_not_passed(depth: int):
    with ModelServer(honest) as server:
        outcome = solved(server, TWENTY, caps=Caps(depth=depth))
    assert max(e.node.count(".") for e in outcome.of(NodeStarted)) < depth
    if depth == 1:
        assert "divided further" in outcome.solved.missed["word00"]


class Peeling(Report):
    """Splits off one word at a time, as folders inside of folders do."""

    def split(self, scope: Scope) -> list[Scope]:
        return [scope[:1], scope[1:]] if len(scope) > 1 else [scope]


def test_a_tree_of_a_thousand_levels_is_flattened():
    words = tuple(f"w{number}" for number in range(1_200))
    with ModelServer(honest) as server:
        outcome = solved(server, words, task=Peeling(), caps=Caps(calls=0))
    assert outcome.solved.missed.keys() == set(words)


def test_a_stream_that_is_always_cut_costs_its_node_alone():
    def script(request: dict[str, Any]) -> Answer:
        if "word00" in words_of(request):
            return cut(text("half an answer"), after_events=3)
        return honest(request)

    with ModelServer(script) as server:
        outcome = solved(server, TWENTY, first_wait_s=0.01)
    assert "word00" in outcome.solved.missed
    assert "broke off" in outcome.solved.missed["word00"]
    assert len(outcome.solved.covered) >= 17


def test_a_refused_key_stops_the_run_at_once_and_says_why():
    with ModelServer(honest, key="another") as server:
        outcome = solved(server, TWENTY)
    assert outcome.solved.missed.keys() == set(TWENTY)
    assert outcome.solved.stops == {StopReason.MODEL}
    assert "key" in outcome.solved.missed["word00"].lower()
    assert outcome.usd == 0


def test_a_cancelled_run_ends_soon_with_what_it_has():
    stop = threading.Event()

    def script(request: dict[str, Any]) -> Answer:
        if "word00" in words_of(request):
            return honest(request)
        threading.Timer(0.2, stop.set).start()
        return hang(30.0, honest(request))

    with ModelServer(script) as server:
        outcome = solved(server, TWENTY, cancelled=stop.is_set)
    assert "word00" in outcome.solved.covered
    assert outcome.solved.stops == {StopReason.CANCELLED}
    assert outcome.seconds < 5


def test_a_deadline_ends_a_run_that_hangs():
    with ModelServer(lambda request: hang(30.0, honest(request))) as server:
        outcome = solved(server, ("a",), caps=Caps(seconds=0.4))
    assert outcome.solved.stops == {StopReason.DEADLINE}
    assert outcome.seconds < 5


def test_the_same_scope_makes_the_same_requests():
    def run() -> list[dict[str, Any]]:
        with ModelServer(honest) as server:
            solved(server, TWENTY)
        return sorted((call for call in server.calls), key=repr)

    assert run() == run()


def test_siblings_wait_for_the_first_and_read_its_prefix_from_the_cache():
    def slowly(request: dict[str, Any]) -> Answer:
        time.sleep(0.05)
        return honest(request)

    with ModelServer(slowly) as server:
        outcome = solved(server, TWENTY)
    calls: list[CallEnded] = outcome.of(CallEnded)
    assert sum(call.usage.cache_read > 0 for call in calls) == len(calls) - 1


def _spent(outcome: Outcome, server: ModelServer) -> float:
    return sum(e.usage.total * 0.001 for e in outcome.of(CallEnded))


@pytest.mark.parametrize("cap", [0.0, 5.0, 12.0, 20.0, 40.0, 80.0, 200.0])
def test_the_cap_in_dollars_holds_and_what_was_not_done_is_listed(cap: float):
    with ModelServer(honest) as server:
        outcome = solved(server, TWENTY, caps=Caps(usd=cap))
    assert outcome.usd <= cap
    assert outcome.usd == pytest.approx(_spent(outcome, server))
    assert outcome.solved.covered | outcome.solved.missed.keys() == set(TWENTY)
    if outcome.solved.missed:
        assert outcome.solved.stops == {StopReason.BUDGET}


def test_enough_money_covers_everything_although_worst_cases_do_not_fit_at_once():
    with ModelServer(honest) as server:
        free = solved(server, TWENTY)
        outcome = solved(server, TWENTY, caps=Caps(usd=free.usd * 4))
    assert outcome.solved.covered == set(TWENTY)


def test_a_service_that_bills_its_worst_case_does_not_break_the_cap():
    def greedy(request: dict[str, Any]) -> Answer:
        answer = honest(request) if len(request["messages"]) > 3 else tool("python", {"code": "1"})
        # A tenth more than it counts, which is what the margin allows for, and all that it may write.
        bare = [{k: v for k, v in b.items() if k != "cache_control"} for b in every_block(request)]
        sent = int(sum(map(tokens, bare)) * COUNT_MARGIN)
        return billed(
            answer,
            input_tokens=sent,
            output_tokens=request["max_tokens"],
            cache_read_input_tokens=0,
            cache_creation_input_tokens=0,
        )

    with ModelServer(greedy) as server:
        outcome = solved(server, TWENTY, caps=Caps(usd=60.0))
    assert outcome.usd <= 60.0
    assert outcome.solved.covered | outcome.solved.missed.keys() == set(TWENTY)


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_the_cap_on_calls_holds(calls: int):
    with ModelServer(honest) as server:
        outcome = solved(server, TWENTY, caps=Caps(calls=calls))
    assert len(server.calls) <= calls
    assert outcome.solved.stops == {StopReason.BUDGET}


def test_cut_calls_count_as_spent():
    with ModelServer(lambda _request: cut(text("x"), after_events=2)) as server:
        outcome = solved(server, ("a",), caps=Caps(usd=100.0), first_wait_s=0.01)
    assert len(server.calls) == 3
    assert outcome.usd > 0
    assert outcome.usd <= 100.0
