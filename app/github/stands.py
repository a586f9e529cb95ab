"""Does what we want to say stand there already? Asked before a write, and after a lost answer."""

from collections.abc import Iterator
from typing import Any

from app.github.client import Hub
from app.github.errors import misfit
from app.github.markers import Marker, Seal

PAGE = 100
MOST_PAGES = 100


def stands(hub: Hub, path: str, marker: Marker, seal: Seal) -> bool:
    """Is there a comment of our actor with this marker in the list at `path` of the REST API?"""
    ours = (hub.actor or "").lower()
    return any(
        str((one.get("user") or {}).get("login") or "").lower() == ours
        and (found := seal.read(str(one.get("body") or ""))) is not None
        and found.marker == marker
        for one in _comments(hub, path)
    )


def _comments(hub: Hub, path: str) -> Iterator[dict[str, Any]]:
    doing = "look for our answer"
    for page in range(1, MOST_PAGES + 1):
        more = "&" if "?" in path else "?"
        found = hub.ask(doing, "GET", f"{path}{more}per_page={PAGE}&page={page}")
        if not isinstance(found, list):
            raise misfit(hub.server, doing)
        yield from (one for one in found if isinstance(one, dict))
        if len(found) < PAGE:
            return
