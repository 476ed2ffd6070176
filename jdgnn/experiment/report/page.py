"""The page: panels, style and script in one file that asks nobody for anything."""

import base64
import gzip
import html
from importlib.resources import files
from typing import Any

from jdgnn.experiment.report.elements import Panel

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'"
)
"""The browser refuses whatever would leave the page; plotly makes its WebGL programs by eval."""


def page(title: str, subtitle: str, panels: list[Panel]) -> str:
    """The whole page.

    Args:
      title: what it is about.
      subtitle: a line below.
      panels: in order.

    Returns:
      HTML that stands by itself.
    """
    from plotly.offline import get_plotlyjs

    own = files("jdgnn.experiment.report")
    script, style = own.joinpath("page.js").read_text("utf-8"), own.joinpath("page.css").read_text("utf-8")
    links = "".join(f'<li><a href="#{panel.name}">{html.escape(panel.title)}</a></li>' for panel in panels)
    sections = "\n".join(panel.html() for panel in panels)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#{panels[0].name}">Skip to the figures</a>
<header><h1>{html.escape(title)}</h1><p>{html.escape(subtitle)}</p></header>
<nav aria-label="Parts of the report"><ul>{links}</ul></nav>
<main>
<noscript><p class="note">Figures are drawn by JavaScript, which is off; tables hold the same numbers.</p></noscript>
<p class="note" id="too-old" hidden>This browser cannot draw the figures; tables hold the same numbers.</p>
{sections}
</main>
<footer>Made by jdgnn. This page holds all it shows and asks nobody for anything.</footer>
<script type="text/plain" id="library">{compressed(get_plotlyjs())}</script>
<script type="text/plain" id="data">{compressed(_data(panels))}</script>
<script>{script}</script>
</body>
</html>
"""


def _data(panels: list[Panel]) -> str:
    from plotly.io.json import to_json_plotly

    figures: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for panel in panels:
        figures |= panel.figures
        own |= {panel.name: panel.data} if panel.data else {}
    return to_json_plotly({"figures": figures, **own})


def compressed(text: str) -> str:
    """A text as base64 of gzip, always the same.

    >>> gzip.decompress(base64.b64decode(compressed("all of it"))).decode()
    'all of it'
    """
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
