"""Choices of registered parts for the oracle tests: every pair of kinds stands together in one of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
from typing import Any

import jdgnn
from jdgnn import attacks, clocks, links, presence, schedules
from jdgnn.learning.layers import LAYERS
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS
from jdgnn.protocol.acceptance import ACCEPTANCES
from jdgnn.protocol.clocks import CLOCKS
from jdgnn.protocol.link_presence import LINK_PRESENCES
from jdgnn.protocol.links import DELAYS, DROPS
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from jdgnn.protocol.presence import PRESENCES
from jdgnn.protocol.traffic import ORDERS
from tests.reference import parts
from tests.samples import sample, trace

NUM_NODES, UNITS = 6, (4, 2, 3)


def _with_clock(name: str, num_nodes: int) -> jdgnn.Availability:
    return jdgnn.availability(sample("clock", name))


def _with_presence(name: str, num_nodes: int) -> jdgnn.Availability:
    """Nodes that come and go, and are all awake or, where they only go, sleep as well."""
    part = trace(0, num_nodes) if name == "trace" else sample("presence", name)
    return jdgnn.availability(sample("clock", "bernoulli") if name == "crash" else None, part)


def _with_links(name: str, num_nodes: int) -> jdgnn.Availability:
    return jdgnn.availability(sample("clock", "periodic"), links=sample("links", name))


def _lossy(name: str) -> jdgnn.Link:
    return jdgnn.link(drop=sample("drop", name))


def _late(name: str) -> jdgnn.Link:
    return jdgnn.link(drop=0.2 if name == "uniform" else None, delay=sample("delay", name))


AVAILABILITIES: dict[str, Callable[[int], jdgnn.Availability]] = {
    **{name: partial(_with_clock, name) for name in CLOCKS},
    **{name: partial(_with_presence, name) for name in PRESENCES},
    **{name: partial(_with_links, name) for name in LINK_PRESENCES if name not in CLOCKS},
    "on_receipt": lambda n: jdgnn.availability(clocks.bernoulli(0.2), [presence.churn(9, 3)], on_receipt=True),
}
LINKS: dict[str, Callable[[], jdgnn.Link]] = {
    "perfect": jdgnn.link,
    **{name: partial(_lossy, name) for name in DROPS},
    **{name: partial(_late, name) for name in DELAYS},
    "partition": lambda: jdgnn.link(partition=links.partition(6, 14)),
}
SCHEDULES: tuple[tuple[jdgnn.Schedule | None, jdgnn.Schedule], ...] = (  # each with its twin
    (None, parts.every()),
    (schedules.every(2, phase=1), parts.every(2, phase=1)),
    (schedules.token_account(capacity=4, reserve=2), parts.token_account(capacity=4, reserve=2)),
    (schedules.every(3), parts.every(3)),
)
ACCEPTANCE = (("always", False), ("degree", False), ("degree", True))


@dataclass(frozen=True)
class Case:
    """One choice of parts; what is not said is plain."""

    layers: tuple[str, ...] = ("gcn", "sage")
    objective: str = "info_nce"
    merge: str = "average"
    peers: str = "uniform"
    availability: str = "always"
    link: str = "perfect"
    order: str = "merge_then_train"
    optimizer: str = "sgd"
    initial: str = "shared"
    num_positives: int = 2
    has_push: bool = True
    has_gossip: bool = True
    fanout: int = 2
    sample_capacity: int = 3
    inbox_capacity: int = 2
    publish_schedule: int = 0
    expiry: int | None = None
    push_schedule: int = 0
    model_schedule: int = 0
    acceptance: int = 0
    content: str = "whole"
    attackers: float | None = None  # share
    pool: float | None = None
    active_fraction: float | None = None
    backend: str | None = None
    merged: bool = False

    def num_slots(self, num_nodes: int) -> int:
        """Candidates of a node; all others, where everybody sends to everybody."""
        return max(1, num_nodes - 1) if self.peers == "all_to_all" else self.fanout

    def emulator(self, num_nodes: int = NUM_NODES) -> jdgnn.Emulator:
        # with a small eps Adam would blow rounding up where a gradient vanishes by symmetry, until it shows
        # where statistics are divided by deviations, rounding would grow with large steps
        rate = 0.001 if self.objective in ("barlow_twins", "cca", "vicreg") else 0.02
        adam = {"learning_rate": 2.5 * rate, "eps": 0.1}
        numbers: dict[str, Any] = adam if self.optimizer == "adam" else {"learning_rate": rate}
        numbers |= {"merged": True} if self.merged else {}
        link, num_slots = LINKS[self.link](), self.num_slots(num_nodes)
        acceptance, pass_through = ACCEPTANCE[self.acceptance]
        is_late = self.availability != "always" or link.max_delay > 0 or pass_through
        can_wait = is_late or self.content != Case.content or self.attackers is not None
        push = jdgnn.push(
            fanout=num_slots,
            capacity=self.sample_capacity,
            peers=PEERS[self.peers](),
            schedule=SCHEDULES[self.push_schedule][0],
            link=link,
        )
        gossip = jdgnn.gossip(
            capacity=self.inbox_capacity,
            fanout=1 if self.peers == "matching" else num_slots,
            peers=PEERS[self.peers](),
            merge=MERGES[self.merge](),
            order=self.order,
            acceptance=ACCEPTANCES[acceptance](),
            content=sample("content", self.content),
            pass_through=pass_through,
            schedule=SCHEDULES[self.model_schedule][0],
            link=link,
            pool=self.pool if can_wait else None,  # rejected where it has no effect
        )
        return jdgnn.Emulator(
            layers=[LAYERS[kind](width) for kind, width in zip(self.layers, UNITS, strict=False)],
            objective=OBJECTIVES[self.objective](),
            optimizer=OPTIMIZERS[self.optimizer](**numbers),
            push=push if self.has_push else None,
            gossip=gossip if self.has_gossip else None,
            publish=jdgnn.publish(schedule=SCHEDULES[self.publish_schedule][0], link=link, expiry=self.expiry),
            availability=AVAILABILITIES[self.availability](num_nodes),
            attackers=None if self.attackers is None else jdgnn.attackers(attacks.sign_flip(0.5), share=self.attackers),
            num_positives=self.num_positives,
            initial=self.initial,
            active_fraction=None if self.availability == "always" else self.active_fraction,
            backend=self.backend,
        )

    def twin(self, num_nodes: int = NUM_NODES) -> jdgnn.Emulator:
        """The same of twins, which the oracle is given."""
        is_corrected = self.merge == "variance_corrected"
        return parts.with_twins(
            self.emulator(num_nodes),
            self.layers,
            publish=SCHEDULES[self.publish_schedule][1],
            attack=parts.sign_flip(0.5),
            push=SCHEDULES[self.push_schedule][1],
            merge=parts.merge_rule("average" if is_corrected else self.merge, is_variance_corrected=is_corrected),
            acceptance=parts.acceptance(ACCEPTANCE[self.acceptance][0]),
            content=parts.content(self.content, share=0.4),
            schedule=SCHEDULES[self.model_schedule][1],
        )


AXES: dict[str, tuple[Any, ...]] = {
    "availability": tuple(AVAILABILITIES),
    "link": tuple(LINKS),
    "merge": tuple(MERGES),
    "peers": tuple(PEERS),
    "order": ORDERS,
    "layers": tuple(zip(LAYERS, reversed(LAYERS), strict=True)),
    "objective": tuple(OBJECTIVES),
}
EXTRAS: dict[str, tuple[Any, ...]] = {
    "model_schedule": (0, 1, 0, 2, 0, 3),
    "acceptance": (0, 1, 2, 0, 2),
    "content": ("whole", "top_k", "whole"),
    "attackers": (None, None, None, 0.3),
    "push_schedule": (0, 2, 0, 1, 0, 0, 3),
    "publish_schedule": (0, 0, 1),
    "expiry": (None, 3),
    "pool": (None, None, 1.4),
    "active_fraction": (None, 0.5),
    "optimizer": tuple(OPTIMIZERS),
    "initial": ("independent", "shared"),
    "inbox_capacity": (1, 2, 3, 2),
    "sample_capacity": (3, 2, 3, 1),
    "fanout": (2, 1, 3),
    "num_positives": (2, 4, 1, 2, 3),
}


def pairwise() -> dict[str, Case]:
    """Cases in which every two kinds of different axes meet at least once; extras take turns."""
    names = list(AXES)
    missing = {frozenset(((a, x), (b, y))) for a, b in combinations(names, 2) for x, y in product(AXES[a], AXES[b])}
    cases: dict[str, Case] = {}
    for first, second in product(AXES["availability"], AXES["link"]):
        chosen: dict[str, Any] = {"availability": first, "link": second}
        for name in names[2:]:
            turn = len(cases) % len(AXES[name])
            options = AXES[name][turn:] + AXES[name][:turn]
            chosen[name] = max(
                options, key=lambda kind: sum(frozenset(((name, kind), known)) in missing for known in chosen.items())
            )
        missing -= {frozenset(pair) for pair in combinations(chosen.items(), 2)}
        extras = {name: values[len(cases) % len(values)] for name, values in EXTRAS.items()}
        cases[f"{first}-{second}"] = _sensible(chosen | extras)
    while missing:
        chosen = dict(min(missing, key=lambda pair: sorted(map(str, pair))))
        for name in [name for name in names if name not in chosen]:
            chosen[name] = max(
                AXES[name],
                key=lambda kind: sum(frozenset(((name, kind), known)) in missing for known in chosen.items()),
            )
        missing -= {frozenset(pair) for pair in combinations(chosen.items(), 2)}
        extras = {name: values[len(cases) % len(values)] for name, values in EXTRAS.items()}
        cases[f"{chosen['availability']}-{chosen['link']}-{len(cases)}"] = _sensible(chosen | extras)
    return cases


def covering(cases: dict[str, Case], known: Iterable[Case] = ()) -> list[str]:
    """Names of a few cases in which, together with those known, every kind of every axis stands at least once."""
    missing = {(name, kind) for name in AXES for kind in AXES[name]}.difference(*map(kinds, known))
    chosen: list[str] = []
    while missing:
        chosen.append(max(cases, key=lambda name: len(missing & kinds(cases[name]))))
        missing -= kinds(cases[chosen[-1]])
    return chosen


def kinds(case: Case) -> set[tuple[str, Any]]:
    """The kind of each axis in a case."""
    return {(name, getattr(case, name)) for name in AXES}


def _sensible(kinds: dict[str, Any]) -> Case:
    if kinds["peers"] == "matching":
        kinds = kinds | {"fanout": 1}
    if kinds["merge"] == "push_sum" and ACCEPTANCE[kinds["acceptance"]][1]:  # which divides no weight that is passed on
        kinds = kinds | {"acceptance": 1}
    if kinds["merge"] == "push_sum":  # whose weights are of whole models
        kinds = kinds | {"content": "whole"}
    return Case(**kinds)
