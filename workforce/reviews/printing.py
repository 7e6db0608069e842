"""Pages as PDF files, printed by the browser of this machine."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from workforce.errors import WorkforceError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
PRINTED_WITHIN = 120
"""Seconds; a page that takes longer has met a browser that hangs."""


def pdf(html: str) -> bytes:
    """A page that needs no network, as a PDF file by its own print style.

    Raises `WorkforceError` where there is no browser, or it does not print.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise WorkforceError(
            "a PDF is printed by a browser, and none of"
            f" {', '.join(BROWSERS)} is there: install chromium, or leave out --pdf and print the"
            " HTML page from any other browser"
        )
    with TemporaryDirectory() as folder:
        page, printed = Path(folder, "page.html"), Path(folder, "page.pdf")
        page.write_text(html, encoding="utf-8")
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={Path(folder, 'profile')}",
            f"--print-to-pdf={printed}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            page.as_uri(),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=PRINTED_WITHIN, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise WorkforceError(
                f"{browser} did not print within {PRINTED_WITHIN} s: end browsers that hang, and"
                " try again"
            ) from error
        if not printed.exists():
            said = done.stderr.strip().splitlines() or ["nothing"]
            raise WorkforceError(f"{browser} printed no PDF; it said: {said[-1]}")
        return printed.read_bytes()
