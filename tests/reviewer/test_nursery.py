"""The process that forks workers: what they are, and that none outlives its program."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewer.nursery import Nursery

ROOT = Path(__file__).parents[2]

WORKER = """
import json, os, sys

def main():
    said = {"group": os.getpgid(0), "environ": dict(os.environ), "cwd": os.getcwd()}
    said["open"] = sorted(int(name) for name in os.listdir("/dev/fd"))[:-1]
    said["parent"] = os.getppid()
    print(json.dumps(said), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    (tmp_path / "a_worker.py").write_text(WORKER)
    own = Nursery("a_worker", [str(tmp_path)])
    yield own
    own.close()


def started(nursery: Nursery) -> "tuple[int, int, dict[str, object]]":
    stdin, into = os.pipe()
    out, stdout = os.pipe()
    pid = nursery.start([stdin, stdout])
    os.close(stdin)
    os.close(stdout)
    with os.fdopen(out) as said:
        return pid, into, json.loads(said.readline())


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(*pids: int) -> bool:
    until = time.monotonic() + 10
    while any(map(is_there, pids)):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_a_worker_knows_nothing_of_the_program(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    first, one, said = started(nursery)
    second, other, also = started(nursery)
    assert {**said, "group": 0} == {**also, "group": 0}
    assert said["group"] == first and also["group"] == second
    assert said["environ"] in ({}, {"LC_CTYPE": "C.UTF-8"})
    assert (said["cwd"], said["open"]) == ("/", [0, 1, 2])
    assert said["parent"] != os.getpid()
    for pid, into in ((first, one), (second, other)):
        nursery.end(pid)
        assert not is_there(pid)
        os.close(into)


def test_the_id_of_a_dead_worker_stays_its_own(nursery: Nursery) -> None:
    pid, into, _ = started(nursery)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.05)
    assert is_there(pid)
    nursery.end(pid)
    assert not is_there(pid)
    os.close(into)


def test_a_dead_nursery_is_replaced(nursery: Nursery) -> None:
    pid, into, said = started(nursery)
    os.kill(int(str(said["parent"])), signal.SIGKILL)
    other, also_into, also = started(nursery)
    assert also["parent"] != said["parent"]
    nursery.end(pid)
    nursery.end(other)
    os.close(into)
    os.close(also_into)
    assert gone(pid, other)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_the_module_is_imported_once_for_all_nurseries_of_a_program(
    nursery: Nursery, tmp_path: Path
) -> None:
    another = Nursery("a_worker", [str(tmp_path)])
    first, one, said = started(nursery)
    second, other, also = started(another)
    theirs = [int(str(each["parent"])) for each in (said, also)]
    assert theirs[0] != theirs[1]
    (root,) = set(map(parent_of, theirs))
    assert parent_of(root) == os.getpid()
    another.close()
    assert gone(second, theirs[1]) and is_there(first) and is_there(root)
    # Who dies is replaced, and who was there before goes on.
    os.kill(root, signal.SIGKILL)
    third, more, new = started(another)
    assert parent_of(int(str(new["parent"]))) not in {root, os.getpid()}
    again, last, old = started(nursery)
    assert old["parent"] == theirs[0]
    for own, pid, into in (
        (another, second, other), (another, third, more), (nursery, first, one),
        (nursery, again, last),
    ):  # fmt: skip
        own.end(pid)
        os.close(into)
    another.close()


def test_a_module_that_cannot_be_imported_is_an_error(tmp_path: Path) -> None:
    own = Nursery("there_is_none", [str(tmp_path)])
    with pytest.raises((OSError, EOFError)):
        started(own)
    own.close()


ENDS = {
    "returns": "",
    "is killed": "",
    "is killed before an answer": "; import signal, socket, struct;"
    "socket.send_fds(own._asked, [struct.pack('>ci', b's', 0)], [stdin, stdout]);"
    "own._asked.close(); os.kill(os.getpid(), signal.SIGKILL)",
}


@pytest.mark.parametrize("how", ENDS)
def test_no_worker_outlives_the_program(tmp_path: Path, how: str) -> None:
    (tmp_path / "a_worker.py").write_text(WORKER.replace("sys.stdin.read()", "while True: pass"))
    program = (
        "import os, sys, json; from reviewer.nursery import Nursery;"
        "own = Nursery('a_worker', sys.argv[1:2]); stdin, into = os.pipe(); out, stdout = os.pipe();"
        "pid = own.start([stdin, stdout]); print(pid, json.loads(os.read(out, 9999))['parent'],"
        "own._root._process.pid);"
        "sys.stdout.flush(); sys.stdin.readline()"
    ) + ENDS[how]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        pids = [int(each) for each in process.stdout.readline().split()]
        assert len(pids) == 3 and all(map(is_there, pids))
        if how == "is killed":
            process.kill()
    assert gone(*pids)


def test_a_fork_of_the_program_has_a_nursery_of_its_own(nursery: Nursery) -> None:
    pid, into, said = started(nursery)
    out, told = os.pipe()
    if (child := os.fork()) == 0:
        try:
            other, _, also = started(nursery)
            os.write(told, f"{also['parent']} {nursery._root._owner}".encode())
            nursery.end(other)
            nursery.close()
            nursery._root.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    parent, root_of = os.read(out, 40).split()
    assert int(parent) != said["parent"] and int(root_of) == os.getpid()
    assert is_there(pid)
    nursery.end(pid)
    for each in (into, out, told):
        os.close(each)


def test_an_answer_that_was_not_waited_for_is_not_taken_for_the_next(nursery: Nursery) -> None:
    pid, into, said = started(nursery)
    parent = int(str(said["parent"]))
    os.kill(parent, signal.SIGSTOP)
    assert nursery._asked is not None
    nursery._asked.settimeout(0.1)
    later = threading.Timer(0.3, os.kill, (parent, signal.SIGCONT))
    later.start()
    nursery.end(pid)
    later.join()
    other, also_into, also = started(nursery)
    assert other != pid and also["group"] == other
    nursery.end(other)
    assert gone(pid, other)
    os.close(into)
    os.close(also_into)
