"""The page: panels, style and script in one file that makes no network requests."""

import base64
import gzip
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from jdgnn.experiment.report.panel import Panel

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'"
)
"""The browser rejects all requests; plotly makes its WebGL programs by eval."""


def page(title: str, subtitle: str, panels: list[Panel]) -> str:
    """The whole page as HTML; the subtitle is a line below the title."""
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

    figures = {name: figure for panel in panels for name, figure in panel.figures.items()}
    return to_json_plotly({"figures": figures, **{panel.name: panel.data for panel in panels if panel.data}})


def compressed(text: str) -> str:
    """A text as base64 of gzip, always the same."""
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
