"""The peers: other implementations of recursive language models, from PyPI, driven as they come.

They live in an environment of their own, made on first use. Each task runs in a process of that
environment against the same server as ours. Whatever keeps a peer from its task is what its place
in the table says.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.kernel_server import ASKED, Server

RLMS, DSPY = "rlms", "dspy"
WANTED = {RLMS: "rlms==0.1.3", DSPY: "dspy[deno]==3.4.1"}
"""As of November 2026; dspy's own sandbox needs Deno."""

PROGRAM = Path(__file__).with_name("kernel_peer.py")
PATIENCE_S = 90.0

DSPY_REPLY = """\
[[ ## reasoning ## ]]
As told.

[[ ## code ## ]]
```python
{code}
```

[[ ## completed ## ]]
"""


class Peers:
    """The environment in a folder, made here if it is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._missing: dict[str, str] = {}
        for name, wanted in WANTED.items():
            if why := _installed(folder, wanted):
                self._missing[name] = f"peer not installed: {why}"

    # The tasks

    def loops(self, server: Server, calls: int, latency_s: float) -> dict[str, str]:
        """Time sub-calls in a plain loop and in the batched form, by a clock in the code itself."""
        asked = f'[f"{ASKED} {{number}}" for number in range({calls})]'
        loop = _timed(f"out = [llm_query(question) for question in {asked}]")
        batched = _timed(f"out = llm_query_batched({asked})")
        found = {}
        for peer in (RLMS, *self._dspys(server)):
            for form, code in (("", loop), (", batched", batched)):
                script = {"latency_s": latency_s, "code": _reply(peer, code)}
                found[_named(peer) + form] = self._seconds(server, peer, script, calls)
        return self._with_the_missing(found)

    def endless(self, server: Server, limit_s: float, patience_s: float) -> dict[str, str]:
        """See what a limit on time does to an endless loop; given up after `patience_s`."""
        found = {}
        for peer in (RLMS, *self._dspys(server)):
            script = {"code": _reply(peer, "while True:\n    pass")}
            done = self._run(server.open(**script).url, peer, "endless", limit_s, patience_s)
            if "seconds" in done:
                said = f"ended after {done['seconds']:.2f} s: {_ending(done)}"
            else:
                said = done["why"]
            found[_named(peer)] = said
        return self._with_the_missing(found)

    def budget(self, server: Server, calls: int, usd: float, call_usd: float) -> dict[str, str]:
        """See what is billed where code fans out with a cap; dspy has no cap in dollars."""
        asked = f'[f"{ASKED} {{number}}" for number in range({calls})]'
        code = f"out = len(llm_query_batched({asked}))"
        found = {}
        if RLMS not in self._missing:
            book = server.open(code=_reply(RLMS, code), call_usd=call_usd)
            done = self._run(book.url, RLMS, "budget", usd, PATIENCE_S)
            billed = book.tally().usd
            ended = _ending(done) if "seconds" in done else done["why"]
            found[RLMS] = f"${billed:.2f}, {billed / usd:.0f} times the cap: {ended}"
        if DSPY not in self._missing:
            found[DSPY] = "has no cap in dollars"
        return self._with_the_missing(found)

    # How they are run

    def _dspys(self, server: Server) -> list[str]:
        """Return dspy in its own sandbox where that starts; else say why not."""
        if DSPY in self._missing:
            return []
        script = {"code": _reply(DSPY, "out = 1")}
        done = self._run(server.open(**script).url, DSPY, "start", 0.0, PATIENCE_S)
        if "answer" in done:
            return [DSPY]
        why = _plain(str(done.get("error") or done.get("why")))
        self._missing[DSPY] = f"its own sandbox does not start: {why}"
        return ["dspy-local"]

    def _seconds(self, server: Server, peer: str, script: dict[str, Any], calls: int) -> str:
        if peer in self._missing:
            return self._missing[peer]
        done = self._run(server.open(**script).url, peer, "loop", 0.0, PATIENCE_S)
        count, _, seconds = str(done.get("answer")).partition(" in ")
        if count != str(calls):
            return str(done.get("why") or _ending(done))
        return f"{float(seconds):.2f} s"

    def _run(
        self, url: str, peer: str, what: str, limit_s: float, patience_s: float
    ) -> dict[str, Any]:
        """Return what the peer's process printed last, or why it printed nothing.

        Patience begins when the peer does: it imports for seconds before, and says when it has.
        """
        if peer in self._missing:
            return {"why": self._missing[peer]}
        command = [str(_python(self._folder)), str(PROGRAM), peer, what, url, str(limit_s)]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self._folder,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                out, said = process.communicate(timeout=patience_s)
            except subprocess.TimeoutExpired:
                _kill(process)
                process.communicate()
                return {"why": f"had not ended after {patience_s:g} s: killed"}
        try:
            done: dict[str, Any] = json.loads(out.strip().rpartition("\n")[2])
        except ValueError:
            return {"why": f"failed: {_plain(said)}"}
        return done

    def _with_the_missing(self, found: dict[str, str]) -> dict[str, str]:
        return {**{name: why for name, why in self._missing.items() if name not in found}, **found}


def _kill(process: "subprocess.Popen[str]") -> None:
    """End a peer with all that it started: it has a session of its own."""
    os.killpg(process.pid, signal.SIGKILL)


def _reply(peer: str, code: str) -> str:
    """Return what the model says so that a peer runs some code and answers with its `out`."""
    if peer == RLMS:
        end = 'answer["content"] = str(out)\nanswer["ready"] = True'
        return f"```repl\n{code}\n{end}\n```"
    return DSPY_REPLY.format(code=f"{code}\nSUBMIT(answer=str(out))")


def _timed(code: str) -> str:
    """Return code whose `out` says how many answers it had, and in how many seconds."""
    return "\n".join(
        [
            "import time",
            "began = time.monotonic()",
            code,
            "out = f'{len(out)} in {time.monotonic() - began}'",
        ]
    )


def _named(peer: str) -> str:
    return "dspy, code on the host" if peer == "dspy-local" else peer


def _ending(done: dict[str, Any]) -> str:
    return _plain(str(done.get("error") or f"answered {done.get('answer')!r}"))


def _plain(text: str) -> str:
    """Return an error in one line: without colours, and no longer than a line of the table."""
    bare = re.sub(r"\x1b\[[\d;]*m", "", text)
    lines = [line.strip() for line in bare.splitlines() if line.strip()]
    for telling in (r"^error: ", r"^\w+Error: ", r"failed|exceed"):
        if found := [line for line in lines if re.search(telling, line)]:
            return found[-1][:160]
    return lines[-1][:160] if lines else "nothing was said"


def _python(folder: Path) -> Path:
    return folder / "env" / "bin" / "python"


def _installed(folder: Path, wanted: str) -> str:
    """Install a package if it is not there; return why it is not."""
    marks = folder / "installed"
    mark = marks / re.sub(r"[^\w.=-]", "_", wanted)
    if mark.exists():
        return ""
    marks.mkdir(parents=True, exist_ok=True)
    pip = [str(_python(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    venv = [sys.executable, "-m", "venv", str(folder / "env")]
    commands = [*([venv] if not _python(folder).exists() else []), [*pip, wanted]]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return _plain(done.stderr or done.stdout)
    mark.touch()
    return ""
