"""Cases and claims as small as a test needs them."""

from typing import Any

from app.eval.cases import Case, Defect, NotDefect, Place
from reviewer.finding import Category, Finding, Severity


def defect(name: str, start: int, line: int, *also: Place, **changes: Any) -> Defect:
    values = {
        "id": name,
        "path": "shop.py",
        "start_line": start,
        "line": line,
        "category": Category.CORRECTNESS,
        "severity": Severity.HIGH,
        "description": "what goes wrong",
        "also": also,
    }
    return Defect(**values | changes)


def case(*defects: Defect, right: tuple[NotDefect, ...] = ()) -> Case:
    return Case(
        id="shop",
        language="python",
        control=not defects,
        repository=".",
        base="main",
        head="topic",
        defects=defects,
        not_defects=right,
    )


def claim(start: int | None, line: int | None = None, **changes: Any) -> Finding:
    """A claim about lines start..line; its id is its title."""
    values = {
        "id": changes.get("title", f"at {start}"),
        "path": "shop.py",
        "start_line": start,
        "line": line or start,
        "category": Category.CORRECTNESS,
        "severity": Severity.HIGH,
        "confidence": 0.9,
        "title": f"at {start}",
        "body": "why",
        "source": "model:general",
    }
    return Finding(**values | changes)
