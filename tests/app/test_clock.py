"""A clock that leaps ahead removes nothing by its age, in what lies in a folder; see `test_store.py`
for what lies in a database."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.clock import FILE, LEAP_S, Seen, believed_in, looked
from app.trace_folder import SUFFIX, expire_now

DAY_S, HOUR_S = 86_400.0, 3_600.0
BEGAN = 1_800_000_000.0
OFTEN = 600.0


def believed(ahead: Sequence[float], *, often: bool) -> list[float]:
    """Return what is believed after each of some rounds, all in seconds since the first."""
    seen, found = None, []
    for one in ahead:
        seen = looked(seen, BEGAN + one, often=often)
        found.append(seen.believed - BEGAN)
    return found


@pytest.mark.parametrize("often", [True, False])
@pytest.mark.parametrize(
    ("rounds", "counts"),
    [
        ([0, OFTEN, 2 * OFTEN], [0, OFTEN, 2 * OFTEN]),
        ([0, LEAP_S, 2 * LEAP_S], [0, LEAP_S, 2 * LEAP_S]),
        # Set right within the day, and ahead again: that is another leap.
        ([0, 30 * DAY_S, 30 * DAY_S + OFTEN, 3 * OFTEN], [0, 0, 0, 3 * OFTEN]),
        (
            [0, 30 * DAY_S, OFTEN, 31 * DAY_S, 32 * DAY_S - OFTEN],
            [0, 0, OFTEN, OFTEN, OFTEN],
        ),
        # It goes on for a day: it was right.
        (
            [0, 30 * DAY_S, 30 * DAY_S + 12 * HOUR_S, 31 * DAY_S, 31 * DAY_S + OFTEN],
            [0, 0, 0, 31 * DAY_S, 31 * DAY_S + OFTEN],
        ),
        # It goes back: at once, also where it was believed for long, and forward from there.
        ([0, -30 * DAY_S, OFTEN, DAY_S + OFTEN], [0, -30 * DAY_S, -30 * DAY_S, DAY_S + OFTEN]),
        # Back, but not to where it was: the doubt begins anew.
        ([0, 30 * DAY_S, 20 * DAY_S, 30 * DAY_S - OFTEN], [0, 0, 0, 0]),
    ],
)
def test_a_leap_counts_when_it_has_lasted_for_a_day(
    rounds: list[float], counts: list[float], often: bool
) -> None:
    if not often and rounds[-1] == 30 * DAY_S - OFTEN:
        counts = [*counts[:-1], 20 * DAY_S]  # as after ten days without a round
    assert believed(rounds, often=often) == counts


def test_a_clock_that_runs_away_is_never_believed() -> None:
    assert believed([7 * DAY_S * n for n in range(9)], often=True) == [0.0] * 9


def test_where_there_is_a_round_a_week_each_believes_the_one_before() -> None:
    weeks = [7 * DAY_S * n for n in range(6)]
    assert believed(weeks, often=False) == [0, 0, *weeks[1:-1]]


def test_what_was_seen_is_kept_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for now, counts in ((0, 0), (40 * DAY_S, 0), (40 * DAY_S + HOUR_S, 0), (HOUR_S, HOUR_S)):
        monkeypatch.setattr(time, "time", lambda now=now: BEGAN + now)
        assert believed_in(tmp_path) == BEGAN + counts
    assert [one.name for one in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[1, 2]", "[1, 2, NaN]", "[[], 0, 0]", "[" * 900, '{"a": 1}'])
def test_what_is_no_clock_is_begun_anew(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE).write_text(text)
    monkeypatch.setattr(time, "time", lambda: BEGAN)
    assert believed_in(tmp_path) == BEGAN
    monkeypatch.setattr(time, "time", lambda: BEGAN + 2 * DAY_S)
    assert believed_in(tmp_path) == BEGAN


def test_a_folder_that_is_not_there_keeps_nobody_from_work(tmp_path: Path) -> None:
    assert abs(believed_in(tmp_path / "none") - time.time()) < 60


def test_traces_survive_a_clock_that_is_a_month_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, now = tmp_path / "traces", time.time()
    folder.mkdir()
    for name, days in (("20260101-000000-aaaa", 40), ("20260101-000000-bbbb", 3)):
        path = folder / f"{name}{SUFFIX}"
        path.touch()
        os.utime(path, (now - days * DAY_S,) * 2)

    def left_after(ahead: float) -> int:
        monkeypatch.setattr(time, "time", lambda: now + ahead)
        expire_now(folder, 30 * DAY_S)
        return len(list(folder.iterdir()))

    assert left_after(0) == 1
    assert left_after(30 * DAY_S) == left_after(30 * DAY_S + HOUR_S) == 1
    assert left_after(2 * HOUR_S) == 1
    assert left_after(30 * DAY_S) == left_after(30 * DAY_S + 23 * HOUR_S) == 1
    assert left_after(31 * DAY_S) == 0


def test_what_was_seen_has_three_times() -> None:
    assert looked(None, 5.0, often=True) == Seen(believed=5.0, doubted=0.0, last=5.0)
