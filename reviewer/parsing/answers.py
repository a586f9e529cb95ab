"""The worker that parses: what `reviewer.parsing.worker` starts; nothing else imports it."""

import contextlib
import dataclasses
import json
import os
import resource
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from reviewer.languages import Language
from reviewer.parsing import broken, quoted, trees
from reviewer.parsing import parameter as parameters
from reviewer.parsing.extract import rows
from reviewer.parsing.languages import STRATEGIES  # noqa: F401 - `extract` imports it late
from reviewer.parsing.packed import pack
from reviewer.parsing.worker import BYTES, LENGTH, MEMORY_BYTES, TOTAL_S, VALUE


def main() -> None:
    """Answer questions from stdin on stdout until stdin ends; runs in the worker process."""
    _limit_self()
    source = sys.stdin.buffer
    # Whatever a library prints must not end up between two replies.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    functions = _functions()
    while (head := _read_head(source)) is not None:
        blobs = [None if size is None else source.read(size) for size in head["blobs"]]
        try:
            result = functions[head["function"]](*blobs, *head["arguments"])
            if isinstance(result, bytes):
                raw = BYTES + result
            else:
                raw = VALUE + json.dumps({"result": _plain(result)}).encode()
        except (MemoryError, RecursionError, ValueError) as error:
            raw = VALUE + json.dumps({"error": type(error).__name__}).encode()
        sink.write(LENGTH.pack(len(raw)) + raw)
        sink.flush()


def _read_head(source: BinaryIO) -> dict[str, Any] | None:
    length = source.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    head: dict[str, Any] = json.loads(source.read(LENGTH.unpack(length)[0]))
    return head


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def _limit_self() -> None:
    wanted = (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, int(TOTAL_S)),  # an orphan in an endless loop ends, too
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    )
    for which, amount in wanted:
        # macOS refuses some of these; the caller's time limit holds everywhere.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (amount, amount))


def _functions() -> dict[str, Callable[..., Any]]:
    """What a worker can be asked."""

    def check(head: bytes, base: bytes | None, language: str, path: str) -> object:
        return broken.check(Language(language), path, head, base)

    def well_formed(data: bytes, language: str, path: str) -> object:
        return broken.well_formed(Language(language), path, data)

    def matches(data: bytes, language: str, query: str) -> object:
        return trees.matches(Language(language), data, query)

    def places(data: bytes, language: str, offsets: Sequence[int]) -> object:
        return trees.places(Language(language), data, list(offsets))

    def names_in_strings(data: bytes) -> object:
        return quoted.quoted(data)

    def parameter(  # noqa: PLR0917
        data: bytes, function: str, start: int, end: int, name: str, to: str
    ) -> object:
        return parameters.parameter(data, function, start, end, name, to)

    def extract(data: bytes, language: str) -> object:
        return pack(rows(data, Language(language)))  # here, to spare the caller the values

    return {
        "check": check,
        "extract": extract,
        "matches": matches,
        "names_in_strings": names_in_strings,
        "parameter": parameter,
        "places": places,
        "well_formed": well_formed,
    }
