"""One line of what `rlm doctor` found, and what the lines come to."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import SecretStr

State = Literal["ok", "absent", "warning", "faulty", "broken"]

MARKS: dict[State, str] = {
    "ok": "ok", "absent": "--", "warning": "!", "faulty": "!!", "broken": "XX"
}  # fmt: skip

EXIT_OK, EXIT_FAULTY, EXIT_BROKEN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report, and what to do about it.

    "absent" is a choice, "faulty" keeps the GitHub App from some of its work, "broken" every
    review from running.
    """

    name: str
    state: State
    text: str
    hint: str = ""


def exit_code(checks: Sequence[Check]) -> int:
    """Return 0 where all is well enough, 1 where the App is not, 2 where no review can run."""
    states = {check.state for check in checks}
    if "broken" in states:
        return EXIT_BROKEN
    return EXIT_FAULTY if "faulty" in states else EXIT_OK


def verdict(checks: Sequence[Check]) -> str:
    """Return one sentence about what works."""
    broken = [check.name for check in checks if check.state == "broken"]
    if broken:
        return f"No review can run: {', '.join(broken)}."
    able = {check.name for check in checks if check.state in {"ok", "warning"}}
    said = "Reviews run with the detectors alone."
    if {"model key", "sandbox"} <= able:
        said = "Reviews run with the model and the detectors."
    faulty = dict.fromkeys(check.name for check in checks if check.state == "faulty")
    return f"{said} The App is not in order: {', '.join(faulty)}." if faulty else said


def as_text(checks: Sequence[Check]) -> str:
    """Return the lines for people, each with what to do beneath it."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{MARKS[check.state]:>2}  {check.name:<{width}}  {check.text}")
        if check.hint:
            lines.append(f"{'':>4}{'':<{width}}  -> {check.hint}")
    return "\n".join([*lines, "", verdict(checks)])


def as_json(checks: Sequence[Check]) -> str:
    """Return the same for programs; `exit_code` is that of the command."""
    told = {
        "exit_code": exit_code(checks),
        "verdict": verdict(checks),
        "checks": [asdict(check) for check in checks],
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def end_of(secret: SecretStr) -> str:
    """Show the last four characters of a secret, if it is long enough to spare them."""
    value = secret.get_secret_value()
    return f"…{value[-4:]}" if len(value) >= 20 else "…"


def size_of(count: int) -> str:
    """Return a number of bytes as people say it."""
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
