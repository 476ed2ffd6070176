"""What a run says it takes is what it takes; the measured peak of a process is in bench/results/memory.json."""

from typing import Any

import jax
import pytest

import jdgnn
from jdgnn import clocks, links
from jdgnn.emulation.memory import state_bytes
from tests.seldom import mostly_long
from tests.support import small_emulator, small_network

NETWORK = small_network()
LATE = jdgnn.link(drop=0.5, delay=links.uniform(0, 3))
SETTINGS: dict[str, dict[str, Any]] = {
    "synchronous": {},
    "late": {"publish": jdgnn.publish(link=LATE), "push": jdgnn.push(fanout=2, capacity=3, link=LATE)},
    "asleep": {"availability": jdgnn.availability(clocks.bernoulli(0.5)), "gossip": jdgnn.gossip(pool=3.0)},
    "alone": {"push": None, "gossip": None, "objective": jdgnn.edge_reconstruction()},
}


@pytest.mark.parametrize("name", mostly_long(SETTINGS, ["synchronous", "asleep"]))
def test_the_state_takes_what_was_said(name: str) -> None:
    emulator = small_emulator(**SETTINGS[name])
    said = emulator.memory(NETWORK)
    state = emulator.init(jax.random.key(0), NETWORK)
    held = state_bytes(state)
    assert held == {part: said[part] for part in held}
    assert sum(held.values()) == sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    assert set(said) - set(held) == {"network", "events", "working memory"}
    assert min(said.values()) > 0


def test_buffers_without_need_take_nothing() -> None:
    parts = small_emulator().memory(NETWORK)
    assert not {"mailboxes", "embeddings of the last ticks"} & set(parts)
    assert parts["models in flight or waiting"] < parts["parameters"] / 10
    assert "sample buffers" not in small_emulator(**SETTINGS["alone"]).memory(NETWORK)


def test_a_part_that_gives_nonsense_is_named() -> None:
    broken = jdgnn.MergeRule(merge=lambda params, age, *others: params)
    with pytest.raises(jdgnn.InputError, match="merge"):
        small_emulator(gossip=jdgnn.gossip(merge=broken)).memory(NETWORK)
