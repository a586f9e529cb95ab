"""The run pages: who sees what, how each state looks, and that nothing shown is obeyed."""

import re
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import update

from app.github.markers import short_id
from app.jobs import step
from app.render import words
from app.store import PUBLISH, Begun, Stacked, Told
from app.store.tables import RUNS
from app.store.values import StackedState
from app.web.pages import AT_ONCE
from reviewer.rlm.trace import NodeEnded, NodeStarted
from tests.app.render import samples
from tests.app.traces import EVENTS, FIRST, raw, whole
from tests.app.web.site import Site, reported


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as site:
        yield site


class Outline(HTMLParser):
    """What a page is made of: elements with attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def without_addresses(html: str) -> str:
    return re.sub(r"[0-9a-f]{16}", "", html)


# Who may see it


def test_a_run_is_for_those_who_may_read_its_repository(site: Site) -> None:
    run = site.reviewed(site.run())
    paths = [
        f"/runs/{run}",
        f"/runs/{run}/nodes/1",
        f"/repositories/{site.hello.id}",
        f"/installations/{site.installation.id}",
    ]
    site.trace(run, whole())
    alice, bob, nobody = site.reader(), site.reader("bob"), site.browser()
    assert [alice.get(path).status_code for path in paths] == [200] * 4
    assert [bob.get(path).status_code for path in paths] == [404] * 4
    assert [nobody.get(path).status_code for path in paths] == [401] * 4
    assert bob.get("/").status_code == 200 and "installed nowhere" in bob.get("/").text


def test_a_run_that_writes_has_its_patch_for_those_who_may_read(fresh: Site) -> None:
    other = fresh.reviewed(fresh.run())
    run = fresh.run(kind="refactor")
    report = '{"task": "refactor", "mails": "From 1\\n<script>x</script>\\n"}'
    with fresh.store.database.write() as db:
        ended = {"state": "ended", "outcome": "patch", "result": report}
        db.execute(update(RUNS).where(RUNS.c.id == run).values(**ended))
    alice = fresh.reader()
    page = alice.get(f"/runs/{run}")
    assert f"/runs/{run}/patch" in page.text and "Refactoring of" in page.text
    patch = alice.get(f"/runs/{run}/patch")
    assert patch.text == "From 1\n<script>x</script>\n"
    assert patch.mimetype == "text/plain"
    assert patch.headers["Content-Disposition"].startswith("attachment")
    assert patch.headers["X-Content-Type-Options"] == "nosniff"
    assert fresh.reader("bob").get(f"/runs/{run}/patch").status_code == 404
    assert fresh.browser().get(f"/runs/{run}/patch").status_code == 401
    assert alice.get(f"/runs/{other}/patch").status_code == 404


def test_what_is_not_for_somebody_looks_like_what_is_not_there(site: Site) -> None:
    run = site.reviewed(site.run())
    bob = site.reader("bob")
    refused, unknown = bob.get(f"/runs/{run}"), bob.get("/runs/0123456789abcdef")
    assert without_addresses(refused.text) == without_addresses(unknown.text)
    assert refused.headers.to_wsgi_list() == unknown.headers.to_wsgi_list()
    assert bob.get(f"/repositories/{site.hello.id}").text == bob.get("/repositories/999").text


def test_a_run_of_a_public_repository_is_for_whoever_is_logged_in(site: Site) -> None:
    run = site.reviewed(site.run(site.open))
    assert site.reader("bob").get(f"/runs/{run}").status_code == 200
    assert site.browser().get(f"/runs/{run}").status_code == 401


def test_an_installation_lists_only_what_somebody_may_read(fresh: Site) -> None:
    secret = fresh.hub.repository("octo/secret", private=True)
    fresh.app.install(secret)
    for repo in (fresh.hello, secret):
        fresh.reviewed(fresh.run(repo), usd=1.0)
    page = fresh.reader().get(f"/installations/{fresh.installation.id}").text
    assert "hello" in page and "secret" not in page
    assert "$1.00" in page and "$2.00</b>" not in page


def test_an_installation_shows_its_month_beside_the_cap_where_there_is_one(fresh: Site) -> None:
    fresh.reviewed(fresh.run(fresh.hello), usd=1.5)
    address = f"/installations/{fresh.installation.id}"
    assert "This month" not in fresh.reader().get(address).text
    fresh.flask = fresh.make(month_budget_usd=40.0)
    page = fresh.reader().get(address).text
    assert "This month, in all repositories: $1.50 of at most $40.00." in page
    assert 'max="40.0" high="32.0" optimum="0" value="1.5"' in page


def test_a_run_shows_what_all_on_its_pull_request_cost_where_that_has_a_cap(fresh: Site) -> None:
    runs = [fresh.reviewed(fresh.run(fresh.hello, number=12), usd=1.5) for _ in range(2)]
    fresh.reviewed(fresh.run(fresh.hello, number=13), usd=0.25)
    assert "All runs on" not in fresh.reader().get(f"/runs/{runs[0]}").text
    fresh.flask = fresh.make(pull_budget_usd=4.0)
    page = fresh.reader().get(f"/runs/{runs[0]}").text
    assert "All runs on #12: $3.00 of at most $4.00." in page
    assert 'max="4.0" high="3.2" optimum="0" value="3.0"' in page


def test_who_may_not_read_any_more_sees_nothing_on_the_very_next_view(fresh: Site) -> None:
    run = fresh.reviewed(fresh.run())
    fresh.trace(run, whole())
    paths = [
        f"/runs/{run}",
        f"/runs/{run}/nodes/1",
        f"/repositories/{fresh.hello.id}",
        f"/installations/{fresh.installation.id}",
    ]
    alice = fresh.reader()
    for path in paths:
        fresh.hello.permit("alice", "read")
        assert alice.get(path).status_code == 200
        fresh.hello.permit("alice", "none")
        page = alice.get(path)
        assert page.status_code == 404 and "octo/hello" not in page.text
    # Nor does whoever has the page already learn that it is the same.
    fresh.hello.permit("alice", "read")
    tag = alice.get(paths[0]).headers["ETag"]
    assert alice.get(paths[0], If_None_Match=tag).status_code == 304
    fresh.hello.permit("alice", "none")
    assert alice.get(paths[0], If_None_Match=tag).status_code == 404


def test_a_view_is_one_question_and_what_did_not_change_costs_nothing(fresh: Site) -> None:
    run = fresh.reviewed(fresh.run())
    alice = fresh.reader()
    for path, question in (
        (f"/runs/{run}", f"/repositories/{fresh.hello.id}$"),
        (f"/repositories/{fresh.hello.id}", f"/repositories/{fresh.hello.id}$"),
        (f"/installations/{fresh.installation.id}", "/user/installations/.*/repositories$"),
        ("/", "/user/installations$"),
    ):
        alice.get(path)
        before = len(fresh.hub.asked("GET", question))
        pages = [alice.get(path) for _ in range(3)]
        asked = fresh.hub.asked("GET", question)[before:]
        assert [page.status_code for page in pages] == [200] * 3
        assert [one.headers.get("If-None-Match", "")[:2] for one in asked] == ["W/"] * 3
    fresh.hello.rename("octo/goodbye")  # and what did is told as it is now
    assert "octo/goodbye#12" in alice.get(f"/runs/{run}").text


def test_what_one_may_read_is_not_remembered_for_another(fresh: Site) -> None:
    run = fresh.reviewed(fresh.run())
    alice, bob = fresh.reader(), fresh.reader("bob")
    assert alice.get(f"/runs/{run}").status_code == 200
    assert bob.get(f"/runs/{run}").status_code == 404
    assert alice.get(f"/runs/{run}").status_code == 200


def test_a_repository_that_was_renamed_is_shown_by_its_new_name(fresh: Site) -> None:
    run = fresh.reviewed(fresh.run())
    fresh.hello.rename("octo/goodbye")
    assert "octo/goodbye#12" in fresh.reader().get(f"/runs/{run}").text


def test_without_an_answer_of_github_nothing_is_shown(fresh: Site) -> None:
    run = fresh.reviewed(fresh.run())
    alice = fresh.reader()
    fresh.hub.fault("GET", "/repositories/", status=502, times=None)
    page = alice.get(f"/runs/{run}")
    assert page.status_code == 503 and page.headers["Retry-After"]
    assert "cannot be shown just now" in page.text and "octo/hello" not in page.text
    fresh.hub.mend()
    assert alice.get(f"/runs/{run}").status_code == 200


def test_views_that_wait_for_github_leave_room_for_deliveries(fresh: Site) -> None:
    """GitHub hangs, and more people look than there are places: the webhook still answers."""
    run = fresh.reviewed(fresh.run())
    reader = fresh.reader()
    held, entered = threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        entered.release()
        held.wait(20)

    fresh.hub.fault("GET", "/repositories/", times=AT_ONCE, action=hang)
    kept = reader.cookies["rlm-session"]

    def look() -> None:
        other = fresh.browser()
        other.plant(kept)
        other.get(f"/runs/{run}")

    looking = [threading.Thread(target=look) for _ in range(AT_ONCE)]
    for one in looking:
        one.start()
    for _ in looking:
        assert entered.acquire(timeout=20)
    assert fresh.flask.test_client().post("/webhook").status_code == 401  # it was not signed
    assert reader.get(f"/runs/{run}").status_code == 503
    held.set()
    for one in looking:
        one.join(20)
    assert reader.get(f"/runs/{run}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/runs/",
        "/runs/..%2f..%2fetc%2fpasswd",
        "/runs/-x",
        "/runs/" + "a" * 100,
        "/repositories/0x10",
        "/repositories/-1",
        "/repositories/" + "9" * 40,
        "/repositories/1?before=x",
        "/installations/abc",
        "/static/0/pages.css",
        "/static/x/../../secret",
        "/favicon.ico",
        "/nowhere",
    ],
)
def test_an_address_that_makes_no_sense_is_not_found(site: Site, path: str) -> None:
    answer = site.reader().get(path)
    assert answer.status_code == 404 and "Not Found" in answer.text


def test_a_webhook_is_posted_and_its_answers_stay_json(site: Site) -> None:
    got = site.browser().get("/webhook")
    assert (got.status_code, got.headers["Allow"]) == (405, "POST")
    assert site.browser().get("/healthz").json == {"status": "ok"}
    assert site.browser().post("/webhook").json == {
        "status": "refused",
        "why": "X-Hub-Signature-256 is missing, or no signature. SHA-1 alone does not count.",
    }


# What it says


def test_a_run_that_ended_shows_its_findings_beside_the_code(site: Site) -> None:
    run = site.reviewed(site.run(trigger="pushed"))
    site.trace(run, whole())
    page = site.reader().get(f"/runs/{run}").text
    assert "after a push" in page and ">done</span>" in page
    assert "A refund that times out is sent again" in page
    assert "return gateway.send(order.amount)" in page and "41 / 45" in page
    assert "$0.0412" in page and "of at most $2.00" in page
    assert 'data-live="no"' in page
    # Collapsed, each node with what it was given, looked up, cost and found.
    assert page.count("<details id=") == 5 and "<details open" not in page
    assert "grep(&#39;area&#39;) ×2" in page and "lens contracts" in page
    assert "0 claims; “Fine.”" in page and "failed: the model kept answering" in page


def test_a_finding_links_to_its_thread_and_says_how_it_stands(fresh: Site) -> None:
    run = fresh.reviewed(fresh.run())
    name = short_id(words.ranked(samples.review().findings)[0].id)
    url = "https://github.com/octo/hello/pull/12#discussion_r1"
    begun = [
        Begun(1, "", run, name, url, "answered"),
        Begun(2, "", run, "f" * 12, "https://github.com/none", "open"),
    ]
    fresh.store.noted(fresh.hello.id, 12, run, begun)
    page = fresh.reader().get(f"/runs/{run}").text
    assert f'<a href="{url}">thread</a> answered' in page
    assert page.count(">thread</a>") == 1


def test_a_run_that_goes_on_says_how_far_it_is(fresh: Site) -> None:
    waiting = fresh.run(number=1)
    alice = fresh.reader()
    page = alice.get(f"/runs/{waiting}").text
    assert ">waiting</span>" in page and "It begins when its turn comes." in page
    assert "the tree grows here" in page and 'data-live="yes"' in page
    fresh.reviewing(waiting, "2 of 3 parts read so far.")
    fresh.trace(waiting, raw([FIRST, *EVENTS[:8]]))
    page = alice.get(f"/runs/{waiting}").text
    assert ">running</span>" in page and "2 of 3 parts read so far." in page
    assert "1 at work" in page and "no end of it" not in page
    found = fresh.store.run(waiting)
    assert found is not None
    fresh.store.recover("engine-1")
    job = fresh.store.claim("engine", "engine-1", 60.0)
    assert job is not None
    report = reported(samples.review())
    fresh.store.reviewed(job, waiting, step(PUBLISH, found), report=report, usd=0.5, calls=3)
    page = alice.get(f"/runs/{waiting}").text
    assert ">publishing</span>" in page and "A refund that times out" in page
    fresh.store.stop(fresh.hello.id, 1, "somebody asked for it")
    assert ">stopping</span>" in alice.get(f"/runs/{waiting}").text


def test_a_run_is_read_on_from_where_it_was(fresh: Site) -> None:
    run = fresh.run()
    fresh.reviewing(run)
    alice = fresh.reader()
    begin, rest = raw([FIRST, *EVENTS[:2]]), raw(EVENTS[2:])
    path = fresh.trace(run, begin)
    assert alice.get(f"/runs/{run}").text.count("<details id=") == 1
    with path.open("ab") as file:
        file.write(rest[:-5])  # the last line is half written
    page = alice.get(f"/runs/{run}").text
    assert page.count("<details id=") == 5 and "could not be read" not in page
    with path.open("ab") as file:
        file.write(rest[-5:])
    assert alice.get(f"/runs/{run}").text.count("<details id=") == 5
    fresh.trace(run, begin)  # the file is another one
    assert alice.get(f"/runs/{run}").text.count("<details id=") == 1


def test_the_same_page_is_not_sent_twice(site: Site) -> None:
    run = site.reviewed(site.run())
    alice = site.reader()
    tag = alice.get(f"/runs/{run}").headers["ETag"]
    again = alice.get(f"/runs/{run}", If_None_Match=tag)
    assert again.status_code == 304 and again.get_data() == b""
    assert site.browser().get(f"/runs/{run}", If_None_Match=tag).status_code == 401


@pytest.mark.parametrize(
    ("outcome", "word", "why"),
    [
        ("stale", "not published", "newer commits"),
        ("stopped: a newer review took its place", "stopped", "a newer review took its place"),
        ("locked", "not published", "locked"),
        ("lost: GitHub is away", "failed", "GitHub is away"),
    ],
)
def test_a_run_says_how_it_ended(site: Site, outcome: str, word: str, why: str) -> None:
    run = site.reviewed(site.run(), outcome=outcome)
    page = site.reader().get(f"/runs/{run}").text
    assert f">{word}</span>" in page and why in page


@pytest.mark.parametrize(
    ("outcome", "state", "why"),
    [
        ("stacked", "open", "There is a pull request on top."),
        ("stacked", "merged", "The pull request on top was merged."),
        ("stacked", "undone", "The pull request on top was undone."),
        ("pushed", None, "Its commits are on the branch of the pull request on top."),
    ],
)
def test_a_run_says_what_has_become_of_its_pull_request(
    fresh: Site, outcome: str, state: StackedState | None, why: str
) -> None:
    run = fresh.reviewed(fresh.run(), outcome=outcome)
    if state is not None:
        fresh.store.note(Stacked(run, fresh.hello.id, 1, 5, "rlm-fix-1", "a" * 40, "fix"))
        fresh.store.update(run, state=state)
    page = fresh.reader().get(f"/runs/{run}").text
    assert "not published" not in page and why in page


def test_a_run_without_a_review_says_why(site: Site) -> None:
    run = site.reviewed(
        site.run(), outcome="problem: escaped", problem="It is <too> large.", calls=0
    )
    page = site.reader().get(f"/runs/{run}").text
    assert ">failed</span>" in page and "It is &lt;too&gt; large." in page
    assert "This run came to no review." in page and "There is no trace of this run here" in page


def test_where_servers_share_a_database_the_trace_may_lie_on_another(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = site.reviewed(site.run(), outcome="problem: x", problem="x", calls=0)
    elsewhere = "or it lies on the server that reviewed"
    assert elsewhere not in site.reader().get(f"/runs/{run}").text
    monkeypatch.setattr(site.store.database, "is_file", False)
    assert elsewhere in site.reader().get(f"/runs/{run}").text


def test_a_review_by_detectors_alone_says_that_there_is_no_tree(site: Site) -> None:
    run = site.reviewed(site.run(), samples.empty(), usd=0.0, calls=0)
    page = site.reader().get(f"/runs/{run}").text
    assert "No model was asked" in page and "no model" in page


def test_a_partial_review_says_so_first(site: Site) -> None:
    run = site.reviewed(site.run(), samples.partial())
    page = site.reader().get(f"/runs/{run}").text
    assert "ended early because the budget did not cover more" in page


def test_a_report_of_another_version_costs_its_findings_and_nothing_else(fresh: Site) -> None:
    from sqlalchemy import update

    run = fresh.reviewed(fresh.run())
    with fresh.store.database.write() as db:
        db.execute(update(RUNS).where(RUNS.c.id == run).values(result='{"of": "tomorrow"}'))
    page = fresh.reader().get(f"/runs/{run}")
    assert page.status_code == 200 and "not kept any more" in page.text


def test_a_repository_without_runs_says_how_to_get_one(fresh: Site) -> None:
    page = fresh.reader().get(f"/repositories/{fresh.hello.id}").text
    assert "No run yet." in page and "/rlm review" in page
    assert "Nothing in these days." in page and "No finding was told yet." in page


def test_a_repository_shows_spend_and_what_became_of_findings_over_time(fresh: Site) -> None:
    first = fresh.reviewed(fresh.run(number=1), usd=0.25)
    fresh.past(first, 3)
    fresh.reviewed(fresh.run(number=2), usd=0.5)
    fresh.reviewed(fresh.run(fresh.open, number=3), usd=9.0)
    fresh.told(
        fresh.hello,
        2,
        Told("a" * 12, "high", "correctness"),
        Told("b" * 12, "high", "correctness", "fixed"),
        Told("c" * 12, "low", "tests", "dismissed"),
    )
    page = fresh.reader().get(f"/repositories/{fresh.hello.id}").text
    assert "<b>$0.7500</b>" in page and "the cap of one is $2.00" in page
    assert "<b>2</b><span>runs in 30 days" in page and "<b>1</b><span>open finding<" in page
    assert re.search(r'aria-label="Spend by day, .*: spent \$0\.75; most on ', page)
    assert page.count('<rect class="column spent"') == 2
    assert page.count('<rect class="column fixed"') == 1
    high = re.search(r"badge high.*?</tr>", page, re.DOTALL)
    assert high and re.findall(r'"num">([^<]+)<', high[0]) == ["1", "–", "–", "1"]


def test_long_lists_are_read_page_by_page(fresh: Site) -> None:
    names = [fresh.run(number=at) for at in range(1, 42)]
    alice = fresh.reader()
    first = alice.get(f"/repositories/{fresh.hello.id}").text
    assert first.count("/runs/") == 30 and names[-1] in first
    older = re.search(r'href="(/repositories/\d+\?before=\d+)"', first)
    assert older
    second = alice.get(older[1]).text
    assert second.count("/runs/") == 11 and names[0] in second and "Newest" in second
    assert "?before=" not in second


def test_a_wide_tree_is_shown_a_part_at_a_time(fresh: Site) -> None:
    run = fresh.reviewed(fresh.run())
    children = [NodeStarted(f"1.{at}", "1", "find", f"part {at}", 10, 1) for at in range(1, 251)]
    below = [NodeStarted(f"1.250.{at}", "1.250", "find", "deep", 10, 1) for at in range(1, 4)]
    fresh.trace(run, raw([FIRST, NodeStarted("1", None, "find", "all", 10, 1), *children, *below]))
    alice = fresh.reader()
    page = alice.get(f"/runs/{run}").text
    assert page.count("<details id=") == 101 and "150 parts not on this page" in page
    assert f'href="/runs/{run}?from=1&amp;skip=100#tree"' in page
    second = alice.get(f"/runs/{run}?from=1&skip=200").text
    assert second.count("<details id=") == 54 and "n-1.250.3" in second
    deep = alice.get(f"/runs/{run}?from=1.250").text
    assert deep.count("<details id=") == 4 and "The whole tree" in deep
    assert alice.get(f"/runs/{run}?from=%3Cb%3E&skip=7").status_code == 200
    assert alice.get(f"/runs/{run}?skip=-1").status_code == 404


def test_a_deep_tree_has_its_top_and_a_link_to_what_is_below(fresh: Site) -> None:
    run = fresh.reviewed(fresh.run())
    events = []
    name = ""
    for _ in range(60):
        parent, name = name or None, f"{name}.1" if name else "1"
        events += [NodeStarted(name, parent, "find", "x", 10, 1), NodeEnded(name, "done")]
    fresh.trace(run, raw([FIRST, *events]))
    page = fresh.reader().get(f"/runs/{run}")
    assert page.status_code == 200 and page.text.count("<details id=") == 60


def test_a_node_is_shown_turn_by_turn(site: Site) -> None:
    run = site.reviewed(site.run())
    site.trace(run, whole())
    alice = site.reader()
    page = alice.get(f"/runs/{run}/nodes/1").text
    assert "x = 1\nprint(x)" in page and "ZeroDivisionError" in page
    assert "529" in page and f"/runs/{run}/nodes/1.1" in page
    assert "overview: a string is wanted" in alice.get(f"/runs/{run}/nodes/1.1").text
    for bad in ("9", "1.9", "..", "%3Cscript%3E", "1" * 500):
        assert alice.get(f"/runs/{run}/nodes/{bad}").status_code == 404


# What it does not do

PAGES = ("/", "run", "node", "repository", "installation", "/nowhere")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, dict[str, str]]]:
    """A run in which every text does its worst."""
    import dataclasses

    def worse(event: object) -> object:
        bad = {
            field.name: samples.HOSTILE
            for field in dataclasses.fields(event)  # type: ignore[arg-type]
            if field.name
            in {"label", "task", "why", "text", "arguments", "code", "printed", "lens"}
        }
        return dataclasses.replace(event, **bad)  # type: ignore[type-var]

    with Site(tmp_path_factory.mktemp("hostile")) as site:
        run = site.reviewed(
            site.run(), samples.hostile(), outcome=f"problem: {samples.HOSTILE}", calls=3
        )
        first = dataclasses.replace(FIRST, what=samples.HOSTILE, model=samples.HOSTILE)
        site.trace(run, raw([first, *map(worse, EVENTS)]))  # type: ignore[arg-type]
        alice = site.reader()
        paths = {
            "run": f"/runs/{run}",
            "node": f"/runs/{run}/nodes/1",
            "repository": f"/repositories/{site.hello.id}",
            "installation": f"/installations/{site.installation.id}",
        }
        yield site, {page: alice.get(paths.get(page, page)).text for page in PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_nothing_that_is_shown_is_markup(hostile: tuple[Site, dict[str, str]], page: str) -> None:
    site, pages = hostile
    outline = Outline(pages[page])
    scripts = [attrs for tag, attrs in outline.elements if tag == "script"]
    assert all(set(one) == {"src", "defer"} for one in scripts)
    assert not {"img", "iframe", "object", "embed", "base"} & {tag for tag, _ in outline.elements}
    for _, attrs in outline.elements:
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            address = attrs.get(name)
            if address:
                ours = address.startswith(("/", "#")) or address.startswith(f"{site.hub.web}/")
                assert ours and not address.startswith("//"), address
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", pages[page])


@pytest.mark.parametrize("path", ["/", "/login", "/runs/x", "/nowhere", "/static/0/x"])
def test_every_answer_has_the_headers_that_keep_others_out(site: Site, path: str) -> None:
    headers = site.reader().get(path).headers
    policy = headers["Content-Security-Policy"]
    for rule in (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'",
        "base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'",
    ):  # fmt: skip
        assert rule in policy
    assert "unsafe" not in policy and "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-store"
    assert len(headers.getlist("Content-Security-Policy")) == 1


def test_our_own_files_are_kept_by_browsers_until_they_change(site: Site) -> None:
    page = site.browser().get("/").text
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(found) == 3
    for address in found:
        answer = site.browser().get(address)
        assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
        assert "://" not in re.sub(r"http://www\.w3\.org/2000/svg", "", answer.text)


def test_a_secret_in_a_report_is_masked(site: Site) -> None:
    token = "ghp_" + "a1B2" * 9
    bad = samples.review(findings=[samples.finding(title=f"The token {token}", body=token)])
    run = site.reviewed(site.run(), bad)
    page = site.reader().get(f"/runs/{run}").text
    assert "The token" in page and token not in page
