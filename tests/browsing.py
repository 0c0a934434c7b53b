"""Real browsers on a service: people who sign in and look at pages, and whatever went wrong on their screens."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
"""Chromium asks nobody on the network of its own accord."""
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LONGEST_WAIT = 120.0
PATIENCE = 60_000
"""Milliseconds; a machine may be busy with other tests."""
expect.set_options(timeout=PATIENCE)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
        yield opened
        opened.close()


@dataclass(frozen=True)
class Visitor:
    name: str
    url: str
    page: Page

    def open(self, path: str) -> Page:
        answer = self.page.goto(f"{self.url}{path}")
        assert answer is not None and answer.ok, f"{path}: {answer and answer.status}"
        return self.page

    def release(self) -> str:
        """The release in force, as the foot of the page names it."""
        return self.page.locator(".site-footer .release .code").inner_text()

    def wait_for_release(self, release: str) -> None:
        """Until the process that serves has taken it up."""
        deadline = time.monotonic() + LONGEST_WAIT
        while self.open("/admin/rilis") and self.release() != release:
            assert time.monotonic() < deadline, self.release()
            time.sleep(0.2)


@dataclass(frozen=True)
class Browsers:
    """Each visitor has a browser profile of their own."""

    url: str
    chromium: Browser
    _faults: list[str] = field(default_factory=list)

    def visitor(self, name: str, password: str, size: ViewportSize = DESK) -> Visitor:
        """Somebody who has signed in."""
        page = self.chromium.new_context(viewport=size, locale="id-ID").new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: self._faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self._faults.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((self.url, "data:")) else self._faults.append(asked.url),
        )
        visitor = Visitor(name, self.url, page)
        page.goto(f"{self.url}/masuk")
        page.fill("[name=nama]", name)
        page.fill("[name=sandi]", password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/masuk" not in url)
        return visitor

    def faults(self) -> list[str]:
        """Errors of scripts, and requests that left this machine."""
        return list(self._faults)


@contextmanager
def visiting(url: str) -> Iterator[Browsers]:
    with chromium() as browser:
        yield Browsers(url, browser)
