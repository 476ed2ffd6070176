"""The elements of the page: panels of text, tables and figures; whatever a run brings along is escaped."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Panel:
    """A part of the page.

    Attributes:
      name: for links to it.
      title: what it is called.
      parts: HTML, in order.
      figures: for plotly, by the id of the element that they are drawn in.
      data: for the page's own script.

    Example:
      >>> panel = Panel("speed", "Speed")
      >>> panel.text("3 < 4")
      >>> panel.parts
      ['<p>3 &lt; 4</p>']
    """

    name: str
    title: str
    parts: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    def text(self, text: str, kind: str = "") -> None:
        """Adds a paragraph."""
        self.parts.append(f"<p{_class(kind)}>{html.escape(text)}</p>")

    def figure(self, name: str, title: str, traces: Sequence[Any], layout: Any, says: str) -> None:
        """Adds a figure, checked by plotly.

        Args:
          name: of the element.
          title: above it.
          traces: what is drawn, as plotly describes it.
          layout: the rest.
          says: what is to be seen, for those who cannot see it.
        """
        import plotly.graph_objects as go

        identity = f"{self.name}-{name}"
        self.figures[identity] = go.Figure(data=list(traces), layout=layout).to_plotly_json()
        self.figures[identity]["layout"].pop("template", None)
        says, title = html.escape(says), html.escape(title)
        plot = f'class="plot" id="{identity}" style="min-height:{layout["height"]}px" role="img" aria-label="{title}"'
        above = f"<h3>{title}</h3>" if title else ""
        self.parts.append(f"<figure>{above}<div {plot}></div><figcaption>{says}</figcaption></figure>")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", kind: str = "") -> None:
        """Adds a table, whose first column names the rows; numbers are texts already."""
        self.parts.append(table(head, rows, caption=caption, kind=kind))

    def folded(self, title: str, inner: str) -> None:
        """Adds HTML that opens on a click."""
        self.parts.append(f"<details><summary>{html.escape(title)}</summary>{inner}</details>")

    def html(self) -> str:
        """The whole panel."""
        inner = "\n".join(self.parts)
        return f'<section id="{self.name}" tabindex="-1"><h2>{html.escape(self.title)}</h2>\n{inner}\n</section>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", kind: str = "") -> str:
    """A table in HTML, that scrolls by itself where it is too wide.

    Args:
      head: of the columns.
      rows: texts, the first of each its name.
      caption: above it.
      kind: class for the style sheet.
    """
    cells = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>"
        + f'<th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    above = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    inner = f"<table{_class(kind)}>{above}<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{inner}</div>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
