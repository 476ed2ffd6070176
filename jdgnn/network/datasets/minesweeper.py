"""Minesweeper, a synthetic 100×100 grid on which the links are indispensable."""

from collections.abc import Mapping

from jdgnn.network.datasets.description import DataFile, Dataset
from jdgnn.network.datasets.restricted import read_npz
from jdgnn.network.network import Network, Splits, from_edges


def _build(contents: Mapping[str, bytes]) -> Network:
    members = read_npz(contents["minesweeper.npz"], "minesweeper.npz")
    return from_edges(
        members["edges"][:, 0],
        members["edges"][:, 1],
        members["node_features"],
        labels=members["node_labels"],
        splits=Splits(train=members["train_masks"], validation=members["val_masks"], test=members["test_masks"]),
        undirected=True,
        name="minesweeper",
        class_names=("clear", "mine"),
    )


MINESWEEPER = Dataset(
    name="minesweeper",
    summary="synthetic grid with 8 neighbours, counts of mines around (half of them hidden) as features; ten fixed "
    "splits",
    num_nodes=10000,
    num_edges=39402,
    num_features=7,
    num_classes=2,
    licence="MIT",
    source="https://github.com/yandex-research/heterophilous-graphs (Platonov et al. 2023)",
    files=(
        DataFile(
            name="minesweeper.npz",
            num_bytes=135045,
            sha256="e664c8dacf1e8ac466c2c09ed4b237bd2c5541f47a6eae9c6092cb87f16412b3",
            url="https://raw.githubusercontent.com/yandex-research/heterophilous-graphs/"
            "a431395582e929d88271309716bea4fe24ce6318/data/minesweeper.npz",
        ),
    ),
    build=_build,
)
