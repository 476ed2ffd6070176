"""Floor 2: how good embeddings are, and the baselines they are compared with.

`evaluate` scores several embeddings of one network by several tasks of `TASKS`, and `baselines` makes embeddings that
took no training. The functions behind the tasks: `linear_probe`, `knn_probe` and `few_label_probe` predict labels,
`clustering` compares k-means with classes, and `link_prediction` tells links that no node has seen from pairs without
one; `label_propagation` uses links alone, and `centralised` and `end_to_end` train one model for all nodes.
`communication` counts the bytes that each of these ways makes nodes send, and `when_to_stop` finds by held-out links
after how many ticks to stop. `two_dimensions` makes maps of embeddings.
"""

from jdgnn.deprecated import old_names
from jdgnn.evaluation.baselines import baselines, propagate
from jdgnn.evaluation.clustering import ClusterResult, clustering
from jdgnn.evaluation.communication import (
    Cost,
    centralised_cost,
    communication,
    decentralised_cost,
    end_to_end_cost,
    label_propagation_cost,
    propagation_cost,
    synchronous_cost,
)
from jdgnn.evaluation.label_propagation import label_propagation
from jdgnn.evaluation.limits import centralised, end_to_end
from jdgnn.evaluation.link_prediction import HeldOutLinks, LinkResult, hold_out_links, link_prediction
from jdgnn.evaluation.maps import two_dimensions
from jdgnn.evaluation.neighbours import knn_probe
from jdgnn.evaluation.own_features import beside_own_features
from jdgnn.evaluation.probe import METRICS, REGULARISATIONS, ProbeResult, few_label_probe, linear_probe, probe_table
from jdgnn.evaluation.stopping import Stopping, when_to_stop
from jdgnn.evaluation.task import Score, Seen, Task
from jdgnn.evaluation.tasks import DEFAULT_TASKS, TASKS, evaluate

__all__ = [
    "DEFAULT_TASKS",
    "METRICS",
    "REGULARISATIONS",
    "TASKS",
    "ClusterResult",
    "Cost",
    "HeldOutLinks",
    "LinkResult",
    "ProbeResult",
    "Score",
    "Seen",
    "Stopping",
    "Task",
    "baselines",
    "beside_own_features",
    "centralised",
    "centralised_cost",
    "clustering",
    "communication",
    "decentralised_cost",
    "end_to_end",
    "end_to_end_cost",
    "evaluate",
    "few_label_probe",
    "hold_out_links",
    "knn_probe",
    "label_propagation",
    "label_propagation_cost",
    "linear_probe",
    "link_prediction",
    "probe_table",
    "propagate",
    "propagation_cost",
    "synchronous_cost",
    "two_dimensions",
    "when_to_stop",
]

__getattr__ = old_names(__name__, {"controls": "baselines", "in_step_cost": "synchronous_cost"})
