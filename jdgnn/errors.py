"""The one kind of error a user can mend."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the caller gave is wrong; the message names it and says what to write instead.

    Everything that checks input raises this, before anything is computed or overwritten. The command line prints
    the message and exits with status 2.
    """


def suggestion(given: str, allowed: Iterable[str]) -> str:
    """Names what is allowed and, if one comes close, what was probably meant.

    >>> suggestion("unifrom", ["uniform", "matching"])
    "allowed: matching, uniform; did you mean 'uniform'?"
    """
    names = sorted(allowed)
    close = difflib.get_close_matches(given, names, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"allowed: {', '.join(names)}{hint}"
