"""The work of one tick, as far as gossipy (gossipy-dfl 0.0.1) can express it.

gossipy keeps an object per node: a handler with a `torch.nn.Module` and an optimiser, which is copied whole for each
message. Here each node pushes its model to one random node in each round (`AntiEntropyProtocol.PUSH`, everybody knows
everybody), and a node that receives one averages it with its own and makes one step on its positives and negatives
(`CreateModelMode.MERGE_UPDATE`): as in `bench.torch_loops`, one d × d layer on a constant x of the node, the same loss,
and stochastic gradient descent. In a round of N nodes there are exactly N merges and N steps. What differs from the
others' work:

- positives and negatives are fixed: gossipy's data of a node never change, so nothing is published and gathered anew;
- receivers are drawn independently: several models may reach a node in a round, each merged and stepped on in turn, or
  none, and then it does nothing. The others merge once and step once at every node;
- it merges before the step, the others after; either way it is one of each;
- gossipy shuffles the rows of a node before each step, and what is copied for a message is the handler, x and optimiser
  included.

A round has one time step. With the hundred of gossipy's examples it would visit every node a hundred times a round to
ask whether it is due. No node has test data, so nothing is evaluated.

gossipy imports torchvision for its data sets without declaring it. Nothing here needs it: an empty module takes its
place, since it is large, and does not import beside every build of PyTorch.
"""

import logging
import sys
import time
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

INSTALL = "pip install torch gossipy-dfl==0.0.1"


class Gossipy:
    """N gossipy nodes; see above for their work.

    Args:
        nodes: how many nodes.
        units: d, the width of features and embeddings.
        positives: how many neighbours' embeddings a step reads.
        negatives: how many random nodes' embeddings a step reads.
        degree: how many neighbours a node has.
        threads: how many threads PyTorch may use.
        seed: of everything random.
        learning_rate: of gradient descent.
    """

    def __init__(
        self,
        nodes: int,
        units: int = 64,
        positives: int = 8,
        negatives: int = 8,
        degree: int = 8,
        threads: int = 2,
        seed: int = 0,
        learning_rate: float = 0.1,
    ) -> None:
        library = _import()
        import torch

        if positives > degree:
            raise ValueError(f"{positives} positives need as many neighbours, and a node has {degree}")
        torch.set_num_threads(threads)
        library.set_seed(seed)
        x, rows = _data(nodes, units, positives, negatives, degree)
        # the sign says which way to move, the size how much the row weighs
        targets = torch.tensor([1 / positives] * positives + [-1 / negatives] * negatives).repeat(nodes)
        dispatcher = library.DataDispatcher(
            library.ClassificationDataHandler(rows.flatten(0, 1), targets, test_size=0), nodes, False, False
        )
        dispatcher.set_assignments(torch.arange(len(targets)).view(nodes, -1).tolist(), None)
        self.simulator = library.GossipSimulator(
            library.GossipNode.generate(
                dispatcher,
                library.StaticP2PNetwork(nodes),
                _handler(library, units, learning_rate),
                round_len=1,
                sync=True,
            ),
            dispatcher,
            delta=1,
            protocol=library.AntiEntropyProtocol.PUSH,
        )
        for node, own in zip(self.simulator.nodes.values(), x, strict=True):
            node.model_handler.model.x = own
        self.simulator.init_nodes()
        self.simulator.start(1)

    def run(self, rounds: int) -> float:
        """Seconds that so many rounds take."""
        started = time.perf_counter()
        self.simulator.start(rounds)
        return time.perf_counter() - started


def _import() -> SimpleNamespace:
    """What is used of gossipy, by its names there."""
    sys.modules.setdefault("torchvision", ModuleType("torchvision"))
    try:
        import gossipy
        from gossipy import core, data, node, simul
        from gossipy.data import handler as data_handler
        from gossipy.model import TorchModel, handler
    except ImportError as error:
        raise ImportError(f"gossipy cannot be imported ({error}): {INSTALL}") from error
    gossipy.LOG.setLevel(logging.WARNING)
    names: dict[str, Any] = {"set_seed": gossipy.set_seed, "TorchModel": TorchModel}
    for module in (core, data, node, simul, data_handler, handler):
        names |= {name: getattr(module, name) for name in module.__all__}
    return SimpleNamespace(**names)


def _data(nodes: int, units: int, positives: int, negatives: int, degree: int) -> tuple["torch.Tensor", "torch.Tensor"]:
    """The x [N, d] of all nodes, and the embeddings [N, positives + negatives, d] that they work with for ever."""
    import torch

    features = torch.randn(nodes, units)
    neighbours = torch.randint(nodes, (nodes, degree))
    x = (features + features[neighbours].sum(1)) / (degree + 1)
    weight = torch.randn(nodes, units, units) / units**0.5
    z = (x[:, None] @ weight).squeeze(1).tanh()
    return x, z[torch.cat((neighbours[:, :positives], torch.randint(nodes, (nodes, negatives))), 1)]


def _handler(library: SimpleNamespace, units: int, learning_rate: float) -> Any:
    """The handler of one node, to be copied: its model scores rows by their products with the node's embedding."""
    import torch
    from torch.nn.functional import softplus

    class Scores(library.TorchModel):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(units, units)
            self.x = torch.zeros(units)

        def init_weights(self) -> None:
            torch.nn.init.normal_(self.layer.weight, std=units**-0.5)
            torch.nn.init.zeros_(self.layer.bias)

        def forward(self, rows: "torch.Tensor") -> "torch.Tensor":
            return rows @ self.layer(self.x).tanh()

    def loss(scores: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
        return (targets.abs() * softplus(-targets.sign() * scores)).sum()

    return library.TorchModelHandler(
        Scores(),
        torch.optim.SGD,
        {"lr": learning_rate},
        loss,
        batch_size=0,
        create_model_mode=library.CreateModelMode.MERGE_UPDATE,
    )
