"""Runs of a sweep in one process share networks and the scores of baselines."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jdgnn.evaluation import HeldOutLinks
from jdgnn.evaluation.tasks import Scores
from jdgnn.experiment.config.schema import Config
from jdgnn.experiment.run.preparing import PREPARING, Prepared, Preparing
from jdgnn.network import Network

MOST_SCORES = 10_000
"""In memory, each of some kB."""


def sharing(preparing: Preparing = PREPARING) -> Preparing:
    """The same preparation, bit for bit, which keeps the last network, and evaluates equal embeddings once."""
    shared = _Shared(preparing)
    return Preparing(shared.load, shared.evaluate)


class _Shared:
    def __init__(self, preparing: Preparing) -> None:
        self._preparing = preparing
        self._key = ""
        self._prepared: Prepared | None = None
        self._scores: dict[str, Scores] = {}

    def load(self, config: Config, data_root: Path | None) -> Prepared:
        key = network_key(config)
        if self._prepared is None or key != self._key:
            self._prepared, self._key = None, ""  # two would take the memory of two
            self._prepared, self._key = self._preparing.load(config, data_root), key
        return self._prepared

    def evaluate(
        self,
        embeddings: Mapping[str, ArrayLike],
        network: Network,
        tasks: Sequence[str],
        *,
        held_out: HeldOutLinks | None,
        own_features: Mapping[str, int],
        most: int | None,
    ) -> Scores:
        scores: Scores = {}
        for name, vectors in embeddings.items():
            own = own_features.get(name, 0)
            key = f"{self._key} {list(tasks)} {own} {most} {_digest(np.asarray(vectors), network)}"
            if key not in self._scores:
                if len(self._scores) >= MOST_SCORES:
                    self._scores.clear()
                self._scores[key] = self._preparing.evaluate(
                    {"": vectors}, network, tasks, held_out=held_out, own_features={"": own}, most=most
                )
            for task, metrics in self._scores[key].items():
                for metric, named in metrics.items():
                    scores.setdefault(task, {}).setdefault(metric, {})[name] = named[""]
        return scores


def _digest(vectors: np.ndarray, network: Network) -> str:
    """Of an embedding and of labels and splits: runs with attackers evaluate different honest nodes."""
    digest = hashlib.sha256(np.ascontiguousarray(vectors).tobytes())
    if network.labels is not None:
        digest.update(np.ascontiguousarray(network.labels).tobytes())
    if network.splits is not None:
        digest.update(np.packbits(network.splits.train | network.splits.test).tobytes())
    return f"{vectors.dtype} {vectors.shape} {digest.hexdigest()}"


def network_key(config: Config) -> str:
    """A text that configurations with the same network, splits and held-out links share."""
    tables: dict[str, Any] = {
        "network": config.network.model_dump(),
        "evaluation": config.evaluation.model_dump(),
        "given": sorted(config.evaluation.model_fields_set),  # rejected where a network has splits of its own
        "seed": config.seed if config.network.projection is not None else None,
    }
    return json.dumps(tables, sort_keys=True)
