"""The type of backends: operations of the engine for which a machine may have a faster implementation.

Axes: N nodes, E directed edges, Q rows of a table, n messages.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from jdgnn.backend import accelerator, calls, cpu, plain
from jdgnn.backend.calls import Affine, Exchange, Step
from jdgnn.backend.way import is_for_accelerators, why_not


class InPlace(NamedTuple):
    """Merging and stepping in one pass over the parameters of all nodes, for gradients that are outer products.

    Members:
      plan: `(source [N], active [N]) -> plan`, an order in which models can be merged in place, or who takes part.
      merge: `(own, sent, exchange, pending, inputs) -> (own, products)`, as `jdgnn.backend.calls.merge`.
      descend: `(own, step) -> own`, a step of gradient descent.
    """

    plan: Callable[[jax.Array, jax.Array], Any]
    merge: Callable[[Affine, Affine | None, Exchange, Step | None, jax.Array | None], tuple[Affine, jax.Array]]
    descend: Callable[[Affine, Step], Affine]


class Backend(NamedTuple):
    """An implementation of array operations; those without a special implementation are taken from `PLAIN`.

    Members:
      name: its name.
      gather: `(table [Q, ...], row [...]) -> [..., ...]`, rows by number, zeros where a number is out of range.
      gather_known: the same, where no number is out of range.
      write_rows: `(target [..., F], to [n], source [Q, F], origin [n]) -> target`, rows `origin` over rows `to`, which
        are counted along all axes but the last; nothing if `to` is out of range; no row may be written twice.
      replace_rows: `(target [n, F], mask [n], source [Q, F], origin [n]) -> target`, rows `origin` where the mask is
        True.
      copy_rows: `(target, to [n], source, origin [n], count [], usual) -> target`, the same of trees, of the first
        `count`, usually at most `usual`; None if nothing is known of that.
      arrivals: `(num_nodes, dst [n], *order [n]) -> (index, dst, position, num_received)`, messages sorted by receiver
        and then by `order`; see `jdgnn.protocol.messages.Arrivals`.
      sum_over_edges: `(vectors [E, F], weights [E], in_edges, own [N, F] | None) -> [N, F]`, sums over the in-edges of
        each node, weights being numbers or a mask.
      mean_over_nodes: `(values [N, ...], mask [N] | None) -> [...]`, NaN over none.
      distances: `(values [N, ...], centre [...]) -> ([N], [N])`, squared distances from the centre, and squared norms.
      quantiles: `(values [N], mask [N], levels [Q]) -> [Q]`, values that occur; NaN over none.
      in_place: merging and stepping in one pass; None if not implemented.
      has_outer_steps: whether steps of the built-in optimisers for outer products are compiled kernels; see
        `jdgnn.learning.optimizers.outer`.
      sums_by_gathers: whether sums over edges go by gathers, for which a topology has tables.
      blocks: whether work on many rows is cut into blocks, which fit into a cache.
      unrolled: ticks in one round of a loop over ticks.
    """

    name: str
    gather: Callable[[jax.Array, jax.Array], jax.Array]
    gather_known: Callable[[jax.Array, jax.Array], jax.Array]
    write_rows: Callable[[jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]
    replace_rows: Callable[[jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]
    copy_rows: Callable[[Any, jax.Array, Any, jax.Array, jax.Array, int | None], Any]
    arrivals: Callable[..., tuple[jax.Array, jax.Array, jax.Array, jax.Array]]
    sum_over_edges: Callable[..., jax.Array]
    mean_over_nodes: Callable[[jax.Array, jax.Array | None], jax.Array]
    distances: Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
    quantiles: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
    in_place: InPlace | None = None
    has_outer_steps: bool = False
    sums_by_gathers: bool = False
    blocks: bool = True
    unrolled: int = 1

    def __repr__(self) -> str:
        return f"Backend({self.name!r})"


PLAIN = Backend(
    name="plain",
    gather=plain.gather,
    gather_known=plain.gather_known,
    write_rows=plain.write_rows,
    replace_rows=plain.replace_rows,
    copy_rows=plain.copy_rows,
    arrivals=plain.arrivals,
    sum_over_edges=plain.sum_over_edges,
    mean_over_nodes=plain.mean_over_nodes,
    distances=plain.distances,
    quantiles=plain.quantiles,
)
"""JAX alone, on any device."""

ACCELERATOR = PLAIN._replace(
    name="accelerator",
    write_rows=accelerator.write_rows,
    copy_rows=accelerator.copy_rows,
    sum_over_edges=accelerator.sum_over_edges,
    mean_over_nodes=accelerator.mean_over_nodes,
    distances=accelerator.distances,
    in_place=InPlace(plan=accelerator.plan, merge=accelerator.merge, descend=accelerator.descend),
    sums_by_gathers=True,
    blocks=False,
    # parameters go from one buffer to another and back; with one tick a round, the loop would copy them each time
    unrolled=2,
)
"""JAX alone, on whole arrays."""


@functools.cache
def _cpu(cores: int) -> Backend:
    """Compiled kernels that cut work for so many cores; cached, so that equal backends are the same object."""
    merge_and_step = InPlace(
        plan=functools.partial(calls.plan, cores=cores),
        merge=functools.partial(calls.merge, cores=cores),
        descend=calls.descend,
    )
    return PLAIN._replace(
        name="cpu",
        gather=cpu.gather,
        gather_known=cpu.gather_known,
        write_rows=cpu.write_rows,
        replace_rows=cpu.replace_rows,
        copy_rows=cpu.copy_rows,
        arrivals=cpu.arrivals,
        sum_over_edges=cpu.sum_over_edges,
        mean_over_nodes=cpu.mean_over_nodes,
        distances=cpu.distances,
        quantiles=cpu.quantiles,
        in_place=merge_and_step,
        has_outer_steps=True,
    )


CPU = _cpu(calls.num_cores())
"""Compiled kernels, to be used only where `why_not` is None."""


NAMES = ("cpu", "plain", "accelerator")


def backend(name: str | None = None, cores: int | None = None) -> Backend:
    """The backend of this process.

    Args:
      name: one of `NAMES`; None for the best: programs for accelerators where JAX computes on one, else compiled
        kernels where there are any.
      cores: for how many cores kernels cut work; those of this process if None.

    Example:
      >>> backend("plain")
      Backend('plain')
    """
    if is_for_accelerators(name):
        return ACCELERATOR
    return PLAIN if why_not(name) is not None else _cpu(min(cores or calls.num_cores(), calls.MOST_CORES))
