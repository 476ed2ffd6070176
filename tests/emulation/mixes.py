"""A handful of emulators in which every registered part stands, and each part with other numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

import jdgnn
from jdgnn import links
from tests.samples import KINDS, PARTS
from tests.support import small_network

NUM_NODES = 12


def measured_network() -> jdgnn.Network:
    """The small network with the quality of its links."""
    network = small_network(NUM_NODES)
    return replace(network, link_quality=np.random.default_rng(1).random(network.num_edges, np.float32))


NETWORK = measured_network()


@dataclass(frozen=True, kw_only=True)
class Way:
    """How one kind of message travels, by the names of parts."""

    peers: str = "uniform"
    drop: str | None = None
    delay: str | None = None
    is_parted: bool = False
    schedule: str | None = None
    fanout: int = 2

    def parts(self, variant: int) -> dict[str, Any]:
        link = jdgnn.link(
            drop=None if self.drop is None else PARTS["drop"][self.drop](variant),
            delay=None if self.delay is None else PARTS["delay"][self.delay](variant),
            partition=links.partition(2, (5, 7)[variant], share=(0.5, 0.3)[variant]) if self.is_parted else None,
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
    links: str = "always"
    on_receipt: bool = False
    publish: Way = Way()
    push: Way | None = Way()
    gossip: Way | None = Way()
    inbox_capacity: int = 2
    order: str = "merge_then_train"
    merge: str = "average"
    acceptance: str = "always"
    content: str = "whole"
    attack: tuple[str, ...] = ()
    pass_through: bool = False
    pool: float | None = None
    active_fraction: float | None = None
    initial: str = "shared"

    def emulator(self, variant: int = 0) -> jdgnn.Emulator:
        """The emulator; another variant has other numbers."""

        def part(kind: str, name: str) -> Any:
            return PARTS[kind][name](variant)

        rate = part("rate_schedule", self.rate_schedule)
        return jdgnn.Emulator(
            layers=[part("layer", name) for name in self.layer],
            objective=[part("objective", name) for name in self.objective],
            optimizer=PARTS["optimizer"][self.optimizer](variant, rate_schedule=rate),
            push=self._push(variant),
            gossip=self._gossip(variant),
            publish=jdgnn.publish(**self.publish.parts(variant)),
            availability=jdgnn.availability(
                part("clock", self.clock),
                [part("presence", name) for name in self.presence],
                self.on_receipt,
                part("links", self.links),
            ),
            attackers=jdgnn.attackers(part("attack", self.attack[0]), share=(0.25, 0.5)[variant])
            if self.attack
            else None,
            num_positives=3,
            initial=self.initial,
            active_fraction=self.active_fraction,
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
            content=PARTS["content"][self.content](variant),
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


NAMED = {
    "synchronous": Mix(optimizer="adam", rate_schedule="cosine", push=Way(peers="permutation")),
    "pairs": Mix(
        objective=("info_nce", "edge_reconstruction"),
        optimizer="momentum",
        rate_schedule="until",
        publish=Way(delay="by_size"),
        push=Way(peers="rotation", delay="constant"),
        gossip=Way(peers="matching", drop="bernoulli", fanout=1),
        merge="age_weighted",
        acceptance="degree",
        initial="independent",
    ),
    "asleep": Mix(
        clock="bernoulli",
        active_fraction=0.5,
        order="train_then_merge",
        optimizer="adam",
        publish=Way(schedule="every"),
        push=Way(peers="graph_neighbours", drop="measured"),
        gossip=Way(peers="rotation", schedule="every"),
        merge="uniform_mean",
    ),
    "harsh": Mix(
        layer=("sage", "gcn"),
        objective=("barlow_twins", "masked_input"),
        clock="lognormal",
        presence=("churn",),
        on_receipt=True,
        publish=Way(drop="measured", delay="geometric"),
        push=Way(drop="bursty", delay="uniform", schedule="token_account"),
        gossip=Way(drop="bernoulli", delay="uniform", schedule="token_account", fanout=3),
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
        links="markov",
        publish=Way(is_parted=True),
        push=None,
        objective=("edge_reconstruction", "margin_ranking"),
        gossip=Way(peers="graph_neighbours", is_parted=True, delay="geometric"),
        merge="adopt",
        content="top_k",
        attack=("sign_flip",),
    ),
    "agreeing": Mix(
        layer=("gat",),
        objective=("masked_views",),
        presence=("trace",),
        order="merge_only",
        gossip=Way(peers="all_to_all", fanout=NUM_NODES - 1),
        inbox_capacity=NUM_NODES - 1,
        merge="variance_corrected",
        initial="independent",
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


def only(kind: str, name: str) -> Mix:
    """A mix in which one part is out of the ordinary."""
    if kind in ("layer", "objective", "presence", "attack"):
        return Mix(**{kind: (name,)})  # type: ignore[arg-type]
    if kind in ("peers", "drop", "delay", "schedule"):
        fanout = NUM_NODES - 1 if name == "all_to_all" else 2
        way = Way(**{kind: name}, fanout=fanout)  # type: ignore[arg-type]
        return Mix(publish=Way() if name == "token_account" else way, push=way, gossip=way)
    return Mix(**{kind: name})  # type: ignore[arg-type]


def others(mixes: Mapping[str, Mix]) -> dict[str, Mix]:
    """A mix for each registered part that stands in none of these."""
    return {
        f"{kind}.{name}": only(kind, name)
        for kind, registry in KINDS.items()
        for name in registry
        if not any(name in mix.names(kind) for mix in mixes.values())
    }


MIXES = NAMED | others(NAMED)
"""All that there are; a new part has a mix of its own until it is put into one of those with names."""
