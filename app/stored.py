"""Reads what the store keeps as JSON: payloads of jobs, what a run was asked, what it came to."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.github.errors import Outage
from reviewer.text import printable

Kept = TypeVar("Kept", bound=BaseModel)


class OtherVersion(Outage):
    """What is stored was stored by another version of this program, which knows it: while servers
    are replaced one after the other, a new one will do it. It is waited for as an outage is.
    """


def read_stored(kind: type[Kept], text: str) -> Kept:
    """Return what is stored as `kind`; raise OtherVersion where this version does not know it.

    That is about the text alone: a value of our own that does not fit is a bug, wherever it is met.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        places = {".".join(map(str, one["loc"][:3])) for one in error.errors()}
        # By names alone: the values are people's.
        what = f"{error.title} ({', '.join(sorted(places))})"
        raise OtherVersion(printable(f"Not known to this version: {what}"[:300]), 0.0) from error
