"""`rlm trace` as a user meets it, after reviews that asked a (scripted) model."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from app import trace_document
from app.trace_document import Document
from app.trace_folder import folder_of
from reviewer.rlm.trace import CodeRun
from tests.app.site import Site
from tests.app.test_cli import FLAWED, User, key, refused, submitted, wait_until
from tests.app.test_cli import user as user  # noqa: PLC0414 - a fixture
from tests.app.traces import EVENTS, FIRST, RUN, raw, whole, written
from tests.model_server import Answer, ModelServer, hang, tool
from tests.warm import COMMAND, ROOT

LOOK = tool("python", {"code": "print(await grep('area'))"})


def answer(request: dict[str, object]) -> Answer:
    turns = request["messages"]
    assert isinstance(turns, list)
    return LOOK if len(turns) == 1 else submitted()


@pytest.fixture
def service() -> Iterator[ModelServer]:
    with ModelServer(answer, key="sk-test") as server:
        yield server


def traces(user: User) -> Path:
    return folder_of(user.home / ".local/state/rlm")


def test_a_review_leaves_a_trace_and_says_how_to_see_it(user: User, service: ModelServer) -> None:
    ran = user.rlm("review", **key(service))
    (said,) = re.findall(r"^rlm trace (\S+) shows how this review was made$", ran.err, re.M)
    assert "rlm trace" not in ran.out
    assert [path.stem for path in traces(user).iterdir()] == [said]
    shown = user.rlm("trace", said)
    assert shown.code == 0 and shown.err == ""
    assert f"Run {said}: complete, 1 finding\n" in shown.out
    assert "grep('area')" in shown.out and "returned  0 claims; “Changes how areas" in shown.out
    head = user.repo.sha("topic")
    assert f"work, {user.repo.sha('main')[:10]}..{head[:10]}, 20" in shown.out
    listed = user.rlm("trace").out.splitlines()
    assert len(listed) == 2 and listed[1].startswith(f"{said}  20") and listed[1].endswith("  work")
    assert user.rlm("trace", "last").out == user.rlm("trace", said[:-1]).out == shown.out


def test_a_quiet_run_leaves_one_without_a_word(user: User, service: ModelServer) -> None:
    assert user.rlm("review", "-q", **key(service)).err == ""
    assert len(list(traces(user).iterdir())) == 1


def test_no_model_no_trace(user: User) -> None:
    assert "rlm trace" not in user.rlm("review", "--no-model").err
    assert not traces(user).exists()
    ran = user.rlm("trace")
    assert ran.code == 0 and ran.out.startswith("No run has left a trace yet.")


def test_the_json_is_the_documented_one(user: User, service: ModelServer) -> None:
    user.rlm("review", **key(service))
    ran = user.rlm("trace", "last", "--json")
    done = Document.model_validate_json(ran.out)
    assert done.run.state == "complete" and done.run.head == user.repo.sha("topic")
    assert done.totals.nodes == len(done.nodes) > 0
    assert done.totals.spent.calls == len(service.calls) == 2 * len(done.nodes)
    looked, handed_in = done.nodes[0].turns
    assert looked.code[0].code == "print(await grep('area'))"
    assert [one.name for one in looked.functions] == ["grep"]
    assert handed_in.submits[0].problems == []
    assert done.nodes[0].result["overview"] == "Changes how areas are computed."


def test_the_document_is_described_field_by_field() -> None:
    described = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    described = described[described.index("# The JSON of a trace") :]
    models = [
        one
        for one in vars(trace_document).values()
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__.startswith("app")
    ]
    assert len(models) > 12
    fields = {name for model in models for name in model.model_fields}
    assert fields - set(re.findall(r'[`"](\w+)["`]', described)) == set()


def test_one_node_and_a_folder_of_files(user: User, tmp_path: Path) -> None:
    written(traces(user), whole())
    ran = user.rlm("trace", RUN, "--node", "1.1")
    assert ran.code == 0 and "replayed (journal)" in ran.out and "1.2" not in ran.out
    refused(user.rlm("trace", RUN, "--node", "4"))
    ran = user.rlm("trace", RUN, "--files", str(tmp_path / "out"))
    assert ran.code == 0 and "5 nodes laid out" in ran.out
    assert (tmp_path / "out/1/2/1/node.md").is_file()
    refused(user.rlm("trace", RUN, "--files", str(user.repo.path)))


def test_wrong_usage_says_what_to_do(user: User, tmp_path: Path) -> None:
    written(traces(user), whole())
    assert RUN in refused(user.rlm("trace", "20261126-145003-x7q9"))
    refused(user.rlm("trace", "no/such/file"))
    refused(user.rlm("trace", str(tmp_path)))
    refused(user.rlm("trace", "--json"))
    refused(user.rlm("trace", RUN, "--json", "--node", "1"))
    refused(user.rlm("trace", RUN, "--depth", "0"))
    refused(user.rlm("trace", RUN, "main"))
    assert user.rlm("trace", RUN, "--depth", "1", "--costs").code == 0
    assert "--node" in user.rlm("trace", "--help").out


def test_a_reader_that_goes_away_is_no_error(user: User) -> None:
    many = [CodeRun("1", "x" * 1_000, "y" * 1_000, False)] * 400
    written(traces(user), raw([FIRST, EVENTS[1], *many]))
    for option in (["--json"], ["--node", "1"]):
        process = user.start("trace", "last", *option)
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def test_a_full_disk_under_the_output_is_said(user: User) -> None:
    written(traces(user), whole())
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [*COMMAND, "trace", "last"],
            env=user.environ(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 2 and "No space left" in process.stderr
    assert "Traceback" not in process.stderr


def test_a_killed_run_leaves_what_it_came_to(user: User) -> None:
    def script(_: dict[str, object]) -> Answer:
        return hang(30, submitted())

    with ModelServer(script, key="sk-test") as server:
        process = user.start("review", **key(server))
        wait_until(lambda: server.calls)
        assert "running" in user.rlm("trace").out
        shown = user.rlm("trace", "last").out
        assert "running" in shown and "under way" in shown
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    shown = user.rlm("trace", "last").out
    assert "cut off" in shown and "no end of it is in the trace" in shown
    assert json.loads(user.rlm("trace", "last", "--json").out)["run"]["state"] == "cut"


def test_a_run_in_a_subfolder_has_the_repositorys_name(user: User, service: ModelServer) -> None:
    user.repo.write("deep/er/shapes.py", FLAWED)
    user.repo.commit()
    user.rlm("review", cwd=user.repo.path / "deep", **key(service))
    assert user.rlm("trace").out.rstrip().endswith("  work")


def test_a_run_of_the_server_leaves_one_under_its_own_id(site: Site) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.opened(server, pull)
        world.settle()
        (run,) = world.runs()
        world.assert_said_once(pull)
    (path,) = folder_of(world.folder / "rlm").glob(f"{run.id}*")
    assert path.stem == run.id
    first, *_, last = (json.loads(line) for line in path.read_text().splitlines())
    assert (first["what"], first["base"], first["head"]) == (
        f"{world.repo.full_name}#1",
        run.base,
        run.head,
    )
    assert (last["event"], last["status"], last["findings"]) == ("RunEnded", "complete", 1)
