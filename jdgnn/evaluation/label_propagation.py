"""Label propagation: what links and labels tell without features and without learning."""

import numpy as np
from numpy.typing import NDArray

from jdgnn.evaluation.baselines import propagate
from jdgnn.evaluation.labelled import checked_labels
from jdgnn.evaluation.probe import ProbeResult
from jdgnn.evaluation.votes import Tried, probe_by_votes
from jdgnn.network.network import Network, Splits

SHARES = (0.5, 0.8, 0.9, 0.95, 0.99)
"""The shares of what neighbours say that are tried."""

NUM_ROUNDS = 100
"""How often nodes hear what their neighbours say."""


def label_propagation(network: Network, *, splits: Splits | None = None, metric: str | None = None) -> ProbeResult:
    """Evaluates labels that spread from the training nodes over the links.

    F ← α S F + (1 − α) Y, with Y the labels of the training nodes and S one hop of `propagate`, 100 times. α is the one
    of `SHARES` with the best metric on the validation nodes, the smallest of those that tie.
    Source: Zhou et al., "Learning with Local and Global Consistency", NeurIPS 2003.

    Args:
      network: the network; its labels are what is predicted.
      splits: which nodes' labels spread, to choose α on and to evaluate on; None for those of the network.
      metric: one of `METRICS`; None for ROC-AUC if there are two classes, else accuracy.

    Returns:
      The metric on the test nodes of each split; `setting` holds the α chosen.

    Raises:
      InputError: labels or splits are missing, or a split cannot be used.

    Example:
      >>> from jdgnn.network import random_splits, stochastic_block_model
      >>> network = stochastic_block_model(seed=1)
      >>> splits = random_splits(network.labels, 1, per_class=5, validation=50)
      >>> label_propagation(network, splits=splits).mean > 0.5
      True
    """
    labelled = checked_labels(network, splits, metric)
    num_classes = int(labelled.labels.max()) + 1

    def tried_on(split: int) -> Tried:
        known = np.eye(num_classes)[labelled.labels] * labelled.splits.train[split][:, None]
        for share in SHARES:
            votes = _spread(network, known, share)
            yield share, votes[labelled.splits.validation[split]], votes[labelled.splits.test[split]]

    return probe_by_votes(labelled, num_classes, tried_on)


def _spread(network: Network, known: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    votes = known
    for _ in range(NUM_ROUNDS):
        votes = share * propagate(votes, network, 1) + (1 - share) * known
    return votes
