"""GNN layers, one file each; a new one needs its file and its line in `LAYERS`."""

from collections.abc import Callable

from jdgnn.learning.layers.gcn import gcn
from jdgnn.learning.layers.layer import Layer
from jdgnn.learning.layers.modules import from_linen, from_nnx
from jdgnn.learning.layers.sage import sage

LAYERS: dict[str, Callable[..., Layer]] = {
    "gcn": gcn,
    "sage": sage,
}

__all__ = ["LAYERS", "Layer", "from_linen", "from_nnx", "gcn", "sage"]
