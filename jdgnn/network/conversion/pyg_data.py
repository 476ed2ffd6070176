"""Networks from and to PyTorch Geometric's `Data`.

What is read of a `Data` are attributes that turn into arrays, so that reading needs neither library.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import as_array, as_column, check_name
from jdgnn.network.network import Network, Splits, from_edges
from jdgnn.network.weights import unused_weights

MASKS = {"train": "train_mask", "validation": "val_mask", "test": "test_mask"}
WEIGHTS = ("edge_attr", "edge_weight", "weight")
NEEDED = {
    "edge_index": "whole numbers [2, edges]: who sends, and who receives (the transform ToSparseTensor takes it away)",
    "x": "what each node measures, [nodes, features]; for nothing, write their degrees",
}


def from_pyg(
    data: Any,
    *,
    label: str | None = "y",
    link_quality: str = "link_quality",
    splits: Any = None,
    allow_no_edges: bool = False,
    name: str | None = None,
    class_names: tuple[str, ...] | None = None,
) -> Network:
    """Makes a network of a PyTorch Geometric `Data`, or of any object with such attributes.

    `edge_index[0]` sends and `edge_index[1]` receives, as in PyTorch Geometric; an undirected graph holds both
    directions there. Read are `x`, `edge_index`, the attributes named below, `train_mask`, `val_mask` and `test_mask`
    ([N], or [N, S] for several splits), and `name`, `class_names` and `node_names`, if they are there. Nodes exchange
    embeddings and edges have no features: `edge_attr`, `edge_weight` and `weight` are ignored, which is told, unless
    `link_quality` names them. Other attributes are not looked at. Nothing is kept of the tensors: gradients and devices
    stay where they are.

    Args:
      data: the graph; `x` [N, F0] are numbers, sparse tensors need `to_dense()`.
      label: the attribute that holds the class of each node, integers [N] or [N, 1]. Under its default name it may be
        missing; None for a network without labels, as where `y` are numbers to be predicted.
      link_quality: the attribute that holds the probability that a message gets through, [E] or [E, 1]. Under its
        default name it may be missing likewise.
      splits: as `from_edges` takes them; None for what the masks say. A split needs a training mask; without one for
        the test all other nodes with a label are tested, which is told, and without one for validation nobody is in it.
      allow_no_edges: as `from_edges` takes it.
      name: likewise; None for the attribute `name`, if there is one.
      class_names: likewise; None for the attribute `class_names`, if there is one.

    Returns:
      The network.

    Raises:
      InputError: an attribute is missing or does not fit, or there are several kinds of nodes.

    Example:
      >>> from types import SimpleNamespace
      >>> from_pyg(SimpleNamespace(x=np.eye(3), edge_index=np.array([[0, 1], [1, 2]]), y=np.array([0, 1, 1])))
      Network('network': 3 nodes, 2 directed edges, 3 features, 2 classes)
    """
    if hasattr(data, "node_types"):
        raise InputError(f"data: got {type(data).__name__}, and nodes must be of one kind; write to_homogeneous()")
    for argument, attribute in (("label", label), ("link_quality", link_quality)):
        if attribute not in (None, "y", "link_quality"):  # under default names they may be missing
            check_name(argument, attribute)
            if getattr(data, str(attribute), None) is None:
                raise InputError(f"{argument}: the graph has no attribute {attribute!r}; name the one that holds it")
    read = (*NEEDED, label, link_quality, *MASKS.values(), *WEIGHTS)
    found = {one: _array(data, one) for one in read if one is not None and getattr(data, one, None) is not None}
    for one, wanted in NEEDED.items():
        if one not in found:
            raise InputError(f"data.{one}: is missing, and it should hold {wanted}")
    ends, labels, quality = found["edge_index"], found.get(label or ""), found.pop(link_quality, None)
    if ends.ndim != 2 or ends.shape[0] != 2:
        raise InputError(f"data.edge_index: expected [2, edges], got shape {ends.shape}")
    notes = unused_weights({one: found[one] for one in WEIGHTS if one in found})
    if splits is None:
        splits, told = _splits(found)
        notes += told
    if class_names is None:
        class_names = () if labels is None else getattr(data, "class_names", None) or ()
    own_name = getattr(data, "name", None)
    return from_edges(
        ends[0],
        ends[1],
        found["x"],
        labels=None if labels is None else as_column(labels),
        splits=splits,
        link_quality=None if quality is None else as_column(quality),
        allow_no_edges=allow_no_edges,
        name=name or (own_name if isinstance(own_name, str) else "") or "network",
        class_names=class_names,
        node_names=getattr(data, "node_names", None) or (),
        notes=notes,
    )


def _array(data: Any, attribute: str) -> NDArray[Any]:
    """An attribute as an array; `data.` and its name stand in front of what is said of it."""
    value = getattr(data, attribute)
    try:
        for method in ("detach", "cpu", "numpy"):
            value = getattr(value, method)() if hasattr(value, method) else value
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise InputError(
            f"data.{attribute}: cannot be made an array ({reason}); expected a dense tensor of an ordinary type, as "
            "to_dense() and float() give"
        ) from error
    return as_array(f"data.{attribute}", value)


def _splits(found: dict[str, NDArray[Any]]) -> tuple[Splits | None, tuple[str, ...]]:
    """The masks of all splits [S, N], and what to tell; a mask [N] beside others [N, S] stands in all of them."""
    masks = {part: np.atleast_2d(found[attribute].T) for part, attribute in MASKS.items() if attribute in found}
    if not masks:
        return None, ()
    if "train" not in masks:
        other = MASKS[next(iter(masks))]
        raise InputError(f"data.train_mask: is missing, and {other} is there; set both or none, or give splits")
    num_nodes = masks["train"].shape[-1]
    shape = (max(len(mask) for mask in masks.values()), num_nodes)
    for part, mask in masks.items():
        if mask.dtype != bool or mask.shape not in (shape, (1, num_nodes)):
            wanted = f"booleans [{num_nodes}] or, as another mask has so many splits, [{num_nodes}, {shape[0]}]"
            raise InputError(f"data.{MASKS[part]}: expected {wanted}, got {mask.dtype} {mask.T.shape}")
    told: tuple[str, ...] = ()
    masks.setdefault("validation", np.zeros((1, num_nodes), bool))
    if "test" not in masks:
        masks["test"] = ~(masks["train"] | masks["validation"])
        told = ("data.test_mask: is missing; all labelled nodes outside of the other masks are tested",)
    return Splits(**{part: np.broadcast_to(mask, shape).copy() for part, mask in masks.items()}), told


def to_pyg(network: Network) -> Any:
    """Gives a network as a `torch_geometric.data.Data`; `from_pyg` is the way back, and loses nothing.

    Args:
      network: the network.

    Returns:
      The graph, on the CPU: `x`, `edge_index` and `name`; if known, `y`, `class_names`, `node_names` and `link_quality`
      [E]; and with splits `train_mask`, `val_mask` and `test_mask`, [N], or [N, S] if there are several.

    Raises:
      InputError: PyTorch Geometric is not installed.

    Example:
      >>> from jdgnn.network import ring
      >>> to_pyg(ring(5))  # doctest: +SKIP
      Data(x=[5, 8], edge_index=[2, 10], name='ring')
    """
    try:
        import torch
        from torch_geometric.data import Data
    except ImportError as error:
        raise InputError(f"to_pyg: {error.name} is not installed; write pip install torch torch_geometric") from error

    arrays = {
        "x": network.features,
        "edge_index": np.stack([network.senders, network.receivers]).astype(np.int64),
        "y": None if network.labels is None else network.labels.astype(np.int64),
        "link_quality": network.link_quality,
    }
    if network.splits is not None:
        masks = {attribute: getattr(network.splits, part).T for part, attribute in MASKS.items()}
        arrays |= {name: mask[:, 0] if mask.shape[1] == 1 else mask for name, mask in masks.items()}
    texts = {"class_names": network.class_names, "node_names": network.node_names}
    return Data(
        **{name: torch.tensor(array) for name, array in arrays.items() if array is not None},
        name=network.name,
        **{name: list(value) for name, value in texts.items() if value},
    )
