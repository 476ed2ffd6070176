"""Pictures: functions that draw on the Axes of Matplotlib, and return them.

`embedding_map` shows where nodes lie, `curves` what was measured over time, with `baselines` as horizontal lines,
`staleness` how old what nodes use is, and `traffic` what became of messages. They need `pip install 'jdgnn[plot]'`, and
import Matplotlib when they are called. Colours, dashes and patterns are told apart without colour vision and in grey
print.
"""

from jdgnn.deprecated import old_names
from jdgnn.plot.embedding_maps import embedding_map
from jdgnn.plot.messages import traffic
from jdgnn.plot.over_time import baselines, curves
from jdgnn.plot.spreads import staleness

__all__ = ["baselines", "curves", "embedding_map", "staleness", "traffic"]

__getattr__ = old_names(__name__, {"controls": "baselines"})
