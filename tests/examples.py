"""How many examples Hypothesis makes for a test: few in each run of the tests, all where asked."""

import os

FEW = 25
ALL = 100
"""Of a test that names no number."""

WHOLE = os.environ.get("RLM_TEST_EXAMPLES") == "all"


def examples(number: int = ALL) -> int:
    """Return `number` where all examples are wanted (CONTRIBUTING.md), else no more than a few."""
    return number if WHOLE else min(number, FEW)
