"""The work of one tick as a PyTorch user would write it, in four forms.

Each node owns W [d, d] and b [d], and x [d], the mean of its own and its neighbours' features, which never changes.
One node-update is one local step and one merge:

    z = tanh(Wᵀx + b)
    loss = mean softplus(-(positives @ z)) + mean softplus(negatives @ z)
    W, b ← a step of the optimiser on that loss; then the mean with the W, b of one other node

Positives are embeddings of neighbours and negatives those of random nodes, both as published in the round before and
gathered anew in every round; they are constants of the loss. What is published is z before the step. Whom a node
merges with is a random permutation, so each node's model is used once.

All forms draw the same numbers from the same seed and compute the same; they differ in how. Batched ones hold
[N, d, d] and use bmm; all but the tuned one merge into fresh arrays, as one would write it. All gather rows of
embeddings for the whole network at once, the loop over objects too.
"""

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Draws(NamedTuple):
    """What a round needs beside the models: published embeddings, and whom each node merges with."""

    rows: "torch.Tensor"  # [N, positives + negatives, d]
    peers: "torch.Tensor"  # [N]


class Loop(ABC):
    """What the forms share: the network, the draws, the loss and the clock.

    Args:
        nodes: how many nodes.
        units: d, the width of features and embeddings.
        positives: how many neighbours' embeddings a step reads.
        negatives: how many random nodes' embeddings a step reads.
        degree: how many neighbours a node has; if more than `positives`, they are chosen anew in each round.
        threads: how many threads PyTorch may use.
        seed: of everything random.
        optimizer: "sgd" or "adam".
        learning_rate: of the optimiser.
        dtype: name of a PyTorch dtype.

    Attributes:
        loss: mean loss over the nodes in the last round.
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
        optimizer: str = "sgd",
        learning_rate: float = 0.1,
        dtype: str = "float32",
    ) -> None:
        import torch

        if positives > degree:
            raise ValueError(f"{positives} positives need as many neighbours, and a node has {degree}")
        torch.set_num_threads(threads)
        self.nodes, self.degree, self.negatives = nodes, degree, negatives
        self.optimizer, self.learning_rate = optimizer, learning_rate
        self.generator = torch.Generator().manual_seed(seed)
        real = {"generator": self.generator, "dtype": getattr(torch, dtype)}
        features = torch.randn(nodes, units, **real)
        self.neighbours = torch.randint(nodes, (nodes, degree), generator=self.generator)
        self.x = (features + features[self.neighbours].sum(1)) / (degree + 1)
        weight, bias = torch.randn(nodes, units, units, **real) / units**0.5, features.new_zeros(nodes, units)
        self.z = self._embed(weight, bias)
        # of a row in the loss of its node: -1 pulls it close, +1 pushes it away
        self.sign = features.new_tensor([-1.0] * positives + [1.0] * negatives)
        self.share = features.new_tensor([1 / positives] * positives + [1 / negatives] * negatives)
        self.loss = float("nan")
        self._own(weight, bias)
        self._round()

    def run(self, rounds: int) -> float:
        """Seconds that so many rounds take."""
        started = time.perf_counter()
        for _ in range(rounds):
            self._round()
        return time.perf_counter() - started

    @abstractmethod
    def parameters(self) -> tuple["torch.Tensor", "torch.Tensor"]:
        """W [N, d, d] and b [N, d] of all nodes."""

    @abstractmethod
    def _own(self, weight: "torch.Tensor", bias: "torch.Tensor") -> None:
        """Takes the initial parameters."""

    @abstractmethod
    def _step(self, rows: "torch.Tensor") -> float:
        """Publishes, makes the local step of every node, and gives the mean loss."""

    @abstractmethod
    def _merge(self, peers: "torch.Tensor") -> None:
        """Averages every node's parameters with its peer's."""

    def _round(self) -> None:
        rows, peers = self._draw()
        self.loss = self._step(rows)
        self._merge(peers)

    def _draw(self) -> Draws:
        import torch

        nodes, count = self.nodes, len(self.sign) - self.negatives
        near = self.neighbours
        if count < self.degree:
            near = near.gather(1, torch.rand(nodes, self.degree, generator=self.generator).topk(count).indices)
        far = torch.randint(nodes, (nodes, self.negatives), generator=self.generator)
        rows = self.z[torch.cat((near, far), 1)]
        return Draws(rows, torch.randperm(nodes, generator=self.generator))

    def _embed(self, weight: "torch.Tensor", bias: "torch.Tensor") -> "torch.Tensor":
        return ((self.x[:, None] @ weight).squeeze(1) + bias).tanh()

    def _loss(self, z: "torch.Tensor", rows: "torch.Tensor") -> "torch.Tensor":
        """Sum of the losses of nodes with embeddings z [..., d] and rows [..., positives + negatives, d]."""
        from torch.nn.functional import softplus

        return (self.share * softplus(self.sign * (rows @ z[..., None]).squeeze(-1))).sum()


class _Batched(Loop):
    """One tensor for all nodes' W and one for all b; what is merged is a fresh array in every round."""

    weight: "torch.Tensor"
    bias: "torch.Tensor"

    def parameters(self) -> tuple["torch.Tensor", "torch.Tensor"]:
        """W [N, d, d] and b [N, d] of all nodes."""
        return self.weight.detach(), self.bias.detach()

    def _merge(self, peers: "torch.Tensor") -> None:
        for own in (self.weight, self.bias):
            before = own.detach()
            own.data = (before + before[peers]).mul_(0.5)


class BatchedAutograd(_Batched):
    """Batched matrix products, autograd, and an optimiser of torch.optim over the stacked parameters."""

    def _own(self, weight: "torch.Tensor", bias: "torch.Tensor") -> None:
        self.weight, self.bias = weight.requires_grad_(), bias.requires_grad_()
        self.stepper = _stepper(self.optimizer, [self.weight, self.bias], self.learning_rate)

    def _step(self, rows: "torch.Tensor") -> float:
        z = self._embed(self.weight, self.bias)
        loss = self._loss(z, rows)
        self.stepper.zero_grad()
        loss.backward()
        self.stepper.step()
        self.z = z.detach()
        return float(loss.detach()) / self.nodes


class BatchedByHand(_Batched):
    """Batched, with the gradient by hand: W's is x ⊗ g, so it goes into W as a rank-one update and is never stored."""

    buffer: "torch.Tensor | None" = None  # what is as large as W is written here, or to fresh memory

    def _own(self, weight: "torch.Tensor", bias: "torch.Tensor") -> None:
        import torch

        _check(self.optimizer)
        self.weight, self.bias = weight, bias
        self.steps = 0
        if self.optimizer == "adam":
            self.moments = [torch.zeros_like(like) for like in (weight, weight, bias, bias)]

    def _step(self, rows: "torch.Tensor") -> float:
        from torch.nn.functional import softplus

        z = self._embed(self.weight, self.bias)
        scores = self.sign * (rows @ z[..., None]).squeeze(-1)
        loss = (self.share * softplus(scores)).sum()
        of_scores = self.share * self.sign * scores.sigmoid()
        gradient = (of_scores[:, None] @ rows).squeeze(1) * (1 - z * z)  # with respect to Wᵀx + b
        self.z = z
        descend = self._sgd if self.optimizer == "sgd" else self._adam
        descend(gradient)
        return float(loss) / self.nodes

    def _sgd(self, gradient: "torch.Tensor") -> None:
        self.weight.baddbmm_(self.x[:, :, None], gradient[:, None], alpha=-self.learning_rate)
        self.bias.add_(gradient, alpha=-self.learning_rate)

    def _adam(self, gradient: "torch.Tensor") -> None:
        import torch

        self.steps += 1
        mean, square, bias_mean, bias_square = self.moments
        squared, x = gradient * gradient, self.x[:, :, None]
        mean.baddbmm_(x, gradient[:, None], beta=BETA1, alpha=1 - BETA1)
        square.baddbmm_(x * x, squared[:, None], beta=BETA2, alpha=1 - BETA2)
        bias_mean.lerp_(gradient, 1 - BETA1)
        bias_square.lerp_(squared, 1 - BETA2)
        correction = (1 - BETA2**self.steps) ** 0.5
        rate = self.learning_rate * correction / (1 - BETA1**self.steps)
        root = torch.sqrt(square, out=self.buffer).add_(EPSILON * correction)
        self.weight.addcdiv_(mean, root, value=-rate)
        self.bias.addcdiv_(bias_mean, bias_square.sqrt().add_(EPSILON * correction), value=-rate)


class BatchedTuned(BatchedByHand):
    """By hand, and merged in place through memory that is kept from round to round, since fresh memory is slow."""

    def _own(self, weight: "torch.Tensor", bias: "torch.Tensor") -> None:
        import torch

        super()._own(weight, bias)
        self.buffer = torch.empty_like(weight)

    def _merge(self, peers: "torch.Tensor") -> None:
        import torch

        self.weight.lerp_(torch.index_select(self.weight, 0, peers, out=self.buffer), 0.5)
        self.bias.lerp_(self.bias[peers], 0.5)


class ObjectPerNode(Loop):
    """A loop over nodes, each with a `torch.nn.Linear` and an optimiser of its own; a model is sent as a copy."""

    def _own(self, weight: "torch.Tensor", bias: "torch.Tensor") -> None:
        import torch

        units = weight.shape[1]
        self.models = [torch.nn.Linear(units, units, dtype=weight.dtype) for _ in range(self.nodes)]
        with torch.no_grad():
            for model, own_weight, own_bias in zip(self.models, weight, bias, strict=True):
                model.weight.copy_(own_weight.T)
                model.bias.copy_(own_bias)
        self.steppers = [
            _stepper(self.optimizer, list(model.parameters()), self.learning_rate) for model in self.models
        ]

    def parameters(self) -> tuple["torch.Tensor", "torch.Tensor"]:
        """W [N, d, d] and b [N, d] of all nodes."""
        import torch

        weights, biases = ([getattr(model, name).detach() for model in self.models] for name in ("weight", "bias"))
        return torch.stack(weights).mT, torch.stack(biases)

    def _step(self, rows: "torch.Tensor") -> float:
        import torch

        published, total = torch.empty_like(self.z), 0.0
        for node, (model, stepper) in enumerate(zip(self.models, self.steppers, strict=True)):
            z = model(self.x[node]).tanh()
            loss = self._loss(z, rows[node])
            stepper.zero_grad()
            loss.backward()
            stepper.step()
            published[node] = z.detach()
            total += loss.item()
        self.z = published
        return total / self.nodes

    def _merge(self, peers: "torch.Tensor") -> None:
        import torch

        with torch.no_grad():
            sent = [[own.clone() for own in model.parameters()] for model in self.models]
            for model, peer in zip(self.models, peers.tolist(), strict=True):
                for own, received in zip(model.parameters(), sent[peer], strict=True):
                    own.lerp_(received, 0.5)


def _check(optimizer: str) -> None:
    if optimizer not in ("sgd", "adam"):
        raise ValueError(f"optimizer is {optimizer!r}, not one of 'sgd' and 'adam'")


def _stepper(optimizer: str, parameters: list["torch.Tensor"], learning_rate: float) -> Any:
    import torch

    _check(optimizer)
    return {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer](parameters, lr=learning_rate)
