"""What each way of getting an embedding costs is what is counted message by message."""

import dataclasses
import importlib
from typing import Any

import jax
import numpy as np
import pytest

import jdgnn
from jdgnn import clocks, peers, presence, schedules
from jdgnn.evaluation import (
    Cost,
    centralised_cost,
    communication,
    decentralised_cost,
    end_to_end_cost,
    label_propagation,
    label_propagation_cost,
    propagate,
    propagation_cost,
    synchronous_cost,
)
from jdgnn.network import Network, from_edges, random_splits
from jdgnn.protocol.accounts import KINDS, OUTCOMES
from tests.seldom import mostly_long
from tests.support import small_emulator, small_network

EDGES = [(0, 1), (0, 2), (1, 2), (2, 1)]
TICKS = 7
FLOAT = 4  # bytes
# small_emulator on 5 features: gcn(4) has a kernel and a bias, sage(3) two kernels and a bias
PARAMETERS = (5 * 4 + 4) + (2 * 4 * 3 + 3)
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "scheduled": {
        "publish": jdgnn.publish(schedule=schedules.every(3, phase=1)),
        "push": jdgnn.push(fanout=2, capacity=3, schedule=schedules.every(2)),
        "gossip": jdgnn.gossip(fanout=2, capacity=2, schedule=schedules.every(4, phase=2)),
    },
    "lossy": {"publish": jdgnn.publish(link=jdgnn.link(drop=0.5, delay=2)), "gossip": None},
    "narrow": {"param_dtype": "bfloat16", "push": jdgnn.push(fanout=5, peers=peers.permutation())},
}


def tiny_network() -> Network:
    """Four nodes of 5 features: one has no in-neighbour, one none at all."""
    senders, receivers = np.transpose(EDGES)
    return from_edges(senders, receivers, np.eye(4, 5, dtype=np.float32))


def assert_sends(cost: Cost, by_kind: dict[str, list[int]]) -> None:
    assert {kind: sent.tolist() for kind, sent in cost.by_kind.items()} == by_kind
    assert cost.per_node.tolist() == np.sum(list(by_kind.values()), axis=0).tolist()


def sent_over_edges(num_bytes: int, *, back: bool = False) -> list[int]:
    """What each node sends that sends so much over each edge once, or back over each that leads to it."""
    sent = [0] * 4
    for sender, receiver in EDGES:
        sent[receiver if back else sender] += num_bytes
    return sent


@pytest.mark.parametrize("name", mostly_long(SETTINGS, ["plain", "scheduled"]))
def test_what_is_predicted_is_what_the_accounts_of_a_run_say(name: str) -> None:
    emulator, network = small_emulator(**SETTINGS[name]), small_network()
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, TICKS)
    predicted, booked = synchronous_cost(emulator, network, TICKS), decentralised_cost(state, network)
    for kind in KINDS:
        np.testing.assert_array_equal(predicted.by_kind[kind], booked.by_kind[kind])
    assert booked.total == history.bytes_sent[-1].sum() > 0
    sent = jdgnn.node_table(state, network)["bytes"][:, :, OUTCOMES.index("sent")].sum(axis=1)
    assert (booked.mean, booked.largest) == (sent.mean(), sent.max())


def test_messages_of_a_synchronous_run_are_counted_one_by_one() -> None:
    embedding, model = FLOAT * (4 + 3), FLOAT * PARAMETERS + 4  # with the age
    cost = synchronous_cost(small_emulator(), tiny_network(), TICKS)
    assert_sends(
        cost,
        {
            "embedding": sent_over_edges(TICKS * embedding),
            "push": [TICKS * 2 * embedding] * 4,
            "model": [TICKS * model] * 4,
        },
    )
    assert cost.total == cost.per_node.sum()


def test_the_accounts_of_a_run_are_taken_where_nodes_sleep() -> None:
    emulator = small_emulator(availability=jdgnn.availability(clocks.bernoulli(0.5)))
    network = small_network()
    state, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, TICKS)
    costs = communication(emulator, network, TICKS, state=state)
    assert costs["decentralised"].total == history.bytes_sent[-1].sum()


def test_one_shared_model_is_averaged_by_a_server() -> None:
    embedding, gradient = FLOAT * (4 + 3), FLOAT * PARAMETERS
    cost = centralised_cost(small_emulator(), tiny_network(), TICKS)
    assert_sends(
        cost,
        {
            "embedding": sent_over_edges(TICKS * embedding),
            "push": [TICKS * 3 * embedding] * 4,  # three samples, all of them new
            "gradient": [(TICKS - 1) * gradient] * 4,  # nobody steps in the first tick
        },
    )
    assert cost.by_server == 4 * (TICKS - 1) * gradient
    assert cost.total == cost.per_node.sum() + cost.by_server


def test_limits_compute_in_the_precision_of_features() -> None:
    narrow = small_emulator(param_dtype="bfloat16")
    for cost in (centralised_cost, end_to_end_cost):
        narrowed, whole = (cost(emulator, tiny_network(), TICKS) for emulator in (narrow, small_emulator()))
        assert narrowed.per_node.tolist() == whole.per_node.tolist()


def test_end_to_end_gradients_of_what_was_received_go_back() -> None:
    one, two = 4, 3
    emulator = dataclasses.replace(small_emulator(), num_positives=1)
    cost = end_to_end_cost(emulator, tiny_network(), TICKS)
    num_positives = [0, 1, 1, 0]  # one of the in-neighbours, for nodes that have any
    back = sent_over_edges((TICKS - 1) * FLOAT * one, back=True)
    compared = [(TICKS - 1) * FLOAT * (positives + 3) * two for positives in num_positives]
    assert_sends(
        cost,
        {
            "embedding": sent_over_edges(TICKS * FLOAT * (one + two)),
            "push": [TICKS * 3 * FLOAT * two] * 4,
            "gradient": [(TICKS - 1) * FLOAT * PARAMETERS] * 4,
            "embedding_gradient": np.add(back, compared).tolist(),
        },
    )
    assert cost.by_server == centralised_cost(emulator, tiny_network(), TICKS).by_server


def test_all_in_neighbours_are_positives_where_there_are_fewer() -> None:
    network = tiny_network()
    two, nine = (end_to_end_cost(small_emulator(num_positives=count), network, TICKS) for count in (2, 9))
    assert two.per_node.tolist() == nine.per_node.tolist()
    assert network.in_degree.tolist() == [0, 2, 2, 0]


@pytest.mark.parametrize("hops", [0, 1, 3])
def test_propagation_sends_all_columns_in_each_hop(hops: int) -> None:
    sent = hops * FLOAT
    assert_sends(propagation_cost(tiny_network(), hops), {"features": sent_over_edges(sent * 5)})
    assert_sends(propagation_cost(tiny_network(), hops, width=2), {"features": sent_over_edges(sent * 2)})


def test_label_propagation_sends_scores_in_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    network = jdgnn.generators.stochastic_block_model(60, seed=1)
    assert network.labels is not None
    splits = random_splits(network.labels, 1, per_class=2, validation=10)
    num_rounds = 0

    def counting(votes: np.ndarray, *arguments: object) -> np.ndarray:
        nonlocal num_rounds
        num_rounds += 1
        return propagate(votes, *arguments)  # type: ignore[arg-type]

    module = importlib.import_module("jdgnn.evaluation.label_propagation")  # a function of the package hides it
    monkeypatch.setattr(module, "propagate", counting)
    monkeypatch.setattr(module, "SHARES", (0.9,))
    label_propagation(network, splits=splits)
    num_classes = int(network.labels.max()) + 1
    total = num_rounds * network.num_edges * num_classes * FLOAT
    assert label_propagation_cost(network).total == total


def test_all_ways_stand_side_by_side() -> None:
    labelled = dataclasses.replace(tiny_network(), labels=np.array([0, 1, 2, 0], np.int32))
    costs = communication(small_emulator(), labelled, TICKS)
    assert list(costs) == [
        "decentralised",
        "centralised",
        "end_to_end",
        "untrained",
        "raw",
        "propagated_1hop",
        "propagated_2hop",
        "propagated_3hop",
        "projected_2hop",
        "label_propagation",
    ]
    assert costs["raw"].total == 0
    assert costs["untrained"].per_node.tolist() == sent_over_edges(FLOAT * 4)
    assert costs["propagated_3hop"].per_node.tolist() == propagation_cost(labelled, 3).per_node.tolist()
    assert costs["projected_2hop"].per_node.tolist() == propagation_cost(labelled, 2, width=4 + 3).per_node.tolist()
    wide = communication(small_emulator(), labelled, TICKS, width=64)
    assert wide["projected_2hop"].per_node.tolist() == propagation_cost(labelled, 2, width=64).per_node.tolist()
    assert "label_propagation" not in communication(small_emulator(), tiny_network(), TICKS)


UNPREDICTABLE = {
    "sleeping": ({"availability": jdgnn.availability(clocks.bernoulli(0.5))}, "not always awake"),
    "absent": ({"availability": jdgnn.availability(presence=presence.crash(0.1))}, "not always awake"),
    "cut off": (
        {"availability": jdgnn.availability(links=jdgnn.link_presence.markov(5, 5))},
        "links are not always up",
    ),
    "tokens": ({"gossip": jdgnn.gossip(schedule=schedules.token_account())}, "gossip.schedule goes by draws"),
    "lonely": ({"push": jdgnn.push(peers=peers.graph_neighbours())}, "in push, node 3 can find nobody"),
}


@pytest.mark.parametrize(("settings", "message"), UNPREDICTABLE.values(), ids=UNPREDICTABLE)
def test_what_cannot_be_predicted_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(jdgnn.InputError, match=f"emulator: .*{message}.*give the state of a run"):
        synchronous_cost(small_emulator(**settings), tiny_network(), TICKS)


def test_what_makes_no_sense_is_refused() -> None:
    for cost in (synchronous_cost, centralised_cost, end_to_end_cost):
        with pytest.raises(jdgnn.InputError, match=r"ticks: .*got 0"):
            cost(small_emulator(), tiny_network(), 0)
    for cost in (centralised_cost, end_to_end_cost):
        with pytest.raises(jdgnn.InputError, match="emulator: it has no push"):
            cost(small_emulator(push=None), tiny_network(), TICKS)
    with pytest.raises(jdgnn.InputError, match=r"hops: .*got -1"):
        propagation_cost(tiny_network(), -1)
    with pytest.raises(jdgnn.InputError, match=r"width: .*got 0"):
        propagation_cost(tiny_network(), 1, width=0)
    with pytest.raises(jdgnn.InputError, match=r"network: .* has no labels to spread"):
        label_propagation_cost(tiny_network())
    state = small_emulator().init(jax.random.key(0), tiny_network())
    with pytest.raises(jdgnn.InputError, match=r"network: expected the one .* 12 nodes instead of 4"):
        decentralised_cost(state, small_network())


def test_moments_that_are_merged_are_sent_by_nodes_and_not_by_one_shared_model() -> None:
    network = small_network()
    own, merged = (small_emulator(optimizer=jdgnn.momentum(0.1, merged=merged)) for merged in (False, True))
    assert centralised_cost(merged, network, TICKS).total == centralised_cost(own, network, TICKS).total
    sent = [synchronous_cost(emulator, network, TICKS).by_kind["model"] - TICKS * FLOAT for emulator in (own, merged)]
    np.testing.assert_array_equal(sent[1], 2 * sent[0])
