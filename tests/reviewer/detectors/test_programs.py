import os
import sys
import time
from pathlib import Path

import pytest

from reviewer.detectors.programs import find_program, in_parts, run_program, workspace
from reviewer.errors import GiveUp

PYTHON = Path(sys.executable)


def run(code: str, **options: float) -> object:
    with workspace() as folder:
        return run_program(
            PYTHON,
            ["-c", code],
            cwd=folder,
            timeout_s=options.get("timeout_s", 20),
            max_output=int(options.get("max_output", 1_000_000)),
        )


def test_a_program_gets_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "the-token")
    outcome = run("import os; print(sorted(os.environ)); print(os.getcwd() == os.environ['HOME'])")
    assert outcome.stdout.decode().split("\n")[:2] == [  # type: ignore[attr-defined]
        "['HOME', 'LC_ALL', 'TMPDIR']",
        "True",
    ]


def test_both_pipes_are_read_however_much_comes() -> None:
    outcome = run(
        "import sys; sys.stderr.write('e' * 300_000); sys.stdout.write('o' * 300_000); sys.exit(7)"
    )
    assert (outcome.code, len(outcome.stdout), len(outcome.stderr)) == (  # type: ignore[attr-defined]
        7,
        300_000,
        300_000,
    )


def test_a_program_that_prints_without_end_is_stopped() -> None:
    began = time.monotonic()
    with pytest.raises(GiveUp, match="printed more than 10000 bytes"):
        run("while True: print('x' * 1000)", max_output=10_000)
    assert time.monotonic() - began < 10


def test_a_slow_program_is_killed_together_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    with pytest.raises(GiveUp, match="took longer than 2 s"):
        run(code, timeout_s=2)
    child = int((tmp_path / "pid").read_text())
    for _ in range(50):  # until init has collected it
        if not Path(f"/proc/{child}").exists() or "Z" in _state(child):
            return
        time.sleep(0.1)
    os.kill(child, 9)
    pytest.fail("the child outlived its group")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.parametrize(("times", "code"), [(1, 0), (2, -9)])
def test_a_program_that_somebody_kills_is_run_once_more(
    tmp_path: Path, times: int, code: int
) -> None:
    died = tmp_path / "died"
    outcome = run(
        "import os\n"
        f"with open({str(died)!r}, 'a') as died:\n"
        f"    kills = died.tell() < {times}\n"
        "    died.write('x')\n"
        "print('half', flush=True)\n"
        "if kills:\n"
        "    os.kill(os.getpid(), 9)\n"
        "print('whole')"
    )
    assert outcome.code == code  # type: ignore[attr-defined]
    assert died.read_text() == "xx"
    assert code or outcome.stdout == b"half\nwhole\n"  # type: ignore[attr-defined]


def test_a_missing_program_is_a_reason_not_a_crash() -> None:
    with pytest.raises(GiveUp, match="no-such-linter is not installed"):
        find_program("no-such-linter")


def test_a_program_that_cannot_start_is_a_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF but not really")
    broken.chmod(0o755)
    with pytest.raises(GiveUp, match="could not be started"):
        run_program(broken, [], cwd=tmp_path, timeout_s=5)


def test_the_workspace_is_private_and_gone_afterwards() -> None:
    with workspace() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_bytes(b"x")
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_one_culprit_costs_only_itself() -> None:
    def work(part: object) -> int:
        if 77 in part:  # type: ignore[operator]
            raise GiveUp("choked")
        return len(part)  # type: ignore[arg-type]

    parts = list(in_parts(range(500), work))
    lost = [list(part) for part, result in parts if isinstance(result, GiveUp)]
    assert lost == [[77]]
    assert sorted(n for part, _ in parts for n in part) == list(range(500))


def test_many_culprits_end_soon_and_lose_nothing_silently() -> None:
    calls = 0

    def work(part: object) -> int:
        nonlocal calls
        calls += 1
        raise GiveUp("choked")

    parts = list(in_parts(range(500), work))
    assert sorted(n for part, _ in parts for n in part) == list(range(500))
    assert calls < 30
