"""Acceptance rules, one file each; a new one needs its file and its line in `ACCEPTANCES`."""

from collections.abc import Callable

from jdgnn.protocol.acceptance.acceptance import Acceptance
from jdgnn.protocol.acceptance.always import always
from jdgnn.protocol.acceptance.degree import degree

ACCEPTANCES: dict[str, Callable[..., Acceptance]] = {
    "always": always,
    "degree": degree,
}

__all__ = ["ACCEPTANCES", "Acceptance", "always", "degree"]
