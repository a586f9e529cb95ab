"""Reads JSON as people write it in settings: with comments, trailing commas, a byte order mark."""

import json
import re
from typing import Any

# A string that never ends and a comment that never ends match too, so that no text is read twice.
_STRING = r'"(?:[^"\\]++|\\.?)*+"?'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*(?:.*?\*/|.*)", re.S)
_COMMA = re.compile(rf"{_STRING}|,(?=\s*+[}}\]])", re.S)


def relaxed_json(data: bytes) -> dict[str, Any]:
    """Return the object that the bytes hold, an empty one where they hold none."""
    text = data.decode("utf-8-sig", "replace")
    try:
        try:
            value = json.loads(text)
        except ValueError:
            text = _COMMENT.sub(lambda found: _kept(found, " "), text)
            value = json.loads(_COMMA.sub(lambda found: _kept(found, ""), text))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _kept(found: re.Match[str], instead: str) -> str:
    return found[0] if found[0].startswith('"') else instead
