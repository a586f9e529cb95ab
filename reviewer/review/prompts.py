"""The texts of a review's tasks, from the files beside this one."""

from functools import cache
from pathlib import Path

SEVERITY = "{severity}"
"""A line that stands for the criteria of severity, so that all who judge harm have the same."""


@cache
def prompt(name: str) -> str:
    """Return the text of a file with the common criteria in it; it ends with one line break."""
    return _text(name).replace(SEVERITY, _text("severity.md")) + "\n"


def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8").strip()
