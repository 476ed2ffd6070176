"""The contract of docs/design.md over every registered part."""

from dataclasses import fields, replace
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jdgnn
from jdgnn.backend.backend import backend
from jdgnn.emulation import in_place, outgoing, train
from jdgnn.emulation.start import message_bytes, sample_events
from jdgnn.emulation.state import State
from jdgnn.emulation.tick import apply_events
from jdgnn.network.topology import topology
from jdgnn.protocol.accounts import OUTCOMES
from jdgnn.protocol.events import node_keys
from jdgnn.protocol.transport import ModelPool
from tests.emulation.mixes import MIXES, NETWORK, NUM_NODES, Mix, only
from tests.emulation.relabelling import Relabelling, contents
from tests.emulation.stepping import Step, in_double, steps
from tests.samples import KINDS, PARTS
from tests.seldom import mostly_long
from tests.support import assert_accounts_add_up, assert_same_bits, leaves, num_programs, small_emulator

NUM_TICKS = 20
HELD = (
    "params",
    "opt_state",
    "embeddings",
    "embedded_at",
    "age",
    "wakes",
    "num_steps",
    "push_schedule",
    "model_schedule",
)


def shapes(state: Any) -> Any:
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state)


def test_every_registered_part_is_covered() -> None:
    for kind, registry in KINDS.items():
        assert set(PARTS[kind]) == set(registry)
        assert set().union(*(mix.names(kind) for mix in MIXES.values())) == set(registry)


@pytest.mark.long  # each stands in a run of those below
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in PARTS for name in PARTS[kind]])
def test_a_tick_with_any_part_keeps_the_tree_shapes_and_dtypes(kind: str, name: str) -> None:
    emulator, links = only(kind, name).emulator().bound(NETWORK), topology(NETWORK)

    def tick(features: jax.Array, state: State) -> State:
        _, events = sample_events(emulator, links, message_bytes(state), state.key, state.tick, state.availability)
        return apply_events(emulator, links, features, state, events)[0]

    state = emulator.shapes(NETWORK)
    assert shapes(jax.eval_shape(tick, jnp.asarray(NETWORK.features), state)) == shapes(state)


USUAL: list[tuple[str, str | None]] = [(name, None) for name in MIXES]
WITHOUT_KERNELS: list[tuple[str, str | None]] = [("harsh", "plain"), ("walking", "plain")]  # else they are used
ON_ACCELERATOR: list[tuple[str, str | None]] = [("harsh", "accelerator"), ("walking", "accelerator")]
OFTEN: list[tuple[str, str | None]] = [("harsh", None)]
ways = pytest.mark.parametrize(
    ("name", "how"), mostly_long(USUAL + WITHOUT_KERNELS + ON_ACCELERATOR, OFTEN + ON_ACCELERATOR[:1])
)


def emulator_of(mix: Mix, how: str | None, variant: int = 0) -> jdgnn.Emulator:
    return replace(mix.emulator(variant), backend=how)


class Ran(NamedTuple):
    """A run from the start, and how many programs there were after it."""

    mix: Mix
    how: str | None
    start: State
    end: State
    history: jdgnn.History
    num_programs: int


RAN = [way for way in USUAL if "." not in way[0]]  # those beside bring one part more, and cost as much


@pytest.fixture(
    scope="module",
    params=[way if way in RAN else pytest.param(way, marks=pytest.mark.long) for way in (*USUAL, ("walking", "plain"))],
    ids="{0[0]}-{0[1]}".format,
)
def ran(request: pytest.FixtureRequest) -> Ran:
    name, how = request.param
    mix = MIXES[name]
    emulator = emulator_of(mix, how)
    start = emulator.init(jax.random.key(3), NETWORK)
    end, history = jdgnn.run(emulator, jdgnn.copy(start), NETWORK, NUM_TICKS, record_every=1)
    return Ran(mix, how, start, end, history, num_programs())


def test_a_run_keeps_the_state_and_moves_the_parameters(ran: Ran) -> None:
    assert shapes(ran.end) == shapes(ran.start)
    assert all(np.isfinite(leaf).all() for leaf in leaves(ran.end.params))
    assert any((a != b).any() for a, b in zip(leaves(ran.start.params), leaves(ran.end.params), strict=True))
    assert (ran.history.stepped.max() > 0) == (ran.mix.order != "merge_only")
    assert_accounts_add_up(ran.end, NETWORK)


def test_cutting_and_recording_change_no_bit_and_compile_nothing(ran: Ran) -> None:
    state = jdgnn.copy(ran.start)
    for ticks in (1, NUM_TICKS - 6, 5):
        state, _ = jdgnn.run(emulator_of(ran.mix, ran.how), state, NETWORK, ticks, record_every=100)
    assert_same_bits(ran.end, state)
    assert num_programs() == ran.num_programs


def test_other_numbers_compile_nothing(ran: Ran) -> None:
    emulator = emulator_of(ran.mix, ran.how, variant=1)
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(3), NETWORK), NETWORK, NUM_TICKS)
    assert num_programs() == ran.num_programs
    assert any((a != b).any() for a, b in zip(leaves(ran.end), leaves(state), strict=True))


def test_a_run_takes_over_the_arrays_of_its_state(ran: Ran) -> None:
    state = jdgnn.copy(ran.start)
    given = (state.params, state.opt_state)
    places = {leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(given)}
    state, _ = jdgnn.run(emulator_of(ran.mix, ran.how), state, NETWORK, NUM_TICKS)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(given))
    assert {leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves((state.params, state.opt_state))} == places
    assert num_programs() == ran.num_programs


def test_an_optimiser_of_optax_is_one_program_for_each_object() -> None:
    transformation = optax.adamw(1e-2)
    compiled = []
    for _ in range(2):
        emulator = small_emulator(layers=[jdgnn.gcn(4)], optimizer=transformation, gossip=None)
        state = emulator.init(jax.random.key(0), NETWORK)
        before = leaves(state.params)
        state, _ = jdgnn.run(emulator, state, NETWORK, 4)
        assert any((a != b).any() for a, b in zip(before, leaves(state.params), strict=True))
        compiled.append(num_programs())
    assert compiled[0] == compiled[1]


@jax.jit
def apply_in_order(old: jax.Array, *given: Any) -> Any:
    """A tick in which node v draws by the number `old[v]`; one program for nodes as they are and relabelled."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (in_place, outgoing, train):
            patch.setattr(module, "node_keys", lambda *numbers: node_keys(*numbers)[old])
        return apply_events(*given)


@cache
def first_steps(name: str, how: str | None) -> list[Step]:
    """The first ticks of a mix in float64."""
    in_order = partial(apply_in_order, jnp.arange(NUM_NODES, dtype=jnp.int32))
    with jax.enable_x64():
        return list(steps(emulator_of(MIXES[name], how), NETWORK, NUM_TICKS, apply=in_order))


@ways
def test_relabelling_nodes_and_events_commutes_with_a_tick(name: str, how: str | None) -> None:
    taken = first_steps(name, how)
    step = next(step for step in reversed(taken) if step.info.is_stepped.any() or MIXES[name].order == "merge_only")
    with jax.enable_x64():
        relabel = Relabelling(in_double(NETWORK), np.random.default_rng(0).permutation(NUM_NODES))
        arrays = (topology(relabel.network, backend(how)), jnp.asarray(relabel.network.features))
        state, events = relabel.state(step.before), relabel.events(step.events)
        relabelled, _ = apply_in_order(
            jnp.asarray(relabel.old, jnp.int32),
            emulator_of(MIXES[name], how).bound(NETWORK),
            *arrays,
            state,
            events,
        )
        expected = relabel.state(step.after)
        for field in fields(State):
            if field.name not in ("key", "availability"):
                assert_alike(getattr(relabelled, field.name), getattr(expected, field.name))


def assert_alike(actual: Any, expected: Any) -> None:
    """Compares two trees; of pools, what is in them."""
    if isinstance(expected, ModelPool):
        actual, expected = contents(actual), contents(expected)
    structures: list[Any] = [jax.tree.structure(actual), jax.tree.structure(expected)]
    assert structures[0] == structures[1]
    for a, b in zip(leaves(actual), leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@ways
def test_who_does_not_act_keeps_everything_bit_for_bit(name: str, how: str | None) -> None:
    num_active = num_inactive = num_offline = 0
    for step in first_steps(name, how):
        before, after = as_numpy(step.before), as_numpy(step.after)
        active, online = np.asarray(step.info.active), np.asarray(step.info.online)
        assert not (active & ~online).any()
        assert_same_bits(held(before, ~active), held(after, ~active))
        assert_same_bits(received(before, ~online), received(after, ~online))
        num_active += active.sum()
        num_inactive += (~active).sum()
        num_offline += (~online).sum()
    mix = MIXES[name]
    assert num_active > 0
    assert (num_inactive > 0) == (mix.clock != "always" or bool(mix.presence))
    assert (num_offline > 0) == bool(mix.presence)


def as_numpy(state: State) -> State:
    arrays: State = jax.tree.map(np.asarray, replace(state, key=jax.random.key_data(state.key)))
    return arrays


def held(state: State, mask: np.ndarray) -> Any:
    """What nodes hold that only they change themselves."""
    own = [getattr(state, name) for name in HELD]
    sent = state.accounts.words[:, :, [OUTCOMES.index("sent"), OUTCOMES.index("dropped")]]
    kept = getattr(state.models, "kept", None)
    return rows((own, sent), mask), None if kept is None else models_at(state.models, kept[mask])


def received(state: State, mask: np.ndarray) -> Any:
    """What nodes hold of others, without what is on its way."""
    mailbox = None if state.mailbox is None else (state.mailbox.entries, state.mailbox.version)
    inbox = getattr(state.models, "inbox", None)
    waiting = None if inbox is None else models_at(state.models, inbox[mask])
    return rows(state.samples, mask), rows(mailbox, mask[NETWORK.receivers]), waiting


def rows(tree: Any, mask: np.ndarray) -> Any:
    return jax.tree.map(lambda leaf: leaf[mask], tree)


def models_at(pool: Any, places: np.ndarray) -> Any:
    """Which places these are, and the models there."""
    taken = places[places < pool.num_places]
    return places, rows((pool.params, pool.age, pool.src), taken)
