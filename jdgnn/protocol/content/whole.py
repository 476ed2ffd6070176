"""The whole model."""

from jdgnn.protocol.content.content import Content


def whole() -> Content | None:
    """A model message carries all parameters as they are, which takes no encoding: None.

    Example:
      >>> whole() is None
      True
    """
    return None
