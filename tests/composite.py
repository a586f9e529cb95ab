"""A runner for the steps of our own composite action, as far as action.yml needs one.

Steps run under bash with the options of the real runner, `env:` and outputs are mapped, and the
log is read for commands by the runner's own rules (ActionCommand.cs of actions/runner). The few
expressions that action.yml uses are evaluated; any other is an error, so that none goes untested.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
"""What `shell: bash` means."""

AS_A_JOB = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvpe(sys.argv[1], sys.argv[1:], os.environ)
"""
"""Who runs the tests may have had Ctrl-C switched off, as a background job has; a runner has not."""

COMMANDS = frozenset(
    {"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group"}
    | {
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    }
)

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+")


@dataclass(frozen=True)
class Said:
    """A workflow command as the runner understood it."""

    name: str
    message: str
    properties: dict[str, str]


@dataclass
class StepRan:
    """How one step ended. `outputs` and `summary` are what it wrote to the runner's files."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def commands(self) -> list[Said]:
        return [said for line in self.log.splitlines() if (said := parse_line(line))]

    def said(self, name: str) -> list[Said]:
        return [command for command in self.commands if command.name == name]


@dataclass
class Composite:
    """An action.yml on this disk, as a job uses it."""

    folder: Path
    temp: Path
    workspace: Path
    given: Mapping[str, str]  # the job's environment: PATH, HOME, GITHUB_* of the event
    context: Mapping[str, str]  # "github.token"
    steps: dict[str, StepRan] = field(default_factory=dict)

    @property
    def action(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((self.folder / "action.yml").read_text())
        return loaded

    def inputs(self, **given: str) -> dict[str, str]:
        """Return the inputs with their defaults; one that the action does not have is an error."""
        declared = self.action["inputs"]
        wanted = {name.replace("_", "-"): value for name, value in given.items()}
        assert wanted.keys() <= declared.keys(), f"no such input: {wanted.keys() - declared.keys()}"
        return {
            name: wanted[name] if name in wanted else evaluate(one.get("default", ""), self.context)
            for name, one in declared.items()
        }

    def run(self, step_id: str, **inputs: str) -> StepRan:
        """Run one step. Those before it must have run: their outputs are looked up."""
        return self.end(step_id, self.start(step_id, **inputs))

    def start(self, step_id: str, **inputs: str) -> "subprocess.Popen[bytes]":
        """Start one step; the process is what the runner would send its signals to."""
        step = next(one for one in self.action["runs"]["steps"] if one.get("id") == step_id)
        assert step.keys() <= {"name", "id", "shell", "env", "run"} and step["shell"] == "bash"
        known = {f"inputs.{name}": value for name, value in self.inputs(**inputs).items()}
        known |= self._outputs()
        files = self._files(step_id)
        for path in files.values():
            path.write_text("")
        script = self.temp / f"{step_id}.sh"
        script.write_text(evaluate(step["run"], known))
        return subprocess.Popen(
            [sys.executable, "-I", "-c", AS_A_JOB, *BASH, str(script)],
            cwd=self.workspace,
            env={
                **self.given,
                **{name: evaluate(value, known) for name, value in step.get("env", {}).items()},
                **{name: str(path) for name, path in files.items()},
                "GITHUB_ACTION_PATH": str(self.folder),
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_WORKSPACE": str(self.workspace),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def end(
        self, step_id: str, process: "subprocess.Popen[bytes]", within_s: float = 300
    ) -> StepRan:
        """Wait for the end of a step and read what it left behind."""
        try:
            log, _ = process.communicate(timeout=within_s)
        finally:
            process.kill()
        files = self._files(step_id)
        ran = StepRan(
            process.returncode,
            log.decode(),
            read_outputs(files["GITHUB_OUTPUT"].read_text()),
            files["GITHUB_STEP_SUMMARY"].read_text(),
        )
        self.steps[step_id] = ran
        return ran

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the action as a whole."""
        known = self._outputs()
        return {name: evaluate(one["value"], known) for name, one in self.action["outputs"].items()}

    def _outputs(self) -> dict[str, str]:
        return {
            f"steps.{name}.outputs.{key}": value
            for name, ran in self.steps.items()
            for key, value in ran.outputs.items()
        }

    def _files(self, step_id: str) -> dict[str, Path]:
        names = (
            "GITHUB_OUTPUT",
            "GITHUB_STEP_SUMMARY",
            "GITHUB_ENV",
            "GITHUB_PATH",
            "GITHUB_STATE",
        )
        return {name: self.temp / f"_{step_id}_{name}" for name in names}


def evaluate(text: object, known: Mapping[str, str]) -> str:
    """Replace each `${{ a.b.c }}` by its value; anything else inside is not known here."""

    def value(match: re.Match[str]) -> str:
        name = match[1].strip()
        assert _NAME.fullmatch(name), f"an expression that this runner cannot evaluate: {name}"
        if name.startswith("steps.") or name in known:
            return known.get(name, "")  # an output that was not set is empty
        raise AssertionError(f"nothing is known under {name}")

    assert isinstance(text, str), f"not a string: {text!r}"
    return _EXPRESSION.sub(value, text)


def parse_line(line: str) -> Said | None:
    """Read a line of a log as the runner does: TryParseV2, then TryParse."""
    text = line.lstrip()
    if text.startswith("::") and (end := text.find("::", 2)) >= 0:
        name, _, properties = text[2:end].partition(" ")
        if name in COMMANDS:
            pairs = [part.split("=", 1) for part in properties.strip().split(",") if part]
            found = {p[0]: _unescape(p[1], "%0D", "%0A", "%3A", "%2C", "%25") for p in pairs}
            return Said(name, _unescape(text[end + 2 :], "%0D", "%0A", "%25"), found)
    if (start := line.find("##[")) >= 0 and (end := line.find("]", start)) >= 0:
        name = line[start + 3 : end].partition(" ")[0]
        if name in COMMANDS:
            return Said(name, line[end + 1 :], {})
    return None


def _unescape(text: str, *escapes: str) -> str:
    for escape in escapes:
        text = text.replace(escape, chr(int(escape[1:], 16)))
    return text


def read_outputs(text: str) -> dict[str, str]:
    """Read a GITHUB_OUTPUT file: NAME=VALUE, or NAME<<END and lines up to END."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, value = line.split("=", 1)
        elif heredoc >= 0:
            name, end = line.split("<<", 1)
            held: list[str] = []
            for inner in lines:
                if inner == end:
                    break
                held.append(inner)
            else:
                raise AssertionError(f"{name}: no line {end}")
            value = "\n".join(held)
        else:
            assert not line, f"not an output: {line}"
            continue
        found[name] = value
    return found


def job_environ(home: Path, **more: str) -> dict[str, str]:
    """Return what a job's steps find in their environment besides the event's."""
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "RUNNER_OS": "Linux",
        **pip,
        **more,
    }
