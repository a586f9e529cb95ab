"""Git over the network is our git, started from nowhere."""

import contextlib
import os
from pathlib import Path

from app.github.transport import run


def test_no_git_of_the_work_tree_is_run_whatever_the_path_says(tmp_path: Path) -> None:
    planted = tmp_path / "git"
    planted.write_text("#!/bin/sh\necho planted\n")
    planted.chmod(0o755)
    with contextlib.chdir(tmp_path):
        code, out, _ = run(["--version"], {"PATH": f".:{os.environ['PATH']}"})
    assert code == 0
    assert out.startswith("git version")
