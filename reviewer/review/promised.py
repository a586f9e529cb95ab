"""The words of a promise at the end of a finding about it: put there, and taken off. Pure."""

import re

SHOWN_CHARS = 300

KEPT = "Promised"
"""Before words that the code does not keep."""

NEAREST = "Not mentioned. What was said that comes nearest"
"""Before words beside which the change does something that nothing leads to expect."""

_QUOTED = re.compile(rf'\n\n(?:{re.escape(KEPT)}|{re.escape(NEAREST)}): ".*"\Z', re.DOTALL)


def with_promise(body: str, words: str, *, mentioned: bool) -> str:
    """Return the body of a finding with the words that it is about, in one line and cut to a bound.

    `mentioned`: the words promise what the code does not keep; else they only come nearest to what
    it does.
    """
    said = " ".join(words.split())
    said = said if len(said) <= SHOWN_CHARS else said[: SHOWN_CHARS - 1] + "…"
    return f'{body}\n\n{KEPT if mentioned else NEAREST}: "{said}"'


def without_promise(text: str) -> str:
    """Return a text without what `with_promise` has added: those words are not the finding's."""
    return _QUOTED.sub("", text)
