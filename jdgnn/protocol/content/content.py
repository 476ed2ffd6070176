"""The type of contents of model messages."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax


class Content(NamedTuple):
    """Encodes the sender's model as a message, written for one node.

    The arrays of a message have shapes that depend on the shapes of a model alone, so that places for messages can be
    reserved. The accounts, and delays by size, count the bytes of these arrays, whatever they hold.

    Members:
      init: `(params) -> memory`, the memory of a node before it has sent anything: a tree of arrays, or () for nothing.
      encode: `(memory, params, key, wakes) -> (memory, message)`. It is called once in a wake that sends, and all
        messages of that wake are the same. The memory is kept if at least one message is sent, even if it is dropped.
      decode: `(message, own_params) -> (params, is_carried)`: the model as the receiver sees it, with its own numbers
        where the message carries none, and a tree of bools in the shape of the model that marks the carried numbers.
        Numbers that are not carried do not change in the merge, whatever the rule gives.
      num_bytes: `(message) -> number`, the bytes of the message that are used, at most those that are counted. None if
        all are.
    """

    init: Callable[[Any], Any]
    encode: Callable[..., tuple[Any, Any]]
    decode: Callable[[Any, Any], tuple[Any, Any]]
    num_bytes: Callable[[Any], jax.Array] | None = None


def message_shapes(content: Content, params: Any) -> Any:
    """Shapes of a message of one node whose model has the shapes `params`."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    wakes = jax.ShapeDtypeStruct((), "int32")
    return jax.eval_shape(lambda *given: content.encode(content.init(given[0]), *given)[1], params, key, wakes)
