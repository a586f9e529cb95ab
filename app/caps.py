"""The caps of a server in words: which is reached, who can raise it, what is spent against them."""

from app.operations import Operations
from app.store.spending import Caps, Reached

_RAISES = "Whoever runs this reviewer's server can raise it ({})."


def caps_of(operations: Operations, run_usd: float | None) -> Caps:
    """Return the caps that hold for a run which may cost `run_usd` by itself."""
    return Caps(run_usd, operations.pull_budget_usd, operations.month_budget_usd)


def sentence(reached: Reached) -> str:
    """Say why nothing is spent any more, for the pull request."""
    used = f"{_dollars(reached.usd)} of {_dollars(reached.cap)}"
    if reached.which == "pull":
        raises = _RAISES.format("RLM_PULL_BUDGET")
        return f"the cap of this pull request is reached: {used} are spent or in use. {raises}"
    raises = _RAISES.format("RLM_MONTH_BUDGET")
    return (
        f"the cap of this installation for the month is reached: {used} are spent or in use. "
        f"{raises} A new month begins on the first, by UTC."
    )


def spent_against(operations: Operations, pull_usd: float, month_usd: float) -> str:
    """Say what is spent against the caps that are set, "" where there is none."""
    said = []
    if operations.pull_budget_usd is not None:
        said.append(
            f"{_dollars(pull_usd)} of {_dollars(operations.pull_budget_usd)} on one pull request"
        )
    if operations.month_budget_usd is not None:
        cap = _dollars(operations.month_budget_usd)
        said.append(f"{_dollars(month_usd)} of {cap} in this installation this month")
    return f"Against the caps of this server: {', '.join(said)}." if said else ""


def _dollars(usd: float) -> str:
    return f"${usd:,.2f}"
