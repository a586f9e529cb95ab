"""The JSON Schemas of what `--format json` prints: published in docs/, made from the models."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from reviewer.fix.values import Fixing
from reviewer.refactor.values import Refactoring
from reviewer.request import Review
from reviewer.testing.values import Testing

_RESULTS: Mapping[str, type[BaseModel]] = {
    "review": Review,
    "refactor": Refactoring,
    "fix": Fixing,
    "tests": Testing,
}

_PATCH = {
    "anyOf": [{"type": "string"}, {"type": "null"}],
    "description": "The commits as mails for `git am`; null where the bytes are no UTF-8 or would "
    "add a secret.",
}


def result_schema(command: str) -> dict[str, Any]:
    """Return the schema of what a command prints: docs/<command>.schema.json.

    Every field is required, for every field is always there; others may come within a
    `schema_version`, so that none is forbidden.
    """
    made = _open(_RESULTS[command].model_json_schema(mode="serialization"))
    if command != "review":
        made["properties"]["patch"] = _PATCH
        made["required"].append("patch")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rlm:schema:{command}:1",
        **made,
        "title": f"rlm {command} --format json",
        "description": f"What `rlm {command} --format json` prints.",
    }


def _open(value: Any) -> Any:
    """Return a schema with every property required, and none forbidden."""
    if isinstance(value, list):
        return [_open(one) for one in value]
    if not isinstance(value, dict):
        return value
    known = {name: _open(one) for name, one in value.items() if name != "additionalProperties"}
    if isinstance(value.get("additionalProperties"), dict):
        known["additionalProperties"] = _open(value["additionalProperties"])
    known.pop("default", None)
    if value.get("type") == "object" and "properties" in value:
        known["required"] = list(value["properties"])
    return known
