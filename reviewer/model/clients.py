"""The clients of the Anthropic SDK, each told everything, so that it looks for nothing itself.

Only the usual variables for proxies and certificates count (see `reviewer.model.anthropic`).
"""

import importlib
import json
import os
import ssl
from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from typing import Any

import anthropic
import httpx2

from reviewer.errors import TellUser
from reviewer.model.access import Access, Bedrock, Direct, Vertex
from reviewer.model.failures import BEDROCK

Client = anthropic.AsyncAnthropic | anthropic.AsyncAnthropicBedrock | anthropic.AsyncAnthropicVertex

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def client_of(access: Access, connect_s: float, stall_s: float) -> Client:
    """Return a client that makes one attempt at each request, and follows no redirect.

    Raise TellUser where a library is not installed, or certificates or credentials are unreadable.
    """
    common: dict[str, Any] = {
        "base_url": access.url,
        "max_retries": 0,
        "timeout": anthropic.Timeout(stall_s, connect=connect_s),
        "open_telemetry": False,
    }
    match access:
        case Direct(secret=secret, is_key=is_key):
            value = secret.get_secret_value()
            client: Client = anthropic.AsyncAnthropic(
                api_key=value if is_key else None,
                auth_token=None if is_key else value,
                http_client=_http(),
                **common,
            )
        case Bedrock():
            client = _bedrock(access, common)
        case Vertex():
            client = _vertex(access, common)
        case _:
            raise TypeError(f"no access: {access!r}")
    # Every constructor adds what ANTHROPIC_CUSTOM_HEADERS says, and has no argument against it.
    client._custom_headers = {}
    return client


@dataclass(frozen=True, slots=True)
class Faults:
    """Exceptions of the libraries of a cloud, which the SDK lets through as they are.

    `frames`: an answer cannot be taken apart. `credentials`: a request cannot be signed, or no
    token be had for it. `passing`: those of them that another attempt may mend.
    """

    frames: tuple[type[Exception], ...] = ()
    credentials: tuple[type[Exception], ...] = ()
    passing: tuple[type[Exception], ...] = ()


def load_libraries(access: Access) -> Faults:
    """Import what the kind of access needs beside the SDK: seconds, so a thread may do it."""
    match access:
        case Bedrock():
            _imported("botocore.auth", "botocore", "bedrock")
            # What the first answer would be held up for otherwise.
            _imported("anthropic.lib.bedrock._stream_decoder").get_response_stream_shape()
            return Faults(
                frames=(
                    _imported("botocore.eventstream").ParserError,
                    _imported("botocore.parsers").ResponseParserError,
                ),
            )
        case Vertex():
            _imported("google.auth.transport.requests", "google-auth", "vertex")
            errors = _imported("google.auth.exceptions")
            return Faults(credentials=(errors.GoogleAuthError,), passing=(errors.TransportError,))
    return Faults()


def _bedrock(access: Bedrock, common: dict[str, Any]) -> anthropic.AsyncAnthropicBedrock:
    # Given no key, the SDK takes AWS_BEARER_TOKEN_BEDROCK, whosever it is. To sign, it would read
    # the profiles of AWS: so that is done below, over the key that it puts there.
    return anthropic.AsyncAnthropicBedrock(
        api_key=access.bearer.get_secret_value() if access.bearer else "unused",
        aws_region=access.region,
        http_client=_http(auth=None if access.bearer else _Signature(access)),
        **common,
    )


class _Signature(httpx2.Auth):
    """Signs requests for Bedrock with a pair of AWS keys (Signature Version 4)."""

    requires_request_body = True

    def __init__(self, access: Bedrock) -> None:
        if access.key_id is None or access.secret_key is None:
            raise TellUser("No credentials for Bedrock are configured.", BEDROCK.key)
        auth = _imported("botocore.auth")
        credentials = _imported("botocore.credentials").Credentials(
            access.key_id.get_secret_value(),
            access.secret_key.get_secret_value(),
            access.session_token.get_secret_value() if access.session_token else None,
        )
        self._signer = auth.SigV4Auth(credentials, "bedrock", access.region)
        self._request = _imported("botocore.awsrequest").AWSRequest

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        # A proxy may change other headers, and those that are signed must arrive as they are.
        signed = self._request(
            method=request.method,
            url=str(request.url),
            headers={"content-type": request.headers["content-type"]},
            data=request.content,
        )
        self._signer.add_auth(signed)
        del request.headers["authorization"]
        request.headers.update(dict(signed.headers))
        yield request


def _vertex(access: Vertex, common: dict[str, Any]) -> anthropic.AsyncAnthropicVertex:
    return anthropic.AsyncAnthropicVertex(
        region=access.region,
        project_id=access.project,
        access_token=access.token.get_secret_value() if access.token else None,
        credentials=None if access.token else _google(access),
        http_client=_http(),
        **common,
    )


# Where the forms of a file of credentials are read. A form that runs a program, or asks a machine's
# metadata, is not among them.
_FORMS = {
    "service_account": ("google.oauth2.service_account", "from_service_account_info"),
    "authorized_user": ("google.oauth2.credentials", "from_authorized_user_info"),
    "external_account": ("google.auth.identity_pool", "from_info"),
}


def _google(access: Vertex) -> Any:
    """Read the file of credentials. Without one the SDK would look for some elsewhere."""
    hint = "Point GOOGLE_APPLICATION_CREDENTIALS at a file of credentials of Google Cloud."
    if access.credentials is None:
        raise TellUser("No credentials for Vertex AI are configured.", hint)
    unusable: tuple[type[Exception], ...] = (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        *load_libraries(access).credentials,
    )
    try:
        info = json.loads(access.credentials.read_text(encoding="utf-8"))
        module, reader = _FORMS[info["type"]]
        return getattr(_imported(module).Credentials, reader)(info, scopes=[SCOPE])
    except unusable as error:
        # What it says may quote the file.
        kind = error.strerror if isinstance(error, OSError) else type(error).__name__
        problem = f"The credentials in {access.credentials} cannot be used: {kind}."
        raise TellUser(problem, hint) from None


def _imported(name: str, package: str = "", extra: str = "") -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise TellUser(
            f"The package {package} is not installed, which {extra} needs.",
            f"Install it where rlm is installed: python -m pip install {package} "
            f"(the extra {extra!r} of rlm-review).",
        ) from error


def _http(auth: httpx2.Auth | None = None) -> httpx2.AsyncClient:
    return anthropic.DefaultAsyncHttpxClient(
        # A redirect would send the code, if not the key, to an address nobody configured.
        follow_redirects=False,
        auth=auth,
        verify=certificates(),
    )


def certificates() -> ssl.SSLContext:
    """Return the context that trusts what the environment names; raise TellUser.

    The first takes a tenth of a second, for what speaks HTTP is imported then: a thread may do it.
    """
    return _certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return the context that trusts what the environment names: 30 ms, so once for each."""
    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        raise TellUser(
            f"The certificates at {file or folder or 'the usual places'} cannot be read: {error}",
            "Point SSL_CERT_FILE at a file of certificates, or unset it.",
        ) from error
