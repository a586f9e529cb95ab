"""Addresses of GitHub: of a pull request as people paste it, and of the servers behind it.

A server's three addresses differ by product: github.com has api.github.com, SUB.ghe.com has
api.SUB.ghe.com, and a GitHub Enterprise Server has HOST/api/v3.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from reviewer.errors import TellUser

MAX_URL_CHARS = 2_000
MAX_PORT = 65_535

_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SERVER = re.compile(rf"(?P<scheme>https?)://(?P<host>{_HOST})(?::(?P<port>[1-9][0-9]{{0,4}}))?")
_OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"  # "_": accounts that an enterprise manages
_NAME = r"[A-Za-z0-9._-]{1,100}"
_PULL = re.compile(
    rf"/(?P<owner>{_OWNER})/(?P<name>{_NAME})/pull/(?P<number>[1-9][0-9]{{0,9}})"
    r"(?:[/?#][!-~]*)?"  # a tab of the page, a query, an anchor: nothing that we need
)
_REMOTE = re.compile(
    rf"(?:(?:https?|ssh|git)://(?:[^@/\s]*@)?(?P<host>{_HOST})(?::[0-9]{{1,5}})?/"
    rf"|(?:[^@/:\s]+@)?(?P<scp_host>{_HOST}):/?)(?P<owner>{_OWNER})/(?P<name>{_NAME}?)(?:\.git)?/?"
)
"""Of a remote as git takes it, `git@HOST:OWNER/NAME` included."""

_PUBLIC = re.compile(
    rf"(?P<root>(?i:https?://{_HOST})(?::[1-9][0-9]{{0,4}})?)(?P<path>(?:/[\w.~-]+)*)", re.A
)

LOOPBACK = ("localhost", "127.0.0.1")
"""Hosts that may be asked without TLS: nobody stands between."""

_WITHOUT_SCHEME = re.compile(rf"(?i:{_HOST}\.[a-z]{{2,}})(?::[0-9]+)?/[^/]+/[^/]+/pull/[0-9]+.*")

_EXAMPLE = "https://github.com/OWNER/REPO/pull/NUMBER"


@dataclass(frozen=True, slots=True)
class Server:
    """One GitHub: the root of its pages and git (`web`) and of its REST API (`api`)."""

    web: str
    api: str

    @property
    def host(self) -> str:
        """The host with its port, as it stands in the address."""
        return self.web.partition("://")[2]


@dataclass(frozen=True, slots=True)
class PullRequestUrl:
    """One pull request, by address; `web` is the root of its server without a final slash."""

    web: str
    owner: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.web}/{self.owner}/{self.name}/pull/{self.number}"


def looks_like_url(text: str) -> bool:
    """Does the user mean an address rather than a range of commits?"""
    return "://" in text or _WITHOUT_SCHEME.fullmatch(text) is not None


def parse_pull_request(text: str, plain_http: str = "") -> PullRequestUrl:
    """Read the address of a pull request, or raise TellUser.

    Only https, except at `plain_http`: the root of a server that the user named as one.
    """
    unfit = TellUser(
        f"This is not the address of a pull request: {text[:200]!a}", f"Give {_EXAMPLE}."
    )
    if len(text) > MAX_URL_CHARS or not text.isascii():
        raise unfit
    address = _lower_host(text if "://" in text else f"https://{text}")
    start = _SERVER.match(address)
    rest = _PULL.fullmatch(address[start.end() :]) if start else None
    if start is None or rest is None or int(start["port"] or 0) > MAX_PORT:
        raise unfit
    if rest["name"] in {".", ".."} or rest["name"].endswith(".git"):
        raise unfit
    web = "https://github.com" if start["host"] == "www.github.com" else start.group()
    if start["scheme"] != "https" and web != plain_http:
        raise TellUser(f"{web} cannot be asked over plain http", f"Give {_EXAMPLE}.")
    return PullRequestUrl(web, rest["owner"], rest["name"], int(rest["number"]))


def parse_server(text: str) -> str:
    """Return the root of a server from "https://HOST", "https://HOST/" or a bare "HOST".

    Raise ValueError for anything else; plain http is the caller's to allow.
    """
    address = text if "://" in text else f"https://{text}"
    address = address.rstrip("/").lower()
    if _SERVER.fullmatch(address) is None:
        raise ValueError(f"not the address of a server: {text!a}")
    return address


def repository_at(remote: str, server: Server) -> tuple[str, str] | None:
    """Return owner and name of a remote's address, if it is on `server` or a known GitHub."""
    if len(remote) > MAX_URL_CHARS:
        return None
    found = _REMOTE.fullmatch(remote.strip())
    if found is None:
        return None
    host = (found["host"] or found["scp_host"]).removeprefix("ssh.")
    known = {"github.com", "www.github.com", server.host.partition(":")[0]}
    if host not in known and not host.endswith(".ghe.com"):
        return None
    return found["owner"], found["name"]


def server_at(web: str) -> Server:
    """Return the server whose pages live at `web`, with the API where its product has it."""
    scheme, _, host = web.partition("://")
    if host == "github.com":
        return Server(web, "https://api.github.com")
    if host.endswith(".ghe.com"):
        return Server(web, f"https://api.{host}")
    return Server(web, f"{scheme}://{host}/api/v3")


def issuer_of(server: Server) -> str:
    """Return who signs the tokens of jobs of GitHub Actions on a server."""
    if server.host == "github.com":
        return "https://token.actions.githubusercontent.com"
    if server.host.endswith(".ghe.com"):
        return f"https://token.actions.{server.host}"
    return f"{server.web}/_services/token"


def parse_public(text: str) -> str:
    """Return an address that others reach, without a final slash; it may have a path.

    Raise ValueError for anything else. Plain http is for this machine alone.
    """
    found = _PUBLIC.fullmatch(text.strip().rstrip("/"))
    if found is None or len(text) > MAX_URL_CHARS or ".." in text:
        raise ValueError(f"not an address that others can reach: {text[:200]!a}")
    root = found["root"].lower()
    scheme, _, host = root.partition("://")
    if scheme != "https" and host.partition(":")[0] not in LOOPBACK:
        raise ValueError(f"not an https address: {text[:200]!a}")
    return root + found["path"]


def lines_url(repository: str, commit: str, path: str, lines: tuple[int, int] | None) -> str:
    """Return the address of a file at a commit and of lines in it; `repository` is an address."""
    anchor = ""
    if lines is not None:
        anchor = f"#L{lines[0]}" + (f"-L{lines[1]}" if lines[0] < lines[1] else "")
    # "?plain=1": where GitHub draws a file (Markdown, SVG, a notebook), it shows no lines.
    return f"{repository}/blob/{commit}/{quote(path, safe='/', errors='replace')}?plain=1{anchor}"


def _lower_host(address: str) -> str:
    """Return the address with scheme and host in lower case; owner and name keep their case."""
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return (scheme + mark + host).lower() + slash + path
