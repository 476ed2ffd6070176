"""What happens on the way: rates within five standard errors, and exact cases."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest
from numpy.typing import NDArray
from scipy import stats

from jdgnn.errors import InputError
from jdgnn.network.generators import ring
from jdgnn.network.identifiers import Identifiers
from jdgnn.network.network import from_edges
from jdgnn.network.topology import Topology, topology
from jdgnn.protocol.links import (
    DelayModel,
    DropModel,
    Messages,
    bernoulli,
    bursty,
    by_size,
    constant,
    geometric,
    link,
    measured,
    partition,
    uniform,
)
from tests.protocol.part_support import (
    CHI_SQUARE_LEVEL,
    assert_rate,
    drawn,
)

ONE_WAY = from_edges([0, 1, 1], [1, 0, 2], np.ones((4, 1)), link_quality=[1.0, 0.0, 0.75])


def messages(
    links: Topology, src: Any, dst: Any, *, edge: Any = None, num_bytes: int = 1000, tick: int = 0
) -> Messages:
    src, dst = jnp.asarray(src, jnp.int32), jnp.asarray(dst, jnp.int32)
    edge = None if edge is None else jnp.asarray(edge, jnp.int32)
    return Messages(src, dst, edge, num_bytes, jnp.int32(tick), links)


def many(count: int, num_bytes: int = 1000) -> Messages:
    """As many messages as wanted, from node 0 to node 1."""
    return messages(topology(ONE_WAY), np.zeros(count), np.ones(count), num_bytes=num_bytes)


def sample(model: Any, key: jax.Array, sent: Messages) -> Any:
    """What a model draws in its first tick."""
    if getattr(model, "init", None) is None:
        return model.sample(key, sent)
    memory = model.init(key, sent.topology, None if sent.edge is not None else 1)
    return model.sample(key, sent, memory)[1]


def draw(model: DropModel | DelayModel, sent: Messages, seed: int = 0) -> NDArray[Any]:
    model = link(drop=model).drop if isinstance(model, DropModel) else model  # type: ignore[assignment]
    traced, num_bytes = sent._replace(num_bytes=0), sent.num_bytes
    return np.asarray(
        drawn(
            lambda key, model, sent: sample(model, key, sent._replace(num_bytes=num_bytes)),
            jax.random.key(seed),
            model,
            traced,
        )
    )


@pytest.mark.parametrize("prob", [0.0, 0.1, 0.7, 1.0])
def test_bernoulli_drops_its_share(prob: float) -> None:
    assert_rate(draw(bernoulli(prob), many(50_000)), prob)


@pytest.mark.parametrize("over_edges", [True, False])
@pytest.mark.parametrize(("good", "bad", "good_prob", "bad_prob"), [(20.0, 5.0, 0.0, 1.0), (6.0, 3.0, 0.1, 0.8)])
def test_bursts_have_their_rate_and_length(
    over_edges: bool, good: float, bad: float, good_prob: float, bad_prob: float
) -> None:
    """Over edges each has a chain; else each sender, and all that it sends in a tick meets the same."""
    links, model, num_ticks = topology(ring(1000)), bursty(good, bad, good_prob, bad_prob), 300
    src = links.senders if over_edges else jnp.arange(1000, dtype=jnp.int32)[:, None].repeat(2, axis=1)
    sent = Messages(src, src, jnp.arange(links.num_edges) if over_edges else None, 1, jnp.int32(0), links)

    def tick(memory: Any, key: jax.Array) -> Any:
        memory, dropped = model.sample(key, sent, memory)
        return memory, (memory, dropped)

    assert model.init is not None
    before = model.init(jax.random.key(0), links, None if over_edges else 2)
    _, (is_bad, dropped) = jax.lax.scan(tick, before, jax.random.split(jax.random.key(1), num_ticks))
    is_bad, dropped = np.asarray(is_bad), np.asarray(dropped).reshape(num_ticks, -1)
    num_chains, share = is_bad.shape[1], bad / (good + bad)
    correlation = 1 - 1 / good - 1 / bad  # of a chain with itself a tick later; so its mean has a wider error
    assert abs(is_bad.mean() - share) < 4 * np.sqrt(
        share * (1 - share) / (num_ticks * num_chains) * (1 + correlation) / (1 - correlation)
    )
    assert_rate(is_bad[0], share, errors=4)
    assert_rate(is_bad[1:][~is_bad[:-1]], 1 / good, errors=4)  # so spells have the geometric lengths of these means
    assert_rate(~is_bad[1:][is_bad[:-1]], 1 / bad, errors=4)
    of_chain = np.repeat(is_bad, dropped.shape[1] // num_chains, axis=1)
    assert_rate(dropped[of_chain], bad_prob, errors=4)
    assert_rate(dropped[~of_chain], good_prob, errors=4)


def test_measured_loss_is_that_of_the_edge_in_its_direction() -> None:
    links = topology(ONE_WAY)
    over_edges = messages(links, links.senders, links.receivers, edge=np.arange(3))
    assert links.senders.tolist() == [1, 0, 1]
    for seed in range(20):
        assert draw(measured(1.0), over_edges, seed)[:2].tolist() == [True, False]
    pairs = np.array([(u, v) for u in range(4) for v in range(5) if u != v])
    for default in (0.0, 1.0):
        to_peers = messages(links, pairs[:, 0], pairs[:, 1])
        dropped = dict(zip(map(tuple, pairs.tolist()), draw(measured(default), to_peers), strict=True))
        certain = {pair: default == 1.0 for pair in dropped} | {(0, 1): False, (1, 0): True}
        assert all(dropped[pair] == certain[pair] for pair in dropped if pair != (1, 2))


def test_measured_rates_with_and_without_an_edge() -> None:
    links, count = topology(ONE_WAY), 20_000
    for (src, dst), prob in {(1, 2): 0.25, (2, 1): 0.6, (3, 0): 0.6, (0, 4): 0.6}.items():
        to_peers = messages(links, np.full(count, src), np.full(count, dst))
        assert_rate(draw(measured(0.6), to_peers), prob)
    over_edge = messages(links, np.full(count, 1), np.full(count, 2), edge=np.full(count, 2))
    assert_rate(draw(measured(0.6), over_edge), 0.25)


def test_measured_loss_without_edges_is_the_default_and_without_quality_an_error() -> None:
    isolated = from_edges([], [], np.ones((2, 1)), link_quality=[], allow_no_edges=True)
    assert draw(measured(1.0), messages(topology(isolated), [0, 1], [1, 2])).all()
    assert draw(measured(1.0), messages(topology(isolated), [], [], edge=[])).shape == (0,)
    unmeasured = from_edges([0], [1], np.ones((2, 1)))
    with pytest.raises(InputError, match="measured needs a network with link quality"):
        draw(measured(0.1), messages(topology(unmeasured), [0], [1]))


def test_a_partition_drops_what_crosses_it_while_it_lasts() -> None:
    links = topology(from_edges([0], [1], np.ones((6, 1))))
    pairs = np.array([(u, v) for u in range(6) for v in range(6)])
    for share, num_first in ((0.5, 3), (0.4, 3), (0.0, 0), (1.0, 6), (1 / 6, 1)):
        is_crossing = (pairs[:, 0] < num_first) != (pairs[:, 1] < num_first)
        for tick, is_cut in ((4, False), (5, True), (7, True), (8, False)):
            dropped = draw(partition(5, 8, share), messages(links, pairs[:, 0], pairs[:, 1], tick=tick))
            np.testing.assert_array_equal(dropped, is_crossing & is_cut)


def test_a_partition_into_groups() -> None:
    links = topology(from_edges([0], [1], np.ones((6, 1))))
    groups = [7, -2, 7, 2**40, -2, 7]
    pairs = np.array([(u, v) for u in range(6) for v in range(6)])
    dropped = draw(partition(0, 1, groups=groups), messages(links, pairs[:, 0], pairs[:, 1]))
    np.testing.assert_array_equal(dropped, [groups[u] != groups[v] for u, v in pairs])


@pytest.mark.parametrize("names", [("3", "2", "1", "0", "5", "4"), ("a", "b", "c", "d", "e", "f")])
def test_groups_go_by_name(names: tuple[str, ...], tmp_path: Path) -> None:
    """Whatever the order in which they are given; names that are numbers are no rows."""
    links = topology(ring(6))
    sides = dict(zip(names, "xyxyxx", strict=True))
    shuffled = {name: sides[name] for name in sorted(names)}
    file = tmp_path / "groups.csv"
    file.write_text("group,node\n" + "".join(f"{side},{name}\n" for name, side in shuffled.items()))
    numbers = {int(name): side for name, side in shuffled.items()} if names[0] == "3" else shuffled
    pairs = np.array([(u, v) for u in range(6) for v in range(6)])
    for groups in (shuffled, numbers, pandas.Series(shuffled), file, str(file), pandas.read_csv(file)):
        part = partition(0, 1, groups=groups)
        assert part.bind is not None
        dropped = draw(part.bind(Identifiers(names, 6)), messages(links, pairs[:, 0], pairs[:, 1]))
        np.testing.assert_array_equal(dropped, [sides[names[u]] != sides[names[v]] for u, v in pairs])


def test_groups_that_do_not_name_each_node_once_are_rejected(tmp_path: Path) -> None:
    nodes = Identifiers(("a", "b", "c"), 3)
    file = tmp_path / "groups.csv"
    file.write_text("node,group\na,1\na,2\nx,1\ny,1\n")
    wrong: dict[str, Any] = {
        "unknown: 'x', 'y'; missing: 'b', 'c'; there twice or more: 'a'; the nodes are called": file,
        "expected a group by the name of each node": [0, 1, 0],
        "missing: 'c'": {"a": 0, "b": 1},
        "there twice or more: 'b'": pandas.Series([0, 1, 1, 0], index=list("abbc")),
    }
    for message, groups in wrong.items():
        part = partition(0, 1, groups=groups)
        assert part.bind is not None
        with pytest.raises(InputError, match=message):
            part.bind(nodes)
    file.write_text("node,group\na,x\nb,\nc,x\n")
    for groups in (file, {"a": "x", "b": None, "c": "x"}):
        with pytest.raises(InputError, match="groups: expected a group for each node, got none for 'b'"):
            partition(0, 1, groups=groups)
    rows = partition(0, 1, groups=[0, 1]).bind
    assert rows is not None
    with pytest.raises(InputError, match="groups: expected one for each of 6 nodes, got 2"):
        rows(Identifiers((), 6))
    with pytest.raises(InputError, match="call its bind first"):
        draw(partition(0, 1, groups={"a": 0}), messages(topology(ring(6)), [0], [1]))


def test_constant_delay() -> None:
    assert (draw(constant(4), many(5)) == 4).all()
    assert constant(4).maximum == 4


@pytest.mark.parametrize(("low", "high", "maximum"), [(0, 10, None), (3, 3, None), (2, 5, 8), (2, 9, 5), (4, 6, 1)])
def test_uniform_delays_are_uniform_and_cut(low: int, high: int, maximum: int | None) -> None:
    model = uniform(low, high, maximum)
    delay = draw(model, many(20_000))
    longest = high if maximum is None else maximum
    assert model.maximum == longest
    probs = np.zeros(longest + 1)
    np.add.at(probs, np.minimum(np.arange(low, high + 1), longest), 1 / (high - low + 1))
    assert_distributed(delay, probs)


@pytest.mark.parametrize(("mean", "maximum"), [(0.0, 5), (0.5, 3), (4.0, 30), (10.0, 5), (3.0, 0), (100.0, 20)])
def test_geometric_delays(mean: float, maximum: int) -> None:
    q = 1 / (mean + 1)
    probs = (1 - q) ** np.arange(maximum + 1) * q
    probs[-1] = (1 - q) ** maximum
    model = geometric(mean, maximum)
    assert model.maximum == maximum
    assert_distributed(draw(model, many(50_000)), probs)


def assert_distributed(delay: NDArray[np.int32], probs: NDArray[np.floating]) -> None:
    """Asserts that delays have these probabilities; rare ones are taken together."""
    assert delay.min() >= 0
    assert delay.max() < len(probs)
    counts = np.bincount(delay, minlength=len(probs))
    assert (counts[probs == 0] == 0).all()
    is_rare = probs * delay.size < 20
    counts = np.append(counts[~is_rare], counts[is_rare].sum())
    expected = np.append(probs[~is_rare], probs[is_rare].sum()) * delay.size
    counts, expected = counts[expected > 0], expected[expected > 0]
    assert len(expected) == 1 or stats.chisquare(counts, expected).pvalue > CHI_SQUARE_LEVEL


@pytest.mark.parametrize(
    ("num_bytes", "expected"),
    [(0, 0), (1, 1), (99, 1), (100, 1), (101, 2), (700, 7), (701, 8), (10**6, 8), (2**31 - 1, 8)],
)
def test_delay_by_size_is_rounded_up_and_cut(num_bytes: int, expected: int) -> None:
    assert (draw(by_size(100, maximum=8), many(3, num_bytes=num_bytes)) == expected).all()
    assert (draw(by_size(20_000_000, maximum=8), many(3, num_bytes=20_000_001)) == 2).all()


def test_a_link_takes_numbers_for_models() -> None:
    perfect = link()
    assert perfect.drop is None
    assert perfect.delay is None
    assert perfect.partition is None
    assert perfect.max_delay == 0
    assert link(drop=0, delay=0) == link(drop=0.0) == perfect
    busy = link(drop=1, delay=3, partition=partition(0, 5))
    assert busy.max_delay == 3
    assert busy.drop is not None
    assert busy.delay is not None
    assert busy.partition is not None
    assert draw(busy.drop, many(3)).all()
    assert (draw(busy.delay, many(3)) == 3).all()
    assert link(drop=jnp.float32(0)).drop is not None  # an array is traced, whatever its value


def test_a_link_takes_models_of_ones_own() -> None:
    odd = DropModel(sample=lambda key, sent: sent.dst % 2 == 1)
    late = DelayModel(sample=lambda key, sent: sent.src, maximum=4)  # type: ignore[arg-type]
    own = link(drop=odd, delay=late)
    sent = messages(topology(ONE_WAY), [0, 3, 2], [1, 2, 3])
    dropped, delay = drawn(lambda own, sent: (own.drop.sample(None, sent), own.delay.sample(None, sent)), own, sent)
    assert dropped.tolist() == [True, False, True]
    assert delay.tolist() == [0, 3, 2]


def test_bounds_may_be_traced_where_there_is_room() -> None:
    def delays(high: jax.Array) -> jax.Array:
        return uniform(0, high, maximum=5).sample(jax.random.key(0), many(50))

    np.testing.assert_array_equal(jax.jit(delays)(4), uniform(0, 4).sample(jax.random.key(0), many(50)))
    with pytest.raises(InputError, match="maximum: expected a whole number where high is traced, got None"):
        jax.jit(lambda high: uniform(0, high).maximum)(4)
