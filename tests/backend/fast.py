"""The registered parts that the kernels take."""

from jdgnn.learning.layers import LAYERS
from jdgnn.learning.objectives import OBJECTIVES

WITH_PARAMS, WITH_OTHER_VIEWS = "next_input", "masked_views"
FAST_LAYERS = {name: make for name, make in LAYERS.items() if name not in ("gat", "gin")}
FAST_OBJECTIVES = {name: make for name, make in OBJECTIVES.items() if name not in (WITH_PARAMS, WITH_OTHER_VIEWS)}
