"""`sweep.html`: plot and table in one file, which works without a network."""

import html
from collections.abc import Iterator, Sequence

from jdgnn.experiment.comparison_tables import interval, points
from jdgnn.experiment.sweep.grid import short_keys
from jdgnn.experiment.sweep.plot import Plot, Series, control_name, plot
from jdgnn.experiment.sweep.results import PLOT, Results, Row, best_of, difference_to
from jdgnn.experiment.sweep.table import BEST, brief, remarks
from jdgnn.experiment.tables import METRICS
from jdgnn.experiment.whole_files import whole_file

STYLE = """
body { font-family: system-ui, sans-serif; color: #222; background: #fff; margin: 0 auto; padding: 1rem;
  max-width: 80rem; line-height: 1.4; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; } h2 { font-size: 1rem; margin: .6rem 0 0; font-weight: 600; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: .5rem 1rem; }
.panels.single { grid-template-columns: minmax(0, 1fr); }
.panels > div { min-width: 0; } .wide { overflow-x: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .5rem 0; font-size: .9rem; }
.legend span { display: inline-flex; align-items: center; gap: .4rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th { border-bottom: 2px solid #444; } .best { font-weight: 700; background: #eef5fa; }
p { max-width: 50rem; margin: .4rem 0; }
"""

DASH_ARRAYS = {
    "solid": "", "dash": "9,9", "dot": "3,3", "dashdot": "9,3,3,3", "longdash": "15,15", "longdashdot": "15,3,3,3",
}  # fmt: skip
"""As plotly draws them, a little closer."""

SHAPES = {
    "circle": '<circle cx="22" cy="8" r="4.5"/>',
    "square": '<rect x="18" y="4" width="8" height="8"/>',
    "diamond": '<path d="M22 2l6 6-6 6-6-6z"/>',
    "triangle-up": '<path d="M22 3l5 9h-10z"/>',
    "cross": '<path d="M20 3h4v3h3v4h-3v3h-4v-3h-3v-4h3z"/>',
    "x": '<path d="M18 2l4 4 4-4 2 2-4 4 4 4-2 2-4-4-4 4-2-2 4-4-4-4z"/>',
    "triangle-down": '<path d="M22 13l5-9h-10z"/>',
}


def write_page(results: Results) -> None:
    """Writes `sweep.html`."""
    with whole_file(results.path / PLOT) as file:
        file.write(page(list(results.rows.values()), results.path.name).encode())


def page(rows: Sequence[Row], name: str) -> str:
    """The whole page.

    Args:
      rows: all combinations.
      name: what to call the sweep.

    Returns:
      HTML with all scripts in it.
    """
    drawn = plot(rows)
    dataset = next((str(summary["dataset"]) for row in rows for summary in row.summaries.values()), "")
    title = html.escape(f"{name}: linear probe on {dataset}" if any(row.metric for row in rows) else name)
    return "".join(
        [
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>\n",
            *(f"<p>{html.escape(text)}</p>" for text in _explanation(rows, drawn)),
            _legend(drawn),
            _panels(drawn),
            "<h2>All combinations</h2>",
            _table(rows),
            *(f"<p>{html.escape(text)}</p>" for text in remarks(rows)),
            "</body></html>\n",
        ]
    )


def _explanation(rows: Sequence[Row], drawn: Plot) -> Iterator[str]:
    if drawn.panels and not drawn.controls and any(row.metric for row in rows):
        yield "Dots are combinations, means over seeds; dashes are the means of all combinations with a value."
    elif drawn.controls:
        yield (
            "Points are means over seeds of what was learned, bars one standard deviation; grey lines are controls, "
            "which took no learning."
        )


def _legend(drawn: Plot) -> str:
    entries = [(one.name, one) for one in drawn.series] + [
        (control_name(one.name) + (" (far below)" if one.name in drawn.outside else ""), one) for one in drawn.controls
    ]
    heading = f"<span><b>{html.escape(drawn.series_key)}</b></span>" if drawn.series_key else ""
    spans = "".join(f"<span>{_swatch(one)}{html.escape(name)}</span>" for name, one in entries)
    return f'<div class="legend">{heading}{spans}</div>' if entries else ""


def _swatch(one: Series) -> str:
    dashes = DASH_ARRAYS.get(one.dash, one.dash.replace("px", ""))
    shape = SHAPES.get(one.symbol, "")
    return (
        f'<svg width="44" height="16" aria-hidden="true" fill="{one.colour}"><line x1="0" y1="8" x2="44" y2="8" '
        f'stroke="{one.colour}" stroke-width="2" stroke-dasharray="{dashes}"/>{shape}</svg>'
    )


def _panels(drawn: Plot) -> str:
    from plotly.io import to_html

    parts = []
    for index, panel in enumerate(drawn.panels):
        heading = f"<h2>{html.escape(panel.title)}</h2>" if panel.title else ""
        figure = to_html(
            panel.figure,
            full_html=False,
            include_plotlyjs=index == 0,
            config={"responsive": True, "displaylogo": False, "displayModeBar": False},
        )
        parts.append(f"<div>{heading}{figure}</div>")
    return f'<div class="panels{" single" if len(parts) == 1 else ""}">{"".join(parts)}</div>'


def _table(rows: Sequence[Row]) -> str:
    best = best_of(rows)
    metric = " / ".join(sorted({METRICS[row.metric] for row in rows if row.metric}))
    heads = list(short_keys([key for key, _ in rows[0].variant.settings]).values())
    heads += [metric, "gain", "to best", "95 % interval"] if metric else []
    heads += ["seeds", "consensus distance", "loss", "seconds"]
    lines = [f"<tr>{''.join(f'<th>{html.escape(head)}</th>' for head in heads)}</tr>"]
    for row in rows:
        cells = [value for _, value in row.variant.settings]
        cells += _judged(row, best) if metric else []
        cells += [str(len(row.summaries)), *map(brief, (row.consensus_distance, row.loss, row.seconds))]
        mark = ' class="best"' if row is best else ""
        lines.append(f"<tr{mark}>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>")
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def _judged(row: Row, best: Row | None) -> list[str]:
    if row.learned is None or row.gain is None:
        return ["failed" if row.failed else "-", "", "", ""]
    spread = "" if row.learned.sd is None else f" ± {points(row.learned.sd)}"
    difference = None if best is None else difference_to(row, best)
    to_best = ["", ""] if difference is None else [points(difference.mean, sign="+"), interval(difference._asdict())]
    mark = BEST if row is best else ""
    return [f"{points(row.learned.mean)}{spread}{mark}", points(row.gain.mean, sign="+"), *to_best]
