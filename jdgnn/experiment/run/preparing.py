"""What a run needs besides its ticks: its network with splits, and the probes of embeddings that took no learning."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.schema import Config
from jdgnn.experiment.run.evaluate import Results, judge, with_splits
from jdgnn.network import Network


class Preparing(NamedTuple):
    """How that is had; runs of a sweep share much of it.

    Members:
      load: `(config, data_root) -> (network, has_own_splits)`, the network with splits, and whether it came with them.
      judge: `(network, embeddings, own_features) -> results`, as `jdgnn.experiment.run.evaluate.judge`.
    """

    load: Callable[[Config, Path | None], tuple[Network, bool]]
    judge: Callable[..., Results]


def load(config: Config, data_root: Path | None) -> tuple[Network, bool]:
    """Loads or generates the network of a configuration, and splits it as its table `evaluation` says.

    Args:
      config: the configuration.
      data_root: directory with a folder for each data set; None for `JDGNN_DATA`, then the cache, then a download.

    Returns:
      The network, and whether it came with splits of its own.

    Raises:
      InputError: the data cannot be had, or the tables make no sense.
    """
    network = make_network(config.network, data_root=data_root, seed=config.seed)
    return with_splits(network, config.evaluation), network.splits is not None


PREPARING = Preparing(load, judge)
"""Everything anew for each run."""
