"""Logging in at GitHub and out again: the ways of it that go wrong, and what the cookies hold."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.public import Public
from app.web.session import MAX_COOKIE_CHARS
from tests.app.web.site import Site, query
from tests.github import oauth


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


def test_somebody_logs_in_and_is_sent_to_the_page_they_wanted(site: Site) -> None:
    run = site.reviewed(site.run())
    browser = site.browser()
    asked = browser.get(f"/runs/{run}")
    assert asked.status_code == 401 and f'href="/login?then=/runs/{run}"' in asked.text
    back = browser.log_in("alice", f"/login?then=/runs/{run}")
    assert (back.status_code, back.headers["Location"]) == (303, f"/runs/{run}")
    page = browser.get(back.headers["Location"])
    assert page.status_code == 200 and "alice" in page.text


def test_the_way_to_github_has_a_state_and_a_challenge_and_no_secret(site: Site) -> None:
    sent = site.browser().get("/login").headers["Location"]
    assert sent.startswith(f"{site.hub.web}{oauth.AUTHORIZE}?")
    asked = query(sent)
    assert asked["client_id"] == site.app.client_id
    assert asked["redirect_uri"] == f"{site.url}/login/callback"
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 32 and "scope" not in asked
    assert site.app.client_secret not in sent
    other = query(site.browser().get("/login").headers["Location"])
    assert other["state"] != asked["state"]
    assert other["code_challenge"] != asked["code_challenge"]


def test_pkce_a_code_is_worth_nothing_to_whoever_did_not_ask_for_it(site: Site) -> None:
    """Even with the state: the verifier never left the cookie of the browser that began."""
    victim, thief = site.browser(), site.browser()
    back = victim.at_github(victim.get("/login").headers["Location"], "alice")
    begun = query(thief.get("/login").headers["Location"])
    stolen = f"/login/callback?code={query(back)['code']}&state={begun['state']}"
    answer = thief.get(stolen)
    assert answer.status_code == 403 and "took too long" in answer.text
    assert thief.get("/installations/1").status_code == 401


@pytest.mark.parametrize("change", ["state=wrong", "state=", "state=ä"])
def test_an_answer_to_another_question_is_refused(site: Site, change: str) -> None:
    browser = site.browser()
    back = browser.at_github(browser.get("/login").headers["Location"], "alice")
    answer = browser.get(f"/login/callback?code={query(back)['code']}&{change}")
    assert answer.status_code == 403 and "no login that was begun here" in answer.text
    assert not site.hub.asked("POST", oauth.TOKEN)
    assert browser.get("/installations/1").status_code == 401


def test_an_answer_in_another_browser_is_refused(site: Site) -> None:
    """Else somebody could log others in as themselves, and read what those then do."""
    browser = site.browser()
    back = browser.at_github(browser.get("/login").headers["Location"], "bob")
    answer = site.browser().get(back)
    assert answer.status_code == 403 and "no login that was begun here" in answer.text


def test_the_same_answer_twice_logs_nobody_in_again(site: Site) -> None:
    browser = site.browser()
    back = browser.at_github(browser.get("/login").headers["Location"], "alice")
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403


def test_whoever_says_no_is_told_so(site: Site) -> None:
    browser = site.browser()
    answer = browser.log_in(None)
    assert answer.status_code == 403 and "You did not allow it." in answer.text
    assert browser.get("/installations/1").status_code == 401


def test_errors_that_come_as_200_are_errors(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    wrong = Public(
        url=site.url, client_id=site.app.client_id, client_secret=SecretStr("hush-wrong")
    )
    site.flask = site.make(public=wrong)
    answer = site.browser().log_in("alice")
    assert answer.status_code == 403
    assert "The client id or secret that this server has is wrong" in answer.text
    assert "hush-wrong" not in answer.text + caplog.text


def test_an_unregistered_address_is_named_as_the_reason(site: Site) -> None:
    """GitHub sends whoever comes from there to the registered address, with an error."""
    wrong = Public(
        url=f"{site.url}/elsewhere",
        client_id=site.app.client_id,
        client_secret=SecretStr(site.app.client_secret),
    )
    site.app.callback_urls = [f"{site.url}/login/callback"]
    site.flask = site.make(public=wrong)
    browser = site.browser()
    back = browser.at_github(browser.get("/login").headers["Location"], "alice")
    assert query(back)["error"] == "redirect_uri_mismatch"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 502}, 503),
        ({"cut": True}, 503),
        ({"status": 200, "body": "<h1>A proxy</h1>"}, 503),
        ({"status": 200, "body": {"access_token": ""}}, 503),
        ({"status": 302, "headers": {"Location": "https://evil.test/"}, "body": ""}, 503),
    ],
)
def test_a_github_that_fails_logs_nobody_in(
    site: Site, fault: dict[str, object], code: int
) -> None:
    site.hub.fault("POST", oauth.TOKEN, **fault)  # type: ignore[arg-type]
    browser = site.browser()
    answer = browser.log_in("alice")
    assert answer.status_code == code
    assert browser.get("/installations/1").status_code == 401


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "/logout",
        "/runs/../login",
        "/runs/x?next=//evil.test",
        "/runs/x%0d%0aSet-Cookie:%20a=b",
        "javascript:alert(1)",
    ],
)
def test_a_login_leads_to_no_page_but_ours(site: Site, then: str) -> None:
    answer = site.browser().log_in("alice", f"/login?then={then}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


# The cookies


def test_a_session_is_sealed_and_out_of_reach_of_scripts(site: Site) -> None:
    browser = site.reader()
    ((name, value),) = browser.cookies.items()
    assert name == "rlm-session" and len(value) < MAX_COOKIE_CHARS
    raw = base64.urlsafe_b64decode(value)
    (token,) = (one for one in site.hub.apps.tokens if one.startswith("ghu_"))
    assert token.encode() not in raw and b"alice" not in raw
    back = site.browser()
    begun = back.get("/login")
    answer = back.get(back.at_github(begun.headers["Location"], "alice"))
    (cookie,) = (one for one in answer.headers.getlist("Set-Cookie") if "rlm-session=" in one)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie and "Domain" not in cookie


def test_over_https_cookies_are_secure_and_of_this_host_alone(tmp_path: Path) -> None:
    with Site(tmp_path, "https://rlm.example.org") as site:
        browser = site.browser()
        begun = browser.get("/login")
        (cookie,) = begun.headers.getlist("Set-Cookie")
        assert cookie.startswith("__Host-rlm-login=") and "; Secure" in cookie
        answer = browser.get(browser.at_github(begun.headers["Location"], "alice"))
        cookie = next(one for one in answer.headers.getlist("Set-Cookie") if "session=" in one)
        assert cookie.startswith("__Host-rlm-session=") and "; Secure" in cookie


def test_below_a_path_links_and_cookies_stay_below_it(tmp_path: Path) -> None:
    with Site(tmp_path, "https://example.org/rlm") as site:
        site.app.callback_urls = ["https://example.org/rlm/login/callback"]
        run = site.reviewed(site.run())
        browser = site.browser()
        begun = browser.client.get("/login", base_url="https://example.org")
        assert "; Path=/rlm" in begun.headers["Set-Cookie"]
        page = browser.client.get(f"/runs/{run}", base_url="https://example.org")
        assert page.text.count('href="/rlm/') >= 5 and 'href="/static' not in page.text


@pytest.mark.parametrize("bad", ["", "x", "gAAAAA", "ä", "A" * 4_050])
def test_a_cookie_that_is_not_ours_is_no_cookie(site: Site, bad: str) -> None:
    browser = site.browser()
    browser.plant(bad)
    assert browser.get("/installations/1").status_code == 401


def test_a_changed_cookie_or_one_of_another_kind_is_no_session(site: Site) -> None:
    browser = site.reader()
    value = browser.cookies["rlm-session"]
    middle = len(value) // 2
    changed = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
    other = site.browser()
    other.plant(changed)
    assert other.get("/installations/1").status_code == 401
    other.get("/login")
    other.plant(other.cookies["rlm-login"])
    assert other.get("/installations/1").status_code == 401


def test_a_cookie_of_another_key_is_no_session(site: Site) -> None:
    browser = site.reader()
    assert browser.get("/").status_code == 200
    kept = browser.cookies["rlm-session"]
    site.flask = site.make(key="cd" * 32)
    other = site.browser()
    other.plant(kept)
    assert other.get("/installations/1").status_code == 401


def test_a_session_ends_with_its_token_and_after_eight_hours_at_the_latest(site: Site) -> None:
    from app.web.session import Session

    browser = site.reader()
    seal = site.pages.cookies._seal
    now = json.loads(seal.decrypt(browser.cookies["rlm-session"].encode()))
    assert now["until"] <= time.time() + 8 * 3_600
    assert "refresh" not in str(now)
    over = Session(until=time.time() - 1, login="alice", user=1, secret=now["secret"])
    browser.plant(seal.encrypt(over.model_dump_json().encode()).decode())
    assert browser.get("/installations/1").status_code == 401


def test_a_token_that_github_ended_asks_to_log_in_again(site: Site) -> None:
    run = site.reviewed(site.run())
    browser = site.reader()
    site.hub.expire_all()
    page = browser.get(f"/runs/{run}")
    assert page.status_code == 401 and "Log in again" in page.text
    assert "rlm-session" not in browser.cookies


# Logging out


def test_who_logs_out_is_out_and_the_token_is_gone(site: Site) -> None:
    run = site.reviewed(site.run())
    browser = site.reader()
    kept = browser.cookies["rlm-session"]
    assert browser.get(f"/runs/{run}").status_code == 200
    out = browser.post("/logout", Origin=site.url)
    assert (out.status_code, out.headers["Location"]) == (303, "/")
    assert browser.get(f"/runs/{run}").status_code == 401
    assert not [one for one in site.hub.apps.tokens if one.startswith("ghu_")]
    # A copy of the cookie is worth nothing: what was remembered is forgotten, too.
    browser.plant(kept)
    assert browser.get(f"/runs/{run}").status_code == 401


def test_another_site_logs_nobody_out(site: Site) -> None:
    browser = site.reader()
    assert browser.post("/logout", Origin="https://evil.test").status_code == 404
    assert browser.get("/logout").status_code == 404
    assert browser.get("/").status_code == 200 and "rlm-session" in browser.cookies


def test_who_logs_out_while_github_is_away_is_out_here(site: Site) -> None:
    browser = site.reader()
    site.hub.fault("DELETE", "/applications", cut=True)
    assert browser.post("/logout").status_code == 303
    assert "rlm-session" not in browser.cookies


def test_no_token_and_no_secret_is_written_anywhere(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    run = site.reviewed(site.run())
    browser = site.reader()
    page = browser.get(f"/runs/{run}")
    (token,) = (one for one in site.hub.apps.tokens if one.startswith("ghu_"))
    for secret in (token, site.app.client_secret):
        assert secret not in page.text and secret not in caplog.text
        assert hashlib.sha256(secret.encode()).hexdigest() not in page.text
        for path in site.home.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes()
