"""Link models, one file each; a new one needs its file and its line in `LOSSES` or `DELAYS`."""

from collections.abc import Callable

from jdgnn.protocol.links.bernoulli import bernoulli
from jdgnn.protocol.links.bursty import bursty
from jdgnn.protocol.links.by_size import by_size
from jdgnn.protocol.links.constant import constant
from jdgnn.protocol.links.geometric import geometric
from jdgnn.protocol.links.link import Link, link
from jdgnn.protocol.links.measured import measured
from jdgnn.protocol.links.models import DelayModel, LossModel, Messages
from jdgnn.protocol.links.split import split
from jdgnn.protocol.links.uniform import uniform

LOSSES: dict[str, Callable[..., LossModel]] = {
    "bernoulli": bernoulli,
    "bursty": bursty,
    "measured": measured,
}
DELAYS: dict[str, Callable[..., DelayModel]] = {
    "by_size": by_size,
    "constant": constant,
    "geometric": geometric,
    "uniform": uniform,
}

__all__ = [
    "DELAYS",
    "LOSSES",
    "DelayModel",
    "Link",
    "LossModel",
    "Messages",
    "bernoulli",
    "bursty",
    "by_size",
    "constant",
    "geometric",
    "link",
    "measured",
    "split",
    "uniform",
]
