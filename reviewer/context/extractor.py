"""What single blobs say about names: from the store, or parsed now and kept there."""

import contextlib
import time
from collections.abc import Iterable, Sequence

from reviewer.context.index import NOT_HERE
from reviewer.context.store import Key, Store
from reviewer.errors import GiveUp
from reviewer.parsing.packed import Packed
from reviewer.parsing.worker import MAX_FILE_BYTES, Parsers, Question, Unchecked, UsedUp
from reviewer.ports import MissingBlob, Objects

_AT_ONCE = 32
"""Files between two looks at the clock."""

TOO_LATE = "there was no time to look at it"


class Extractor:
    """Thread-safe. Every file is parsed once, whoever asks for it, in whatever run."""

    def __init__(self, objects: Objects, store: Store, parsers: Parsers) -> None:
        self._objects = objects
        self._store = store
        self._parsers = parsers

    def extract(self, keys: Iterable[Key], deadline: float) -> dict[Key, Packed | str]:
        """Return what each blob says, or why nothing is known of it.

        In the order of `keys`, until `deadline` (of time.monotonic); at least _AT_ONCE of them.
        """
        wanted = list(dict.fromkeys(keys))
        found: dict[Key, Packed | str] = {}
        for key, (raw, why) in self._store.extractions(wanted).items():
            packed = _unpacked(raw) if raw else why
            if packed is not None:
                found[key] = packed
        absent = [key for key in wanted if key not in found]
        for at in range(0, len(absent), _AT_ONCE):
            some = absent[at : at + _AT_ONCE]
            if at and time.monotonic() > deadline:
                found.update(dict.fromkeys(absent[at:], TOO_LATE))
                break
            found.update(self._parse(some))
        return {key: found[key] for key in wanted}

    def _parse(self, keys: Sequence[Key]) -> dict[Key, Packed | str]:
        found: dict[Key, Packed | str] = {}
        kept: dict[Key, tuple[bytes, str]] = {}
        questions: dict[Question, Key] = {}
        for key, data in zip(keys, self._blobs([sha.hex() for sha, _ in keys]), strict=True):
            if isinstance(data, str):
                found[key] = data
            elif len(data) > MAX_FILE_BYTES:
                found[key] = f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB"
            else:
                questions[Question("extract", (data,), (key[1].value,), key[0].hex())] = key
        for question, answer in self._parsers.ask_all(questions):
            key = questions[question]
            if isinstance(answer, Unchecked):
                found[key] = str(answer)
                if not isinstance(answer, UsedUp):
                    kept[key] = (b"", str(answer))
                continue
            packed = _unpacked(answer)
            if packed is None:
                found[key] = "what the parser said of it makes no sense"
            else:
                kept[key] = (answer, "")
                found[key] = packed
        if kept:
            self._store.add_extractions(kept)
        return found

    def _blobs(self, names: Sequence[str]) -> list[bytes | str]:
        """Return the blobs, or why there is none; what is not here is brought all at once."""
        found = [self._blob(name) for name in names]
        absent = [name for name, data in zip(names, found, strict=True) if data == NOT_HERE]
        if not absent:
            return found
        with contextlib.suppress(MissingBlob):  # said of each
            self._objects.prefetch(absent)
        return [
            self._blob(name) if data == NOT_HERE else data
            for name, data in zip(names, found, strict=True)
        ]

    def _blob(self, name: str) -> bytes | str:
        try:
            ((_, data),) = self._objects.blobs([name])
        except MissingBlob:
            return NOT_HERE
        except GiveUp as error:
            return str(error)
        return "it is too large" if data is None else data


def _unpacked(raw: bytes) -> Packed | None:
    try:
        return Packed(raw)
    except ValueError:
        return None
