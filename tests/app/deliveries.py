"""Webhook deliveries for tests: GitHub's own examples, and the headers that it sends with them."""

import copy
import json
import uuid
from functools import cache
from typing import Any

from app.signature import sign
from tests.github.npm import package_file

SECRET = "It's a Secret to Everybody"

VERSIONS = ("api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35")


@cache
def examples(version: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return every example that GitHub publishes for a version: event and payload."""
    index = json.loads(
        package_file("@octokit/webhooks-examples", f"{version}/index.json").read_bytes()
    )
    return tuple((event["name"], one) for event in index for one in event["examples"])


def example(event: str, action: str, /, **changes: Any) -> dict[str, Any]:
    """Return a copy of the first example from an App's webhook, with `changes` at the top."""
    found = next(
        payload
        for name, payload in examples("api.github.com")
        if name == event and payload.get("action") == action
    )
    return {"installation": {"id": 77, "node_id": "MDQ="}, **copy.deepcopy(found), **changes}


def headers(
    event: str, body: bytes, *, secret: str = SECRET, delivery: str = "", content: str = "json"
) -> dict[str, str]:
    """Return the headers of a delivery."""
    return {
        "Content-Type": {"json": "application/json"}.get(content, content),
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-GitHub-Event": event,
        "X-Hub-Signature-256": sign(secret.encode(), body),
    }
