"""The App's manifest: `app.yml`, and what one installation puts into it."""

import importlib.resources
import re
from typing import Any

import yaml

FILE = "app.yml"

_REASONED = re.compile(r"  (?:- )?(?P<name>[a-z_]+)(?:: (?P<level>[a-z]+))? # (?P<reason>.+)")


def manifest(
    *, name: str, public: bool, redirect_url: str, webhook: str | None, callback: str | None = None
) -> dict[str, Any]:
    """Return what GitHub's page for new Apps is given; without `webhook` it is switched off.

    `callback` is where GitHub sends those who log in to the run pages.
    """
    content: dict[str, Any] = yaml.safe_load(_text())
    content |= {"public": public, "redirect_url": redirect_url}
    if name:
        content["name"] = name
    if webhook:
        content["hook_attributes"] = {"url": webhook, "active": True}
    if callback:
        content["callback_urls"] = [callback]
    return content


def reasons() -> list[tuple[str, str, str]]:
    """Return each permission and event of `app.yml` with its level ("" for an event) and why."""
    return [
        (found["name"], found["level"] or "", found["reason"])
        for found in map(_REASONED.fullmatch, _text().splitlines())
        if found
    ]


def _text() -> str:
    return importlib.resources.files(__package__).joinpath(FILE).read_text("utf-8")
