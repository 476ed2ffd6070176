"""What classes, functions and constants say of themselves, beside docstrings. Needs no Sphinx."""

import dataclasses
import inspect
import re
from typing import Any

from jdgnn.evaluation import probe

FIELD = re.compile(r"^    (\w+): (.+?)(?: = .*?)?(?:  # (.+))?$")


def fields_of(value: Any) -> list[str]:
    """A section `Fields` in reStructuredText, from the source of a dataclass; nothing for other classes.

    >>> from jdgnn import Network
    >>> fields_of(Network)[2]
    '* ``features`` ([N, F0])'
    """
    if not isinstance(value, type) or not dataclasses.is_dataclass(value):
        return []
    found = [match.groups() for line in inspect.getsource(value).splitlines() if (match := FIELD.match(line))]
    if not any(comment for _, _, comment in found):
        return []
    return ["", "", *(_field(name, comment) for name, _, comment in found), ""]


def _field(name: str, comment: str | None) -> str:
    comment = comment and re.sub(r"([|*])", r"\\\1", comment)
    if comment is None:
        return f"* ``{name}``"
    return (
        f"* ``{name}`` ({comment})" if comment.startswith("[") and comment.endswith("]") else f"* ``{name}``: {comment}"
    )


def text_after(value: Any) -> list[str]:
    """The text that stands below a constant of the probes, which Python itself does not keep."""
    source = inspect.getsource(probe)
    name = next((name for name, one in vars(probe).items() if one is value), "")
    found = re.search(rf'^{name} = .*\n"""(.*?)"""', source, re.MULTILINE | re.DOTALL)
    return [found.group(1)] if found else []


def first_sentence(text: str) -> str:
    r"""What a docstring begins with, on one line.

    >>> first_sentence("Mixes two models,\n  half and half. And so on.")
    'Mixes two models, half and half.'
    """
    paragraph = " ".join(text.split("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".") + "."
