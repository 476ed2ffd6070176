"""Floor 2: how good embeddings are, and the controls they are read against.

`linear_probe`, `knn_probe` and `few_label_probe` judge by labels, `clustering` by how classes lie, and
`link_prediction` by links that nobody saw; `probe_table` judges several embeddings alike. `controls` makes embeddings
that took no learning, `label_propagation` judges links alone, and `centralised` and `end_to_end` train one model for
all nodes. `communication` says how many bytes each of these ways makes nodes send, and `when_to_stop` finds by held-out
links after how many ticks to stop. `two_dimensions` makes maps of embeddings.
"""

from jdgnn.evaluation.clustering import ClusterResult, clustering
from jdgnn.evaluation.communication import (
    Cost,
    centralised_cost,
    communication,
    decentralised_cost,
    end_to_end_cost,
    in_step_cost,
    label_propagation_cost,
    propagation_cost,
)
from jdgnn.evaluation.controls import controls, propagate
from jdgnn.evaluation.label_propagation import label_propagation
from jdgnn.evaluation.limits import centralised, end_to_end
from jdgnn.evaluation.link_prediction import HeldOutLinks, LinkResult, hold_out_links, link_prediction
from jdgnn.evaluation.maps import two_dimensions
from jdgnn.evaluation.neighbours import knn_probe
from jdgnn.evaluation.own_features import beside_own_features
from jdgnn.evaluation.probe import METRICS, REGULARISATIONS, ProbeResult, few_label_probe, linear_probe, probe_table
from jdgnn.evaluation.stopping import Stopping, when_to_stop

__all__ = [
    "METRICS",
    "REGULARISATIONS",
    "ClusterResult",
    "Cost",
    "HeldOutLinks",
    "LinkResult",
    "ProbeResult",
    "Stopping",
    "beside_own_features",
    "centralised",
    "centralised_cost",
    "clustering",
    "communication",
    "controls",
    "decentralised_cost",
    "end_to_end",
    "end_to_end_cost",
    "few_label_probe",
    "hold_out_links",
    "in_step_cost",
    "knn_probe",
    "label_propagation",
    "label_propagation_cost",
    "linear_probe",
    "link_prediction",
    "probe_table",
    "propagate",
    "propagation_cost",
    "two_dimensions",
    "when_to_stop",
]
