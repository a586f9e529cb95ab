"""What leaves an engine: bounded, and without what only its owner should read."""

from app.engine import SERVICE_FAILED, discreet
from app.github.transport import Denied
from app.report import Report
from app.roles.engine import MAX_REASONS, MAX_REPORT_BYTES, MISCONFIGURED, _explained, bounded
from reviewer.errors import GiveUp, TellUser
from reviewer.request import Coverage, Review, Skipped, StopReason
from tests.app.render.samples import review

SECRET = "http://gateway.internal:8080 refused the key: vault/prod/llm is expired. Set IT."


def stopped(reason: StopReason) -> Review:
    skipped = [Skipped(path="a.py", hunks=2, reason=SECRET), Skipped(path="b", hunks=1, reason="x")]
    return review().model_copy(
        update={
            "status": "partial",
            "stopped": reason,
            "notes": ["kept", SECRET],
            "coverage": Coverage(hunks=3, reviewed=0, skipped=skipped),
        }
    )


def test_what_the_models_service_said_is_not_for_the_pull_request() -> None:
    told = discreet(stopped(StopReason.MODEL), [SECRET])
    assert "gateway.internal" not in told.model_dump_json()
    assert told.notes == ["kept", SERVICE_FAILED]
    assert [one.reason for one in told.coverage.skipped] == [SERVICE_FAILED, "x"]


def test_other_reasons_are_told_as_they_are() -> None:
    done = stopped(StopReason.BUDGET)
    assert discreet(done, [SECRET]) == done


def test_a_report_of_many_files_set_aside_names_reasons_and_loses_no_hunk() -> None:
    reasons = [f"reason {number % (MAX_REASONS * 2)}" for number in range(3_000)]
    skipped = [
        Skipped(path=f"{number:04}" + "x" * 1_000, hunks=number % 3, reason=reason)
        for number, reason in enumerate(reasons)
    ]
    hunks = sum(one.hunks for one in skipped)
    coverage = Coverage(hunks=hunks, reviewed=0, skipped=skipped)
    whole = Report(review=review().model_copy(update={"coverage": coverage}), anchors={}, code={})
    told = bounded(whole)
    assert len(told.model_dump_json()) < MAX_REPORT_BYTES // 10
    assert sum(one.hunks for one in told.review.coverage.skipped) == hunks
    assert len(told.review.coverage.skipped) == MAX_REASONS + 1
    small = whole.model_copy(update={"review": review()})
    assert bounded(small) == small


def test_a_pull_request_is_not_told_how_the_server_is_set_up() -> None:
    assert _explained(TellUser("The price list /etc/rlm/prices.toml is bad", "Mend it.")) == (
        MISCONFIGURED
    )
    assert _explained(Denied("github.com does not let us read", "Set GITHUB_TOKEN.")) == (
        "github.com does not let us read"
    )
    assert _explained(GiveUp("The repository has more than 10 GB")).endswith("10 GB")
