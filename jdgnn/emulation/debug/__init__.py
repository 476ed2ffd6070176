"""The debug back end: the same run without compilation, one object per node, for looking at and stopping in."""

from jdgnn.emulation.debug.message import Message
from jdgnn.emulation.debug.node import Node
from jdgnn.emulation.debug.run import debug_run
from jdgnn.emulation.debug.waking import Wake

__all__ = ["Message", "Node", "Wake", "debug_run"]
