"""The run pages in a browser: live, with the keyboard, without script, and for everybody.

Accessibility is judged by axe-core, in both schemes of colours, wide and narrow.
"""

from collections.abc import Iterator

import pytest
from selenium.common.exceptions import JavascriptException
from selenium.webdriver.common.keys import Keys

from app.store import Told
from tests.app.render import samples
from tests.app.traces import EVENTS, FIRST, raw, whole
from tests.app.web.chrome import Chrome
from tests.app.web.site import Site
from tests.github.npm import package_file

AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
  "best-practice"]}).then((found) => done(found.violations.map((one) =>
  `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((n) => n.html).join(" | ")}`)));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as site:
        site.ended = site.reviewed(site.run())  # type: ignore[attr-defined]
        site.trace(site.ended, whole())  # type: ignore[attr-defined]
        site.told(site.hello, 1, Told("a" * 12, "high", "tests"), Told("b" * 12, "low", "tests"))
        site.serve()
        yield site


@pytest.fixture(scope="module")
def chrome(site: Site) -> Iterator[Chrome]:
    with Chrome() as chrome:
        chrome.log_in(site, "alice")
        yield chrome


def ended(site: Site) -> str:
    return str(site.ended)  # type: ignore[attr-defined]


def pages(site: Site) -> dict[str, str]:
    return {
        "home": "/",
        "run": f"/runs/{ended(site)}",
        "node": f"/runs/{ended(site)}/nodes/1",
        "repository": f"/repositories/{site.hello.id}",
        "installation": f"/installations/{site.installation.id}",
        "missing": "/runs/nothing",
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("page", ["home", "run", "node", "repository", "installation", "missing"])
def test_a_page_is_for_everybody(
    site: Site, chrome: Chrome, page: str, width: int, dark: bool
) -> None:
    chrome.look(dark=dark, width=width)
    chrome.open(site, pages(site)[page])
    chrome.run("for (const one of document.querySelectorAll('details')) one.open = true")
    wide = chrome.run("return document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"it scrolls sideways by {wide} pixels"
    axe = package_file("axe-core", "axe.min.js").read_text()
    # As somebody at the console: the page itself may run nothing but its own file.
    chrome.run(axe)
    assert chrome.driver.execute_async_script(AXE) == []


def test_nothing_is_asked_of_anybody_else_and_the_console_is_silent(
    site: Site, chrome: Chrome
) -> None:
    chrome.look()
    chrome.errors()
    chrome.hosts()
    for page, path in pages(site).items():
        if page != "missing":
            chrome.open(site, path)
    assert chrome.errors() == []
    assert chrome.hosts() == {site.url.removeprefix("http://")}


def test_what_is_hostile_does_nothing(site: Site, chrome: Chrome) -> None:
    run = site.reviewed(site.run(number=13), samples.hostile())
    chrome.errors()
    chrome.hosts()
    chrome.open(site, f"/runs/{run}")
    assert chrome.run("return document.scripts.length") == 1
    assert chrome.run("return document.images.length") == 0
    assert "<script>alert(1)</script>" in chrome.text("#main")
    assert chrome.errors() == [] and len(chrome.hosts()) == 1


def test_the_policy_lets_no_other_script_run(site: Site, chrome: Chrome) -> None:
    chrome.open(site, f"/runs/{ended(site)}")
    for bad in (
        "document.body.setAttribute('onclick', 'document.title = 1')",
        "document.body.innerHTML += '<img src=x onerror=alert(1)>'",
        "const one = document.createElement('script'); one.src = '//evil.test/x.js';",
    ):
        with pytest.raises(JavascriptException, match="Trusted"):
            chrome.run(bad)
    chrome.run(
        "document.body.append(Object.assign(document.createElement('style'), "
        "{textContent: 'body { display: none }'}))"
    )
    assert chrome.run("return getComputedStyle(document.body).display") == "block"
    assert any("Content Security Policy" in one for one in chrome.errors())


def test_the_tree_opens_with_the_keyboard(site: Site, chrome: Chrome) -> None:
    chrome.look()
    chrome.open(site, f"/runs/{ended(site)}")
    is_open = "return document.getElementById('n-1').open"
    assert chrome.run(is_open) is False
    chrome.run("document.querySelector('#n-1 > summary').focus()")
    chrome.press(Keys.ENTER)
    assert chrome.run(is_open) is True
    # Its facts, its link and its first child are next in line.
    chrome.press(Keys.TAB)
    assert chrome.run("return document.activeElement.textContent").startswith("Turn by turn")
    chrome.press(Keys.TAB)
    assert "web" in chrome.run("return document.activeElement.textContent")
    chrome.press(Keys.SPACE)
    assert chrome.run("return document.getElementById('n-1.1').open") is True
    name = chrome.run("return document.querySelector('#n-1 > summary').textContent")
    assert name.startswith("◐partial: ")  # the sign is hidden from screen readers, the word is not


def test_the_first_key_leads_past_the_head_of_the_page(site: Site, chrome: Chrome) -> None:
    chrome.open(site, f"/runs/{ended(site)}")
    chrome.press(Keys.TAB)
    assert chrome.run("return document.activeElement.className") == "skip"
    chrome.press(Keys.ENTER)
    assert chrome.run("return document.activeElement.id") == "main"


def test_a_link_to_a_node_opens_all_that_it_is_in(site: Site, chrome: Chrome) -> None:
    chrome.open(site, f"/runs/{ended(site)}#n-1.2.1")
    chrome.until(
        lambda: chrome.run("return document.getElementById('n-1.2.1').open"), "the node is open"
    )
    assert chrome.run("return document.getElementById('n-1').open")
    assert not chrome.run("return document.getElementById('n-1.1').open")


def test_a_run_grows_before_the_eyes_of_its_reader_and_then_it_is_still(
    site: Site, chrome: Chrome
) -> None:
    """What is open stays open, the focus stays, the end brings the findings, the asking ends."""
    run = site.run(number=14)
    site.reviewing(run, "1 of 2 parts read so far.")
    path = site.trace(run, raw([FIRST, *EVENTS[:12]]))
    chrome.look()
    chrome.open(site, f"/runs/{run}")
    chrome.run("window.kept = 'the same page'; document.querySelector('#n-1 > summary').focus()")
    chrome.press(Keys.ENTER)
    assert chrome.run("return document.getElementById('n-1.2')") is None
    with path.open("ab") as file:
        file.write(raw(EVENTS[12:-1]))
    site.store.progressed(run, "2 of 2 parts read so far.")
    chrome.until(lambda: "2 of 2 parts" in chrome.text("#part-progress"), "the progress is new")
    chrome.until(
        lambda: chrome.run("return !!document.getElementById('n-1.2')"), "the tree has grown"
    )
    assert chrome.run("return document.getElementById('n-1').open") is True
    focused = chrome.run("return document.activeElement.closest('details').id")
    assert (focused, chrome.run("return window.kept")) == ("n-1", "the same page")
    found = site.store.run(run)
    assert found is not None
    finish(site, run)
    chrome.until(lambda: "A refund that times out" in chrome.text("#main"), "the findings")
    assert chrome.run("return document.getElementById('main').dataset.live") == "no"
    assert chrome.run("return document.getElementById('n-1').open") is True
    assert chrome.run("return window.kept") == "the same page"


def finish(site: Site, run: str) -> None:
    """Bring a run that is being reviewed to its end, by another claim on its job."""
    site.store.recover("engine-1")
    site.reviewed(run)


def test_a_page_that_is_open_says_when_it_is_out_of_date(site: Site, chrome: Chrome) -> None:
    run = site.run(number=15)
    site.reviewing(run)
    chrome.open(site, f"/runs/{run}")
    hidden = "return document.getElementById('part-offline').hidden"
    assert chrome.run(hidden) is True
    kept = chrome.driver.get_cookie("rlm-session")
    chrome.clear()
    chrome.until(lambda: chrome.run(hidden) is False, "it says so")
    assert "not up to date" in chrome.text("#part-offline")
    chrome.driver.add_cookie(kept)


def test_without_script_all_of_it_can_be_read(site: Site, chrome: Chrome) -> None:
    chrome.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chrome.open(site, f"/runs/{ended(site)}")
        assert "A refund that times out" in chrome.text("#main")
        summary = chrome.driver.find_element("css selector", "#n-1 > summary")
        summary.click()
        assert "looked up" in chrome.text("#n-1")
        assert not chrome.driver.find_element("css selector", "[data-tools]").is_displayed()
    finally:
        chrome.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_who_logs_out_is_out(site: Site) -> None:
    with Chrome() as own:
        own.log_in(site, "alice")
        own.driver.find_element("css selector", "form.who button").click()
        own.until(lambda: own.run("return !document.querySelector('form.who')"), "logged out")
        own.open(site, f"/repositories/{site.hello.id}")
        assert not own.run("return !!document.querySelector('form.who')")
