"""`rlm doctor`: what is configured, what is missing, and how to get it."""

import asyncio
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from app.defaults import OWN_WEBHOOK, PROVIDERS
from app.diagnosis import Check, State, as_json, as_text, end_of, exit_code, size_of
from app.engine import service_of
from app.forget import removed_here
from app.journal import FILE
from app.journal_file import size
from app.model_service import CLOUD_KEYS
from app.replay import checked_url
from app.serve import running
from app.server_settings import DATABASE_URL, ServerSettings, read_server_settings, store_at
from app.settings import VARIABLES, Settings, read_settings
from app.store.schema import REVISION, known_versions
from reviewer.detectors.programs import find_program
from reviewer.errors import GiveUp, RlmError, TellUser
from reviewer.model.access import Bedrock
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Request, Text, Turn, Uncounted, Usage
from reviewer.model.prices import load
from reviewer.rlm.sandbox import Sandbox

GIT_NEEDED = (2, 38)
"""The first that can be told to open no bare repository but the one it is given."""

GIT_FIXED = {43: 7, 44: 4, 45: 4, 46: 4, 47: 3, 48: 2, 49: 1}
"""First patch release of each 2.x series with the fixes of July 2025; from 2.50.1 on, all."""

PROGRAM_TIMEOUT_S = 10.0
OTHERS = "`rlm config` has what a repository says; NO_COLOR, TMPDIR, proxies as everywhere"

THOUSAND = 1_000

FREE_BYTES_WANTED = 500_000_000
"""Below this a review of a large change may not find room for its temporary copies."""

ROOM_BYTES = 262_144
"""What is written to see that there is room: more than one step of a job writes to the store."""

SQLITE_MAGIC = b"SQLite format 3\0"


def doctor(
    environ: Mapping[str, str], *, online: bool, form: str = "text", url: str = OWN_WEBHOOK
) -> int:
    """Print the report and return `exit_code`: 0 if a review can run, with a model or without."""
    checks = list(_checks(environ, online, checked_url(url)))
    if form == "json":
        print(as_json(checks))
        return exit_code(checks)
    print(f"{as_text(checks)}\n\nEnvironment variables ({OTHERS}):")
    for name, meaning in VARIABLES.items():
        print(f"  {name:<30} {meaning}")
    return exit_code(checks)


def _checks(environ: Mapping[str, str], online: bool, url: str) -> Iterator[Check]:
    yield Check("Python", "ok", f"{platform.python_version()} ({sys.executable})")
    yield _git()
    yield _program("ruff")
    yield _program("zizmor")
    yield _sandbox()
    yield _temporary()
    try:
        settings = read_settings(environ)
    except TellUser as error:
        yield Check("settings", "broken", error.problem, error.hint)
        return
    for warning in settings.warnings:
        yield Check("settings", "warning", warning)
    yield from _model(settings, online)
    yield _github(settings)
    yield _state(settings.home)
    server = read_server_settings(environ)
    yield from _server(server, environ, online)
    if online:
        from app.doctor_server import Subject, probed  # noqa: PLC0415 loads PyGithub

        yield from probed(Subject(server, url, environ))


def _git() -> Check:
    path = shutil.which("git")
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", _version([path])) if path else None
    if found is None:
        return Check("git", "broken", "not found", "Install git 2.38 or newer.")
    major, minor, patch = (int(part or 0) for part in found.groups())
    text = f"{found.group()} ({path})"
    if (major, minor) < GIT_NEEDED:
        return Check("git", "broken", f"{text} is too old", "Install git 2.38 or newer.")
    fixed = (major, minor, patch) >= (2, 50, 1) or patch >= GIT_FIXED.get(minor, patch + 1)
    if not fixed:
        return Check(
            "git",
            "warning",
            f"{text} may lack the fixes of July 2025 (CVE-2025-48384 to 48386)",
            "Update git when you can, unless your distribution has put them in. "
            "rlm itself uses no submodules and no bundles.",
        )
    return Check("git", "ok", text)


def _program(name: str) -> Check:
    try:
        path = find_program(name)
    except RlmError as error:
        return Check(name, "absent", str(error), "Install again: `make install`.")
    version = re.search(r"\d+(\.\d+)+", _version([str(path)]))
    if version is None:
        return Check(name, "absent", f"{path} does not run", "Install again: `make install`.")
    return Check(name, "ok", version.group())


def _version(command: list[str | None]) -> str:
    """Return what a program says to --version; nothing if it says nothing in time."""
    try:
        done = subprocess.run(
            [*(part for part in command if part), "--version"],
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROGRAM_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _sandbox() -> Check:
    async def one_and_one() -> str:
        async with Sandbox(workers=1) as sandbox:
            return (await sandbox.session({}).run("1 + 1")).text.strip()

    hint = "Install again: `make install`. Without it only the detectors run."
    began = time.monotonic()
    try:
        answer = asyncio.run(one_and_one())
    except Exception as error:
        return Check("sandbox", "absent", f"does not start: {error}", hint)
    if answer != "2":
        return Check("sandbox", "absent", f"says that 1 + 1 is {answer[:100]!a}", hint)
    took_ms = (time.monotonic() - began) * 1_000
    return Check("sandbox", "ok", f"started and ran 1 + 1 in {took_ms:.0f} ms")


def _temporary() -> Check:
    hint = "Make room there, or set TMPDIR to another folder."
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * 4_096)
            file.flush()
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check("temporary folder", "broken", f"cannot be written: {error}", hint)
    text = f"{folder}, {size_of(free)} free"
    if free < FREE_BYTES_WANTED:
        return Check("temporary folder", "warning", text, hint)
    return Check("temporary folder", "ok", text)


def _kept(settings: Settings) -> Check:
    """Say how much of what the model answered is kept, so as not to be paid twice."""
    path = settings.home / FILE
    hint = "Move it away: the next review begins a new one."
    try:
        kept = size(path)
    except (OSError, sqlite3.Error) as error:
        return Check("answers kept", "warning", f"{path} cannot be read: {error}", hint)
    if not kept.replies:
        return Check("answers kept", "ok", "none yet")
    return Check("answers kept", "ok", f"{kept.replies:,} in {size_of(kept.bytes)}, at {path}")


def _model(settings: Settings, online: bool) -> Iterator[Check]:
    key, token = settings.anthropic_api_key, settings.anthropic_auth_token
    if settings.provider != PROVIDERS[0]:
        yield _cloud(settings)
    elif key:
        yield Check("model key", "ok", f"ANTHROPIC_API_KEY is set ({end_of(key)})")
    elif token:
        yield Check("model key", "ok", f"ANTHROPIC_AUTH_TOKEN is set ({end_of(token)})")
    else:
        yield Check(
            "model key",
            "absent",
            "not set: the detectors review alone",
            "Make a key at https://console.anthropic.com and export ANTHROPIC_API_KEY.",
        )
    yield _service(settings, online)
    yield _price("model", settings.model, settings)
    yield _price("cheap model", settings.cheap_model, settings)
    yield _kept(settings)
    if settings.budget_usd is None:
        yield Check("budget", "warning", "none: a run may cost any amount", "Set RLM_BUDGET.")
    elif settings.budget_usd == 0:
        yield Check("budget", "ok", "$0: no model is asked")
    else:
        yield Check("budget", "ok", f"at most ${settings.budget_usd:.2f} a run")


def _service(settings: Settings, online: bool) -> Check:
    name = "model service"
    if not settings.has_key:
        return Check(name, "absent", "not asked without a key")
    model = service_of(settings)
    if not online:
        return Check(name, "ok", f"{model.address}, not asked now (--online asks)")
    names = list(dict.fromkeys((settings.model, settings.cheap_model)))
    began = time.monotonic()
    try:
        asyncio.run(_count(model, names))
    except Uncounted as error:
        text = f"{model.address}, not proved: {error}, and another question would cost something"
        return Check(name, "absent", text, "The first review shows whether it takes the key.")
    except GiveUp as error:
        hint = "See what the service says of the account and the model's name."
        return Check(name, "warning", f"{model.address} refuses to answer: {error}", hint)
    except RlmError as error:
        hint = error.hint if isinstance(error, TellUser) else "Check the network and HTTPS_PROXY."
        return Check(name, "warning", f"{model.address} does not answer: {error}", hint)
    took_ms = (time.monotonic() - began) * 1_000
    text = f"{model.address} answers for {' and '.join(names)} ({took_ms:.0f} ms)"
    return Check(name, "ok", text)


async def _count(model: AnthropicModel, names: list[str]) -> None:
    async with model:
        for name in names:
            await model.count(Request(name, (), (Turn("user", (Text("1 + 1"),)),)))


def _cloud(settings: Settings) -> Check:
    """Say which credentials of a cloud are used; `Settings` has refused what lacks a part."""
    cloud, provider = settings.cloud, settings.provider
    names = CLOUD_KEYS[provider]
    if cloud is None:
        hint = f"Export {' or '.join(names)}, and the region."
        return Check(
            "model key", "absent", f"none for {provider}: the detectors review alone", hint
        )
    secret = cloud.secrets[0] if cloud.secrets else None
    first = cloud.bearer if isinstance(cloud, Bedrock) else cloud.token
    name = names[0] if first else names[1]
    shown = f" ({end_of(secret)})" if secret else ""
    return Check("model key", "ok", f"{name} is set{shown}, for {provider} in {cloud.region}")


def _price(name: str, model: str, settings: Settings) -> Check:
    try:
        prices = load(settings.prices)
    except TellUser as error:
        return Check(name, "broken", error.problem, error.hint)
    # By the thousand: of a prompt as long as a million tokens some models cost more.
    per_input = prices.cost(model, Usage(input=THOUSAND))
    per_output = prices.cost(model, Usage(output=THOUSAND))
    if per_input is None or per_output is None:
        return Check(
            name,
            "warning",
            f"{model}, of unknown price: a cap in dollars cannot be kept",
            "Name a file with its price in RLM_PRICES, or give --budget none.",
        )
    text = f"{model}, ${per_input * THOUSAND:g} in and ${per_output * THOUSAND:g} out"
    return Check(name, "ok", f"{text} per million tokens (prices of {prices.as_of})")


def _github(settings: Settings) -> Check:
    host = settings.github.host
    if settings.github_token:
        shown = end_of(settings.github_token)
        return Check("GitHub token", "ok", f"GITHUB_TOKEN is set ({shown}), for {host} only")
    return Check(
        "GitHub token",
        "absent",
        "not set: public pull requests only, 60 requests an hour",
        "Export GITHUB_TOKEN, and GH_HOST if it is not for github.com.",
    )


def _state(home: Path) -> Check:
    there = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Check(
            "state folder",
            "warning",
            f"{home} cannot be written: pull requests cannot be fetched",
            "Set RLM_HOME to a folder of yours.",
        )
    hint = "Make room there, or set RLM_HOME to another folder."
    try:
        _fill(there)
    except OSError as error:
        return Check("state folder", "faulty", f"{home} cannot be written: {error.strerror}", hint)
    free = shutil.disk_usage(there).free
    state: State = "warning" if free < FREE_BYTES_WANTED else "ok"
    return Check("state folder", state, f"{home}, {size_of(free)} free", hint * (state != "ok"))


def _fill(folder: Path) -> None:
    """Write there for a moment, as much as a store needs to go on; OSError if that cannot be."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x" * ROOM_BYTES)
        file.flush()
        os.fsync(file.fileno())


def _server(settings: ServerSettings, environ: Mapping[str, str], online: bool) -> Iterator[Check]:
    """Say what `rlm serve` would find, without making any of it."""
    host = settings.github.host
    named = f"{settings.slug} ({settings.app_id})" if settings.slug else settings.app_id
    yield _of_server("GitHub App", "github", f"{named} on {host}, with its key", settings)
    said = "on: branches and pull requests where a repository asks for them (write: on)"
    yield Check("writing", "ok", said if settings.write else "off: patches alone (RLM_WRITE)")
    count = len(settings.webhook_secrets)
    text = "set" if count == 1 else f"set, {count} are accepted"
    yield _of_server("webhook secret", "web", text, settings)
    where = store_at(settings.home, environ)
    if isinstance(where, Path):
        yield from _store(where, settings.home)
    elif not online:
        yield Check("store", "ok", f"in the database of {DATABASE_URL} (--online asks it)")
    if process := running(settings.home):
        yield Check("server", "ok", f"runs on that state folder (process {process})")
    else:
        yield Check("server", "absent", "does not run on that state folder", "Start: `rlm serve`.")


def _of_server(name: str, role: str, text: str, settings: ServerSettings) -> Check:
    troubles = [one for one in settings.troubles if one.role == role]
    if not troubles:
        return Check(name, "ok", text)
    state: State = "absent" if all(one.absent for one in troubles) else "warning"
    hints = " ".join(dict.fromkeys(one.hint for one in troubles if one.hint))
    return Check(name, state, "; ".join(one.problem for one in troubles), hints)


def _store(path: Path, home: Path) -> Iterator[Check]:
    """Look at the file from outside: opening it as another user would leave files of theirs."""
    try:
        with path.open("rb") as file:
            known = file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
        size, owner = path.stat().st_size, path.stat().st_uid
    except FileNotFoundError:
        yield Check("store", "absent", f"{path} is not there yet", "`rlm serve` makes it.")
        return
    except OSError as error:
        hint = "Run as the user that runs `rlm serve`."
        yield Check("store", "warning", f"{path} cannot be read: {error.strerror}", hint)
        return
    text = f"{path}, {size_of(size)}"
    if not known:
        hint = "Restore it from a copy, or move it away."
        yield Check("store", "warning", f"{path} is no SQLite file", hint)
    elif owner == os.geteuid():
        yield from _store_of_ours(path, text, home)
    else:
        yield Check("store", "ok", f"{text}; its owner alone can try to write")


def _store_of_ours(path: Path, text: str, home: Path) -> Iterator[Check]:
    """Look inside, which leaves no file that its owner could not write."""
    try:
        version, forgotten = _written(path)
        _fill(path.parent)  # to hold the writer's place takes no room yet
    except (sqlite3.Error, OSError) as error:
        hint = "Make room on its disk, or restore it from a copy."
        yield Check("store", "faulty", f"{path} cannot be written: {error}", hint)
        return
    if version not in known_versions():
        hint = "Start the version of this program that wrote it; to go back is not possible."
        yield Check("store", "faulty", f"{text}, of a newer version ({version})", hint)
        return
    older = "" if version == REVISION else ", brought up to date by the next `rlm serve`"
    version = version or "of before"
    yield Check("store", "ok", f"{text}, can be written, version {version}{older}")
    yield removed_here(home, forgotten)


def _written(path: Path) -> tuple[str, list[str]]:
    """Hold the writer's place for a moment; return the version of the tables, "" for none, and the
    rows that say what is to be removed.
    """
    with closing(sqlite3.connect(path, timeout=PROGRAM_TIMEOUT_S, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
        named = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if db.execute(named).fetchone() is None:
            return "", []
        found = db.execute("SELECT version_num FROM alembic_version").fetchone()
        version = str(found[0]) if found else ""
        if version != REVISION:
            return version, []
        return version, [str(row) for (row,) in db.execute("SELECT id FROM forgotten")]
