"""What a report of progress says, in a few words."""

from collections.abc import Sequence
from typing import Any

from jdgnn.emulation.run import Progress


def figures(progress: Progress) -> dict[str, Any]:
    """Speed and time left, and loss and consensus distance as recorded last, if anything was: texts by short names."""
    seconds_left = (progress.end_tick - progress.tick) / progress.ticks_per_second
    told = {"speed": f"{progress.ticks_per_second:.3g} ticks/s", "left": f"{duration(seconds_left)} left"}
    if progress.rows:
        row = progress.rows[-1]
        told["loss"] = f"loss {short(mean(row['loss']))}"
        told["consensus"] = f"consensus {short(row['consensus_distance'])}"
    return told


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of what is there, as over layers to fit one line.

    >>> mean([1.0, None, 2.0]), mean([None])
    (1.5, None)
    """
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def short(value: float | None) -> str:
    """A figure in three digits, or as a whole number where it has more; a dash if it is missing.

    >>> short(0.0123456), short(1234.5), short(None)
    ('0.0123', '1,234', '-')
    """
    if value is None:
        return "-"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any.

    >>> duration(75), duration(4000)
    ('1:15', '1:06:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
