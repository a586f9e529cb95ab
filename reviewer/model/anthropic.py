"""The Anthropic Messages API, and whatever speaks it at another address, as a `Model`.

Always streamed: a connection that falls silent is noticed, and no reply is too long to wait for.

Key and address are the caller's to give. Of the environment only the usual variables for proxies
and certificates count. The SDK's own variables, profiles, credential files, custom headers and
traces do not: they belong to other programs and would change where code is sent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from reviewer.errors import TellUser
from reviewer.model.access import Access, Bedrock, Direct, Vertex
from reviewer.model.base import Reply, Request, Unanswered, blocks_of
from reviewer.model.failures import ANTHROPIC, BEDROCK, VERTEX, Advice
from reviewer.model.wire import Dialect, body

if TYPE_CHECKING:
    from reviewer.model.sdk import Service

Answer = TypeVar("Answer")

DEFAULT_URL = "https://api.anthropic.com"

CONNECT_S = 10.0

STALL_S = 120.0
"""Silence within a stream after which it is cut. The service sends pings while a model thinks."""

COUNT_S = 30.0
"""Counting tokens is quick or broken."""

UNFORCED = ("opus-5-5", "sonnet-5-5", "fable-", "mythos-")
"""Models that decide for themselves: 'tool_choice: type "tool" and "any" are not supported for
this model.' There the prompt alone asks for the tool."""

EFFORTLESS = ("sonnet-4-5", "haiku-4-5", "opus-4-1", "opus-4-2025", "sonnet-4-2025", "claude-3")
"""Models from before `effort`: "This model does not support the effort parameter." """


_ADVICE: dict[type, Advice] = {Direct: ANTHROPIC, Bedrock: BEDROCK, Vertex: VERTEX}


class AnthropicModel:
    """A `Model` behind the Messages API; use it as a context manager, or `aclose` it.

    With a `cloud` the same models are asked there, and key and address do not count. Else raise
    TellUser where no key is given, or one that no header can carry.

    The first call imports the SDK, in a thread and outside its time limit: seconds, unless
    `preload` was called.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        auth_token: str | None = None,
        cloud: Bedrock | Vertex | None = None,
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
    ) -> None:
        self._access: Access = cloud or Direct(
            _address(base_url or DEFAULT_URL),
            SecretStr(_header_safe((api_key or auth_token or "").strip())),
            is_key=bool(api_key),
        )
        self._connect_s = connect_s
        self._stall_s = stall_s
        self._service: Service | None = None
        self._dialects: dict[str, Dialect] = {}
        self._thoughtless: set[tuple[str, ...]] = set()

    def __repr__(self) -> str:
        return f"AnthropicModel({self.address!r})"

    @property
    def address(self) -> str:
        """Where requests go, without a password that the URL may hold."""
        parts = urlsplit(self._access.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    async def complete(
        self, request: Request, timeout_s: float, begun: Callable[[], None] | None = None
    ) -> Reply:
        """Make one attempt at one request, ended after `timeout_s` seconds (see `Model`)."""
        service = await self.service()

        async def send(written: dict[str, Any]) -> Reply:
            return await service.reply(written, begun)

        try:
            async with asyncio.timeout(timeout_s):
                return await self.adapted(request, send)
        except TimeoutError:
            raise Unanswered(f"no answer within {timeout_s:g} s", billed=True) from None

    async def count(self, request: Request) -> int:
        """Return the exact number of input tokens of a request; costs nothing."""
        service = await self.service()
        try:
            async with asyncio.timeout(COUNT_S):
                return await self.adapted(request, service.count)
        except TimeoutError:
            raise Unanswered(f"tokens were not counted within {COUNT_S:g} s") from None

    async def aclose(self) -> None:
        """Close the connections; the model can be used again."""
        service, self._service = self._service, None
        if service is not None:
            await service.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def service(self) -> "Service":
        """Return the client, opened at the first call: for `reviewer.model.batches`."""
        if self._service is None:
            await asyncio.to_thread(preload, self._access)
        if self._service is None:  # nobody else opened it meanwhile
            from reviewer.model.sdk import Service  # noqa: PLC0415 - takes seconds

            self._service = Service(
                self.address,
                self._access,
                connect_s=self._connect_s,
                stall_s=self._stall_s,
                advice=_ADVICE[type(self._access)],
            )
        return self._service

    async def adapted(
        self, request: Request, send: Callable[[dict[str, Any]], Awaitable[Answer]]
    ) -> Answer:
        """Send a request; where a 400 names a feature, send it at once without that feature.

        A 400 is not charged for, so this is still one attempt.
        """
        from reviewer.model.sdk import Unsupported  # noqa: PLC0415

        while True:
            dialect = self._dialect(request)
            try:
                return await send(body(request, dialect))
            except Unsupported as refused:
                if not self._concede(request, dialect, refused.feature):
                    raise

    def _dialect(self, request: Request) -> Dialect:
        dialect = self._dialects.get(request.model) or known(request.model)
        return replace(dialect, thinking=_conversation(request) not in self._thoughtless)

    def _concede(self, request: Request, used: Dialect, feature: str) -> bool:
        """Do without a feature from now on; False if the request did without it already."""
        if not getattr(used, feature):
            return False
        if feature == "thinking":
            self._thoughtless.add(_conversation(request))
        else:
            now = self._dialects.get(request.model) or known(request.model)
            self._dialects[request.model] = replace(now, **{feature: False})
        return True


def preload(access: Access | None = None) -> None:
    """Import the SDK now: takes seconds, so a caller with other work to do may use a thread.

    And what a connection needs, and a cloud beside it; raise TellUser where that is not installed
    or no certificates can be read.
    """
    import reviewer.model.sdk  # noqa: F401, PLC0415
    from reviewer.model.clients import certificates, load_libraries  # noqa: PLC0415

    certificates()
    if access is not None:
        load_libraries(access)


def known(model: str) -> Dialect:
    """Return what a model takes as far as its name tells."""
    name = model.replace(".", "-")
    return Dialect(
        forced_tools=not any(part in name for part in UNFORCED),
        effort=not any(part in name for part in EFFORTLESS),
    )


def _conversation(request: Request) -> tuple[str, ...]:
    return (request.model, *blocks_of(replace(request, turns=request.turns[:1])))


def _header_safe(secret: str) -> str:
    if not secret:
        raise TellUser(
            "No key for the model's service is configured.",
            "Set ANTHROPIC_API_KEY, or review with --no-model.",
        )
    if not (secret.isascii() and secret.isprintable() and " " not in secret):
        # The HTTP library would quote the whole header in its own error.
        raise TellUser(
            "The key of the model's service has characters that no key has.",
            "Set ANTHROPIC_API_KEY to the key alone.",
        )
    return secret


def _address(url: str) -> str:
    """Return a base address as the SDK wants it: it adds /v1/messages itself."""
    url = url.strip().rstrip("/").removesuffix("/v1")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise TellUser(
            "The address of the model's service is not a URL.",
            "Set ANTHROPIC_BASE_URL to something like https://gateway.example.com, or unset it.",
        )
    return url
