"""The journal: with real files, a real database, real processes, kills, damage and no room left."""

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import journal as journal_module
from app.journal import StoredJournal, forget_paid, run_digest
from app.journal_file import LEDGER_S, JournalFile, Size, Whose, beside, clear, size
from app.journal_tables import HeldRun
from app.store.database import Database
from reviewer.errors import RetryLater, TellUser
from reviewer.rlm.budget import ROUNDING_USD, Amount, Limit, OutOfBudget
from tests.app.journal_child import COST, WORST, key, reply
from tests.postgres import Postgres, postgres

NO_CAP = Limit()
NOBODY = 65_534
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "journal.sqlite"


Row = tuple[Any, ...]


class Place:
    """Where a journal lies, and a look at it from outside: `{paid}` and `{kept}` are its tables."""

    def __init__(self, where: Path | Database, url: str = "") -> None:
        self.where = where
        self.argument = url or str(where)
        self._url = url
        self._tables = (
            {"paid": "payments", "kept": "answers"}
            if url
            else {"paid": "ledger", "kept": "replies"}
        )

    @contextmanager
    def opened(self) -> Iterator[Callable[..., list[Row]]]:
        """Ask and change things, each statement by itself."""
        with ExitStack() as held:
            db: Any
            if self._url:
                db = held.enter_context(psycopg.connect(self._url, autocommit=True))
            else:
                assert isinstance(self.where, Path)
                db = held.enter_context(opened(self.where))

            def do(query: str, *values: Any) -> list[Row]:
                words = query.format_map(self._tables)
                done = db.execute(words.replace("?", "%s") if self._url else words, values)
                return done.fetchall() if done.description else []

            yield do

    def rows(self, query: str, *values: Any) -> list[Row]:
        with self.opened() as do:
            return do(query, *values)

    def is_sound(self) -> bool:
        return bool(self._url) or self.rows("PRAGMA integrity_check") == [("ok",)]

    def used(self, run: str) -> float:
        """What is written down that a run paid and reserved."""
        query = "SELECT sum(coalesce(usd, worst_usd)) FROM {paid} WHERE run = ?"
        return float(self.rows(query, run_digest("", run))[0][0] or 0.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, path: Path) -> Iterator[Place]:
    """Each promise holds in a file and in the database that servers share."""
    if request.param == "file":
        yield Place(path)
        return
    running: Postgres = request.getfixturevalue("server")
    url = running.database()
    with closing(Database(url)) as database:
        yield Place(database, url)


def sync(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Look at the file from outside."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as db:
        yield db


def rows(path: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with opened(path) as db:
        return db.execute(query, values).fetchall()


async def paid(journal: StoredJournal, *numbers: int, chars: int = 0) -> None:
    for number in numbers:
        entry = await journal.reserve(key(number), WORST)
        await journal.settle(entry, key(number), COST, reply(number, chars))


async def there(journal: StoredJournal, *numbers: int) -> list[bool]:
    return [await journal.find(key(number)) is not None for number in numbers]


def used(path: Path, run: str) -> float:
    """What the file says that a run paid and reserved."""
    return Place(path).used(run)


# What it keeps


def test_a_reply_is_found_by_its_request_also_after_closing(place: Place):
    async def run() -> None:
        with StoredJournal(place.where, "one", NO_CAP) as journal:
            assert await journal.find(key(1)) is None
            await paid(journal, 1)
            kept = await journal.find(key(1))
            assert kept is not None
            assert (kept.reply, kept.cost, kept.own) == (reply(1), COST, True)
        for name, own in (("one", True), ("two", False)):
            with StoredJournal(place.where, name, NO_CAP) as journal:
                kept = await journal.find(key(1))
                assert kept is not None
                assert (kept.reply, kept.cost, kept.own) == (reply(1), COST, own)
                assert await journal.find(key(2)) is None
                assert journal.lost == Amount()

    sync(run())


def test_tenants_share_nothing(place: Place):
    async def run() -> None:
        with StoredJournal(place.where, "run", Limit(usd=0.03), "one") as journal:
            ours = key(1, "one")
            await journal.settle(await journal.reserve(ours, WORST), ours, COST, reply(1))
            await journal.reserve(key(2, "one"), Amount(0.02))
            # The other tenant's run of the same name is another run, at the same time.
            with StoredJournal(place.where, "run", Limit(usd=0.03), "two") as other:
                assert other.lost == Amount()
                assert await other.find(key(1, "two")) is None
                await other.reserve(key(1, "two"), WORST)

    sync(run())


def test_a_reservation_is_in_the_file_when_it_returns(place: Place):
    async def run() -> None:
        with StoredJournal(place.where, "run", NO_CAP) as journal:
            entry = await journal.reserve(key(1), WORST)
            query = "SELECT worst_usd, worst_tokens, worst_calls, usd, tokens, calls FROM {paid}"
            assert place.rows(query) == [(0.03, 30, 1, None, None, None)]
            await journal.settle(entry, key(1), COST, None)
            assert place.rows(query) == [(0.03, 30, 1, 0.01, 10, 1)]
            assert place.rows("SELECT * FROM {kept}") == []
            with pytest.raises(ValueError, match="once"):
                await journal.settle(entry, key(1), COST, None)

    sync(run())


def test_the_caps_hold_across_processes_of_a_run(place: Place):
    async def run() -> None:
        caps = Limit(usd=0.1, calls=4)
        with StoredJournal(place.where, "run", caps) as journal:
            await paid(journal, 1, 2)
            await journal.reserve(key(3), WORST)
            with pytest.raises(OutOfBudget):
                await journal.reserve(key(4), Amount(0.051))
        with StoredJournal(place.where, "run", caps) as journal:
            with pytest.raises(OutOfBudget):
                await journal.reserve(key(4), Amount(0.051))
            await journal.reserve(key(4), Amount(0.05, 0, 1))
            with pytest.raises(OutOfBudget):  # the fifth call
                await journal.reserve(key(4), Amount(0.0, 0, 1))
        with StoredJournal(place.where, "another", caps) as journal:
            await journal.reserve(key(4), Amount(0.1))

    sync(run())


def test_what_was_paid_without_a_reply_to_show_is_lost(place: Place):
    async def run() -> None:
        with StoredJournal(place.where, "run", NO_CAP) as journal:
            await paid(journal, 1, 2)
            await journal.reserve(key(3), Amount(0.5, 5, 1))
            charged = await journal.reserve(key(4), Amount(0.25, 5, 1))
            await journal.settle(charged, key(4), Amount(0.25, 5, 1), None)
            refused = await journal.reserve(key(5), WORST)
            await journal.settle(refused, key(5), Amount(), None)
            assert journal.lost == Amount()
        # 3 was cut off, charged perhaps, and asked again: both count.
        with StoredJournal(place.where, "run", NO_CAP) as journal:
            assert journal.lost == Amount(0.75, 10, 2)
            await paid(journal, 3)
        with StoredJournal(place.where, "run", NO_CAP) as journal:
            assert journal.lost == Amount(0.75, 10, 2)
        place.rows("DELETE FROM {kept}")
        with StoredJournal(place.where, "run", NO_CAP) as journal:
            assert journal.lost.usd == pytest.approx(0.78)
            assert (journal.lost.tokens, journal.lost.calls) == (40, 5)

    sync(run())


def test_the_file_is_its_owners_alone_and_names_nobody(path: Path):
    async def run() -> None:
        with StoredJournal(path, "run-of-alice", Limit(usd=1.0), "octo-corp") as journal:
            await paid(journal, 1)
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            files = [file for file in path.parent.rglob("*") if file.is_file()]
            assert len(files) >= 4  # itself, its two companions, locks
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
            content = b"".join(file.read_bytes() for file in files)
        for secret in (b"answer", b"question", b"alice", b"octo", b"model", b"find"):
            assert secret not in content

    sync(run())


def test_a_file_that_others_could_read_is_closed_to_them(path: Path):
    path.parent.mkdir()
    path.touch(mode=0o644)
    StoredJournal(path, "run", NO_CAP).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_any_number_of_tokens_can_be_written_down(place: Place):
    async def run() -> None:
        with StoredJournal(place.where, "run", NO_CAP) as journal:
            entry = await journal.reserve(key(1), WORST)
            await journal.settle(entry, key(1), Amount(0.01, 10**30, 1), reply(1))
            kept = await journal.find(key(1))
            assert kept is not None
            assert kept.cost.tokens == 10**30
            with pytest.raises(ValueError, match="amount"):
                await journal.reserve(key(2), Amount(float("nan")))

    sync(run())


# Damage


def test_an_entry_with_any_byte_flipped_is_dropped(path: Path):
    async def run() -> None:
        with StoredJournal(path, "run", NO_CAP) as journal, opened(path) as db:
            await paid(journal, 1)
            ((digest, sealed, payer),) = db.execute("SELECT digest, sealed, run FROM replies")
            for column, value in (("sealed", sealed), ("run", payer)):
                for at in range(len(value)):
                    flipped = bytearray(value)
                    flipped[at] ^= 1 << at % 8
                    db.execute(f"UPDATE replies SET {column} = ?", (bytes(flipped),))
                    assert await journal.find(key(1)) is None
                    await journal.reserve(key(2), WORST)  # written after what was asked before
                    assert db.execute("SELECT count(*) FROM replies").fetchone() == (0,)
                    entry = await journal.reserve(key(1), WORST)
                    await journal.settle(entry, key(1), COST, reply(1))
            for odd in (sealed[:-1], b"", "text", 7):
                db.execute("UPDATE replies SET sealed = ?", (odd,))
                assert await journal.find(key(1)) is None
                await paid(journal, 1)
            # Another entry's content under this name.
            await paid(journal, 2)
            db.execute(
                "UPDATE replies SET sealed = "
                "(SELECT sealed FROM replies WHERE digest != ?) WHERE digest = ?",
                (digest, digest),
            )
            assert await there(journal, 1, 2) == [False, True]

    sync(run())


def _garbage(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1_000)


def _empty_page(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\0" * 4_080)


def _another_program(path: Path) -> None:
    with opened(path) as db:
        db.execute("CREATE TABLE notes (a)")


def _another_version(path: Path) -> None:
    sync(_one_run(path))
    with opened(path) as db:
        db.execute("PRAGMA user_version = 99")


def _a_table_less(path: Path) -> None:
    sync(_one_run(path))
    with opened(path) as db:
        db.execute("DROP TABLE replies")


def _a_damaged_schema(path: Path) -> None:
    sync(_one_run(path))
    content = bytearray(path.read_bytes())
    content[100:4_096] = os.urandom(3_996)
    path.write_bytes(content)


async def _one_run(path: Path) -> None:
    with StoredJournal(path, "before", NO_CAP) as journal:
        await paid(journal, *range(30))


@pytest.mark.parametrize(
    "spoil",
    [
        _garbage,
        _empty_page,
        _another_program,
        _another_version,
        _a_table_less,
        _a_damaged_schema,
    ],
)
def test_what_is_no_journal_is_moved_aside(
    path: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
):
    path.parent.mkdir()
    spoil(path)
    before = path.read_bytes()

    async def run() -> None:
        with StoredJournal(path, "run", Limit(usd=1.0)) as journal:
            await paid(journal, 1)
            assert await there(journal, 1) == [True]
        with StoredJournal(path, "run", Limit(usd=1.0)) as journal:
            assert await there(journal, 1) == [True]

    sync(run())
    assert beside(path, ".broken").read_bytes() == before
    assert [record.msg for record in caplog.records] == [
        "the journal %s is damaged: it is moved aside and begun anew"
    ]


def test_one_of_many_that_open_a_broken_file_moves_it_aside(path: Path):
    path.parent.mkdir()
    for round_ in range(5):
        _garbage(path)
        start = threading.Barrier(8)

        def open_and_write(at: int, start: threading.Barrier = start) -> None:
            start.wait()
            file = JournalFile(path)
            with file.transaction():
                file.reserve(Whose(bytes([at]), b""), WORST)
            file.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(open_and_write, range(8)))
        assert rows(path, "SELECT count(*) FROM ledger") == [(8,)], round_


def test_a_file_that_breaks_in_mid_run_is_begun_anew_with_what_the_run_spent(path: Path):
    sync(_many(path))
    before = rows(path, "SELECT count(*) FROM replies")

    async def run() -> None:
        with StoredJournal(path, "run", Limit(usd=0.15)) as journal:
            await paid(journal, 1)
            held = await journal.reserve(key(2), WORST)
            with opened(path) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _overwrite(path, 8 * 4_096)
            # Whatever is met first; none of it is an error.
            found = await there(journal, *range(1_000, 1_100))
            assert not any(found)
            await paid(journal, 3)
            assert beside(path, ".broken").exists()
            assert rows(path, "SELECT count(*) FROM replies") < before
            assert used(path, "run") == pytest.approx(0.05)
            await journal.settle(held, key(2), COST, reply(2))
            assert await there(journal, 2, 3) == [True, True]
            with pytest.raises(OutOfBudget):
                await journal.reserve(key(4), Amount(0.13))
        with StoredJournal(path, "run", Limit(usd=0.15)) as journal:
            assert used(path, "run") == pytest.approx(0.03)
            assert journal.lost.usd == pytest.approx(0.01)  # the reply is in the broken file

    sync(run())


def _overwrite(path: Path, start: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(os.urandom(path.stat().st_size - start))


async def _many(path: Path) -> None:
    with StoredJournal(path, "before", NO_CAP) as journal:
        await asyncio.gather(
            *(paid(journal, number, chars=3_000) for number in range(1_000, 1_300))
        )


def test_a_file_that_another_process_moved_aside_is_written_no_more(path: Path):
    async def run() -> None:
        with StoredJournal(path, "run", Limit(usd=1.0)) as journal:
            await paid(journal, 1)
            held = await journal.reserve(key(2), WORST)
            for suffix in ("", "-wal", "-shm"):
                beside(path, suffix).rename(beside(path, f".elsewhere{suffix}"))
            with StoredJournal(path, "other", NO_CAP) as other:
                await paid(other, 3)
                await journal.settle(held, key(2), COST, reply(2))
                assert await there(journal, 2, 3) == [True, True]
            assert used(path, "run") == pytest.approx(0.02)
            assert not beside(path, ".broken").exists()

    sync(run())


# No room, no right, no luck


def test_a_full_disk_ends_what_has_a_cap_and_nothing_else(path: Path):
    done = child("full", path)
    out, err = done.communicate(timeout=30)
    assert done.returncode == 0, err
    said = out.splitlines()
    assert said[0].startswith(f"capped: The journal {path} cannot be written: ")
    assert said[1:] == ["waits: RetryLater", "found True True", "later True", "closed"]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert used(path, "capped") == pytest.approx(0.01 + 0.01 + 0.03)
    assert used(path, "free") == pytest.approx(0.01)
    assert err.count("cannot be used") == 2  # once for each of the two


@pytest.mark.parametrize("caps", [NO_CAP, Limit(calls=5)])
def test_a_place_where_nothing_can_be_written(tmp_path: Path, caps: Limit):
    (tmp_path / "home").write_text("a file, not a folder")

    async def run() -> None:
        with StoredJournal(tmp_path / "home" / "journal.sqlite", "run", caps) as journal:
            assert journal.lost == Amount()
            assert await journal.find(key(1)) is None
            if caps == NO_CAP:
                await paid(journal, 1, 2)
                assert await there(journal, 1) == [True]  # for as long as it is held
            else:
                for _ in range(9):  # refused for want of a journal, each time, not of a budget
                    with pytest.raises(TellUser, match="cannot be written"):
                        await journal.reserve(key(1), WORST)
            assert journal.refused is None  # somebody has to do something about it

    sync(run())


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user without rights for a while: root may write everywhere."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_folder_that_may_only_be_read():
    async def run(path: Path) -> None:
        with StoredJournal(path, "run", Limit(usd=1.0)) as journal:
            assert await journal.find(key(1)) is None
            with pytest.raises(TellUser, match="cannot be written"):
                await journal.reserve(key(1), WORST)

    with tempfile.TemporaryDirectory() as folder:  # pytest's own lets nobody else in
        Path(folder).chmod(0o555)
        with as_nobody():
            sync(run(Path(folder) / "journal.sqlite"))
        assert list(Path(folder).iterdir()) == []


def test_a_lock_that_is_held_for_too_long_blocks_no_loop_and_no_reading(path: Path):
    async def run() -> None:
        with (
            StoredJournal(path, "run", Limit(usd=1.0), busy_s=0.3) as journal,
            StoredJournal(path, "free", NO_CAP, busy_s=0.3) as free,
            opened(path) as db,
        ):
            await paid(journal, 1)
            held = await journal.reserve(key(2), WORST)
            db.execute("BEGIN IMMEDIATE")
            ticks = 0
            waiting = asyncio.ensure_future(journal.reserve(key(3), WORST))
            while not waiting.done():
                await asyncio.sleep(0.01)
                ticks += 1
            assert ticks > 10
            with pytest.raises(TellUser, match="another process has held it"):
                await waiting
            assert await there(journal, 1) == [True]
            await journal.settle(held, key(2), COST, reply(2))
            await paid(free, 4)
            db.execute("ROLLBACK")
            assert used(path, "run") == pytest.approx(0.04)
            await paid(journal, 5)
            assert await there(journal, 1, 2, 5) == [True, True, True]
            assert used(path, "run") == pytest.approx(0.03)
        assert used(path, "free") == pytest.approx(0.01)

    sync(run())


def test_what_no_file_could_be_opened_for_is_no_bug_of_the_thread(path: Path, monkeypatch: Any):
    async def run() -> None:
        with StoredJournal(path, "run", NO_CAP) as journal:
            await paid(journal, 1)

            def fails(*_: Any) -> Any:
                raise KeyError("a bug")

            monkeypatch.setattr(journal._writer, "do", fails)
            with pytest.raises(KeyError):  # and nobody waits for ever
                await journal.find(key(1))
            monkeypatch.undo()
            assert await there(journal, 1) == [True]
        with pytest.raises(ValueError, match="closed"):
            await journal.find(key(1))

    sync(run())


# Many at once


def test_the_caps_hold_for_64_at_once_some_of_them_cancelled(place: Place):
    chance = random.Random(5)
    caps = Limit(usd=2.0, calls=150)
    most = 0.0
    settled: set[int] = set()

    async def call(journal: StoredJournal, number: int) -> None:
        entry = await journal.reserve(key(number), WORST)
        await asyncio.sleep(chance.random() / 200)
        settled.add(number)
        await journal.settle(entry, key(number), COST, reply(number))

    async def work(journal: StoredJournal, numbers: Iterator[int]) -> None:
        for number in numbers:
            with suppress(asyncio.CancelledError, OutOfBudget):
                task = asyncio.create_task(call(journal, number))
                if number % 3 == 0:
                    asyncio.get_running_loop().call_later(chance.random() / 100, task.cancel)
                await task

    async def watch(do: Callable[..., list[Row]]) -> None:
        nonlocal most
        while True:
            query = "SELECT sum(coalesce(usd, worst_usd)) FROM {paid}"
            most = max(most, do(query)[0][0] or 0.0)
            await asyncio.sleep(0.002)

    async def run() -> None:
        with StoredJournal(place.where, "run", caps) as journal, place.opened() as do:
            watching = asyncio.create_task(watch(do))
            numbers = iter(range(600))
            await asyncio.gather(*(work(journal, numbers) for _ in range(64)))
            watching.cancel()
            # Also what was cancelled while it was being settled.
            assert await there(journal, *settled) == [True] * len(settled)
            in_memory = journal._ledger.used
        assert place.used("run") == pytest.approx(in_memory.usd)
        assert 0.5 < most <= 2.0 + ROUNDING_USD
        open_, done = place.rows(
            "SELECT sum(CASE WHEN usd IS NULL THEN 1 ELSE 0 END), "
            "sum(CASE WHEN usd > 0 THEN 1 ELSE 0 END) FROM {paid}"
        )[0]
        assert done == len(settled)
        assert in_memory.usd == pytest.approx(open_ * WORST.usd + done * COST.usd)
        assert place.rows("SELECT sum(coalesce(calls, worst_calls)) FROM {paid}")[0][0] <= 150

    sync(run())


def test_a_cancelled_settlement_is_written_and_a_cancelled_reservation_is_not(path: Path):
    async def run() -> None:
        with StoredJournal(path, "run", Limit(calls=3)) as journal, opened(path) as db:
            entry = await journal.reserve(key(1), WORST)
            db.execute("BEGIN IMMEDIATE")  # all wait for this
            settling = asyncio.create_task(journal.settle(entry, key(1), COST, reply(1)))
            reserving = asyncio.create_task(journal.reserve(key(2), WORST))
            await asyncio.sleep(0.02)
            settling.cancel()
            reserving.cancel()
            late = asyncio.create_task(journal.reserve(key(3), WORST))
            await asyncio.wait((settling, reserving))
            assert settling.cancelled()
            assert reserving.cancelled()
            db.execute("ROLLBACK")
            await late
            assert await there(journal, 1) == [True]
            await journal.reserve(key(4), WORST)  # the third call: the cancelled one is none
            with pytest.raises(OutOfBudget):
                await journal.reserve(key(5), WORST)
        with StoredJournal(path, "run", Limit(calls=3)) as journal:
            assert journal.lost == Amount(0.06, 60, 2)

    sync(run())


def test_a_reservation_cancelled_just_as_it_is_answered_is_given_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    answer = journal_module._resolve

    async def run() -> None:
        with StoredJournal(place.where, "run", Limit(calls=1)) as journal:
            waiting = asyncio.create_task(journal.reserve(key(1), WORST))

            def answer_and_cancel(answered: Any) -> None:
                answer(answered)
                waiting.cancel()  # the answer is there, and the task goes on in a later step

            monkeypatch.setattr(journal_module, "_resolve", answer_and_cancel)
            with pytest.raises(asyncio.CancelledError):
                await waiting
            monkeypatch.undo()
            await journal.reserve(key(1), WORST)
        with StoredJournal(place.where, "run", Limit(calls=1)) as journal:
            assert journal.lost == WORST

    sync(run())


# Processes


def child(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.app.journal_child", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_until_free(place: Place) -> None:
    """Wait until nobody has the run: a database learns a moment later that a process is gone."""
    until = time.monotonic() + 10
    while True:
        try:
            StoredJournal(place.where, "run", NO_CAP).close()
        except RetryLater:
            assert time.monotonic() < until
            time.sleep(0.01)
        else:
            return


def test_a_run_that_is_killed_loses_nothing_settled_and_passes_no_cap(place: Place):
    chance = random.Random(7)
    settled: set[int] = set()
    lost = 0
    for _ in range(5):
        running = child("cycles", place.argument, "run", 1_000, 0, 100_000)
        assert running.stdout is not None
        assert running.stdout.readline().startswith("open")
        lines: list[str] = []
        until = chance.randrange(20, 100)
        while sum(line.startswith("settled") for line in lines) < until:
            lines.append(running.stdout.readline())
        time.sleep(chance.uniform(0, 0.03))
        running.kill()
        lines += running.communicate()[0].splitlines()
        said = [line.split() for line in lines]
        assert running.returncode == -signal.SIGKILL
        wait_until_free(place)
        asked = {int(number) for what, number in said if what == "reserved"}
        assert asked.isdisjoint(settled)  # they were found
        settled |= {int(number) for what, number in said if what == "settled"}
        with StoredJournal(place.where, "run", Limit(usd=1_000.0)) as journal:
            ((lost,),) = place.rows("SELECT count(*) FROM {paid} WHERE usd IS NULL")
            assert journal.lost.usd == pytest.approx(lost * WORST.usd)
            assert journal.lost.calls == lost
            assert sync(there(journal, *settled)) == [True] * len(settled)
        paid_, kept = place.rows("SELECT (SELECT count(usd) FROM {paid}), count(*) FROM {kept}")[0]
        assert paid_ == kept >= len(settled)  # each once
    assert lost > 0
    assert len(settled) >= 100
    cap = place.used("run") + 0.5
    last = child("cycles", place.argument, "run", cap, 0, 100_000)
    out, _ = last.communicate(timeout=60)
    assert last.returncode == 0
    assert "refused" in out
    assert cap - WORST.usd <= place.used("run") <= cap + ROUNDING_USD
    assert place.is_sound()


def test_several_processes_write_one_file(place: Place):
    running = [
        child("cycles", place.argument, f"run-{at}", 100, at * 150, at * 150 + 300)
        for at in range(3)
    ]
    for one in running:
        out, err = one.communicate(timeout=60)
        assert (one.returncode, err) == (0, "")
        assert out.count("settled") + out.count("found") == 300
    ledger = place.rows("SELECT count(*), count(usd) FROM {paid}")
    assert ledger[0][0] == ledger[0][1] >= 600
    assert place.rows("SELECT count(*) FROM {kept}") == [(600,)]
    assert place.is_sound()


def test_processes_that_find_a_broken_file_together_begin_one_new(path: Path):
    path.parent.mkdir()
    _garbage(path)
    running = [child("cycles", path, f"run-{at}", 100, at * 50, at * 50 + 50) for at in range(4)]
    for one in running:
        out, _ = one.communicate(timeout=60)
        assert out.count("settled") == 50
    assert rows(path, "SELECT count(*) FROM replies") == [(200,)]
    assert beside(path, ".broken").read_bytes().startswith(b"no database")


def test_one_process_at_a_time_has_a_run(place: Place):
    running = child("cycles", place.argument, "run", 1_000, 0, 1_000_000)
    assert running.stdout is not None
    assert running.stdout.readline().startswith("open")
    with pytest.raises(RetryLater, match="Another process"):
        StoredJournal(place.where, "run", NO_CAP)
    StoredJournal(place.where, "other", NO_CAP).close()
    running.kill()
    running.communicate()
    wait_until_free(place)
    with StoredJournal(place.where, "run", NO_CAP), pytest.raises(RetryLater):
        StoredJournal(place.where, "run", NO_CAP)
    StoredJournal(place.where, "run", NO_CAP).close()
    if isinstance(place.where, Path):
        assert list(beside(place.where, ".runs").iterdir()) == []


def test_a_lock_on_a_file_that_was_just_removed_is_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = [StoredJournal(path, "run", NO_CAP)]
    really = journal_module.taken

    def late(lock: int) -> bool:
        if before:  # opened while one process had it; meanwhile that ends, and another begins
            before.pop().close()
            before_us.append(StoredJournal(path, "run", NO_CAP))
        return really(lock)

    before_us: list[StoredJournal] = []
    monkeypatch.setattr(journal_module, "taken", late)
    with pytest.raises(RetryLater):
        StoredJournal(path, "run", NO_CAP)
    before_us.pop().close()
    StoredJournal(path, "run", NO_CAP).close()


def test_locks_of_the_killed_go_when_they_are_old(path: Path):
    with StoredJournal(path, "held", NO_CAP):
        folder = beside(path, ".runs")
        (held,) = folder.iterdir()
        for name in ("old", "new"):
            (folder / name).touch()
        for lock in (held, folder / "old"):
            os.utime(lock, (0, 0))
        StoredJournal(path, "run", NO_CAP).close()
        assert sorted(folder.iterdir()) == sorted([held, folder / "new"])


# Age and size


def test_what_is_not_used_goes_and_what_is_used_stays(place: Place):
    async def run() -> None:
        with StoredJournal(place.where, "run", NO_CAP) as journal:
            await paid(journal, 1, 2, 3)
        long_ago = time.time() - 31 * 86_400
        two_days_ago = time.time() - 2 * 86_400
        with place.opened() as do:
            do("UPDATE {kept} SET used = ? WHERE digest = ?", long_ago, key(1).digest)
            do("UPDATE {kept} SET used = ? WHERE digest != ?", two_days_ago, key(1).digest)
        with StoredJournal(place.where, "run", NO_CAP) as journal:
            assert await there(journal, 1, 2) == [False, True]
        times = dict(place.rows("SELECT digest, used FROM {kept}"))
        assert times[key(2).digest] > time.time() - 60
        assert times[key(3).digest] == two_days_ago

    sync(run())


def test_a_clock_that_is_ahead_for_less_than_a_day_forgets_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    now = time.time()

    def left_after(ahead_s: float, run: str) -> list[tuple[int]]:
        monkeypatch.setattr(time, "time", lambda: now + ahead_s)
        StoredJournal(place.where, run, NO_CAP).close()
        return [place.rows(f"SELECT count(*) FROM {table}")[0] for table in ("{paid}", "{kept}")]

    async def run() -> None:
        with StoredJournal(place.where, "paid", NO_CAP) as journal:
            await paid(journal, 1, 2)

    sync(run())
    days = 86_400.0
    assert left_after(60.0, "a") == [(2,), (2,)]
    for number, hours in enumerate((0, 1, 23)):
        assert left_after(60 * days + hours * 3_600.0, f"b{number}") == [(2,), (2,)]
    assert left_after(120.0, "c") == [(2,), (2,)]
    for number, hours in enumerate((0, 12)):
        assert left_after(60 * days + hours * 3_600.0, f"d{number}") == [(2,), (2,)]
    assert left_after(61 * days, "e")[1] == (0,)


def test_the_ledger_of_old_runs_goes_but_not_that_of_this_one(place: Place):
    async def run() -> None:
        for name in ("old", "mine", "new"):
            with StoredJournal(place.where, name, NO_CAP) as journal:
                await paid(journal, 1)
        with place.opened() as do:
            do(
                "UPDATE {paid} SET at = ? WHERE run != ?",
                time.time() - LEDGER_S - 1,
                run_digest("", "new"),
            )
        StoredJournal(place.where, "mine", NO_CAP).close()
        assert [place.used(name) > 0 for name in ("old", "mine", "new")] == [False, True, True]

    sync(run())


def test_beyond_its_size_the_least_recently_used_go_and_the_space_comes_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(journal_module, "SWEPT_EVERY", 50)
    bound = 500_000

    async def fill(numbers: range, max_bytes: int) -> None:
        with StoredJournal(path, "run", NO_CAP, max_bytes=max_bytes) as journal:
            await asyncio.gather(*(paid(journal, number, chars=5_000) for number in numbers))

    async def kept(numbers: range) -> int:
        with StoredJournal(path, "run", NO_CAP, max_bytes=bound) as journal:
            return sum(await there(journal, *numbers))

    sync(fill(range(300), 1 << 30))
    assert path.stat().st_size > 1_500_000
    with opened(path) as db:
        for number in range(300):  # the first hundred were used last
            at = time.time() - (1 if number < 100 else 2) * 3_600
            db.execute("UPDATE replies SET used = ? WHERE digest = ?", (at, key(number).digest))
    assert 30 < sync(kept(range(100))) <= 100
    assert sync(kept(range(100, 300))) == 0
    assert path.stat().st_size < bound * 1.1
    sync(fill(range(300, 600), bound))
    assert path.stat().st_size < bound * 1.5  # swept on the way, before anybody opens it again
    assert 30 < sync(kept(range(300, 600))) == size(path).replies
    assert path.stat().st_size < bound * 1.1


def test_emptying_keeps_what_was_paid(path: Path):
    assert clear(path) == 0
    assert size(path) == Size(0, 0)
    assert not path.exists()

    async def run() -> None:
        with StoredJournal(path, "run", Limit(usd=0.05)) as journal:
            await paid(journal, 1, 2, chars=100_000)
            before = size(path)
            assert before.replies == 2
            assert before.bytes > 200_000
            assert clear(path) == 2
            assert size(path).replies == 0
            assert size(path).bytes < 60_000
            assert await there(journal, 1) == [False]
            await paid(journal, 1)
            with pytest.raises(OutOfBudget):
                await journal.reserve(key(3), WORST)

    sync(run())


def test_a_run_can_be_opened_while_its_folder_is_copied_back(path: Path):
    """A journal that came back from a backup is a journal."""
    sync(_one_run(path))
    backup = path.parent / "backup"
    shutil.copy(path, backup)
    path.unlink()
    shutil.move(backup, path)

    async def run() -> None:
        with StoredJournal(path, "before", NO_CAP) as journal:
            assert await there(journal, *range(30)) == [True] * 30

    sync(run())


# What is forgotten


Opened = tuple[str, str, str]
"""A run: its tenant, its repository, its name."""


def pay(place: Place, *runs: Opened) -> None:
    """Have each run pay for an answer of its own."""

    async def run() -> None:
        for number, (tenant, repository, name) in enumerate(runs, 1):
            with StoredJournal(place.where, name, NO_CAP, tenant, repository=repository) as journal:
                its = key(number, tenant)
                await journal.settle(await journal.reserve(its, WORST), its, COST, reply(1))

    sync(run())


def left(place: Place, *runs: Opened) -> list[str]:
    """Name the runs of which there is something, by what there is."""
    names = {run_digest(tenant, name): name for tenant, _, name in runs}
    in_each = [
        {names[bytes(run)] for (run,) in place.rows(f"SELECT run FROM {table}")}
        for table in ("{paid}", "{kept}", "purses")
    ]
    assert in_each[0] == in_each[1] == in_each[2]
    return sorted(in_each[0])


def test_what_an_installation_paid_for_goes_with_it_and_nothing_else(place: Place):
    runs = ("a", "o/one", "one"), ("a", "", "two"), ("b", "o/one", "three")
    pay(place, *runs)
    forget_paid(place.where, "c")
    assert left(place, *runs) == ["one", "three", "two"]
    forget_paid(place.where, "a")
    assert left(place, *runs) == ["three"]
    with StoredJournal(place.where, "three", NO_CAP, "b") as journal:
        assert sync(journal.find(key(3, "b"))) is not None


def test_what_was_paid_for_a_repository_goes_with_it_whoever_remembers_the_run(place: Place):
    """But not what is known to be of a run since it is there again."""
    runs = (
        ("a", "o/one", "one"),
        ("a", "o/two", "two"),
        ("a", "o/one", "again"),
        ("b", "o/one", "b"),
    )
    pay(place, *runs)
    forget_paid(place.where, "a", ["o/three"])
    assert left(place, *runs) == ["again", "b", "one", "two"]
    place.rows("DELETE FROM purses WHERE run = ?", run_digest("a", "one"))  # it is old
    forget_paid(place.where, "a", ["o/one", "o/three"], ["again"])
    assert left(place, *runs) == ["again", "b", "two"]


def test_what_was_paid_long_after_stays(place: Place):
    """A server hears of it when nobody remembers the runs since."""
    runs = ("a", "o/one", "one"), ("a", "o/one", "later"), ("b", "o/one", "b")
    pay(place, *runs)
    at = "UPDATE purses SET since = since + 1000 WHERE run = ?"
    place.rows(at, run_digest("a", "later"))
    forget_paid(place.where, "a", ["o/one"], until=time.time() + 500)
    assert left(place, *runs) == ["b", "later"]
    forget_paid(place.where, "a")
    assert left(place, *runs) == ["b"]


def test_what_an_earlier_version_paid_for_without_a_repository_goes_too(place: Place):
    """But not what is known to be another repository's run."""
    runs = ("a", "o/one", "one"), ("a", "o/two", "two"), ("a", "o/three", "three")
    pay(place, *runs)
    nothing = "NULL" if isinstance(place.where, Database) else "x''"
    tables = (
        ("purses", "{kept}")
        if isinstance(place.where, Database)
        else ("purses", "{kept}", "{paid}")
    )
    for table in tables:
        place.rows(f"UPDATE {table} SET repository = {nothing}")
    forget_paid(place.where, "a", ["o/one"], ["two"])
    assert left(place, *runs) == ["two"]


@pytest.mark.parametrize("paid_before", ["nothing", "reserved", "settled"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_run_under_way_writes_nothing_back_after_it_was_forgotten(
    place: Place, paid_before: str, whole: bool
):
    async def run() -> None:
        with StoredJournal(place.where, "run", NO_CAP, "gone", repository="o/r") as journal:
            one, two = key(1, "gone"), key(2, "gone")
            if paid_before == "settled":
                await journal.settle(await journal.reserve(two, WORST), two, COST, reply(2))
            held = None if paid_before == "nothing" else await journal.reserve(one, WORST)
            forget_paid(place.where, "gone", None if whole else ["o/r"])
            if held is not None:
                await journal.settle(held, one, COST, reply(1))
            with pytest.raises(TellUser, match="uninstalled"):
                await journal.reserve(two, WORST)
            assert await journal.find(one) is None

    sync(run())
    for table in ("{paid}", "{kept}", "purses"):
        assert place.rows(f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_run_that_was_forgotten_may_be_opened_again(place: Place):
    for _ in range(2):
        with StoredJournal(place.where, "run", NO_CAP, "gone", repository="o/r") as journal:
            sync(paid(journal, 1))
        forget_paid(place.where, "gone", ["o/r"])
    assert place.rows("SELECT count(*) FROM {paid}") == [(0,)]


def test_a_run_whose_purse_cannot_be_taken_finds_what_is_there(path: Path):
    """The disk is full, or held: what can be read is read, and whoever pays takes it later."""
    sync(_one_run(path))
    with opened(path) as db, StoredJournal(path, "before", NO_CAP) as other:
        assert sync(there(other, 0)) == [True]
        db.execute("BEGIN IMMEDIATE")
        with StoredJournal(path, "run", NO_CAP, busy_s=0.1) as journal:
            assert sync(there(journal, 0)) == [True]
            db.execute("ROLLBACK")
            sync(paid(journal, 40))
            assert rows(
                path, "SELECT count(*) FROM purses WHERE run = ?", run_digest("", "run")
            ) == [(1,)]


@pytest.mark.parametrize("version", [1, 2])
def test_what_an_earlier_version_kept_is_there_and_can_be_forgotten(path: Path, version: int):
    sync(_one_run(path))
    with opened(path) as db:
        db.execute("DROP TABLE purses")
        for table in ("ledger", "replies"):
            db.execute(f"ALTER TABLE {table} DROP COLUMN repository")
        if version == 1:
            db.execute("DROP INDEX replies_by_tenant")
            for table in ("ledger", "replies"):
                db.execute(f"ALTER TABLE {table} DROP COLUMN tenant")
        db.execute(f"PRAGMA user_version = {version}")
    with StoredJournal(path, "before", Limit(usd=1.0), repository="o/r") as journal:
        assert sync(there(journal, *range(30))) == [True] * 30
        sync(paid(journal, 30))
    assert not beside(path, ".broken").exists()
    forget_paid(path, "", ["o/r"])
    assert rows(path, "SELECT (SELECT count(*) FROM ledger) + count(*) FROM replies") == [(0,)]


# A database that servers share


@pytest.fixture
def shared(server: Postgres) -> Iterator[Place]:
    url = server.database()
    with closing(Database(url)) as database:
        yield Place(database, url)


def test_a_damaged_entry_of_a_database_is_dropped(shared: Place):
    async def run() -> None:
        with StoredJournal(shared.where, "run", NO_CAP) as journal, shared.opened() as do:
            await paid(journal, 1, 2)
            for change in (
                "sealed = set_byte(sealed, 5, get_byte(sealed, 5) # 1)",
                "sealed = substring(sealed FOR 20)",
                "sealed = ''",
                "run = set_byte(run, 0, get_byte(run, 0) # 1)",
                "sealed = (SELECT sealed FROM {kept} WHERE digest <> d.digest)",
            ):
                do(f"UPDATE {{kept}} AS d SET {change} WHERE digest = ?", key(1).digest)
                assert await there(journal, 1, 2) == [False, True]
                await journal.reserve(key(3), WORST)  # written after what was asked before
                assert do("SELECT count(*) FROM {kept}") == [(1,)]
                await paid(journal, 1)

    sync(run())


def test_a_database_names_nobody_and_quotes_nothing(shared: Place):
    async def run() -> None:
        with StoredJournal(shared.where, "run-of-alice", Limit(usd=1.0), "octo-corp") as journal:
            await paid(journal, 1)

    sync(run())
    said = "".join(
        str([bytes(one) if isinstance(one, memoryview) else one for one in row])
        for table in ("purses", "payments", "answers")
        for row in shared.rows(f"SELECT * FROM {table}")
    )
    assert len(said) > 200
    for secret in ("answer 1", "question", "alice", "octo", "model", "find"):
        assert secret not in said


def test_a_server_that_was_cut_off_pays_no_more_once_another_has_its_run(shared: Place):
    caps = Limit(usd=0.10)

    async def run() -> None:
        with (
            closing(Database(shared.argument)) as elsewhere,
            StoredJournal(shared.where, "run", caps) as first,
        ):
            await paid(first, 1)
            held = await first.reserve(key(2), WORST)
            with pytest.raises(RetryLater, match="Another process"):
                StoredJournal(elsewhere, "run", caps)
            # Its connection is lost, as the server sees it, and its claim has run out.
            shared.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_locks "
                "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
            wait_until_free(Place(elsewhere, shared.argument))
            with StoredJournal(elsewhere, "run", caps) as second:
                assert second.paid == COST + WORST
                assert second.lost == WORST
                assert await there(second, 1) == [True]
                with pytest.raises(OutOfBudget):
                    await second.reserve(key(2), Amount(0.07))
                with pytest.raises(TellUser, match="another server has taken this run up"):
                    await first.reserve(key(3), Amount(0.01))
                await first.settle(
                    held, key(2), COST, reply(2)
                )  # it is paid: what it brought is kept
                assert await there(second, 2) == [True]
                await paid(second, 3)
        assert shared.used("run") == pytest.approx(3 * COST.usd)

    sync(run())


def test_a_run_without_a_cap_pays_no_more_either(shared: Place):
    with StoredJournal(shared.where, "run", NO_CAP) as journal:
        sync(paid(journal, 1))
        shared.rows("UPDATE purses SET holder = 'another'")
        with pytest.raises(TellUser, match="not this process's"):
            sync(paid(journal, 2))
    assert shared.rows("SELECT count(*) FROM {paid}") == [(1,)]


def test_runs_that_pay_for_the_same_at_once_wait_for_nobody_for_long(shared: Place):
    order = list(range(200))
    began = time.monotonic()

    def work(at: int) -> None:
        with StoredJournal(shared.where, f"run-{at}", Limit(usd=1_000.0)) as journal:

            async def run() -> None:
                mine = random.Random(at).sample(order, len(order))
                await asyncio.gather(*(paid(journal, number) for number in mine))

            asyncio.run(run())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert shared.rows("SELECT count(*), count(usd) FROM {paid}") == [(800, 800)]
    assert shared.rows("SELECT count(*) FROM {kept}") == [(200,)]
    assert time.monotonic() - began < 60
    ((deadlocks,),) = shared.rows(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert deadlocks == 0


def test_a_database_that_goes_away_is_waited_for(caplog: pytest.LogCaptureFixture):
    async def run(own: Postgres, database: Database) -> None:
        with StoredJournal(database, "run", Limit(usd=1.0)) as journal:
            await paid(journal, 1)
            held = await journal.reserve(key(2), WORST)
            await asyncio.to_thread(own.stop)
            asked = [
                asyncio.ensure_future(one)
                for one in (
                    journal.find(key(1)),
                    journal.settle(held, key(2), COST, reply(2)),
                    journal.reserve(key(3), WORST),
                )
            ]
            await asyncio.sleep(1)
            assert not any(one.done() for one in asked)
            await asyncio.to_thread(own.start)
            found, _, entry = await asyncio.gather(*asked)
            assert found is not None
            await journal.settle(entry, key(3), COST, reply(3))
            assert await there(journal, 1, 2, 3) == [True] * 3
        with StoredJournal(database, "run", Limit(usd=1.0)) as journal:
            assert (journal.paid.usd, journal.lost) == (pytest.approx(0.03), Amount())

    with postgres() as own, closing(Database(own.database())) as database:
        sync(run(own, database))
    assert caplog.records == []


def test_a_database_that_stays_away_ends_what_has_a_cap_and_nothing_else():
    async def run(own: Postgres, database: Database) -> None:
        with (
            StoredJournal(database, "capped", Limit(usd=1.0), busy_s=0.2) as capped,
            StoredJournal(database, "free", NO_CAP, busy_s=0.2) as free,
        ):
            held = await capped.reserve(key(1), WORST)
            await asyncio.to_thread(own.stop)
            with pytest.raises(TellUser, match="cannot be written"):
                await capped.reserve(key(2), WORST)
            assert isinstance(capped.refused, RetryLater) and free.refused is None
            await capped.settle(held, key(1), COST, reply(1))
            await paid(free, 3)
            assert await there(capped, 1, 3) == [True, False]
            with pytest.raises(RetryLater):
                StoredJournal(database, "other", NO_CAP)
            await asyncio.to_thread(own.start)
            await paid(capped, 2)
            assert await there(capped, 1, 2) == [True, True]
        with StoredJournal(database, "free", NO_CAP) as free:
            assert await there(free, 1, 2, 3) == [True] * 3
            assert free.paid.usd == pytest.approx(COST.usd)

    with postgres() as own, closing(Database(own.database())) as database:
        sync(run(own, database))


def test_a_run_is_free_again_once_its_holder_says_nothing_though_its_connection_stays():
    """So it is with one that was cut off behind a proxy, which keeps the connection open."""
    with postgres() as own, closing(Database(own.database())) as database:
        silent = database.hold(7, silent_s=1.0)
        assert silent is not None and database.hold(7, silent_s=1.0) is None
        until = time.monotonic() + 20
        while (other := database.hold(7, silent_s=60.0)) is None and time.monotonic() < until:
            time.sleep(0.1)
        assert other is not None
        database.let_go(other)
        database.let_go(silent)


def test_a_holder_that_lives_keeps_its_run_and_gives_it_back():
    run = bytes(range(8))
    with postgres() as own, closing(Database(own.database())) as database:
        held = HeldRun(database, run, silent_s=1.0)
        time.sleep(2.5)  # more than twice what the server bears in silence
        with pytest.raises(RetryLater, match="Another process"):
            HeldRun(database, run)
        held.release()
        HeldRun(database, run).release()
        own.stop()
        with pytest.raises(RetryLater):
            HeldRun(database, run)
        own.start()
        HeldRun(database, run).release()


def test_a_database_is_bounded_too(shared: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journal_module, "SWEPT_EVERY", 50)
    bound = 500_000

    async def fill(numbers: range, max_bytes: int) -> None:
        with StoredJournal(shared.where, "run", NO_CAP, max_bytes=max_bytes) as journal:
            await asyncio.gather(*(paid(journal, number, chars=5_000) for number in numbers))

    def kept(numbers: range) -> int:
        with StoredJournal(shared.where, "run", NO_CAP, max_bytes=bound) as journal:
            return sum(sync(there(journal, *numbers)))

    def bytes_() -> int:
        return int(shared.rows("SELECT coalesce(sum(length(sealed)), 0) FROM {kept}")[0][0])

    sync(fill(range(300), 1 << 30))
    assert bytes_() > 1_200_000
    with shared.opened() as do:
        for number in range(300):  # the first hundred were used last
            at = time.time() - (1 if number < 100 else 2) * 3_600
            do("UPDATE {kept} SET used = ? WHERE digest = ?", at, key(number).digest)
    assert 30 < kept(range(100)) <= 100
    assert kept(range(100, 300)) == 0
    assert bytes_() < bound
    sync(fill(range(300, 600), bound))
    assert bytes_() < bound * 1.5  # swept on the way
    assert kept(range(300, 600)) > 30
    assert bytes_() <= bound
