"""GitHub's own OpenAPI document as a judge: of the requests we send, and of the fake's answers.

The document lets an object hold more than it names; GitHub drops or refuses what it does not know.
So a property of a request that the document does not name is a breach here.
"""

import json
import marshal
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b
from typing import Any

from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.github.npm import package_file

METHODS = ("get", "post", "put", "patch", "delete")
_HOME = "urn:github"
_SHOWN_CHARS = 300
_BRANCHES = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True)
class Operation:
    """One operation of the document with the values that a path gave to its parameters."""

    method: str
    template: str
    definition: Mapping[str, Any]
    arguments: Mapping[str, str]

    @property
    def name(self) -> str:
        """The operation as the reference writes it."""
        return f"{self.method} {self.template}"

    @property
    def documentation(self) -> str:
        """The page that GitHub names in an error of this operation."""
        return str(self.definition.get("externalDocs", {}).get("url", "https://docs.github.com"))


class Breach(str):
    """One way in which a value differs; `said` is how GitHub puts it in its answer."""

    said: str

    def __new__(cls, text: str, said: str | None = None) -> "Breach":
        made = super().__new__(cls, text)
        made.said = said or text
        return made


# Where GitHub's answers differ from its document: (end of the path, value, when).
KNOWN = (
    (("head", "repo"), None, "the fork of a pull request was deleted"),
    (("line",), None, "a comment is outdated"),
    (("position",), None, "a comment is outdated"),
)


EITHER = ("account",)
"""A list of installations wants each account to be a user and an enterprise at once: the document
says "allOf" there, and "anyOf" of a single installation. GitHub answers either."""


def _nullable(word: str) -> Any:
    """Apply a keyword except to null where `nullable` allows it.

    By the letter of OpenAPI 3.0 an enum without null refuses it all the same; GitHub's document
    means it, and GitHub answers null there: the conclusion of a running check, for one.
    """
    strict = OAS30Validator.VALIDATORS[word]

    def check(
        validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        if instance is None and schema.get("nullable") is True:
            return
        yield from strict(validator, value, instance, schema) or ()

    return check


def _mark(value: Any) -> bytes | None:
    """Return what only a value that is the same has; None for what json would not have read."""
    try:
        # Version 0 writes what there is and nothing of how it lies in memory.
        return blake2b(marshal.dumps(value, 0), digest_size=16).digest()
    except ValueError:
        return None


_fitting: set[tuple[str, bytes]] = set()
"""What fits: the reference to a schema of the document, and the mark of a value."""


def _ref(
    validator: Any, ref: str, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Follow a reference, but not for a value that is known to fit.

    Answers are made of the same users, repositories and commits over and over, and to judge them
    was a third of the time that the fake takes. There is one document, so a reference is one schema.
    """
    mark = _mark(instance)
    if mark is None:
        yield from OAS30Validator.VALIDATORS["$ref"](validator, ref, instance, schema)
        return
    if (ref, mark) in _fitting:
        return
    fits = True
    for error in OAS30Validator.VALIDATORS["$ref"](validator, ref, instance, schema):
        fits = False
        yield error
    if fits:
        _fitting.add((ref, mark))


_Judge = extend(
    OAS30Validator, {"$ref": _ref, **{word: _nullable(word) for word in ("enum", *_BRANCHES)}}
)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(
        "".join(
            f"(?P<{part[1:-1].replace('-', '_')}>[^/]+)"
            if part.startswith("{")
            else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", template)
        )
    )


class Contract:
    """The document, its operations found by path, its schemas compiled when they are needed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        resource = Resource(contents=document, specification=DRAFT4)
        self._registry: Registry[Any] = Registry().with_resource(_HOME, resource)
        self._validators: dict[int, Any] = {}
        self._fitting: set[tuple[int, bytes]] = set()

    @cached_property
    def _by_length(self) -> dict[int, list[tuple[re.Pattern[str], str]]]:
        """Templates by their number of segments, those with the most fixed segments first."""
        found: dict[int, list[tuple[re.Pattern[str], str]]] = {}
        for template in sorted(self.document["paths"], key=lambda path: path.count("{")):
            found.setdefault(template.count("/"), []).append((_pattern(template), template))
        return found

    @cached_property
    def _of_paths(self) -> list[tuple[re.Pattern[str], str]]:
        """Templates that end in the path of a file or the name of a reference, whose slashes are
        no ends of segments."""
        return [
            (re.compile(_pattern(template).pattern.removesuffix("[^/]+)") + ".+)"), template)
            for template, methods in self.document["paths"].items()
            if template.endswith(("/contents/{path}", "/git/ref/{ref}", "/git/refs/{ref}"))
            for definition in [next(iter(methods.values()))]
            if any(self._at(one).get("x-multi-segment") for one in definition["parameters"])
        ]

    def operation(self, method: str, path: str) -> Operation | None:
        """Find the operation that a request means."""
        for pattern, template in (*self._by_length.get(path.count("/"), []), *self._of_paths):
            found = pattern.fullmatch(path)
            definition = self.document["paths"][template].get(method.lower()) if found else None
            if found and definition:
                return Operation(method.upper(), template, definition, found.groupdict())
        return None

    def request_faults(
        self, operation: Operation, query: Mapping[str, str], body: Any, *, has_body: bool
    ) -> Iterator[str]:
        """Yield what the document does not allow in a request."""
        yield from self._parameter_faults(operation, "path", operation.arguments)
        yield from self._parameter_faults(operation, "query", query)
        wanted = self._at(operation.definition.get("requestBody", {}))
        schema = self._schema(wanted)
        if schema is None:
            if has_body and body != {}:
                yield "has a body, and the operation takes none"
            return
        if not has_body:
            if wanted.get("required"):
                yield "has no body"
            return
        yield from self._faults(schema, body, "body")
        yield from (
            f"{name} is not in the document" for name in self._unknown(schema, body, "body")
        )

    def answer_faults(self, operation: Operation, status: int, body: Any) -> Iterator[str]:
        """Yield where an answer differs from the document; errors may be undocumented."""
        answer = operation.definition["responses"].get(str(status))
        if answer is None:
            if status < 400:
                yield f"{status} is no answer of this operation"
            elif not isinstance(body, dict) or not isinstance(body.get("message"), str):
                yield f"an error {status} without a message"
            return
        schema = self._schema(self._at(answer))
        if schema is not None:
            yield from self._faults(schema, body, str(status), KNOWN)
        elif body is not None and status < 400:
            yield f"{status} has no body"

    def webhook_faults(self, name: str, payload: Any) -> Iterator[str]:
        """Yield where a webhook's payload differs; `name` is like "pull-request-opened"."""
        definition = self.document["x-webhooks"][name]["post"]
        schema = self._schema(self._at(definition["requestBody"]))
        assert schema is not None, name
        yield from self._faults(schema, payload, name)

    def _parameter_faults(
        self, operation: Operation, place: str, given: Mapping[str, str]
    ) -> Iterator[str]:
        known = {}
        for entry in operation.definition.get("parameters", []):
            parameter = self._at(entry)
            if parameter["in"] == place:
                known[parameter["name"].replace("-", "_")] = parameter
        for name, text in given.items():
            parameter = known.get(name)
            if parameter is None:
                yield f"{place} parameter {name} is not in the document"
                continue
            schema = self._at(parameter["schema"])
            yield from self._faults(schema, _typed(text, schema), f"{place} parameter {name}")
        for name, parameter in known.items():
            if parameter.get("required") and name not in given:
                yield f"{place} parameter {name} is missing"

    def _schema(self, content: Mapping[str, Any]) -> Mapping[str, Any] | None:
        for kind, media in content.get("content", {}).items():
            if "json" in kind and "schema" in media:
                return self._at(media["schema"])
        return None

    def _at(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow a reference inside the document."""
        while "$ref" in value:
            found: Any = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            value = found
        return value

    def _faults(
        self,
        schema: Mapping[str, Any],
        value: Any,
        what: str,
        known: Sequence[tuple[tuple[str, ...], Any, str]] = (),
    ) -> Iterator[Breach]:
        validator = self._validators.get(id(schema))
        if validator is None:
            validator = _Judge(
                schema,
                registry=self._registry,
                _resolver=self._registry.resolver(_HOME),
                format_checker=oas30_format_checker,
            )
            if "$ref" not in schema:  # a schema of the document lives as long as the document
                self._validators[id(schema)] = validator
        mark = _mark(value)
        if mark is not None and (id(schema), mark) in self._fitting:
            return
        if validator.is_valid(value):
            if mark is not None and id(schema) in self._validators:
                self._fitting.add((id(schema), mark))
            return
        for error in validator.iter_errors(value):
            path = tuple(error.absolute_path)
            if any(path[-len(end) :] == end and error.instance is it for end, it, _ in known):
                continue
            if path[-1:] == EITHER and "allOf" in error.absolute_schema_path:
                continue
            worst = best_match([error])
            place = "".join(f"[{part!r}]" for part in worst.absolute_path)
            yield Breach(f"{what}{place}: {worst.message[:_SHOWN_CHARS]}", _said(worst))

    def _unknown(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        """Yield the properties of a value that no branch of its schema names."""
        options = list(self._options(schema))
        if isinstance(value, list):
            items = [option["items"] for option in options if "items" in option]
            for index, item in enumerate(value):
                yield from self._unknown({"anyOf": items}, item, f"{place}[{index}]")
        if not isinstance(value, dict):
            return
        # An object without named properties is a map: any name is one of its keys.
        if any(
            isinstance(option.get("additionalProperties"), dict) or not option.get("properties")
            for option in options
            if option.get("type") == "object"
        ):
            return
        for name, inner in value.items():
            schemas = [
                option["properties"][name]
                for option in options
                if name in option.get("properties", {})
            ]
            if schemas:
                yield from self._unknown({"anyOf": schemas}, inner, f"{place}.{name}")
            else:
                yield f"{place}.{name}"

    def _options(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        schema = self._at(schema)
        yield schema
        for word in _BRANCHES:
            for branch in schema.get(word, []):
                yield from self._options(branch)


@cache
def contract() -> Contract:
    """Load the document of github.com, once in a session (13 MB, a quarter of a second)."""
    path = package_file("@octokit/openapi", "generated/api.github.com.json")
    return Contract(json.loads(path.read_bytes()))


def _said(error: ValidationError) -> str:
    """Put a breach as GitHub does."""
    limit, value = error.validator_value, error.instance
    if error.validator == "maxItems":
        return f"No more than {limit} items are allowed; {len(value)} were supplied."
    if error.validator == "maxLength":
        return f"Only {limit} characters are allowed; {len(value)} were supplied."
    if error.validator == "required":
        missing = next(name for name in limit if name not in value)
        return f'"{missing}" wasn\'t supplied.'
    place = "/".join(str(part) for part in error.absolute_path if isinstance(part, str))
    return f"For 'properties/{place}', {error.message[:_SHOWN_CHARS]}."


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    """Read a parameter's text as the type its schema wants; leave it where it cannot be."""
    wanted = schema.get("type")
    if wanted == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if wanted == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text
