"""Models of the presence of nodes, one file each; a new one needs its file and its line in `PRESENCES`."""

from collections.abc import Callable

from jdgnn.protocol.presence.churn import churn
from jdgnn.protocol.presence.crash import crash
from jdgnn.protocol.presence.late_joining import late_joining
from jdgnn.protocol.presence.presence import Presence
from jdgnn.protocol.presence.trace import trace

PRESENCES: dict[str, Callable[..., Presence]] = {
    "churn": churn,
    "crash": crash,
    "late_joining": late_joining,
    "trace": trace,
}

__all__ = ["PRESENCES", "Presence", "churn", "crash", "late_joining", "trace"]
