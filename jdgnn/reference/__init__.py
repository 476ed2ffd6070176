"""The reference: what a tick means, written a second time, node by node and message by message in plain Python.

It shares nothing with the tick of the engine: it reads the emulator's settings and the record of a tick's events, and
calls parts for one node at a time. `debug_run` is the reference with a look at every number.
"""

from jdgnn.reference.message import Message
from jdgnn.reference.node import Node, Wake
from jdgnn.reference.run import debug_run

__all__ = ["Message", "Node", "Wake", "debug_run"]
