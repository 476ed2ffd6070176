"""Networks from and to PyTorch Geometric, and from whatever has its attributes."""

from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.network import as_network, from_edges, from_pyg, to_pyg
from tests.network.five import assert_same, five


class Tensor:
    """Has of a tensor what is used of it, on a device and with a gradient."""

    def __init__(self, values: Any, at: str = "device") -> None:
        self._values, self._at = np.asarray(values), at

    def detach(self) -> "Tensor":
        return Tensor(self._values, self._at + ", detached")

    def cpu(self) -> "Tensor":
        return Tensor(self._values, self._at.replace("device", "cpu"))

    def numpy(self) -> np.ndarray:
        if self._at != "cpu, detached":
            raise TypeError(f"a tensor at {self._at}")
        return self._values


def data(**changes: Any) -> SimpleNamespace:
    attributes: dict[str, Any] = {"x": Tensor(np.eye(4)), "edge_index": Tensor([[0, 1, 2], [1, 2, 3]])}
    return SimpleNamespace(**(attributes | changes))


def test_the_first_row_of_edge_index_sends() -> None:
    network = from_pyg(data())
    assert network.senders.tolist() == [0, 1, 2]
    assert network.receivers.tolist() == [1, 2, 3]
    assert network.labels is None
    assert network.splits is None


def test_labels_masks_and_names_are_taken_along() -> None:
    train, rest = np.array([1, 1, 0, 0], bool), np.array([0, 0, 1, 1], bool)
    network = from_pyg(
        data(y=Tensor([[0], [1], [1], [0]]), train_mask=Tensor(train), test_mask=Tensor(rest), name="lab")
    )
    assert network.name == "lab"
    assert network.labels is not None
    assert network.labels.tolist() == [0, 1, 1, 0]
    assert network.splits is not None
    assert network.splits.train.tolist() == [train.tolist()]
    assert not network.splits.validation.any()
    assert network.splits.test.tolist() == [rest.tolist()]


def test_masks_of_several_splits_are_columns_and_one_mask_may_serve_all() -> None:
    train = np.eye(4, 3, dtype=bool)
    test = np.array([0, 0, 0, 1], bool)
    splits = from_pyg(data(train_mask=Tensor(train), val_mask=Tensor(np.roll(train, 1, axis=1)), test_mask=test)).splits
    assert splits is not None
    assert splits.train.tolist() == train.T.tolist()
    assert splits.test.tolist() == [test.tolist()] * 3


def test_link_quality_is_read_where_it_is_said_to_be() -> None:
    network = from_pyg(data(edge_attr=Tensor([[0.5], [0.25], [1.0]])), link_quality="edge_attr")
    assert network.link_quality is not None
    assert network.link_quality.tolist() == [0.5, 0.25, 1.0]


@pytest.mark.parametrize("attribute", ["edge_attr", "edge_weight", "weight"])
def test_weights_that_nothing_reads_are_told(attribute: str) -> None:
    network = from_pyg(data(**{attribute: Tensor([0.5, 0.25, 1.0])}))
    assert network.link_quality is None
    assert network.num_edges == 3
    assert network.notes == (
        f"not read of links: {attribute}; write link_quality = {attribute!r} for shares of messages that arrive",
    )


def test_all_others_with_a_label_are_tested_where_there_is_only_a_mask_for_training() -> None:
    graph = data(y=Tensor([0, 1, -1, 1]), train_mask=Tensor([True, False, False, False]))
    network = from_pyg(graph)
    assert network.splits is not None
    assert network.splits.train.tolist() == [[True, False, False, False]]
    assert network.splits.test.tolist() == [[False, True, False, True]]
    assert any("data.test_mask: is missing" in note for note in network.notes)


@pytest.mark.parametrize("unknown", [-1, np.nan])
def test_nodes_without_a_label_stand_in_no_split(unknown: float) -> None:
    masks = {"train_mask": Tensor([True, False, True, False]), "test_mask": Tensor([False, True, False, True])}
    network = from_pyg(data(y=Tensor([0, 1, unknown, 1]), **masks))
    assert network.labels is not None
    assert network.labels.tolist() == [0, 1, -1, 1]
    assert network.splits is not None
    assert network.splits.train.tolist() == [[True, False, False, False]]
    assert any("1 of 4 nodes have no label" in note for note in network.notes)


def test_what_is_no_class_can_be_left_out() -> None:
    graph = data(y=Tensor([0.5, 0.1, 0.2, 0.3]))
    with pytest.raises(InputError, match=r"labels: .*got dtype float64"):
        from_pyg(graph)
    assert from_pyg(graph, label=None).labels is None


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (data(x=None), r"data.x: is missing, and it should hold what each node measures"),
        (data(edge_index=None), "data.edge_index: is missing"),
        (data(edge_index=None, adj_t=1), "data.edge_index: is missing, .*the transform ToSparseTensor takes it away"),
        (data(edge_index=Tensor([0, 1])), r"data.edge_index: .*got shape \(2,\)"),
        (data(edge_index=Tensor([[0], [4]])), "receivers: edge 0 names node 4"),
        (data(test_mask=Tensor([True] * 4)), "data.train_mask: is missing, and test_mask is there"),
        (
            data(train_mask=Tensor([0] * 4), test_mask=Tensor([1] * 4)),
            r"data.train_mask: expected booleans \[4\] .*, got int64",
        ),
        (
            data(train_mask=np.zeros((4, 2), bool), test_mask=np.zeros((4, 3), bool)),
            r"train_mask: expected .* \[4, 3\], got bool \(4, 2\)",
        ),
        (data(train_mask=np.ones(4, bool), test_mask=np.ones(4, bool)), "node 0 stands in two parts"),
        (data(node_names=["a", "a", "b", "c"]), "node_names: .* more than once: 'a'"),
        (data(node_types=["paper", "author"]), "to_homogeneous"),
    ],
)
def test_unfit_graphs_are_refused(graph: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_pyg(graph)


def test_a_tensor_that_is_no_array_is_named() -> None:
    def numpy() -> np.ndarray:
        raise TypeError("can't convert Sparse layout tensor to numpy\nmore")

    with pytest.raises(InputError, match=r"data.x: cannot be made an array \(can't convert .*to_dense\(\)"):
        from_pyg(data(x=SimpleNamespace(numpy=numpy)))


def test_an_emulator_takes_such_a_graph_as_it_is() -> None:
    emulator = jdgnn.recipe(4, width=8).emulator
    assert as_network(data()).num_edges == 3
    assert emulator.shapes(data()).num_nodes == 4


def test_without_the_library_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(InputError, match="pip install torch torch_geometric"):
        to_pyg(five())


@pytest.mark.torch
@pytest.mark.parametrize("num_splits", [1, 3])
def test_round_trip_loses_nothing(num_splits: int) -> None:
    pytest.importorskip("torch_geometric")
    network = five(num_splits)
    graph = to_pyg(network)
    graph.validate(raise_on_error=True)
    assert graph.train_mask.ndim == (1 if num_splits == 1 else 2)
    assert_same(from_pyg(graph), network)
    assert_same(as_network(graph), network)
    plain = from_edges([0, 1], [1, 2], np.eye(3))
    assert_same(from_pyg(to_pyg(plain)), plain)


@pytest.mark.torch
def test_graphs_of_the_library_itself() -> None:
    torch, data = pytest.importorskip("torch"), pytest.importorskip("torch_geometric.data")
    x = torch.randn(3, 2, requires_grad=True)
    graph = data.Data(x=x, edge_index=torch.tensor([[0, 1], [1, 2]]))
    network = as_network(graph)
    assert network.senders.tolist() == [0, 1]
    assert x.requires_grad
    state = jdgnn.recipe(2, width=8).emulator.init(jax.random.key(0), graph)
    assert state.num_nodes == 3
    with pytest.raises(InputError, match=r"data.x: is missing"):
        from_pyg(data.Data(edge_index=graph.edge_index, num_nodes=3))
    with pytest.raises(InputError, match="to_homogeneous"):
        as_network(data.HeteroData())
    with pytest.raises(InputError, match=r"data.x: cannot be made an array"):
        from_pyg(data.Data(x=torch.eye(3).to_sparse(), edge_index=graph.edge_index))
    with pytest.raises(InputError, match=r"data.x: cannot be made an array"):
        from_pyg(data.Data(x=torch.eye(3, dtype=torch.bfloat16), edge_index=graph.edge_index))
