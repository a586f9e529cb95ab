"""What GitHub takes as an App's manifest."""

import json
from typing import Any
from urllib.parse import urlsplit

from tests.github.quirks import quirk

KEYS = {
    "name",
    "url",
    "hook_attributes",
    "redirect_url",
    "callback_urls",
    "setup_url",
    "description",
    "public",
    "default_events",
    "default_permissions",
    "request_oauth_on_install",
    "setup_on_update",
}

# Without one of these permissions GitHub does not offer the event.
EVENTS = {
    "check_run": {"checks"},
    "check_suite": {"checks"},
    "issue_comment": {"issues", "pull_requests"},
    "issues": {"issues"},
    "merge_group": {"merge_queues"},
    "pull_request": {"pull_requests"},
    "pull_request_review": {"pull_requests"},
    "pull_request_review_comment": {"pull_requests"},
    "pull_request_review_thread": {"pull_requests"},
    "push": {"contents"},
    "workflow_run": {"actions"},
}
MAX_CALLBACKS = 10
MAX_NAME_CHARS = 34


@quirk("the code of a manifest works once")
def read(text: str) -> tuple[dict[str, Any], str]:
    """Read a manifest; return it with what is wrong with it, "" for nothing."""
    try:
        wanted = json.loads(text)
    except ValueError:
        return {}, "The manifest is not JSON"
    if not isinstance(wanted, dict):
        return {}, "The manifest is not an object"
    return wanted, "; ".join(_problems(wanted))


def _problems(wanted: dict[str, Any]) -> list[str]:
    found = [f"{key} is not a key of a manifest" for key in wanted.keys() - KEYS]
    found += [f"{key} wasn't supplied" for key in ("url", "redirect_url") if not wanted.get(key)]
    if len(str(wanted.get("name", ""))) > MAX_NAME_CHARS:
        found.append("Name is too long (maximum is 34 characters)")
    hook = wanted.get("hook_attributes")
    if hook is not None:
        address = urlsplit(str(hook.get("url", "")))
        if not address.scheme or not address.hostname:
            found.append("Hook url cannot be blank")
        elif address.hostname in {"localhost", "127.0.0.1"}:
            found.append(
                "Hook url is not supported because it isn't reachable over the public Internet"
            )
    if len(wanted.get("callback_urls", [])) > MAX_CALLBACKS:
        found.append("No more than 10 callback URLs")
    permissions = wanted.get("default_permissions", {})
    for event in wanted.get("default_events", []):
        if event not in EVENTS:
            found.append(f"Default events unsupported: {event}")
        elif not EVENTS[event] & permissions.keys():
            found.append(f"Default events are not supported by permissions: {event}")
    return found
