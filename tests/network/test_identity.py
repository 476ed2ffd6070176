"""What tells one network from another, whichever form it came in."""

import copy
import pickle
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import jraph
import networkx
import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal

from jdgnn.network import as_network, from_edges, from_pandas, from_pyg, from_scipy, to_jraph, to_networkx, to_pandas
from jdgnn.network.identity import differences
from tests.network.five import five

SENDERS, RECEIVERS, FEATURES = [0, 1, 2, 3], [1, 2, 3, 1], np.arange(8.0).reshape(4, 2)
NETWORK = from_edges(SENDERS, RECEIVERS, FEATURES)
IDENTITY = [
    [4, 4, 2, 0],
    [4145629554, 2708837266, 1982835673, 1939384113],  # must never change: states on disk hold it
    [0, 0, 0, 0],
]


def graph() -> Any:
    made = networkx.DiGraph()
    made.add_nodes_from((v, {"features": FEATURES[v]}) for v in range(4))
    made.add_edges_from(zip(SENDERS, RECEIVERS, strict=True))
    return made


def jraph_tuple() -> Any:
    counts = {"n_node": np.array([4]), "n_edge": np.array([4]), "globals": None, "edges": None}
    return jraph.GraphsTuple(
        nodes=jnp.asarray(FEATURES), senders=jnp.array(SENDERS), receivers=jnp.array(RECEIVERS), **counts
    )


FORMS = {
    "another order": lambda: from_edges(SENDERS[::-1], RECEIVERS[::-1], FEATURES),
    "twice, and loops": lambda: from_edges([*SENDERS, 0, 2], [*RECEIVERS, 1, 2], FEATURES),
    "uint8": lambda: from_edges(np.array(SENDERS, np.uint8), np.array(RECEIVERS, np.uint8), FEATURES),
    "int64": lambda: from_edges(np.array(SENDERS, np.int64), np.array(RECEIVERS, np.int64), FEATURES),
    "on a device": lambda: from_edges(jnp.array(SENDERS), jnp.array(RECEIVERS), jnp.asarray(FEATURES)),
    "SciPy": lambda: from_scipy(
        scipy.sparse.coo_matrix((np.ones(4), (np.array(SENDERS), np.array(RECEIVERS))), (4, 4)), FEATURES
    ),
    "networkx": lambda: as_network(graph()),
    "jraph": lambda: as_network(jraph_tuple()),
    "Data": lambda: from_pyg(SimpleNamespace(x=FEATURES, edge_index=np.array([SENDERS, RECEIVERS]))),
    "other labels, quality, precision and measurements": lambda: from_edges(
        SENDERS, RECEIVERS, np.ones((4, 2), np.float32), labels=[0, 1, 0, 1], link_quality=np.full(4, 0.5)
    ),
    "a copy": lambda: replace(NETWORK, name="copy"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_network_is_the_same_in_every_form_and_in_every_process(form: str) -> None:
    assert FORMS[form]().identity.tolist() == IDENTITY


@pytest.mark.parametrize("there_and_back", [to_networkx, to_jraph, lambda n: from_pandas(*to_pandas(n))])
def test_a_network_with_names_comes_back_as_itself(there_and_back: Any) -> None:
    named = five()
    again = as_network(there_and_back(named))
    assert_array_equal(again.identity[:2], named.identity[:2])
    assert not differences(named.identity, again.identity)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (from_edges([0, 1, 2, 3], [1, 2, 3, 2], FEATURES), "other links"),
        (from_edges(RECEIVERS, SENDERS, FEATURES), "other links"),
        (from_edges([0, 1], [1, 2], FEATURES), "2 directed edges instead of 4"),
        (from_edges(SENDERS, RECEIVERS, np.ones((4, 3))), "3 features of a node instead of 2"),
        (
            from_edges(SENDERS, RECEIVERS, np.ones((5, 1))),
            "5 nodes instead of 4, 1 features of a node instead of 2",
        ),
        (replace(NETWORK, node_names=("d", "c", "b", "a")), ""),
    ],
)
def test_what_differs_is_told(other: Any, told: str) -> None:
    assert differences(NETWORK.identity, other.identity) == told


def test_names_tell_networks_apart_where_both_have_them() -> None:
    named, other = (replace(NETWORK, node_names=tuple(names)) for names in ("abcd", "abdc"))
    assert differences(named.identity, other.identity) == "nodes of other names"
    assert differences(named.identity, replace(named, features=FEATURES + 1).identity) == ""
    glued = replace(NETWORK, node_names=("ab", "c", "d", ""))
    assert differences(glued.identity, replace(glued, node_names=("a", "bc", "d", "")).identity)


def test_the_identity_is_found_once_and_links_stand_still_from_then_on() -> None:
    network = from_edges(SENDERS, RECEIVERS, FEATURES)
    assert network.identity is network.identity
    with pytest.raises(ValueError, match="read-only"):
        network.senders[0] = 2


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_links_of_a_copy_that_are_changed_are_another_network(copied: Any) -> None:
    network = from_edges(SENDERS, RECEIVERS, FEATURES)
    assert network.identity.tolist() == IDENTITY
    other = copied(network)
    other.senders[0] = 2
    assert differences(network.identity, other.identity) == "other links"
    assert other.identity is other.identity
    with pytest.raises(ValueError, match="read-only"):
        other.senders[0] = 0


def test_links_that_are_views_of_an_array_that_is_changed_are_another_network() -> None:
    base = np.concatenate([NETWORK.senders, NETWORK.senders])
    network = replace(NETWORK, senders=base[:4])
    known = network.identity
    base[0] = 2
    assert differences(known, network.identity) == "other links"
