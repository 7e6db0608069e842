"""A browser, and one in which an annotator is signed in to Label Studio."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from tests.conftest import Logins


@contextmanager
def blank_page() -> Iterator[Page]:
    """A page of Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield browser.new_page(viewport={"width": 1440, "height": 900})
        browser.close()


@contextmanager
def signed_in(url: str, credentials: Logins) -> Iterator[Page]:
    """A page with the annotator's session."""
    with blank_page() as page:
        page.set_default_timeout(120_000)
        page.goto(f"{url}/user/login/")
        page.fill("input[name=email]", credentials.annotator_email)
        page.fill("input[name=password]", credentials.annotator_password)
        page.click("[type=submit]")
        page.wait_for_url(f"{url}/**")
        yield page
