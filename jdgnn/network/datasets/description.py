"""What is known of a data set before it is loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jdgnn.network.network import Network


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One file of a data set; `url` is None where it cannot be downloaded as it is."""

    name: str
    num_bytes: int
    sha256: str
    url: str | None


@dataclass(frozen=True, kw_only=True)
class Task:
    """One of several things that the labels of a data set can say.

    `build` makes the network with these labels, and splits for them; features may differ from those of other tasks,
    where one of them would be the answer.
    """

    name: str
    num_features: int
    num_classes: int
    build: Callable[[Mapping[str, bytes]], Network]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set: its facts, its files, and how a network is built from what the files contain.

    `build` takes the verified content of every file by name. `num_edges` counts undirected edges. Where
    there is a choice of `tasks`, the first of them is the one that `build` and the counts are of.
    """

    name: str
    summary: str
    num_nodes: int
    num_edges: int
    num_features: int
    num_classes: int
    licence: str
    source: str
    files: tuple[DataFile, ...]
    build: Callable[[Mapping[str, bytes]], Network]
    tasks: tuple[Task, ...] = ()  # none: just one
