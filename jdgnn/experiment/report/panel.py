"""A panel of the page: texts, tables and figures, which `page.html.j2` draws."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


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
