"""A part is what it is: each member of each registered part, replaced by one that gives other numbers, counts.

With compiled kernels, without them and in a debug run the results agree, and they differ from those of the part as it
was. Which members cannot change a result, and why, is said in `WITHOUT_EFFECT`.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.tree_util import Partial
from numpy.testing import assert_allclose

import jdgnn
from jdgnn import clocks, merging, optimizers, peers, schedules
from jdgnn.backend import library
from jdgnn.emulation.ways import why_plain
from jdgnn.network import Identifiers
from jdgnn.protocol.model import Model
from tests.samples import KINDS, PARTS, trace
from tests.seldom import mostly_long
from tests.support import leaves, small_network

pytestmark = pytest.mark.filterwarnings("ignore::jdgnn.emulation.run.RemarkWarning")

NUM_NODES, NUM_TICKS = 8, 4
PLAIN = small_network(NUM_NODES)
NETWORK = dataclasses.replace(
    PLAIN,
    features=PLAIN.features.astype(np.float64),
    link_quality=np.random.default_rng(1).random(PLAIN.num_edges, np.float32),
)
OTHERS: dict[str, dict[str, Callable[[int], Any]]] = {  # parts made otherwise than those of `PARTS`
    "optimizer": {
        "adam, merged": lambda i: optimizers.adam(1e-2, merged=True),
        "momentum, merged": lambda i: optimizers.momentum(1e-2, merged=True),
    },
    "presence": {"trace": lambda i: trace(i, NUM_NODES)},
}
MAKES = {
    kind: {name: make for name, make in (PARTS[kind] | OTHERS.get(kind, {})).items() if make(0) is not None}
    for kind in KINDS
    if kind != "order"
}  # what is None has no members

NO_STATE = "it keeps nothing, and its other members take nothing"
WITHOUT_EFFECT: dict[tuple[str, str, str], str] = {  # by kind, name (* for all others) and member
    ("layer", "dense", "aggregate"): "it hears no neighbour",
    **{("layer", name, "query"): "its aggregate does not ask" for name in PARTS["layer"] if name != "gat"},
    **{("objective", name, "init"): NO_STATE for name in PARTS["objective"] if name != "next_input"},
    **{("optimizer", name, "init"): NO_STATE for name in ("sgd", "momentum, merged")},
    **{("optimizer", name, "moments"): "None says that its moments stay" for name in PARTS["optimizer"]},
    **{("clock", name, "init"): NO_STATE for name in ("always", "bernoulli")},
    ("links", "always", "init"): NO_STATE,
    **{("drop", name, "init"): "None says that it keeps nothing" for name in ("bernoulli", "measured")},
    **{
        ("merge", name, member): "a rule has `merge` or `merge_all`, and `divide` where models carry a weight"
        for name in PARTS["merge"]
        for member in ("merge", "merge_all", "divide")
        if getattr(PARTS["merge"][name](0), member) is None
    },
    **{("schedule", "every", member): NO_STATE for member in ("init", "settle")},
    **{
        (kind, "*", "bind"): "it fills members that wait for a network, and each of these counts"
        for kind in ("drop", "presence")
    },
    ("content", "*", "num_bytes"): "it is told, and what is counted are the bytes of the arrays",
    ("schedule", "*", "is_random"): "where it is wrong, draws are not used, or `decide` fails without them",
    ("presence", "trace", "init"): NO_STATE,
    ("presence", "*", "check"): "it gives nothing; it may only reject a network",
    ("presence", "*", "remark"): "it gives a sentence",
}


def other(leaf: Any) -> Any:
    """Other numbers of the same kind: of what nodes keep, differently at different nodes where these are in it."""
    if leaf.dtype == bool:
        return leaf ^ (jnp.arange(leaf.size, dtype=jnp.int32).reshape(leaf.shape) % 2 == 0)
    return 1 - leaf if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf + 1


def others_of(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: jax.tree.map(other, original(*given))


def scaled(original: Callable[..., Any], factor: float = 0.5) -> Callable[..., Any]:
    return lambda *given: jax.tree.map(lambda leaf: factor * leaf, original(*given))


def halved(tree: Any) -> Any:
    """Half of all numbers that are not whole."""
    return jax.tree.map(lambda leaf: leaf / 2 if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf, tree)


def first_of(original: Callable[..., Any], change: Callable[..., Any]) -> Callable[..., Any]:
    """Changes the first of several results."""

    def changed(*given: Any) -> Any:
        first, *rest = original(*given)
        return change(first, *given), *rest

    return changed


def last_of(original: Callable[..., Any], keep: Callable[[Any], Any]) -> Callable[..., Any]:
    """Lets only some nodes take part, in each tick others: `keep(node + tick)` says which."""

    def changed(key: Any, tick: Any, num_nodes: int, memory: Any) -> Any:
        *rest, mask = original(key, tick, num_nodes, memory)
        return *rest, mask & keep(jnp.arange(num_nodes, dtype=jnp.int32) + tick)

    return changed


def everybody(key: Any, tick: Any, num_nodes: int, memory: Any) -> Any:
    return memory, jnp.ones(num_nodes, bool)


def some_links(original: Callable[..., Any] | None) -> Callable[..., Any]:
    """Lets only some links be up, in each tick others."""

    def changed(key: Any, tick: Any, topology: Any, memory: Any) -> Any:
        edges = jnp.arange(topology.num_edges, dtype=jnp.int32)
        memory, up = (memory, True) if original is None else original(key, tick, topology, memory)
        return memory, up & ((edges + tick) % 3 > 0)

    return changed


def some_messages(key: Any, messages: Any, *memory: Any) -> Any:
    """Loses some messages; of a model with a memory, it stays as it is."""
    lost = (messages.src + messages.dst) % 2 == 0
    return (*memory, lost) if memory else lost


def to_the_next(key: Any, topology: Any, joined_mask: Any, num_slots: int) -> jax.Array:
    nodes = jnp.arange(topology.num_nodes, dtype=jnp.int32)[:, None]
    return jnp.broadcast_to((nodes + 1) % topology.num_nodes, (topology.num_nodes, num_slots))


def longer(stepped: Any, gradient: Any, opt_state: Any, params: Any, num_steps: Any) -> Any:
    """Twice the step; `stepped` are the parameters after it."""
    return jax.tree.map(lambda new, old: 2 * new - old, stepped, params)


def smaller(model: Model) -> Model:
    return model._replace(params=jax.tree.map(lambda leaf: 0.9 * leaf, model.params))


Change = Callable[[Any], Any]
CHANGES: dict[tuple[str, str], Change] = {  # from a member to one that gives other numbers
    ("layer", "init"): lambda init: scaled(init, 1.5),
    ("layer", "apply"): lambda apply: lambda *given: 0.5 * apply(*given) + 0.1,
    ("layer", "aggregate"): lambda aggregate: lambda *given: 0.5 * aggregate(*given) + 0.1,
    ("layer", "query"): lambda query: scaled(query, 3.0),
    ("objective", "init"): lambda init: scaled(init, 1.5),
    ("objective", "apply"): lambda apply: first_of(apply, lambda loss, *given: 2 * loss),
    ("objective", "is_defined"): lambda defined: lambda pos, neg: defined(pos, neg) & jnp.all(pos),
    ("objective", "view"): lambda view: (
        lambda own, aggregated, key: (
            0.5 * own,
            (aggregated if view is None else view(own, aggregated, key)[1]) + 0.3,
        )
    ),
    ("optimizer", "init"): others_of,
    ("optimizer", "step"): lambda step: first_of(step, longer),
    ("optimizer", "moments"): others_of,
    ("rate_schedule", ""): scaled,
    ("clock", "init"): others_of,
    ("clock", "sample"): lambda sample: last_of(sample or everybody, lambda number: number % 2 == 0),
    ("presence", "init"): others_of,
    ("presence", "sample"): lambda sample: last_of(sample, lambda number: number % 3 > 0),
    ("links", "init"): others_of,
    ("links", "sample"): some_links,
    ("drop", "init"): others_of,
    ("drop", "sample"): lambda sample: some_messages,
    ("delay", "sample"): lambda sample: lambda key, messages: messages.src % 2,
    ("delay", "maximum"): lambda maximum: 1,
    ("schedule", "init"): others_of,
    ("schedule", "decide"): lambda decide: lambda *given: jnp.minimum(decide(*given), 1),
    ("schedule", "settle"): lambda settle: lambda *given: jnp.maximum(settle(*given) - 1, 0),
    ("acceptance", "probability"): lambda probability: lambda sender, receiver: jnp.full(jnp.shape(sender), 0.3),
    ("attack", "corrupt"): scaled,
    ("content", "init"): others_of,
    ("content", "encode"): lambda encode: lambda *given: (lambda memory, sent: (memory, halved(sent)))(*encode(*given)),
    ("content", "decode"): lambda decode: first_of(decode, lambda params, *given: jax.tree.map(jnp.negative, params)),
    ("merge", "merge"): lambda merge: first_of(
        merge, lambda merged, *given: jax.tree.map(lambda leaf: 0.9 * leaf, merged)
    ),
    ("merge", "merge_all"): lambda merge_all: lambda own, received: smaller(merge_all(own, received)),
    ("merge", "divide"): lambda divide: lambda *given: divide(*given) + 0.3,
    ("peers", "sample"): lambda sample: to_the_next,
}


class Member(NamedTuple):
    """A member of a registered part; of a rate schedule, the function itself."""

    kind: str
    name: str
    member: str

    @property
    def place(self) -> str:
        """What a part of this kind stands in."""
        return "optimizer" if self.kind == "rate_schedule" else self.kind

    @property
    def has_effect(self) -> bool:
        return not {self, Member(self.kind, "*", self.member)} & WITHOUT_EFFECT.keys()

    def part(self) -> Any:
        """The part; one that names nodes is for the network already, so that its members can be called."""
        part = MAKES[self.kind][self.name](0)
        return part if getattr(part, "bind", None) is None else part.bind(Identifiers((), NUM_NODES))

    def changed(self, change: Change) -> Any:
        part = self.part()
        if not self.member:
            return change(part)
        changes = {self.member: change(getattr(part, self.member))}
        return part._replace(**changes) if hasattr(part, "_replace") else dataclasses.replace(part, **changes)


def all_members() -> Iterator[Member]:
    for kind, makes in MAKES.items():
        for name, make in makes.items():
            part = make(0)
            fields = [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else ("",)
            for member in getattr(part, "_fields", fields):
                yield Member(kind, name, member)


MEMBERS = list(all_members())
FAVOURITES = ("sage", "info_nce", "momentum", "average", "churn", "uniform", "token_account")  # most take short cuts
PLAIN_ANYWAY = {("layer", "query"), ("objective", "init"), ("merge", "merge_all"), ("merge", "divide")} | {
    ("content", name) for name in ("init", "encode", "decode")
}  # of parts that kernels do not take as they are
PLAIN_THEN = {("layer", "apply"), ("optimizer", "step"), ("merge", "merge")}  # of parts that kernels take no more


def groups() -> dict[str, list[Member]]:
    """One of each member of each kind, several together in few groups.

    No group has two of one kind. What kernels do not take stands apart from what they take.
    """
    chosen: dict[tuple[str, str], Member] = {}
    for one in sorted(filter(lambda one: one.has_effect, MEMBERS), key=lambda one: one.name not in FAVOURITES):
        chosen.setdefault((one.kind, one.member), one)
    plain = [one for what, one in chosen.items() if what in PLAIN_ANYWAY | PLAIN_THEN]
    made = [*_apart(plain), *_apart(one for one in chosen.values() if one not in plain)]
    return {"-".join(f"{one.kind}.{one.member}" for one in group[:3]): group for group in made}


def _places(one: Member) -> set[str]:
    """What it stands in; a content that carries a part does not go with a rule that divides weights."""
    is_of_weights = one.kind == "content" or (one.kind, one.member) == ("merge", "divide")
    return {one.place, *(("weights",) if is_of_weights else ())}


def _apart(members: Iterable[Member]) -> list[list[Member]]:
    """As few groups as there can be without two members in one place, in the order in which they are given."""
    together: list[list[Member]] = []
    for one in members:
        group = next((group for group in together if not any(_places(one) & _places(taken) for taken in group)), [])
        if not group:
            together.append(group)
        group.append(one)
    return together


GROUPS = groups()


def emulator_with(parts: dict[str, Any], how: str | None) -> jdgnn.Emulator:
    """An emulator in which the parts, by kind, matter, and which compiled kernels take unless a part forbids it."""
    link = {kind: parts[kind] for kind in ("drop", "delay") if kind in parts}
    gossip: dict[str, Any] = {
        kind: parts[kind] for kind in ("merge", "acceptance", "content", "peers", "schedule") if kind in parts
    }
    available: dict[str, Any] = {kind: parts[kind] for kind in ("clock", "presence", "links") if kind in parts}
    if "schedule" in parts:  # of several messages, of which some wait
        gossip |= {"fanout": 2, "capacity": 2}
        available.setdefault("clock", clocks.bernoulli(0.8))
    if parts.get("peers") == peers.all_to_all():  # which needs as many
        gossip["fanout"] = NUM_NODES - 1
    return jdgnn.Emulator(
        layers=[parts.get("layer", jdgnn.sage(3))],
        objective=parts.get("objective", jdgnn.info_nce()),
        optimizer=parts.get("optimizer", jdgnn.sgd(0.1, rate_schedule=parts.get("rate_schedule"))),
        push=jdgnn.push(fanout=2, capacity=3),
        gossip=jdgnn.gossip(**gossip, link=jdgnn.link(**link)),
        availability=jdgnn.availability(**available),
        attackers=jdgnn.attackers(parts["attack"], share=0.5) if "attack" in parts else None,
        num_positives=3,
        initial="independent",
        backend=how,
    )


Numbers = list[np.ndarray]


def seen(state: jdgnn.State) -> Numbers:
    """What a part can change of a state, but for what a debug run leaves out."""
    held = (state.params, state.opt_state, state.embeddings, state.age, state.wakes, state.num_steps)
    return [*leaves(held), np.asarray(state.accounts.words)]


def ran(emulator: jdgnn.Emulator, network: jdgnn.Network) -> Numbers:
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(5), network), network, NUM_TICKS)
    return seen(state)


def is_plain(group: list[Member]) -> bool:
    """Whether kernels do not take one of them."""
    return any((one.kind, one.member) in PLAIN_ANYWAY | PLAIN_THEN for one in group)


def check_ways(group: list[Member], network: jdgnn.Network, tolerance: float, ways: Sequence[str | None]) -> Numbers:
    """Compares runs with kernels as said with a debug run, and gives what the last of them came to."""
    emulator = emulator_with({one.kind: one.changed(CHANGES[one.kind, one.member]) for one in group}, None)
    slow = seen(jdgnn.debug_run(emulator, emulator.init(jax.random.key(5), network), network, NUM_TICKS)[0])
    for how in ways:
        fast = ran(dataclasses.replace(emulator, backend=how), network)
        for actual, expected in zip(fast, slow, strict=True):
            assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
    return fast


def check(group: list[Member], network: jdgnn.Network, tolerance: float) -> None:
    """Compares all ways, and with what came to pass before the members were replaced."""
    plain = check_ways(group, network, tolerance, (None, "accelerator", "plain"))
    before = ran(emulator_with({one.kind: one.part() for one in group}, "plain"), network)
    pairs = [(new.astype(float), old) for new, old in zip(plain, before, strict=True) if new.shape == old.shape]
    assert max(np.abs(new - old).max(initial=0) for new, old in pairs) > 1e-3


@pytest.mark.parametrize(
    "name", mostly_long(GROUPS, [name for name, group in GROUPS.items() if not is_plain(group)][:1])
)
def test_members_that_are_replaced_count_in_every_way_of_running(name: str) -> None:
    """That each of them changes a result is seen where each is replaced alone; most short cuts are those of kernels."""
    group = GROUPS[name]
    with jax.enable_x64(True):
        check_ways(group, NETWORK, 1e-9, (None,) if is_plain(group) else (None, "plain"))


@pytest.mark.long
@pytest.mark.parametrize("one", [one for one in MEMBERS if one.has_effect], ids="-".join)
def test_every_member_of_every_part_counts_in_every_way_of_running(one: Member) -> None:
    with jax.enable_x64(True):
        check([one], NETWORK, 1e-9)
    check([one], dataclasses.replace(NETWORK, features=PLAIN.features), 1e-4)  # some let parameters grow to 1e5


def test_every_member_of_every_registered_part_is_changed_or_cannot_matter() -> None:
    assert {(one.kind, one.name) for one in MEMBERS} >= {
        (kind, name) for kind, names in MAKES.items() for name in names
    }
    assert {(one.kind, one.member) for one in MEMBERS if one.has_effect} == CHANGES.keys()
    assert {(one.kind, one.member) for group in GROUPS.values() for one in group} == CHANGES.keys()
    known = {(one.kind, name, one.member) for one in MEMBERS for name in (one.name, "*")}
    assert known >= WITHOUT_EFFECT.keys()


def taken_or_not() -> dict[str, list[Member]]:
    """The groups, but what kernels do not take alone, so that nothing else keeps them away."""
    found: dict[str, list[Member]] = {}
    for name, group in GROUPS.items():
        found |= {"-".join(one): [one] for one in group} if is_plain(group) else {name: group}
    return found


@pytest.mark.parametrize("group", taken_or_not().values(), ids=taken_or_not())
def test_kernels_take_the_groups_that_they_should(group: list[Member]) -> None:
    """Else they would be compared with nothing."""
    emulator = emulator_with({one.kind: one.changed(CHANGES[one.kind, one.member]) for one in group}, None)
    reason = why_plain(emulator, emulator.shapes(PLAIN), PLAIN.features)
    assert (reason != library.why_not()) == is_plain(group)


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: function(*given)


def test_short_cuts_stay_with_the_very_functions() -> None:
    average, limited, layer, sgd = merging.average(), merging.limited(2), jdgnn.sage(3), jdgnn.sgd(0.1)
    assert average.merge is not None
    assert jdgnn.MergeRule(merge=average.merge).weigh is average.weigh is not None
    assert jdgnn.MergeRule(merge=wrapped(average.merge)).weigh is None
    assert average._replace(merge=limited.merge).weigh is limited.weigh
    by_hand = jdgnn.Layer(init=layer.init, apply=layer.apply, aggregate=layer.aggregate)
    assert (by_hand.inputs, by_hand.finish) == (layer.inputs, layer.finish) != (None, None)
    assert jdgnn.gin(3)._replace(apply=layer.apply).inputs is layer.inputs
    assert layer._replace(apply=wrapped(layer.apply)).inputs is None
    faster = sgd._replace(step=Partial(sgd.step.func, **sgd.step.keywords | {"rate": jdgnn.sgd(0.5).rate}))  # type: ignore[attr-defined]
    assert faster.rate is not None
    assert faster.rate(0) == 0.5
    other = sgd.step.func, sgd.step.keywords | {"build": Partial(optax.scale_by_sign)}  # type: ignore[attr-defined]
    assert sgd._replace(step=Partial(other[0], **other[1])).step_outer is None
    assert jdgnn.Optimizer(init=sgd.init, step=wrapped(sgd.step)).step_outer is None
    assert optimizers.merged(sgd._replace(step=wrapped(sgd.step))).step_outer is None
    assert not peers.matching()._replace(sample=wrapped(peers.matching().sample)).has_pairs
    assert schedules.every(3).min_wakes == 3
    assert dataclasses.replace(schedules.every(3), decide=schedules.every().decide).min_wakes == 1


def test_short_cuts_are_not_replaced_alone_or_given_beside_functions() -> None:
    average, layer = merging.average(), jdgnn.sage(3)
    with pytest.raises(jdgnn.InputError, match=r"MergeRule.weigh: .*cannot be replaced alone; write .*mean_rule"):
        average._replace(weigh=merging.adopt().weigh)
    with pytest.raises(jdgnn.InputError, match=r"Layer.finish: .*write apply=jdgnn.layers.of_maps"):
        layer._replace(finish=abs)
    with pytest.warns(FutureWarning, match="MergeRule: weigh is not used"):
        rule = jdgnn.MergeRule(merge=average.merge, weigh=merging.adopt().weigh)
    assert rule == average
    with pytest.warns(FutureWarning, match="PeerSampler: pairs is not used"):
        jdgnn.PeerSampler(sample=to_the_next, pairs=abs)
    assert jdgnn.MergeRule(merge=average.merge, weigh=average.weigh) == average  # which is what is read off


def test_settings_that_were_changed_after_they_were_made_are_taken() -> None:
    """Their plain functions are what a compiled program is made of, as those of parts that `jdgnn.gossip` is given."""
    rule = merging.average()._replace(merge=lambda params, age, *others: (params, age))
    sleepy = clocks.always()._replace(sample=everybody)
    emulator = dataclasses.replace(
        emulator_with({}, "plain"),
        push=jdgnn.push().replace(peers=jdgnn.PeerSampler(sample=to_the_next)),  # type: ignore[attr-defined]
        gossip=jdgnn.gossip().replace(merge=rule),  # type: ignore[attr-defined]
        availability=jdgnn.availability().replace(clock=sleepy),  # type: ignore[attr-defined]
    )
    assert emulator.init(jax.random.key(5), PLAIN).num_nodes == NUM_NODES


@pytest.mark.parametrize("how", [None, "plain"])
def test_a_run_and_the_exact_encoder_agree_about_a_changed_layer(how: str | None) -> None:
    sevens = jdgnn.sage(3)._replace(apply=lambda params, own, aggregated: own[:3] + 7 * params["own"]["bias"])
    emulator = emulator_with({"layer": sevens}, how)
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(5), PLAIN), PLAIN, NUM_TICKS)
    state = jdgnn.refresh(emulator, state, PLAIN, 1)
    assert_allclose(emulator.embeddings(state), emulator.encode(state.params, PLAIN), rtol=1e-6)
    moved = emulator.embeddings(state) - PLAIN.features[:, :3]
    assert_allclose(moved, 7 * np.asarray(state.params[0]["layer"]["own"]["bias"]), atol=1e-5)
    assert np.abs(moved).max() > 1e-3
