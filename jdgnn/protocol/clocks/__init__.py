"""Clocks, one file each; a new one needs its file and its line in `CLOCKS`."""

from collections.abc import Callable

from jdgnn.protocol.clocks.always import always
from jdgnn.protocol.clocks.bernoulli import bernoulli
from jdgnn.protocol.clocks.clock import Clock
from jdgnn.protocol.clocks.lognormal import lognormal
from jdgnn.protocol.clocks.periodic import periodic

CLOCKS: dict[str, Callable[..., Clock]] = {
    "always": always,
    "bernoulli": bernoulli,
    "lognormal": lognormal,
    "periodic": periodic,
}

__all__ = ["CLOCKS", "Clock", "always", "bernoulli", "lognormal", "periodic"]
