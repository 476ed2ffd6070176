"""Takes the picture of a report: `python docs/report_picture.py` writes `docs/report.png`.

The report is that of `configs/quickstart.toml`. It needs Playwright and a Chromium.
"""

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from jdgnn.experiment.cli.main import main as command_line

DOCS = Path(__file__).resolve().parent
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader")
WIDTH, MARGIN = 1200, 24
LAST = "#map"
"""The panel at which the picture ends."""


def main() -> None:
    """Runs the quickstart, opens its report, and takes a picture of its first panels."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "quickstart"
        with contextlib.redirect_stdout(io.StringIO()):
            status = command_line(["run", str(DOCS.parent / "configs" / "quickstart.toml"), "--out", str(run)])
        if status:
            raise SystemExit(status)
        write_picture(run / "report.html", DOCS / "report.png")


def write_picture(report: Path, out: Path) -> None:
    """Takes a picture of a report, of few colours, so that the file is small."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-ready]")
        page.evaluate("window.drawAll()")
        page.wait_for_selector("#map-0[data-tick]")
        taken = page.screenshot(full_page=True, clip=_first_panels(page))
        browser.close()
    image = Image.open(io.BytesIO(taken)).convert("RGB")
    image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(out, optimize=True)


def _first_panels(page: Any) -> Any:
    bottom = page.evaluate(f"document.querySelector('{LAST}').getBoundingClientRect().bottom + window.scrollY")
    return {"x": 0, "y": 0, "width": WIDTH, "height": bottom + MARGIN}


if __name__ == "__main__":
    main()
