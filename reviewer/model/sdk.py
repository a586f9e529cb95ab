"""The one module that imports the Anthropic SDK: a request body in, a reply or our errors out.

Importing it takes seconds: `reviewer.model.anthropic` does so when the first call is made.
"""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cache
from typing import Any

import anthropic
import httpx2

from reviewer.errors import GiveUp, RlmError, TellUser
from reviewer.model.base import Reply, Unanswered
from reviewer.model.failures import STATUS, Failure, meaning, told
from reviewer.model.wire import Assembly, Malformed

DRAIN_S = 0.5
"""How long the end of a finished stream is awaited, so that the connection can be used again."""

UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class Unsupported(GiveUp):
    """The service refuses a feature (a field of `Dialect`) that the request can do without."""

    def __init__(self, why: str, feature: str) -> None:
        super().__init__(why)
        self.feature = feature


class Service:
    """One client of one Messages API. `name` is its address, safe to show; `secret` is not."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        *,
        is_key: bool,
        connect_s: float,
        stall_s: float,
    ) -> None:
        self.name = name
        self._secret = secret
        self._stall_s = stall_s
        self._client = anthropic.AsyncAnthropic(
            api_key=secret if is_key else None,
            auth_token=None if is_key else secret,
            base_url=url,
            max_retries=0,
            timeout=anthropic.Timeout(stall_s, connect=connect_s),
            open_telemetry=False,
            # A redirect would send the code, if not the key, to an address nobody configured.
            http_client=anthropic.DefaultAsyncHttpxClient(
                follow_redirects=False,
                verify=_certificates(
                    os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
                ),
            ),
        )
        # The constructor adds what ANTHROPIC_CUSTOM_HEADERS says, and has no argument against it.
        self._client._custom_headers = {}

    async def reply(self, written: dict[str, Any]) -> Reply:
        """Send a body and return the whole reply; raise what `Model.complete` may raise."""
        assembly = Assembly()
        try:
            stream = await self._client.messages.create(**written, stream=True)
            try:
                events = anthropic.AsyncStream.raw_events(stream.response)
                await self._read(events, assembly, written["model"])
            finally:
                await stream.close()
        except (anthropic.APIError, httpx2.HTTPError, Malformed) as error:
            if not assembly.complete:
                # Not `from error`: what the service wrote goes into a traceback, key and all.
                raise self._translated(error, written["model"]) from None
        if not assembly.complete:
            raise Unanswered("the answer broke off in the middle", billed=True)
        return assembly.reply()

    async def count(self, written: dict[str, Any]) -> int:
        """Return the number of input tokens of a body; raise what `Model.count` may raise."""
        measured = {name: value for name, value in written.items() if name != "max_tokens"}
        try:
            answer = await self._client.messages.count_tokens(**measured)
        except (anthropic.APIError, httpx2.HTTPError, ValueError) as error:
            status = getattr(error, "status_code", None)
            if status in (404, 405, 501) and getattr(error, "type", None) != "not_found_error":
                raise GiveUp(f"{self.name} does not count tokens") from None
            translated = self._translated(error, written["model"])
            if isinstance(translated, Unanswered):
                translated.billed = False
            raise translated from None
        counted = getattr(answer, "input_tokens", None)
        if not isinstance(counted, int):
            raise Unanswered("the model's service did not say a number of tokens")
        return counted

    async def close(self) -> None:
        await self._client.close()

    async def _read(
        self,
        events: AsyncIterator[Any],
        assembly: Assembly,
        model: str,
    ) -> None:
        try:
            async for event in events:
                if event.event == "error":
                    raise self._told_in_stream(event.data, model, assembly.started)
                if event.data:
                    assembly.take(json.loads(event.data))
                if assembly.stopped:
                    break
        except (ValueError, RecursionError) as error:
            raise Malformed(str(error)) from error
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                async for _ in events:
                    pass

    def _told_in_stream(self, data: str, model: str, started: bool) -> RlmError:
        """Return what an `error` event means; once begun, an answer counts as charged for."""
        try:
            error = json.loads(data)["error"]
            kind, words = str(error["type"]), told(error.get("message"), self._secret)
        except (ValueError, LookupError, TypeError, AttributeError):
            kind, words = "", told(data, self._secret)
        failure = Failure(STATUS.get(kind, 500), kind, words=words, in_stream=started)
        return meaning(failure, model, self.name)

    def _translated(self, error: Exception, model: str) -> RlmError:
        """Return an error of the SDK, the connection or the format as one of ours."""
        if isinstance(error, anthropic.APIStatusError):
            return self._refused(error, model)
        # The SDK wraps what goes wrong before the answer begins, and nothing after that.
        wrapped = isinstance(error, anthropic.APIConnectionError) and error.__cause__
        cause = wrapped or error
        words = told(str(cause) or type(cause).__name__, self._secret)
        if isinstance(error, ValueError | anthropic.APIResponseValidationError):
            return Unanswered(f"the answer could not be read: {words}", billed=True)
        if isinstance(_root(cause), ssl.SSLCertVerificationError):
            return TellUser(
                f"The certificate of {self.name} cannot be verified: {words}",
                "If a proxy of your own is in between, point SSL_CERT_FILE at its certificate.",
            )
        if isinstance(cause, UNSENT):
            return Unanswered(f"{self.name} cannot be reached: {words}")
        if isinstance(cause, httpx2.TimeoutException):
            return Unanswered(f"the model fell silent for {self._stall_s:g} s", billed=True)
        return Unanswered(f"the connection broke: {words}", billed=True)

    def _refused(self, error: anthropic.APIStatusError, model: str) -> RlmError:
        failure = Failure(
            error.status_code,
            str(error.type or ""),
            str(error.error_code or ""),
            told(error.api_message, self._secret),
            error.response.headers.get("retry-after"),
        )
        meant = meaning(failure, model, self.name)
        feature = _complaint(failure.words) if failure.status == 400 else None
        if feature and isinstance(meant, GiveUp):
            return Unsupported(str(meant), feature)
        return meant


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


def _complaint(words: str) -> str | None:
    """Return the feature that a 400 complains about, if that is what it does."""
    if "tool_choice" in words:
        return "forced_tools"
    if "effort" in words or "output_config" in words:
        return "effort"
    # A conversation taken up again with another account's key, or rewritten on its way.
    if "signature" in words and "thinking" in words:
        return "thinking"
    return None


def _root(error: BaseException) -> BaseException:
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return error
