"""The published schemas of `--format json`, held against what a command has printed."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

DOCS = Path(__file__).parents[2] / "docs"


def assert_fits(command: str, printed: str) -> None:
    """A result has each field of its schema, of its type, and no other; without one it does not."""
    value = json.loads(printed)
    schema = json.loads((DOCS / f"{command}.schema.json").read_text("utf-8"))
    jsonschema.validate(value, _closed(schema))
    spent = value["cost"]
    assert command == "review" or spent["calls"] + spent["replayed_calls"] > 0
    for name in ("calls", "seconds", "input_tokens", "usd"):
        cost = {key: one for key, one in spent.items() if key != name}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**value, "cost": cost}, schema)


def _closed(schema: Any) -> Any:
    """Return a schema that forbids what it does not name."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    known = {name: _closed(one) for name, one in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        known["additionalProperties"] = False
    return known
