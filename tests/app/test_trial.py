"""One run of a test command: what it sees, how it ends, and what is left of it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.trial import KEPT, KEPT_BYTES, Ran, environment, ran

ROOT = Path(__file__).parents[2]
ENVIRON = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "GITHUB_TOKEN": "ghs_secret"}


@pytest.fixture(autouse=True)
def _dumpable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the process that runs the tests as it is."""
    monkeypatch.setattr("app.trial.keep_to_ourselves", lambda: None)


def runs(
    folder: Path, line: str, limit_s: float = 60, cancelled: Callable[[], bool] = lambda: False
) -> Ran:
    command = ("bash", "-c", line)
    return ran(command, folder, ENVIRON, limit_s=limit_s, cancelled=cancelled)


def test_a_command_sees_a_few_names_a_fresh_home_and_no_input(tmp_path: Path) -> None:
    done = runs(tmp_path, "env -0 | sort -z | tr '\\0' '\\n'; ls -A ~; pwd; cat; echo to >&2")
    assert (done.state, done.code) == ("passed", 0)
    lines = done.tail.splitlines()
    names = {line.partition("=")[0] for line in lines if "=" in line}
    ours = {"HOME", "TMPDIR", "CI", "TERM"}
    assert names <= {*KEPT, *ours, "PWD", "SHLVL", "_", "OLDPWD"} and ours <= names
    assert lines[-3:] == ["tmp", str(tmp_path), "to"]
    home = next(line.partition("=")[2] for line in lines if line.startswith("HOME="))
    assert not Path(home).exists()


@pytest.mark.parametrize(
    ("line", "code", "said"), [("echo no; exit 3", 3, "no"), ("kill -9 $$", -9, "")]
)
def test_what_fails_has_its_code_and_its_words(
    tmp_path: Path, line: str, code: int, said: str
) -> None:
    done = runs(tmp_path, line)
    assert (done.state, done.code, done.tail.strip()) == ("failed", code, said)


def test_a_program_that_is_not_there_fails_in_words(tmp_path: Path) -> None:
    done = ran(("no-such-program",), tmp_path, ENVIRON, limit_s=60, cancelled=lambda: False)
    assert (done.state, done.code) == ("failed", 127) and "no-such-program: No such" in done.tail


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int) -> bool:
    end = time.monotonic() + 10
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("sleep 600 & echo $! > pid; exit 0", "passed"),  # it leaves a child that holds the pipe
        ("sleep 600 & echo $! > pid; sleep 600", "late"),
        ("trap '' TERM INT; sleep 600 & echo $! > pid; exec > /dev/null 2>&1; wait", "late"),
    ],
)
def test_nothing_of_it_is_left_when_it_has_ended(tmp_path: Path, line: str, state: str) -> None:
    began = time.monotonic()
    assert runs(tmp_path, line, limit_s=2).state == state
    assert time.monotonic() - began < 30
    assert gone(int((tmp_path / "pid").read_text()))


def test_it_is_stopped_when_somebody_asks(tmp_path: Path) -> None:
    asked = [False, False, True]
    done = runs(tmp_path, "sleep 600", cancelled=lambda: asked.pop(0) if asked[1:] else asked[0])
    assert done.state == "stopped"


def test_of_what_it_prints_the_end_is_kept(tmp_path: Path) -> None:
    done = runs(tmp_path, "yes ok | head -c 3000000; echo; printf 'caf\\xff\\n'; echo end")
    assert len(done.tail.encode()) <= KEPT_BYTES + 10 and done.tail.endswith("caf\ufffd\nend\n")


def test_nothing_that_it_starts_gets_more_rights(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("Linux alone has this")
    done = runs(tmp_path, "grep -E 'NoNewPrivs|CapBnd' /proc/self/status")
    found = dict(line.split(":\t") for line in done.tail.splitlines())
    assert found["NoNewPrivs"].strip() == "1"
    if os.getuid() == 0:
        assert not int(found["CapBnd"], 16) & (1 << 19 | 1 << 21 | 1 << 38)


RUNS = """
import ctypes, os, pathlib, subprocess
from app.trial import ran
done = ran(("true",), pathlib.Path.cwd(), os.environ, limit_s=60, cancelled=lambda: False)
print(done.state, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
subprocess.run(["grep", "-E", "NoNewPrivs|CapPrm|CapEff|CapInh|CapBnd", "/proc/self/status"])
"""


def test_nobody_of_our_user_looks_into_our_process_and_no_child_has_more_rights(
    tmp_path: Path,
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("Linux alone has this")
    environ = {**ENVIRON, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUNS]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    first, *lines = done.stdout.splitlines()
    assert first.split() == ["passed", "0"], "PR_GET_DUMPABLE"
    # A git that we start may be made to start a program by what has run before.
    found = dict(line.split(":\t") for line in lines)
    assert found.pop("NoNewPrivs").strip() == "1"
    assert len(found) == 4
    if os.getuid() == 0:
        assert not any(int(one, 16) & (1 << 19 | 1 << 21 | 1 << 38) for one in found.values())


def test_our_own_environment_has_no_way_in(tmp_path: Path) -> None:
    given: dict[str, Any] = dict.fromkeys(("GITHUB_ENV", "ACTIONS_X", "BASH_ENV", "A"), "x")
    assert environment(ENVIRON | given, tmp_path).keys() <= {*KEPT, "HOME", "TMPDIR", "CI", "TERM"}
