"""The oracle on two or three nodes, against what one works out by hand; the engine has no part in this.

Node v measures 1, its one layer multiplies that by its one number w, and a step takes 1 from w. So an embedding says
whose it is and how many steps it is old.
"""

from collections.abc import Iterator
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn import clocks, links
from jdgnn.network.network import from_edges
from jdgnn.network.topology import topology
from jdgnn.protocol.accounts import KINDS, OUTCOMES
from jdgnn.protocol.events import Events
from jdgnn.reference.oracle import Oracle
from tests.reference import parts, twins

NOBODY = 3
SCALE = jdgnn.Layer(
    init=lambda key, num_features, dtype: {"w": jnp.zeros((), dtype)},
    apply=lambda params, own, aggregated: params["w"] * own,
    aggregate=parts.aggregate("sage"),
)
SCALE_AND_ADD = SCALE._replace(apply=lambda params, own, aggregated: params["w"] * own + aggregated)
DESCENT = jdgnn.Objective(
    init=lambda key, num_units, dtype: (),
    apply=lambda params, encode, own, aggregated, *rest: (encode(own, aggregated).sum(), None),
    is_defined=lambda positives, negatives: jnp.bool_(True),
)
NEEDY_DESCENT = DESCENT._replace(is_defined=lambda positives, negatives: positives.any())
SUBTRACTION = jdgnn.Optimizer(
    init=lambda params: (),
    step=lambda grads, opt_state, params, num_steps: (jax.tree.map(lambda p, g: p - g, params, grads), opt_state),
)
SLEEPY = clocks.bernoulli(0.5)  # events say who wakes


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def three_nodes(
    edges: list[tuple[int, int]],
    w: tuple[float, ...] = (10, 20, 30),
    layer: Any = SCALE,
    objective: Any = DESCENT,
    push: jdgnn.Push | None = None,
    gossip: jdgnn.Gossip | None = None,
    publish: jdgnn.Publish | None = None,
    on_receipt: bool = False,
) -> Oracle:
    ends = np.array(edges, int).reshape(-1, 2)
    network = from_edges(ends[:, 0], ends[:, 1], np.ones((3, 1)), allow_no_edges=True)
    emulator = jdgnn.Emulator(
        layers=[layer],
        objective=objective,
        optimizer=SUBTRACTION,
        push=push,
        gossip=gossip,
        publish=publish,
        availability=jdgnn.availability(SLEEPY, on_receipt=on_receipt),
    )
    params = ({"layer": {"w": np.array(w, float)}, "objective": ()},)
    return Oracle(emulator, topology(network), network.features, params, ((),))


def pushing(capacity: int, schedule: Any = None, max_delay: int = 0) -> jdgnn.Push:
    return jdgnn.push(capacity=capacity, schedule=schedule or parts.every(), link=late(max_delay))


def gossiping(
    capacity: int, merge: str = "average", acceptance: str = "always", schedule: Any = None, **rules: Any
) -> jdgnn.Gossip:
    max_delay = rules.pop("max_delay", 0)
    made: dict[str, Any] = {"merge": parts.merge_rule(merge), "acceptance": parts.acceptance(acceptance)}
    schedule = schedule or parts.every()
    return jdgnn.gossip(capacity=capacity, schedule=schedule, link=late(max_delay), **made, **rules)


def late(max_delay: int) -> jdgnn.Link:
    return jdgnn.link(delay=links.uniform(0, max_delay) if max_delay else None)


def events(**drawn: Any) -> Any:
    """Events of three nodes; lists become arrays, and what is not given was not drawn."""
    nothing: dict[str, Any] = {field.name: None for field in fields(Events)}
    whom = {f"{kind}_dst": np.zeros((3, 0), int) for kind in ("push", "model")}
    ranks = {f"{kind}_rank": np.zeros((3, 9), np.uint32) for kind in ("push", "model")}
    positives = {"positives": np.full((3, 1), 99), "key": jax.random.key(0)}
    given = {name: np.array(value) for name, value in drawn.items()}
    return SimpleNamespace(**(nothing | whom | ranks | positives | given))


def run(oracle: Oracle, *ticks: Any) -> None:
    for tick in ticks:
        oracle.tick(tick)
        assert_accounts_add_up(oracle)


def assert_accounts_add_up(oracle: Oracle) -> None:
    table = oracle.post.table()
    for i, kind in enumerate(KINDS):
        assert oracle.post.num_open(kind) == oracle.num_waiting(kind)
        assert table[:, i].sum(axis=0).tolist() == [oracle.post.counts[kind, outcome] for outcome in OUTCOMES]


def booked(oracle: Oracle, kind: str) -> list[dict[str, int]]:
    """What each node's account says of one kind."""
    return [{o: count for (k, o), count in counts.items() if k == kind} for counts in oracle.post.accounts]


def w_of(oracle: Oracle) -> list[float]:
    return [float(node.params[0]["layer"]["w"]) for node in oracle.nodes]


def embedding_of(payload: Any) -> float:
    return float(payload[0][0])


def oldest_first(node: Any) -> list[Any]:
    """The samples of a full buffer in the order in which they came."""
    return [*node.samples[node.next_slot :], *node.samples[: node.next_slot]]


def only_first(*receivers: int) -> list[list[int]]:
    """Node 0 sends to these, the others to nobody."""
    return [list(receivers), [NOBODY] * len(receivers), [NOBODY] * len(receivers)]


def test_late_embeddings_are_superseded() -> None:
    oracle = three_nodes([(0, 1)], publish=jdgnn.publish(link=late(2)))
    seen = []
    for delay in (9, 0, 1, 0, 0):  # 9 is clamped; arrivals in ticks 3, 2, 4, 4, 5
        run(oracle, events(embedding_delay=[delay]))
        held = oracle.nodes[1].mailbox.get(0)
        seen.append((held and embedding_of(held.payload), oracle.nodes[1].staleness.get(0)))
    assert seen == [(None, None), (None, None), (9.0, 1), (9.0, 2), (7.0, 1)]
    assert booked(oracle, "embedding") == [{"sent": 5}, {"delivered": 2, "superseded": 2}, {}]


def test_dropped_embeddings_are_counted_at_the_sender() -> None:
    oracle = three_nodes([(0, 1), (0, 2)], publish=jdgnn.publish(schedule=parts.every(2, phase=1)))
    run(oracle, events(), events(embedding_dropped=[True, False]), events())
    assert oracle.nodes[1].mailbox == {}
    assert embedding_of(oracle.nodes[2].mailbox[1].payload) == 9
    assert booked(oracle, "embedding") == [{"sent": 2, "dropped": 1}, {}, {"delivered": 1}]


def test_delayed_pushes_are_taken_in_order_of_sending_then_rank_then_slot() -> None:
    oracle = three_nodes([], push=pushing(2, max_delay=1))
    run(
        oracle,
        events(push_dst=[[2], [NOBODY], [NOBODY]], push_delay=[[1], [0], [0]]),
        events(push_dst=[[2, 2], [2, 2], [3, 3]], push_rank=[[5, 5], [7, 4], [0, 0]], push_delay=np.zeros((3, 2), int)),
        events(),
    )
    # five arrive together; taken: node 0's of tick 0, then rank 4, then rank 5 slot 0, rank 5 slot 1, rank 7
    node = oracle.nodes[2]
    assert node.next_slot == 1  # five came, and the ring has two places
    assert [(m.src, m.rank, m.slot) for m in oldest_first(node)] == [(0, 5, 1), (1, 7, 2)]
    assert [embedding_of(m.payload) for m in oldest_first(node)] == [9, 19]
    assert booked(oracle, "push")[2] == {"delivered": 2, "evicted": 3}


def test_a_sample_that_grows_old_stays_delivered() -> None:
    oracle = three_nodes([], push=pushing(1))
    run(oracle, *[events(push_dst=only_first(2))] * 3)
    assert booked(oracle, "push") == [{"sent": 3}, {}, {"delivered": 2}]


def test_inbox_of_a_sleeping_node_fills_and_evicts() -> None:
    oracle = three_nodes([], w=(8, 0, 0), gossip=gossiping(2, "uniform_mean"))
    asleep = [True, False, True]
    run(oracle, *[events(model_dst=only_first(1), wake=asleep)] * 4)
    assert [m.age for m in oracle.nodes[1].inbox] == [2, 3]  # arrived in ticks 2 and 3; the first is gone
    assert (oracle.nodes[1].wakes, w_of(oracle)[1], oracle.nodes[1].embedded_at) == (0, 0, -1)
    run(oracle, events(wake=[False, True, False]))
    # of w = 7, 6, 5, 4 the last two are merged with 0: their mean is 3; then a step
    assert w_of(oracle) == [4, 2, -4]
    assert (oracle.nodes[1].age, oracle.nodes[1].wakes) == (5, 1)
    assert booked(oracle, "model") == [{"sent": 4}, {"evicted": 2, "delivered": 2}, {}]


def test_what_arrives_at_offline_and_unjoined_nodes_is_gone() -> None:
    oracle = three_nodes([(0, 1), (0, 2)], gossip=gossiping(1), push=pushing(1))
    everything = {"push_dst": only_first(1), "model_dst": only_first(1)}
    before = w_of(oracle)
    run(
        oracle,
        events(online=[True, False, True], joined=[True, True, False], **everything),
        events(online=[False, False, True], joined=[True, True, False]),
        events(online=[False, True, True], joined=[True, True, False]),
    )
    for kind, num_sent in (("push", 1), ("model", 1), ("embedding", 2)):
        assert booked(oracle, kind)[0] == {"sent": num_sent}
        assert booked(oracle, kind)[1] == {"to_offline": 1}
    assert booked(oracle, "embedding")[2] == {"to_offline": 1}
    assert [node.wakes for node in oracle.nodes] == [1, 1, 0]
    assert w_of(oracle) == [before[0] - 1, before[1] - 1, before[2]]


def test_messages_of_a_sender_that_has_gone_still_arrive() -> None:
    oracle = three_nodes([(0, 1)], publish=jdgnn.publish(link=late(5)))
    run(oracle, events(embedding_delay=[1]), *[events(online=[False, True, True])] * 3)
    assert embedding_of(oracle.nodes[1].mailbox[0].payload) == 10
    assert oracle.nodes[1].staleness == {0: 3}


def test_features_of_a_late_joiner_are_known_from_its_first_tick() -> None:
    oracle = three_nodes([(0, 2), (1, 2)], w=(0, 0, 0), layer=SCALE_AND_ADD)
    oracle.features = np.array([[4.0], [2.0], [0.0]])
    outputs = []
    for joined in ([False, False, True], [True, False, True], [True, True, True]):
        run(oracle, events(joined=joined))
        outputs.append(embedding_of(oracle.nodes[2].embeddings) + oracle.nodes[2].wakes - 1)
    assert outputs == [0, 4, 3]
    assert [node.wakes for node in oracle.nodes] == [2, 1, 3]


@pytest.mark.parametrize("is_dropped", [False, True])
def test_a_rejected_model_is_passed_on_once(is_dropped: bool) -> None:
    # in-degrees 1, 0, 2
    oracle = three_nodes(
        [(2, 0), (0, 2), (1, 2)],
        gossip=gossiping(1, "adopt", "degree", parts.every(2), pass_through=True, order="merge_only", pool=2 / 3),
    )
    oracle.nodes[0].age = 7
    coins, only_third = np.full((3, 1), 0.5), [False, False, True]
    run(oracle, events(model_dst=only_first(2), wake=[True, False, False]))
    run(oracle, events(model_dst=only_first(3), wake=only_third, accept_uniform=coins))
    assert booked(oracle, "model") == [{"sent": 1}, {}, {"rejected": 1}]
    run(oracle, events(model_dst=[[3], [3], [1]], wake=only_third))  # not sent: at wake 1 of node 2 no model is due
    assert (passing(oracle), oracle.num_places_taken) == ([], 1)
    third = events(model_dst=[[3, 3], [3, 3], [3, 1]], model_dropped=[[False, is_dropped]] * 3, wake=only_third)
    run(oracle, third)
    assert oracle.nodes[2].kept is None
    assert [(m.src_degree, m.is_passed_on) for m in passing(oracle)] == ([] if is_dropped else [(2, True)])
    run(
        oracle, events(wake=[False, True, False], accept_uniform=coins)
    )  # node 1 has no in-neighbours and takes anything
    assert w_of(oracle) == [10, 20 if is_dropped else 10, 30]
    assert [node.age for node in oracle.nodes] == [7, 0 if is_dropped else 7, 0]
    assert booked(oracle, "model")[2] == {"rejected": 1, "sent": 1} | ({"dropped": 1} if is_dropped else {})
    assert oracle.num_places_taken == 0


def passing(oracle: Oracle) -> list[Any]:
    return [m for m in oracle.post.in_flight if m.kind == "model"]


def test_acceptance_is_by_the_ratio_of_in_degrees() -> None:
    oracle = three_nodes([(2, 0), (0, 2), (1, 2)], gossip=gossiping(1, "adopt", "degree"))
    for coin, outcomes in ((0.49, {"delivered": 1}), (0.5, {"delivered": 1, "rejected": 1})):
        run(oracle, events(model_dst=only_first(2), wake=[True, False, False]))
        run(oracle, events(accept_uniform=np.full((3, 1), coin), wake=[False, False, True]))
        assert booked(oracle, "model")[2] == outcomes
    assert oracle.nodes[2].kept is None  # nothing is passed on where the rules do not say so


def test_fold_index_counts_merged_models_alone() -> None:
    # in-degrees 0, 1, 2: node 2 takes one of node 1 half the time, one of node 0 never
    oracle = three_nodes(
        [(0, 1), (0, 2), (1, 2)],
        w=(0, 12, 6),
        gossip=gossiping(3, "uniform_mean", "degree", order="merge_only"),
    )
    coins = np.zeros((3, 3))
    sending = events(model_dst=[[2, 3], [2, 2], [3, 3]], model_rank=[[1, 0], [0, 2], [0, 0]], accept_uniform=coins)
    run(oracle, sending, events(accept_uniform=coins))
    assert w_of(oracle)[2] == 10  # the mean of 6, 12 and 12
    assert booked(oracle, "model")[2] == {"delivered": 2, "rejected": 1}


@pytest.mark.parametrize(
    ("balance", "num_merged", "uniforms", "expected"),
    [
        (0, 0, [0.0], 0),
        (1, 0, [0.0], 0),
        (2, 0, [0.33], 1),
        (2, 0, [0.34], 0),
        (3, 0, [0.66], 1),
        (4, 0, [0.99], 1),
        (3, 2, [0.99, 0.4, 0.6], 3),  # 3/2 rounded up, and down
        (4, 2, [0.0, 0.99, 0.99], 5),
        (1, 3, [0.0, 0.4, 0.4, 0.4], 2),  # three are wanted, and two tokens are there
    ],
)
def test_token_account_wants(balance: int, num_merged: int, uniforms: list[float], expected: int) -> None:
    assert twins.account_wanted(balance, num_merged, uniforms, capacity=4, reserve=2) == expected
    account = parts.token_account(capacity=4, reserve=2)
    assert account.decide(balance, 7, num_merged, np.array(uniforms), 1) == expected


def test_token_account_is_kept() -> None:
    oracle = three_nodes([], gossip=gossiping(2, schedule=parts.token_account(3, 2)))
    coins = np.full((3, 3), 0.6)
    balances = []
    for dst in (1, 1, 1, 1, NOBODY, 1):
        # it wants one at a balance of 3 only
        run(oracle, events(model_dst=only_first(dst), model_uniform=coins, wake=[True, False, False]))
        balances.append(oracle.nodes[0].schedule_memory["model"])
    assert balances == [1, 2, 3, 3, 3, 3]
    assert booked(oracle, "model")[0] == {"sent": 2}
    assert oracle.nodes[0].num_excess["model"] == 0
    # now node 1, with a balance of 0, answers two models: 0 whole, no coin, nothing
    run(oracle, events(model_dst=[[3], [0], [3]], model_uniform=coins, wake=[False, True, False]))
    assert (len(oracle.nodes[1].merged), oracle.nodes[1].schedule_memory["model"]) == (2, 1)


def test_excess_of_a_token_account_is_counted() -> None:
    oracle = three_nodes([], gossip=gossiping(2), push=pushing(1, parts.token_account(4, 1)))
    coins = np.full((3, 3), 0.9)
    quiet = events(push_uniform=coins, wake=[True, False, True])
    run(oracle, quiet, quiet, quiet)  # nothing is wanted with 0.9 where the probabilities are 0, 1/4, 1/2
    sending = events(model_dst=[[3], [3], [0]], push_uniform=coins, wake=[False, False, True])
    run(oracle, sending)
    run(oracle, events(push_dst=only_first(1, 2), push_uniform=coins, wake=[True, False, False]))
    # one model at a balance of 3 with a reserve of 1: three wanted, two sent
    assert (oracle.nodes[0].schedule_memory["push"], oracle.nodes[0].num_excess["push"]) == (2, 1)
    assert booked(oracle, "push")[0] == {"sent": 2}


def test_models_beyond_the_pool_end_at_their_senders() -> None:
    oracle = three_nodes([], gossip=gossiping(3, pool=2 / 3, max_delay=3))
    everybody = [[1], [2], [0]]
    run(oracle, events(model_dst=everybody, model_rank=[[3], [2], [1]], model_delay=[[0], [1], [0]]))
    assert booked(oracle, "model") == [{"sent": 1, "evicted": 1}, {"sent": 1}, {"sent": 1}]
    # node 0 merges and frees a place; the other is taken until tick 2; what is dropped needs none
    dropped = [[True], [False], [False]]
    run(oracle, events(model_dst=everybody, model_rank=[[1], [2], [3]], model_dropped=dropped))
    assert booked(oracle, "model")[0] == {"sent": 2, "evicted": 1, "delivered": 1, "dropped": 1}
    assert [(m.src, m.tick_sent) for m in passing(oracle)] == [(1, 0), (1, 1)]
    assert oracle.post.counts["model", "evicted"] == 2


def test_a_dropped_model_that_was_passed_on_frees_its_place_at_once() -> None:
    oracle = three_nodes(
        [(2, 0), (0, 2), (1, 2)],
        gossip=gossiping(1, acceptance="degree", pass_through=True, pool=1 / 3, order="merge_only"),
    )
    coins = np.full((3, 1), 0.9)
    run(oracle, events(model_dst=[[2], [3], [3]], accept_uniform=coins))
    dropped = [[False, False], [False, False], [True, False]]
    run(oracle, events(model_dst=[[3, 3], [3, 3], [0, 1]], model_dropped=dropped, accept_uniform=coins))
    assert [(m.src, m.dst) for m in passing(oracle)] == [(2, 1)]


@pytest.mark.parametrize(
    ("order", "embedding", "w", "age", "num_idle"),
    [("merge_then_train", 15, 14, 2, 0), ("train_then_merge", 21, 14.5, 1, 0), ("merge_only", 15.5, 15.5, 0, 0)],
)
def test_orders(order: str, embedding: float, w: float, age: int, num_idle: int) -> None:
    oracle = three_nodes([], w=(10, 21, 0), gossip=gossiping(1, order=order))
    run(oracle, events(model_dst=only_first(1), wake=[True, False, False]), events())
    node = oracle.nodes[1]
    assert (embedding_of(node.embeddings), w_of(oracle)[1], node.age) == (embedding, w, age)
    assert (node.wakes, node.num_idle, len(node.merged)) == (1, [num_idle], 1)


def test_idle_layers_do_not_step() -> None:
    oracle = three_nodes([(0, 1)], objective=NEEDY_DESCENT)
    chosen = [[99], [0], [99]]
    run(oracle, events(positives=chosen), events(positives=chosen))
    assert [node.num_idle for node in oracle.nodes] == [[2], [1], [2]]
    assert [node.age for node in oracle.nodes] == [0, 1, 0]
    assert [sorted(node.losses) for node in oracle.nodes] == [[], [0], []]


def test_a_model_wakes_its_receiver_where_the_rules_say_so() -> None:
    oracle = three_nodes([], gossip=gossiping(1), on_receipt=True)
    run(oracle, events(model_dst=[[1], [2], [3]], wake=[True, False, False]), events(wake=[False] * 3))
    assert [node.wakes for node in oracle.nodes] == [1, 1, 0]
    assert w_of(oracle) == [9, 13.5, 30]
    run(oracle, events(wake=[False] * 3))
    assert [node.wakes for node in oracle.nodes] == [1, 1, 0]


def test_refreshing_moves_no_model_and_no_counter() -> None:
    oracle = three_nodes(
        [(0, 1)],
        gossip=gossiping(1, schedule=parts.token_account(1, 1)),
        push=pushing(1, parts.token_account(1, 1)),
        on_receipt=True,
    )
    sending = {"model_dst": only_first(1), "push_dst": only_first(2)}
    coins = np.zeros((3, 2))
    run(oracle, *[events(**sending, push_uniform=coins, model_uniform=coins)] * 2)
    before = w_of(oracle), [(n.age, n.wakes, n.num_steps, dict(n.schedule_memory)) for n in oracle.nodes]
    oracle.refresh(events(**sending, push_uniform=coins, wake=[True, False, False]))
    assert_accounts_add_up(oracle)
    assert (w_of(oracle), [(n.age, n.wakes, n.num_steps, dict(n.schedule_memory)) for n in oracle.nodes]) == before
    assert [embedding_of(node.embeddings) for node in oracle.nodes] == [8, 18, 29]  # node 1 was woken by a model
    assert len(oracle.nodes[1].inbox) == 1
    assert booked(oracle, "embedding") == [{"sent": 3}, {"delivered": 2}, {}]
    assert booked(oracle, "push") == [{"sent": 2}, {}, {"delivered": 1}]
    assert oracle.now == 3


def test_no_message_ends_twice() -> None:
    oracle = three_nodes([(0, 1)])
    run(oracle, events(), events())
    with pytest.raises(AssertionError, match="a second time"):
        oracle.post.settle(oracle.nodes[1].mailbox[0], "superseded")
