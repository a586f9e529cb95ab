"""git over the network, with an environment that we made: nothing of the user's, no token on disk.

Not through GitPython: it hands its own environment (every key in it) to git, and its time limit
kills by name of process, not the group.
"""

import base64
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr

from app.github.urls import Server
from reviewer.errors import RetryLater, RlmError, TellUser
from reviewer.text import decode, printable

LOCAL_TIMEOUT_S = 60.0
NETWORK_TIMEOUT_S = 1_800.0
SLOW_BYTES_PER_S = 1_000
SLOW_FOR_S = 60
"""A connection slower than this for so long is given up, well before the whole time limit."""

GRACE_S = 2.0
"""What git gets to remove its lock files before it is killed."""

PASSED_ON = (
    "PATH",
    "TMPDIR",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "http_proxy",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)

LEGACY_FAULTS = (
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badFilemode",
    "badTimezone",
    "emptyName",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)
"""Harmless slips of old git programs that large public histories still carry."""

FULL_BYTES = 1 << 16
"""A disk with less room than this is full: git writes in pieces of 4 to 64 KiB."""

_ERROR_CHARS = 300


def environment(server: Server, token: SecretStr | None, home: Path) -> dict[str, str]:
    """Return the whole environment of a git process. `home` is an empty folder."""
    protocol = server.web.partition("://")[0]
    config = {
        "core.fsmonitor": "false",
        "core.hooksPath": os.devnull,
        "core.protectHFS": "true",
        "core.protectNTFS": "true",
        "core.symlinks": "false",
        "credential.helper": "",
        "fetch.recurseSubmodules": "false",
        "gc.auto": "0",
        "http.followRedirects": "false",
        "http.lowSpeedLimit": str(SLOW_BYTES_PER_S),
        "http.lowSpeedTime": str(SLOW_FOR_S),
        "maintenance.auto": "false",
        "protocol.allow": "never",
        f"protocol.{protocol}.allow": "always",
        "safe.bareRepository": "explicit",
        "submodule.recurse": "false",
        "transfer.bundleURI": "false",
        "transfer.credentialsInUrl": "die",
        "transfer.fsckObjects": "true",
        **{f"fetch.fsck.{fault}": "ignore" for fault in LEGACY_FAULTS},
    }
    if token is not None:
        login = f"x-access-token:{token.get_secret_value()}".encode()
        header = f"Authorization: Basic {base64.b64encode(login).decode()}"
        config[f"http.{server.web}/.extraHeader"] = header
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    env |= {
        "GIT_ALLOW_PROTOCOL": protocol,
        "GIT_ASKPASS": "/bin/false",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_COUNT": str(len(config)),
    }
    for index, (key, value) in enumerate(config.items()):
        env[f"GIT_CONFIG_KEY_{index}"] = key
        env[f"GIT_CONFIG_VALUE_{index}"] = value
    return env


def run(
    arguments: Sequence[str], env: Mapping[str, str], timeout_s: float = LOCAL_TIMEOUT_S
) -> tuple[int, str, str]:
    """Run git and return its exit code, output and error text; its group dies with the wait."""
    try:
        process = subprocess.Popen(
            ["git", *arguments],
            cwd="/",  # a PATH with a relative folder would find a git in the reviewed work tree
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise TellUser("Git is not installed", "Install git 2.38 or newer.") from error
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise RetryLater(f"Git took longer than {timeout_s:.0f} s and was stopped") from error
    finally:
        _end(process)
    return process.returncode, decode(out), decode(err)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and its whole group, if it still runs: a time limit, Ctrl-C."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_S)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
        break
    process.wait()


def explain(error_text: str, server: Server, *, with_token: bool, folder: Path) -> RlmError:
    """Turn git's complaint about a fetch into `folder` into words for the user."""
    text = error_text.lower()
    said = _reason(error_text)
    # Not every complaint about a full disk says so.
    full = shutil.disk_usage(folder).free < FULL_BYTES
    if full or "no space left on device" in text or "disk quota exceeded" in text:
        return TellUser(
            "The disk is full: the pull request could not be fetched",
            "Make room, or set RLM_HOME to a folder on another disk.",
        )
    if "authentication failed" in text or "could not read username" in text or " 403" in text:
        return TellUser(
            f"{server.host} does not let us read the repository",
            "Check that GITHUB_TOKEN may read its contents."
            if with_token
            else "Set GITHUB_TOKEN to a token that may read it.",
        )
    if "not our ref" in text or "couldn't find remote ref" in text:
        return RetryLater(f"The pull request moved while it was fetched: {said}", 10)
    if "fsck error" in text or "error in object" in text:
        return TellUser(
            f"Git refuses an object of this repository as malformed: {said}",
            "Review a range of a local clone instead.",
        )
    if "unable to access" in text or "rpc failed" in text or "early eof" in text:
        return TellUser(
            f"{server.host} cannot be reached by git: {said}",
            "Check the network and HTTPS_PROXY, or review a range of a local clone.",
        )
    return TellUser(f"Git could not fetch the pull request: {said}", "Try again.")


def _reason(text: str) -> str:
    """Return git's first complaint (the later ones follow from it), bounded and printable."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    complaints = [line for line in lines if line.startswith(("fatal:", "error:"))]
    line = printable((complaints or lines or ["no reason given"])[0])
    return "".join(c for c in line if c.isprintable())[:_ERROR_CHARS]
