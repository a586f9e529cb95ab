"""From a pull request to its run's page, through real processes."""

import http.client
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select

from app.public import CALLBACK
from app.roles import LISTEN_FD, SESSION_KEY
from app.store.tables import FINDINGS
from tests.app.test_serve import LINUX, environ_of
from tests.app.world import World


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def load(address: str, cookies: dict[str, str]) -> tuple[int, str, str]:
    """Load a page as a browser does; return status, text and where it sends us."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    connection.request("GET", f"{parts.path or '/'}?{parts.query}", headers=sent)
    answer = connection.getresponse()
    text = answer.read().decode()
    for header in answer.headers.get_all("Set-Cookie") or []:
        name, _, value = header.partition(";")[0].partition("=")
        cookies[name] = value
    connection.close()
    return answer.status, text, answer.headers.get("Location", "")


@LINUX
def test_a_review_has_a_page_that_its_check_run_and_its_summary_lead_to(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with World(tmp_path) as world:
        world.forks = False  # what each process has in its environment is looked at
        world.app.callback_urls = [f"{url}{CALLBACK}"]
        given = {
            "RLM_PUBLIC_URL": url,
            "RLM_APP_CLIENT_ID": world.app.client_id,
            "RLM_APP_CLIENT_SECRET": world.app.client_secret,
        }
        with world.serve("--port", str(port), **given) as server:
            pull = world.pull()
            assert world.opened(server, pull) == 202
            world.settle()
            (run,) = world.runs()
            address = f"{url}/runs/{run.id}"
            checks = [one for one in world.repo.check_runs if one.head_sha == pull.head]
            assert [one.details_url for one in checks] == [address]
            (summary,) = world.ours(pull)
            assert f"[How this was made]({address})" in summary

            cookies: dict[str, str] = {}
            assert load(address, cookies)[0] == 401
            world.hub.signed_in = "alice"
            _, _, github = load(f"{url}/login?then=/runs/{run.id}", cookies)
            _, _, back = load(github, {})
            status, _, page = load(back, cookies)
            assert (status, page) == (303, f"/runs/{run.id}")
            status, text, _ = load(f"{url}{page}", cookies)
            assert status == 200 and "The first item is lost" in text
            assert "items[1:]" in text and 'id="n-' in text and ">done</span>" in text
            status, text, _ = load(f"{url}/repositories/{world.repo.id}", cookies)
            assert status == 200 and "<b>1</b><span>open finding<" in text

            held = environ_of(server.pids["web"])
            mine = {name for name in held if name.startswith("RLM_")}
            assert {*given, SESSION_KEY, LISTEN_FD, "RLM_WEBHOOK_SECRET"} <= mine
            assert not {"RLM_APP_PRIVATE_KEY", "RLM_MARKER_KEY", "ANTHROPIC_API_KEY"} & held.keys()
            others = environ_of(server.pids["github"]) | environ_of(server.pids["engine-1"])
            assert not {"RLM_APP_CLIENT_SECRET", SESSION_KEY} & others.keys()
            said = server.said
            for secret in (world.app.client_secret, held[SESSION_KEY], *world.hub.apps.tokens):
                assert secret not in said
            assert f"pages   {url}" in said
            with world.store.database.read() as db:
                (row,) = db.execute(select(FINDINGS.c.severity, FINDINGS.c.state))
            assert tuple(row) == ("high", "open")
            assert server.end() == 0


def test_without_a_login_the_pages_are_off_and_it_says_how_to_switch_them_on(
    tmp_path: Path,
) -> None:
    with World(tmp_path, model=False) as world, world.serve() as server:
        status, text, _ = load(server.url, {})
        assert status == 200 and "run pages" in text and "are off" in text
        assert load(f"{server.url}/runs/x", {})[0] == 404
        assert (
            "The run pages are off: set RLM_PUBLIC_URL, RLM_APP_CLIENT_ID and "
            "RLM_APP_CLIENT_SECRET to switch them on." in server.said
        )
        assert json.loads(load(f"{server.url}/healthz", {})[1]) == {"status": "ok"}
