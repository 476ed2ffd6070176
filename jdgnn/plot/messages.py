"""What became of messages, over time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_flag
from jdgnn.errors import InputError, suggestion
from jdgnn.plot import axes, style
from jdgnn.plot.rows import Row, Rows, counts, rows_of, ticks_of
from jdgnn.protocol.accounts import KINDS, OUTCOMES

ENDS = tuple(outcome for outcome in OUTCOMES if outcome != "sent")
COLOURS = dict(zip(KINDS, ("sky", "orange", "purple"), strict=True))
"""Of kinds of messages."""

HATCHES = dict(zip(ENDS, ("", "////", "....", "xx", "\\\\\\\\", "--"), strict=True))
"""Of what became of them."""


def traffic(given: Rows, ax: Any = None, *, kind: str | None = None, bytes: bool = False) -> Any:
    """Draws how many messages a tick brought to which end, stacked: a colour for each kind, a pattern for each end.

    Each value is the mean over the ticks since the record before, or since the start of the state. Messages that are in
    flight have come to no end yet.

    Args:
      given: a `jdgnn.History`, or its rows.
      ax: the Axes to draw on; None for a new figure.
      kind: `embedding`, `push` or `model`; None for all.
      bytes: whether to draw the bytes that were sent instead.

    Returns:
      The Axes.

    Raises:
      InputError: Matplotlib is missing, nothing of the kind was sent, or an argument is invalid.

    Example:
      >>> import jax, jdgnn, matplotlib; matplotlib.use("agg")
      >>> network = jdgnn.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(4)], objective=jdgnn.info_nce(), optimizer=jdgnn.sgd(0.1),
      ...     push=jdgnn.push(), gossip=jdgnn.gossip(capacity=5, link=jdgnn.link(drop=0.5)))
      >>> _, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 4, record_every=1)
      >>> [text.get_text() for text in traffic(history, kind="model").get_legend().get_texts()]
      ['model dropped', 'model delivered']
    """
    ax = axes.taken(ax)
    check_flag("bytes", bytes)
    if kind is not None and kind not in KINDS:
        raise InputError(f"kind: got {kind!r}; {suggestion(str(kind), KINDS)}")
    rows = rows_of("given", given)
    layers = _stacked(rows, KINDS if kind is None else (kind,), bytes)
    if not layers:
        raise InputError(f"given: no {'messages' if kind is None else kind} had come to an end; give a longer history")
    ticks = ticks_of(rows)
    edges = np.concatenate([[0], ticks])
    bottom = np.zeros(len(edges))
    for (kind_, end), values in layers.items():
        top = bottom + np.concatenate([values[:1], values])
        ax.fill_between(edges, bottom, top, step="pre", label=f"{kind_} {end.replace('_', ' ')}", **_look(kind_, end))
        bottom = top
    ax.set(xlabel="tick", ylabel="sent per tick" if bytes else "messages per tick", xlim=(0, ticks[-1]))
    if bytes:
        ax.yaxis.set_major_formatter(_in_bytes())
    ax.set_ylim(bottom=0)
    axes.without_frame(ax)
    handles, _ = ax.get_legend_handles_labels()
    axes.legend_beside(ax, handles[::-1])  # from top to bottom, as they are drawn
    return ax


def _stacked(rows: list[Row], kinds: tuple[str, ...], are_bytes: bool) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Counts per tick by kind and end, from the bottom up, without what never happened."""
    wanted = {(kind, end): f"messages_{end}" for kind in kinds for end in ENDS}
    if are_bytes:
        wanted = {(kind, "sent"): "bytes_sent" for kind in kinds}
    found = {key: counts("given", rows, figure, key[0]) for key, figure in wanted.items()}
    return {key: values for key, values in found.items() if values.any()}


def _look(kind: str, end: str) -> dict[str, Any]:
    colour = style.COLOURS[COLOURS[kind]]
    face = colour if end in ("delivered", "sent") else style.lightened(colour, 0.6)
    return {
        "facecolor": face,
        "edgecolor": style.lightened("#000000", 0.35),
        "hatch": HATCHES.get(end, ""),
        "linewidth": 0,
    }


def _in_bytes() -> Any:
    from matplotlib.ticker import EngFormatter

    return EngFormatter(unit="B")
