"""The page: panels of texts, tables and figures, with style and script, in one file that makes no network requests."""

import base64
import contextlib
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'"
)
"""The browser rejects all requests; plotly makes its WebGL programs by eval."""


@dataclass
class Panel:
    """A part of the page."""

    name: str  # for links to it
    title: str
    parts: list[dict[str, Any]] = field(default_factory=list)  # its elements in order, each with its kind
    figures: dict[str, Any] = field(default_factory=dict)  # of plotly, by the id of the element they are drawn in
    data: dict[str, Any] = field(default_factory=dict)  # for the script of the page

    def add(self, element: str, **content: Any) -> None:
        """Adds an element of this kind."""
        self.parts.append({"element": element, **content})

    def text(self, text: str, kind: str = "") -> None:
        """Adds a paragraph."""
        self.add("text", text=text, kind=kind)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", kind: str = "") -> None:
        """Adds a table, whose first column names the rows."""
        self.add("table", head=head, rows=list(rows), caption=caption, kind=kind)

    @contextlib.contextmanager
    def grid(self, kind: str = "grid") -> Iterator[None]:
        """Puts all elements that are added inside into columns."""
        self.add("begin", kind=kind)
        yield
        self.add("end")

    def figure(self, name: str, title: str, traces: Sequence[Any], layout: Any, says: str) -> None:
        """Adds a figure of plotly, with a title above it and a caption that says what is drawn and its finding."""
        import plotly.graph_objects as go

        identity = f"{self.name}-{name}"
        self.figures[identity] = go.Figure(data=list(traces), layout=layout).to_plotly_json()
        self.figures[identity]["layout"].pop("template", None)
        self.add("figure", identity=identity, title=title, says=says, height=layout["height"])


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
