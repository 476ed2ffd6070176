"""Whether parts give what the engine needs: found by shapes alone, before anything is computed."""

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
    """Shapes of what a part's function gives, with the numbers bound to it traced as they will be.

    Args:
      what: the part and its member, as errors should name them.
      function: the function.
      *arguments: what it is called with: arrays or shapes, and Python's whole numbers, which it gets as they are.

    Returns:
      A tree of shapes.

    Raises:
      InputError: the function fails.
    """

    def call(function: Partial, traced: tuple[Any, ...]) -> Any:
        pairs = zip(arguments, traced, strict=True)
        return function(*(given if isinstance(given, int) else tracer for given, tracer in pairs))

    with failures_named(what):
        return jax.eval_shape(call, function if isinstance(function, Partial) else Partial(function), arguments)


def expect(what: str, given: Any, wanted: Any, why: str = "") -> None:
    """Raises InputError unless two trees of shapes are the same, dtypes included; `why` ends its sentence."""
    if _signature(given) != _signature(wanted):
        raise InputError(f"{what}: expected {described(wanted)}, got {described(given)}{why}")


def units_of(layers: Sequence[Layer], num_features: int, dtype: DTypeLike) -> tuple[int, ...]:
    """Width of each layer's embedding, for nodes of `num_features` features.

    Raises:
      InputError: a layer cannot be applied, or gives no vector.
    """
    units: list[int] = []
    for index, layer in enumerate(layers):
        units.append(layer_units(f"layers[{index}]", layer, num_features, dtype))
        num_features = units[-1]
    return tuple(units)


def layer_units(what: str, layer: Layer, num_features: int, dtype: DTypeLike) -> int:
    """Width of a layer's output for one node without neighbours.

    Raises:
      InputError: the layer cannot be applied, or gives no vector of the dtype of the features.
    """
    own = jax.ShapeDtypeStruct((num_features,), dtype)
    params = shape_of(f"{what}.init", lambda key: layer.init(key, num_features, dtype), _key())
    if not jax.tree.leaves(params):
        raise InputError(f"{what}.init: it gives no parameter, and a layer that can learn needs at least one")
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
    """Raises InputError unless the objective gives a loss, and the optimiser gives parameters as they were."""
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
    expect(
        f"{what}.is_defined",
        shape_of(f"{what}.is_defined", objective.is_defined, mask, mask),
        jax.ShapeDtypeStruct((), bool),
    )
    if optimizer.moments is not None and not jax.tree.leaves(params[MOMENTS]):
        raise InputError("optimizer: its moments are to be merged, and it keeps none; give it without `merged`")
    opt_state = shape_of("optimizer.init", optimizer.init, params)
    reject_raw("optimizer.init", opt_state)
    expect(
        "optimizer.step",
        shape_of("optimizer.step", optimizer.step, params, opt_state, params, WHOLE),
        (params, opt_state),
    )


def _check_trainable(what: str, params: Any) -> None:
    """Raises InputError unless all parameters are numbers that can be trained, sent and merged."""
    for path, leaf in jax.tree.leaves_with_path(params):
        if not jnp.issubdtype(leaf.dtype, jnp.inexact):
            draw = "; an objective is given a key of each node and tick" if is_key(leaf) else ""
            raise InputError(
                f"{what}: parameter {jax.tree_util.keystr(path)} is {described(leaf)}; expected floating-point "
                f"numbers, since parameters are trained, sent and merged{draw}"
            )


def check_merge(merge: MergeRule, params: Any, capacity: int) -> None:
    """Raises InputError unless a merge rule gives a model of the shape of those it takes.

    Args:
      merge: the rule.
      params: parameters of one node.
      capacity: M, models in an inbox.
    """
    if merge.merge is not None:
        given = shape_of("merge", merge.merge, params, WHOLE, params, WHOLE, WHOLE)
        expect("merge", given, (params, WHOLE))
        return
    assert merge.merge_all is not None
    weight: Any = None if merge.divide is None else jax.eval_shape(jnp.ones, ())
    if merge.divide is not None:
        expect("merge.divide", shape_of("merge.divide", merge.divide, weight, WHOLE), weight)
    whole: Any = WHOLE
    own = Model(params, whole, weight)
    rows = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((capacity, *leaf.shape), leaf.dtype), own)
    mask: Any = jax.ShapeDtypeStruct((capacity,), bool)
    received = Received(rows.params, rows.age, mask, rows.age, None, rows.weight)
    expect("merge.merge_all", shape_of("merge.merge_all", merge.merge_all, own, received), own)


def check_content(what: str, content: Content, params: Any) -> None:
    """Raises InputError unless a content keeps its memory as it was and gives back a model; `params` are one node's."""
    memory = shape_of(f"{what}.init", content.init, params)
    reject_raw(f"{what}.init", memory)
    given = shape_of(f"{what}.encode", content.encode, memory, params, _key(), WHOLE)
    if not isinstance(given, tuple) or len(given) != 2:
        raise InputError(f"{what}.encode: expected a pair (memory, message), got {described(given)}")
    expect(f"{what}.encode", given[0], memory, " for the memory")
    for path, leaf in jax.tree.leaves_with_path(given[1]):
        if is_key(leaf) or leaf.dtype == jnp.uint16:
            place = jax.tree_util.keystr(path)
            raise InputError(f"{what}.encode: expected plain numbers, and none of uint16, got {described(leaf)}{place}")
    is_carried = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, bool), params)
    expect(f"{what}.decode", shape_of(f"{what}.decode", content.decode, given[1], params), (params, is_carried))


def check_carried(content: Content, merge: MergeRule, params: Any) -> None:
    """Raises InputError where part of a model would travel, and what stands beside it says something of the whole."""
    has_moments = any(MOMENTS in layer for layer in params)
    if not (has_moments or merge.divide is not None) or _carries_all(content, params):
        return
    if has_moments:
        raise InputError(
            "gossip.content: expected one that carries all numbers, since the optimizer's moments are merged with the "
            "model and would be carried in other places than it, got one that carries a part"
        )
    raise InputError(
        "gossip.content: expected one that carries all numbers, since gossip.merge adds up weights of whole models, "
        "got one that carries a part"
    )


def _carries_all(content: Content, params: Any) -> bool:
    """Whether a message carries all numbers of a model; tried with one of ones."""
    ones = jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), params)
    _, message = content.encode(content.init(ones), ones, jax.random.key(0), jnp.int32(0))
    return all(bool(jnp.all(leaf)) for leaf in jax.tree.leaves(content.decode(message, ones)[1]))


def check_attackers(attackers: Attackers, num_nodes: int) -> None:
    """Raises InputError where nobody attacks, though a share should, or nobody is honest."""
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
    """Raises InputError unless an attack gives a model of the shape of the one it takes; `params` are one node's."""
    expect(what, shape_of(what, attack.corrupt, params, _key(), WHOLE), params)


def check_traffic(traffic: Traffic, links: Topology) -> None:
    """Checks all that decides who takes part and what is sent, but for what draws receivers, losses and delays.

    Those have their checks where they draw, in `jdgnn.protocol.events` and `link_draws`.

    Args:
      traffic: the parts.
      links: who is linked.

    Raises:
      InputError: a part fails, or gives something else than its kind should.
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
    """Raises InputError where a setting can have no effect, since nobody sleeps or nothing is late."""
    gossip, availability = traffic.gossip, traffic.availability
    if gossip is not None and gossip.pool is not None and not has_pool(traffic):
        raise InputError(
            "gossip.pool: has no effect, since nobody sleeps and no model is late, so that each is merged in the tick "
            "after it was sent; remove it"
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
    """Raises InputError unless clock and presence give masks [N] of nodes, and keep what they remember as it was."""
    _check_attendance("availability.clock", availability.clock, num_nodes, num_masks=1)
    for index, presence in enumerate(availability.presence):
        what = f"availability.presence[{index}]"
        _check_attendance(what, presence, num_nodes, num_masks=2)
        if presence.check is not None:
            with failures_named(f"{what}.check"):
                presence.check(num_nodes)


def _check_attendance(what: str, part: Clock | Presence, num_nodes: int, num_masks: int) -> None:
    memory = shape_of(f"{what}.init", part.init, _key(), num_nodes)
    reject_raw(f"{what}.init", memory)
    if any(leaf.shape[:1] != (num_nodes,) for leaf in jax.tree.leaves(memory)):
        raise InputError(f"{what}.init: expected a row per node, [{num_nodes}, ...], got {described(memory)}")
    if part.sample is not None:
        given = shape_of(f"{what}.sample", part.sample, _key(), WHOLE, num_nodes, memory)
        masks = (jax.ShapeDtypeStruct((num_nodes,), bool),) * num_masks
        expect(f"{what}.sample", given, (memory, *masks))


def check_links(traffic: Traffic, links: Topology) -> None:
    """Raises InputError unless models of links remember a row for each link or node, and say which links are up."""
    memories = {}
    for name, init in traffic.link_memories().items():
        what, is_of_edges = _OF_LINKS[name], name in ("links", "publish")
        memories[name] = shape_of(f"{what}.init", init, _key(), links)
        reject_raw(f"{what}.init", memories[name])
        num_rows, row = (links.num_edges, "link") if is_of_edges else (links.num_nodes, "node")
        if any(leaf.shape[:1] != (num_rows,) for leaf in jax.tree.leaves(memories[name])):
            raise InputError(
                f"{what}.init: expected a row per {row}, [{num_rows}, ...], got {described(memories[name])}"
            )
    if traffic.availability.links is not None and "links" in memories:
        sample = traffic.availability.links.sample
        assert sample is not None
        given = shape_of("availability.links.sample", sample, _key(), WHOLE, links, memories["links"])
        expect("availability.links.sample", given, (memories["links"], jax.ShapeDtypeStruct((links.num_edges,), bool)))


_OF_LINKS = {"links": "availability.links"} | {name: f"{name}.link.drop" for name in ("publish", "push", "gossip")}
"""What remembers something of links, as errors should name it, by the names of `Traffic.link_memories`."""


def check_schedule(what: str, schedule: Schedule, num_candidates: int, num_uniforms: int) -> None:
    """Raises InputError unless a schedule decides on one whole number, and keeps what it remembers as it was."""
    memory = shape_of(f"{what}.init", schedule.init)
    reject_raw(f"{what}.init", memory)
    uniforms = jax.ShapeDtypeStruct((num_uniforms,), jnp.float32) if schedule.is_random else None
    wanted = shape_of(f"{what}.decide", schedule.decide, memory, WHOLE, WHOLE, uniforms, num_candidates)
    expect(f"{what}.decide", wanted, WHOLE)
    expect(f"{what}.settle", shape_of(f"{what}.settle", schedule.settle, memory, WHOLE), memory)


def check_acceptance(what: str, acceptance: Acceptance, num_nodes: int, capacity: int) -> None:
    """Raises InputError unless an acceptance rule gives one float per model, be it one or those of all inboxes."""
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


def _signature(shapes: Any) -> Any:
    leaves, structure = jax.tree.flatten(shapes)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]
