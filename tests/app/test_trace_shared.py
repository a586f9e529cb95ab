"""Traces for the pages of servers that did not write them: two of them, each with a folder of its
own, and one PostgreSQL.
"""

import json
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from app import trace_shared
from app.jobs import Wish, step
from app.store import OPEN, NewRun, Store
from app.store import traces as kept
from app.store.tables import RUNS, TRACES, WORKERS
from app.trace_file import recording
from app.trace_lines import RunStarted
from app.trace_read import detail
from app.trace_shared import REST, has_others, sharing
from app.web.following import Look, Traces
from reviewer.rlm.trace import CodeRun, NodeStarted
from tests.app.traces import EVENTS, FIRST, line
from tests.app.web.site import Site
from tests.postgres import Postgres, postgres

RUN = "1" * 16
SOON_S = 0.05
KEPT_S = 86_400.0
SECRET = "ghp_" + "a1B2" * 9


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


class Servers:
    """Two servers that share a database: `a` reviews, `b` shows pages."""

    def __init__(self, database: str, folder: Path, *, both: bool = True) -> None:
        self.a, self.b = Store(database), Store(database)
        self.home, self.other = folder / "a", folder / "b"
        self.a.beat("a/engine-1")
        if both:
            self.a.beat("b/web")
        self.pages = Traces(self.other, self.b, "b/", moment_s=5.0)

    def close(self) -> None:
        self.a.close()
        self.b.close()

    def begins(self, run: str = RUN) -> None:
        new = NewRun(
            run, 1, 2, "octo/hello", 3, run, Wish(trigger="opened").model_dump_json(),
            "b" * 40, "a" * 40,
        )  # fmt: skip
        assert self.a.begin(new, step(OPEN, new))

    def rows(self) -> int:
        with self.b.database.read() as db:
            return db.scalar(select(func.count()).select_from(TRACES)) or 0

    def waits_for(self, events: int) -> None:
        """Wait until so many events are at the other server."""
        until = time.monotonic() + 30
        while self.seen() != events:
            assert time.monotonic() < until, self.seen()
            time.sleep(0.02)

    def seen(self, run: str = RUN) -> int:
        with self.pages.look(run) as look:
            return 0 if look is None else look.trace.events

    def reviews(self, run: str = RUN, *, home: Path | None = None, node: str = "a/") -> None:
        """Have a server make a run with all its events."""
        with (
            sharing(self.a, home or self.home, run, node, KEPT_S, 3_600.0),
            recording(named(run), home or self.home, pytest.fail) as trace,
        ):
            for event in EVENTS:
                trace.see(event)


def named(run: str) -> RunStarted:
    return RunStarted(run, FIRST.began, "octo/hello#3", "b" * 40, "a" * 40, "strong-1", "standard")


@pytest.fixture
def servers(tmp_path: Path, server: Postgres) -> Iterator[Servers]:
    with closing(Servers(server.database(), tmp_path)) as made:
        yield made


def test_a_run_is_followed_on_the_other_server_while_it_goes_on(servers: Servers) -> None:
    servers.begins()
    assert servers.seen() == 0
    with (
        sharing(servers.a, servers.home, RUN, "a/", KEPT_S, SOON_S),
        recording(named(RUN), servers.home, pytest.fail) as trace,
    ):
        trace.see(EVENTS[1])
        servers.waits_for(2)
        for event in EVENTS[2:6]:
            trace.see(event)
        servers.waits_for(6)
        for event in EVENTS[6:]:
            trace.see(event)
    assert not (servers.other / "traces").exists()  # nothing of it stays on the other's disk
    with servers.pages.look(RUN) as look, Traces(servers.home).look(RUN) as own:
        assert look is not None and own is not None and look.is_whole
        assert look.trace.end is not None
        assert (look.trace.nodes, look.trace.totals) == (own.trace.nodes, own.trace.totals)
        lines = look.trace.nodes["1"].lines
        assert list(detail(look.file, lines)) == list(detail(own.file, lines))


def test_the_server_that_reviews_reads_its_own_file(servers: Servers) -> None:
    servers.begins()
    servers.reviews()
    path = servers.home / "traces" / f"{RUN}.jsonl"
    with Traces(servers.home, servers.a, "a/").look(RUN) as look:
        assert look is not None and os.fstat(look.file.fileno()).st_ino == path.stat().st_ino
    path.unlink()  # as when there was no room any more
    with Traces(servers.home, servers.a, "a/").look(RUN) as look:
        assert look is not None and look.trace.end is not None


def test_a_run_that_another_server_takes_up_is_one_on_both(servers: Servers) -> None:
    servers.begins()
    servers.reviews()
    servers.reviews(home=servers.other, node="b/")
    own = Traces(servers.home, servers.a, "a/", moment_s=5.0)
    for pages in (servers.pages, own):  # b reads what it wrote; a, what was written since
        with pages.look(RUN) as look:
            assert look is not None and look.trace.end is not None
    with own.look(RUN) as look:
        assert look is not None and look.trace.tries == 2


def test_a_run_that_is_tried_again_on_its_server_is_brought_on_from_where_it_was(
    servers: Servers,
) -> None:
    servers.begins()
    servers.reviews()
    before = servers.seen()
    servers.reviews()
    assert servers.seen() == 2 * before


@pytest.mark.parametrize("part", [0.1, 1.0, 2.0])
def test_a_file_that_was_begun_anew_is_brought_from_its_beginning(
    servers: Servers, part: float
) -> None:
    """Also where a line of it ends just where the old one ended."""
    servers.begins()
    servers.reviews()
    before = servers.seen()
    path = servers.home / "traces" / f"{RUN}.jsonl"
    size = int(path.stat().st_size * part)
    path.unlink()  # as when there was no room any more
    note = json.dumps({"at_s": 0.0, "event": "Note", "text": ""}) + "\n"
    path.write_text(note.replace('""', f'"{"x" * (size - len(note))}"'))
    assert path.stat().st_size == size
    servers.reviews()
    assert servers.seen() == 2 * before + 1
    servers.reviews()  # that one goes on from where the new file was
    assert servers.seen() == 3 * before + 1


def test_a_long_run_of_many_parts_is_read_at_one_look(servers: Servers) -> None:
    servers.begins()
    lines = [line(named(RUN)), *(line(event) for event in EVENTS)]
    for number, one in enumerate(lines):
        assert servers.a.share_trace(
            RUN, number, "a/", ends=0, size=len(one), data=zlib.compress(one)
        )
    with servers.pages.look(RUN) as look:
        assert look is not None and look.is_whole and look.trace.events == len(lines)


def test_no_secret_is_shared(servers: Servers) -> None:
    servers.begins()
    with (
        sharing(servers.a, servers.home, RUN, "a/", KEPT_S, 3_600.0),
        recording(named(RUN), servers.home, pytest.fail) as trace,
    ):
        trace.see(EVENTS[1])
        trace.see(CodeRun("1", f"key = '{SECRET}'", "", False))
    with servers.pages.look(RUN) as look:
        assert look is not None
        look.file.seek(0)
        text = look.file.read()
    assert b"key = " in text and SECRET.encode() not in text


def test_what_one_run_brings_is_bounded_and_its_end_is_told(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts are whole at first, then cut, and in the end there is a word in their place."""
    monkeypatch.setattr(trace_shared, "WHOLE_BYTES", 4_000)
    monkeypatch.setattr(trace_shared, "MOST_BYTES", 12_000)
    monkeypatch.setattr(trace_shared, "READ_BYTES", 6_000)
    servers.begins()
    chance = iter(range(10**6))

    def text() -> str:  # that can hardly be compressed
        return "".join(f"{hash((next(chance), 'x')):x}" for _ in range(60))

    with (
        sharing(servers.a, servers.home, RUN, "a/", KEPT_S, 3_600.0),
        recording(named(RUN), servers.home, pytest.fail) as trace,
    ):
        trace.see(NodeStarted("1", None, "find", "all", 1, 1))
        for _ in range(60):
            trace.see(CodeRun("1", text(), "", False))
    there = servers.b.shared_trace(RUN)
    assert there is not None and there.bytes < 13_000
    look = whole(servers)
    assert look.trace.end is not None and [note for _, note in look.trace.notes] == [REST]
    assert 5 < look.trace.nodes["1"].code_runs < 60
    assert look.trace.damaged == 0
    with servers.pages.look(RUN) as again:
        assert again is not None
        again.file.seek(0)
        codes = [len(json.loads(line).get("code", "")) for line in again.file]
    assert max(codes) > 500 and codes[-3] == trace_shared.CUT_CHARS + 1


def whole(servers: Servers) -> Look:
    """Look until all of it is read."""
    for _ in range(20):
        with servers.pages.look(RUN) as look:
            assert look is not None
            if look.is_whole:
                return look
            assert look.percent < 100
    raise AssertionError("it is never read to its end")


def test_a_server_alone_shares_nothing(tmp_path: Path, server: Postgres) -> None:
    with closing(Servers(server.database(), tmp_path, both=False)) as alone:
        assert not has_others(alone.a, "a/")
        alone.begins()
        alone.reviews()
        assert alone.rows() == 0
        alone.a.beat("b/web")
        assert has_others(alone.a, "a/")
        with alone.a.database.write() as db:
            long_ago = time.time() - 2 * trace_shared.SEEN_S
            db.execute(update(WORKERS).where(WORKERS.c.name == "b/web").values(seen=long_ago))
        assert not has_others(alone.a, "a/")
    with closing(Store(tmp_path / "file.sqlite3")) as file:
        file.beat("b/web")
        assert not has_others(file, "a/")


def test_a_trace_goes_with_its_installation_and_comes_not_back(servers: Servers) -> None:
    servers.begins()
    with (
        sharing(servers.a, servers.home, RUN, "a/", KEPT_S, 3_600.0),
        recording(named(RUN), servers.home, pytest.fail) as trace,
    ):
        trace.see(EVENTS[1])
        servers.a.forget_installation(1, [2])
    assert servers.rows() == 0
    servers.begins("2" * 16)
    servers.reviews("2" * 16)
    assert servers.rows() == 1
    servers.a.forget_installation(1)
    assert servers.rows() == 0 and servers.seen("2" * 16) == 0


def test_traces_are_kept_as_long_as_their_runs_and_files_and_no_longer(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [str(number) * 16 for number in (1, 2, 3)]
    for run in runs:
        servers.begins(run)
        servers.reviews(run)
    there = servers.b.shared_trace(runs[2])
    assert there is not None
    with servers.a.database.write() as db:
        old = time.time() - 2 * KEPT_S
        db.execute(update(TRACES).where(TRACES.c.run == runs[0]).values(since=old))
    servers.a.expire_traces(KEPT_S)
    assert servers.b.shared_trace(runs[0]) is None and servers.rows() == 2
    monkeypatch.setattr(kept, "MOST_BYTES", there.bytes + 10)
    servers.a.expire_traces(KEPT_S)
    assert servers.b.shared_trace(runs[1]) is None and servers.rows() == 1
    with servers.a.database.write() as db:
        db.execute(update(RUNS).values(state="ended", created=0.0))
    servers.a.sweep()  # the run, and what is left of it
    servers.a.sweep()
    assert servers.rows() == 0


def test_the_page_of_a_run_has_its_tree_on_a_server_that_did_not_review(
    tmp_path: Path, server: Postgres
) -> None:
    with Site(tmp_path, database=server.database()) as site:
        site.flask = site.make(node="b/")
        run = site.run()
        site.reviewing(run)
        site.store.beat("a/engine-1")
        site.store.beat("b/web")
        with (
            sharing(site.store, tmp_path / "a", run, "a/", KEPT_S, 3_600.0),
            recording(named(run), tmp_path / "a", pytest.fail) as trace,
        ):
            for event in EVENTS:
                trace.see(event)
        page = site.reader().get(f"/runs/{run}").text
        assert page.count("<details id=") == 5 and "There is no trace" not in page
        node = site.reader().get(f"/runs/{run}/nodes/1").text
        assert "ZeroDivisionError" in node
        stranger = site.reader("bob")
        assert "ZeroDivisionError" not in stranger.get(f"/runs/{run}/nodes/1").text
