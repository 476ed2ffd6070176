"""Models of drops and delays, one file each; a new one needs its file and its line in `DROPS` or `DELAYS`."""

from collections.abc import Callable

from jdgnn.deprecated import old_names
from jdgnn.protocol.links.bernoulli import bernoulli
from jdgnn.protocol.links.bursty import bursty
from jdgnn.protocol.links.by_size import by_size
from jdgnn.protocol.links.constant import constant
from jdgnn.protocol.links.geometric import geometric
from jdgnn.protocol.links.link import Link, link
from jdgnn.protocol.links.measured import measured
from jdgnn.protocol.links.models import DelayModel, DropModel, Messages
from jdgnn.protocol.links.partition import partition
from jdgnn.protocol.links.uniform import uniform

DROPS: dict[str, Callable[..., DropModel]] = {
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

__getattr__ = old_names(__name__, {"LOSSES": "DROPS", "LossModel": "DropModel", "split": "partition"})

__all__ = [
    "DELAYS",
    "DROPS",
    "DelayModel",
    "DropModel",
    "Link",
    "Messages",
    "bernoulli",
    "bursty",
    "by_size",
    "constant",
    "geometric",
    "link",
    "measured",
    "partition",
    "uniform",
]
