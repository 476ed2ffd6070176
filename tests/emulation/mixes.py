"""A handful of emulators in which every registered part stands, and each part with other numbers."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import jdgnn
from jdgnn import acceptance, clocks, layers, links, merging, objectives, optimizers, peers, presence, schedules
from jdgnn.learning.layers import LAYERS
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS, RATE_SCHEDULES
from jdgnn.protocol.acceptance import ACCEPTANCES
from jdgnn.protocol.clocks import CLOCKS
from jdgnn.protocol.links import DELAYS, LOSSES
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from jdgnn.protocol.presence import PRESENCES
from jdgnn.protocol.schedules import SCHEDULES
from jdgnn.protocol.traffic import ORDERS
from tests.support import small_network

NUM_NODES = 12
LAST_TICK = 10**6


def measured_network() -> jdgnn.Network:
    """The small network with the quality of its links."""
    network = small_network(NUM_NODES)
    return replace(network, link_quality=np.random.default_rng(1).random(network.num_edges, np.float32))


NETWORK = measured_network()


@cache
def trace(shift: int) -> jdgnn.Presence:
    """Node 0 comes and goes, 1 comes late, 2 never, the others stay."""
    stay = "".join(f"{node},0,{LAST_TICK}\n" for node in range(3, NUM_NODES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.csv"
        path.write_text(
            f"node,start,end\n0,0,{2 + shift}\n0,{4 + shift},{LAST_TICK}\n1,{3 + shift},{LAST_TICK}\n{stay}"
        )
        return presence.trace(path)


KINDS: dict[str, Any] = {
    "layer": LAYERS,
    "objective": OBJECTIVES,
    "optimizer": OPTIMIZERS,
    "rate_schedule": RATE_SCHEDULES,
    "clock": CLOCKS,
    "presence": PRESENCES,
    "loss": LOSSES,
    "delay": DELAYS,
    "schedule": SCHEDULES,
    "acceptance": ACCEPTANCES,
    "merge": MERGES,
    "peers": PEERS,
    "order": ORDERS,
}

Part = Callable[..., Any]  # of 0 or 1, which chooses the numbers; they differ wherever they are traced

PARTS: dict[str, dict[str, Part]] = {
    "layer": {
        "chebyshev": lambda i: layers.chebyshev(3),
        "dense": lambda i: layers.dense(4),
        "gat": lambda i: layers.gat(4, heads=2),
        "gcn": lambda i: layers.gcn(4),
        "gin": lambda i: layers.gin(3),
        "sage": lambda i: layers.sage(3, activation="tanh"),
    },
    "objective": {
        "barlow_twins": lambda i: objectives.barlow_twins((0.02, 0.1)[i]),
        "cca": lambda i: objectives.cca((0.01, 0.1)[i]),
        "info_nce": lambda i: objectives.info_nce((0.5, 0.2)[i]),
        "margin_ranking": lambda i: objectives.margin_ranking((0.5, 0.2)[i]),
        "masked_input": lambda i: objectives.masked_input(objectives.info_nce((0.5, 0.2)[i]), (0.5, 0.3)[i]),
        "masked_views": lambda i: objectives.masked_views(objectives.info_nce((0.5, 0.2)[i]), (0.5, 0.3)[i]),
        "next_input": lambda i: objectives.next_input((1.0, 2.0)[i], deviation=(1.0, 0.5)[i]),
        "vicreg": lambda i: objectives.vicreg((25.0, 5.0)[i], deviation=(1.0, 0.5)[i]),
        "edge_reconstruction": lambda i: objectives.edge_reconstruction((5.0, 1.0)[i]),
    },
    "optimizer": {
        "adam": lambda i, rate=None: optimizers.adam((1e-2, 1e-3)[i], b1=(0.9, 0.8)[i], rate_schedule=rate),
        "momentum": lambda i, rate=None: optimizers.momentum((1e-2, 1e-3)[i], (0.9, 0.5)[i], rate_schedule=rate),
        "sgd": lambda i, rate=None: optimizers.sgd((1e-1, 1e-2)[i], rate_schedule=rate),
    },
    "rate_schedule": {
        "constant": lambda i: optimizers.constant(),
        "cosine": lambda i: optimizers.cosine((50, 20)[i], floor=(0.0, 0.1)[i]),
        "until": lambda i: optimizers.until((3, 2)[i]),
    },
    "clock": {
        "always": lambda i: clocks.always(),
        "bernoulli": lambda i: clocks.bernoulli((0.5, 0.7)[i]),
        "lognormal": lambda i: clocks.lognormal((0.5, 0.3)[i], (1.0, 0.2)[i]),
        "periodic": lambda i: clocks.periodic((2, 3)[i]),
    },
    "presence": {
        "churn": lambda i: presence.churn((6, 9)[i], (2, 3)[i]),
        "crash": lambda i: presence.crash((0.03, 0.01)[i]),
        "late_joining": lambda i: presence.late_joining((0.5, 0.2)[i], (2, 1)[i], (6, 3)[i]),
        "trace": trace,
    },
    "loss": {
        "bernoulli": lambda i: links.bernoulli((0.3, 0.1)[i]),
        "measured": lambda i: links.measured(default=(0.5, 0.2)[i]),
    },
    "delay": {
        "by_size": lambda i: links.by_size((20, 15)[i], maximum=4),
        "constant": lambda i: links.constant(2),  # its number is how long messages are remembered
        "geometric": lambda i: links.geometric((1.5, 0.5)[i], maximum=4),
        "uniform": lambda i: links.uniform(0, (4, 2)[i], maximum=4),
    },
    "schedule": {
        "every": lambda i: schedules.every(2, phase=i),
        "token_account": lambda i: schedules.token_account((4, 6)[i], (1, 2)[i]),
    },
    "acceptance": {
        "always": lambda i: acceptance.always(),
        "degree": lambda i: acceptance.degree(),
    },
    "merge": {
        "adopt": lambda i: merging.adopt(),
        "age_weighted": lambda i: merging.age_weighted(),
        "average": lambda i: merging.average(),
        "keep_own": lambda i: merging.keep_own(),
        "limited": lambda i: merging.limited((1, 3)[i]),
        "uniform_mean": lambda i: merging.uniform_mean(),
        "variance_corrected": lambda i: merging.variance_corrected(merging.limited((1, 3)[i])),
    },
    "peers": {
        "all_to_all": lambda i: peers.all_to_all(),
        "graph_neighbours": lambda i: peers.graph_neighbours(),
        "matching": lambda i: peers.matching(),
        "permutation": lambda i: peers.permutation(),
        "rotation": lambda i: peers.rotation(),
        "uniform": lambda i: peers.uniform(),
    },
    "order": {order: lambda i, order=order: order for order in ORDERS},
}


@dataclass(frozen=True, kw_only=True)
class Way:
    """How one kind of message travels, by the names of parts."""

    peers: str = "uniform"
    loss: str | None = None
    delay: str | None = None
    is_split: bool = False
    schedule: str | None = None
    fanout: int = 2

    def parts(self, variant: int) -> dict[str, Any]:
        link = jdgnn.link(
            loss=None if self.loss is None else PARTS["loss"][self.loss](variant),
            delay=None if self.delay is None else PARTS["delay"][self.delay](variant),
            split=links.split(2, (5, 7)[variant], share=(0.5, 0.3)[variant]) if self.is_split else None,
        )
        return {"link": link, "schedule": None if self.schedule is None else PARTS["schedule"][self.schedule](variant)}


@dataclass(frozen=True, kw_only=True)
class Mix:
    """An emulator by the names of its parts."""

    layer: tuple[str, ...] = ("gcn", "sage")
    objective: tuple[str, ...] = ("info_nce",)
    optimizer: str = "sgd"
    rate_schedule: str = "constant"
    clock: str = "always"
    presence: tuple[str, ...] = ()
    on_receipt: bool = False
    publish: Way = Way()
    push: Way | None = Way()
    gossip: Way | None = Way()
    inbox_capacity: int = 2
    order: str = "merge_then_train"
    merge: str = "average"
    acceptance: str = "always"
    pass_through: bool = False
    pool: float | None = None
    awake_share: float | None = None
    start: str = "common"

    def emulator(self, variant: int = 0) -> jdgnn.Emulator:
        """The emulator; another variant has other numbers."""

        def part(kind: str, name: str) -> Any:
            return PARTS[kind][name](variant)

        rate = part("rate_schedule", self.rate_schedule)
        return jdgnn.Emulator(
            layers=[part("layer", name) for name in self.layer],
            objective=[part("objective", name) for name in self.objective],
            optimizer=PARTS["optimizer"][self.optimizer](variant, rate),
            push=self._push(variant),
            gossip=self._gossip(variant),
            publish=jdgnn.publish(**self.publish.parts(variant)),
            availability=jdgnn.availability(
                part("clock", self.clock), [part("presence", name) for name in self.presence], self.on_receipt
            ),
            num_positives=3,
            start=self.start,
            awake_share=self.awake_share,
        )

    def _push(self, variant: int) -> jdgnn.Push | None:
        if self.push is None:
            return None
        sampler = PARTS["peers"][self.push.peers](variant)
        return jdgnn.push(fanout=self.push.fanout, capacity=3, peers=sampler, **self.push.parts(variant))

    def _gossip(self, variant: int) -> jdgnn.Gossip | None:
        if self.gossip is None:
            return None
        return jdgnn.gossip(
            capacity=self.inbox_capacity,
            fanout=self.gossip.fanout,
            peers=PARTS["peers"][self.gossip.peers](variant),
            merge=PARTS["merge"][self.merge](variant),
            order=self.order,
            acceptance=PARTS["acceptance"][self.acceptance](variant),
            pass_through=self.pass_through,
            pool=self.pool,
            **self.gossip.parts(variant),
        )

    def names(self, kind: str) -> set[str]:
        """The parts of a kind that stand in it."""
        if kind in {field.name for field in fields(self)}:
            named = getattr(self, kind)
            return {named} if isinstance(named, str) else set(named)
        ways = [way for way in (self.publish, self.push, self.gossip) if way is not None]
        return {name for way in ways if (name := getattr(way, kind)) is not None}


MIXES = {
    "synchronous": Mix(optimizer="adam", rate_schedule="cosine", push=Way(peers="permutation")),
    "pairs": Mix(
        objective=("info_nce", "edge_reconstruction"),
        optimizer="momentum",
        rate_schedule="until",
        publish=Way(delay="by_size"),
        push=Way(peers="rotation", delay="constant"),
        gossip=Way(peers="matching", loss="bernoulli", fanout=1),
        merge="age_weighted",
        acceptance="degree",
        start="independent",
    ),
    "asleep": Mix(
        clock="bernoulli",
        awake_share=0.5,
        order="train_then_merge",
        optimizer="adam",
        publish=Way(schedule="every"),
        push=Way(peers="graph_neighbours", loss="measured"),
        gossip=Way(peers="rotation", schedule="every"),
        merge="uniform_mean",
    ),
    "harsh": Mix(
        layer=("sage", "gcn"),
        objective=("barlow_twins", "masked_input"),
        clock="lognormal",
        presence=("churn",),
        on_receipt=True,
        publish=Way(loss="measured", delay="geometric"),
        push=Way(loss="bernoulli", delay="uniform", schedule="token_account"),
        gossip=Way(loss="bernoulli", delay="uniform", schedule="token_account", fanout=3),
        inbox_capacity=3,
        acceptance="degree",
        pass_through=True,
        pool=1.0,
        merge="limited",
    ),
    "joining": Mix(
        layer=("sage", "chebyshev"),
        clock="periodic",
        presence=("late_joining", "crash"),
        publish=Way(is_split=True),
        push=None,
        objective=("edge_reconstruction", "margin_ranking"),
        gossip=Way(peers="graph_neighbours", is_split=True, delay="geometric"),
        merge="adopt",
    ),
    "agreeing": Mix(
        layer=("gat",),
        objective=("masked_views",),
        presence=("trace",),
        order="merge_only",
        gossip=Way(peers="all_to_all", fanout=NUM_NODES - 1),
        inbox_capacity=NUM_NODES - 1,
        merge="variance_corrected",
        start="independent",
    ),
    "walking": Mix(
        layer=("dense", "gin"),
        objective=("cca", "vicreg"),
        gossip=Way(peers="uniform", fanout=1),
        inbox_capacity=1,
        merge="keep_own",
    ),
    "alone": Mix(layer=("sage", "gat"), objective=("masked_input", "next_input"), gossip=None),
}
