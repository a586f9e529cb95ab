"""How a server is run, read from the environment: every slip is told with what to give."""

import pytest

from app.operations import DAY_S, DEFAULTS, Operations, read_operations
from reviewer.errors import TellUser


def test_nothing_set_is_what_the_documentation_says() -> None:
    assert read_operations({}) == DEFAULTS == Operations()


def test_what_is_set_holds() -> None:
    given = {
        "RLM_LOG": "JSON",
        "RLM_METRICS": "0.0.0.0:9464",
        "RLM_PULL_BUDGET": "5",
        "RLM_MONTH_BUDGET": "none",
        "RLM_KEEP_RUNS": "90",
        "RLM_KEEP_TRACES": "7",
        "RLM_KEEP_ANSWERS": "1",
        "RLM_GRACE": "0",
        "RLM_GITHUB_PAUSE": "0.05",
    }
    assert read_operations(given) == Operations(
        log="json",
        metrics=("0.0.0.0", 9464),
        pull_budget_usd=5.0,
        keep_runs_s=90 * DAY_S,
        keep_traces_s=7 * DAY_S,
        keep_answers_s=DAY_S,
        grace_s=0.0,
        github_pause_s=0.05,
    )


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("9464", ("127.0.0.1", 9464)),
        ("[::1]:9464", ("::1", 9464)),
        ("m.example:1", ("m.example", 1)),
    ],
)
def test_an_address_without_a_host_is_of_this_machine_alone(
    given: str, address: tuple[str, int]
) -> None:
    assert read_operations({"RLM_METRICS": given}).metrics == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RLM_LOG", "xml"),
        ("RLM_METRICS", "0"),
        ("RLM_METRICS", "99999"),
        ("RLM_METRICS", "http://x:1"),
        ("RLM_PULL_BUDGET", "-1"),
        ("RLM_PULL_BUDGET", "lots"),
        ("RLM_MONTH_BUDGET", "nan"),
        ("RLM_MONTH_BUDGET", "inf"),
        ("RLM_KEEP_RUNS", "0"),
        ("RLM_KEEP_TRACES", "4000"),
        ("RLM_KEEP_ANSWERS", "a week"),
        ("RLM_GRACE", "-1"),
        ("RLM_GRACE", "1e9"),
        ("RLM_GITHUB_PAUSE", "-0.1"),
        ("RLM_GITHUB_PAUSE", "61"),
        ("RLM_GITHUB_PAUSE", "soon"),
    ],
)
def test_a_slip_is_told_by_its_name(name: str, value: str) -> None:
    with pytest.raises(TellUser) as error:
        read_operations({name: value})
    assert name in error.value.problem and error.value.hint
