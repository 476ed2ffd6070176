"""The arithmetic of every built-in part in plain NumPy, for one node, on lists of what is there (no masks)."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Tree = Any


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda x: x,
    "leaky_relu": lambda x: np.where(x > 0, x, 0.25 * x),
    "relu": lambda x: np.where(x > 0, x, 0.0),
    "tanh": np.tanh,
}


def unit(x: Array) -> Array:
    """The vector scaled to length one; zero stays zero."""
    length = np.sqrt(np.sum(x**2))
    return x / length if length > 0 else np.zeros_like(x)


def gcn_aggregate(own: Array, degree: int, received: list[Array], degrees: list[int]) -> Array:
    """Kipf & Welling's sum over neighbours that have arrived; degrees are those of the network."""
    result = own / (degree + 1)
    for vector, sender_degree in zip(received, degrees, strict=True):
        result = result + vector / np.sqrt((sender_degree + 1) * (degree + 1))
    return result


def sage_aggregate(own: Array, degree: int, received: list[Array], degrees: list[int]) -> Array:
    """Hamilton's mean over neighbours that have arrived; zero if none has."""
    return np.mean(received, axis=0) if received else np.zeros_like(own)


AGGREGATES: dict[str, Callable[[Array, int, list[Array], list[int]], Array]] = {
    "gcn": gcn_aggregate,
    "sage": sage_aggregate,
}


def gcn_linear(params: Tree, own: Array, aggregated: Array) -> Array:
    return aggregated @ params["linear"]["kernel"] + params["linear"]["bias"]


def sage_linear(params: Tree, own: Array, aggregated: Array) -> Array:
    return own @ params["own"]["kernel"] + params["own"]["bias"] + aggregated @ params["neighbours"]["kernel"]


LINEAR: dict[str, Callable[[Tree, Array, Array], Array]] = {"gcn": gcn_linear, "sage": sage_linear}


def dense(kind: str, activation: str, normalize: bool, params: Tree, own: Array, aggregated: Array) -> Array:
    """What a built-in layer makes of a node's own vector and its aggregate."""
    output = ACTIVATIONS[activation](LINEAR[kind](params, own, aggregated))
    return unit(output) if normalize else output


def edge_reconstruction(z: Array, positives: list[Array], negatives: list[Array], scale: float) -> float:
    """Log-loss of telling neighbours from random nodes by the dot product; a missing kind is left out."""
    loss = 0.0
    if positives:
        loss += float(np.mean([np.log1p(np.exp(-scale * (z @ p))) for p in positives]))
    if negatives:
        loss += float(np.mean([np.log1p(np.exp(scale * (z @ n))) for n in negatives]))
    return loss


def info_nce(z: Array, positives: list[Array], negatives: list[Array], temperature: float) -> float:
    """Log-loss of picking a neighbour from among random nodes by the cosine."""
    noise = sum(np.exp(unit(z) @ unit(n) / temperature) for n in negatives)
    signals = [np.exp(unit(z) @ unit(p) / temperature) for p in positives]
    return float(np.mean([-np.log(signal / (signal + noise)) for signal in signals]))


LOSSES: dict[str, Callable[[Array, list[Array], list[Array], float], float]] = {
    "edge_reconstruction": edge_reconstruction,
    "info_nce": info_nce,
}


def sgd(gradients: list[Array], rates: list[float]) -> Array:
    """How far plain gradient descent has moved after all these gradients."""
    return -np.sum([rate * g for g, rate in zip(gradients, rates, strict=True)], axis=0)


def momentum(gradients: list[Array], rates: list[float], decay: float = 0.9) -> Array:
    """The same with a running sum of gradients."""
    moved = running = np.zeros_like(gradients[0])
    for g, rate in zip(gradients, rates, strict=True):
        running = decay * running + g
        moved = moved - rate * running
    return moved


def adam(gradients: list[Array], rates: list[float], b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Array:
    """The same with Kingma & Ba's bias-corrected moments."""
    moved = mean = square = np.zeros_like(gradients[0])
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        mean = b1 * mean + (1 - b1) * g
        square = b2 * square + (1 - b2) * g**2
        moved = moved - rate * (mean / (1 - b1**t)) / (np.sqrt(square / (1 - b2**t)) + eps)
    return moved


OPTIMIZERS: dict[str, Callable[..., Array]] = {"adam": adam, "momentum": momentum, "sgd": sgd}


def cosine(num_steps: int, horizon: float, floor: float) -> float:
    """Factor of the base rate: half a cosine from 1 down to the floor."""
    return floor + (1 - floor) * (1 + np.cos(np.pi * min(num_steps / horizon, 1))) / 2


Merge = Callable[[Tree, int, Tree, int, int], tuple[Tree, int]]


def average(params: Tree, age: int, received: Tree, received_age: int, fold_index: int) -> tuple[Tree, int]:
    return _weighted(params, received, 0.5), max(age, received_age)


def uniform_mean(params: Tree, age: int, received: Tree, received_age: int, fold_index: int) -> tuple[Tree, int]:
    """Folded over a whole inbox: the mean of all its models and one's own."""
    return _weighted(params, received, 1 / (fold_index + 2)), max(age, received_age)


def age_weighted(params: Tree, age: int, received: Tree, received_age: int, fold_index: int) -> tuple[Tree, int]:
    total = age + received_age
    return _weighted(params, received, received_age / total if total else 0.5), max(age, received_age)


def adopt(params: Tree, age: int, received: Tree, received_age: int, fold_index: int) -> tuple[Tree, int]:
    return received, received_age


def keep_own(params: Tree, age: int, received: Tree, received_age: int, fold_index: int) -> tuple[Tree, int]:
    return params, age


def limited(limit: int) -> Merge:
    """By age, unless one of the two is too far behind to count."""

    def merge(params: Tree, age: int, received: Tree, received_age: int, fold_index: int) -> tuple[Tree, int]:
        if age > received_age + limit:
            return params, age
        if received_age > age + limit:
            return received, received_age
        return age_weighted(params, age, received, received_age, fold_index)

    return merge


def variance_corrected(rule: Merge) -> Merge:
    """Whatever another rule gives, each leaf stretched to the mean length of the two it was made of."""

    def merge(params: Tree, age: int, received: Tree, received_age: int, fold_index: int) -> tuple[Tree, int]:
        merged, age = rule(params, age, received, received_age, fold_index)
        return jax.tree.map(_stretched, merged, params, received), age

    return merge


def _weighted(own: Tree, received: Tree, weight: float) -> Tree:
    return jax.tree.map(lambda a, b: (1 - weight) * a + weight * b, own, received)


def _stretched(merged: Array, own: Array, received: Array) -> Array:
    lengths = [np.sqrt(np.sum(leaf**2)) for leaf in (merged, own, received)]
    if 0 in lengths or np.array_equal(own, received):
        return merged
    return merged * ((lengths[1] + lengths[2]) / 2 / lengths[0])


PLAIN_MERGES: dict[str, Merge] = {
    "adopt": adopt,
    "age_weighted": age_weighted,
    "average": average,
    "keep_own": keep_own,
    "uniform_mean": uniform_mean,
}


def merge_rule(name: str, limit: int, is_variance_corrected: bool) -> Merge:
    """The rule of a name; `limit` is that of the rule "limited"."""
    rule = limited(limit) if name == "limited" else PLAIN_MERGES[name]
    return variance_corrected(rule) if is_variance_corrected else rule
