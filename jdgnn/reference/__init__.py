"""The reference emulator: a second implementation of a tick, node by node and message by message in plain Python.

It shares no code with the tick of the engine: it reads the emulator's settings and the events of a tick, and calls
parts for one node at a time. `debug_run` is the reference with a check of every number.
"""

from jdgnn.reference.message import Message
from jdgnn.reference.node import Node, Wake
from jdgnn.reference.run import debug_run

__all__ = ["Message", "Node", "Wake", "debug_run"]
