"""Self-supervised objectives, one file each; a new one needs its file and its line in `OBJECTIVES`."""

from collections.abc import Callable

from jdgnn.learning.objectives.edge_reconstruction import edge_reconstruction
from jdgnn.learning.objectives.info_nce import info_nce
from jdgnn.learning.objectives.objective import Objective

OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "edge_reconstruction": edge_reconstruction,
    "info_nce": info_nce,
}

__all__ = ["OBJECTIVES", "Objective", "edge_reconstruction", "info_nce"]
