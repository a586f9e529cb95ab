"""The store: what it promises to the webhook, to workers and to runs, with real files and threads."""

import re
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Table, create_engine, delete, func, insert, inspect, select, text, update

from app.jobs import Command, Look, Reply, Rerun, Step, step
from app.measures import CLOCK
from app.store import (
    ENGINE,
    GITHUB,
    OPEN,
    PUBLISH,
    REVIEW,
    Begun,
    Dismissed,
    Job,
    NewJob,
    NewRun,
    Request,
    Spent,
    Stacked,
    Store,
)
from app.store.before_alembic import STEPS
from app.store.jobs import LONGEST_S
from app.store.schema import FIRST, MIGRATIONS, REVISION, TAKEN_OVER
from app.store.tables import (
    CARRIED,
    DELIVERIES,
    FINDINGS,
    FORGOTTEN,
    JOBS,
    METADATA,
    PLANS,
    REQUESTS,
    RUNS,
    SPENDING,
    STACKED,
    TRACES,
)
from reviewer.errors import RetryLater, RlmError, TellUser
from tests.postgres import Postgres, postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(params=["file", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a store is: each promise holds in a file and in PostgreSQL."""
    if request.param == "file":
        return tmp_path / "home" / "rlm.sqlite3"
    server: Postgres = request.getfixturevalue("server")
    return server.database()


@pytest.fixture
def store(where: Path | str) -> Iterator[Store]:
    with closing(Store(where)) as store:
        yield store


def look(number: int = 1, trigger: str = "opened") -> NewJob:
    return Look(
        installation=1,
        repository_id=7,
        repository="octo/hello",
        number=number,
        trigger=trigger,  # type: ignore[arg-type]
    ).job()


def command(number: int = 1, comment: int = 5) -> NewJob:
    return Command(
        installation=1,
        repository_id=7,
        repository="octo/hello",
        number=number,
        comment_id=comment,
        body="/rlm review",
        sender="alice",
    ).job()


def new_run(name: str = "0123456789abcdef", origin: str = "head:a:b", head: str = "b") -> NewRun:
    return NewRun(
        id=name,
        installation=1,
        repository_id=7,
        repository="octo/hello",
        number=1,
        origin=origin,
        request='{"trigger": "opened"}',
        base="a" * 40,
        head=head * 40,
    )


def claimed(store: Store, role: str = GITHUB, worker: str = "github") -> Job:
    job = store.claim(role, worker, 60)
    assert job is not None
    return job


def begun(store: Store, name: str = "0123456789abcdef", origin: str = "head:a:b") -> NewRun:
    run = new_run(name, origin)
    assert store.begin(run, step(OPEN, run), "superseded")
    return run


# Deliveries


def test_a_delivery_is_stored_once(store: Store) -> None:
    assert store.accept("one", look())
    assert not store.accept("one", look())
    assert not store.accept("one", None)
    assert store.waiting(GITHUB) == 1


def test_an_accepted_delivery_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "rlm.sqlite3"
    code = (
        "import os, sys, signal\n"
        "from pathlib import Path\n"
        "from app.store import *\n"
        "store = Store(Path(sys.argv[1]))\n"
        "store.accept('one', NewJob(GITHUB, 'look', 'k', '{}'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    store = Store(path)
    assert not store.accept("one", None)
    assert claimed(store).payload == "{}"


def test_many_threads_store_each_delivery_once(store: Store) -> None:
    stored: list[str] = []

    def deliver() -> None:
        for number in range(50):
            if store.accept(f"guid-{number}", look(number + 1)):
                stored.append(f"guid-{number}")

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(stored) == sorted(f"guid-{number}" for number in range(50))
    assert store.waiting(GITHUB) == 50


def test_a_delivery_that_cannot_be_stored_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "rlm.sqlite3"
    store = Store(path)
    other = sqlite3.connect(path)
    other.execute("CREATE TRIGGER no BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(TellUser):
        store.accept("one", look())
    other.execute("DROP TRIGGER no")
    assert store.accept("one", look())


# Requests of workflows


def request(name: str = "a" * 32, number: int = 1) -> Request:
    return Request(name, 7, number, 0)


def test_a_request_is_stored_once_with_its_job_and_answered_once(store: Store) -> None:
    assert store.ask(request(), look()) and not store.ask(request(number=2), look())
    assert store.waiting(GITHUB) == 1
    assert store.request("a" * 32) == request() and store.request("b" * 32) is None
    store.answer("a" * 32, run="0123456789abcdef")
    store.answer("a" * 32, why="later", failed=True)
    there = store.request("a" * 32)
    assert there is not None
    assert (there.state, there.run, there.why) == ("answered", "0123456789abcdef", "")


def test_threads_that_ask_for_the_same_are_one_request(store: Store) -> None:
    new: list[bool] = []
    threads = [
        threading.Thread(target=lambda: new.append(store.ask(request(), look()))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == [False] * 7 + [True]
    assert store.waiting(GITHUB) == 1


def test_requests_are_counted_by_repository_and_forgotten_with_it(store: Store) -> None:
    before = time.time() - 1
    for digit in "abc":
        store.ask(request(digit * 32), look())
    assert store.requests_since(7, before) == 3
    assert store.requests_since(8, before) == store.requests_since(7, time.time() + 60) == 0
    store.forget_installation(1, [7])
    assert store.requests_since(7, before) == 0


def test_a_verdict_outlives_its_report(store: Store) -> None:
    run = begun(store)
    store.ended(claimed(store), run.id, "posted", verdict='{"status": "complete"}')
    there = store.run(run.id)
    assert there is not None
    assert (there.report, there.verdict) == ("", '{"status": "complete"}')


# Jobs


def test_no_two_jobs_of_a_pull_request_are_done_at_a_time(store: Store) -> None:
    store.put(look(1), look(1), look(2))
    first, second = claimed(store), claimed(store)
    assert {first.key, second.key} == {"pull:7:1", "pull:7:2"}
    assert store.claim(GITHUB, "github", 60) is None
    store.done(first)
    assert claimed(store).key == "pull:7:1"


def test_threads_and_processes_never_claim_the_same_job(where: Path | str) -> None:
    Store(where).put(*(look(number) for number in range(1, 101)))
    claims: list[int] = []

    def take() -> None:
        with closing(Store(where)) as store:  # as another process would
            while (job := store.claim(GITHUB, "github", 60)) is not None:
                claims.append(job.id)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claims) == list(range(1, 101))


def test_a_command_goes_before_what_nobody_waits_for(store: Store) -> None:
    store.put(look(1), look(2), command(3))
    assert claimed(store).kind == "command"


def test_what_anybody_can_write_goes_before_nothing(store: Store) -> None:
    said = Reply(
        installation=1,
        repository_id=7,
        repository="octo/hello",
        number=3,
        comment_id=5,
        thread=4,
        body="Nice!",
        sender="mallory",
    )
    store.put(look(1), said.job(), command(2))
    assert [claimed(store).kind for _ in range(3)] == ["command", "look", "reply"]


def test_a_job_waits_for_its_time(store: Store) -> None:
    store.put(NewJob(GITHUB, "look", "k", "{}", not_before=time.time() + 0.2))
    assert store.claim(GITHUB, "github", 60) is None
    time.sleep(0.25)
    assert claimed(store).kind == "look"


def test_a_push_waits_for_the_next_push(store: Store) -> None:
    store.put(look(1, "pushed"))
    assert store.claim(GITHUB, "github", 60) is None
    store.put(look(1, "opened"))
    assert claimed(store).kind == "look"


def test_what_a_dead_process_had_claimed_comes_back_at_its_next_start(store: Store) -> None:
    store.put(look(1), look(2))
    mine, other = claimed(store, worker="github"), claimed(store, worker="github-2")
    assert store.recover("github") == 1
    again = claimed(store)
    assert (again.id, again.attempts) == (mine.id, 2)
    assert store.claim(GITHUB, "github", 60) is None
    assert other.id != mine.id


def test_a_claim_without_a_sign_of_life_runs_out(store: Store) -> None:
    store.put(look())
    job = store.claim(GITHUB, "github", 0.1)
    assert job is not None
    store.renew("github", 0.3)
    time.sleep(0.15)
    assert store.claim(GITHUB, "other", 60) is None
    time.sleep(0.2)
    taken = store.claim(GITHUB, "other", 60)
    assert taken is not None
    assert taken.id == job.id


def test_who_lost_a_claim_cannot_end_the_run_again(store: Store) -> None:
    run = begun(store)
    slow = store.claim(GITHUB, "slow", 0.0)
    assert slow is not None
    time.sleep(0.01)
    quick = claimed(store, worker="quick")
    assert quick.id == slow.id
    store.shown(quick, run.id, 11, step(REVIEW, run))
    store.shown(slow, run.id, 22, step(REVIEW, run))
    stored = store.run(run.id)
    assert stored is not None
    assert stored.check_run == 11
    assert store.waiting(ENGINE) == 1


def test_who_lost_a_claim_cannot_give_the_job_away(store: Store) -> None:
    store.put(look())
    slow = store.claim(GITHUB, "slow", 0.0)
    assert slow is not None
    time.sleep(0.01)
    claimed(store, worker="quick")
    store.again(slow, "later", 0.0)
    store.fail(slow, "never")
    assert store.claim(GITHUB, "third", 60) is None
    assert store.waiting(GITHUB) == 1


def test_a_job_put_back_counts_as_an_attempt_or_not(store: Store) -> None:
    store.put(look())
    store.again(claimed(store), "later", 0.0)
    store.again(claimed(store), "not its fault", 0.0, counts=False)
    assert claimed(store).attempts == 2


def test_a_failed_job_is_kept_with_its_reason_and_not_done_again(store: Store) -> None:
    store.put(look(1), look(1))
    store.fail(claimed(store), "nobody can")
    assert store.waiting(GITHUB) == 1
    claimed(store)  # the next one of the same pull request is not held up


def test_an_end_and_what_follows_are_one_step(store: Store) -> None:
    store.put(look(1))
    job = claimed(store)
    store.done(job, look(2), look(3))
    assert store.waiting(GITHUB) == 2
    store.done(job, look(4))  # ended already, by somebody else
    assert store.waiting(GITHUB) == 2


# Runs


def test_what_asks_twice_begins_one_run(store: Store) -> None:
    run = begun(store)
    assert not store.begin(new_run("f" * 16), step(OPEN, run), "superseded")
    assert [one.id for one in store.runs_of(7, 1)] == [run.id]
    assert store.waiting(GITHUB) == 1


def test_a_new_run_stops_the_one_before(store: Store) -> None:
    first = begun(store)
    second = begun(store, "f" * 16, "comment:5")
    assert store.stopped(first.id) == "superseded"
    assert store.stopped(second.id) == ""
    assert [run.id for run in store.runs_of(7, 1)] == [second.id, first.id]


def test_a_stopped_run_that_waits_for_an_engine_is_over_at_once(store: Store) -> None:
    run = begun(store)
    store.shown(claimed(store), run.id, 11, step(REVIEW, run))
    assert store.stop(7, 1, "somebody asked") == 1
    assert store.claim(ENGINE, "engine-1", 60) is None
    job = claimed(store)
    assert (job.kind, Step.model_validate_json(job.payload).run) == (PUBLISH, run.id)


def test_two_jobs_begin_a_run_beside_each_other(store: Store) -> None:
    run = new_run("0123456789abcdef", "head:a:b")
    assert store.begin(run, step(REVIEW, run), "superseded", beside=step(OPEN, run))
    assert (store.waiting(GITHUB), store.waiting(ENGINE)) == (1, 1)
    assert store.waits(step(OPEN, run))
    shows = claimed(store)
    assert store.waits(step(OPEN, run)), "somebody is at it"
    store.shown(shows, run.id, 11, step(REVIEW, run))
    assert not store.waits(step(OPEN, run))
    assert (store.waiting(GITHUB), store.waiting(ENGINE)) == (0, 1), "it is reviewed once"
    store.reviewed(claimed(store, ENGINE), run.id, step(PUBLISH, run), report="{}")
    assert (store.waiting(GITHUB), store.waiting(ENGINE)) == (1, 0)


def test_the_first_reason_to_stop_stands(store: Store) -> None:
    run = begun(store)
    store.stop(7, 1, "the first")
    store.stop(7, 1, "the second")
    assert store.stopped(run.id) == "the first"


def test_an_ended_run_is_not_stopped(store: Store) -> None:
    run = begun(store)
    store.ended(claimed(store), run.id, "posted")
    assert store.stop(7, 1, "too late") == 0
    assert store.stopped(run.id) == ""
    assert store.open_runs() == []


def test_only_the_claimant_of_a_review_is_known(store: Store) -> None:
    run = begun(store)
    store.shown(claimed(store), run.id, None, step(REVIEW, run))
    assert store.claimant(f"run:{run.id}") == ""
    job = claimed(store, ENGINE, "engine-2")
    assert store.claimant(f"run:{run.id}") == "engine-2"
    store.reviewed(job, run.id, step(PUBLISH, run), report="{}")
    assert store.claimant(f"run:{run.id}") == ""
    stored = store.run(run.id)
    assert stored is not None
    assert (stored.report, stored.problem, stored.state) == ("{}", "", "open")


def test_a_rerun_finds_its_runs_by_commit(store: Store) -> None:
    run = begun(store)
    assert [one.id for one in store.runs_on(7, "b" * 40)] == [run.id]
    assert store.runs_on(8, "b" * 40) == []
    job = Rerun(
        installation=1, repository_id=7, repository="octo/hello", head="b" * 40, event_id="x"
    ).job()
    assert job.key == f"commit:7:{'b' * 40}"


# The file


def test_the_file_is_for_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "home" / "rlm.sqlite3"
    Store(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("version", [TAKEN_OVER, 99])
def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path, version: int) -> None:
    path = tmp_path / "rlm.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(TellUser, match="newer version"):
        Store(path)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_what_a_newer_program_migrated_is_left_alone(where: Path | str) -> None:
    with closing(Store(where)) as store, store.database.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(TellUser, match="newer version"):
        Store(where)


def test_the_newest_migration_is_what_the_program_says() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [REVISION]


def shape(store: Store) -> set[tuple[str, str]]:
    """What SQLite has: tables with their columns, and indexes with theirs."""
    with store.database.read() as db:
        found = inspect(db)
        columns = {
            (
                table,
                f"{column['name']} default {str(column['default']).split('::')[0].strip(chr(39))}",
            )
            for table in found.get_table_names()
            for column in found.get_columns(table)
        }
        indexes = {
            (table, f"{index['name']} on {index['column_names']}")
            for table in found.get_table_names()
            for index in found.get_indexes(table)
        }
        keys = {
            (table, f"key {found.get_pk_constraint(table)['constrained_columns']}")
            for table in found.get_table_names()
        }
        unique = {
            (table, f"unique {one['column_names']}")
            for table in found.get_table_names()
            for one in found.get_unique_constraints(table)
        }
    return columns | indexes | keys | unique


FIRST_TABLES = set(re.findall(r"CREATE TABLE (\w+)", "".join(STEPS)))
"""What columns hold was told apart less finely in those of files."""


def first_tables(where: Path | str) -> None:
    """Make the tables as they were before the first migration, in a file or in PostgreSQL."""
    if isinstance(where, Path):
        where.parent.mkdir(exist_ok=True)
        with sqlite3.connect(where) as old:
            for step in STEPS:
                old.executescript(step)
            old.execute(f"PRAGMA user_version = {len(STEPS)}")
        return
    script = "".join(STEPS).replace(" WITHOUT ROWID", "").replace(" REAL", " DOUBLE PRECISION")
    script = script.replace("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGSERIAL PRIMARY KEY")
    script = script.replace(" INTEGER", " BIGINT")
    # Names that PostgreSQL gives by itself, and those that this program gives.
    names = """
        SELECT conrelid::regclass AS of, conname AS name, contype::text AS kind FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'c')
    """
    wanted = {"p": "pk_{}", "u": "uq_{}_repository_id_number_origin", "c": "ck_{}_state"}
    with create_engine(where.replace("postgresql:", "postgresql+psycopg:")).begin() as db:
        db.exec_driver_sql(script)
        for one in db.execute(text(names)).all():
            name = wanted[one.kind].format(one.of)
            db.exec_driver_sql(f"ALTER TABLE {one.of} RENAME CONSTRAINT {one.name} TO {name}")
        db.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        db.execute(text("INSERT INTO alembic_version VALUES (:first)"), {"first": FIRST})


def types(store: Store) -> dict[tuple[str, str], str]:
    """What the columns hold, by table and name."""
    with store.database.read() as db:
        found = inspect(db)
        return {
            (table, column["name"]): str(column["type"])
            for table in found.get_table_names()
            for column in found.get_columns(table)
        }


def test_migrated_tables_are_those_of_the_program(
    where: Path | str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The whole chain of migrations, from the first tables to the newest, on both databases."""
    empty: Path | str = tmp_path / "new.sqlite3"
    if isinstance(where, str):
        empty = request.getfixturevalue("server").database()
    first_tables(where)
    with closing(Store(where)) as store, store.database.write() as db:
        assert db.scalar(text("SELECT version_num FROM alembic_version")) == REVISION
    with closing(Store(empty)) as new, closing(Store(where)) as migrated:
        assert shape(migrated) == shape(new)
        before = set(re.findall(r"^    (\w+) |ADD COLUMN (\w+)", "".join(STEPS), re.MULTILINE))
        old = {name for both in before for name in both}
        kinds = types(migrated)
        for (table, name), kind in types(new).items():
            was_there = table in FIRST_TABLES and name in old
            assert kinds[table, name] == kind or was_there, f"{table}.{name}"
        assert {table for table, _ in shape(new)} == {*METADATA.tables, "alembic_version"}
    assert REVISION != FIRST  # else nothing was migrated


def test_a_migration_keeps_what_people_dismissed_and_learns_of_repositories(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rlm.sqlite3"
    with sqlite3.connect(path) as old:
        for step in STEPS:
            old.executescript(step)
        for finding, forgotten in (("a", 0), ("b", 1)):
            old.execute(
                "INSERT INTO dismissals VALUES (7, ?, 'a.py', 'It leaks', 'alice', 'u', 5, ?)",
                (finding, forgotten),
            )
        old.execute(
            "INSERT INTO runs (id, installation, repository_id, repository, number, origin, "
            "request, base, head, state, created) VALUES ('r', 1, 7, 'o/r', 1, 'x', '{}', 'b', 'h',"
            " 'ended', 0)"
        )
        old.execute(f"PRAGMA user_version = {len(STEPS)}")
    with closing(Store(path)) as store:
        (kept,), (gone,) = store.dismissed(7), store.forgotten(7)
        assert (kept.finding, kept.who, gone.finding) == ("a", "alice", "b")
        assert store.repositories_in(1) == {"o/r"}


def test_a_longer_key_of_dismissals_is_made_in_each_database(store: Store) -> None:
    before = """
        DROP TABLE repositories;
        DROP TABLE dismissals;
        CREATE TABLE dismissals (
            repository_id BIGINT, finding TEXT, path TEXT, title TEXT, who TEXT, url TEXT,
            since DOUBLE PRECISION, forgotten INTEGER,
            CONSTRAINT pk_dismissals PRIMARY KEY (repository_id, finding)
        );
        INSERT INTO dismissals VALUES (7, 'a', 'a.py', 'It leaks', 'alice', 'u', 5, 0)
    """
    begun(store)
    wanted = shape(store)
    # Later migrations stand: only this one is done again.
    migration = ScriptDirectory(str(MIGRATIONS)).get_revision("0010").module
    later = ScriptDirectory(str(MIGRATIONS)).get_revision("0022").module
    with store.database.write() as db:
        for statement in before.split(";\n"):
            db.execute(text(statement))
        with Operations.context(MigrationContext.configure(db)):
            migration.upgrade()
            later.upgrade()  # it adds columns to that table
    assert shape(store) == wanted
    store.dismiss(7, Dismissed("a", "a.py", "It leaks", "bob", "v"))
    assert [one.who for one in store.dismissed(7)] == ["alice"]
    assert store.repositories_in(1) == {"octo/hello"}


def test_what_is_stacked_outlives_a_state_more(store: Store) -> None:
    store.note(Stacked("r1", 7, 1, 5, "rlm-fix-1", "a" * 40, "fix", onto="b" * 40))
    store.update("r1", state="undone", rounds=2, undone_by=9)
    known, wanted = store.stacked("r1"), shape(store)
    migration = ScriptDirectory(str(MIGRATIONS)).get_revision("0019").module
    with store.database.write() as db, Operations.context(MigrationContext.configure(db)):
        migration.upgrade()
    assert shape(store) == wanted and store.stacked("r1") == known
    store.update("r1", state="merged")
    with pytest.raises(RlmError):
        store.update("r1", state="gone")  # type: ignore[arg-type]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rlm.sqlite3"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(TellUser, match="damaged"):
        Store(path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "rlm.sqlite3").mkdir()
    with pytest.raises(TellUser, match="cannot be"):
        Store(tmp_path / "rlm.sqlite3")


def test_two_starts_at_once_make_one_file(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def start() -> None:
        try:
            Store(tmp_path / "rlm.sqlite3").accept(threading.current_thread().name, look())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Store(tmp_path / "rlm.sqlite3").waiting(GITHUB) == 6


def test_who_lives_and_what_is_missing_is_known(store: Store) -> None:
    store.beat("github", "no App")
    store.beat("engine-1")
    store.beat("github", "")
    names = {worker.name: worker.problem for worker in store.workers()}
    assert names == {"github": "", "engine-1": ""}
    assert all(time.time() - worker.seen < 5 for worker in store.workers())


def test_a_report_is_kept_no_longer_than_its_run_and_not_listed(store: Store) -> None:
    run = new_run()
    store.begin(run, step(REVIEW, run), "x")
    job = store.claim(ENGINE, "engine-1", 60)
    assert job is not None
    store.reviewed(job, run.id, step(PUBLISH, run), report="r" * 1_000)
    kept = store.run(run.id)
    assert kept is not None and len(kept.report) == 1_000
    listed = [*store.runs_of(7, run.number), *store.runs_on(7, run.head), *store.open_runs()]
    assert [one.report for one in listed] == ["", "", ""]
    last = store.claim(GITHUB, "github", 60)
    assert last is not None
    store.ended(last, run.id, "posted")
    kept = store.run(run.id)
    assert kept is not None and (kept.report, kept.outcome) == ("", "posted")


def test_old_runs_and_lost_jobs_are_forgotten(store: Store) -> None:
    run = new_run()
    store.begin(run, step(PUBLISH, run), "x")
    job = store.claim(GITHUB, "github", 60)
    assert job is not None
    store.ended(job, run.id, "posted")
    store.put(look())
    lost = store.claim(GITHUB, "github", 60)
    assert lost is not None
    store.fail(lost, "why")
    store.accept("0", None)
    assert store.run(run.id) is not None
    with store.database.write() as db:
        db.execute(update(RUNS).values(created=time.time() - 3 * 86_400))
        db.execute(update(JOBS).values(created=time.time() - 3 * 86_400))
    store._swept = 0.0
    store.accept("2", None)
    assert store.run(run.id) is not None
    store._swept, store.kept_s = 0.0, 2 * 86_400.0
    store.accept("1", None)
    assert store.run(run.id) is None
    with store.database.read() as db:
        assert db.scalar(select(func.count()).select_from(JOBS)) == 0


def test_what_is_too_old_is_swept_to_its_end_and_the_rest_stays(store: Store) -> None:
    """More of it than one step takes, of each table that has a limit."""
    now, number = time.time(), 1_200
    day = 86_400.0
    ages = {"young": 0.0, "month": 40.0, "year": 500.0}
    with store.database.write() as db:
        for name, days in ages.items():
            at, each = now - days * day, range(number if name == "year" else 1)
            month = time.strftime("%Y-%m", time.gmtime(at))
            said = {"number": 1, "run": "r", "severity": "high", "category": "bug", "said": at}
            on = {"number": 1, "stacked": 2, "branch": "b", "head": "h", "task": "fix"}
            rows: dict[Table, list[dict[str, object]]] = {
                DELIVERIES: [{"id": f"{name}{n}", "received": at} for n in each],
                FINDINGS: [
                    said
                    | {"repository_id": 7, "finding": f"{name}{n}", "state": "open", "changed": at}
                    for n in each
                ],
                STACKED: [
                    on | {"run": f"{name}{n}", "repository_id": 7, "since": at} for n in each
                ],
                PLANS: [
                    {"run": f"{name}{n}", "installation": 1, "repository_id": 7, "number": 1}
                    | {"repository": "octo/hello", "comment": 5, "digest": "d", "since": at}
                    for n in each
                ],
                REQUESTS: [
                    {"id": f"{name}{n}", "repository_id": 7, "number": 1, "comment": 0}
                    | {"created": at}
                    for n in each
                ],
                SPENDING: [{"installation": n, "month": month, "usd": 1.0} for n in each],
                CARRIED: [{"repository_id": n, "month": month, "usd": 1.0} for n in each],
            }
            for table, values in rows.items():
                db.execute(insert(table), values)
    kept = {DELIVERIES: 1, FINDINGS: 2, STACKED: 2, PLANS: 2, REQUESTS: 1, SPENDING: 2, CARRIED: 1}
    with store.database.read() as db:
        before = sum(db.scalar(select(func.count()).select_from(table)) or 0 for table in kept)
    assert store.sweep() == before - sum(kept.values())
    with store.database.read() as db:
        left = {table: db.scalar(select(func.count()).select_from(table)) for table in kept}
    assert left == kept
    assert store.sweep() == 0


def test_what_was_dismissed_is_remembered_and_may_be_forgotten(store: Store) -> None:
    one = Dismissed("0" * 12, "a.py", "It leaks", "alice", "https://x/1")
    other = Dismissed("0" * 12, "a.py", "It leaks", "bob", "https://x/2")
    store.dismiss(7, one, other)
    assert store.dismissed(7) == [one] and store.dismissed(8) == []
    assert store.forget(7, "0" * 12) and not store.forget(7, "1" * 12)
    store.dismiss(7, one, other)
    assert store.dismissed(7) == [] and store.forgotten(7) == [one, other]
    assert store.forget(7, "0" * 12), "to be asked twice is no mistake"


def test_what_was_dismissed_is_about_is_noted_later_too_and_its_reason_goes(store: Store) -> None:
    known = Dismissed("0" * 12, "a.py", "high: It leaks", "alice", "https://x/1")
    store.dismiss(7, known)
    about = replace(known, title="It leaks", category="resources", severity="high", reason="open")
    store.dismiss(7, about)
    store.dismiss(7, replace(about, reason="another"))
    store.dismiss(7, known)
    assert store.dismissed(7) == [about]
    store.forget(7, "0" * 12)
    store.dismiss(7, about)
    assert store.forgotten(7) == [replace(about, reason="")]


def test_other_words_dismiss_anew_what_was_forgotten(store: Store) -> None:
    one = Dismissed("0" * 12, "a.py", "It leaks", "alice", "https://x/1")
    store.dismiss(7, one)
    store.forget(7, "0" * 12)
    again = Dismissed("0" * 12, "a.py", "It leaks", "alice", "https://x/3")
    store.dismiss(7, one, again)
    assert store.dismissed(7) == [again] and store.forgotten(7) == [one]


def test_what_people_said_goes_with_the_installation_however_old_its_runs_are(store: Store) -> None:
    run = begun(store)
    store.ended(claimed(store), run.id, "posted")
    said = Dismissed("0" * 12, "a.py", "It leaks", "alice", "https://x/1")
    for repository in (run.repository_id, 8):
        store.dismiss(repository, said)
        store.pause(repository, 1, "alice")
    with store.database.write() as db:
        db.execute(delete(RUNS))
    assert store.repositories_in(1) == store.repositories_in(1, [7]) == {"octo/hello"}
    assert store.repositories_in(2) == store.repositories_in(1, [8]) == frozenset()
    store.forget_installation(2)
    assert store.dismissed(7) == [said]
    store.forget_installation(1)
    assert store.dismissed(7) == [] and not store.paused_by(7, 1)
    assert store.dismissed(8) == [said] and store.paused_by(8, 1)
    assert store.repositories_in(1) == frozenset()


def test_a_repository_that_moved_keeps_what_was_said_there(store: Store) -> None:
    run = begun(store)
    moved = replace(new_run("f" * 16, "head:c:d"), installation=2, repository="other/hello")
    store.begin(moved, step(OPEN, moved))
    said = Dismissed("0" * 12, "a.py", "It leaks", "alice", "https://x/1")
    store.dismiss(run.repository_id, said)
    store.forget_installation(1)
    assert store.dismissed(7) == [said]
    store.forget_installation(2)
    assert store.dismissed(7) == []


def test_a_pause_and_what_runs_cost(store: Store) -> None:
    assert store.paused_by(7, 1) == ""
    assert store.pause(7, 1, "alice") and not store.pause(7, 1, "bob")
    assert (store.paused_by(7, 1), store.paused_by(7, 2)) == ("alice", "")
    assert store.resume(7, 1) and not store.resume(7, 1)
    assert store.spent(7, 1) == Spent(0, 0, 0.0, 0)


def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "rlm.sqlite3"
    with sqlite3.connect(path) as db:
        db.executescript(STEPS[0])
        db.execute(
            "INSERT INTO runs (id, installation, repository_id, repository, number, origin, "
            "request, base, head, state, created) VALUES ('r', 1, 7, 'o/r', 1, 'x', '{}', 'b', 'h',"
            " 'open', 0)"
        )
        db.execute(
            "INSERT INTO jobs (role, kind, key, payload, priority, not_before, state, created) "
            "VALUES ('github', 'look', 'k', '{}', 0, 0, 'waiting', 0)"
        )
        db.execute("PRAGMA user_version = 1")
    store = Store(path)
    (run,) = store.open_runs()
    assert (run.id, run.kind) == ("r", "review")
    assert store.paused_by(7, 1) == "" and store.dismissed(7) == []
    store.put(NewJob(GITHUB, "look", "k2", "{}", installation=1))
    claimed = [store.claim(GITHUB, "w", 60.0) for _ in range(2)]
    assert [job.key for job in claimed if job] == ["k", "k2"]
    store.close()


CLAIMED = 0
"""Jobs released at a time where none is: whoever works asks the store."""

taken = pytest.mark.parametrize("most", [CLAIMED, 1])
"""How jobs are taken: claimed, or over the queue, which is told of so many at a time."""


def served(store: Store, number: int, most: int = CLAIMED) -> list[str]:
    """Do so many jobs, one after the other; return whose they were."""
    return [kind for kind, _ in done_in_turn(store, number, most)]


def done_in_turn(store: Store, number: int, most: int) -> Iterator[tuple[str, str]]:
    """Do so many jobs, one after the other; yield kind and key of each when it is done."""
    told: list[Job] = []
    for left in range(number, 0, -1):
        if most and not told:
            told = store.release(ENGINE, min(most, left))
        job = store.claim_one(told.pop(0).id, "w", 60.0) if most else store.claim(ENGINE, "w", 60.0)
        assert job is not None
        store.done(job)
        yield job.kind, job.key


def wanted(installation: int, number: int, priority: int = 0) -> NewJob:
    key = f"{installation}:{number}:{priority}"
    return NewJob(ENGINE, f"of {installation}", key, "{}", priority, installation=installation)


@taken
def test_a_flood_from_one_installation_waits_behind_itself(store: Store, most: int) -> None:
    store.put(*(wanted(1, number) for number in range(50)))
    assert served(store, 10, most) == ["of 1"] * 10
    store.put(*(wanted(2, number) for number in range(3)), wanted(3, 0))
    assert served(store, 7, most) == ["of 2", "of 3", "of 1", "of 2", "of 1", "of 2", "of 1"]
    assert served(store, 37, most) == ["of 1"] * 37
    store.put(wanted(2, 9), wanted(1, 60))  # whoever waited for nothing has saved no turns
    assert served(store, 2, most) == ["of 2", "of 1"]


@taken
def test_what_somebody_asked_for_goes_first_and_in_turn_too(store: Store, most: int) -> None:
    store.put(wanted(1, 0), wanted(2, 0))
    store.put(*(wanted(1, number, 10) for number in range(3)), wanted(2, 1, 10))
    assert served(store, 6, most) == ["of 1", "of 2", "of 1", "of 2", "of 1", "of 1"]


@taken
def test_what_somebody_asked_for_is_not_behind_its_own_pushes(store: Store, most: int) -> None:
    store.put(*(wanted(1, number) for number in range(50)))
    served(store, 10, most)
    store.put(wanted(1, 0, 10), wanted(2, 0))
    assert [key for _, key in done_in_turn(store, 1, most)] == ["1:0:10"]


def test_what_the_queue_is_told_of_at_once_is_shared_out_as_if_one_by_one(store: Store) -> None:
    """What comes later does not wait for all of a flood that was told of, nor a person for it."""
    store.put(*(wanted(1, number) for number in range(50)))
    assert [job.kind for job in store.release(ENGINE, 6)] == ["of 1"] * 6
    store.put(wanted(1, 7, 10), *(wanted(of, 0) for of in (2, 3, 4)), wanted(4, 1, 10))
    store.put(wanted(2, 1), wanted(2, 2))  # who comes late has saved no turns
    told = [job.key for job in store.release(ENGINE, 6)]
    assert sorted(told[:2]) == ["1:7:10", "4:1:10"]  # who asked, before what begins by itself
    assert sorted(told[2:5]) == ["2:0:0", "3:0:0", "4:0:0"]
    assert told[5].startswith("1:")
    assert store.release(ENGINE, 0) == []


@pytest.mark.parametrize("most", [CLAIMED, 6])
@pytest.mark.parametrize("priority", [0, 10])
def test_no_flood_makes_the_others_wait(store: Store, priority: int, most: int) -> None:
    """Whatever one installation asks for: the others' pushes and commands have their turns.

    A larger flood, and more of the others: `python -m benchmarks.app --rows flood`.
    """
    others = range(2, 7)

    def waits(flood: int) -> dict[str, list[int]]:
        store.put(*(wanted(1, number, priority) for number in range(flood)))
        served(store, 1, most)
        store.put(*(wanted(other, number) for number in range(5) for other in others))
        store.put(*(wanted(other, 9, 10) for other in others))
        order = served(store, flood - 1 + 6 * len(others), most)
        assert store.claim(ENGINE, "w", 60.0) is None
        return {
            of: [place for place, done in enumerate(order) if done == of]
            for of in (f"of {other}" for other in others)
        }

    alone, flooded = waits(1), waits(60)
    for of, before in alone.items():
        assert statistics.median(flooded[of]) <= 1.5 * max(statistics.median(before), 1)
        assert flooded[of][0] <= before[0] + 1, "a command waits for one job of the flood at most"


# PostgreSQL


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "postgresql//x", "nonsense", "sqlite:///x", "postgresql://h:x/y"]
)
def test_an_address_of_something_else_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(TellUser, match="DATABASE_URL") as told:
        Store(url)
    assert url not in str(told.value)


def test_a_database_that_is_not_there_is_named_without_its_password(server: Postgres) -> None:
    url = server.url("absent").replace("rlm@", "rlm:hunter2@")
    with pytest.raises(TellUser, match="absent") as told:
        Store(url)
    assert "hunter2" not in f"{told.value} {told.value.hint}"


def test_a_server_that_went_away_is_asked_again_later() -> None:
    with postgres() as own:
        store = Store(own.database())
        assert store.accept("one", look())
        own.stop()
        with pytest.raises(RetryLater, match="does not answer"):
            store.accept("two", look(2))
        with pytest.raises(RetryLater):
            store.claim(GITHUB, "github", 60)
        own.start()
        assert not store.accept("one", None)
        assert store.accept("two", look(2))
        assert {claimed(store).key, claimed(store).key} == {"pull:7:1", "pull:7:2"}
        store.close()


def test_of_one_key_one_job_is_done_at_a_time_however_many_take(where: Path | str) -> None:
    with closing(Store(where)) as store:
        store.put(*(look(1) for _ in range(10)), *(look(2) for _ in range(10)))
        at_work: set[str] = set()
        both: list[str] = []

        def take() -> None:
            for _ in range(60):
                if (job := store.claim(GITHUB, "github", 60)) is not None:
                    if job.key in at_work:
                        both.append(job.key)
                    at_work.add(job.key)
                    time.sleep(0.002)
                    at_work.discard(job.key)
                    store.done(job)

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert both == []
        assert store.waiting(GITHUB) == 0


def test_what_failed_a_while_ago_is_tried_again_and_what_failed_now_is_not(store: Store) -> None:
    store.put(look())
    store.fail(claimed(store), "GitHub was down")
    assert not store.put_if_idle(look())
    with store.database.write() as db:
        db.execute(update(JOBS).values(created=time.time() - 7_200))
    assert store.put_if_idle(look())
    assert not store.put_if_idle(look())


def test_what_was_asked_in_a_repository_goes_with_it(store: Store) -> None:
    begun(store)
    store.done(claimed(store))
    store.put(command())
    store.fail(claimed(store), "nobody can")
    store.put(NewJob(GITHUB, "handed", "pull:7:9", "{}", installation=-3))
    store.put(NewJob(GITHUB, "look", "pull:70:1", "{}", installation=1))
    store.forget_installation(1, [7])
    with store.database.read() as db:
        assert list(db.scalars(select(JOBS.c.key))) == ["pull:70:1"]


def test_a_host_that_cannot_be_found_is_asked_again_later() -> None:
    with pytest.raises(RetryLater, match="does not answer"):
        Store("postgresql://rlm@database.invalid/rlm")


def test_a_job_put_off_by_a_clock_that_ran_ahead_is_due(store: Store) -> None:
    store.put(look())
    job = claimed(store)
    store.again(job, "limited", 50_000.0)  # no pause is that long
    with store.database.read() as db:
        (until,) = db.scalars(select(JOBS.c.not_before))
    assert until - time.time() == pytest.approx(LONGEST_S, abs=60)
    assert store.claim(GITHUB, "w", 60) is None and store.release(GITHUB, 5) == []
    with store.database.write() as db:
        db.execute(update(JOBS).values(not_before=time.time() + LONGEST_S + 3_600))
    assert [one.id for one in store.release(GITHUB, 5)] == [job.id]
    assert store.claim_one(job.id, "w", 60) is not None


# Threads


def threads(*states: str) -> list[Begun]:
    return [
        Begun(at, f"T{at}", "r" * 16, f"{at:012x}", f"https://x/{at}", state)  # type: ignore[arg-type]
        for at, state in enumerate(states, 1)
    ]


def test_what_is_known_of_threads(store: Store) -> None:
    assert store.is_ours(7, 1, 1) is None
    run = new_run()
    store.begin(run, step(OPEN, run))
    assert store.is_ours(7, 1, 1) is None
    store.noted(7, 1, run.id, threads("open", "resolved", "open"))
    assert [store.is_ours(7, 1, at) for at in (1, 2, 4)] == [True, True, None]  # it goes on
    end(store)
    assert [store.is_ours(7, 1, at) for at in (1, 2, 4)] == [True, True, False]
    assert store.is_ours(7, 2, 4) is store.is_ours(8, 1, 1) is None
    later = new_run("f" * 16, "head:c:d")
    store.begin(later, step(OPEN, later))
    assert store.is_ours(7, 1, 4) is None
    end(store, later.id)  # without having looked
    assert store.is_ours(7, 1, 4) is None and store.is_ours(7, 1, 1) is True


def test_github_says_what_is_closed_and_the_store_what_else_is_known(store: Store) -> None:
    run = new_run()
    store.begin(run, step(OPEN, run))
    store.noted(7, 1, run.id, threads("open", "open", "resolved", "open"))
    store.thread_became(7, 1, "answered")
    store.thread_became(7, 2, "dismissed")
    store.thread_became(7, 3, "answered")
    store.thread_became(7, 9, "resolved")  # not known: it stays so
    before = [one.state for one in store.threads_of(7, 1)]
    assert before == ["answered", "dismissed", "resolved", "open"]
    again = threads("open", "resolved", "open", "folded")
    store.noted(7, 1, run.id, [*again, Begun(5, "", "s" * 16, "b" * 12, "https://x/5")])
    after = store.threads_of(7, 1)
    assert [one.state for one in after] == ["answered", "resolved", "open", "folded", "open"]
    store.noted(7, 1, run.id, [Begun(1, "", "", "", "")])
    assert store.threads_of(7, 1)[0].node == "T1"


def test_threads_are_forgotten_with_their_repository_and_by_age(store: Store) -> None:
    run = new_run()
    store.begin(run, step(OPEN, run))
    store.noted(7, 1, run.id, threads("open"))
    store.noted(8, 1, "", threads("open"))
    store.kept_s = 0
    sweep(store, "one")
    assert store.threads_of(7, 1) and not store.threads_of(8, 1)  # a run knows of them
    store.noted(8, 1, "", threads("open"))
    store.forget_installation(1)
    assert not store.threads_of(7, 1) and store.threads_of(8, 1)


def sweep(store: Store, delivery: str) -> None:
    store._swept = 0.0
    store.accept(delivery, None)


def end(store: Store, run: str = "0123456789abcdef") -> None:
    job = store.claim("github", "w", 60)
    assert job is not None
    store.ended(job, run, "posted")


# A clock that leaps


class Clock:
    """The clock of this machine, until the test ends; `ahead_s` of what it should say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.right, self.ahead_s = time.time(), 0.0
        monkeypatch.setattr(time, "time", lambda: self.right + self.ahead_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


DAY_S = 86_400.0


def doubted(store: Store) -> float:
    return store.measures()[CLOCK.name, "doubted"][0]


def rows_left(store: Store) -> list[int]:
    """Return how many rows are left that have a limit, one of each kind."""
    tables = (RUNS, DELIVERIES, FORGOTTEN, TRACES)
    with store.database.read() as db:
        return [db.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def rounds(store: Store, clock: Clock, *right: float) -> list[list[int]]:
    """Have rounds of the reconciler so many seconds later, by a right clock; return what is left
    after each.
    """
    found, began = [], clock.right
    for passed in right:
        clock.right = began + passed
        store.sweep()
        store.accept(f"at {passed} {clock.ahead_s}", None)
        with store.database.write() as db:  # what the day's deliveries add is not what is counted
            db.execute(delete(DELIVERIES).where(DELIVERIES.c.id.like("at %")))
        store.expire_traces(30 * DAY_S)
        store.to_forget()
        found.append(rows_left(store))
    return found


def test_a_clock_that_leaps_ahead_removes_nothing_before_it_has_lasted(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    run = begun(store)
    end(store, run.id)
    store.accept("d", None)
    store.forget_installation(9)
    assert store.share_trace(run.id, 0, "a", ends=2, size=2, data=b"{}")
    kept, gone = [1, 1, 1, 1], [0, 0, 0, 0]
    assert rounds(store, clock, 0, 600) == [kept] * 2 and doubted(store) == 0
    clock.ahead_s = 60 * DAY_S
    assert rounds(store, clock, 600) == [kept]
    assert doubted(store) == clock.right + clock.ahead_s
    (said,) = [one for one in caplog.records if "leapt ahead" in one.message]
    assert said.levelname == "WARNING"
    assert rounds(store, clock, 600, 20 * 3_600) == [kept] * 2
    clock.ahead_s = 0.0  # it is set right
    assert rounds(store, clock, 600) == [kept] and doubted(store) == 0
    clock.ahead_s = 60 * DAY_S
    assert rounds(store, clock, 600) == [kept], "this leap is another one"
    assert rounds(store, clock, 12 * 3_600, DAY_S) == [kept, gone] and doubted(store) == 0


def test_what_was_written_while_the_clock_was_behind_stays_for_a_day(
    store: Store, clock: Clock
) -> None:
    clock.ahead_s = -400 * DAY_S
    assert rounds(store, clock, 0)[0][0] == 0
    end(store, begun(store).id)
    clock.ahead_s = 0.0
    assert [left[0] for left in rounds(store, clock, 0, 12 * 3_600, DAY_S - 1)] == [1, 1, 1]
    assert rounds(store, clock, 1)[0][0] == 0 and doubted(store) == 0


def test_a_server_whose_clock_is_ahead_of_the_others_removes_nothing_of_theirs(
    store: Store, clock: Clock
) -> None:
    end(store, begun(store).id)
    for _ in range(4):
        clock.ahead_s = 0.0
        rounds(store, clock, 12 * 3_600)
        clock.ahead_s = 60 * DAY_S
        assert rounds(store, clock, 60)[0][0] == 1


def test_a_claim_and_a_release_by_a_clock_that_ran_ahead_hold_nobody_up(
    store: Store, clock: Clock
) -> None:
    store.put(look())
    clock.ahead_s = 30 * DAY_S
    before = claimed(store)
    clock.ahead_s = 0.0  # its process died, and the clock is set right
    after = claimed(store)
    assert (after.id, after.attempts) == (before.id, 2)
    store.again(after, "later", 0.0)
    clock.ahead_s = 30 * DAY_S
    assert [one.id for one in store.release(GITHUB, 5)] == [before.id]
    clock.ahead_s = 0.0
    assert [one.id for one in store.release(GITHUB, 5)] == [before.id]
    assert store.release(GITHUB, 5) == [], "the queue knows of it"
    assert store.claim_one(before.id, "w", 60) is not None


def test_a_job_of_a_claim_by_a_clock_that_ran_ahead_keeps_none_of_its_key_waiting(
    store: Store, clock: Clock
) -> None:
    clock.ahead_s = 30 * DAY_S
    store.put(look(), look(trigger="pushed"))
    before = claimed(store)
    clock.ahead_s = 0.0
    after = store.claim(GITHUB, "other", 60)
    assert after is not None and after.id == before.id
    assert store.claim(GITHUB, "other", 60) is None, "one of a key is done at a time"


def test_clocks_that_differ_by_minutes_take_no_claim_away(store: Store, clock: Clock) -> None:
    store.put(look())
    store.claim(GITHUB, "one", 120)
    clock.ahead_s = -300.0
    assert store.claim(GITHUB, "two", 120) is None


def test_what_failed_while_the_clock_was_ahead_is_tried_again(store: Store, clock: Clock) -> None:
    clock.ahead_s = 30 * DAY_S
    store.put(look())
    store.fail(claimed(store), "GitHub was down")
    assert not store.put_if_idle(look())
    clock.ahead_s = 0.0
    assert store.put_if_idle(look())
