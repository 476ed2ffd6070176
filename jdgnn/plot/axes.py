"""Where pictures are drawn: on the caller's axes, or on a new figure."""

from typing import Any

from jdgnn.errors import InputError


def taken(ax: Any) -> Any:
    """The axes to draw on: those given, or, for None, those of a new figure of pyplot.

    Raises:
      InputError: Matplotlib is missing, or something else was given.
    """
    try:
        from matplotlib.axes import Axes
    except ImportError as error:
        raise InputError(f"jdgnn.plot: Matplotlib cannot be imported ({error}); pip install 'jdgnn[plot]'") from error
    if ax is None:
        from matplotlib import pyplot

        return pyplot.subplots(layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise InputError(f"ax: expected the Axes of Matplotlib, or None for a new figure, got {type(ax).__name__}")
    return ax


def without_frame(ax: Any) -> None:
    """Takes away what stands right and above without meaning anything."""
    ax.spines[["top", "right"]].set_visible(False)


def legend_inside(ax: Any) -> None:
    """Puts the legend where it hides least, on what shines through a little."""
    ax.legend(fontsize="small", frameon=True, framealpha=0.8, edgecolor="none", handlelength=2.4)


def add_bar(ax: Any, drawn: Any, label: str, *, extend: str = "neither") -> None:
    """Adds a colour bar for what was drawn; `extend` says on which side there are values beyond its ends."""
    bar = ax.figure.colorbar(drawn, ax=ax, aspect=30, pad=0.02, extend=extend, extendfrac=0.03)
    bar.outline.set_visible(False)
    bar.set_label(label)


def legend_beside(ax: Any, handles: list[Any] | None = None, **settings: Any) -> None:
    """Puts the legend right of the axes, where it hides nothing."""
    given = {} if handles is None else {"handles": handles}
    ax.legend(
        **given,
        loc="upper left",
        bbox_to_anchor=(1, 1),
        borderaxespad=0,
        frameon=False,
        handlelength=1.8,
        fontsize="small",
        **settings,
    )
