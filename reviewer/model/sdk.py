"""What is done with the Anthropic SDK: a request body in, a reply or our errors out.

Beside `reviewer.model.clients` nothing else imports it. That takes seconds: `AnthropicModel` does
so when the first call is made.
"""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import anthropic
import httpx2

from reviewer.errors import GiveUp, RlmError, TellUser
from reviewer.model.access import Access, Bedrock, Direct
from reviewer.model.base import Reply, Unanswered, Uncounted
from reviewer.model.clients import Client, client_of, load_libraries
from reviewer.model.failures import Advice, Failure, kind_of, meaning, status_of, told
from reviewer.model.limits import left
from reviewer.model.wire import Assembly, Malformed

Answer = TypeVar("Answer")

CALLS_OF_A_CLIENT = 4
MOST_CLIENTS = 16
"""A client looks at each of its connections, whether it is still open, twice for each call: with 64
of them that took a quarter of the processor's time. So calls are spread over a few."""

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
    """One client of one Messages API. `name` is its address, safe to show; the secrets are not."""

    def __init__(
        self, name: str, access: Access, *, connect_s: float, stall_s: float, advice: Advice
    ) -> None:
        self.name = name
        self._secrets = tuple(secret.get_secret_value() for secret in access.secrets)
        self._stall_s = stall_s
        self._advice = advice
        self._binary = isinstance(access, Bedrock)
        self._faults = load_libraries(access)
        self._make = partial(client_of, access, connect_s, stall_s)
        self._clients = [self._make()]
        self._calls = [0]
        self._most = MOST_CLIENTS if isinstance(access, Direct) else 1

    async def reply(
        self, written: dict[str, Any], begun: Callable[[], None] | None = None
    ) -> Reply:
        """Send a body and return the whole reply; raise what `Model.complete` may raise."""
        assembly, room = Assembly(), None
        try:
            with self._client() as client:
                stream = await client.messages.create(**written, stream=True)
                room = left(stream.response.headers)
                try:
                    await self._read(
                        _events(stream, binary=self._binary), assembly, written["model"], begun
                    )
                finally:
                    await stream.close()
        except self._faults.credentials as error:
            raise self._unsigned(error) from None
        except (anthropic.APIError, httpx2.HTTPError, Malformed) as error:
            if not assembly.complete:
                # Not `from error`: what the service wrote goes into a traceback, key and all.
                raise self._translated(error, written["model"]) from None
        if not assembly.complete:
            raise Unanswered("the answer broke off in the middle", billed=True)
        return replace(assembly.reply(), left=room)

    async def count(self, written: dict[str, Any]) -> int:
        """Return the number of input tokens of a body; raise what `Model.count` may raise."""
        measured = {name: value for name, value in written.items() if name != "max_tokens"}
        try:
            answer = await self._clients[0].messages.count_tokens(**measured)
        except self._faults.credentials as error:
            raise self._unsigned(error) from None
        except (anthropic.AnthropicError, httpx2.HTTPError, ValueError) as error:
            status = getattr(error, "status_code", None)
            offered = isinstance(error, anthropic.APIError | httpx2.HTTPError | ValueError)
            known = getattr(error, "type", None) == "not_found_error"
            if not offered or (status in (404, 405, 501) and not known):
                raise Uncounted(f"{self.name} does not count tokens") from None
            translated = self._translated(error, written["model"])
            if isinstance(translated, Unanswered):
                translated.billed = False
            raise translated from None
        counted = getattr(answer, "input_tokens", None)
        if not isinstance(counted, int):
            raise Unanswered("the model's service did not say a number of tokens")
        return counted

    async def send_batch(self, bodies: Mapping[str, dict[str, Any]]) -> str:
        """Hand in bodies by their names, to be answered within a day; return the batch's name."""
        requests: Any = [{"custom_id": name, "params": body} for name, body in bodies.items()]
        made = await self._of_batches(lambda batches: batches.create(requests=requests))
        return _batch_name(made)

    async def batch_ended(self, name: str) -> bool:
        """Are all of its requests answered, refused or given up?"""
        batch = await self._of_batches(lambda batches: batches.retrieve(name))
        return bool(batch.processing_status == "ended")

    async def cancel_batch(self, name: str) -> None:
        """Have no more of its requests answered."""
        await self._of_batches(lambda batches: batches.cancel(name))

    async def batch_results(self, name: str) -> dict[str, Any]:
        """Return the results by the names of their bodies, as JSON values.

        From our own address, and not from the one that the batch names: the key goes along.
        """
        path = f"/v1/messages/batches/{name}/results"
        got = await self._of_batches(lambda _: self._clients[0].get(path, cast_to=httpx2.Response))
        results = {}
        for line in got.text.splitlines():
            try:
                value = json.loads(line)
                results[str(value["custom_id"])] = value["result"]
            except (ValueError, LookupError, TypeError):
                continue  # what is missing in the end is told by whoever looks for it
        return results

    def meaning(self, error: Any, model: str) -> RlmError:
        """Return what the error of one request of a batch means: it was not charged for."""
        found = error.get("error", error) if isinstance(error, dict) else {}
        kind, words = str(found.get("type") or ""), told(found.get("message"), self._secrets)
        meant = meaning(Failure(status_of(kind), kind, words=words), model, self.name, self._advice)
        feature = _complaint(words) if isinstance(meant, GiveUp) else None
        return Unsupported(str(meant), feature) if feature else meant

    async def _of_batches(self, ask: Callable[[Any], Awaitable[Answer]]) -> Answer:
        """Ask something of the Message Batches API; raise TellUser where there is none."""
        try:
            return await ask(self._clients[0].messages.batches)
        except (anthropic.APIError, httpx2.HTTPError, ValueError) as error:
            if getattr(error, "status_code", None) in (404, 405, 501):
                raise TellUser(
                    f"There is no Message Batches API at {self.name}.",
                    "Review without --batch, and without RLM_BATCH.",
                ) from None
            translated = self._translated(error, "")
            if isinstance(translated, Unanswered):
                translated.billed = False
            raise translated from None

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    @contextmanager
    def _client(self) -> Iterator[Client]:
        """Lend the client with the fewest open calls, a new one where all have their share."""
        number = min(range(len(self._calls)), key=self._calls.__getitem__)
        if self._calls[number] >= CALLS_OF_A_CLIENT and len(self._clients) < self._most:
            self._clients.append(self._make())
            self._calls.append(0)
            number = len(self._clients) - 1
        self._calls[number] += 1
        try:
            yield self._clients[number]
        finally:
            self._calls[number] -= 1

    async def _read(
        self,
        events: AsyncIterator[Any],
        assembly: Assembly,
        model: str,
        begun: Callable[[], None] | None,
    ) -> None:
        # LookupError: botocore about a message without the headers that it must have.
        unreadable: tuple[type[Exception], ...] = (
            ValueError,
            RecursionError,
            LookupError,
            *self._faults.frames,
        )
        try:
            async for event in events:
                if event.event == "error":
                    raise self._told_in_stream(event.data, model, assembly.started)
                if event.data:
                    assembly.take(json.loads(event.data))
                if begun is not None and assembly.started:
                    begun()
                    begun = None
                if assembly.stopped:
                    break
        except unreadable as error:
            raise Malformed(str(error) or type(error).__name__) from error
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                async for _ in events:
                    pass

    def _told_in_stream(self, data: str, model: str, started: bool) -> RlmError:
        """Return what an `error` event means; once begun, an answer counts as charged for."""
        try:
            error = json.loads(data)["error"]
            kind, words = str(error["type"]), told(error.get("message"), self._secrets)
        except (ValueError, LookupError, TypeError, AttributeError):
            kind, words = "", told(data, self._secrets)
        failure = Failure(status_of(kind), kind, words=words, in_stream=started)
        return meaning(failure, model, self.name, self._advice)

    def _translated(self, error: Exception, model: str) -> RlmError:
        """Return an error of the SDK, the connection or the format as one of ours."""
        if isinstance(error, anthropic.APIStatusError):
            return self._refused(error, model)
        # The SDK wraps what goes wrong before the answer begins, and nothing after that.
        wrapped = isinstance(error, anthropic.APIConnectionError) and error.__cause__
        cause = wrapped or error
        words = told(str(cause) or type(cause).__name__, self._secrets)
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

    def _unsigned(self, error: Exception) -> RlmError:
        """Return what it means that a request could not be signed: it was not sent."""
        words = told(error.args[0] if error.args else "", self._secrets)
        what = f"no credentials for {self.name} could be had: {words or type(error).__name__}"
        if isinstance(error, self._faults.passing) or getattr(error, "retryable", False):
            return Unanswered(what)
        return TellUser(what, self._advice.key)

    def _refused(self, error: anthropic.APIStatusError, model: str) -> RlmError:
        failure = Failure(
            error.status_code,
            str(error.type or "") or kind_of(error.response.headers, error.body),
            str(error.error_code or ""),
            told(error.api_message or _message(error.body), self._secrets),
            error.response.headers.get("retry-after"),
        )
        meant = meaning(failure, model, self.name, self._advice)
        feature = _complaint(failure.words) if failure.status == 400 else None
        if feature and isinstance(meant, GiveUp):
            return Unsupported(str(meant), feature)
        return meant


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


def _batch_name(made: Any) -> str:
    """Return the name of a batch that was made; it becomes part of a path and of a file's name."""
    name = str(getattr(made, "id", ""))
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name) is None:
        raise Unanswered("the service did not name the batch", billed=True)
    return name


def _events(stream: anthropic.AsyncStream[Any], *, binary: bool) -> AsyncIterator[Any]:
    """Return a stream's events before the SDK has parsed them.

    Bedrock's come in `binary` messages of a form of its own, which its client takes apart.
    """
    if binary:
        return stream._iter_events()
    return anthropic.AsyncStream.raw_events(stream.response)


def _message(body: object) -> str:
    """Return the words of an error body that is Amazon's and not of the API's form."""
    if not isinstance(body, dict):
        return ""
    return str(body.get("message") or body.get("Message") or "")


def _root(error: BaseException) -> BaseException:
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return error
