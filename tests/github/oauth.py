"""How people log in through an App: GitHub's two pages for it, with their quirks.

Errors of the second page come as 200 with `error` in the body; without `Accept: application/json`
all of it comes as a form. A code is good once and for ten minutes.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.github.apps import Access, Apps, FakeApp, Grant
from tests.github.quirks import quirk
from tests.github.rest import Answer

AUTHORIZE = "/login/oauth/authorize"
TOKEN = "/login/oauth/access_token"

CODE_LIFE_S = 600.0
TOKEN_LIFE_S = 28_800
REFRESH_LIFE_S = 15_897_600

_DOCS = "https://docs.github.com/apps/managing-oauth-apps/troubleshooting"
ERRORS = {
    "bad_verification_code": "The code passed is incorrect or expired.",
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
    "redirect_uri_mismatch": "The redirect_uri MUST match the registered callback URL for this "
    "application.",
    "access_denied": "The user has denied your application access.",
}


def authorize(apps: Apps, query: Mapping[str, str], signed_in: str | None) -> Answer:
    """Answer the page on which somebody agrees: `signed_in` does at once, nobody declines."""
    app = _app(apps, query.get("client_id", ""))
    if app is None:
        return Answer(404, "<h1>Not Found</h1>", {"Content-Type": "text/html"})
    target = query.get("redirect_uri") or next(iter(app.callback_urls), "")
    state = {"state": query["state"]} if "state" in query else {}
    if not _is_registered(app, target):
        back = next(iter(app.callback_urls), "")
        return _back(back, {**_error("redirect_uri_mismatch"), **state})
    if signed_in is None:
        return _back(target, {**_error("access_denied"), **state})
    challenge = query.get("code_challenge", "")
    if challenge and query.get("code_challenge_method") != "S256":
        challenge = ""  # "plain" is not supported: GitHub asks for no verifier then
    code = secrets.token_hex(10)
    now = apps.state.now()
    apps.grants[code] = Grant(app, apps.state.user(signed_in), target, challenge, now + CODE_LIFE_S)
    return _back(target, {"code": code, **state})


def token(apps: Apps, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Answer the page that makes a token of a code."""
    form = dict(parse_qsl(body.decode()))
    said = _grant(apps, form)
    if "application/json" in headers.get("Accept", ""):
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return Answer(200, json.dumps(said), kind)
    kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return Answer(200, urlencode(said), kind)


@quirk("the code of a login is good once, for who asked")
def _grant(apps: Apps, form: Mapping[str, str]) -> dict[str, Any]:
    app = _app(apps, form.get("client_id", ""))
    if app is None or form.get("client_secret") != app.client_secret:
        return _error("incorrect_client_credentials")
    grant = apps.grants.pop(form.get("code", ""), None)
    if grant is None or grant.app is not app or grant.expires <= apps.state.now():
        return _error("bad_verification_code")
    if form.get("redirect_uri", grant.redirect_uri) != grant.redirect_uri:
        return _error("redirect_uri_mismatch")
    if grant.challenge and _challenge(form.get("code_verifier", "")) != grant.challenge:
        return _error("bad_verification_code")
    made = apps.mint(Access(user=grant.user, through=app), TOKEN_LIFE_S)
    return {
        "access_token": made,
        "expires_in": TOKEN_LIFE_S,
        "refresh_token": f"ghr_{secrets.token_hex(38)}",
        "refresh_token_expires_in": REFRESH_LIFE_S,
        "scope": "",
        "token_type": "bearer",
    }


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _app(apps: Apps, client_id: str) -> FakeApp | None:
    return next((one for one in apps.by_slug.values() if one.client_id == client_id), None)


def _is_registered(app: FakeApp, target: str) -> bool:
    """GitHub takes a callback URL, and what lies below its path on the same host and port."""
    wanted = urlsplit(target)
    for text in app.callback_urls:
        known = urlsplit(text)
        below = wanted.path == known.path or wanted.path.startswith(known.path.rstrip("/") + "/")
        if (wanted.scheme, wanted.netloc) == (known.scheme, known.netloc) and below:
            return True
    return False


@quirk("errors of a login come as a 200")
def _error(name: str) -> dict[str, Any]:
    return {"error": name, "error_description": ERRORS[name], "error_uri": f"{_DOCS}/#{name}"}


def _back(target: str, fields: Mapping[str, str]) -> Answer:
    mark = "&" if "?" in target else "?"
    return Answer(302, "", {"Location": f"{target}{mark}{urlencode(fields)}"})
