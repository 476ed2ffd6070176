"""Events: what is drawn, and that it is drawn evenly (fixed seeds; bounds are five standard errors)."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jdgnn
from jdgnn.network.network import Network, from_edges
from jdgnn.network.topology import topology
from jdgnn.protocol.availability import init_availability
from jdgnn.protocol.events import Events, Sizes, Traffic, choose_in_edges, sample_events
from tests.protocol.part_support import CHI_SQUARE_LEVEL
from tests.support import leaves

SIZES = Sizes(num_positives=4, embedding_bytes=28, model_bytes=200)
QUIET: dict[str, Any] = {
    "availability": jdgnn.availability(),
    "publish": jdgnn.publish(),
    "push": jdgnn.push(fanout=2),
    "gossip": jdgnn.gossip(capacity=3),
}
HARSH = jdgnn.link(drop=0.3, delay=jdgnn.links.uniform(0, 5))


def star(num_leaves: int) -> Network:
    """Every leaf sends to node 0."""
    return from_edges(np.arange(1, num_leaves + 1), np.zeros(num_leaves, int), np.ones((num_leaves + 1, 1)))


def drawn(seed: int = 0, num_leaves: int = 20, **changes: Any) -> Events:
    """Events of tick 3."""
    traffic = Traffic(**(QUIET | changes))
    memory = init_availability(traffic.availability, jax.random.key(9), num_leaves + 1)
    key, tick = jax.random.key(seed), jnp.int32(3)
    return sample_events(key, tick, topology(star(num_leaves)), traffic, SIZES, memory)[1]


def test_all_in_edges_are_chosen_where_there_are_no_more_than_asked() -> None:
    links = topology(star(3))
    chosen = np.asarray(choose_in_edges(jax.random.key(0), links, 5))
    assert chosen[0].tolist() == [0, 1, 2, 3, 3]
    assert (chosen[1:] == 3).all()


def test_positives_are_chosen_without_replacement_and_every_set_alike() -> None:
    links = topology(star(5))
    draws = jax.vmap(lambda key: choose_in_edges(key, links, 2)[0])(jax.random.split(jax.random.key(0), 5000))
    sets = np.sort(np.asarray(draws), axis=1)
    assert (sets[:, 0] < sets[:, 1]).all()
    counts = np.unique(sets, axis=0, return_counts=True)[1]
    assert len(counts) == 10
    assert stats.chisquare(counts).pvalue > CHI_SQUARE_LEVEL


def test_the_same_key_gives_the_same_events_and_another_key_others() -> None:
    harsh: dict[str, Any] = {"publish": jdgnn.publish(link=HARSH), "push": jdgnn.push(fanout=2, link=HARSH)}
    for first, again, other in zip(*(leaves(drawn(seed, **harsh)) for seed in (0, 0, 1)), strict=True):
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()


def test_without_push_and_gossip_no_receiver_is_drawn() -> None:
    events = drawn(push=None, gossip=None)
    assert events.push_dst.shape == (21, 0)
    assert events.model_dst.shape == (21, 0)
    assert jnp.issubdtype(events.key.dtype, jax.dtypes.prng_key)


def test_nothing_is_drawn_that_cannot_matter() -> None:
    events = drawn()
    always = {"push_dst", "push_rank", "model_dst", "model_rank", "positives", "key"}
    assert {name for name, value in vars(events).items() if value is not None} == always


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"availability": jdgnn.availability(jdgnn.clocks.bernoulli(0.5))}, {"wake"}),
        ({"availability": jdgnn.availability(presence=jdgnn.presence.late_joining(0.5, 2, 9))}, {"joined", "online"}),
        ({"publish": jdgnn.publish(link=jdgnn.link(drop=0.1))}, {"embedding_dropped"}),
        ({"publish": jdgnn.publish(link=HARSH)}, {"embedding_dropped", "embedding_delay"}),
        ({"push": jdgnn.push(link=HARSH)}, {"push_dropped", "push_delay"}),
        ({"push": jdgnn.push(schedule=jdgnn.schedules.token_account())}, {"push_uniform"}),
        ({"gossip": jdgnn.gossip(link=jdgnn.link(partition=jdgnn.links.partition(2, 9)))}, {"model_dropped"}),
        ({"gossip": jdgnn.gossip(schedule=jdgnn.schedules.token_account())}, {"model_uniform"}),
        ({"gossip": jdgnn.gossip(acceptance=jdgnn.acceptance.degree())}, {"accept_uniform"}),
    ],
)
def test_what_matters_is_drawn(changes: dict[str, Any], names: set[str]) -> None:
    """And one part's draws are no other's: all else stays as it was."""
    quiet, events = vars(drawn()), vars(drawn(**changes))
    assert {name for name in events if (events[name] is None) != (quiet[name] is None)} == names
    for name in names:
        assert (events[name] != events[name].ravel()[0]).any()


def test_where_there_is_room_for_models_their_coins_fit() -> None:
    schedule, acceptance = jdgnn.schedules.token_account(), jdgnn.acceptance.degree()
    events = drawn(gossip=jdgnn.gossip(capacity=3, fanout=2, schedule=schedule, acceptance=acceptance))
    shapes = {name: getattr(events, name).shape for name in ("model_uniform", "accept_uniform", "model_dst")}
    assert shapes == {"model_uniform": (21, 4), "accept_uniform": (21, 3), "model_dst": (21, 2)}


def test_delays_stay_below_the_longest_whatever_a_model_gives() -> None:
    delay = jdgnn.DelayModel(sample=lambda key, messages: messages.dst - 5, maximum=3)  # type: ignore[arg-type]
    events = drawn(publish=jdgnn.publish(link=jdgnn.link(delay=delay)), push=jdgnn.push(link=jdgnn.link(delay=delay)))
    assert events.embedding_delay is not None
    assert events.embedding_delay.tolist() == [0] * 20  # all go to node 0
    assert events.push_delay is not None
    np.testing.assert_array_equal(events.push_delay, np.clip(np.asarray(events.push_dst) - 5, 0, 3))


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (
            jdgnn.link(drop=jdgnn.DropModel(sample=lambda key, messages: messages.dst)),
            "link.drop: expected .*, got int32",
        ),
        (
            jdgnn.link(partition=jdgnn.DropModel(sample=lambda *_: jnp.ones(7, bool))),
            "link.partition: expected .*, got bool",
        ),
        (
            jdgnn.link(delay=jdgnn.DelayModel(sample=lambda *_: jnp.float32(1), maximum=3)),  # type: ignore[arg-type]
            "link.delay: expected .*, got float32",
        ),
    ],
)
def test_links_that_give_something_else_are_named(link: jdgnn.Link, message: str) -> None:
    with pytest.raises(jdgnn.InputError, match=message):
        drawn(publish=jdgnn.publish(link=link))
