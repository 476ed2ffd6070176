"""A network that was changed by hand is rejected where it no longer is one."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.network import Network, as_network, from_edges


def _network() -> Network:
    return from_edges([0, 2, 1], [1, 1, 2], np.eye(3), labels=[0, 1, 0], link_quality=[0.1, 0.2, 0.3])


def _ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": [[1.0]] * 3}, "features: .*got list"),
        ({"features": jnp.eye(3)}, "features: .*got ArrayImpl"),
        ({"features": np.eye(3, dtype=int)}, r"features: .*got int64 \(3, 3\)"),
        ({"features": np.ones(3)}, r"features: .*got float64 \(3,\)"),
        ({"features": np.full((3, 2), np.nan)}, "features: 6 entries are not finite"),
        ({"senders": np.array([0.0, 2.0, 1.0])}, "senders: .*got float64"),
        ({"senders": _ints(0, 2)}, "receivers: expected one for each of 2 senders, got 3"),
        ({"senders": _ints(0, 3, 1)}, "senders: names nodes 0 to 3, and features describe 0 to 2"),
        ({"receivers": _ints(-1, 1, 2)}, "receivers: names nodes -1 to 2"),
        ({"receivers": None}, "receivers: .*got NoneType"),
        ({"senders": _ints(0, 1, 1)}, "senders: node 1 is linked to itself"),
        ({"receivers": _ints(2, 1, 0)}, "receivers: must be ascending"),
        ({"senders": _ints(0, 0, 1)}, "senders: must be ascending, without repetition"),
        ({"features": np.eye(2)}, "senders: names nodes 0 to 2, and features describe 0 to 1"),
        ({"features": np.zeros((0, 2))}, r"features: .*got shape \(0, 2\)"),
        ({"labels": _ints(0, 1)}, r"labels: .*got shape \(2,\)"),
        ({"labels": _ints(0, 1, -2)}, "labels: .*got -2 at node 2"),
        ({"link_quality": np.full(3, 2, np.float32)}, "link_quality: .*got 2.0 at edge 0"),
        ({"link_quality": np.ones(2, np.float32)}, r"link_quality: .*got shape \(2,\)"),
        ({"splits": {}}, "splits: .*got dict"),
        ({"class_names": ("a",)}, "class_names: .*got 1 names"),
    ],
)
def test_a_network_whose_fields_do_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=rf"^network\.{message}.*; make the network with from_edges$"):
        as_network(replace(_network(), **changes))


def test_sound_changes_are_fine() -> None:
    network = replace(_network(), features=np.ones((3, 5), np.float32), labels=None, link_quality=None)
    assert as_network(network) is network
    isolated = from_edges([], [], np.eye(2), allow_no_edges=True)
    assert as_network(isolated) is isolated
