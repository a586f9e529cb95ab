"""What git gets over the network is ours alone, and what it says becomes words for the user."""

import os
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.github.transport import AtTerminal, Denied, Moved, environment, explain
from app.github.urls import Server
from reviewer.errors import RetryLater, TellUser

GITHUB = Server("https://github.com", "https://api.github.com")


def configured(env: dict[str, str]) -> dict[str, str]:
    count = int(env["GIT_CONFIG_COUNT"])
    return {env[f"GIT_CONFIG_KEY_{n}"]: env[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}


def test_git_gets_nothing_of_the_users_environment() -> None:
    ours = {
        "ANTHROPIC_API_KEY": "k",
        "GITHUB_TOKEN": "t",
        "GIT_DIR": "/elsewhere",
        "GIT_TRACE_CURL": "/tmp/trace",
        "GIT_PYTHON_TRACE": "full",
        "HOME": "/me",
        "LD_PRELOAD": "/x.so",
        "HTTPS_PROXY": "http://proxy:3128",
    }
    env = environment(GITHUB, None, Path("/h"), ours)
    assert env.keys() & ours.keys() == {"HOME", "HTTPS_PROXY"}
    assert env["HOME"] == "/h"
    values = configured(env)
    assert values["protocol.https.allow"] == "always" and values["protocol.allow"] == "never"
    assert values["core.hooksPath"] == os.devnull
    assert not any("extraHeader" in key for key in values)


def test_the_environment_of_git_is_this_and_nothing_else() -> None:
    env = environment(GITHUB, SecretStr("t"), Path("/h"), {"PATH": "/bin"})
    count = int(env.pop("GIT_CONFIG_COUNT"))
    config = {
        env.pop(f"GIT_CONFIG_KEY_{n}"): env.pop(f"GIT_CONFIG_VALUE_{n}") for n in range(count)
    }
    assert env == {
        "PATH": "/bin",
        "HOME": "/h",
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_ASKPASS": "/bin/false",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    harmless = {name for name in config if name.startswith("fetch.fsck.")}
    assert all(config.pop(name) in {"warn", "ignore"} for name in harmless)
    assert config.pop("http.https://github.com/.extraHeader").startswith("Authorization: Basic ")
    assert config == {
        "core.fsmonitor": "false",
        "core.hooksPath": os.devnull,
        "core.protectHFS": "true",
        "core.protectNTFS": "true",
        "core.symlinks": "false",
        "credential.helper": "",
        "fetch.recurseSubmodules": "false",
        "gc.auto": "0",
        "http.followRedirects": "false",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "60",
        "maintenance.auto": "false",
        "protocol.allow": "never",
        "protocol.https.allow": "always",
        "safe.bareRepository": "explicit",
        "submodule.recurse": "false",
        "transfer.bundleURI": "false",
        "transfer.credentialsInUrl": "die",
        "transfer.fsckObjects": "true",
    }


def test_the_token_is_for_its_own_server_alone() -> None:
    values = configured(environment(GITHUB, SecretStr("t"), Path("/h"), {}))
    assert [key for key, value in values.items() if "Authorization" in value] == [
        "http.https://github.com/.extraHeader"
    ]


def test_no_git_of_the_work_tree_is_found_whatever_the_path_says() -> None:
    env = environment(GITHUB, None, Path("/h"), {"PATH": ".:bin::/usr/bin:./x:/bin"})
    assert env["PATH"] == "/usr/bin:/bin"


@pytest.mark.parametrize(
    ("complaint", "kind", "words"),
    [
        (
            "error: unable to write file: No space left on device\nfatal: index-pack failed",
            TellUser,
            "disk is full.*RLM_HOME",
        ),
        ("fatal: Authentication failed for 'https://github.com/o/r'", TellUser, "GITHUB_TOKEN"),
        ("remote: not our ref 1234", Moved, "moved"),
        ("fatal: couldn't find remote ref refs/pull/1/head", RetryLater, "moved"),
        ("error: object 12: hasDotgit: contains '.git'\nfatal: fsck error", TellUser, "malformed"),
        ("fatal: unable to access 'https://x': timed out", RetryLater, "cannot be reached by git"),
        (
            "fatal: unable to access 'https://x': returned error: 502",
            RetryLater,
            "502.*HTTPS_PROXY",
        ),
        ("fatal: early EOF\nfatal: index-pack failed", RetryLater, "early EOF"),
        (
            "fatal: unable to access 'https://x': returned error: 302",
            AtTerminal,
            "302.*HTTPS_PROXY",
        ),
        ("fatal: unable to access 'https://x': server certificate", AtTerminal, "certificate"),
        ("fatal: unable to access 'https://x': returned error: 403", Denied, "let us read"),
        ("error: git-remote-http died of signal 9", RetryLater, "Git was killed"),
        ("error: index-pack died of signal 9\nfatal: index-pack failed", RetryLater, "was killed"),
        ("git ended with -9", RetryLater, "Git was killed"),
        ("\x1b[31mfatal: odd\x07", TellUser, "could not fetch the pull request: .*odd"),
    ],
)
def test_each_complaint_says_what_to_do(
    tmp_path: Path, complaint: str, kind: type[Exception], words: str
) -> None:
    error = explain(complaint, GITHUB, with_token=False, folder=tmp_path)
    assert isinstance(error, kind)
    said = f"{error} {getattr(error, 'hint', '')}"
    assert re.search(words, said) and said.isprintable()
