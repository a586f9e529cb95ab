"""Pictures of the run pages, to look at and for docs/run-pages.md.

    python -m tests.app.web.pictures FOLDER            # each page, to look at
    python -m tests.app.web.pictures docs/images --docs

Needs what `make test` installs. The tests look at the same pages without pictures.
"""

import argparse
import tempfile
from pathlib import Path

from app.store import Told
from tests.app.traces import whole
from tests.app.web.chrome import Chrome
from tests.app.web.site import Site

DAYS = 14
LOOKS = (("light", False, 1200), ("dark", True, 1200), ("narrow", False, 400))


def fill(site: Site) -> dict[str, str]:
    """Leave two weeks of runs and findings; return the path of each page by its name."""
    for day in reversed(range(DAYS)):
        for pull in range(1 + day % 3):
            run = site.reviewed(site.run(number=40 - day - pull), usd=0.03 + 0.02 * (day % 4))
            site.past(run, day + 0.1 * pull)
            told = [
                Told(f"{day:04}{pull:04}{at:04}", severity, path)
                for at, (severity, path) in enumerate(
                    (("high", "shop/refunds.py"), ("medium", "shop/cart.py"))[: 1 + day % 2]
                )
            ]
            site.told(site.hello, day, *told)
    shown = site.reviewed(site.run(number=41))
    site.trace(shown, whole())
    going = site.run(number=42)
    site.reviewing(going)
    site.trace(going, whole()[: len(whole()) // 2].rsplit(b"\n", 1)[0] + b"\n")
    return {
        "run": f"/runs/{shown}",
        "going": f"/runs/{going}",
        "node": f"/runs/{shown}/nodes/1",
        "repository": f"/repositories/{site.hello.id}",
        "installation": f"/installations/{site.installation.id}",
        "home": "/",
    }


def main() -> None:
    """Take a picture of each page, whole, in both schemes of colours, and narrow; or two for docs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--docs", action="store_true", help="only the two of docs/run-pages.md")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, Site(Path(home)) as site, Chrome() as chrome:
        pages = fill(site)
        site.serve()
        chrome.log_in(site, "alice")
        if given.docs:
            for name, dark, begin in (("run", False, "h1"), ("repository", True, "figure")):
                chrome.look(dark=dark, width=1000, height=960)
                chrome.open(site, pages[name])
                chrome.run(f"document.querySelector('{begin}').scrollIntoView({{block: 'center'}})")
                chrome.run("document.documentElement.style.overflow = 'hidden'")
                chrome.shot(given.folder / f"{name}.png", whole=False)
            return
        for name, path in pages.items():
            for look, dark, width in LOOKS:
                chrome.look(dark=dark, width=width)
                chrome.open(site, path)
                chrome.run(
                    "document.querySelectorAll('main details').forEach((d) => d.open = true)"
                )
                chrome.shot(given.folder / f"{name}-{look}.png")


if __name__ == "__main__":
    main()
