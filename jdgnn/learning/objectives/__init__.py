"""Self-supervised objectives, one file each; a new one needs its file and its line in `OBJECTIVES`."""

from collections.abc import Callable

from jdgnn.learning.objectives.barlow_twins import barlow_twins
from jdgnn.learning.objectives.cca import cca
from jdgnn.learning.objectives.edge_reconstruction import edge_reconstruction
from jdgnn.learning.objectives.info_nce import info_nce
from jdgnn.learning.objectives.margin_ranking import margin_ranking
from jdgnn.learning.objectives.masked_input import masked_input
from jdgnn.learning.objectives.masked_views import masked_views
from jdgnn.learning.objectives.next_input import next_input
from jdgnn.learning.objectives.objective import Objective
from jdgnn.learning.objectives.vicreg import vicreg

OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "barlow_twins": barlow_twins,
    "cca": cca,
    "edge_reconstruction": edge_reconstruction,
    "info_nce": info_nce,
    "margin_ranking": margin_ranking,
    "masked_input": masked_input,
    "masked_views": masked_views,
    "next_input": next_input,
    "vicreg": vicreg,
}

__all__ = [
    "OBJECTIVES",
    "Objective",
    "barlow_twins",
    "cca",
    "edge_reconstruction",
    "info_nce",
    "margin_ranking",
    "masked_input",
    "masked_views",
    "next_input",
    "vicreg",
]
