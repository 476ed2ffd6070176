"""Floor 2: how good embeddings are, and the controls they are read against.

`linear_probe` judges one embedding, `probe_table` several alike, `controls` makes those that took no learning.
"""

from jdgnn.evaluation.controls import controls, propagate
from jdgnn.evaluation.probe import METRICS, REGULARISATIONS, ProbeResult, linear_probe, probe_table

__all__ = ["METRICS", "REGULARISATIONS", "ProbeResult", "controls", "linear_probe", "probe_table", "propagate"]
