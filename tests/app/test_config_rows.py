"""Where each value of the configuration comes from: the environment, a file, or nobody."""

from app.config_rows import rows
from app.policy import Sources, read_policy, settled
from app.settings import read_settings
from reviewer.model.prices import load
from reviewer.policy import FILE, Policy
from reviewer.policy_file import parse

OWNER = "octo/.github"


def told(own: bytes | None, owner: bytes | None, **environ: str) -> dict[str, str]:
    """Return who decides on what, but for what nobody does."""
    wishes = read_policy(
        Sources(lambda _: own, lambda _: own, lambda _: own, lambda _: owner, OWNER)
    )
    before = read_settings({"HOME": "/nowhere", **environ})
    done, _ = settled(before, wishes.policy, load(before.prices))
    every = rows(wishes.policy, wishes.layers, before, done)
    return {row.key: row.source for row in every if row.source != "default"}


def test_where_nobody_says_anything_all_is_default() -> None:
    assert told(None, None) == {}
    assert told(b"effort:\n", None) == {}


def test_what_the_owner_says_for_all_is_the_owners() -> None:
    said = b"effort: deep\nthresholds: {severity: high}\nignore: [a/**]\nbudget: 0.25\n"
    assert told(None, said) == dict.fromkeys(
        ["ignore", "thresholds.severity", "effort", "budget"], OWNER
    )


def test_the_repository_speaks_first_and_lists_are_of_both() -> None:
    own = b"thresholds: {confidence: 0.5}\nignore: [a/**]\nbudget: 0.3\nchecks: {secrets: off}\n"
    owner = b"thresholds: {severity: high}\nignore: [b/**]\nbudget: 0.25\neffort: quick\n"
    assert told(own, owner) == {
        "ignore": f"{FILE} and {OWNER}",
        "thresholds.severity": OWNER,
        "thresholds.confidence": FILE,
        "effort": OWNER,
        "budget": OWNER,
        "checks": FILE,
    }


def test_the_environment_is_stronger_unless_a_budget_is_lowered() -> None:
    own = b"effort: quick\nbudget: 5\nmodels: {finder: of-no-known-price}\n"
    assert told(own, None, RLM_EFFORT="deep", RLM_BUDGET="1") == {
        "effort": "RLM_EFFORT",
        "budget": "RLM_BUDGET",
    }
    assert told(own, None, RLM_BUDGET="9")["budget"] == FILE


def test_a_policy_that_is_laid_over_another_sets_what_either_sets() -> None:
    upper, lower = parse(b"effort: quick\n"), parse(b"thresholds: {severity: low}\n")
    both = upper.over(lower)
    assert [
        key for key in ("effort", "thresholds.severity", "ignore", "budget") if both.sets(key)
    ] == [
        "effort",
        "thresholds.severity",
    ]
    assert Policy().over(Policy()).model_fields_set == set()
