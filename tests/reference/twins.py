"""The arithmetic of every built-in part a second time, for one node: in plain NumPy on lists of what is there.

What is aggregated stands inside gradients, where JAX has to follow; there, weights of zero leave out what is not there.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
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


def chebyshev_aggregate(own: Any, degree: Any, received: Any, there: Any, degrees: Any, query: Tree) -> Any:
    """The first Chebyshev polynomial of the Laplacian less one, for the largest eigenvalue 2."""
    return -(there / jnp.sqrt(jnp.maximum(degrees, 1) * jnp.maximum(degree, 1))) @ received


def dense_aggregate(own: Any, degree: Any, received: Any, there: Any, degrees: Any, query: Tree) -> Any:
    """A node's own vector."""
    return own


def gat_aggregate(own: Any, degree: Any, received: Any, there: Any, degrees: Any, query: Tree) -> Any:
    """Velickovic's attention, with keys and offsets of the node for each head."""
    vectors, there = jnp.concatenate([own[None], received]), jnp.concatenate([jnp.ones(1), there])
    scores = query["key"] @ vectors.T + query["offset"][:, None]
    scores = jnp.where(scores > 0, scores, 0.2 * scores)
    weights = there * jnp.exp(scores - jnp.max(jnp.where(there > 0, scores, -jnp.inf), axis=1, keepdims=True))
    return weights @ vectors / jnp.sum(weights, axis=1, keepdims=True)


def gcn_aggregate(own: Any, degree: Any, received: Any, there: Any, degrees: Any, query: Tree) -> Any:
    """Kipf & Welling's sum over neighbours that have arrived; degrees are those of the network."""
    return own / (degree + 1) + (there / jnp.sqrt((degrees + 1) * (degree + 1))) @ received


def gin_aggregate(own: Any, degree: Any, received: Any, there: Any, degrees: Any, query: Tree) -> Any:
    """The sum over neighbours that have arrived."""
    return there @ received


def sage_aggregate(own: Any, degree: Any, received: Any, there: Any, degrees: Any, query: Tree) -> Any:
    """Hamilton's mean over neighbours that have arrived; zero if none has."""
    return there @ received / jnp.maximum(jnp.sum(there), 1)


# of own vector [F], in-degree, vectors [n, F], ones for those that have arrived and zeros [n], senders' degrees [n] and
# what is asked for
AGGREGATES: dict[str, Callable[[Any, Any, Any, Any, Any, Tree], Any]] = {
    "chebyshev": chebyshev_aggregate,
    "dense": dense_aggregate,
    "gat": gat_aggregate,
    "gcn": gcn_aggregate,
    "gin": gin_aggregate,
    "sage": sage_aggregate,
}


def gcn_linear(params: Tree, own: Array, aggregated: Array) -> Array:
    return aggregated @ params["linear"]["kernel"] + params["linear"]["bias"]


def sage_linear(params: Tree, own: Array, aggregated: Array) -> Array:
    return own @ params["own"]["kernel"] + params["own"]["bias"] + aggregated @ params["neighbours"]["kernel"]


def chebyshev_linear(params: Tree, own: Array, aggregated: Array) -> Array:
    return own @ params["order_0"]["kernel"] + params["order_0"]["bias"] + aggregated @ params["order_1"]["kernel"]


def dense_linear(params: Tree, own: Array, aggregated: Array) -> Array:
    return own @ params["linear"]["kernel"] + params["linear"]["bias"]


def gat_linear(params: Tree, own: Array, aggregated: Array) -> Array:
    heads = [aggregated[h] @ params["kernel"][h] for h in range(len(aggregated))]
    return np.concatenate(heads) + params["bias"]


LINEAR: dict[str, Callable[[Tree, Array, Array], Array]] = {
    "chebyshev": chebyshev_linear,
    "dense": dense_linear,
    "gat": gat_linear,
    "gcn": gcn_linear,
    "sage": sage_linear,
}


def before_activation(kind: str, activation: str, params: Tree, own: Array, aggregated: Array) -> list[Array]:
    """What the activations of a built-in layer are given, the last one last."""
    if kind != "gin":
        return [LINEAR[kind](params, own, aggregated)]
    both = (1 + params["epsilon"]) * own + aggregated
    hidden = both @ params["hidden"]["kernel"] + params["hidden"]["bias"]
    return [hidden, ACTIVATIONS[activation](hidden) @ params["output"]["kernel"] + params["output"]["bias"]]


def layer_output(kind: str, activation: str, normalize: bool, params: Tree, own: Array, aggregated: Array) -> Array:
    """What a built-in layer makes of a node's own vector and its aggregate."""
    output = ACTIVATIONS[activation](before_activation(kind, activation, params, own, aggregated)[-1])
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


def margin_ranking(z: Array, positives: list[Array], negatives: list[Array], margin: float) -> float:
    """Hinge loss over all pairs of a neighbour and a random node."""
    return float(np.mean([max(0.0, z @ n - z @ p + margin) for p in positives for n in negatives]))


def _spread_terms(z: Array, samples: list[Array], deviation: float) -> tuple[float, float]:
    """VICReg's variance and covariance terms over a vector and samples, times how many these are."""
    vectors = np.array([z, *samples])
    covariance = np.cov(vectors, rowvar=False, ddof=1)
    small = np.maximum(0, deviation - np.sqrt(np.diag(covariance) + 1e-4))
    together = covariance - np.diag(np.diag(covariance))
    return len(vectors) * float(np.mean(small)), len(vectors) * float(np.sum(together**2)) / len(z)


def vicreg(z: Array, positives: list[Array], negatives: list[Array], deviation: float) -> float:
    """With the paper's weights 25, 25 and 1."""
    variance, covariance = _spread_terms(z, negatives, deviation)
    return 25 * float(np.mean([np.mean((z - p) ** 2) for p in positives])) + 25 * variance + covariance


def next_input(z: Array, positives: list[Array], negatives: list[Array], deviation: float, params: Tree) -> float:
    """The next layer's input foretold by a linear map, with VICReg's terms."""
    missed = z @ params["kernel"] + params["bias"] - np.mean(positives, axis=0)
    return float(np.mean(missed**2)) + sum(_spread_terms(z, negatives, deviation))


def _standardised(z: Array, positives: list[Array], negatives: list[Array]) -> tuple[Array, Array]:
    """The vector with the samples, and the positives, by the moments of the former."""
    vectors = np.array([z, *negatives])
    scale = np.sqrt(np.var(vectors, axis=0, ddof=1) + 1e-4)
    return (vectors - vectors.mean(axis=0)) / scale, (np.array(positives) - vectors.mean(axis=0)) / scale


def barlow_twins(z: Array, positives: list[Array], negatives: list[Array], redundancy: float) -> float:
    """Agreement over units; cross-correlation with each sample as its own twin."""
    vectors, twins = _standardised(z, positives, negatives)
    agreement = len(z) * float(np.mean([(1 - np.mean(vectors[0] * twin)) ** 2 for twin in twins]))
    pairs = [(vectors[0], twins.mean(axis=0)), *((x, x) for x in vectors[1:])]
    correlation = np.mean([np.outer(a, b) for a, b in pairs], axis=0)
    together = correlation - np.diag(np.diag(correlation))
    return agreement + redundancy * len(vectors) * float(np.sum(together**2))


def cca(z: Array, positives: list[Array], negatives: list[Array], orthogonality: float) -> float:
    """Distance of standardised vectors, and of the correlation from the identity."""
    vectors, twins = _standardised(z, positives, negatives)
    correlation = vectors.T @ vectors / (len(vectors) - 1)
    apart = float(np.mean([np.sum((vectors[0] - twin) ** 2) for twin in twins]))
    return apart + orthogonality * len(vectors) * float(np.sum((correlation - np.eye(len(z))) ** 2))


LOSSES: dict[str, Callable[..., float]] = {
    "barlow_twins": barlow_twins,
    "cca": cca,
    "edge_reconstruction": edge_reconstruction,
    "info_nce": info_nce,
    "margin_ranking": margin_ranking,
    "next_input": next_input,
    "vicreg": vicreg,
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


def probability(part: int, whole: int) -> float:
    """The float32 that is nearest to a fraction: a uniform, which is a float32 too, is compared with it."""
    return float(np.float32(part) / np.float32(whole))


def by_degree(sender_degree: int, receiver_degree: int) -> float:
    """How probably a model is accepted; a node without in-edges takes any."""
    return min(1.0, probability(sender_degree, receiver_degree)) if receiver_degree else 1.0


def largest(x: Array, share: float) -> tuple[Array, Array]:
    """The numbers of an array that are largest by magnitude, and their places; no places if these are all."""
    flat = x.ravel()
    count = min(len(flat), max(1, round(share * len(flat))))
    if count == len(flat):
        return flat, np.zeros(0, np.int16)
    places = sorted(range(len(flat)), key=lambda place: -abs(flat[place]))[:count]
    return flat[places], np.array(places, np.int16 if len(flat) <= 32768 else np.int32)


def without(x: Array, places: Array) -> Array:
    """The array with zeros at some places; at all of them if none are named."""
    flat = x.ravel().copy()
    flat[places if len(places) else ...] = 0
    return flat.reshape(x.shape)


def placed(x: Array, values: Array, places: Array) -> tuple[Array, Array]:
    """The array with other values at some places, and which these are; at all of them if none are named."""
    flat, there = x.ravel().copy(), np.zeros(x.size, bool)
    where = places if len(places) or not len(values) else ...
    flat[where], there[where] = values, True
    return flat.reshape(x.shape), there.reshape(x.shape)


def every_wanted(wakes: int, num_candidates: int, period: int, phase: int) -> int:
    """All candidates at every so many wakes, nobody at the others."""
    return num_candidates if (wakes - phase) % period == 0 else 0


def account_wanted(balance: int, num_merged: int, uniforms: Sequence[float], capacity: int, reserve: int) -> int:
    """A token account that is rich sends unasked, one whose node has merged answers; both by the tokens it has."""
    above = max(0, balance - reserve + 1)
    wanted = int(uniforms[0] < probability(above, capacity - reserve + 1))
    for i in range(num_merged):
        whole, rest = divmod(balance, reserve)
        wanted += whole + int(uniforms[1 + i] < probability(rest, reserve))
    return min(wanted, balance + 1)


def account_after(balance: int, num_sent: int, capacity: int) -> int:
    """One token comes in per wake, one is spent per message."""
    return min(balance + 1 - num_sent, capacity)


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


Inbox = list[tuple[Tree, int, float]]  # models, ages and weights, the node's own the first


def trimmed_mean(models: Inbox, num_trimmed: int) -> tuple[Tree, int, float]:
    """Number by number the mean of those in the middle; NaN stands where a model has none."""

    def of_number(values: Array) -> float:
        there = np.sort(values[~np.isnan(values)])
        least = min(num_trimmed, (len(there) - 1) // 2)
        return float(there[least : len(there) - least].mean())

    def middle(*numbers: Array) -> Array:
        return np.apply_along_axis(of_number, 0, np.stack(numbers)) if numbers[0].size else numbers[0]

    return jax.tree.map(middle, *(tree for tree, _, _ in models)), max(age for _, age, _ in models), 1.0


def krum(models: Inbox, num_attackers: int, num_chosen: int) -> tuple[Tree, int, float]:
    """The mean of those that have others close by."""
    vectors = [np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]) for tree, _, _ in models]
    num_closest = max(1, len(models) - num_attackers - 2)
    scores = []
    for i, vector in enumerate(vectors):
        squares = sorted(np.sum((vector - other) ** 2) for j, other in enumerate(vectors) if j != i)
        scores.append(sum(squares[:num_closest]))
    chosen = [models[i] for i in sorted(range(len(models)), key=scores.__getitem__)[:num_chosen]]
    mean = jax.tree.map(lambda *numbers: np.mean(np.stack(numbers), axis=0), *(tree for tree, _, _ in chosen))
    return mean, max(age for _, age, _ in chosen), 1.0


def push_sum(models: Inbox) -> tuple[Tree, int, float]:
    """The mean by weight, which adds up."""
    weights = np.array([weight for _, _, weight in models])
    mean = jax.tree.map(
        lambda *numbers: np.tensordot(weights / weights.sum(), np.stack(numbers), 1), *(tree for tree, _, _ in models)
    )
    return mean, max(age for _, age, _ in models), float(weights.sum())


WHOLE_INBOX: dict[str, Callable[[Inbox], tuple[Tree, int, float]]] = {
    "krum": lambda models: krum(models, 1, 1),
    "push_sum": push_sum,
    "trimmed_mean": lambda models: trimmed_mean(models, 1),
}


def _weighted(own: Tree, received: Tree, weight: float) -> Tree:
    return jax.tree.map(lambda a, b: (1 - weight) * a + weight * b, own, received)


def _stretched(merged: Array, own: Array, received: Array) -> Array:
    lengths = [np.sqrt(np.sum(leaf**2)) for leaf in (merged, own, received)]
    if min(lengths) < 64 * np.finfo(merged.dtype).eps * max(lengths) or np.array_equal(own, received):
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
    if name not in ("limited", *PLAIN_MERGES):
        raise LookupError(f"{name}: expected a twin of every merge rule in tests/reference/twins.py, got none")
    rule = limited(limit) if name == "limited" else PLAIN_MERGES[name]
    return variance_corrected(rule) if is_variance_corrected else rule
