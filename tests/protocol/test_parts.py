"""Every registered part that draws: its shapes, the same bits in both precisions, the key, and one program."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jdgnn.network import from_edges
from jdgnn.network.topology import topology
from jdgnn.parts import as_argument
from jdgnn.protocol.links import Messages, partition
from tests.protocol.part_support import assert_one_program, assert_same_key_same_bits, drawn
from tests.samples import PARTS

LINKS = topology(from_edges([0, 1, 1, 4, 5], [1, 0, 2, 3, 1], np.ones((6, 1)), link_quality=[1, 0, 0.75, 0.5, 0.5]))
SIZES = {"clock": LINKS.num_nodes, "presence": LINKS.num_nodes, "links": LINKS.num_edges}
NUM_TICKS = 30

BY_TICK = [(kind, name) for kind in SIZES for name in PARTS[kind] if name not in ("always", "trace")]
BY_MESSAGE = [(kind, name) for kind in ("drop", "delay") for name in PARTS[kind]]
RANDOM = [part for part in BY_TICK + BY_MESSAGE if part not in (("delay", "by_size"), ("delay", "constant"))]


def made(kind: str, name: str, variant: int = 0) -> Any:
    """A part, ready to be an argument of a compiled function."""
    part = PARTS[kind][name](variant)
    return part if kind == "delay" else as_argument(part)


def messages(*shape: int) -> Messages:
    """Messages from random nodes to random peers."""
    src, dst = np.random.default_rng(0).integers(0, LINKS.num_nodes, (2, *shape))
    return Messages(jnp.asarray(src, jnp.int32), jnp.asarray(dst, jnp.int32), None, 100, jnp.int32(0), LINKS)


def of_messages(key: jax.Array, part: Any, sent: Messages) -> jax.Array:
    """What a part of a link draws for messages in its first tick."""
    if getattr(part, "init", None) is None:
        return part.sample(key, sent)
    return part.sample(key, sent, part.init(key, LINKS, 1))[1]


def of_ticks(key: jax.Array, part: Any, kind: str) -> tuple[Any, Any]:
    """What a part remembers at first, and the masks that it draws in some ticks."""
    of = LINKS if kind == "links" else LINKS.num_nodes
    first = part.init(jax.random.fold_in(key, NUM_TICKS), of)

    def step(memory: Any, tick: jax.Array) -> tuple[Any, Any]:
        memory, *masks = part.sample(jax.random.fold_in(key, tick), tick, of, memory)
        return memory, masks

    return first, jax.lax.scan(step, first, jnp.arange(NUM_TICKS, dtype=jnp.int32))[1]


def draws(key: jax.Array, part: Any, kind: str) -> Any:
    return of_ticks(key, part, kind) if kind in SIZES else of_messages(key, part, messages(40, 3))


@pytest.mark.parametrize(("kind", "name"), BY_TICK)
def test_memories_and_masks_have_a_row_per_node_or_link(kind: str, name: str) -> None:
    memory, masks = drawn(partial(draws, kind=kind), jax.random.key(0), made(kind, name))
    assert all(leaf.shape[0] == SIZES[kind] for leaf in jax.tree.leaves(memory))
    assert all((mask.dtype, mask.shape) == (bool, (NUM_TICKS, SIZES[kind])) for mask in masks)
    if kind == "presence":
        joined, online = map(np.asarray, masks)
        assert not (online & ~joined).any()
        assert not (joined[:-1] & ~joined[1:]).any()


@pytest.mark.parametrize("shape", [(0,), (7,), (3, 0), (4, 2)], ids=str)
@pytest.mark.parametrize(("kind", "name"), [*BY_MESSAGE, ("drop", "partition")])
def test_links_draw_for_messages_of_any_shape(kind: str, name: str, shape: tuple[int, ...]) -> None:
    part = as_argument(partition(0, 9)) if name == "partition" else made(kind, name)
    found = drawn(lambda key, part: of_messages(key, part, messages(*shape)), jax.random.key(0), part)
    assert np.broadcast_shapes(found.shape, shape) == shape
    assert found.dtype == (bool if kind == "drop" else np.int32)


@pytest.mark.parametrize(("kind", "name"), RANDOM)
def test_the_key_decides_and_other_numbers_are_the_same_program(kind: str, name: str) -> None:
    parts = [made(kind, name, variant) for variant in (0, 1)]
    assert_same_key_same_bits(draws, parts[0], kind)
    assert_one_program(lambda part, key: draws(key, part, kind), parts, jax.random.key(0))
