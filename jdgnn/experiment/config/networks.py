"""The network of an experiment: a data set, a generator or one's own files, by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from jdgnn.errors import InputError
from jdgnn.experiment.config.part_tables import NamedPart, registered
from jdgnn.experiment.config.problems import from_factory
from jdgnn.experiment.run.memory import check_network_fits, check_projection_fits
from jdgnn.network import Network, read_files
from jdgnn.network.datasets import DATASETS, Dataset, load
from jdgnn.network.generators import GENERATORS
from jdgnn.network.projection import project
from jdgnn.network.scaling import narrowed, scale


def _chosen_by(dataset: Dataset) -> Callable[..., None]:
    """The arguments of a data set that belong into a configuration, as a signature: its task, if there is a choice."""

    def no_choice() -> None: ...

    def choice(task: str = "") -> None: ...

    if not dataset.tasks:
        return no_choice
    names: Any = tuple(task.name for task in dataset.tasks)
    choice.__defaults__ = names[:1]
    choice.__annotations__["task"] = Literal[names]
    return choice


class NetworkPart(NamedPart):
    """A network by name, whose features may be scaled, and projected to as many columns as `projection` says."""

    scale: bool = False
    projection: int | None = Field(default=None, ge=1, lt=2**31)


FILES = "files"
"""What a network from files of one's own is called in place of a name."""

NETWORKS: dict[str, Callable[..., Any]] = {
    **{name: _chosen_by(dataset) for name, dataset in DATASETS.items()},
    **GENERATORS,
    FILES: read_files,
}
"""By name, what has the arguments of each."""

NETWORK = registered(NETWORKS, NetworkPart, check=False)
"""Marks the field of the network, which is not made when it is checked: that may mean a download."""


def make_network(part: NetworkPart, *, data_root: Path | None, seed: int) -> Network:
    """Loads, generates or reads the network, and scales and projects its features if that is asked for.

    Args:
      part: the `network` table.
      data_root: directory with a folder for each data set; None for `JDGNN_DATA`, then the cache, then a download.
      seed: where the projection comes from; it is the same at every node, so it costs no communication.

    Returns:
      The network.

    Raises:
      InputError: the data cannot be had, an argument of the generator is invalid, a file holds what it should not,
        or the projection is too wide for the memory.
    """
    network = _loaded(part, data_root) if part.name in DATASETS else _generated(part)
    if part.scale:
        network = scale(network)
    network = narrowed(network)
    if part.projection is None:
        return network
    check_projection_fits(network, part.projection)
    return project(network, part.projection, seed)


def _loaded(part: NetworkPart, data_root: Path | None) -> Network:
    return load(part.name, data_root=data_root, **{name: getattr(part, name) for name in part.arguments})


def _generated(part: NetworkPart) -> Network:
    if part.name != FILES:
        check_network_fits(part.name, {name: getattr(part, name) for name in part.arguments})
    try:
        return part.make()
    except InputError as error:
        raise from_factory(error, part.arguments).inside(("network",)).as_input_error() from error
