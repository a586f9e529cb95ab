"""Which time counts for what is removed by age: not at once that of a clock which has leapt ahead.

One round of removing by a clock that is a month ahead would take what is to be kept for a month. So
each round notes what the clock said. More than a day after the last one may be right (nobody was
at work meanwhile) or wrong: the time that counts is then the one before, until the clock has gone
on like that for a day. A clock that goes back is believed at once: by it, less is too old.
"""

import json
import logging
import secrets
import time
from contextlib import suppress
from dataclasses import astuple, dataclass
from math import isfinite
from pathlib import Path

log = logging.getLogger(__name__)

FILE = "clock.json"
_FILE_BYTES = 1_000

LEAP_S = 86_400.0
"""From one round to the next: what is more than this is a leap."""

LASTS_S = 86_400.0
"""For so long a clock has to go on before its leap is believed: time for somebody to set it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What rounds have seen of a clock, in Unix time.

    `believed` is the time that counts, `doubted` the first one after a leap that is not believed
    yet (0: there is none), `last` what the clock said in the last round.
    """

    believed: float
    doubted: float
    last: float


def looked(seen: Seen | None, now: float, *, often: bool) -> Seen:
    """Return what is known after another round; the first one is believed.

    `often`: there is a round more than once a day, so that whatever lies longer after the last one
    is another leap. Where there are few, what the last one said is believed with the next.
    """
    if seen is None or now - seen.believed <= LEAP_S:
        return Seen(now, 0.0, now)
    leapt = now - seen.last > LEAP_S
    if not seen.doubted or now < seen.doubted or (leapt and often):
        return Seen(seen.believed, now, now)
    if now - seen.doubted < LASTS_S:
        return Seen(seen.believed, seen.doubted, now)
    return Seen(seen.last, now, now) if leapt else Seen(now, 0.0, now)


def believed_in(folder: Path) -> float:
    """Look at the clock before something in a folder is removed by age; return which time counts.

    What was seen is kept in the folder; where that cannot be, each look is the first.
    """
    path, now = folder / FILE, time.time()
    before = _read(path)
    seen = looked(before, now, often=False)
    if seen.doubted and (before is None or before.doubted != seen.doubted):
        log.info("the clock has leapt ahead: by age nothing is removed for now")
    beside = folder / f".{FILE}.{secrets.token_hex(4)}"
    try:
        beside.touch(0o600, exist_ok=False)
        beside.write_text(json.dumps(astuple(seen)))
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return seen.believed


def _read(path: Path) -> Seen | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_FILE_BYTES))
        seen = Seen(*map(float, found))
    except (OSError, TypeError, ValueError, RecursionError):
        return None
    return seen if all(map(isfinite, astuple(seen))) else None
