"""Attacks on model messages, one file each; a new one needs its file and its line in `ATTACKS`."""

from collections.abc import Callable

from jdgnn.protocol.attacks.attack import Attack
from jdgnn.protocol.attacks.sign_flip import sign_flip

ATTACKS: dict[str, Callable[..., Attack]] = {
    "sign_flip": sign_flip,
}

__all__ = ["ATTACKS", "Attack", "sign_flip"]
