"""Synthetic networks. Every generator is undirected, reproducible by its seed, and gives features.

Networks without classes get *smooth* features: Gaussian noise averaged twice over the links, then standardised column
by column, so that linked nodes measure similar things, as neighbouring sensors do.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_count, check_number
from jdgnn.errors import InputError
from jdgnn.network.network import Network, from_edges

_MAX_ENTRIES = 2**31 - 1  # what an int32 can number


def stochastic_block_model(
    num_nodes: int = 1000,
    num_classes: int = 4,
    num_features: int = 32,
    *,
    mean_degree: float = 10.0,
    homophily: float = 0.8,
    separation: float = 1.0,
    seed: int = 0,
) -> Network:
    """Makes a stochastic block model (Holland et al. 1983) with equal classes and class-dependent features.

    Class centres are drawn as centre ~ N(0, separation²/F0 · I), features as x ~ N(centre of the class, I): two
    centres are about √2 · separation apart, measured in standard deviations.

    Args:
      num_nodes: N.
      num_classes: number of classes, whose sizes differ by one at most; nodes are assigned at random.
      num_features: F0.
      mean_degree: expected number of neighbours.
      homophily: expected share of a node's neighbours that are of its own class, 0 to 1.
      separation: how far the classes lie apart.
      seed: what every draw depends on.

    Returns:
      The network, with labels and without splits.

    Raises:
      InputError: a value is impossible, for example more neighbours within a class than it has nodes.

    Example:
      >>> stochastic_block_model(90, 3, 8).labels.max().item()
      2
    """
    for name, count, minimum in (
        ("num_classes", num_classes, 2),
        ("num_nodes", num_nodes, 2),
        ("num_features", num_features, 1),
        ("seed", seed, 0),
    ):
        check_count(name, count, minimum=minimum)
    check_number("mean_degree", mean_degree, above=0)
    _check_sizes(num_nodes=(num_nodes,), num_features=(num_nodes, num_features))
    check_number("homophily", homophily, minimum=0)
    check_number("separation", separation, minimum=0)
    if num_nodes < 2 * num_classes:
        raise InputError(f"num_nodes: expected at least two for each of {num_classes} classes, got {num_nodes}")
    if homophily > 1:
        raise InputError(f"homophily: expected a share from 0 to 1, got {homophily!r}")
    class_size = num_nodes / num_classes
    inside_prob = homophily * mean_degree / (class_size - 1)
    across_prob = (1 - homophily) * mean_degree / (num_nodes - class_size)
    if max(inside_prob, across_prob) > 1:
        raise InputError(
            f"mean_degree: got {mean_degree!r} with homophily {homophily!r}, which is more than {num_classes} classes "
            f"of {class_size:g} nodes can link; ask for fewer neighbours"
        )
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(num_nodes) % num_classes)
    members = [np.flatnonzero(labels == label) for label in range(num_classes)]
    edges = np.concatenate(list(_block_edges(rng, members, inside_prob, across_prob)))
    centres = rng.standard_normal((num_classes, num_features)) * separation / np.sqrt(num_features)
    features = centres[labels] + rng.standard_normal((num_nodes, num_features))
    if not len(edges):
        raise InputError(f"mean_degree: {mean_degree!r} made no edge at all; ask for more neighbours")
    return from_edges(
        edges[:, 0],
        edges[:, 1],
        features.astype(np.float32),
        labels=labels,
        undirected=True,
        name="stochastic_block_model",
    )


def _block_edges(
    rng: np.random.Generator, members: list[NDArray[np.int64]], inside_prob: float, across_prob: float
) -> Iterator[NDArray[np.int64]]:
    """Yields the edges [·, 2] of each pair of classes.

    networkx walks over every pair of nodes, which takes minutes at 100 000 nodes; drawing how many links there are,
    then which, is the same distribution and takes time proportional to the links.
    """
    for a, first in enumerate(members):
        num_pairs = len(first) * (len(first) - 1) // 2
        larger, smaller = _unordered_pair(_choose(rng, num_pairs, inside_prob))
        yield np.column_stack([first[larger], first[smaller]])
        for second in members[a + 1 :]:
            row, column = np.divmod(_choose(rng, len(first) * len(second), across_prob), len(second))
            yield np.column_stack([first[row], second[column]])


def _choose(rng: np.random.Generator, num_pairs: int, prob: float) -> NDArray[np.int64]:
    return rng.choice(num_pairs, rng.binomial(num_pairs, prob), replace=False, shuffle=False)


def _unordered_pair(index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Decodes 0, 1, 2, 3, … into (1, 0), (2, 0), (2, 1), (3, 0) and so on."""
    larger = ((1 + np.sqrt(1 + 8 * index.astype(np.float64))) // 2).astype(np.int64)
    larger -= larger * (larger - 1) // 2 > index  # the root may round up
    return larger, index - larger * (larger - 1) // 2


def random_geometric(num_nodes: int = 1000, radius: float = 0.06, num_features: int = 32, *, seed: int = 0) -> Network:
    """Makes a random geometric graph: nodes uniform in the unit square, linked within radio range.

    The first two features are the position (x, y) in the square; the others are smooth.

    Args:
      num_nodes: N.
      radius: radio range, in sides of the square.
      num_features: F0, at least 2.
      seed: what every draw depends on.

    Returns:
      The network; nodes out of everybody's range are isolated.

    Raises:
      InputError: a value is impossible, or no two nodes are in range.

    Example:
      >>> random_geometric(50, 0.3, 4).num_features
      4
    """
    from scipy.spatial import KDTree

    check_count("num_nodes", num_nodes, minimum=2)
    check_number("radius", radius, above=0)
    check_count("num_features", num_features, minimum=2)
    check_count("seed", seed, minimum=0)
    _check_sizes(num_nodes=(num_nodes,), num_features=(num_nodes, num_features))
    positions = np.random.default_rng([seed, 1]).random((num_nodes, 2))
    # networkx asks the same tree, then sorts the pairs as Python tuples, which takes ten times as long
    ends = KDTree(positions).query_pairs(radius, output_type="ndarray")
    if not len(ends):
        raise InputError(f"radius: {radius!r} links none of {num_nodes} nodes; write a longer range")
    network = _with_smooth_features(ends, num_nodes, num_features, seed, "random_geometric")
    network.features[:, :2] = positions
    return network


def barabasi_albert(num_nodes: int = 1000, num_links: int = 3, num_features: int = 32, *, seed: int = 0) -> Network:
    """Makes a scale-free network by preferential attachment (Barabási & Albert 1999), with smooth features.

    Args:
      num_nodes: N.
      num_links: links that each node brings when it is added, below N.
      num_features: F0.
      seed: what every draw depends on.

    Returns:
      The network, in one component.

    Raises:
      InputError: a value is impossible.

    Example:
      >>> barabasi_albert(10, 2, 4).num_edges  # both directions of 2 · (10 - 2) links
      32
    """
    import networkx

    check_count("num_links", num_links)
    check_count("num_nodes", num_nodes, minimum=num_links + 1)
    check_count("num_features", num_features)
    check_count("seed", seed, minimum=0)
    _check_sizes(num_nodes=(num_nodes,), num_features=(num_nodes, num_features), num_links=(num_nodes, num_links))
    graph = networkx.barabasi_albert_graph(num_nodes, num_links, seed=seed)
    return _with_smooth_features(_ends(graph), num_nodes, num_features, seed, "barabasi_albert")


def k_regular(num_nodes: int = 1000, degree: int = 4, num_features: int = 32, *, seed: int = 0) -> Network:
    """Makes a random network in which every node has the same number of neighbours, with smooth features.

    Args:
      num_nodes: N.
      degree: neighbours of every node, below N; num_nodes · degree must be even.
      num_features: F0.
      seed: what every draw depends on.

    Returns:
      The network.

    Raises:
      InputError: a value is impossible.

    Example:
      >>> set(k_regular(20, 3, 4).in_degree.tolist())
      {3}
    """
    import networkx

    check_count("degree", degree)
    check_count("num_nodes", num_nodes, minimum=degree + 1)
    check_count("num_features", num_features)
    check_count("seed", seed, minimum=0)
    _check_sizes(num_nodes=(num_nodes,), num_features=(num_nodes, num_features), degree=(num_nodes, degree))
    if num_nodes * degree % 2:
        raise InputError(f"degree: got {degree} for {num_nodes} nodes, and one of the two must be even")
    graph = networkx.random_regular_graph(degree, num_nodes, seed=seed)
    return _with_smooth_features(_ends(graph), num_nodes, num_features, seed, "k_regular")


def ring(num_nodes: int = 1000, num_features: int = 32, *, seed: int = 0) -> Network:
    """Makes a ring: node v is linked to v - 1 and v + 1, with smooth features.

    Args:
      num_nodes: N, at least 3.
      num_features: F0.
      seed: what the features depend on.

    Returns:
      The network.

    Raises:
      InputError: a value is impossible.

    Example:
      >>> ring(5, 4).senders[:2].tolist()  # the in-neighbours of node 0
      [1, 4]
    """
    import networkx

    check_count("num_nodes", num_nodes, minimum=3)
    check_count("num_features", num_features)
    check_count("seed", seed, minimum=0)
    _check_sizes(num_nodes=(num_nodes,), num_features=(num_nodes, num_features))
    return _with_smooth_features(_ends(networkx.cycle_graph(num_nodes)), num_nodes, num_features, seed, "ring")


def grid(num_rows: int = 32, num_columns: int = 32, num_features: int = 32, *, seed: int = 0) -> Network:
    """Makes a grid in which node row · num_columns + column has up to four neighbours, with smooth features.

    Args:
      num_rows: rows.
      num_columns: columns; one of the two must be at least 2.
      num_features: F0.
      seed: what the features depend on.

    Returns:
      The network of num_rows · num_columns nodes.

    Raises:
      InputError: a value is impossible.

    Example:
      >>> grid(2, 3, 4).in_degree.tolist()
      [2, 3, 2, 2, 3, 2]
    """
    import networkx

    check_count("num_rows", num_rows)
    check_count("num_columns", num_columns, minimum=2 if num_rows == 1 else 1)
    check_count("num_features", num_features)
    check_count("seed", seed, minimum=0)
    _check_sizes(num_rows=(num_columns, num_rows), num_features=(num_rows, num_columns, num_features))
    graph = networkx.convert_node_labels_to_integers(networkx.grid_2d_graph(num_rows, num_columns))
    return _with_smooth_features(_ends(graph), num_rows * num_columns, num_features, seed, "grid")


def _check_sizes(**factors: tuple[int, ...]) -> None:
    """Rejects the argument whose factors make an array of more entries than can be numbered."""
    for name, counts in factors.items():
        size = math.prod(int(count) for count in counts)
        if size > _MAX_ENTRIES:
            raise InputError(f"{name}: got {counts[-1]!r}, which makes an array of {size:,} entries; stay below 2**31")


def _ends(graph: Any) -> NDArray[np.int64]:
    """Both ends of every edge [·, 2] of a networkx graph over the nodes 0 to N - 1."""
    return np.array(list(graph.edges), dtype=np.int64)


def _with_smooth_features(ends: NDArray[np.int64], num_nodes: int, num_features: int, seed: int, name: str) -> Network:
    features = _smooth_features(ends, num_nodes, num_features, seed)
    return from_edges(ends[:, 0], ends[:, 1], features, undirected=True, name=name)


def _smooth_features(ends: NDArray[np.int64], num_nodes: int, num_features: int, seed: int) -> NDArray[np.float32]:
    from scipy import sparse

    features = np.random.default_rng(seed).standard_normal((num_nodes, num_features), dtype=np.float32)
    links = sparse.coo_array((np.ones(len(ends), np.float32), (ends[:, 0], ends[:, 1])), (num_nodes, num_nodes))
    with_itself = (links + links.T + sparse.eye_array(num_nodes, dtype=np.float32)).tocsr()
    size: NDArray[np.float32] = np.asarray(with_itself.sum(axis=1))[:, None]
    for _ in range(2):
        features = with_itself @ features / size
    return (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6)


GENERATORS: dict[str, Callable[..., Network]] = {
    "barabasi_albert": barabasi_albert,
    "grid": grid,
    "k_regular": k_regular,
    "random_geometric": random_geometric,
    "ring": ring,
    "stochastic_block_model": stochastic_block_model,
}

_LINKS_PER_NODE: dict[str, Callable[..., float]] = {
    "barabasi_albert": lambda num_links, **_: num_links,
    "grid": lambda **_: 2,
    "k_regular": lambda degree, **_: degree / 2,
    "random_geometric": lambda num_nodes, radius, **_: num_nodes * math.pi * radius**2 / 2,
    "ring": lambda **_: 1,
    "stochastic_block_model": lambda mean_degree, **_: mean_degree / 2,
}
_BYTES_PER_NODE, _BYTES_PER_LINK, _BYTES_PER_FEATURE = 400, 150, 12
"""The least that was measured while networks were made."""


def bytes_to_make(name: str, arguments: Mapping[str, Any]) -> dict[str, float]:
    """What making a network takes at least, before it is made.

    Args:
      name: a key of `GENERATORS`.
      arguments: all of its arguments.

    Returns:
      Bytes, by the argument that decides them.

    Example:
      >>> bytes_to_make("ring", {"num_nodes": 1_000, "num_features": 100})
      {'num_nodes': 550000, 'num_features': 1200000}
    """
    is_grid = name == "grid"
    num_nodes = arguments["num_rows"] * arguments["num_columns"] if is_grid else arguments["num_nodes"]
    per_node = _BYTES_PER_NODE + _BYTES_PER_LINK * _LINKS_PER_NODE[name](**arguments)
    return {
        "num_rows" if is_grid else "num_nodes": num_nodes * per_node,
        "num_features": num_nodes * arguments["num_features"] * _BYTES_PER_FEATURE,
    }
