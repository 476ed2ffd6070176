"""The page: panels, style and script in one file that makes no request."""

import base64
import gzip
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from jdgnn.experiment.report.panel import Panel

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'"
)
"""The browser rejects all requests; plotly makes its WebGL programs by eval."""


def page(title: str, subtitle: str, panels: list[Panel]) -> str:
    """The whole page as HTML, with a line below its title."""
    from plotly.offline import get_plotlyjs

    return _template().render(
        title=title,
        subtitle=subtitle,
        panels=panels,
        policy=Markup(POLICY),
        style=Markup(_own("page.css")),
        script=Markup(_own("page.js")),
        library=compressed(get_plotlyjs()),
        data=compressed(_data(panels)),
    )


def _own(name: str) -> str:
    return files("jdgnn.experiment.report").joinpath(name).read_text("utf-8")


@cache
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(_own("page.html.j2"))


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
