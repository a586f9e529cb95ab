"""The names of the detectors, for whoever switches one off: importing this loads none of them."""

from typing import Literal, get_args

Name = Literal[
    "syntax",
    "conflicts",
    "leftovers",
    "hidden",
    "secrets",
    "python-lint",
    "workflows",
    "lock-files",
    "contracts",
]

DETECTORS: tuple[Name, ...] = get_args(Name)

INTENT: Literal["intent"] = "intent"
"""The node that compares a change with what its author promises."""

Check = Literal[
    "syntax",
    "conflicts",
    "leftovers",
    "hidden",
    "secrets",
    "python-lint",
    "workflows",
    "lock-files",
    "contracts",
    "intent",
]
"""What can be switched off: each detector, and that node."""
