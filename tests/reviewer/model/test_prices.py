"""Prices: the built-in table, names of other clouds, the user's own table, worst cases."""

from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.errors import TellUser
from reviewer.model.base import Usage
from reviewer.model.prices import UNKNOWN_WINDOW, Prices, load, plain_name
from tests.examples import examples

PRICES = load()
COUNTS = st.integers(0, 300_000)


def test_every_model_that_the_sdk_names_has_a_price_and_a_window() -> None:
    from anthropic.types.model import Model

    literal, _ = get_args(Model)
    names = get_args(literal)
    assert len(names) > 15
    for name in names:
        assert PRICES.cost(name, Usage(input=1_000_000)) is not None, name
        assert PRICES.window(name) >= 200_000
        assert PRICES.max_output(name) >= 64_000
    assert PRICES.as_of > date(2026, 9, 1)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(input=1_000_000), 2.0),
        (Usage(output=1_000_000), 10.0),
        (Usage(cache_write=1_000_000), 2.5),
        (Usage(cache_read=1_000_000), 0.1),
        (Usage(input=1_000, output=2_000, cache_read=30_000, cache_write=4_000), 0.035),
        (Usage(), 0.0),
    ],
)
def test_each_kind_of_token_has_its_rate(usage: Usage, usd: float) -> None:
    assert PRICES.cost("claude-sonnet-5-5", usage) == pytest.approx(usd)


def test_the_whole_prompt_decides_whether_the_long_rates_hold() -> None:
    haiku = "claude-haiku-5-5"
    short = Usage(input=1_000, cache_read=99_000, output=1_000)
    long = Usage(input=1_001, cache_read=99_000, output=1_000)
    assert PRICES.cost(haiku, short) == pytest.approx(0.0001 + 0.00099 + 0.0005)
    assert PRICES.cost(haiku, long) == pytest.approx(0.0005005 + 0.00495 + 0.0025)


@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-5-20250929",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0:200k",
        "claude-sonnet-4-5@20250929",
        "claude-sonnet-4-5@latest",
        "claude-sonnet-4-5-latest",
        "anthropic/claude-sonnet-4.5",
        "publishers/anthropic/models/claude-sonnet-4-5",
        "arn:aws:bedrock:eu-west-1:1234:inference-profile/eu.anthropic.claude-sonnet-4-5-v1:0",
        "Claude-Sonnet-4-5[1m]",
        " claude-sonnet-4-5 ",
    ],
)
def test_names_of_other_clouds_are_the_same_model(name: str) -> None:
    assert plain_name(name) == "claude-sonnet-4-5"
    assert PRICES.cost(name, Usage(output=1_000_000)) == pytest.approx(15.0)


@pytest.mark.parametrize(
    "name", ["", "gpt-6", "claude", "claude-sonnet", "claude-sonnet-9", "not-claude-sonnet-5-5"]
)
def test_an_unknown_model_has_no_price_and_a_cautious_window(name: str) -> None:
    assert PRICES.cost(name, Usage(input=1)) is None
    assert PRICES.worst(name, 1, 1) is None
    assert PRICES.window(name) == UNKNOWN_WINDOW
    assert PRICES.max_output(name) == 8_192


@settings(max_examples=examples(300))
@given(
    model=st.sampled_from(sorted(PRICES.models)),
    parts=st.tuples(COUNTS, COUNTS, COUNTS),
    spare=COUNTS,
    output=st.integers(0, 10_000),
    left=st.integers(0, 10_000),
)
def test_no_call_costs_more_than_its_worst_case(
    model: str, parts: tuple[int, int, int], spare: int, output: int, left: int
) -> None:
    used = Usage(input=parts[0], cache_read=parts[1], cache_write=parts[2], output=output)
    cost = PRICES.cost(model, used)
    worst = PRICES.worst(model, sum(parts) + spare, output + left)
    assert cost is not None
    assert worst is not None
    assert cost <= worst * (1 + 1e-12)


def test_the_worst_case_is_a_cache_write_and_a_full_reply() -> None:
    assert PRICES.worst("claude-opus-5-5", 1_000_000, 100_000) == pytest.approx(5.0 + 2.0)
    assert PRICES.worst("claude-haiku-5-5", 100_000, 0) == pytest.approx(0.0125)
    assert PRICES.worst("claude-haiku-5-5", 200_000, 0) == pytest.approx(0.125)


def own(tmp_path: Path, text: str) -> Prices:
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_the_users_table_replaces_and_adds(tmp_path: Path) -> None:
    prices = own(
        tmp_path,
        """
        [models.claude-sonnet-5-5]
        input = 1
        output = 2.5
        [models."house/model:7b"]
        input = 0.0
        output = 0.0
        window = 32_000
        """,
    )
    assert prices.cost("claude-sonnet-5-5", Usage(output=1_000_000)) == pytest.approx(2.5)
    assert prices.cost("house/model:7b", Usage(input=5)) == 0.0
    assert prices.window("house/model:7b") == 32_000
    assert prices.cost("claude-opus-5-5", Usage(input=1_000_000)) == pytest.approx(4.0)


def test_cache_rates_that_the_user_leaves_out_save_nothing(tmp_path: Path) -> None:
    prices = own(tmp_path, "[models.m]\ninput = 4.0\noutput = 8.0\n")
    assert prices.cost("m", Usage(cache_write=1_000_000)) == pytest.approx(5.0)
    assert prices.cost("m", Usage(cache_read=1_000_000)) == pytest.approx(4.0)
    assert prices.worst("m", 1_000_000, 0) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[models.m]\ninput = -1\noutput = 1", "models.m.input"),
        ("[models.m]\ninput = nan\noutput = 1", "models.m.input"),
        ("[models.m]\ninput = '4'\noutput = 1", "models.m.input"),
        ("[models.m]\ninput = 1", "models.m.output"),
        ("[models.m]\ninput = 1\noutput = 1\ninputs = 3", "models.m.inputs"),
        ("[models.m]\ninput = 1\noutput = 1\nwindow = 0", "models.m.window"),
        ("[m]\ninput = 1\noutput = 1", "models"),
        ("input == 1", "no TOML"),
    ],
)
def test_a_table_that_is_wrong_is_for_the_user(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(TellUser) as caught:
        own(tmp_path, text)
    assert named in caught.value.problem
    assert str(tmp_path) in caught.value.problem


def test_a_table_that_cannot_be_read_is_for_the_user(tmp_path: Path) -> None:
    with pytest.raises(TellUser, match="No such file"):
        load(tmp_path / "absent.toml")
    with pytest.raises(TellUser, match="directory"):
        load(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TellUser, match="no TOML"):
        load(tmp_path / "bytes.toml")
