"""The network of an experiment: a data set or a generator, by name."""

from pathlib import Path

from pydantic import Field

from jdgnn.errors import InputError
from jdgnn.experiment.memory import check_projection_fits
from jdgnn.experiment.parts import NamedPart, registered
from jdgnn.experiment.problems import from_factory
from jdgnn.network import Network
from jdgnn.network.datasets import DATASETS, load
from jdgnn.network.generators import GENERATORS
from jdgnn.network.projection import project


def _no_arguments() -> None:
    """Data sets have none that belong into a configuration."""


class NetworkPart(NamedPart):
    """A network by name, with its features projected to fewer columns if `projection` says how many."""

    projection: int | None = Field(default=None, ge=1, lt=2**31)


NETWORK = registered({**dict.fromkeys(DATASETS, _no_arguments), **GENERATORS}, NetworkPart, check=False)
"""Marks the field of the network, which is not made when it is checked: that may mean a download."""


def make_network(part: NetworkPart, *, data_root: Path | None, seed: int) -> Network:
    """Loads or generates the network, and projects its features if that is asked for.

    Args:
      part: the `network` table.
      data_root: directory with a folder for each data set; None for `JDGNN_DATA`, then the cache, then a download.
      seed: where the projection comes from; it is the same at every node, so it costs no communication.

    Returns:
      The network.

    Raises:
      InputError: the data cannot be had, an argument of the generator makes no sense, or the projection is too wide
        for the memory.
    """
    network = load(part.name, data_root=data_root) if part.name in DATASETS else _generated(part)
    if part.projection is None:
        return network
    check_projection_fits(network, part.projection)
    return project(network, part.projection, seed)


def _generated(part: NetworkPart) -> Network:
    try:
        return part.make()
    except InputError as error:
        raise from_factory(error, part.arguments).inside(("network",)).as_input_error() from error
