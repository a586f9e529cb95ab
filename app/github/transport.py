"""What git gets over the network, and what it says: nothing of the user's, no token on disk."""

import base64
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from app.github.errors import Outage
from app.github.urls import Server
from reviewer.errors import NoRoom, RetryLater, RlmError, TellUser
from reviewer.text import printable

SLOW_BYTES_PER_S = 1_000
SLOW_FOR_S = 60
"""A connection slower than this for so long is given up, well before the whole time limit."""

PASSED_ON = (
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

UNREACHED_S = 10.0

_ANSWERED = re.compile(r"returned error: [34]\d\d\b|certificate")
"""The same answer is to be expected the next time."""

_CUT = (
    "unable to access",
    "rpc failed",
    "early eof",
    "hung up",
    "index-pack failed",
    "connection",
    "timed out",
    "unexpected disconnect",
)
"""Git's words for a connection that failed or ended early."""

_KILLED = re.compile(r"died of signal (?:9|15)\b|\Agit ended with -(?:9|15)\Z")
"""Of a git, or a helper of it, that somebody killed: whoever frees memory, say."""

KILLED_S = 2.0


class Moved(RetryLater):
    """The server does not have a commit, or no longer: the pull request was pushed to."""


class Unreached(Outage):
    """The connection failed or ended early."""


class AtTerminal(TellUser):
    """`hint` is for somebody at a terminal, with a token and a clone of their own."""


class Denied(AtTerminal):
    """The server does not let us read: the token expired, or may not."""


def environment(
    server: Server, token: SecretStr | None, home: Path, ours: Mapping[str, str]
) -> dict[str, str]:
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
    env = {name: ours[name] for name in PASSED_ON if name in ours}
    env |= {
        "PATH": _absolute(ours.get("PATH", os.defpath)),
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


def _absolute(path: str) -> str:
    """Drop relative folders: one of them could find a git in the work tree under review."""
    return os.pathsep.join(folder for folder in path.split(os.pathsep) if folder[:1] == os.sep)


def explain(error_text: str, server: Server, *, with_token: bool, folder: Path) -> RlmError:
    """Turn git's complaint about a fetch into `folder` into words for the user."""
    text = error_text.lower()
    said = _reason(error_text)
    # Not every complaint about a full disk says so.
    full = shutil.disk_usage(folder).free < FULL_BYTES
    if full or "no space left on device" in text or "disk quota exceeded" in text:
        return NoRoom(
            "The disk is full: the pull request could not be fetched",
            "Make room, or set RLM_HOME to a folder on another disk.",
        )
    if _KILLED.search(text):
        return RetryLater("Git was killed while it fetched the pull request: try again", KILLED_S)
    if "authentication failed" in text or "could not read username" in text or " 403" in text:
        return Denied(
            f"{server.host} does not let us read the repository",
            "Check that GITHUB_TOKEN may read its contents."
            if with_token
            else "Set GITHUB_TOKEN to a token that may read it.",
        )
    if "not our ref" in text or "couldn't find remote ref" in text:
        return Moved(f"The pull request moved while it was fetched: {said}", 10)
    if "fsck error" in text or "error in object" in text:
        return AtTerminal(
            f"Git refuses an object of this repository as malformed: {said}",
            "Review a range of a local clone instead.",
        )
    return _cut_off(text, said, server)


def _cut_off(text: str, said: str, server: Server) -> RlmError:
    """Explain what is no answer of the repository: a connection that failed, or something odd."""
    if _ANSWERED.search(text):
        return AtTerminal(
            f"{server.host} cannot be reached by git: {said}",
            "Check the network and HTTPS_PROXY, or review a range of a local clone.",
        )
    if any(words in text for words in _CUT):
        # It passes, or somebody at a terminal sees from the words what to look at.
        return Unreached(
            f"{server.host} cannot be reached by git ({said}); if it lasts, check the network and "
            "HTTPS_PROXY",
            UNREACHED_S,
        )
    return TellUser(f"Git could not fetch the pull request: {said}", "Try again.")


def _reason(text: str) -> str:
    """Return git's first complaint (the later ones follow from it), bounded and printable."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    complaints = [line for line in lines if line.startswith(("fatal:", "error:"))]
    line = printable((complaints or lines or ["no reason given"])[0])
    return "".join(c for c in line if c.isprintable())[:_ERROR_CHARS]
