"""The kinds of errors: what a user can mend, and numbers that have left the finite ones."""

import difflib
from collections.abc import Iterable
from typing import Any

LONGEST = 2_000
"""Characters of a message."""


class InputError(ValueError):
    r"""Something the caller gave is wrong; the message names it and says what to write instead.

    Everything that checks input raises this, before anything is computed or overwritten. The command line prints
    the message and exits with status 2. Whatever a file holds, the message is one line of printable text: what is not
    is written as an escape, and the middle of what is very long is left out.

    Example:
      >>> print(InputError("name: expected text, got '\x1b[2J'"))
      name: expected text, got '\x1b[2J'
    """

    def __init__(self, text: str) -> None:
        super().__init__(_shortened(printable(text)))


def printable(text: str) -> str:
    r"""Text with escapes in place of whatever moves the cursor of a terminal, or commands it otherwise.

    >>> print(printable("a\x1b[2J"))
    a\x1b[2J
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _shortened(text: str) -> str:
    half = LONGEST // 2 - 4
    return text if len(text) <= LONGEST else f"{text[:half]} [...] {text[-half:]}"


class NonFiniteError(ArithmeticError):
    """A number that is not finite was received or computed; the message says when, where and what.

    Attributes:
      tick: number of the tick.
      node: number of the node.
      layer: number of the layer.
      stage: what is not finite, as `gradient of the loss`.
      message: the message that it may have come from, a `jdgnn.reference.Message`; None if there is none.
    """

    def __init__(self, text: str, *, tick: int, node: int, layer: int, stage: str, message: Any = None) -> None:
        super().__init__(text)
        self.tick, self.node, self.layer, self.stage, self.message = tick, node, layer, stage, message


def suggestion(given: str, allowed: Iterable[str]) -> str:
    """Names what is allowed and, if one comes close, what was probably meant.

    >>> suggestion("unifrom", ["uniform", "matching"])
    "allowed: matching, uniform; did you mean 'uniform'?"
    """
    names = sorted(allowed)
    close = difflib.get_close_matches(given, names, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"allowed: {', '.join(names)}{hint}"
