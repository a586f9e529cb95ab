"""Reads `.github/rlm.yml`: bytes that anybody may have written become a `Policy`, or an error that
names the line.

Of YAML only the plain part is taken: mappings, lists and scalars. Tags, anchors and aliases are
refused, so nothing is constructed and nothing multiplies. A scalar is text until the schema says
what it is: `no` is a language, and `off` is a switch.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from reviewer.detectors.names import Check
from reviewer.errors import TellUser
from reviewer.policy import Comments, Instruction, Models, Policy, Thresholds

MAX_BYTES = 64_000
MAX_DEPTH = 6
MAX_NODES = 4_000

SHOWN_CHARACTERS = 60

_EMPTY = frozenset({"", "~", "null", "Null", "NULL"})
_SECTIONS: Mapping[object, type[BaseModel]] = {
    "thresholds": Thresholds,
    "comments": Comments,
    "models": Models,
    "instructions": Instruction,
}
_WORDS = {
    "tuple_type": "should be a list",
    "model_type": "should hold keys with values",
    "dict_type": "should hold keys with values",
    "mapping_type": "should hold keys with values",
    "string_type": "should be text",
    "string_pattern_mismatch": "is not written as it should be",
    "bool_parsing": "should be on or off",
    "int_parsing": "should be a whole number",
    "float_parsing": "should be a number",
    "finite_number": "should be a number",
    "missing": "is missing",
}
"""Pydantic's kinds of error, where its own words are about Python."""

_Place = tuple[str | int, ...]


class BadPolicy(TellUser):
    """The file is none, or says what it cannot; the problem names the line where there is one."""


def parse(data: bytes) -> Policy:
    """Return what a file asks for; raise BadPolicy about the first line that is wrong."""
    value, lines = plain(data)
    try:
        return Policy.model_validate({} if value is None else value)
    except ValidationError as error:
        said = [(_line(lines, one["loc"]), _said(one)) for one in error.errors(include_url=False)]
        raise _bad(*min(said, key=lambda one: one[0])) from error


def plain(data: bytes) -> tuple[Any, Mapping[_Place, int]]:
    """Return what plain YAML holds as lists, mappings and text, None for nothing, and the lines of
    its places; raise BadPolicy about the first line that is none.
    """
    if len(data) > MAX_BYTES:
        raise _bad(None, f"it is longer than {MAX_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(data[: error.start].count(b"\n") + 1, "it is not UTF-8") from error
    try:
        _check(yaml.parse(text, Loader=yaml.SafeLoader))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _bad(line, "there is a character that YAML does not allow") from error
    except yaml.MarkedYAMLError as error:
        at = getattr(error.problem_mark, "line", None)
        why = error.problem or "it is no YAML"
        raise _bad(None if at is None else at + 1, why) from error
    except BadPolicy:
        raise
    except (ValueError, OverflowError) as error:  # the library's own, of an odd escape or version
        raise _bad(None, "it is no YAML") from error
    lines: dict[_Place, int] = {}
    return None if root is None else _value(root, (), lines), lines


def _check(events: Iterable[yaml.Event]) -> None:
    """Refuse what is not plain, deep or much, before anything recurses over it."""
    depth = documents = 0
    for number, event in enumerate(events):
        line = 1 + getattr(event.start_mark, "line", 0)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _bad(line, "anchors and aliases are not read")
        if getattr(event, "tag", None) is not None:
            raise _bad(line, "tags are not read")
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if documents > 1:
            raise _bad(line, "there is more than one document")
        if depth > MAX_DEPTH:
            raise _bad(line, f"it is nested deeper than {MAX_DEPTH} levels")
        if number > MAX_NODES:
            raise _bad(line, f"it has more than {MAX_NODES:,} entries")


def _value(node: yaml.Node, place: _Place, lines: dict[_Place, int]) -> Any:
    """Return a node as lists, mappings and text, None where nothing stands; note all lines."""
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*place, index), lines) for index, one in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        is_quoted = isinstance(node, yaml.ScalarNode) and node.style is not None
        return None if node.value in _EMPTY and not is_quoted else str(node.value)
    found: dict[str, Any] = {}
    for key, inner in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _bad(line, "a key should be a word")
        if key.value in found:
            raise _bad(line, f"the key {_quoted(key.value)} is there twice")
        lines[(*place, key.value)] = line
        found[key.value] = _value(inner, (*place, key.value), lines)
    return found


def _line(lines: Mapping[_Place, int], place: _Place) -> int:
    """Return the line of a place, or of the nearest one around it that is in the file."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _said(error: Any) -> str:
    """Say what is wrong, in the words of the file."""
    place: _Place = error["loc"]
    kind, message = error["type"], error["msg"]
    if kind == "extra_forbidden":
        section = _SECTIONS.get(place[0], Policy) if len(place) > 1 else Policy
        return f"there is no key {_quoted(place[-1])}{_meant(place[-1], section.model_fields)}"
    if place[:1] == ("checks",) and place[-1:] == ("[key]",):
        return f"there is no check {_quoted(place[1])}{_meant(place[1], get_args(Check))}"
    name = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place).lstrip(".")
    if kind == "value_error":
        message = str(error["ctx"]["error"])
    message = re.sub(r"^(?:Input|String|Tuple) should", "should", message)
    message = message.partition(" after validation")[0]
    return f"{name or 'it'} {_WORDS.get(kind, message)}"


def _meant(word: object, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word)[:SHOWN_CHARACTERS], list(known), n=1)
    return f"; did you mean {_quoted(near[0])}?" if near else ""


def _quoted(word: object) -> str:
    text = str(word)
    return ascii(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "...")


def _bad(line: int | None, why: str) -> BadPolicy:
    where = "" if line is None else f"line {line}: "
    return BadPolicy(f"{where}{why}", "docs/configuration.md has every key.")
