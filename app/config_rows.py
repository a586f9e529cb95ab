"""What holds for reviews of a repository, key by key, and who said so."""

import shlex
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from app.settings import Settings
from reviewer.policy import Policy

_VARIABLES = {
    "effort": ("RLM_EFFORT", "effort"),
    "budget": ("RLM_BUDGET", "budget_usd"),
    "models.finder": ("RLM_MODEL", "model"),
    "models.cheap": ("RLM_CHEAP_MODEL", "own_cheap_model"),
}
"""Keys that the environment may decide: by which variable, which becomes which setting."""


class Row(BaseModel):
    """One key of the configuration; `source`: the environment's variable, the file, the repository
    that speaks for its owner, several of them, or default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    value: str
    source: str


class Configured(BaseModel):
    """All rows, and notes on what was asked for and is not used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


Layers = Sequence[tuple[str, Policy]]
"""What a policy was laid together from, by where each comes from, the strongest first."""


def rows(policy: Policy, layers: Layers, before: Settings, settled: Settings) -> tuple[Row, ...]:
    """Return what holds, as a person reads it; `settled` are the settings with the policy's."""
    return tuple(
        Row(key=key, value=value, source=_source(key, layers, before, settled))
        for key, value in _values(policy, settled).items()
    )


def _values(policy: Policy, settings: Settings) -> dict[str, str]:
    texts = [f"{', '.join(one.paths)}: {one.text}" for one in policy.instructions]
    budget = settings.budget_usd
    return {
        "ignore": ", ".join(policy.ignore) or "nothing",
        "only": ", ".join(policy.only) or "every file",
        "instructions": "; ".join(texts) or "none",
        "thresholds.severity": policy.thresholds.severity.value,
        "thresholds.confidence": f"{policy.thresholds.confidence:g}",
        "comments.inline": str(policy.comments.inline),
        "comments.language": policy.comments.language or "en",
        "effort": settings.effort,
        "budget": "none" if budget is None else f"${budget:.2f}",
        "models.finder": settings.model,
        "models.cheap": settings.cheap_model,
        "blocking": policy.blocking,
        "sarif": "on" if policy.sarif else "off",
        "write": "on" if policy.write else "off",
        "tests_first": "on" if policy.tests_first else "off",
        "test_command": _test_command(policy),
        "test_timeout": f"{policy.test_timeout} minutes",
        "checks": f"off: {', '.join(sorted(policy.off))}" if policy.off else "all on",
    }


def _test_command(policy: Policy) -> str:
    if policy.test_command is None:
        return "none"
    return f"{shlex.join(policy.tests_by)} (run by the Action alone: by no server, in no terminal)"


def _source(key: str, layers: Layers, before: Settings, settled: Settings) -> str:
    """Say who decided on a key: the environment, a layer of the policy, or nobody."""
    setting = [(name, policy) for name, policy in layers if policy.sets(key)]
    if key in _JOINED:
        return " and ".join(name for name, _ in setting) or "default"
    if key not in _VARIABLES:
        return next((name for name, _ in setting), "default")
    variable, name = _VARIABLES[key]
    holds = getattr(settled, name)
    if variable in before.given and getattr(before, name) == holds:
        return variable
    # What is asked for may be refused, or weaker than another layer's: then it decides nothing.
    return next((where for where, policy in setting if _asked(key, policy) == holds), "default")


_JOINED = frozenset({"ignore", "instructions", "checks"})
"""Keys that all layers add to."""


def _asked(key: str, policy: Policy) -> object:
    section, _, name = key.rpartition(".")
    return getattr(getattr(policy, section) if section else policy, name)
