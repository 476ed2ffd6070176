"""When the kernels are used, and what layers promise them."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import optax
import pytest
from numpy.testing import assert_allclose

import jdgnn
from jdgnn import clocks
from jdgnn.backend import calls, library
from jdgnn.backend.backend import backend
from jdgnn.emulation import chunks
from jdgnn.emulation.start import message_bytes
from jdgnn.emulation.ways import why_plain
from jdgnn.learning.layers import LAYERS
from jdgnn.learning.layers.linear_maps import ACTIVATIONS
from jdgnn.learning.local_step import EncodesOthersError, Received, finishing_loss, keys_of, local_loss, viewed
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS
from jdgnn.network.topology import topology
from jdgnn.protocol.merging import MERGES
from tests.backend.fast import FAST_LAYERS, FAST_OBJECTIVES
from tests.emulation.stepping import in_double
from tests.seldom import mostly_long
from tests.support import leaves, small_emulator, small_network

NETWORK = small_network()
ASLEEP = jdgnn.availability(clocks.bernoulli(0.5))


def why(dtype: Any = None, mixed: bool = False, **changes: Any) -> str | None:
    """The reason, with parameters in `dtype`, and all else in it unless `mixed`."""
    emulator = small_emulator(**{"gossip": jdgnn.gossip(capacity=1)} | changes)
    state = emulator.shapes(NETWORK)
    if dtype is None:
        return why_plain(emulator, state, NETWORK.features)

    def cast(leaf: Any) -> Any:
        return jax.ShapeDtypeStruct(leaf.shape, dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    if mixed:
        state = replace(state, params=jax.tree.map(cast, state.params))
        return why_plain(emulator, state, NETWORK.features)
    with jax.enable_x64(dtype == jnp.float64):
        return why_plain(emulator, jax.tree.map(cast, state), NETWORK.features.astype(dtype))


def wrapped() -> jdgnn.Layer:
    apply = jdgnn.gcn(4).apply
    return jdgnn.gcn(4)._replace(apply=lambda *arguments: apply(*arguments))


def with_another_map() -> jdgnn.Layer:
    plain = jdgnn.gcn(4)

    def init(*arguments: Any) -> Any:
        return plain.init(*arguments) | {"unused": {"kernel": jnp.ones((5, 4))}}

    return plain._replace(init=init)


def standing_still() -> jdgnn.Optimizer:
    return jdgnn.sgd(0.1)._replace(step=lambda gradient, opt_state, params, num_steps: (params, opt_state))


def merging_nothing() -> jdgnn.MergeRule:
    return MERGES["average"]()._replace(merge=lambda params, age, *others: (params, age))


def with_a_query() -> jdgnn.Layer:
    layer = jdgnn.gcn(4)

    def aggregate(own: Any, received: Any, mask: Any, links: Any, query: Any) -> Any:
        del query
        return layer.aggregate(own, received, mask, links, None)

    return layer._replace(query=lambda params, own: own, aggregate=aggregate)


def with_params() -> jdgnn.Objective:
    return jdgnn.info_nce()._replace(init=lambda key, num_units, dtype: jnp.zeros(num_units, dtype))


def encoding(change: Callable[[Any], Any]) -> jdgnn.Objective:
    """An objective that encodes what this makes of the node's own vectors, too."""
    plain = jdgnn.info_nce()

    def apply(params: Any, encode: Any, own: Any, aggregated: Any, *others: Any) -> Any:
        loss, aux = plain.apply(params, encode, own, aggregated, *others)
        return loss + jnp.sum(encode(change(own), aggregated)), aux

    return plain._replace(apply=apply)


REASONS: dict[str, tuple[dict[str, Any], str]] = {
    "off": ({"backend": "plain"}, "switched off"),
    "compact": ({"availability": ASLEEP, "active_fraction": 0.5}, "active_fraction is given"),
    "optax": ({"optimizer": optax.adamw(1e-2)}, "the optimizer has no step for outer products"),
    "wrapped optax": ({"optimizer": jdgnn.from_optax(optax.sgd(1e-2))}, "the optimizer has no step for outer products"),
    "two views": ({"objective": jdgnn.masked_views()}, "encodes other vectors than the node's own"),
    "foretold": ({"objective": jdgnn.next_input()}, r"layers\[0\].*: its objective has parameters"),
    "attention": ({"layers": [jdgnn.gat(4)]}, r"layers\[0\].*: it does not begin with linear maps"),
    "no mean": ({"gossip": jdgnn.gossip(capacity=1, merge=MERGES["variance_corrected"]())}, "no weighted mean"),
    "whole inbox": ({"gossip": jdgnn.gossip(capacity=2, merge=MERGES["krum"]())}, "sees the whole inbox"),
    "too many": (
        {"gossip": jdgnn.gossip(capacity=calls.MOST_SLOTS + 1), "availability": ASLEEP},
        f"gossip.capacity is {calls.MOST_SLOTS + 1}, .* up to {calls.MOST_SLOTS}",
    ),
    "another apply": (
        {"layers": [jdgnn.sage(3), wrapped()]},
        r"^layers\[1\]: it does not begin with linear maps",
    ),
    "another map": (
        {"layers": [with_another_map()]},
        r"layers\[0\].*: it has other parameters than .* linear maps",
    ),
    "another step": ({"optimizer": standing_still()}, "the optimizer has no step for outer products"),
    "another merge": ({"gossip": jdgnn.gossip(merge=merging_nothing())}, "no weighted mean"),
    "query": ({"layers": [with_a_query()]}, r"layers\[0\].*: it has a query"),
    "parameters": (
        {"objective": [jdgnn.info_nce(), with_params()]},
        r"^layers\[1\]: its objective has parameters",
    ),
    "views": (
        {"objective": [jdgnn.info_nce(), encoding(lambda own: 2 * own)]},
        r"^layers\[1\]: its objective encodes other vectors than the node's own",
    ),
    "zero views": ({"objective": encoding(jnp.zeros_like)}, r"layers\[0\].*: its objective encodes other vectors"),
    "half": ({"dtype": jnp.float16}, "parameters are not all b?float16"),
    "bfloat16": ({"dtype": jnp.bfloat16}, "parameters are not all b?float16"),
    "mixed": ({"dtype": jnp.float64, "mixed": True}, "parameters are not all float32"),
}


@pytest.mark.parametrize("name", REASONS)
def test_each_reason_is_named(name: str) -> None:
    changes, reason = REASONS[name]
    found = why(**changes)
    assert found is not None
    assert re.search(reason, found)


@pytest.mark.parametrize("name", [name for name in REASONS if "dtype" not in REASONS[name][0] and name != "off"])
def test_where_kernels_are_needed_the_reason_is_told(name: str) -> None:
    changes, reason = REASONS[name]
    emulator = small_emulator(**{"gossip": jdgnn.gossip(capacity=1), "backend": "cpu"} | changes)
    with pytest.raises(
        jdgnn.InputError, match=f"backend: got 'cpu', and compiled kernels cannot be used: .*{reason.lstrip('^')}"
    ):
        emulator.init(jax.random.key(0), NETWORK)


def test_a_reason_that_is_none_of_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "why_not", lambda: "it rains")
    assert why() == "it rains"
    assert why(backend="plain") == "they are switched off"


SHIPPED: dict[str, dict[str, Any]] = {
    **{f"layer {name}": {"layers": [make(4), make(3)]} for name, make in FAST_LAYERS.items()},
    **{f"activation {name}": {"layers": [jdgnn.sage(4, name, normalize=False)]} for name in ACTIVATIONS},
    **{f"objective {name}": {"objective": make()} for name, make in FAST_OBJECTIVES.items()},
    **{f"optimizer {name}": {"optimizer": make(0.1)} for name, make in OPTIMIZERS.items()},
    **{
        f"merge {name}": {"gossip": jdgnn.gossip(capacity=1, merge=make())}
        for name, make in MERGES.items()
        if make().weigh is not None
    },
    "no gossip": {"gossip": None},
    "train first": {"gossip": jdgnn.gossip(capacity=1, order="train_then_merge")},
    "two in place": {"gossip": jdgnn.gossip(capacity=2)},
    "merge only": {"gossip": jdgnn.gossip(capacity=1, order="merge_only")},
    "asleep": {"gossip": jdgnn.gossip(capacity=calls.MOST_SLOTS), "availability": ASLEEP},
    "late": {"gossip": jdgnn.gossip(capacity=3, link=jdgnn.link(delay=2))},
    "own, as it is": {"objective": encoding(lambda own: own)},
    "double": {"dtype": jnp.float64},
}


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.usefixtures("compiled")
def test_there_is_no_reason_for_what_is_shipped(name: str) -> None:
    assert why(**SHIPPED[name]) is None
    assert why(**SHIPPED[name], backend="cpu") is None


def test_which_shipped_parts_kernels_know() -> None:
    """Those that do not are few, and named."""
    whole_inbox = {name for name, make in MERGES.items() if make().merge_all is not None}
    assert {name for name, make in MERGES.items() if make().weigh is None} == {"variance_corrected"} | whole_inbox
    assert {name for name, make in LAYERS.items() if make(3).inputs is None} == {"gat", "gin"}
    assert all(make(3).inputs is not None and make(3).finish is not None for make in FAST_LAYERS.values())
    assert set(OBJECTIVES) - set(FAST_OBJECTIVES) == {"next_input", "masked_views"}
    assert all(make(0.1).step_outer is not None and make(0.1).rate is not None for make in OPTIMIZERS.values())


def programs(emulator: jdgnn.Emulator) -> tuple[str, str, str]:
    """What is compiled to draw events, to apply them and to refresh."""
    links, features = topology(NETWORK, backend(emulator.backend)), jnp.asarray(NETWORK.features)
    state = emulator.init(jax.random.key(0), NETWORK)
    drawing = chunks.draw.lower(
        emulator, links, state.key, state.tick, state.availability, 3, num_bytes=message_bytes(state), length=4
    )
    events = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), drawing.out_info[1])
    is_recorded = jnp.zeros(4, bool)
    advancing = chunks.advance.lower(emulator, links, features, state, events, jnp.int32(3), is_recorded)
    refreshing = chunks.refresh.lower(emulator, links, features, state, events, jnp.int32(3))
    return drawing.as_text(), advancing.as_text(), refreshing.as_text()


@pytest.mark.usefixtures("in_double")
def test_parameters_of_another_precision_than_the_inputs_are_a_reason() -> None:
    plain = jdgnn.gcn(4)

    def in_single(key: jax.Array, num_features: int, dtype: Any) -> Any:
        del dtype
        return plain.init(key, num_features, jnp.float32)

    network = in_double(NETWORK)
    emulator = small_emulator(layers=[plain._replace(init=in_single)], gossip=jdgnn.gossip(capacity=1))
    with jax.numpy_dtype_promotion("standard"):  # as users have it
        assert why_plain(emulator, emulator.shapes(network), network.features) is not None


@pytest.mark.parametrize("how", mostly_long([None, "plain"], [None]))
@pytest.mark.usefixtures("compiled")
def test_programs_call_kernels_only_where_they_may(how: str | None) -> None:
    emulator = small_emulator(backend=how, gossip=jdgnn.gossip(capacity=1))
    drawing, advancing, refreshing = programs(emulator)
    assert "jdgnn_" not in drawing
    assert ("jdgnn_merge" in advancing) == (how is None)
    assert how is None or "jdgnn_" not in advancing + refreshing


@pytest.mark.long
@pytest.mark.usefixtures("compiled")
def test_memory_is_that_of_the_program_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without kernels, whether they are switched off or missing, and not that of the program with them."""
    settings = {"gossip": jdgnn.gossip(capacity=1), "optimizer": jdgnn.sgd(0.1)}
    with_kernels, switched_off = (small_emulator(**settings, backend=how).memory(NETWORK) for how in (None, "plain"))
    monkeypatch.setattr(library, "why_not", lambda: "it rains")
    jax.clear_caches()
    assert small_emulator(**settings).memory(NETWORK) == switched_off != with_kernels


ALONE: dict[str, tuple[dict[str, Any], str]] = {
    "optax": ({"optimizer": optax.adamw(1e-2)}, "steps alone are written out"),
    "attention": ({"layers": [jdgnn.gcn(4), jdgnn.gat(3)]}, "one layer learns apart"),
    "parameters": ({"objective": [jdgnn.info_nce(), jdgnn.next_input()]}, "one layer learns apart"),
    "train first": ({"gossip": jdgnn.gossip(capacity=1, order="train_then_merge")}, ""),
    "train first, late": ({"gossip": jdgnn.gossip(order="train_then_merge", link=jdgnn.link(delay=2))}, ""),
    "several": ({"gossip": jdgnn.gossip(capacity=3, fanout=3)}, ""),
    "merged moments": ({"optimizer": jdgnn.optimizers.merged(jdgnn.momentum(0.1)), "layers": [jdgnn.gat(4)]}, "apart"),
}


@pytest.mark.parametrize("name", mostly_long(ALONE, ["train first, late"]))
@pytest.mark.usefixtures("compiled")
def test_each_operation_falls_back_alone(name: str) -> None:
    """Merging stays in place whatever learns in plain JAX, and all agrees with plain JAX alone."""
    changes, why_not = ALONE[name]
    ends = []
    with jax.enable_x64(True):
        network = in_double(NETWORK)
        for how in (None, "plain"):
            emulator = small_emulator(**{"gossip": jdgnn.gossip(capacity=1), "backend": how} | changes)
            ends.append(jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 7, record_every=3))
    for found, expected in zip(*map(leaves, ends), strict=True):
        assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    emulator = small_emulator(**{"gossip": jdgnn.gossip(capacity=1)} | changes)
    assert "jdgnn_merge" in programs(emulator)[1]
    assert (why_plain(emulator, emulator.shapes(NETWORK), NETWORK.features) is not None) == bool(why_not)


Linear = tuple[jdgnn.Layer, Any, jax.Array, jax.Array]


def drawn(make: Callable[..., jdgnn.Layer], **settings: Any) -> Linear:
    """A layer, its parameters, none of them zero, and what enters it."""
    layer, keys = make(5, **settings), jax.random.split(jax.random.key(0), 4)
    params = layer.init(keys[0], 3, jnp.float64)
    params = jax.tree.map(lambda leaf: leaf + 0.1 * jax.random.normal(keys[1], leaf.shape, leaf.dtype), params)
    own, aggregated = (jax.random.normal(key, (3,), jnp.float64) for key in keys[2:])
    return layer, params, own, aggregated


def summed(layer: jdgnn.Layer, params: Any, own: jax.Array, aggregated: jax.Array) -> jax.Array:
    """The sum of a layer's linear maps."""
    assert layer.inputs is not None
    inputs = layer.inputs(own, aggregated)
    assert set(inputs) == set(params)
    assert all(set(maps) in ({"kernel"}, {"kernel", "bias"}) for maps in params.values())
    maps = [inputs[name] @ params[name]["kernel"] + params[name].get("bias", 0.0) for name in inputs]
    return jnp.sum(jnp.stack(maps), axis=0)


@pytest.mark.parametrize("objective", FAST_OBJECTIVES)
@pytest.mark.parametrize("name", FAST_LAYERS)
@pytest.mark.usefixtures("in_double")
def test_the_loss_and_the_outer_products_are_those_of_the_plain_step(name: str, objective: str) -> None:
    layer, params, own, aggregated = drawn(LAYERS[name])
    one, key = OBJECTIVES[objective](), jax.random.key(1)
    others = jax.random.normal(jax.random.key(2), (2, 4, 5), jnp.float64)
    assert layer.inputs is not None
    for mask in (jnp.array([True, False, True, True]), jnp.zeros(4, bool)):
        received = Received(positives=others[0], pos_mask=mask, negatives=others[1], neg_mask=mask[::-1])
        (plain, told), gradient = jax.value_and_grad(
            lambda params: local_loss(layer, one, {"layer": params, "objective": ()}, own, aggregated, received, key),  # noqa: B023
            has_aux=True,
        )(params)
        key_view, key_loss = keys_of(one, key)
        seen = viewed(one, own, aggregated, key_view)
        (loss, found), outer = jax.value_and_grad(finishing_loss, argnums=2, has_aux=True)(
            layer, one, summed(layer, params, *seen), *seen, received, key_loss
        )
        found = (layer.apply(params, own, aggregated), *found[1:]) if one.view is not None else found
        jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-12, atol=1e-14), (loss, found), (plain, told))
        for map_name, vector in layer.inputs(*seen).items():
            assert_allclose(vector[:, None] * outer, gradient[map_name]["kernel"], rtol=1e-12, atol=1e-14)
            if "bias" in gradient[map_name]:
                assert_allclose(outer, gradient[map_name]["bias"], rtol=1e-12, atol=1e-14)


def test_other_vectors_cannot_be_encoded_from_the_sum() -> None:
    vector = jnp.ones(4)
    received = Received(
        positives=vector[None], pos_mask=jnp.ones(1, bool), negatives=vector[None], neg_mask=jnp.ones(1, bool)
    )
    with pytest.raises(EncodesOthersError):
        finishing_loss(
            jdgnn.gcn(4), encoding(lambda own: own + 1), vector, vector, vector + 1, received, jax.random.key(0)
        )
