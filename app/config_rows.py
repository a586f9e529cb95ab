"""What holds for reviews of a repository, key by key, and who said so."""

from pydantic import BaseModel, ConfigDict

from app.settings import Settings
from reviewer.policy import FILE, Policy

_VARIABLES = {
    "effort": ("RLM_EFFORT", "effort"),
    "budget": ("RLM_BUDGET", "budget_usd"),
    "models.finder": ("RLM_MODEL", "model"),
    "models.cheap": ("RLM_CHEAP_MODEL", "own_cheap_model"),
}
"""Keys that the environment may decide: by which variable, which becomes which setting."""


class Row(BaseModel):
    """One key of the configuration; `source`: the environment's variable, the file, or default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    value: str
    source: str


class Configured(BaseModel):
    """All rows, and notes on what was asked for and is not used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def rows(policy: Policy, before: Settings, settled: Settings) -> tuple[Row, ...]:
    """Return what holds, as a person reads it; `settled` are the settings with the file's."""
    return tuple(
        Row(key=key, value=value, source=_source(key, policy, before, settled))
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
        "checks": f"off: {', '.join(sorted(policy.off))}" if policy.off else "all on",
    }


def _source(key: str, policy: Policy, before: Settings, settled: Settings) -> str:
    """Say who decided on a key: the environment, the file, or nobody."""
    if key not in _VARIABLES:
        return FILE if policy.sets(key) else "default"
    variable, name = _VARIABLES[key]
    if getattr(before, name) != getattr(settled, name):
        return FILE
    return variable if variable in before.given else "default"
