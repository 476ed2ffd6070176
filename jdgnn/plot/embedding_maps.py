"""Embeddings on a plane.

Axes: N nodes, W columns of an embedding.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_not_consumed, check_number
from jdgnn.errors import InputError
from jdgnn.evaluation.maps import two_dimensions
from jdgnn.evaluation.vectors import checked_embeddings
from jdgnn.plot import axes, style

MOST_CATEGORIES = 24
"""More are not told apart; the smallest are drawn alike, in grey."""

IN_WORDS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
SHUFFLED = 0
"""Seed of the order in which nodes are drawn, so that no category covers the others."""


def embedding_map(
    embeddings: ArrayLike,
    *,
    color: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    method: str = "pca",
    seed: int = 0,
    size: float | None = None,
    ax: Any = None,
) -> Any:
    """Draws each node where its embedding lies, put into two dimensions by `jdgnn.evaluation.two_dimensions`.

    Args:
      embeddings: one vector for each node [N, W]; if W is 2, they are drawn as they are, whatever the method.
      color: for each node its class, whole numbers or texts [N], or a figure, real numbers [N], not finite where it is
        missing; None draws all alike.
      names: of classes 0, 1, …; of a figure, one that says what it is.
      method: `pca`, `tsne` or `umap`.
      seed: what t-SNE and UMAP depend on.
      size: area of a node in points²; None for one that fits their number.
      ax: the Axes to draw on; None for a new figure.

    Returns:
      The Axes.

    Raises:
      InputError: Matplotlib is missing, or an argument is invalid.

    Example:
      >>> import matplotlib; matplotlib.use("agg")
      >>> ax = embedding_map(np.eye(4), color=[0, 0, 1, 1], names=["cat", "dog"])
      >>> [text.get_text() for text in ax.get_legend().get_texts()]
      ['cat', 'dog']
    """
    ax = axes.taken(ax)
    num_nodes = np.shape(embeddings)[0] if np.ndim(embeddings) else 0
    colours = None if color is None else _checked_colours(color, num_nodes)
    if size is not None:
        check_number("size", size, above=0)
    is_plane = np.ndim(embeddings) == 2 and np.shape(embeddings)[1] == 2
    place = (
        checked_embeddings("embeddings", embeddings, num_nodes)
        if is_plane
        else two_dimensions(embeddings, method, seed)
    )
    area = float(np.clip(9000 / max(num_nodes, 1), 3, 40)) if size is None else size
    order = np.random.default_rng(SHUFFLED).permutation(num_nodes)
    if colours is None:
        ax.scatter(*place[order].T, s=area, color=style.look(0).colour, linewidths=0)
    elif np.issubdtype(colours.dtype, np.floating):
        _draw_numbers(ax, place, colours, order, area, names)
    else:
        _draw_categories(ax, place, colours, order, area, names)
    ax.set(xticks=[], yticks=[], xlabel="" if is_plane else IN_WORDS[method])
    ax.set_aspect("equal", adjustable="datalim")
    ax.spines[:].set_visible(False)
    return ax


def _draw_numbers(
    ax: Any, place: NDArray[Any], figures: NDArray[Any], order: NDArray[Any], area: float, names: Any
) -> None:
    known = np.isfinite(figures)
    ax.scatter(*place[~known].T, s=area, color=style.lightened(style.GREY, 0.5), linewidths=0)
    shown = order[known[order]]
    limits, extend = style.limits(figures)
    points = ax.scatter(*place[shown].T, s=area, c=figures[shown], cmap=style.NUMBERS, linewidths=0, **limits)
    axes.add_bar(ax, points, "" if names is None else str(names if isinstance(names, str) else names[0]), extend=extend)


def _draw_categories(
    ax: Any, place: NDArray[Any], classes: NDArray[Any], order: NDArray[Any], area: float, names: Any
) -> None:
    found, number, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    largest = np.sort(np.argsort(-sizes, kind="stable")[:MOST_CATEGORIES])
    rank = np.full(len(found), -1)
    rank[largest] = np.arange(len(largest))
    looks = [style.mark(index) for index in range(len(largest))]
    look_of = rank[number]
    if (look_of < 0).any():
        ax.scatter(*place[look_of < 0].T, s=area, color=style.lightened(style.GREY, 0.4), linewidths=0)
    for marker in dict.fromkeys(marker for _, marker in looks):
        shown = order[[rank >= 0 and looks[rank][1] == marker for rank in look_of[order]]]
        colours = [looks[rank][0] for rank in look_of[shown]]
        ax.scatter(*place[shown].T, s=area, c=colours, marker=marker, linewidths=0)
    handles = [_handle(_named(found[index], names), *look) for index, look in zip(largest, looks, strict=True)]
    if len(found) > len(largest):
        handles.append(_handle(f"{len(found) - len(largest)} others", style.lightened(style.GREY, 0.4), "o"))
    axes.legend_beside(ax, handles, ncols=1 + (len(handles) - 1) // 13, handletextpad=0.2, columnspacing=1.0)


def _handle(label: str, colour: str, marker: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", marker=marker, markersize=5, markeredgewidth=0, color=colour, label=label)


def _named(entry: Any, names: Sequence[str] | None) -> str:
    is_number = names is not None and isinstance(entry, np.integer) and 0 <= entry < len(names)
    return str(names[int(entry)]) if names is not None and is_number else str(entry)


def _checked_colours(color: ArrayLike, num_nodes: int) -> NDArray[Any]:
    check_not_consumed("color", color)
    colours = np.asarray(color)
    if colours.dtype == object:
        colours = colours.astype(str)
    if colours.dtype.kind not in "biufUS":
        raise InputError(f"color: expected a class or a real number for each node, got dtype {colours.dtype}")
    if colours.shape != (num_nodes,):
        raise InputError(f"color: expected one for each node, [{num_nodes}], got shape {colours.shape}")
    return colours
