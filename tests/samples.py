"""Every registered part with sample numbers, in two variants, read off the signatures of the registries.

A part is made with the defaults of its arguments, or where they have none with the examples that `jdgnn parts` shows.
Its second variant has other numbers wherever they are traced, which the type of an argument says: `ArrayLike`, or
`int | jax.Array`. So a new part needs its registry line alone. `NUMBERS` holds what must be smaller for the small runs
of tests, and what is told apart better by other numbers.
"""

import inspect
import tempfile
import typing
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
from jax.typing import ArrayLike

from jdgnn import merging, objectives, presence
from jdgnn.experiment.config.catalogue import EXAMPLES
from jdgnn.learning.layers import LAYERS
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS, RATE_SCHEDULES
from jdgnn.protocol.acceptance import ACCEPTANCES
from jdgnn.protocol.attacks import ATTACKS
from jdgnn.protocol.clocks import CLOCKS
from jdgnn.protocol.content import CONTENTS
from jdgnn.protocol.link_presence import LINK_PRESENCES
from jdgnn.protocol.links import DELAYS, DROPS
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from jdgnn.protocol.presence import PRESENCES
from jdgnn.protocol.schedules import SCHEDULES
from jdgnn.protocol.traffic import ORDERS

KINDS: dict[str, Any] = {
    "layer": LAYERS,
    "objective": OBJECTIVES,
    "optimizer": OPTIMIZERS,
    "rate_schedule": RATE_SCHEDULES,
    "clock": CLOCKS,
    "presence": PRESENCES,
    "links": LINK_PRESENCES,
    "drop": DROPS,
    "delay": DELAYS,
    "schedule": SCHEDULES,
    "acceptance": ACCEPTANCES,
    "content": CONTENTS,
    "attack": ATTACKS,
    "merge": MERGES,
    "peers": PEERS,
    "order": ORDERS,
}
LAST_TICK = 10**6

Part = Callable[..., Any]  # of 0 or 1, the variant


class Pair(typing.NamedTuple):
    """What an argument is in each variant."""

    first: Any
    second: Any


@cache
def trace(shift: int, num_nodes: int = 12, last_tick: int = LAST_TICK) -> presence.Presence:
    """Node 0 comes and goes, 1 comes late, 2 never, the others stay."""
    late = f"1,{3 + shift},{last_tick}\n" if num_nodes > 1 else ""
    stay = "".join(f"{node},0,{last_tick}\n" for node in range(3, num_nodes))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.csv"
        path.write_text(f"node,start,end\n0,0,{2 + shift}\n0,{4 + shift},{last_tick}\n{late}{stay}")
        return presence.trace(path)


INFO_NCE = Pair(objectives.info_nce(0.5), objectives.info_nce(0.2))
LIMITED = Pair(merging.limited(1), merging.limited(3))
NUMBERS: dict[str, dict[str, Any]] = {
    "layer": {"units": 4},
    "layer.chebyshev": {"units": 3},
    "layer.gat": {"heads": 2},
    "layer.gin": {"units": 3},
    "layer.sage": {"units": 3, "activation": "tanh"},
    "objective.masked_input": {"objective": INFO_NCE, "rate": Pair(0.5, 0.3)},
    "objective.masked_views": {"objective": INFO_NCE, "rate": Pair(0.5, 0.3)},
    "optimizer": {"learning_rate": Pair(1e-2, 1e-3)},
    "optimizer.adam": {"b1": Pair(0.9, 0.8), "b2": Pair(0.999, 0.99)},
    "optimizer.sgd": {"learning_rate": Pair(1e-1, 1e-2)},
    "rate_schedule.cosine": {"horizon": Pair(50, 20), "floor": Pair(0.0, 0.1)},
    "rate_schedule.until": {"horizon": Pair(3, 2)},
    "clock.bernoulli": {"prob": Pair(0.5, 0.7)},
    "clock.periodic": {"period": Pair(2, 3)},
    "presence.churn": {"mean_session": Pair(6, 9), "mean_absence": Pair(2, 3)},
    "presence.crash": {"prob": Pair(0.03, 0.01)},
    "presence.late_joining": {"share": Pair(0.5, 0.2), "first": Pair(2, 1), "last": Pair(6, 3)},
    "links.markov": {"mean_up": Pair(4, 6), "mean_down": Pair(2, 3)},
    "content.top_k": {"share": 0.4, "error_feedback": True},
    "drop.bernoulli": {"prob": Pair(0.3, 0.1)},
    "drop.bursty": {"mean_good": Pair(4, 6), "mean_bad": Pair(2, 3), "good_prob": Pair(0.1, 0.2)},
    "drop.measured": {"default": Pair(0.5, 0.2)},
    "delay": {"maximum": 4},
    "delay.by_size": {"bytes_per_tick": Pair(20, 15)},
    "delay.constant": {"ticks": 2},  # which is how long messages are remembered
    "delay.geometric": {"mean": Pair(1.5, 0.5)},
    "delay.uniform": {"low": 0, "high": Pair(4, 2)},
    "schedule.every": {"wakes": 2},
    "schedule.token_account": {"capacity": Pair(4, 6), "reserve": Pair(1, 2)},
    "merge.limited": {"limit": Pair(1, 3)},
    "merge.variance_corrected": {"rule": LIMITED},
}
"""By kind, or by kind and name, and by argument; a `Pair` differs between the variants."""

TRACED = (ArrayLike, int | jax.Array)


def _argument(kind: str, name: str, parameter: inspect.Parameter, hint: Any) -> Any:
    """What an argument is: what `NUMBERS` says, its default or example, and another number in the second variant."""
    for place in (f"{kind}.{name}", kind):
        if parameter.name in NUMBERS.get(place, {}):
            return NUMBERS[place][parameter.name]
    default = parameter.default
    if default is inspect.Parameter.empty:
        default = EXAMPLES.get(parameter.name, default)
    if default is inspect.Parameter.empty:
        raise LookupError(f"{kind}.{name}: expected an example of {parameter.name} in the catalogue, got none")
    if hint not in TRACED:
        return default
    return Pair(default, default + 1 if isinstance(default, int) else default / 2 or 0.5)


@cache
def _arguments(kind: str, name: str) -> dict[str, Any]:
    factory = KINDS[kind][name]
    hints = typing.get_type_hints(factory)
    parameters = inspect.signature(factory).parameters.values()
    return {one.name: _argument(kind, name, one, hints[one.name]) for one in parameters}


def sample(kind: str, name: str, variant: int = 0, **changes: Any) -> Any:
    """A registered part with sample numbers.

    Args:
      kind: of `KINDS`.
      name: in its registry.
      variant: 0 or 1; their numbers differ wherever they are traced.
      **changes: arguments that are given otherwise.

    Raises:
      LookupError: an argument has no default, no example and no numbers.
    """
    if not isinstance(KINDS[kind], Mapping):
        return name
    if (kind, name) == ("presence", "trace"):  # what it reads must be there only while it is made
        return trace(variant)
    given = {
        argument: value[variant] if isinstance(value, Pair) else value
        for argument, value in _arguments(kind, name).items()
    }
    return KINDS[kind][name](**given | changes)


PARTS: dict[str, dict[str, Part]] = {
    kind: {name: partial(sample, kind, name) for name in registry} for kind, registry in KINDS.items()
}
"""All registered parts, by kind and name, as functions of the variant."""
