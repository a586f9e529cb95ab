"""Headless Chromium, driven as a person would use it."""

import base64
import json
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

from tests.app.web.site import Site

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
PATIENCE_S = 15.0

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)


class Chrome:
    """One browser with an empty profile."""

    def __init__(self) -> None:
        assert Path(CHROMIUM).exists(), "chromium is not installed: run make test, which does it"
        assert Path(DRIVER).exists(), "chromedriver is not installed: run make test, which does it"
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def __enter__(self) -> Self:
        options = Options()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={self._profile.name}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.look()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.driver.quit()
        self._profile.cleanup()

    def look(self, *, dark: bool = False, width: int = 1200, height: int = 900) -> None:
        """Set the scheme of colours and the size of the window."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._tell("Emulation.setEmulatedMedia", features=[scheme])
        self._tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def log_in(self, site: Site, login: str, path: str = "/") -> None:
        """Press the button on the first page, and agree at GitHub."""
        site.hub.signed_in = login
        self.open(site, path)
        self.driver.find_element("css selector", "a.button").click()
        self.until(lambda: self.run("return !!document.querySelector('form.who')"), "logged in")

    def open(self, site: Site, path: str) -> None:
        """Load a page of ours."""
        self.driver.get(f"{site.url}{path}")

    def clear(self) -> None:
        """Forget all cookies."""
        self.driver.delete_all_cookies()

    def run(self, script: str, *given: Any) -> Any:
        """Run a script as somebody at the console would."""
        return self.driver.execute_script(script, *given)

    def text(self, selector: str = "body") -> str:
        """Return what can be read of an element."""
        return str(self.driver.find_element("css selector", selector).text)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def until(self, true: Any, what: str) -> None:
        """Wait for something, or fail naming it."""
        WebDriverWait(self.driver, PATIENCE_S, poll_frequency=0.05).until(lambda _: true(), what)

    def errors(self) -> list[str]:
        """Return what the console has complained about since the last time."""
        return [
            str(entry["message"])
            for entry in self.driver.get_log("browser")
            if entry["level"] in {"SEVERE", "WARNING"}
        ]

    def hosts(self) -> set[str]:
        """Return every host that was asked for anything since the last time."""
        found = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.add(urlsplit(message["params"]["request"]["url"]).netloc)
        return found

    def shot(self, path: Path, *, whole: bool = True) -> None:
        """Take a picture of the whole page, or of what the window shows of it."""
        picture = self._tell("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))

    def _tell(self, command: str, **given: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, given)
