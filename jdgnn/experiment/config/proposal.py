"""A configuration for tables of one's own, proposed by looking at them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jdgnn.errors import InputError, printable
from jdgnn.experiment.config.catalogue import toml
from jdgnn.network.columns import Facts, Roles, facts_of
from jdgnn.network.files.frames import suffix_of
from jdgnn.network.files.graphs import SUFFIXES
from jdgnn.network.files.reading import tables_in
from jdgnn.network.identifiers import identifier
from jdgnn.network.labels import are_display_names, as_list, is_missing
from jdgnn.network.problems import listed
from jdgnn.network.tables import ENDS, IDS, Columns, Table, guessed

CLASSES = r"label|class|category|community|club|group|target|y"
"""What columns of classes are called, besides `label`, which is read without being asked for."""
MOST_CLASSES = 50
SPLIT = r"split(_\d+)?"

TEMPLATE = """\
# A network from two tables of your own: `jdgnn run {name}`
#
# Written by `jdgnn init`; `jdgnn init EDGES NODES` looks at your tables and proposes what to write. `jdgnn parts files`
# lists all keys; a network may also be one file, such as a graph from Gephi (key graph) or an npz (key archive).

seed = 0

[network]
name = "files"
edges = "edges.csv" # a row for each link; paths begin at the folder of this file
nodes = "nodes.csv" # a row for each node; leave it out where edges name all nodes
id = "id" # column of nodes with the id of each
source = "source" # columns of edges with the ids of both ends
target = "target"
# label = "class" # column of nodes with the class, which is used to evaluate embeddings and never to learn
# features = ["load", "wifi_*"] # columns of nodes that are features, by name or pattern; all others, if left out
# ignore = ["serial"] # columns of nodes that are none
text = "onehot" # a feature for each value of a column of text; or "ignore"
missing = "mean" # empty cells become the mean of their column; or "zero", "indicator"
undirected = true # every link goes both ways
scale = true # each feature is brought to mean 0 and standard deviation 1
""" + (
    LEARNING := """
# Layers, objective and optimiser are those of the default recipe, and so is the number of ticks; to change it:
# [emulation]
# ticks = 260
"""
)


class Line(NamedTuple):
    """A key of the table `network`, with the reason for its value."""

    key: str
    value: Any
    reason: str = ""
    is_used: bool = True  # else it is written as a comment

    def __str__(self) -> str:
        text = f"{self.key} = {toml(self.value)}" + (f" # {printable(self.reason)}" if self.reason else "")
        return text if self.is_used else f"# {text}"


def template(name: str) -> str:
    """A commented configuration for tables that are still to be written."""
    return TEMPLATE.format(name=name)


def proposed(edges: Path, nodes: Path | None, folder: Path, name: str) -> str:
    """Proposes a configuration for a table of edges and one of nodes, or for a file that holds both.

    Args:
      edges: a table of edges; or a file of a graph.
      nodes: a table of nodes; None if the edges name all nodes, or the file holds both.
      folder: where the configuration will lie; paths in it begin there.
      name: what it will be called.

    Returns:
      TOML, with the reason for each choice.

    Raises:
      InputError: a file cannot be read, or holds no table; or a graph is given beside a table of nodes.
    """
    is_graph = suffix_of(edges) in (".json", *SUFFIXES)
    if is_graph and nodes is not None:
        raise InputError(f"NODES: got {nodes} beside {edges}, which holds nodes and links; leave it out")
    given = {"graph": edges} if is_graph else {"edges": edges, "nodes": nodes}
    files = given.get("edges"), given.get("nodes"), given.get("graph")
    links, found, _ = tables_in(*files, Columns())
    column = "" if found is None else _id_column(found.frame, links.frame)
    ids = set() if found is None else {identifier(one) for one in as_list(found.frame[column])}
    ends, reason = _ends(links, ids)
    if not set(ends) <= set(links.frame.columns):  # the first line names them, in words that are not usual
        links, found, _ = tables_in(*files, Columns(source=ends[0], target=ends[1]))
    lines = [
        Line(key, os.path.relpath(path, folder), _counted(key, links, found))
        for key, path in given.items()
        if path is not None
    ]
    if found is not None:
        lines.append(Line("id", column, f"{len(ids):,} different ids"))
    if not is_graph:  # without names in the first line, `1` would be looked for there
        lines += [Line("source", ends[0], reason, links.has_header), Line("target", ends[1], "", links.has_header)]
    lines += _features(found, column) if found is not None else _computed()
    lines += [*_directions(links, ends), *_unknown(links, ends, ids)]
    typed = " ".join(["jdgnn init", *(os.path.relpath(path, folder) for path in given.values() if path is not None)])
    parts = [
        f"# A network from files of your own: `jdgnn run {name}`\n#",
        f"# Written by `{printable(typed)}`,",
        "# which looked at the columns: change what is wrong. Paths begin at the folder of this file, and `jdgnn parts",
        "# files` lists all keys.\n\nseed = 0\n\n[network]",
        'name = "files"',
        *map(str, lines),
    ]
    return "\n".join(parts) + "\n" + _quality(links) + LEARNING


def _counted(key: str, links: Table, nodes: Table | None) -> str:
    counts = {"edges": f"{len(links.frame):,} links", "nodes": f"{len(nodes.frame):,} nodes" if nodes else ""}
    named = {"edges": links, "nodes": nodes}.get(key)
    columns = f"; columns {listed(list(named.frame.columns))}" if named is not None and named.has_header else ""
    return counts.get(key, ", ".join(one for one in reversed(counts.values()) if one)) + columns


def _id_column(nodes: Any, links: Any) -> str:
    """The column whose values stand most often in the table of links; of several the one with a usual name."""
    named = {identifier(one) for column in links.columns for one in as_list(links[column])}
    usual = guessed(list(nodes.columns), [(one,) for one in IDS]) or []
    counts = {one: len(named & {identifier(value) for value in as_list(nodes[one])}) for one in nodes.columns}
    return str(max(nodes.columns, key=lambda one: (counts[one], one in usual)))


def _ends(links: Table, ids: set[str]) -> tuple[list[str], str]:
    """The columns of both ends: by their names, by the ids in them, or the first two."""
    frame, columns = links.frame, list(links.frame.columns)
    if not links.has_header and ids and columns:
        first = [identifier(one) for one in frame.iloc[0]]
        if not ids & set(first) and len(set(first)) == len(first):  # names of columns that nobody knows
            known = [name for name, column in zip(first, columns, strict=True) if _are_ids(frame[column][1:], ids)]
            return (known if len(known) > 1 else first)[:2], "the first columns with ids of nodes"
    if found := guessed(columns, ENDS):
        return found, "as they are called" if links.has_header else "columns without names are called 1, 2, ..."
    known = [name for name in columns if _are_ids(frame[name], ids)]
    both = known if len(known) > 1 else columns
    return (both[:2] if len(both) > 1 else both * 2), "the first columns with ids of nodes"


def _are_ids(series: Any, ids: set[str]) -> bool:
    cells = [identifier(one) for one in as_list(series)]
    return bool(cells) and 2 * sum(one in ids for one in cells) > len(cells)


def _computed() -> list[Line]:
    return [Line("features", "degree", 'nodes measure nothing, so the number of links; or "one", "random"')]


def _features(nodes: Table, ids: str) -> Iterator[Line]:
    """What becomes of the columns of nodes other than ids."""
    frame = nodes.frame.drop(columns=[ids])
    facts = {one.name: one for one in facts_of(frame)}
    splits = [name for name in facts if re.fullmatch(SPLIT, name)]
    label = _label(frame, facts)
    if label is not None:
        cells = [one for one in as_list(frame[label]) if not is_missing(one)]
        unknown = len(frame) - len(cells)
        without = f" and {unknown:,} without one" if unknown else ""
        yield Line("label", label, f"{len(set(cells)):,} classes{without}; to evaluate embeddings, never to learn")
    else:
        yield Line("label", "class", "no column looks like classes; without them embeddings are not evaluated", False)
    others = [one for name, one in facts.items() if name not in splits and name != label]
    doubtful = [one.name for one in others if one.is_suspicious or (one.differs and one.kind == "text")]
    if doubtful:
        yield Line("ignore", doubtful, "by their names row numbers, splits or answers; or texts that all differ")
    used = [one for one in others if one.name not in doubtful and one.kind not in ("empty", "nested")]
    texts = [one for one in used if one.kind == "text" and one.num_values <= Roles().max_categories]
    used = [one for one in used if one.kind != "text" or one in texts]
    if not used:
        yield from _computed()
        return
    yield Line("features", [one.name for one in used], "all that are left, if this is left out", False)
    if any(one.kind == "text" and one.name not in doubtful for one in others):
        counts = listed([f"{one.name} ({one.num_values})" for one in texts]) if texts else "all have too many"
        yield Line("text", "onehot", f'a feature for each value: {counts}; or "ignore"')
    if gaps := [f"{one.name} ({one.num_missing:,})" for one in used if one.num_missing]:
        yield Line("missing", "mean", f'empty cells become the mean: {listed(gaps)}; or "zero", "indicator"')
    yield Line("scale", True, "each feature is brought to mean 0 and standard deviation 1")


def _label(frame: Any, facts: dict[str, Facts]) -> str | None:
    """The column of classes: of a usual name, with two classes or more."""
    named = [name for name in facts if re.fullmatch(CLASSES, name.strip(), re.IGNORECASE)]
    named.sort(key=lambda name: name != "label")
    return next(
        (name for name in named if 1 < facts[name].num_values <= MOST_CLASSES and not are_display_names(frame[name])),
        None,
    )


def _directions(links: Table, ends: list[str]) -> Iterator[Line]:
    """Whether links go both ways, unless the file says so."""
    if (
        links.undirected is not None
        or not set(ends) <= set(links.frame.columns)
        or guessed(list(links.frame.columns), [("type",)])
    ):
        return
    pairs = set(zip(*([identifier(one) for one in as_list(links.frame[end])] for end in ends), strict=True))
    pairs = {pair for pair in pairs if pair[0] != pair[1]}
    share = np.mean([pair[::-1] in pairs for pair in pairs]) if pairs else 0.0
    told = {0.0: "no link", 1.0: "every link"}.get(float(share), f"{100 * share:.0f} % of links")
    yield Line("undirected", bool(share < 0.5), f"{told} is listed in both directions; true: every link goes both ways")


def _unknown(links: Table, ends: list[str], ids: set[str]) -> Iterator[Line]:
    """What can become of links to nodes that the table of nodes does not have, if there are any."""
    columns = [[identifier(one) for one in as_list(links.frame[end])] for end in ends if end in links.frame.columns]
    if ids and (count := sum(not ids.issuperset(pair) for pair in zip(*columns, strict=True))):
        yield Line(
            "unknown", "drop", f"links to ids that no node has: {count:,}; so they are dropped, and counted", False
        )


def _quality(links: Table) -> str:
    if "quality" not in links.frame.columns:
        return ""
    return (
        "\n# The column quality is the share of messages that arrive; `default` is what is dropped of others.\n"
        '[publish.link]\ndrop = { name = "measured", default = 0.1 }\n'
    )
