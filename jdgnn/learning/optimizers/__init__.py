"""Optimisers and schedules; a new one needs its function and its line in the registry."""

from collections.abc import Callable
from typing import Any

from jdgnn.learning.optimizers.builtin import adam, momentum, sgd
from jdgnn.learning.optimizers.merged import merged
from jdgnn.learning.optimizers.optimizer import Optimizer, from_optax, from_scaling
from jdgnn.learning.optimizers.schedules import constant, cosine, until

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": adam,
    "momentum": momentum,
    "sgd": sgd,
}

RATE_SCHEDULES: dict[str, Callable[..., Callable[..., Any]]] = {
    "constant": constant,
    "cosine": cosine,
    "until": until,
}

__all__ = [
    "OPTIMIZERS",
    "RATE_SCHEDULES",
    "Optimizer",
    "adam",
    "constant",
    "cosine",
    "from_optax",
    "from_scaling",
    "merged",
    "momentum",
    "sgd",
    "until",
]
