"""All data sets by name, and how to load one."""

import os
from collections.abc import Callable, Mapping

from jdgnn.errors import InputError, suggestion
from jdgnn.network.datasets.amazon_photo import AMAZON_PHOTO
from jdgnn.network.datasets.cora import CORA
from jdgnn.network.datasets.description import Dataset
from jdgnn.network.datasets.digits import DIGITS
from jdgnn.network.datasets.files import contents
from jdgnn.network.datasets.freifunk import FREIFUNK
from jdgnn.network.datasets.minesweeper import MINESWEEPER
from jdgnn.network.network import Network
from jdgnn.network.projection import project

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset for dataset in (DIGITS, CORA, FREIFUNK, AMAZON_PHOTO, MINESWEEPER)
}


def describe(name: str) -> Dataset:
    """Gives the facts of a data set without loading it.

    Args:
      name: a key of `DATASETS`.

    Returns:
      Its description.

    Raises:
      InputError: no data set has this name, or it is no string.

    Example:
      >>> describe("digits").num_nodes
      1797
    """
    if not isinstance(name, str):
        raise InputError(
            f"dataset: expected the name of a data set, got {type(name).__name__}; a graph itself can be passed "
            "to emulator.init and jdgnn.run, or be made a network with from_networkx or from_edges"
        )
    if name not in DATASETS:
        raise InputError(f"dataset: got {name!r}; {suggestion(name, DATASETS)}")
    return DATASETS[name]


def load(
    name: str,
    *,
    task: str | None = None,
    data_root: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    projection: int | None = None,
    seed: int = 0,
) -> Network:
    """Loads a data set as a network.

    Files are looked for in the data root, if there is one; otherwise they are downloaded from where they are
    published into the cache. Either way their SHA-256 must be the one on record. `digits` needs no file.

    Args:
      name: a key of `DATASETS`.
      task: what the labels say, where there is a choice (`describe(name).tasks`); None for the first. `freifunk` has
        `family`, the hardware of a router; `city`, with the same features and links, so that an embedding learned
        for one is probed on the other; and `gateway`, without the feature that is the answer.
      data_root: folder with one folder per data set; None for the environment variable JDGNN_DATA.
      cache: folder for downloads; None for jdgnn under XDG_CACHE_HOME or ~/.cache.
      projection: project the features to this many columns with `random_projection`; None for not at all.
      seed: of the projection. The splits are part of a data set and do not depend on it.

    Returns:
      The network, with labels and splits.

    Raises:
      InputError: the name or the task is unknown, or a file is missing, damaged or cannot be fetched.

    Example:
      >>> load("digits")
      Network('digits': 1,797 nodes, 19,858 directed edges, 64 features, 10 classes)
    """
    dataset = describe(name)
    build = _builder(dataset, task)
    network = built(dataset, build, contents(dataset, data_root, cache))
    return network if projection is None else project(network, projection, seed)


def built(dataset: Dataset, build: Callable[[Mapping[str, bytes]], Network], files: Mapping[str, bytes]) -> Network:
    """Makes the network of a data set of what its files hold.

    Args:
      dataset: the data set.
      build: its own `build`, or that of one of its tasks.
      files: content by name.

    Returns:
      The network.

    Raises:
      InputError: the files do not hold what they should, in whatever way.

    Example:
      >>> built(describe("cora"), describe("cora").build, {})
      Traceback (most recent call last):
      jdgnn.errors.InputError: cora: invalid files (KeyError: 'ind.cora.allx'); download them again
    """
    try:
        return build(files)
    except InputError as error:
        raise InputError(f"{dataset.name}: invalid files ({error}); download them again") from error
    except Exception as error:  # what they hold in place of tables can be anything
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"{dataset.name}: invalid files ({reason}); download them again") from error


def _builder(dataset: Dataset, task: str | None) -> Callable[[Mapping[str, bytes]], Network]:
    if task is None:
        return dataset.build
    if not dataset.tasks:
        raise InputError(f"task: got {task!r}, and {dataset.name} has just one; leave it out")
    builders = {one.name: one.build for one in dataset.tasks}
    if not isinstance(task, str) or task not in builders:
        raise InputError(f"task: got {task!r}; {suggestion(str(task), builders)}")
    return builders[task]
