"""The kernels as functions of JAX arrays; to be called only if `why_not()` is None.

Axes: N nodes, R rows of a matrix (inputs of a layer), C columns (its outputs), M models in an inbox, Q places.
"""

import os
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

MOST_SLOTS = 16  # models merged by one node in one tick
MOST_CORES = 64
PIECES_PER_CORE = 4
MOST_KEPT = 512


class Affine(NamedTuple):
    """A matrix and a bias of all nodes, or arrays of the same shapes."""

    matrix: jax.Array  # [N, R, C]
    bias: jax.Array  # [N, C], or [N, 0] for none


class Plan(NamedTuple):
    """An order of the nodes in which each model is read before it is overwritten."""

    order: jax.Array  # [N] int32, nodes, N at the end
    kind: jax.Array  # [N] int32, which of them are saved, or read a saved model
    kept: jax.Array  # [K] int32, nodes whose models are copied first, N at the end
    bounds: jax.Array  # [pieces + 1] int32, bounds of pieces of the order that run in parallel


class Rounding(NamedTuple):
    """Seeds by which a matrix and a bias are rounded when they are stored in bfloat16; see `jdgnn.backend.bfloat16`."""

    matrix: jax.Array  # [N] uint32, or [N, M]
    bias: jax.Array


class Exchange(NamedTuple):
    """The models that each node merges in this tick."""

    plan: Any  # a `Plan`; of other backends what their `plan` gives
    source: jax.Array  # [N, M] int32, row of each model; out of range for none
    share: jax.Array  # [N, M], share of the received model in the mean
    rounding: Rounding | None = None  # [N, M] each; None, as the kernels need, where nothing is rounded


class Step(NamedTuple):
    """A step along a gradient that is an outer product: parameters − input ⊗ scaled."""

    input: jax.Array  # [N, R]
    scaled: jax.Array  # [N, C], gradient by the outputs, times the rate
    is_stepping: jax.Array  # [N] bool
    rounding: Rounding | None = None  # [N] each; None as in an exchange


def plan(source: jax.Array, active: jax.Array, *, cores: int | None = None) -> Plan:
    """An order in which models can be merged in place, from whose model each node merges [N]; out of range for none."""
    sizes = (source.size, source.size, MOST_KEPT, PIECES_PER_CORE * (cores or num_cores()) + 1)
    shapes = tuple(jax.ShapeDtypeStruct((size,), jnp.int32) for size in sizes)
    return Plan(*_call("jdgnn_plan", shapes, (source, active)))


def merge(
    own: Affine,
    sent: Affine | None,
    exchange: Exchange,
    pending: Step | None,
    inputs: jax.Array | None,
    *,
    cores: int | None = None,
) -> tuple[Affine, jax.Array]:
    """Makes pending steps, merges, and multiplies by inputs of the layer, in one pass and in place.

    Args:
      own: parameters of all nodes.
      sent: models to be merged [Q, ...]; None for those of the nodes, with their pending steps made first.
      exchange: which models are merged.
      pending: steps to be made before merging; None for none.
      inputs: up to two input vectors of each node [N, I, R]; None if no product is needed.
      cores: the number of cores that work is cut for; those of this process if None. If a small network's matrices are
        cut into slices, whose products are added, the last bits depend on it.

    Returns:
      The parameters, changed for nodes in the plan; and inputs · matrix + bias [N, I, C], zero for other nodes.
    """
    num_nodes, rows, columns = own.matrix.shape
    dtype = own.matrix.dtype
    sent = Affine(jnp.zeros((0, rows, columns), dtype), jnp.zeros((0, columns), dtype)) if sent is None else sent
    if pending is None:
        pending = Step(jnp.zeros((0, rows), dtype), jnp.zeros((0, columns), dtype), jnp.zeros(0, bool))
    inputs = jnp.zeros((num_nodes, 0, rows), dtype) if inputs is None else inputs
    shape = jax.ShapeDtypeStruct((*inputs.shape[:2], columns), dtype)
    matrix, bias, product = _call(
        f"jdgnn_merge_{dtype}",
        (_like(own.matrix), _like(own.bias), shape),
        (*own, *sent, *exchange.plan, exchange.source, exchange.share, *pending[:3], inputs),
        {0: 0, 1: 1},
        slices=np.int64(cores or num_cores()),
    )
    return Affine(matrix, bias), product


def descend(own: Affine, step: Step) -> Affine:
    """Makes steps of gradient descent, in place."""
    return Affine(*_call(f"jdgnn_descend_{own.matrix.dtype}", tuple(map(_like, own)), (*own, *step[:3]), {0: 0, 1: 1}))


def momentum(
    own: Affine,
    trace: Affine,  # running sums of gradients
    step: Step,  # not scaled by the rate
    rate: jax.Array,  # [N]
    decay: jax.Array,  # []
) -> tuple[Affine, Affine]:
    """Makes steps of gradient descent with momentum, in place; returns the parameters and the running sums."""
    arrays = (*own, *trace)
    new = _call(
        f"jdgnn_momentum_{own.matrix.dtype}",
        tuple(map(_like, arrays)),
        (*arrays, *step[:3], rate, decay[None]),
        {i: i for i in range(4)},
    )
    return Affine(*new[:2]), Affine(*new[2:])


def adam(
    own: Affine,
    mean: Affine,  # running means of gradients
    square: Affine,  # running means of their squares
    step: Step,  # not scaled by the rate
    scale: jax.Array,  # [N, 2]: rate / (1 − b1^t) and 1 / (1 − b2^t), at each node's own step count t
    numbers: jax.Array,  # [3]: b1, b2 and eps
) -> tuple[Affine, Affine, Affine]:
    """Makes steps of Adam, in place; returns the parameters and both means."""
    arrays = (*own, *mean, *square)
    new = _call(
        f"jdgnn_adam_{own.matrix.dtype}",
        tuple(map(_like, arrays)),
        (*arrays, *step[:3], scale, numbers),
        {i: i for i in range(6)},
    )
    return Affine(*new[:2]), Affine(*new[2:4]), Affine(*new[4:])


def arrivals(
    num_nodes: int, dst: jax.Array, order: tuple[jax.Array, ...]
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Sorts messages by receiver `dst` [n], N for none, and then by `order`, arrays [n] of 32-bit integers.

    Returns the number, the receiver and the position at its receiver of each message [n], and the number of messages
    per node [N]. Ties are broken by the lower number; messages without a recipient come last.
    """
    keys = jnp.stack([_unsigned(key) for key in order]) if order else jnp.zeros((0, dst.size), jnp.uint32)
    one_each = jax.ShapeDtypeStruct(dst.shape, jnp.int32)
    return _call(
        "jdgnn_arrivals", (one_each, one_each, one_each, jax.ShapeDtypeStruct((num_nodes,), jnp.int32)), (dst, keys)
    )


def _unsigned(key: jax.Array) -> jax.Array:
    """Unsigned numbers in the same order."""
    if key.dtype == jnp.uint32:
        return key
    return jax.lax.bitcast_convert_type(key.astype(jnp.int32), jnp.uint32) ^ jnp.uint32(1 << 31)


def gather(source: jax.Array, row: jax.Array) -> jax.Array:
    """Rows of [Q, ...] by number, int32 of any shape; zeros if a number is out of range."""
    shape = jax.ShapeDtypeStruct((*row.shape, *source.shape[1:]), source.dtype)
    return _call("jdgnn_gather", shape, (source, row), vmap_method="sequential")


def copy_rows(target: jax.Array, to: jax.Array, source: jax.Array, origin: jax.Array) -> jax.Array:
    """Copies rows `origin` [n] of the source [Q, ...] over rows `to` [n] of the target, in place.

    Rows of the target are counted along all axes before theirs. Numbers out of range copy nothing; no row may be
    written twice.
    """
    return _call("jdgnn_copy_rows", _like(target), (target, to, source, origin), {0: 0})


def sums(
    rows: jax.Array, weights: jax.Array, offset: jax.Array, degree: jax.Array, own: jax.Array | None = None
) -> jax.Array:
    """Weighted sums of rows of edges [E, F], `degree` of each node from `offset` on; `own` [N, F] is added last."""
    own = jnp.zeros((0, rows.shape[1]), rows.dtype) if own is None else own
    shape = jax.ShapeDtypeStruct((*degree.shape, rows.shape[1]), rows.dtype)
    return _call(f"jdgnn_sums_{rows.dtype}", shape, (rows, weights, offset, degree, own), vmap_method="sequential")


def mean(values: jax.Array, mask: jax.Array) -> jax.Array:
    """Mean of [N, ...] over the nodes where the mask [N] is True: [...], NaN over none."""
    return _call(f"jdgnn_mean_{values.dtype}", jax.ShapeDtypeStruct(values.shape[1:], values.dtype), (values, mask))


def distances(values: jax.Array, centre: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Squared distance of each node's values [N, ...] from a centre [...], and their squared norm, both [N]."""
    one_each = jax.ShapeDtypeStruct(values.shape[:1], values.dtype)
    return _call(f"jdgnn_distances_{values.dtype}", (one_each, one_each), (values, centre))


def quantiles(values: jax.Array, mask: jax.Array, levels: jax.Array) -> jax.Array:
    """Quantiles, at levels [Q] float32, of the values [N] where the mask [N] is True; NaN counts as largest."""
    shape = jax.ShapeDtypeStruct(levels.shape, values.dtype)
    return _call(f"jdgnn_quantiles_{values.dtype}", shape, (values, mask, levels))


def num_cores() -> int:
    """Number of cores that this process may use, at most as many as work can be cut for."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    return min(cores, MOST_CORES)


def _like(array: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def _call(
    target: str,
    results: Any,
    arguments: tuple[Any, ...],
    aliases: dict[int, int] | None = None,
    vmap_method: str | None = None,
    **attributes: Any,
) -> Any:
    call = jax.ffi.ffi_call(target, results, input_output_aliases=aliases, vmap_method=vmap_method)
    return call(*arguments, **attributes)
