"""Tests as an engine writes them for a pull request: of what it does and no test covers."""

from app.task_work import Came, There
from reviewer.testing.job import write_tests
from reviewer.testing.request import TestingRequest


async def testing(there: There) -> Came:
    """Write tests on the head of a pull request, compared with where it began."""
    request = TestingRequest(
        commit=there.commit,
        base=there.base,
        paths=there.request.paths,
        model=there.model_name,
        cheap_model=there.request.cheap_model,
        effort=there.request.effort,
        caps=there.request.caps,
        guidelines=there.request.guidelines,
        policy=there.request.policy,
        policy_before=there.request.policy_before,
    )
    outcome = await write_tests(
        request,
        there.trees.start,
        there.trees,
        model=there.model,
        **there.means,
    )
    return Came(outcome.testing, outcome.patch, {})
