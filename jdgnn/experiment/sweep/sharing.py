"""What runs of a sweep in one process share: networks, and probes of what takes no learning."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jdgnn.experiment.config.schema import Config
from jdgnn.experiment.run.evaluate import Results
from jdgnn.experiment.run.preparing import PREPARING, Preparing
from jdgnn.network import Network

MOST_RESULTS = 10_000
"""Of probes, each some kB."""


def sharing(preparing: Preparing = PREPARING) -> Preparing:
    """Prepares runs one after another without doing the same twice.

    The network is loaded anew only if it is not that of the run before, and the same embeddings of the same network are
    probed once; the result is the same to the bit.

    Args:
      preparing: what does it.

    Returns:
      The same with a memory.
    """
    shared = _Shared(preparing)
    return Preparing(shared.load, shared.judge)


class _Shared:
    def __init__(self, preparing: Preparing) -> None:
        self._preparing = preparing
        self._key = ""
        self._loaded: tuple[Network, bool] | None = None
        self._results: dict[str, Results] = {}

    def load(self, config: Config, data_root: Path | None) -> tuple[Network, bool]:
        key = network_key(config)
        if self._loaded is None or key != self._key:
            self._loaded, self._key = None, ""  # two would take the memory of two
            self._loaded, self._key = self._preparing.load(config, data_root), key
        return self._loaded

    def judge(
        self, network: Network, embeddings: Mapping[str, ArrayLike], own_features: Mapping[str, int] | None = None
    ) -> Results:
        results: Results = {}
        for name, vectors in embeddings.items():
            own = (own_features or {}).get(name, 0)
            key = self._key_of(network, np.asarray(vectors), own)
            if key not in self._results:
                if len(self._results) >= MOST_RESULTS:
                    self._results.clear()
                self._results[key] = self._preparing.judge(network, {name: vectors}, {name: own})
            for result in self._results[key].values():  # none without labels
                results[name] = result
        return results

    def _key_of(self, network: Network, vectors: np.ndarray, own_features: int) -> str:
        digest = hashlib.sha256(np.ascontiguousarray(vectors).tobytes())
        if network.splits is not None:  # those of honest nodes, who are others in other runs
            digest.update(np.packbits(network.splits.train | network.splits.test).tobytes())
        return f"{self._key} {vectors.dtype} {vectors.shape} {own_features} {digest.hexdigest()}"


def network_key(config: Config) -> str:
    """A text that is the same for configurations of the same network with the same splits."""
    tables: dict[str, Any] = {
        "network": config.network.model_dump(),
        "evaluation": config.evaluation.model_dump(),
        "given": sorted(config.evaluation.model_fields_set),  # refused where a network has splits of its own
        "seed": config.seed if config.network.projection is not None else None,
    }
    return json.dumps(tables, sort_keys=True)
