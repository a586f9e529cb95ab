"""What a review may cost that comes before a fix, and what is left for the fix then."""

from dataclasses import replace

from app.engine import Plan
from reviewer.request import ReviewRequest

REVIEW_SHARE = 0.5
"""Of the budget of both, at the most, for the review whose findings are closed."""


def for_review(planned: Plan) -> Plan:
    """Return how the review goes, within the budget of both."""
    usd = planned.request.caps.usd
    share = None if usd is None else usd * REVIEW_SHARE
    return replace(planned, request=_with_usd(planned.request, share))


def with_budget(planned: Plan, spent_usd: float) -> Plan:
    """Return the plan with what is left of its budget."""
    if planned.request.caps.usd is None:
        return planned
    return replace(planned, request=less(planned.request, spent_usd))


def less(request: ReviewRequest, spent_usd: float) -> ReviewRequest:
    """Return a request with what is left of its budget."""
    usd = request.caps.usd
    return request if usd is None else _with_usd(request, max(usd - spent_usd, 0.0))


def _with_usd(request: ReviewRequest, usd: float | None) -> ReviewRequest:
    return request.model_copy(update={"caps": request.caps.model_copy(update={"usd": usd})})
