"""The content that carries the whole model."""

from jdgnn.protocol.content.content import Content


def whole() -> Content | None:
    """A model message carries all parameters unchanged; this needs no encoding, so the content is None.

    Example:
      >>> whole() is None
      True
    """
    return None
