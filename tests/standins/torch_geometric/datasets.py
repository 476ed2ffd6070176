"""Data sets that need no download."""

from types import SimpleNamespace

import numpy as np

import jdgnn


class Planetoid:
    """Sixty nodes in two classes, whatever is asked for."""

    def __init__(self, root: str, name: str) -> None:
        blocks = jdgnn.generators.stochastic_block_model(60, num_classes=2, num_features=8)
        assert blocks.labels is not None
        self._data = SimpleNamespace(
            x=np.asarray(blocks.features),
            edge_index=np.stack([blocks.senders, blocks.receivers]),
            y=np.asarray(blocks.labels),
            train_mask=np.arange(60) < 20,
            val_mask=np.arange(60) % 4 == 1,
            test_mask=np.arange(60) >= 40,
        )
        self._data.val_mask &= ~(self._data.train_mask | self._data.test_mask)

    def __getitem__(self, index: int) -> SimpleNamespace:
        assert index == 0
        return self._data
