"""The summary's words: by program, from what is known; Markdown with one claim a line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reviewer.change import Change
from reviewer.finding import Finding, Severity
from reviewer.request import Coverage, LookFirst, Module, Risk, StopReason, Unsettled

UNSETTLED_SHOWN = 10
"""Named in one sentence; all are in the JSON."""

ELSEWHERE = "other files"
"""The name of the module that has none: what lies in no other."""

STOPS = {
    StopReason.BUDGET: "the budget was spent",
    StopReason.DEADLINE: "the deadline passed",
    StopReason.CANCELLED: "it was stopped on request",
    StopReason.MODEL: "the model's service failed",
    StopReason.STORAGE: "what it costs could not be written down",
    StopReason.INCOMPLETE: "the model came to no result for a part of it",
}


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a change beside its findings, as the fields of `Review` have it."""

    risk: Risk | None = None
    look_first: Sequence[LookFirst] = ()
    modules: Sequence[Module] = ()
    across: Sequence[str] = ()
    unsettled: Sequence[Unsettled] = ()


def summarise(
    change: Change,
    findings: list[Finding],
    coverage: Coverage,
    outline: Outline,
    stopped: StopReason | None,
) -> str:
    """Return a verdict, what a person has to look at, what the review did not see, the risk, and
    what the change does."""
    lines = [verdict(findings, coverage, stopped), "", _size(change, coverage)]
    if said := unsettled_line(outline.unsettled):
        lines[1:1] = ["", said]
    if said := outlined(outline):
        lines += ["", said]
    return "\n".join(lines)


def outlined(outline: Outline) -> str:
    """Return the outline in Markdown; "" where there is nothing to tell."""
    parts = []
    if outline.risk:
        parts.append(risk_line(outline.risk))
    if outline.look_first:
        looks = [f"- {place_of(look)}: {look.reason}" for look in outline.look_first]
        parts.append("\n".join(["Where to look first:", *looks]))
    if said := walkthrough(outline.modules, outline.across):
        lines = [f"- {name}: {text}" if name else f"- {text}" for name, text in said]
        parts.append("\n".join(["What changes:", *lines]))
    return "\n\n".join(parts)


def unsettled_line(unsettled: Sequence[Unsettled]) -> str:
    """Return what was neither proved nor refuted, each with its place; "" where that is nothing."""
    if not unsettled:
        return ""
    named = [f"{one.title} ({_at(one)})" if one.title else _at(one) for one in unsettled]
    shown = "; ".join(" ".join(one.split()) for one in named[:UNSETTLED_SHOWN])
    more = f"; and {len(named) - UNSETTLED_SHOWN} more" if len(named) > UNSETTLED_SHOWN else ""
    claims = "1 grave claim" if len(named) == 1 else f"{len(named)} grave claims"
    return f"{claims} could not be proved or refuted by two readers, look yourself: {shown}{more}"


def _at(one: Unsettled) -> str:
    place = one.path if one.line is None else f"{one.path}:{one.line}"
    return f"{place}, before this change" if one.side == "LEFT" else place


def risk_line(risk: Risk) -> str:
    """Return the level and its reasons in one line."""
    return f"Risk: {risk.level}" + (f" ({'; '.join(risk.reasons)})." if risk.reasons else ".")


def place_of(look: LookFirst) -> str:
    return look.path if look.line is None else f"{look.path}:{look.line}"


def walkthrough(modules: Sequence[Module], across: Sequence[str]) -> list[tuple[str, str]]:
    """Return what was said, each with its module's name, "" for what is of no one module."""
    said = [(module.path or ELSEWHERE, text) for module in modules for text in module.changes]
    return [*said, *(("", text) for text in across)]


def verdict(findings: list[Finding], coverage: Coverage, stopped: StopReason | None) -> str:
    """Return one sentence: what was found, or that nothing was."""
    counts = Counter(finding.severity for finding in findings)
    said = ", ".join(f"{counts[level]} {level}" for level in Severity if counts[level])
    if findings:
        plural = "" if len(findings) == 1 else "s"
        text = f"{len(findings)} finding{plural}: {said}."
    elif coverage.reviewed:
        text = "No findings."
    else:
        text = "Nothing was reviewed."
    if stopped is not None:
        text += f" The review is partial: {STOPS[stopped]}."
    return text


def _size(change: Change, coverage: Coverage) -> str:
    added = sum(file.added for file in change.files)
    deleted = sum(file.deleted for file in change.files)
    files = len(change.files)
    aside = sum(entry.hunks for entry in coverage.skipped)
    text = (
        f"{files} file{'' if files == 1 else 's'} changed (+{added} -{deleted}); "
        f"{coverage.reviewed} of {coverage.hunks} hunks reviewed"
    )
    return text + (f", {aside} set aside with the reason." if aside else ".")
