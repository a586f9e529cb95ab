"""Our client against a GitHub that nobody here wrote: the App's way to a token, and GraphQL.

@simulacrum/github-api-simulator holds GitHub's own GraphQL schema and refuses what does not fit it.
It knows no threads: whether a question fits is all that it can say about them.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.github import closing, threads
from app.github.auth import AppAuth
from app.github.client import Hub
from app.github.urls import Server
from reviewer.errors import RlmError
from tests.app.test_serve import private_key
from tests.app.world import wait_until
from tests.github.npm import PACKAGES, package_file

PACKAGE = "@simulacrum/github-api-simulator"

SCRIPT = """
import { simulation } from "%s";
simulation({ initialState: %s }).listen(%d, () => console.log("listens"));
"""

STATE = {
    "users": [{"login": "alice", "organizations": ["octo"]}],
    "organizations": [{"login": "octo"}],
    "repositories": [{"owner": "octo", "name": "hello"}],
    "branches": [],
    "blobs": [],
}

YOUNGER = {" subjectType": "", " fullDatabaseId": ""}
"""What GitHub has had for some years and the simulator's schema has not."""

VARIABLES = {
    "owner": "octo", "name": "hello", "number": 1, "after": None, "page": 5, "replies": 5,
}  # fmt: skip


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The simulator as a process of its own."""
    package_file(PACKAGE, "dist/index.mjs")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said: Path = tmp_path_factory.mktemp("simulacrum") / "log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            ["node", "--input-type=module", "-e", SCRIPT % (PACKAGE, json.dumps(STATE), port)],
            env={"PATH": os.environ["PATH"], "HOME": str(said.parent)},
            cwd=PACKAGES.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_until(lambda: "listens" in said.read_text(), said.read_text)
        yield Server(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


def test_an_app_gets_a_token_for_one_repository(simulator: Server) -> None:
    auth = AppAuth(simulator, "1337", SecretStr(private_key()))
    assert auth.slug() == "octoapp"
    token = auth.installation_token(1, 3000, {"contents": "read"})
    assert token.value.get_secret_value().startswith("ghs_")
    assert token.usable() and token.expires > time.time()


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (threads._READ, VARIABLES),
        (closing._RESOLVE, {"id": "PRRT_x"}),
        (closing._FOLD, {"id": "PRRC_x"}),
    ],
)
def test_what_we_ask_of_graphql_fits_the_schema(
    simulator: Server, text: str, variables: dict[str, object]
) -> None:
    for name, instead in YOUNGER.items():
        text = text.replace(name, instead)
    answered = asked(simulator, text, variables)
    assert "Cannot query" not in answered
    assert "GRAPHQL_VALIDATION_FAILED" not in answered
    assert "Variable" not in answered


def test_a_question_that_does_not_fit_would_be_refused(simulator: Server) -> None:
    wrong = threads._READ.replace("isOutdated", "isOutOfDate")
    assert '"isOutOfDate"' in asked(simulator, wrong, VARIABLES)


def asked(simulator: Server, text: str, variables: dict[str, object]) -> str:
    """Ask through our client; return what came back, an error's words too."""
    with Hub(simulator, SecretStr("ghs_" + "x" * 36), actor="rlm-review[bot]") as hub:
        try:
            return json.dumps(hub.query("ask", text, variables))
        except RlmError as error:
            return f"{error} {getattr(error, 'said', '')} {error.__cause__}"
