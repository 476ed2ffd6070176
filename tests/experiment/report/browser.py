"""A headless Chromium, and what a page did in it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import CHROMIUM

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
)


class Shown(NamedTuple):
    """A page in a browser, its errors, and what it asked of others."""

    page: Any
    errors: list[str]
    requests: list[str]


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=list(FLAGS))
        yield running
        running.close()


def shown(running: Any, path: Path, width: int = 1280, **options: Any) -> Shown:
    """Opens a report and waits until it is ready."""
    page = running.new_context(viewport={"width": width, "height": 900}, **options).new_page()
    errors: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    return Shown(
        page, errors, [url for url in requests if not url.startswith(("data:", "blob:")) and url != path.as_uri()]
    )
