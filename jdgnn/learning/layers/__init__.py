"""GNN layers, one file each; a new one needs its file and its line in `LAYERS`."""

from collections.abc import Callable

from jdgnn.learning.layers.chebyshev import chebyshev
from jdgnn.learning.layers.dense import dense
from jdgnn.learning.layers.gat import gat
from jdgnn.learning.layers.gcn import gcn
from jdgnn.learning.layers.gin import gin
from jdgnn.learning.layers.layer import Layer, of_maps
from jdgnn.learning.layers.modules import from_linen, from_nnx
from jdgnn.learning.layers.sage import sage

LAYERS: dict[str, Callable[..., Layer]] = {
    "chebyshev": chebyshev,
    "dense": dense,
    "gat": gat,
    "gcn": gcn,
    "gin": gin,
    "sage": sage,
}

__all__ = ["LAYERS", "Layer", "chebyshev", "dense", "from_linen", "from_nnx", "gat", "gcn", "gin", "of_maps", "sage"]
