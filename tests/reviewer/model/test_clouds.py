"""Bedrock and Vertex AI over real HTTP, through the SDK's own clients for them."""

import asyncio
import hashlib
import hmac
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from reviewer.errors import GiveUp, RlmError, TellUser
from reviewer.model.access import Bedrock, Vertex
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Reply, Request, Stop, Text, Tool, ToolUse, Turn, Unanswered
from reviewer.model.prices import plain_name
from tests.event_stream import message
from tests.model_server import (
    Answer,
    ModelServer,
    Received,
    Script,
    amazon_error,
    billed,
    cut,
    error,
    google_error,
    raw,
    redirect,
    stream_error,
    text,
    tool,
)

BEDROCK_MODEL = "us.anthropic.claude-sonnet-5-5-v1:0"
VERTEX_MODEL = "claude-sonnet-5-5@20261001"
ASK = Request(
    BEDROCK_MODEL,
    ("You review code.",),
    (Turn("user", (Text("Here is a change."),)),),
    tools=(Tool("submit", "Hand it in.", {"type": "object", "properties": {}}),),
    max_tokens=1_000,
)
KEYS = Bedrock(
    "eu-central-1",
    key_id=SecretStr("AKIAEXAMPLE"),
    secret_key=SecretStr("secret-of-aws-0123456789"),
    session_token=SecretStr("session-of-aws-0123456789"),
)
BEARER = Bedrock("eu-central-1", bearer=SecretStr("bedrock-api-key-0123456789"))
TOKEN = Vertex("europe-west1", "my-project", token=SecretStr("ya29.token-0123456789"))

Cloud = Bedrock | Vertex


@pytest.fixture(autouse=True)
def environment_of_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What other programs are configured with, all of it wrong for us."""
    for name, value in {
        "AWS_BEARER_TOKEN_BEDROCK": "somebody-elses",
        "AWS_ACCESS_KEY_ID": "AKIASOMEBODYELSE",
        "AWS_SECRET_ACCESS_KEY": "somebody-elses",
        "AWS_REGION": "us-gov-west-1",
        "AWS_PROFILE": "nobody",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9",
        "ANTHROPIC_BEDROCK_BASE_URL": "http://127.0.0.1:9",
        "ANTHROPIC_VERTEX_BASE_URL": "http://127.0.0.1:9",
        "ANTHROPIC_VERTEX_PROJECT_ID": "somebody-elses",
        "ANTHROPIC_CUSTOM_HEADERS": "x-other: yes",
        "CLOUD_ML_REGION": "us-east5",
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "nowhere.json"),
        "GCE_METADATA_HOST": "127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)


def ask(script: Script, cloud: Cloud, request: Request = ASK) -> tuple[Reply, Received]:
    with ModelServer(script) as server:

        async def main() -> Reply:
            there = replace(cloud, endpoint=server.url)
            async with AnthropicModel(cloud=there) as model:
                return await model.complete(_named(request, cloud), 10)

        return asyncio.run(main()), server.requests[-1]


def failure(script: Script, cloud: Cloud) -> RlmError:
    with pytest.raises(RlmError) as raised:
        ask(script, cloud)
    for secret in cloud.secrets:
        assert secret.get_secret_value() not in str(raised.value)
    return raised.value


def _named(request: Request, cloud: Cloud) -> Request:
    return replace(request, model=VERTEX_MODEL) if isinstance(cloud, Vertex) else request


@pytest.mark.parametrize("cloud", [KEYS, BEARER, TOKEN])
def test_an_answer_is_decoded_whole(cloud: Cloud) -> None:
    last = billed(tool("submit", {"ok": [1, "ä"]}), input_tokens=7)
    reply, _ = ask([[text("Looks fine."), last]], cloud)
    assert reply.text == "Looks fine."
    assert [(use.name, use.input) for use in reply.tool_uses] == [("submit", {"ok": [1, "ä"]})]
    assert (reply.stop, reply.usage.input) == (Stop.TOOL, 7)
    assert isinstance(reply.blocks[1], ToolUse)


def test_bedrock_is_asked_by_path_with_a_signature_over_our_keys_and_region() -> None:
    _, received = ask([text("ok")], KEYS)
    path = "/model/us.anthropic.claude-sonnet-5-5-v1:0/invoke-with-response-stream"
    assert received.path == path
    assert not {"model", "stream"} & {*received.body}
    assert received.body["anthropic_version"]
    assert received.body["max_tokens"] == 1_000
    signed = received.headers["authorization"]
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert "/eu-central-1/bedrock/aws4_request" in signed
    assert signed.rpartition("Signature=")[2] == signature(received, "secret-of-aws-0123456789")
    assert received.headers["x-amz-security-token"] == "session-of-aws-0123456789"
    assert "x-other" not in received.headers


def signature(received: Received, secret: str) -> str:
    """Return what Signature Version 4 gives for a request as it arrived, by the book."""
    told = received.headers["authorization"]
    scope = told.partition("Credential=")[2].partition(",")[0].partition("/")[2]
    names = told.partition("SignedHeaders=")[2].partition(",")[0]
    canonical = "\n".join(
        (
            "POST",
            quote(received.path, safe="/-_.~"),
            "",
            *(f"{name}:{received.headers[name]}" for name in names.split(";")),
            "",
            names,
            hashlib.sha256(received.raw).hexdigest(),
        )
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text_to_sign = f"AWS4-HMAC-SHA256\n{received.headers['x-amz-date']}\n{scope}\n{hashed}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text_to_sign.encode(), "sha256").hex()


def test_bedrock_takes_a_key_of_its_own_in_place_of_a_signature() -> None:
    _, received = ask([text("ok")], BEARER)
    assert received.headers["authorization"] == "Bearer bedrock-api-key-0123456789"
    assert "x-amz-date" not in received.headers


def test_an_inference_profile_is_named_by_its_arn() -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
    _, received = ask([text("ok")], KEYS, replace(ASK, model=arn))
    assert received.path == f"/model/{arn.replace('/', '%2F')}/invoke-with-response-stream"


def test_vertex_is_asked_by_path_with_a_token() -> None:
    _, received = ask([text("ok")], TOKEN)
    place = "/projects/my-project/locations/europe-west1/publishers/anthropic/models"
    assert received.path == f"{place}/{VERTEX_MODEL}:streamRawPredict"
    assert "model" not in received.body
    assert (received.body["stream"], bool(received.body["anthropic_version"])) == (True, True)
    assert received.headers["authorization"] == "Bearer ya29.token-0123456789"
    assert "x-other" not in received.headers


def test_the_names_have_the_prices_of_the_model() -> None:
    assert plain_name(BEDROCK_MODEL) == plain_name(VERTEX_MODEL) == "claude-sonnet-5-5"


@pytest.mark.parametrize(
    ("cloud", "address"),
    [
        (KEYS, "https://bedrock-runtime.eu-central-1.amazonaws.com"),
        (TOKEN, "https://europe-west1-aiplatform.googleapis.com/v1"),
        (replace(TOKEN, region="global"), "https://aiplatform.googleapis.com/v1"),
        (replace(TOKEN, region="eu"), "https://aiplatform.eu.rep.googleapis.com/v1"),
        (replace(KEYS, endpoint="https://u:p@vpce.example/x"), "https://vpce.example/x"),
    ],
)
def test_the_address_is_that_of_the_region(cloud: Cloud, address: str) -> None:
    assert AnthropicModel(cloud=cloud).address == address


@pytest.mark.parametrize(
    ("cloud", "answer", "busy"),
    [
        (KEYS, amazon_error(429, "ThrottlingException", "Too many tokens"), True),
        (KEYS, amazon_error(503, "ServiceUnavailableException"), True),
        (KEYS, amazon_error(500, "InternalServerException"), False),
        (KEYS, amazon_error(408, "ModelTimeoutException"), False),
        (KEYS, amazon_error(424, "ModelErrorException"), False),
        (TOKEN, google_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded"), True),
        (TOKEN, google_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", listed=True), True),
        (TOKEN, error(529, "overloaded_error"), True),
        (TOKEN, google_error(500, "INTERNAL"), False),
    ],
)
def test_what_may_pass_is_tried_again_and_was_not_charged(
    cloud: Cloud, answer: Answer, busy: bool
) -> None:
    failed = failure([answer], cloud)
    assert isinstance(failed, Unanswered)
    assert (failed.busy, failed.billed) == (busy, False)


@pytest.mark.parametrize(
    ("cloud", "answer", "hint"),
    [
        (KEYS, amazon_error(403, "UnrecognizedClientException", "The token is invalid."), "AWS_"),
        (KEYS, amazon_error(403, "ExpiredTokenException"), "AWS_SESSION_TOKEN"),
        (KEYS, amazon_error(404, "ResourceNotFoundException", "Not found"), "RLM_MODEL"),
        (
            KEYS,
            amazon_error(400, "ValidationException", "The provided model identifier is invalid."),
            "RLM_MODEL",
        ),
        (KEYS, error(404, body="<html>"), "AWS_REGION"),
        (KEYS, redirect("http://127.0.0.1:9/"), "ANTHROPIC_BEDROCK_BASE_URL"),
        (TOKEN, google_error(401, "UNAUTHENTICATED", "Invalid"), "GOOGLE_APPLICATION_CREDENTIALS"),
        (TOKEN, google_error(403, "PERMISSION_DENIED"), "ANTHROPIC_VERTEX_PROJECT_ID"),
        (TOKEN, google_error(404, "NOT_FOUND", "Publisher Model was not found"), "RLM_MODEL"),
        (TOKEN, google_error(404, "NOT_FOUND", "Not found", listed=True), "RLM_MODEL"),
        (TOKEN, redirect("http://127.0.0.1:9/"), "ANTHROPIC_VERTEX_BASE_URL"),
    ],
)
def test_what_the_user_must_mend_names_the_variables_of_the_cloud(
    cloud: Cloud, answer: Answer, hint: str
) -> None:
    failed = failure([answer], cloud)
    assert isinstance(failed, TellUser)
    assert hint in failed.hint
    assert "ANTHROPIC_API_KEY" not in failed.hint


@pytest.mark.parametrize(
    ("cloud", "answer"),
    [
        (KEYS, amazon_error(400, "ValidationException", "Input is too long for this model.")),
        (TOKEN, google_error(400, "INVALID_ARGUMENT", "Input is too long for this model.")),
        (TOKEN, error(413, "request_too_large", "Input is too long for this model.")),
    ],
)
def test_what_will_never_be_answered_is_given_up_in_the_services_words(
    cloud: Cloud, answer: Answer
) -> None:
    failed = failure([answer], cloud)
    assert isinstance(failed, GiveUp)
    assert "Input is too long" in str(failed)


@pytest.mark.parametrize(
    ("name", "busy"),
    [
        ("throttlingException", True),
        ("modelStreamErrorException", False),
        ("internalServerException", False),
        ("brandNewException", False),
    ],
)
def test_an_exception_in_bedrocks_stream_counts_as_charged(name: str, busy: bool) -> None:
    failed = failure([stream_error(name, text("half"))], KEYS)
    assert isinstance(failed, Unanswered)
    assert (failed.billed, failed.busy) == (True, busy)


@pytest.mark.parametrize("cloud", [KEYS, TOKEN])
@pytest.mark.parametrize("clean", [True, False])
def test_a_cut_stream_counts_as_charged(cloud: Cloud, clean: bool) -> None:
    failed = failure([cut(text("half"), after_events=4, clean=clean)], cloud)
    assert isinstance(failed, Unanswered)
    assert failed.billed


@pytest.mark.parametrize(
    "body",
    [
        b"<html>" * 10,
        b"\x00" * 64,
        message({":message-type": "event", ":event-type": "chunk"}, {"bytes": "?"}),
        message({}, {}),
        message({":message-type": "event", ":event-type": "chunk"}, {})[:-1] + b"x",
    ],
)
def test_garbage_for_bedrocks_frames_counts_as_charged(body: bytes) -> None:
    failed = failure([raw(body)], KEYS)
    assert isinstance(failed, Unanswered)
    assert failed.billed


def counted(server: ModelServer, cloud: Cloud) -> int:
    async def main() -> int:
        async with AnthropicModel(cloud=replace(cloud, endpoint=server.url)) as model:
            return await model.count(_named(ASK, cloud))

    return asyncio.run(main())


def test_bedrock_does_not_count_tokens() -> None:
    with ModelServer([]) as server:
        with pytest.raises(GiveUp, match="does not count tokens"):
            counted(server, KEYS)
        assert server.requests == []


def test_vertex_counts_tokens() -> None:
    with ModelServer([]) as server:
        assert counted(server, TOKEN) > 0
        assert server.requests[-1].path.endswith("/models/count-tokens:rawPredict")
        assert server.requests[-1].body["model"] == VERTEX_MODEL


@pytest.mark.parametrize(
    ("cloud", "module", "package"),
    [
        (KEYS, "botocore.auth", "botocore"),
        (TOKEN, "google.auth.transport.requests", "google-auth"),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    cloud: Cloud, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    failed = failure([text("never")], cloud)
    assert isinstance(failed, TellUser)
    assert f"pip install {package}" in failed.hint


Tokens = Callable[[], tuple[int, dict[str, Any]]]


@contextmanager
def token_server(answer: Tokens) -> Iterator[str]:
    """A loopback counterpart of Google's token endpoint."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status, value = answer()
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/token"
        server.shutdown()
        thread.join()


def service_account(folder: Path, token_uri: str) -> Path:
    key = rsa.generate_private_key(65_537, 2_048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "account.json"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "another-project",
                "private_key_id": "1",
                "private_key": key.decode(),
                "client_email": "rlm@my-project.iam.gserviceaccount.com",
                "token_uri": token_uri,
            }
        )
    )
    return file


def test_a_file_of_credentials_makes_tokens_and_our_project_counts(tmp_path: Path) -> None:
    given: list[int] = []

    def token() -> tuple[int, dict[str, Any]]:
        given.append(1)
        return 200, {"access_token": "ya29.made", "expires_in": 3_600, "token_type": "Bearer"}

    with token_server(token) as uri, ModelServer([text("one"), text("two")]) as server:
        cloud = replace(
            TOKEN, token=None, credentials=service_account(tmp_path, uri), endpoint=server.url
        )

        async def main() -> list[str]:
            async with AnthropicModel(cloud=cloud) as model:
                request = _named(ASK, cloud)
                return [(await model.complete(request, 10)).text for _ in range(2)]

        assert asyncio.run(main()) == ["one", "two"]
        assert {one.headers["authorization"] for one in server.requests} == {"Bearer ya29.made"}
        assert all(one.path.startswith("/projects/my-project/") for one in server.requests)
    assert len(given) == 1


def test_credentials_that_were_withdrawn_are_for_the_user(tmp_path: Path) -> None:
    answer = {"error": "invalid_grant", "error_description": "Account deleted"}
    with token_server(lambda: (400, answer)) as uri:
        account = service_account(tmp_path, uri)
        failed = failure([text("never")], replace(TOKEN, token=None, credentials=account))
    assert isinstance(failed, TellUser)
    assert "Account deleted" in failed.problem
    assert "GOOGLE_APPLICATION_CREDENTIALS" in failed.hint


def test_a_token_endpoint_that_cannot_be_reached_is_tried_again(tmp_path: Path) -> None:
    account = service_account(tmp_path, "http://127.0.0.1:9/token")
    failed = failure([text("never")], replace(TOKEN, token=None, credentials=account))
    assert isinstance(failed, Unanswered)
    assert not failed.billed


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{}",
        "[]",
        '{"type": "service_account"}',
        '{"type": "external_account", "credential_source": {"executable": {"command": "id"}}}',
    ],
)
def test_a_file_that_holds_no_credentials_is_for_the_user(
    content: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "credentials.json"
    if content is not None:
        file.write_text(content)
    failed = failure([text("never")], replace(TOKEN, token=None, credentials=file))
    assert isinstance(failed, TellUser)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in failed.hint


def test_without_credentials_nothing_is_looked_for_elsewhere() -> None:
    assert isinstance(failure([text("never")], replace(TOKEN, token=None)), TellUser)
    lacking = replace(KEYS, key_id=None, secret_key=None, session_token=None)
    assert isinstance(failure([text("never")], lacking), TellUser)
