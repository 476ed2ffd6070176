"""All parts that a configuration can name, and what each takes, read off registries, signatures and docstrings."""

import inspect
import json
import re
import types
import typing
from typing import Annotated, Any, NamedTuple

from jdgnn.errors import InputError, suggestion
from jdgnn.experiment.config.networks import NETWORKS, NetworkPart
from jdgnn.experiment.config.part_tables import NESTED, Factory, Part, Registry, SwitchedPart, table_of
from jdgnn.learning.layers import LAYERS
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS, RATE_SCHEDULES
from jdgnn.network.datasets import DATASETS
from jdgnn.protocol.acceptance import ACCEPTANCES
from jdgnn.protocol.attacks import ATTACKS
from jdgnn.protocol.availability import availability
from jdgnn.protocol.clocks import CLOCKS
from jdgnn.protocol.content import CONTENTS
from jdgnn.protocol.link_presence import LINK_PRESENCES
from jdgnn.protocol.links import DELAYS, DROPS, link, partition
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from jdgnn.protocol.presence import PRESENCES
from jdgnn.protocol.roles import attackers
from jdgnn.protocol.schedules import SCHEDULES
from jdgnn.protocol.traffic import gossip, publish, push


class Kind(NamedTuple):
    """Parts that can stand in the same place.

    Attributes:
      parts: factories by name.
      summary: what they are.
      table: where they stand in a configuration.
      key: in that table; empty if a part is the whole table.
      others: tables in which they can stand as well.
    """

    parts: Registry
    summary: str
    table: str
    key: str = ""
    others: tuple[str, ...] = ()


_LINKS = ("[publish.link]", "[gossip.link]")
_TABLES: Registry = {
    "publish": publish,
    "push": push,
    "gossip": gossip,
    "availability": availability,
    "attackers": attackers,
    "link": link,
    "partition": partition,
}

KINDS: dict[str, Kind] = {
    "network": Kind(NETWORKS, "who is there, and who is linked", "[network]"),
    "layers": Kind(LAYERS, "what a node makes of its own and its neighbours' vectors", "[[layers]]"),
    "objective": Kind(OBJECTIVES, "what each layer is trained for", "[objective]"),
    "optimizer": Kind(OPTIMIZERS, "how a node steps", "[optimizer]"),
    "rate_schedule": Kind(RATE_SCHEDULES, "how the learning rate changes", "[optimizer]", "rate_schedule"),
    "clock": Kind(CLOCKS, "when an online node wakes", "[availability]", "clock"),
    "presence": Kind(PRESENCES, "when a node is online", "[availability]", "presence"),
    "links": Kind(LINK_PRESENCES, "when a link of the network is up", "[availability]", "links"),
    "peers": Kind(PEERS, "to whom a node pushes, and gossips", "[gossip]", "peers", ("[push]",)),
    "drop": Kind(DROPS, "which messages are dropped", "[push.link]", "drop", _LINKS),
    "delay": Kind(DELAYS, "how late messages are", "[push.link]", "delay", _LINKS),
    "schedule": Kind(SCHEDULES, "at which wakes a node sends", "[gossip]", "schedule", ("[push]", "[publish]")),
    "merge": Kind(MERGES, "how a received model enters a node's own", "[gossip]", "merge"),
    "acceptance": Kind(ACCEPTANCES, "which received models are merged at all", "[gossip]", "acceptance"),
    "content": Kind(CONTENTS, "what a model message carries", "[gossip]", "content"),
    "attack": Kind(ATTACKS, "what attackers send for their models", "[attackers]", "attack"),
    "tables": Kind(_TABLES, "tables without a choice of name", ""),
}
"""By the key of the configuration that they are given for."""

BASES: dict[str, type[Part]] = {"push": SwitchedPart, "gossip": SwitchedPart}

LIKE = {"rule": "merge"}
"""Arguments that take parts of a kind with another name."""

OWN = {
    "enabled": "whether there is any",
    "projection": "how many columns to project the features to, by a random matrix that all nodes share",
    "scale": "whether each feature is brought to mean 0 and standard deviation 1 over the nodes",
    "task": "what the labels say",
}
"""What arguments mean that no docstring tells of."""

EXAMPLES: dict[str, Any] = {
    **{"units": 64, "learning_rate": 0.01, "horizon": 200, "prob": 0.1, "mean_prob": 0.5, "sigma": 0.5, "period": 4},
    **{"mean_session": 200, "mean_absence": 50, "share": 0.2, "first": 10, "last": 50, "path": "trace.csv"},
    **{"mean_up": 50, "mean_down": 10, "mean_good": 50, "mean_bad": 5, "expiry": 20},
    **{"default": 0.1, "bytes_per_tick": 4096, "maximum": 10, "ticks": 2, "mean": 2.0, "low": 0, "high": 10},
    **{"start": 100, "end": 200, "pool": 4.0, "projection": 256, "edges": "edges.csv", "nodes": "nodes.csv"},
    **{"archive": "network.npz", "title": "office"},
    **{"attack": "sign_flip", "attackers.nodes": None},
}
"""Values for snippets, by argument, or part and argument, without a default; others get one by their type. None for
what is not shown, as it excludes another."""
WIDEST = 78
"""Characters of a line of a snippet, which a terminal shows with some space before it."""

BY_TYPE: dict[Any, Any] = {bool: True, int: 1, float: 0.5, str: "..."}

SHOWN = {"files": ("edges", "nodes")}
"""Arguments whose examples stand in snippets although they may be left out."""


class Argument(NamedTuple):
    """An argument of a part."""

    name: str
    wanted: str  # in words
    default: Any  # `...` if it must be given
    text: str  # what the docstring says


class Described(NamedTuple):
    """A part, as a reader wants to know it."""

    kind: str
    name: str
    summary: str
    arguments: list[Argument]
    snippet: str


def find(name: str) -> tuple[str, str]:
    """Kind and name of a part.

    Args:
      name: a part, or KIND.PART.

    Raises:
      InputError: there is none, or several of this name.

    Example:
      >>> find("gcn"), find("drop.bernoulli")
      (('layers', 'gcn'), ('drop', 'bernoulli'))
    """
    kind, dot, part = name.partition(".")
    if dot and kind in KINDS:
        if part not in KINDS[kind].parts:
            raise InputError(f"NAME: there is no {part!r} in {kind}; {suggestion(part, KINDS[kind].parts)}")
        return kind, part
    found = [kind for kind, one in KINDS.items() if name in one.parts]
    if len(found) > 1:
        choices = " or ".join(f"{kind}.{name}" for kind in found)
        raise InputError(f"NAME: there are {len(found)} parts called {name!r}; write {choices}")
    if not found:
        known = {*KINDS, *(part for one in KINDS.values() for part in one.parts)}
        hint = suggestion(name, known).partition("; ")[2]
        raise InputError(f"NAME: there is no part {name!r}; {hint or 'jdgnn parts lists them'}")
    return found[0], name


def summary(kind: str, name: str) -> str:
    """What a part is, in a sentence.

    >>> summary("optimizer", "sgd")
    'Stochastic gradient descent.'
    """
    if kind == "network" and name in DATASETS:
        dataset = DATASETS[name]
        return f"Data set: {dataset.summary}; {dataset.num_nodes:,} nodes, {dataset.num_features:,} features."
    return (inspect.getdoc(KINDS[kind].parts[name]) or "").split("\n\n")[0].replace("\n", " ")


def describe(kind: str, name: str) -> Described:
    """All that there is to say of a part.

    Example:
      >>> described = describe("merge", "limited")
      >>> described.arguments[0].wanted, described.arguments[0].default
      ('whole number', 1)
      >>> print(described.snippet)
      [gossip]
      merge = { name = "limited", limit = 1 }
    """
    factory = KINDS[kind].parts[name]
    texts = OWN | documented(factory)
    base = NetworkPart if kind == "network" else BASES.get(name, Part)
    fields = table_of(factory, base).model_fields
    arguments = [
        Argument(
            argument,
            _wanted(factory, argument, field.annotation),
            ... if field.is_required() else field.default,
            texts.get(argument, ""),
        )
        for argument, field in sorted(fields.items(), key=lambda item: item[0] in base.model_fields)
        if argument != "name"
    ]
    types = {argument: field.annotation for argument, field in fields.items()}
    return Described(kind, name, summary(kind, name), arguments, _snippet(kind, name, arguments, types))


def documented(factory: Factory) -> dict[str, str]:
    """What a docstring says of each argument.

    >>> from jdgnn.protocol.merging import limited
    >>> documented(limited)
    {'limit': 'the largest difference of ages at which models are still mixed.'}
    """
    section = re.search(r"^Args:\n(.*?)(?:\n\n|\Z)", inspect.getdoc(factory) or "", re.DOTALL | re.MULTILINE)
    entries = re.split(r"^  (?=\w+: )", section.group(1), flags=re.MULTILINE)[1:] if section else []
    pairs = (entry.partition(": ") for entry in entries)
    return {name: " ".join(text.split()) for name, _, text in pairs}


def _wanted(factory: Factory, argument: str, annotation: Any) -> str:
    kind = LIKE.get(argument, argument)
    if f"{factory.__name__}.{argument}" in NESTED or argument in NESTED:
        plain = {"drop": "number or part: ", "delay": "whole number or part: ", "presence": "part or list of parts: "}
        what = plain.get(kind, "table: " if kind in _TABLES else "part: ")
        return f"{what}jdgnn parts {kind}"
    return _words(annotation)


def _words(annotation: Any) -> str:
    """A type as a reader would name it."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _words(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return " or ".join(json.dumps(choice) for choice in typing.get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        inner = [one for one in typing.get_args(annotation) if one is not types.NoneType]
        return " or ".join(map(_words, inner))
    if origin is list:
        return f"list of {_words(typing.get_args(annotation)[0])}s"
    return {bool: "true or false", int: "whole number", float: "number", str: "text"}.get(annotation, "table")


def _snippet(kind: str, name: str, arguments: list[Argument], annotations: dict[str, Any]) -> str:
    """What to write into a configuration to get the part, with all that it takes."""
    said, left_out = {}, {}
    for argument in arguments:
        example = EXAMPLES.get(argument.name, BY_TYPE.get(annotations[argument.name]))
        example = EXAMPLES.get(f"{name}.{argument.name}", example)
        is_needed = argument.default is ... or argument.name in SHOWN.get(name, ())
        if is_needed or argument.default not in (None, [], {}):
            said[argument.name] = example if is_needed else argument.default
        elif argument.default is None and argument.name in EXAMPLES and example is not None:
            left_out[argument.name] = example
    place = KINDS[kind]
    if kind == "tables":
        if name == "partition":
            return f"[push.link]\npartition = {_inline(said)}"
        return "\n".join([f"[{'push.link' if name == 'link' else name}]", *_lines(said), *_lines(left_out, "# ")])
    if place.key:
        inline = f"{place.key} = {_inline({'name': name, **said}) if said else json.dumps(name)}"
        if len(inline) <= WIDEST:
            return f"{place.table}\n{inline}"
        return "\n".join([f"{place.table[:-1]}.{place.key}]", *_lines({"name": name, **said})])
    return "\n".join([place.table, *_lines({"name": name, **said}), *_lines(left_out, "# ")])


def _lines(values: dict[str, Any], before: str = "") -> list[str]:
    return [f"{before}{key} = {toml(value)}" for key, value in values.items()]


def _inline(values: dict[str, Any]) -> str:
    return "{ " + ", ".join(_lines(values)) + " }"


def toml(value: Any) -> str:
    """A plain value as TOML writes it.

    >>> toml(True), toml("a"), toml(1e-8), toml([])
    ('true', '"a"', '1e-08', '[]')
    """
    return json.dumps(value) if isinstance(value, bool | str | list) else repr(value)
