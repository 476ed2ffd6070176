"""Which links are up: rates of going down and coming back within four standard errors, and what it is drawn with."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn.network.topology import topology
from jdgnn.protocol import mailbox
from jdgnn.protocol.events import Sizes, Traffic, init_memory, sample_events
from jdgnn.protocol.link_presence import LinkPresence, always, markov
from tests.protocol.part_support import assert_rate
from tests.support import assert_same_bits, small_network

RING = topology(jdgnn.generators.ring(500))
SMALL = topology(small_network())


def masks(key: jax.Array, presence: LinkPresence, links: Any, num_ticks: int) -> jax.Array:
    """Which links are up in each tick [T, E]."""

    def step(memory: Any, tick: jax.Array) -> tuple[Any, jax.Array]:
        assert presence.sample is not None
        return presence.sample(jax.random.fold_in(key, tick), tick, links, memory)

    memory = presence.init(jax.random.fold_in(key, num_ticks), links)
    return jax.lax.scan(step, memory, jnp.arange(num_ticks, dtype=jnp.int32))[1]


@pytest.mark.parametrize(("mean_up", "mean_down"), [(20.0, 5.0), (1.5, 6.0)])
def test_markov_goes_down_and_comes_back_at_its_rates_and_is_stationary(mean_up: float, mean_down: float) -> None:
    up = np.asarray(masks(jax.random.key(0), markov(mean_up, mean_down), RING, 200))
    for tick in (0, 1, 199):
        assert_rate(up[tick], mean_up / (mean_up + mean_down), errors=4)
    assert_rate(~up[1:][up[:-1]], 1 / mean_up, errors=4)
    assert_rate(up[1:][~up[:-1]], 1 / mean_down, errors=4)


def test_links_that_are_always_up_cost_nothing() -> None:
    assert jdgnn.availability(links=always()).links is None
    assert not jdgnn.availability().replace(links=always()).can_be_down  # type: ignore[attr-defined]


def test_draws_of_links_move_no_other_draw() -> None:
    """Nor do those that a loss with a memory makes of its own."""
    burst = jdgnn.link(drop=jdgnn.links.bursty(3, 2))
    usual: dict[str, Any] = {
        "publish": jdgnn.publish(),
        "push": jdgnn.push(fanout=2),
        "gossip": jdgnn.gossip(link=jdgnn.link(drop=0.3)),
    }
    waking = jdgnn.clocks.bernoulli(0.5), jdgnn.presence.churn(5, 5)
    found = []
    for changes in (
        {"availability": jdgnn.availability(*waking)},
        {"availability": jdgnn.availability(*waking, links=markov(3, 3)), "publish": jdgnn.publish(link=burst)},
    ):
        traffic = Traffic(**(usual | changes))
        memory = init_memory(traffic, jax.random.key(9), SMALL)
        memory, drawn = sample_events(jax.random.key(1), jnp.int32(3), SMALL, traffic, Sizes(3, 28, 200), memory)
        found.append((memory, {name: value for name, value in vars(drawn).items() if value is not None}))
    (plain_memory, plain), (memory, events) = found
    assert_same_bits(memory[:-1], plain_memory)
    assert memory[-1].keys() == {"links", "publish"}
    assert events.keys() - plain.keys() == {"link_up", "embedding_dropped"}
    assert_same_bits({name: events[name] for name in plain}, plain)


def test_over_a_link_that_is_down_nothing_is_sent_and_nothing_counted() -> None:
    box = mailbox.empty_mailbox(SMALL.num_edges, 1, (2,), jnp.float32)
    everybody = jnp.ones(SMALL.num_nodes, bool)
    up, dropped = (jax.random.bernoulli(jax.random.key(seed), 0.5, (SMALL.num_edges,)) for seed in (0, 1))
    sent, counts = mailbox.send(box, SMALL, jnp.int32(0), everybody, dropped, None, up)
    for name, mask in (("sent", up), ("dropped", up & dropped)):
        expected = np.bincount(np.asarray(SMALL.senders)[np.asarray(mask)], minlength=SMALL.num_nodes)
        np.testing.assert_array_equal(counts["embedding", name], expected)
    np.testing.assert_array_equal(sent.delays[:, 0] == 0, up & ~dropped)
    all_up = mailbox.send(box, SMALL, jnp.int32(0), everybody, dropped, None, jnp.ones_like(up))
    assert_same_bits(all_up, mailbox.send(box, SMALL, jnp.int32(0), everybody, dropped, None))
