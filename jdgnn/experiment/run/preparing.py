"""What a run needs before its first tick: its network, and how embeddings are evaluated."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jdgnn.evaluation import HeldOutLinks, evaluate
from jdgnn.evaluation.tasks import Scores
from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.schema import Config
from jdgnn.experiment.run.evaluate import with_held_out, with_splits
from jdgnn.network import Network


class Prepared(NamedTuple):
    """The network of a run.

    Attributes:
      network: with splits, and without the links that are held out.
      has_own_splits: whether it came with splits.
      held_out: the links that are held out; None for none.
    """

    network: Network
    has_own_splits: bool
    held_out: HeldOutLinks | None = None


class Preparing(NamedTuple):
    """How that is had; runs of a sweep share much of it.

    Members:
      load: `(config, data_root) -> Prepared`.
      evaluate: as `jdgnn.evaluation.evaluate`.
    """

    load: Callable[[Config, Path | None], Prepared]
    evaluate: Callable[..., Scores]


def load(config: Config, data_root: Path | None) -> Prepared:
    """Loads or generates the network of a configuration, splits it, and holds links out if a task needs them.

    Args:
      config: the configuration.
      data_root: directory with a folder for each data set; None for `JDGNN_DATA`, then the cache, then a download.

    Raises:
      InputError: the data cannot be had, or the tables are invalid.
    """
    network = make_network(config.network, data_root=data_root, seed=config.seed)
    split = with_splits(network, config.evaluation)
    left, held_out = with_held_out(split, config.evaluation)
    return Prepared(left, network.splits is not None, held_out)


PREPARING = Preparing(load, evaluate)
"""Everything is prepared again for each run."""
