"""What the content of a model message is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax


class Content(NamedTuple):
    """What a model message carries of the sender's model, written for one node.

    A message is a tree of arrays whose shapes depend on the shapes of a model alone, so that places for messages can
    be kept. Its size in the accounts, and for delays that depend on it, is that of these arrays, whatever they hold.

    Members:
      init: `(params) -> memory`, what a node remembers before it has sent anything: a tree of arrays, or () for
        nothing.
      encode: `(memory, params, key, wakes) -> (memory, message)`. It is called once in a wake that sends, and all
        messages of that wake are the same. The memory is kept if at least one is sent, whatever becomes of it.
      decode: `(message, own_params) -> (params, is_carried)`: the model as the receiver sees it, with its own numbers
        where the message carries none, and a tree of bools in the shape of the model that says which are carried.
        The others stay as they are, whatever the merge rule gives.
      num_bytes: `(message) -> number`, how many bytes of the message are used; at most those that are counted. None
        where all are.
    """

    init: Callable[[Any], Any]
    encode: Callable[..., tuple[Any, Any]]
    decode: Callable[[Any, Any], tuple[Any, Any]]
    num_bytes: Callable[[Any], jax.Array] | None = None


def message_shapes(content: Content, params: Any) -> Any:
    """Shapes of a message of one node whose model has the shapes `params`.

    Example:
      >>> import jax.numpy as jnp
      >>> from jdgnn.protocol.content import top_k
      >>> shapes = message_shapes(top_k(0.5), {"kernel": jnp.zeros((4, 3))})
      >>> shapes["kernel"].values.shape, shapes["kernel"].place.dtype
      ((6,), dtype('int16'))
    """
    key = jax.eval_shape(lambda: jax.random.key(0))
    wakes = jax.ShapeDtypeStruct((), "int32")
    return jax.eval_shape(lambda *given: content.encode(content.init(given[0]), *given)[1], params, key, wakes)
