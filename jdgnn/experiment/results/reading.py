"""One sentence for every error while a file of a run is read."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from jdgnn.errors import InputError

DAMAGE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Errors of code that expects the content which `jdgnn run` writes, and gets another."""


@contextlib.contextmanager
def reading(path: Path | str, advice: str = "repeat the run") -> Iterator[None]:
    """Turns errors inside into an InputError that names the file."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {advice}") from error
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InputError(f"{path}: invalid {where or 'content'}; {advice}") from error
    except DAMAGE as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path}: invalid ({reason}); {advice}") from error
