"""The App's manifest: `app.yml`, and what one installation puts into it."""

import importlib.resources
import re
from typing import Any

import yaml

FILE = "app.yml"

CONTENTS = "contents"
TO_WRITE = "fetch pull requests; make branches of ours, for pull requests that somebody asked for"
"""Why contents may be written, where whoever runs the server wants that (`RLM_WRITE`)."""

STATUSES = "statuses"
TO_WATCH = "read what CI says of a branch of ours"
"""Why commit statuses are read, where contents may be written; checks alone would do, too."""

_REASONED = re.compile(r"  (?:- )?(?P<name>[a-z_]+)(?:: (?P<level>[a-z]+))? # (?P<reason>.+)")


def manifest(
    *,
    name: str,
    public: bool,
    redirect_url: str,
    webhook: str | None,
    callback: str | None = None,
    write: bool = False,
) -> dict[str, Any]:
    """Return what GitHub's page for new Apps is given; without `webhook` it is switched off.

    `callback` is where GitHub sends those who log in to the run pages. `write`: the App asks for
    the permission to write contents, and to read commit statuses.
    """
    content: dict[str, Any] = yaml.safe_load(_text())
    if write:
        content["default_permissions"] |= {CONTENTS: "write", STATUSES: "read"}
    content |= {"public": public, "redirect_url": redirect_url}
    if name:
        content["name"] = name
    if webhook:
        content["hook_attributes"] = {"url": webhook, "active": True}
    if callback:
        content["callback_urls"] = [callback]
    return content


def reasons(*, write: bool = False) -> list[tuple[str, str, str]]:
    """Return each permission and event of `app.yml` with its level ("" for an event) and why;
    `write`: of an App that writes contents.
    """
    listed = [
        (found["name"], found["level"] or "", found["reason"])
        for found in map(_REASONED.fullmatch, _text().splitlines())
        if found
    ]
    if not write:
        return listed
    listed = [(CONTENTS, "write", TO_WRITE) if one[0] == CONTENTS else one for one in listed]
    return [*listed, (STATUSES, "read", TO_WATCH)]


def _text() -> str:
    return importlib.resources.files(__package__).joinpath(FILE).read_text("utf-8")
