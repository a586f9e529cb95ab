"""The seam to the network."""

from typing import Protocol

from courier.models import Answer


class Unreachable(Exception):
    """Nobody answered in time."""


class Transport(Protocol):
    async def post(
        self, url: str, body: bytes, headers: dict[str, str], timeout_s: float
    ) -> Answer:
        """Send a body; raise Unreachable where there is no answer."""
        ...
