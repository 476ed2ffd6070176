"""What readers tell of weights of links that nobody asked for: one rule for all.

A weight is the probability that a message gets through where the user says so; else it is ignored, which is told. A
link is a link whatever its weight, 0 included.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jdgnn.network.problems import listed


def unused_weights(weights: Mapping[str, Any]) -> tuple[str, ...]:
    """What to tell of what links have and nothing reads; nothing of what is the same at all of them.

    Args:
      weights: by what to write as `link_quality` to have them used: one or several of each link.

    Returns:
      A note, or none.

    Example:
      >>> unused_weights({"weight": [1.0, 30.0], "kind": ["wire", "wire"]})[0]
      "not read of links: weight; write link_quality = 'weight' for shares of messages that arrive"
    """
    return not_read([name for name, values in weights.items() if _differ(np.asarray(values))])


def not_read(names: Sequence[str]) -> tuple[str, ...]:
    """What to tell of things of links that nothing reads: a note, or none."""
    advice = f"write link_quality = {names[0] if len(names) == 1 else '...'!r} for shares of messages that arrive"
    return (f"not read of links: {listed(names)}; {advice}",) if names else ()


def _differ(values: Any) -> bool:
    return bool(values.size and values.ndim and not (values == values[:1]).all())
