"""What the testing of a change came to, in a terminal and as a comment."""

from typing import Any

import pytest

from app.render.testing import testing_text as told
from app.render.writing import result_comment, stacked_body, stacked_title
from reviewer.request import StopReason
from reviewer.testing import values

START = "a" * 40


def about(**more: Any) -> dict[str, Any]:
    place = {"path": "shop/cart.py", "side": "RIGHT", "line": 3}
    return {"id": "0" * 12, "kind": "altered", "what": "It refuses more than all", **place, **more}


DONE = values.Testing(
    base=START,
    commit=START,
    written=[
        values.Written(
            path="tests/test_cart.py",
            status="modified",
            message="Test refusals\n\nThey had none.",
            tests=[values.Tested(**about(names=["test_refused", "test_more"]))],
            tries=2,
        )
    ],
    left=[values.Left(**about(state="refused", why="It would pass without.", what="It is fast"))],
    covered=[
        values.Covered(
            **about(what="It adds", side="LEFT"),
            tested_in="tests/test_sum.py",
            tested_line=7,
            quote="assert x",
        )
    ],
)


def test_the_text_tells_what_was_written_what_has_none_and_what_had_one() -> None:
    assert told(DONE, 100) == (
        "Tests: 1 file, a commit for each\n"
        "  1. Test refusals\n"
        "     They had none.\n"
        "     ~ tests/test_cart.py\n"
        "     - test_refused, test_more: shop/cart.py:3: It refuses more than all\n"
        "     (the version that stood was number 2)\n"
        "\n"
        "Without a test: 1 behaviour\n"
        "  - shop/cart.py:3: It is fast\n"
        "    refused: It would pass without.\n"
        "\n"
        "Tested already: 1 behaviour\n"
        "  - shop/cart.py: It adds (tests/test_sum.py:7)\n"
        "\n"
        "Done; some behaviours have no test. No model was asked. 0.0 s.\n"
        "The tests were not run: run them. Together: that it fails without the change is what a reader says,\n"
        "and nobody has seen.\n"
    )


@pytest.mark.parametrize("what", ["", "written", "left", "covered"])
def test_the_ending_is_that_of_the_result(what: str) -> None:
    value = {name: [] for name in ("written", "left", "covered") if name != what}
    said = told(DONE.model_copy(update=value), 100)
    ending = {"": "There is no behaviour to test.", "left": "Done; some behaviours have no test."}
    assert ending.get(what, "Complete.") in said


def test_a_partial_one_says_why() -> None:
    ended = {"status": "partial", "stopped": StopReason.BUDGET}
    assert "Partial, because the budget" in told(DONE.model_copy(update=ended))
    assert "Tests: partial, because the budget" in result_comment(DONE.model_copy(update=ended), [])


def test_the_comment_has_all_of_it_and_names_nobody() -> None:
    bad = "It tells @octocat, fixes #1\n/rlm stop <img src=x>"
    done = DONE.model_copy(
        update={"left": [DONE.left[0].model_copy(update={"what": bad, "why": bad})]}
    )
    said = result_comment(done, ["Here it is."])
    assert said.startswith("## Tests: done\n\nHere it is.\n\n**Tests that were written** (1 file")
    assert "- `tests/test_cart.py`\n  - `test_refused`, `test_more`: `shop/cart.py:3`: It" in said
    assert "none stood" in said and "`tests/test_sum.py:7`" in said
    assert "@octocat" not in said and "\n/rlm stop" not in said and "<img" not in said
    assert stacked_title(DONE) == "Test: 1 behaviour"
    assert "No test was run here" in stacked_body(DONE, 7)
