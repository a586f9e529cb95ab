"""What was forgotten: gone from the tables at once, and from the disk of each server in its turn.

Two servers are two state folders with one store; each round of their housekeeping is a call.
"""

import asyncio
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import delete, select, text, update

from app.code import cache_file
from app.forget import AGAIN_S, DONE, TENANT, Forgetting
from app.github import cache
from app.github.cache import aside, history_of, in_use, locked, place_of
from app.github.urls import Server
from app.jobs import Gone, Step, Wish, step
from app.journal import FILE, StoredJournal, forget_paid, run_digest, tenant_digest
from app.store import (
    GITHUB,
    OPEN,
    Begun,
    Dismissed,
    Job,
    NewJob,
    NewRun,
    Plan,
    Request,
    Stacked,
    Store,
    Told,
)
from app.store.database import Database
from app.store.forgotten import FORGOTTEN_S
from app.store.schema import MIGRATIONS
from app.store.spending import Caps
from app.store.tables import CARRIED, FORGOTTEN, METADATA, PURSES, WATCHED
from app.trace_file import about, recording
from app.trace_folder import folder_of
from reviewer.finding import Severity
from reviewer.request import ReviewRequest
from reviewer.rlm.budget import Limit
from reviewer.rlm.trace import Note
from tests.app.journal_child import COST, WORST, key, reply
from tests.postgres import Postgres, postgres

GITHUB_COM = Server("https://github.com", "https://api.github.com")
REPO, OTHER, FORMER = "octo/hello", "octo/other", "octo/once"
IDS = {REPO: 7, OTHER: 8, FORMER: 7}
HOUR_S = 3_600.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(params=["file", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each promise holds with a file and with PostgreSQL."""
    where: Path | str = tmp_path / "store" / "rlm.sqlite3"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("server")
        where = server.database()
    with closing(Store(where)) as store:
        yield store


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "one", tmp_path / "two"


def housekeeping(store: Store, home: Path) -> Forgetting:
    home.mkdir(exist_ok=True)
    return Forgetting(store, home, GITHUB_COM, lambda: False)


def begun(store: Store, name: str, repository: str = REPO, installation: int = 1) -> NewRun:
    run = NewRun(
        id=name * 16,
        installation=installation,
        repository_id=IDS[repository],
        repository=repository,
        number=1,
        origin=f"head:{name}",
        request=Wish(trigger="opened").model_dump_json(),
        base="a" * 40,
        head=name * 40,
    )
    assert store.begin(run, step(OPEN, run))
    return run


def worked(
    home: Path, run: NewRun, journal: Path | Database, number: int = 1, *, ago_s: float = 0.0
) -> None:
    """Leave on a server's disk, and in the journal, what an engine leaves that does a run.

    It began `ago_s` seconds ago, as its trace says.
    """
    server_of = (
        place_of(home, GITHUB_COM, run.repository),
        history_of(home, GITHUB_COM, run.repository),
    )
    for repo in server_of:
        with locked(repo, lambda _: None, lambda: False):
            subprocess.run(["git", "init", "-q", "--bare", "--template=", repo], check=True)
            for beside in (aside(repo), repo.with_suffix(".home")):  # a fetch that was killed
                beside.mkdir(exist_ok=True)
        with in_use(repo):
            derived = cache_file(home, repo)
            derived.parent.mkdir(parents=True, exist_ok=True)
            derived.write_bytes(b"derived")
    first = about(f"{run.repository}#1", run.base, run.head, asking(), run.id)
    began = datetime.now(UTC) - timedelta(seconds=ago_s)
    first = replace(first, began=f"{began:%Y-%m-%dT%H:%M:%SZ}")
    with recording(first, home, print) as trace:
        trace.see(Note("x"))
    with opened(journal, run) as pays:
        asyncio.run(paid(pays, run, number))


def asking() -> ReviewRequest:
    return ReviewRequest(model="claude", effort="standard")  # type: ignore[arg-type]


def opened(where: Path | Database, run: NewRun) -> StoredJournal:
    tenant = TENANT.format(run.installation)
    return StoredJournal(where, run.id, Limit(), tenant, repository=run.repository)


async def paid(journal: StoredJournal, run: NewRun, number: int) -> None:
    its = key(number, TENANT.format(run.installation))
    await journal.settle(await journal.reserve(its, WORST), its, COST, reply(1))


def is_kept(where: Path | Database, run: NewRun, number: int = 1) -> bool:
    """Is the answer there that a run paid for? Whoever asks is another run."""
    tenant = TENANT.format(run.installation)
    with StoredJournal(where, "asks", Limit(), tenant) as journal:
        return asyncio.run(journal.find(key(number, tenant))) is not None


def journal_of(store: Store, home: Path) -> Path | Database:
    return store.database.shared or home / FILE


def names_under(home: Path, word: str) -> list[str]:
    """Name the files and folders that have a word in their path or in their bytes."""
    found = []
    for path in sorted(home.rglob("*")):
        inside = path.is_file() and word.encode() in path.read_bytes()
        if inside or word in str(path.relative_to(home)):
            found.append(str(path.relative_to(home)))
    return found


def rows_about(store: Store, installation: int, repository: int, *words: str) -> list[str]:
    """Name the tables and columns in which one of them stands, whatever the table is for."""
    numbers = {"installation": installation, "repository_id": repository}
    tenant = TENANT.format(installation)
    digests = {tenant_digest(tenant), *(run_digest(tenant, word) for word in words)}
    found = []
    with store.database.read() as db:
        for table in METADATA.tables.values():
            if table in {FORGOTTEN, CARRIED}:  # each until its time is over
                continue
            for row in db.execute(select(table)).mappings():
                for name, value in row.items():
                    is_word = isinstance(value, str) and any(word in value for word in words)
                    is_digest = isinstance(value, bytes) and value in digests
                    if is_word or is_digest or numbers.get(name) == value is not None:
                        found.append(f"{table.name}.{name}")
    return found


def trace_of(home: Path, run: NewRun) -> Path:
    return folder_of(home) / f"{run.id}.jsonl"


def since(store: Store, seconds: float) -> None:
    """Let everything have been forgotten so long ago."""
    with store.database.write() as db:
        db.execute(update(FORGOTTEN).values(since=time.time() - seconds))


def used(home: Path, repository: str, seconds: float) -> None:
    """Let a fetched repository have been used last so long ago."""
    at = time.time() - seconds
    for repo in (place_of(home, GITHUB_COM, repository), history_of(home, GITHUB_COM, repository)):
        os.utime(repo.with_suffix(".lock"), (at, at))


def lived_in(store: Store, run: NewRun) -> None:
    """Fill every table that knows of a repository."""
    repository, place = run.repository_id, (run.repository_id, run.number)
    assert store.accept("delivery", step(OPEN, run))
    assert store.ask(Request("c" * 32, *place, 0), step(OPEN, run))
    assert store.pause(*place, "alice")
    store.dismiss(repository, Dismissed("0" * 12, "a.py", "It leaks", "alice", "https://x/1"))
    store.told(*place, run.id, [Told("0" * 12, Severity.HIGH.value, "bug")])
    store.noted(*place, run.id, [Begun(1, "T1", run.id, "0" * 12, "https://x/1", "open")])
    store.note(Stacked(run.id, *place, 2, "rlm/x", "d" * 40, "refactor"))
    store.propose(
        Plan(run.id, run.installation, repository, run.repository, 1, 5, "e", "waiting", 0.0)
    )
    store.watch(run.installation, [repository, repository + 100])
    store.pause(repository + 100, 1, "alice")  # where nothing was ever begun
    assert store.reserve(run.id, Caps(run=1.0, month=9.0)) == 1.0


def claimed(store: Store, installation: int = 1) -> Job:
    """The job that forgets an installation."""
    store.put(NewJob(GITHUB, Gone.kind, "gone", "{}", 99, installation=installation))
    job = store.claim(GITHUB, "github", 60)
    assert job is not None and job.kind == Gone.kind
    return job


# Of an installation -------------------------------------------------------------------------------


def test_nothing_is_left_of_an_installation_on_two_servers(
    store: Store, homes: tuple[Path, Path]
) -> None:
    runs = begun(store, "1"), begun(store, "2"), begun(store, "3", FORMER)
    stays = begun(store, "4", OTHER, installation=2)
    for number, home in enumerate(homes):
        for at, run in enumerate((*runs, stays)):
            worked(home, run, journal_of(store, home), 10 * number + at)
        worked(home, runs[0], home / FILE, 50)  # it shared no database before
    lived_in(store, runs[0])
    words = REPO, FORMER, *(run.id for run in runs)
    before = {one.partition(".")[0] for one in rows_about(store, 1, 7, *words)}
    shared = {"purses", "payments", "answers"}
    assert before - shared == {
        "jobs", "runs", "requests", "pauses", "dismissals", "repositories", "watched", "findings",
        "stacked", "plans", "threads",
    }  # fmt: skip
    assert before.issuperset(shared) == (store.database.shared is not None)
    for home in homes:
        assert names_under(home, "hello") and names_under(home, "once")

    assert store.forget_installation(1, job=claimed(store)) == 3
    assert {one.partition(".")[0] for one in rows_about(store, 1, 7, *words)} <= shared
    assert not store.paused_by(107, 1) and store.spent_this_month(1) == 0.0
    for home in homes:
        assert names_under(home, "hello")  # each server has its own round
        assert housekeeping(store, home).catch_up() == 1
        for word in ("hello", "once"):
            assert names_under(home, word) == []
        repos = place_of(home, GITHUB_COM, OTHER), history_of(home, GITHUB_COM, OTHER)
        left = {cache_file(home, repo) for repo in repos}
        assert set((home / "cache" / "context").iterdir()) == left
        assert trace_of(home, stays).exists() and names_under(home, "other")
    assert rows_about(store, 1, 7, *words) == []
    for number, home in enumerate(homes):
        assert is_kept(journal_of(store, home), stays, 10 * number + 3)
        for at in (*range(3), *range(10, 13), 50):
            for where in {home / FILE, journal_of(store, home)}:
                assert not is_kept(where, runs[0], at)
    since(store, FORGOTTEN_S + 1)
    assert store.to_forget() == []
    with store.database.read() as db:
        assert db.execute(select(FORGOTTEN)).all() == []
    for home in homes:
        assert housekeeping(store, home).catch_up() == 0
        assert json.loads((home / DONE).read_text()) == {}


def test_rows_and_word_to_every_server_are_one_transaction_with_the_job(
    store: Store, homes: tuple[Path, Path]
) -> None:
    begun(store, "1")
    job = claimed(store)
    store.done(job)  # by whoever took it over
    assert store.forget_installation(1, job=job) == 0
    assert store.to_forget() == [] and len(store.runs_in(1)) == 1
    assert store.forget_installation(1) == 1
    (told,) = store.to_forget()
    assert (told.installation, told.whole, told.repositories) == (1, True, (REPO,))
    assert store.forget_installation(2, [8], names=["octo/new"]) == 0
    assert store.to_forget()[1].repositories == ("octo/new",)


def test_nothing_is_begun_any_more_for_an_installation_that_is_gone(store: Store) -> None:
    begun(store, "1")
    store.forget_installation(1)
    again = NewRun("f" * 16, 1, 7, REPO, 1, "head:f", "{}", "a", "f")
    assert not store.begin(again, NewJob(GITHUB, OPEN, "k", Step(run=again.id).model_dump_json()))
    assert store.runs_in(1) == [] and not store.is_there(REPO)
    begun(store, "2", installation=2)  # it was installed again, under another number


def test_what_was_paid_before_the_tables_knew_of_repositories_is_there_and_goes(
    store: Store,
) -> None:
    tenant = tenant_digest(TENANT.format(1))
    migration = ScriptDirectory(str(MIGRATIONS)).get_revision("0018").module
    old = PURSES.insert().values(run=b"r" * 16, tenant=tenant, holder="h", since=0.0)
    with store.database.write() as db:
        db.execute(text("DROP TABLE forgotten"))
        for table in ("purses", "answers"):
            db.execute(text(f"ALTER TABLE {table} DROP COLUMN repository"))
        db.execute(old)
        with Operations.context(MigrationContext.configure(db)):
            migration.upgrade()
        assert db.execute(select(PURSES.c.run, PURSES.c.repository)).all() == [(b"r" * 16, None)]
    forget_paid(store.database, TENANT.format(2), ["o/r"])
    with store.database.read() as db:
        assert db.scalar(select(PURSES.c.tenant)) == tenant
    forget_paid(store.database, TENANT.format(1), ["o/r"])
    with store.database.read() as db:
        assert db.execute(select(PURSES)).all() == []
    assert store.to_forget() == []


# Of a repository ----------------------------------------------------------------------------------


def test_a_repository_that_is_installed_again_keeps_what_is_new(
    store: Store, homes: tuple[Path, Path]
) -> None:
    """A server that was down meanwhile hears of it when runs since then have left something."""
    home = homes[1]
    where = journal_of(store, home)
    old, other = begun(store, "1"), begun(store, "2", OTHER)
    swept = begun(store, "3")
    for number, run in enumerate((old, other, swept)):
        worked(home, run, where, number, ago_s=3 * HOUR_S)
    store.forget_installation(1, [7])
    since(store, 2 * HOUR_S)
    new = begun(store, "4")
    worked(home, new, where, 4, ago_s=3 * HOUR_S)  # this server's clock is behind
    with opened(where, new) as journal:  # it goes on
        assert housekeeping(store, home).catch_up() == 1
        asyncio.run(paid(journal, new, 5))
    kept = [trace_of(home, run).exists() for run in (old, other, swept, new)]
    assert kept == [False, True, False, True]
    assert [is_kept(where, new, number) for number in (0, 1, 2, 4, 5)] == [
        False, True, False, True, True,
    ]  # fmt: skip
    for repository in (REPO, OTHER):  # fetched since
        assert place_of(home, GITHUB_COM, repository).exists()
        assert history_of(home, GITHUB_COM, repository).exists()


def test_what_was_fetched_before_goes_although_the_repository_is_back(
    store: Store, homes: tuple[Path, Path]
) -> None:
    home = homes[0]
    worked(home, begun(store, "1"), journal_of(store, home))
    used(home, REPO, 2 * HOUR_S)
    store.forget_installation(1, [7])
    begun(store, "2")
    since(store, HOUR_S)
    read, unread = place_of(home, GITHUB_COM, REPO), history_of(home, GITHUB_COM, REPO)
    with in_use(read):
        assert housekeeping(store, home).catch_up() == 1
    assert read.exists() and not unread.exists()


def test_a_trace_of_a_run_that_is_swept_by_now_is_told_by_when_it_began(
    store: Store, homes: tuple[Path, Path]
) -> None:
    home = homes[0]
    store.forget_installation(1, [7], names=[REPO])
    since(store, HOUR_S)
    begun(store, "1")
    gone = NewRun("f" * 16, 1, 7, REPO, 1, "o", "{}", "a", "f")  # no row is left of it
    worked(home, gone, journal_of(store, home))
    housekeeping(store, home).catch_up()
    assert trace_of(home, gone).exists()
    store.forget_installation(1, [7])
    housekeeping(store, home).catch_up()
    assert not trace_of(home, gone).exists()


def test_what_a_terminal_left_is_its_users(store: Store, homes: tuple[Path, Path]) -> None:
    home = homes[0]
    first = about(f"{REPO}#1", "a" * 40, "b" * 40, asking())
    with recording(first, home, print) as trace:
        trace.see(Note("x"))
    begun(store, "1")
    store.forget_installation(1)
    assert housekeeping(store, home).catch_up() == 1
    assert (folder_of(home) / f"{first.run}.jsonl").exists()


# When ---------------------------------------------------------------------------------------------


def test_each_server_does_it_once_and_again_when_what_was_under_way_is_over(
    store: Store, homes: tuple[Path, Path]
) -> None:
    home = homes[0]
    run = begun(store, "1")
    store.forget_installation(1)
    assert [housekeeping(store, home).catch_up() for _ in range(2)] == [1, 0]
    worked(home, run, journal_of(store, home))  # an engine that did not know it yet
    assert housekeeping(store, home).catch_up() == 0
    (done,) = json.loads((home / DONE).read_text())
    early = time.time() - AGAIN_S
    (home / DONE).write_text(json.dumps({done: early, "of another database": early}))
    since(store, AGAIN_S)
    assert [housekeeping(store, home).catch_up() for _ in range(2)] == [1, 0]
    assert names_under(home, "hello") == [] and not is_kept(journal_of(store, home), run)
    assert list(json.loads((home / DONE).read_text())) == [done]
    for damaged in (b"", b"\xff", b"[]", b'{"a": {}}'):
        (home / DONE).write_bytes(damaged)
        assert housekeeping(store, home).catch_up() == 1


def test_what_cannot_be_removed_now_keeps_nothing_else_and_is_tried_again(
    store: Store, homes: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = homes[0]
    run = begun(store, "1")
    worked(home, run, journal_of(store, home))
    store.forget_installation(1)
    monkeypatch.setattr(cache, "LOCK_WAIT_S", 0.0)
    repo = place_of(home, GITHUB_COM, REPO)
    with locked(repo, lambda _: None, lambda: False):
        assert housekeeping(store, home).catch_up() == 0
    assert repo.exists() and not (home / DONE).exists()
    assert not trace_of(home, run).exists() and not is_kept(journal_of(store, home), run)
    assert not history_of(home, GITHUB_COM, REPO).exists()
    assert housekeeping(store, home).catch_up() == 1
    assert names_under(home, "hello") == []


def aged(home: Path) -> None:
    """Let nobody have used what lies there for longer than the store remembers."""
    long_ago = time.time() - FORGOTTEN_S - HOUR_S
    for path in home.rglob("*"):
        os.utime(path, (long_ago, long_ago))


def known_since(store: Store, ago_s: float) -> None:
    store.watch(1, [IDS[REPO]])
    with store.database.write() as db:
        db.execute(update(WATCHED).values(since=time.time() - ago_s))


def test_a_server_that_was_down_for_longer_than_the_store_remembers_tidies_up_at_its_start(
    store: Store, homes: tuple[Path, Path]
) -> None:
    home = homes[0]
    stays, goes = begun(store, "1"), begun(store, "2", OTHER, 2)
    for run in (stays, goes):
        worked(home, run, home / "journal.sqlite")
    store.forget_installation(2)
    known_since(store, FORGOTTEN_S + HOUR_S)
    with store.database.write() as db:
        db.execute(delete(FORGOTTEN))  # which this server has never seen
    recent = housekeeping(store, home)
    assert recent.left_over() == 0  # what was used lately may be anybody's
    aged(home)
    assert recent.left_over() == 0  # once in a process
    assert housekeeping(store, home).left_over() == 3
    assert names_under(home, "other") == []
    assert not trace_of(home, goes).exists()
    assert place_of(home, GITHUB_COM, REPO).exists() and trace_of(home, stays).exists()
    assert len(list((home / "cache").rglob("*.db"))) == 2


@pytest.mark.parametrize("why", ["young", "empty", "terminal"])
def test_what_nobody_can_tell_about_stays(store: Store, homes: tuple[Path, Path], why: str) -> None:
    """Another store than before knows nothing of what lies here."""
    home = homes[0]
    goes = begun(store, "2", OTHER, 2)
    if why == "terminal":
        goes = replace(goes, id="20261126-145003-x7q2")
    worked(home, goes, home / "journal.sqlite")
    store.forget_installation(2)
    with store.database.write() as db:
        db.execute(delete(FORGOTTEN))
    if why != "empty":
        begun(store, "1")
        known_since(store, FORGOTTEN_S - HOUR_S if why == "young" else FORGOTTEN_S + HOUR_S)
    aged(home)
    housekeeping(store, home).left_over()
    assert trace_of(home, goes).exists()
    assert place_of(home, GITHUB_COM, OTHER).exists() == (why != "terminal")


def test_whoever_waits_for_a_repository_that_goes_has_it_alone(tmp_path: Path) -> None:
    repo = place_of(tmp_path, GITHUB_COM, REPO)
    with locked(repo, lambda _: None, lambda: False):
        repo.mkdir()
    waits, has, leave = threading.Event(), threading.Event(), threading.Event()

    def fetch() -> None:
        with locked(repo, lambda _: waits.set(), lambda: False):
            repo.mkdir()
            has.set()
            leave.wait(30)

    thread = threading.Thread(target=fetch)

    def is_wanted() -> bool:
        thread.start()
        return not waits.wait(30)

    assert cache.forget(repo, is_wanted, time.time(), lambda: False)
    assert has.wait(30)
    with pytest.raises(cache.Stopped), locked(repo, lambda _: None, lambda: True):
        pass
    leave.set()
    thread.join()
    assert repo.is_dir()
