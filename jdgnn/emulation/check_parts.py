"""Checks by shapes alone, before anything is computed, that parts return what the engine needs."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jax.typing import DTypeLike

from jdgnn.errors import InputError
from jdgnn.keys import is_key, reject_raw
from jdgnn.learning.layers import Layer
from jdgnn.learning.local_step import init_params
from jdgnn.learning.objectives import Objective
from jdgnn.learning.optimizers import Optimizer
from jdgnn.learning.optimizers.merged import MOMENTS
from jdgnn.network.topology import Topology
from jdgnn.parts import described, failures_named
from jdgnn.protocol.acceptance import Acceptance
from jdgnn.protocol.attacks import Attack
from jdgnn.protocol.availability import Availability
from jdgnn.protocol.clocks import Clock
from jdgnn.protocol.content import Content
from jdgnn.protocol.events import Traffic
from jdgnn.protocol.merging import MergeRule
from jdgnn.protocol.model import Model, Received
from jdgnn.protocol.presence import Presence
from jdgnn.protocol.roles import Attackers
from jdgnn.protocol.schedules import Schedule
from jdgnn.protocol.transport import has_pool

ALONE = Topology(  # one node, no links
    senders=jax.ShapeDtypeStruct((0,), jnp.int32),  # type: ignore[arg-type]
    receivers=jax.ShapeDtypeStruct((0,), jnp.int32),  # type: ignore[arg-type]
    in_degree=jax.ShapeDtypeStruct((1,), jnp.int32),  # type: ignore[arg-type]
    in_offset=jax.ShapeDtypeStruct((1,), jnp.int32),  # type: ignore[arg-type]
    by_sender=jax.ShapeDtypeStruct((0,), jnp.int32),  # type: ignore[arg-type]
    out_degree=jax.ShapeDtypeStruct((1,), jnp.int32),  # type: ignore[arg-type]
    out_offset=jax.ShapeDtypeStruct((1,), jnp.int32),  # type: ignore[arg-type]
)
WHOLE = jax.ShapeDtypeStruct((), jnp.int32)  # one whole number


def shape_of(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Shapes of what a part's function returns, with the numbers bound to it traced as in a run.

    Args:
      what: the part and its member, for error messages.
      function: the function; InputError if it fails.
      *arguments: arrays or shapes, and Python integers, which the function gets unchanged.
    """

    def call(function: Partial, traced: tuple[Any, ...]) -> Any:
        pairs = zip(arguments, traced, strict=True)
        return function(*(given if isinstance(given, int) else tracer for given, tracer in pairs))

    with failures_named(what):
        return jax.eval_shape(call, function if isinstance(function, Partial) else Partial(function), arguments)


def expect(what: str, given: Any, wanted: Any, why: str = "") -> None:
    """Raises InputError unless two trees of shapes are equal, dtypes included; `why` ends its sentence."""
    if signature(given) != signature(wanted):
        raise InputError(f"{what}: expected {described(wanted)}, got {described(given)}{why}")


def expect_of(what: str, wanted: Any, function: Callable[..., Any], *arguments: Any) -> None:
    """Raises InputError unless a part's function returns these shapes; arguments as of `shape_of`."""
    expect(what, shape_of(what, function, *arguments), wanted)


def memory_of(
    what: str, init: Callable[..., Any], *arguments: Any, num_rows: int | None = None, row: str = "node"
) -> Any:
    """Shapes of the memory that a part begins with; InputError unless it has a row per node or link, if so asked."""
    memory = shape_of(f"{what}.init", init, *arguments)
    reject_raw(f"{what}.init", memory)
    if num_rows is not None and any(leaf.shape[:1] != (num_rows,) for leaf in jax.tree.leaves(memory)):
        raise InputError(f"{what}.init: expected a row per {row}, [{num_rows}, ...], got {described(memory)}")
    return memory


def units_of(layers: Sequence[Layer], num_features: int, dtype: DTypeLike) -> tuple[int, ...]:
    """Width of each layer's embedding for nodes of `num_features` features; InputError if a layer gives no vector."""
    units: list[int] = []
    for index, layer in enumerate(layers):
        units.append(layer_units(f"layers[{index}]", layer, num_features, dtype))
        num_features = units[-1]
    return tuple(units)


def layer_units(what: str, layer: Layer, num_features: int, dtype: DTypeLike) -> int:
    """Width of a layer's output for one node without neighbours; InputError unless it has the dtype of the features."""
    own = jax.ShapeDtypeStruct((num_features,), dtype)
    params = shape_of(f"{what}.init", lambda key: layer.init(key, num_features, dtype), _key())
    if not jax.tree.leaves(params):
        raise InputError(f"{what}.init: expected at least one parameter, got none, so that the layer cannot learn")
    query = None if layer.query is None else shape_of(f"{what}.query", layer.query, params, own)
    aggregated = shape_of(f"{what}.aggregate", layer.aggregate, *_neighbourhood(own, query))
    one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), aggregated)
    output = shape_of(f"{what}.apply", layer.apply, params, own, one)
    if not isinstance(output, jax.ShapeDtypeStruct) or len(output.shape) != 1 or output.dtype != dtype:
        raise InputError(f"{what}.apply: expected one vector {jnp.dtype(dtype)}[F'], got {described(output)}")
    return output.shape[0]


def check_learning(
    what: str,
    layer: Layer,
    objective: Objective,
    optimizer: Optimizer,
    num_features: int,
    num_units: int,
    dtype: DTypeLike,
) -> None:
    """Raises InputError unless the objective returns a loss and the optimiser returns parameters of the same shapes."""
    params = shape_of(
        f"{what}: init",
        lambda key: init_params(layer, objective, optimizer, key, num_features, num_units, dtype),
        _key(),
    )
    _check_trainable(f"layers{what.removeprefix('objective')}.init", params["layer"])
    _check_trainable(f"{what}.init", params["objective"])
    vectors, mask = jax.ShapeDtypeStruct((3, num_units), dtype), jax.ShapeDtypeStruct((3,), bool)
    own = jax.ShapeDtypeStruct((num_features,), dtype)

    def encode(own: Any, aggregated: Any) -> jax.Array:
        return jnp.zeros(num_units, dtype)

    def loss(params: Any, own: Any, vectors: Any, mask: Any, key: Any) -> Any:
        return objective.apply(params, encode, own, own, vectors, mask, vectors, mask, key)

    given = shape_of(f"{what}.apply", loss, params["objective"], own, vectors, mask, _key())
    if not isinstance(given, tuple) or len(given) != 2 or not isinstance(given[1], dict):
        raise InputError(f"{what}.apply: expected a pair (loss, dict of scalars), got {described(given)}")
    expect(f"{what}.apply", given[0], jax.ShapeDtypeStruct((), dtype))
    if any(leaf.shape for leaf in jax.tree.leaves(given[1])):
        raise InputError(f"{what}.apply: expected aux to be a dict of scalars, got {described(given[1])}")
    expect_of(f"{what}.is_defined", jax.ShapeDtypeStruct((), bool), objective.is_defined, mask, mask)
    if optimizer.moments is not None and not jax.tree.leaves(params[MOMENTS]):
        raise InputError("optimizer: expected moments to merge, got none; make it without `merged`")
    opt_state = memory_of("optimizer", optimizer.init, params)
    expect_of("optimizer.step", (params, opt_state), optimizer.step, params, opt_state, params, WHOLE)


def _check_trainable(what: str, params: Any) -> None:
    """Raises InputError unless all parameters are floating-point numbers."""
    for path, leaf in jax.tree.leaves_with_path(params):
        if not jnp.issubdtype(leaf.dtype, jnp.inexact):
            draw = "; an objective is given a key of each node and tick" if is_key(leaf) else ""
            raise InputError(
                f"{what}: parameter {jax.tree_util.keystr(path)} is {described(leaf)}; expected floating-point "
                f"numbers, since parameters are trained, sent and merged{draw}"
            )


def check_merge(merge: MergeRule, params: Any, capacity: int) -> None:
    """Raises InputError unless a rule returns a model shaped like one node's `params`; an inbox holds `capacity`."""
    if merge.merge is not None:
        expect_of("merge", (params, WHOLE), merge.merge, params, WHOLE, params, WHOLE, WHOLE)
        return
    assert merge.merge_all is not None
    weight: Any = None if merge.divide is None else jax.eval_shape(jnp.ones, ())
    if merge.divide is not None:
        expect_of("merge.divide", weight, merge.divide, weight, WHOLE)
    whole: Any = WHOLE
    own = Model(params, whole, weight)
    rows = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((capacity, *leaf.shape), leaf.dtype), own)
    mask: Any = jax.ShapeDtypeStruct((capacity,), bool)
    received = Received(rows.params, rows.age, mask, rows.age, None, rows.weight)
    expect_of("merge.merge_all", own, merge.merge_all, own, received)


def check_content(what: str, content: Content, params: Any) -> None:
    """Raises InputError unless a content keeps the shape of its memory and decodes a model; `params` are one node's."""
    memory = memory_of(what, content.init, params)
    given = shape_of(f"{what}.encode", content.encode, memory, params, _key(), WHOLE)
    if not isinstance(given, tuple) or len(given) != 2:
        raise InputError(f"{what}.encode: expected a pair (memory, message), got {described(given)}")
    expect(f"{what}.encode", given[0], memory, " for the memory")
    for path, leaf in jax.tree.leaves_with_path(given[1]):
        if is_key(leaf) or leaf.dtype == jnp.uint16:
            place = jax.tree_util.keystr(path)
            raise InputError(f"{what}.encode: expected plain numbers, and none of uint16, got {described(leaf)}{place}")
    is_carried = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, bool), params)
    expect_of(f"{what}.decode", (params, is_carried), content.decode, given[1], params)


def check_carried(content: Content, merge: MergeRule, params: Any) -> None:
    """Raises InputError where a message carries part of a model, and its moments or weight belong to the whole."""
    if any(MOMENTS in layer for layer in params):
        why = "the optimizer's moments are merged with the model and would be carried in other places than it"
    elif merge.divide is not None:
        why = "gossip.merge adds up weights of whole models"
    else:
        return
    if not _carries_all(content, params):
        raise InputError(
            f"gossip.content: expected one that carries all numbers, since {why}, got one that carries a part"
        )


def _carries_all(content: Content, params: Any) -> bool:
    """Whether a message carries all numbers of a model; tried on a model of ones."""
    ones = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), params)
    _, message = content.encode(content.init(ones), ones, jax.random.key(0), jnp.int32(0))
    return all(bool(jnp.all(leaf)) for leaf in jax.tree.leaves(content.decode(message, ones)[1]))


def check_attackers(attackers: Attackers, num_nodes: int) -> None:
    """Raises InputError if no node is honest, or if a positive share selects no attacker."""
    choose: Any = attackers.selection.choose
    count, share = int(jnp.sum(choose(jax.random.key(0), num_nodes))), getattr(choose, "keywords", {}).get("share")
    if count == num_nodes:
        raise InputError(
            f"attackers: expected at least one honest node, got {num_nodes} attackers of {num_nodes} nodes"
        )
    if count == 0 and share is not None and float(share) > 0:
        raise InputError(
            f"attackers.share: expected one that is at least one of {num_nodes} nodes, or 0, got {float(share):g}"
        )


def check_attack(what: str, attack: Attack, params: Any) -> None:
    """Raises InputError unless an attack returns a model of the shape of the one it takes; `params` are one node's."""
    expect_of(what, params, attack.corrupt, params, _key(), WHOLE)


def check_traffic(traffic: Traffic, links: Topology) -> None:
    """Raises InputError unless the parts of the protocol return what is needed.

    Peer samplers, drops and delays are checked where they draw, in `jdgnn.protocol.events` and `link_draws`.
    """
    num_nodes = links.num_nodes
    check_availability(traffic.availability, num_nodes)
    check_links(traffic, links)
    num_uniforms = 1 + traffic.inbox_capacity
    if traffic.publish.schedule is not None:
        memory = shape_of("publish.schedule.init", traffic.publish.schedule.init)
        expect("publish.schedule.init", memory, (), ", since nothing is remembered of what was published")
        check_schedule("publish.schedule", traffic.publish.schedule, 1, num_uniforms)
    if traffic.push is not None:
        check_schedule("push.schedule", traffic.push.schedule, traffic.push.fanout, num_uniforms)
    if traffic.gossip is not None:
        check_schedule("gossip.schedule", traffic.gossip.schedule, traffic.gossip.fanout, num_uniforms)
        check_acceptance("gossip.acceptance", traffic.gossip.acceptance, num_nodes, traffic.gossip.capacity)


def check_effect(traffic: Traffic, active_fraction: float | None) -> None:
    """Raises InputError where a setting has no effect because no node sleeps or no model is late."""
    gossip, availability = traffic.gossip, traffic.availability
    if gossip is not None and gossip.pool is not None and not has_pool(traffic):
        raise InputError(
            "gossip.pool: has no effect, since no node sleeps and no model is late: each is merged in the tick after "
            "it was sent; remove it"
        )
    if active_fraction is not None and not availability.can_sleep and not availability.can_be_offline:
        raise InputError(
            "active_fraction: has no effect, since all nodes are always awake; remove it, or choose an "
            "availability.clock"
        )
    if traffic.attackers is not None and gossip is None:
        raise InputError("attackers: has no effect, since no models are sent; remove it, or give gossip")
    if availability.on_receipt and (gossip is None or not availability.can_sleep):
        reason = "no models are sent" if gossip is None else "no node is ever asleep"
        raise InputError(f"availability.on_receipt: has no effect, since {reason}; remove it")


def check_availability(availability: Availability, num_nodes: int) -> None:
    """Raises InputError unless clock and presence return masks [N] of nodes and keep the shape of their memory."""
    _check_attendance("availability.clock", availability.clock, num_nodes, num_masks=1)
    for index, presence in enumerate(availability.presence):
        what = f"availability.presence[{index}]"
        _check_attendance(what, presence, num_nodes, num_masks=2)
        if presence.check is not None:
            with failures_named(f"{what}.check"):
                presence.check(num_nodes)


def _check_attendance(what: str, part: Clock | Presence, num_nodes: int, num_masks: int) -> None:
    memory = memory_of(what, part.init, _key(), num_nodes, num_rows=num_nodes)
    if part.sample is not None:
        masks = (jax.ShapeDtypeStruct((num_nodes,), bool),) * num_masks
        expect_of(f"{what}.sample", (memory, *masks), part.sample, _key(), WHOLE, num_nodes, memory)


def check_links(traffic: Traffic, links: Topology) -> None:
    """Raises InputError unless models of links keep a row per link or node, and return which links are up."""
    memories = {}
    for name, init in traffic.link_memories().items():
        num_rows, row = (links.num_edges, "link") if name in ("links", "publish") else (links.num_nodes, "node")
        memories[name] = memory_of(_OF_LINKS[name], init, _key(), links, num_rows=num_rows, row=row)
    if traffic.availability.links is not None and "links" in memories:
        sample = traffic.availability.links.sample
        assert sample is not None
        memory, is_up = memories["links"], jax.ShapeDtypeStruct((links.num_edges,), bool)
        expect_of("availability.links.sample", (memory, is_up), sample, _key(), WHOLE, links, memory)


_OF_LINKS = {"links": "availability.links"} | {name: f"{name}.link.drop" for name in ("publish", "push", "gossip")}
"""How errors name the parts with a memory of links, by the names of `Traffic.link_memories`."""


def check_schedule(what: str, schedule: Schedule, num_candidates: int, num_uniforms: int) -> None:
    """Raises InputError unless a schedule returns one whole number and keeps the shape of its memory."""
    memory = memory_of(what, schedule.init)
    uniforms = jax.ShapeDtypeStruct((num_uniforms,), jnp.float32) if schedule.is_random else None
    expect_of(f"{what}.decide", WHOLE, schedule.decide, memory, WHOLE, WHOLE, uniforms, num_candidates)
    expect_of(f"{what}.settle", memory, schedule.settle, memory, WHOLE)


def check_acceptance(what: str, acceptance: Acceptance, num_nodes: int, capacity: int) -> None:
    """Raises InputError unless an acceptance rule returns one float per model, for one model and for all inboxes."""
    if acceptance.probability is None:
        return
    what = f"{what}.probability"
    for shape in ((num_nodes, capacity), ()):
        degree = jax.ShapeDtypeStruct(shape, jnp.int32)
        given = shape_of(what, acceptance.probability, degree, degree)
        is_array = isinstance(given, jax.ShapeDtypeStruct)
        if not is_array or given.shape != shape or not jnp.issubdtype(given.dtype, jnp.floating):
            wanted = f"one float per model, {list(shape)} for degrees {list(shape)}"
            raise InputError(f"{what}: expected {wanted}, got {described(given)}")


def _neighbourhood(own: Any, query: Any) -> tuple[Any, ...]:
    def stacked(leaf: Any, count: int) -> Any:
        return jax.ShapeDtypeStruct((count, *leaf.shape), leaf.dtype)

    queries = jax.tree.map(lambda leaf: stacked(leaf, 1), query)
    return stacked(own, 1), stacked(own, 0), jax.ShapeDtypeStruct((0,), bool), ALONE, queries


def _key() -> Any:
    return jax.eval_shape(lambda: jax.random.key(0))


def signature(shapes: Any) -> Any:
    """Structure, shapes and dtypes of a tree, to compare."""
    leaves, structure = jax.tree.flatten(shapes)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]
