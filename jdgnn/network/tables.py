"""Two tables, who is there and who is linked, as a network: what files and data frames have in common."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_flag
from jdgnn.errors import InputError, suggestion
from jdgnn.network.arguments import as_column, check_name
from jdgnn.network.by_name import PARTS
from jdgnn.network.columns import Roles, checked_roles, features_of, is_text, numbers_of
from jdgnn.network.computed import ADVICE, COMPUTED, with_computed_features
from jdgnn.network.identifiers import Identifiers, identifier, without_zeros
from jdgnn.network.labels import Labels, are_display_names, as_list, is_missing, labels_of
from jdgnn.network.network import Network, Splits, from_edges
from jdgnn.network.problems import Problems, listed, raise_all
from jdgnn.network.weights import not_read

SHORT = {"val": "validation", "valid": "validation"}

IDS = ("id", "nodeid", "node", "name")
ENDS = (
    *(("source", "target"), ("src", "dst"), ("from", "to"), ("sender", "receiver"), ("fromnodeid", "tonodeid")),
    *(("fromid", "toid"), ("sourceid", "targetid"), ("fromnode", "tonode"), ("node1", "node2"), ("1", "2")),
)
"""What columns of ids are called, in small letters and without signs, the likeliest first."""

TYPES = {"directed", "undirected"}
"""Of links, as Gephi writes them in any capitals."""


class Table(NamedTuple):
    """A table, and how errors name its places."""

    argument: str  # what it was given as, such as `edges`
    path: str  # its file; empty if there is none
    frame: Any  # a pandas data frame whose columns have texts as names
    has_header: bool = True  # whether the file names its columns; else they are called `1`, `2`, ...
    undirected: bool | None = None  # whether the file says that its links are so; None if it says nothing
    notes: tuple[str, ...] = ()  # what was unusual about reading it
    place: Callable[[int], str] = "row {}".format  # turns the number of a row into words

    def problems(self) -> Problems:
        """Where to add what is wrong with it."""
        return Problems(f"{self.argument}: {self.path}" if self.path else self.argument, self.place)


class Columns(NamedTuple):
    """Which columns hold what, as `read_files` takes them; None for a guess by usual names."""

    id: str | None = None
    source: str | None = None
    target: str | None = None
    link_quality: str | Sequence[str] | None = None
    label: str | None = None
    split: str | None = None


class Reading(NamedTuple):
    """How two tables become a network, in words of `read_files`."""

    columns: Columns
    roles: Roles
    undirected: bool | None
    unknown: Literal["error", "drop"]
    allow_no_edges: bool
    name: str


def with_names(table: Table, names: Sequence[str]) -> Table:
    """The table with these names of columns; InputError if two are the same."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1 and name)
    if twice:
        problems = table.problems()
        problems.add(f"these names of columns stand there twice: {', '.join(twice)}; give each another name")
        problems.reject()
    taken = [name or f"Unnamed: {number}" for number, name in enumerate(names)]  # as pandas calls them
    return table._replace(frame=table.frame.set_axis(taken, axis=1))


def is_header_of_edges(columns: Columns, names: Sequence[str]) -> bool:
    """Whether names are those of columns of a table of edges, and no row of it."""
    given = {columns.source, columns.target} - {None}
    return bool(given & set(names)) or guessed(names, ENDS[:-1]) is not None


def network_of(
    edges: Table, nodes: Table | None, reading: Reading, features: Any = None, splits: Any = None
) -> Network:
    """Makes a network of a table of edges and one of nodes, in whose order these are numbered.

    Without a table of nodes they are those that edges name, in the order of their numbers, or as they come. `features`
    and `splits` are as `from_edges` takes them, where columns do not say them. One InputError lists all columns that
    are missing, ids that are unknown or stand twice, and invalid values, with their places.
    """
    import pandas

    _check(reading)
    found, links = _Nodes() if nodes is None else _nodes(nodes, reading, features), _links(edges, reading)
    codes, given = pandas.factorize(np.concatenate(links.ends), use_na_sentinel=False)
    ids = [identifier(one) for one in given]
    if nodes is None:
        ids = list(map(without_zeros, ids))
        found = found._replace(names=_ordered(ids), computed=reading.roles.features)
        if lost := [one for one in given if isinstance(one, float) and abs(one) >= 2**53]:
            links.problems.add(f"expected ids as texts or whole numbers, got {lost[0]!r}, a float that has lost digits")
        if found.computed not in COMPUTED:
            links.problems.add(f"features: got {found.computed!r}, and there is no table of nodes; {ADVICE}")
    ends = Identifiers(found.names, len(found.names)).find(ids)[codes].reshape(2, -1)
    known_by = nodes.path or nodes.argument if nodes and found.names and reading.unknown == "error" else ""
    _check_ends(edges, links, np.array(ids, object)[codes].reshape(2, -1), ends < 0, known_by)
    raise_all(*(one for one in (found.problems, links.problems) if one is not None))
    is_known = (ends >= 0).all(axis=0)
    ends, quality = ends[:, is_known], links.quality if links.quality is None else links.quality[is_known]
    if isinstance(links.undirected, np.ndarray):
        back = links.undirected[is_known]
        ends = np.concatenate([ends, ends[::-1, back]], axis=1)
        quality = quality if quality is None else np.concatenate([quality, quality[back]])
    num_dropped = int((~is_known).sum())
    dropped = [f"{num_dropped:,} links to unknown nodes were dropped"] if num_dropped else []
    network = from_edges(
        ends[0],
        ends[1],
        np.zeros((len(found.names), 1), np.float32) if found.features is None else found.features,
        labels=found.labels.numbers,
        splits=found.splits if splits is None else splits,
        link_quality=quality,
        undirected=links.undirected is True,
        allow_no_edges=reading.allow_no_edges,
        name=reading.name,
        class_names=found.labels.class_names,
        node_names=() if found.names == tuple(map(str, range(len(found.names)))) else found.names,
        feature_names=found.feature_names,
        notes=(*found.notes, *links.notes, *dropped, *edges.notes),
    )
    return network if found.computed is None else with_computed_features(network, found.computed)


def _check(reading: Reading) -> None:
    for argument, value in reading.columns._asdict().items():
        for name in value if isinstance(value, list | tuple) else (value,):
            if name is not None:
                check_name(argument, name)
    quality = reading.columns.link_quality
    if not isinstance(quality, str) and quality is not None and len(quality) != 2:
        raise InputError(f"link_quality: expected one column, or two for there and back, got {quality!r}")
    if reading.undirected is not None:
        check_flag("undirected", reading.undirected)
    if reading.undirected is False and quality is not None and not isinstance(quality, str):
        raise InputError("undirected: expected true, or nothing, beside link_quality there and back, got False")
    if reading.unknown not in ("error", "drop"):
        raise InputError(f"unknown: got {reading.unknown!r}; {suggestion(str(reading.unknown), ('error', 'drop'))}")
    checked_roles(reading.roles)


class _Nodes(NamedTuple):
    """What a table of nodes says."""

    names: tuple[str, ...] = ()
    labels: Labels = Labels()
    splits: Splits | None = None
    features: Any = None
    feature_names: tuple[str, ...] = ()
    computed: Any = None  # what to compute features from, if there are none
    notes: tuple[str, ...] = ()
    problems: Problems | None = None


def _nodes(table: Table, reading: Reading, features: Any) -> _Nodes:
    columns, roles, frame, problems = reading.columns, reading.roles, table.frame, table.problems()
    (ids,) = _chosen(frame, {"id": columns.id}, [(one,) for one in IDS], problems)
    names = ids_of(frame[ids], ids, problems) if ids else ()
    label, told = _label_column(frame, columns.label, ids, roles, problems)
    labels = labels_of(frame[label], problems, label) if label else Labels()
    splits = _split_columns(frame, columns.split, problems)
    notes = [
        f"ids: {ids}",
        f"labels: {label or 'none'}{'' if labels.numbers is not None or not label else ', in which no node has one'}",
        *([f"splits: {listed(splits)}"] if splits else []),
    ]
    notes = ["; ".join(notes), *told.values()]
    found = _Nodes(names, labels, _splits(frame, splits, problems), features, problems=problems)
    if features is None:
        others = frame.drop(columns=[one for one in (ids, label, *told, *splits) if one])
        if isinstance(roles.features, str) and roles.features in COMPUTED and roles.features not in others.columns:
            roles, found = roles._replace(features=()), found._replace(computed=roles.features)
        made = features_of(others, roles, problems, labels)
        if made is not None:
            found = found._replace(features=made.values, feature_names=made.names)
            notes += made.notes
        elif found.computed is None and not problems.found:
            problems.add(f"there is no column of features (there are {listed(list(frame.columns))}); {ADVICE}")
    return found._replace(notes=(*notes, *table.notes))


def _normal(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def guessed(names: Sequence[str], options: Sequence[Sequence[str]]) -> list[str] | None:
    """The columns with usual names, in any capitals, the likeliest first; None if there are none."""
    given = {_normal(name): name for name in reversed(names)} | {name: name for name in names}
    return next(([given[one] for one in option] for option in options if set(option) <= set(given)), None)


def _chosen(frame: Any, given: dict[str, str | None], usual: Sequence[Sequence[str]], problems: Problems) -> list[str]:
    """The columns that are named, or else guessed; empty texts, with problems told, where there are none."""
    guess = guessed(list(frame.columns), usual) or [""] * len(given)
    found = []
    for (argument, name), likely in zip(given.items(), guess, strict=True):
        found.append((likely if name is None else name) if name is None or name in frame.columns else "")
        if not found[-1]:
            what = f"no column {name!r}" if name else f"no column that looks like the {argument}"
            problems.add(f"there is {what} (there are {listed(list(frame.columns))}); write {argument} = '...'")
    return found


def ids_of(series: Any, name: str, problems: Problems) -> tuple[str, ...]:
    """What nodes are called; each must have a name, and no two the same."""
    ids = [identifier(value) for value in as_list(series)]
    if not ids:
        problems.add("holds no node; expected a row for each")
    problems.cells(name, ids, [row for row, one in enumerate(ids) if not one], "expected an id for every node")
    first = {one: row for row, one in reversed(list(enumerate(ids)))}
    twice = [row for row, one in enumerate(ids) if one and first[one] != row]
    problems.cells(name, ids, twice, "expected each id once")
    return tuple(ids)


def _label_column(
    frame: Any, given: str | None, ids: str, roles: Roles, problems: Problems
) -> tuple[str, dict[str, str]]:
    """The column of labels, or none; and columns of display names, with what to tell of them."""
    label = "" if given is None else _chosen(frame, {"label": given}, (), problems)[0]
    (found,) = guessed([one for one in frame.columns if one != ids], [("label",)]) or ("",)
    others = [[names] if isinstance(names, str) else names or [] for names in (roles.features, roles.ignore)]
    if not found or found == given or found in [*others[0], *others[1]]:
        return label, {}
    is_gephi = (ids, found) == ("Id", "Label")
    if is_gephi or are_display_names(frame[found]):
        reason = "as Gephi writes them" if is_gephi else "as all differ"
        told = f"{found}: taken for display names, {reason}, and left out; write label = {found!r} for classes"
        return label, {found: told}
    return found if given is None else label, {}


def _split_columns(frame: Any, given: str | None, problems: Problems) -> list[str]:
    """One column, or several with numbers after its name."""
    if given in frame.columns:
        return [str(given)]
    pattern = re.compile(re.escape(given or "split") + r"(_\d+)?", re.ASCII if given else re.ASCII | re.IGNORECASE)
    numbers = {one: match[1] for one in frame.columns if (match := pattern.fullmatch(one))}
    found = [one for one, number in numbers.items() if not number] or list(numbers)
    return found if found or not given else [one for one in _chosen(frame, {"split": given}, (), problems) if one]


def _splits(frame: Any, columns: list[str], problems: Problems) -> Splits | None:
    masks = []
    for column in columns:
        cells = ["" if is_missing(value) else str(value) for value in as_list(frame[column])]
        parts = np.array([SHORT.get(cell, cell) for cell in cells], str)
        masks.append([parts == part for part in PARTS])
        bad = np.flatnonzero(~np.isin(parts, ("", *PARTS))).tolist()
        problems.cells(column, cells, bad, f"expected {', '.join(PARTS)}, or nothing")
        for part in ("train", "test"):
            if part not in parts and not bad:
                problems.add(f"{column} has no node for {part}; write it at some, or ignore the column")
    return Splits(**dict(zip(PARTS, np.array(masks).swapaxes(0, 1), strict=True))) if columns else None


class _Links(NamedTuple):
    """What a table of edges says."""

    names: list[str]  # of the columns of both ends
    ends: list[NDArray[Any]]  # ids of both ends
    quality: NDArray[np.float32] | None  # [E] or [E, 2]
    undirected: bool | NDArray[np.bool_]  # all, or each [E]
    notes: tuple[str, ...]
    problems: Problems


def _links(table: Table, reading: Reading) -> _Links:
    columns, frame, problems = reading.columns, table.frame, table.problems()
    names = _chosen(frame, {"source": columns.source, "target": columns.target}, ENDS, problems)
    shares = columns.link_quality or [one for one in frame.columns if one == "quality"]
    shares = [shares] if isinstance(shares, str) else shares
    quality = [_quality(frame, one, problems) for one in shares]
    type_, types = _types(frame)
    both, told = (True, []) if len(quality) == 2 else _directions(types, table.undirected, reading.undirected, problems)
    first = "" if table.has_header or not len(frame) else ", ".join(map(str, frame.iloc[0]))
    first = "" if first[:1].isdecimal() else first
    header = first and f" (the first line names no columns, and is a link: {first})"
    share = "some" if isinstance(both, np.ndarray) else "all" if both else "none"
    notes = [f"links: {' → '.join(names)}, {share} in both directions{header}", *told]
    notes += not_read([one for one in frame.columns if one not in (*names, *shares, type_)])
    return _Links(
        names,
        [frame[name].to_numpy(object) for name in names] if all(names) else [np.zeros(0, object)] * 2,
        as_column(np.stack(quality, axis=1)) if quality else None,
        both,
        tuple(notes),
        problems,
    )


def _directions(
    types: list[str], said: Any, asked: bool | None, problems: Problems
) -> tuple[bool | NDArray[np.bool_], list[str]]:
    """Whether links go both ways, all or each; and what to tell of it."""
    both = np.array([one == "undirected" for one in types])
    if both.size:
        said = bool(both[0]) if (both == both[0]).all() else both
    if asked is None:
        bad = [row for row, one in enumerate(types) if one not in TYPES]
        problems.cells("Type", types, bad, "expected directed or undirected", "write undirected = true or false")
        return (False if said is None else said), []
    differs = isinstance(said, np.ndarray) or (said is not None and said != asked)
    return asked, [f"undirected = {asked} was followed, though the file says otherwise"] if differs else []


def _types(frame: Any) -> tuple[str, list[str]]:
    """The column in which Gephi says whether each link is directed, and that; none if `Type` means something else."""
    (name,) = guessed(list(frame.columns), [("type",)]) or ("",)
    types = [str(one).lower() for one in as_list(frame[name])] if name else []
    return (name, types) if set(types) & TYPES else ("", [])


def _quality(frame: Any, name: str, problems: Problems) -> NDArray[np.float32]:
    """A column that says how many messages arrive."""
    if name not in frame.columns:
        problems.add(f"link_quality: there is no column {name!r}; {suggestion(name, list(frame.columns))}")
        return np.zeros(len(frame), np.float32)
    values = numbers_of(name, frame[name], problems)
    bad = np.flatnonzero((values < 0) | (values > 1)).tolist()
    problems.cells(name, values.tolist(), bad, "expected probabilities from 0 to 1")
    return np.clip(values, 0, 1).astype(np.float32)  # what is outside is told, and may not fit


def _ordered(ids: list[str]) -> tuple[str, ...]:
    """Nodes in the order of their numbers, or as they come where not all are numbers."""
    different = list(dict.fromkeys(one for one in ids if one))
    are_numbers = all(re.fullmatch(r"\d{1,18}", one, re.ASCII) for one in different)
    return tuple(sorted(different, key=int) if are_numbers else different)


def _check_ends(edges: Table, links: _Links, ids: NDArray[Any], is_unknown: NDArray[np.bool_], known_by: str) -> None:
    """Adds ends [2, E] that nobody has, and a first line that is no link: names of columns that nobody knows."""
    if not edges.has_header and ids.shape[1] > 1 and _are_names(edges, links, ids, is_unknown):
        first, second = ids[:, 0]
        advice = f"write source = {first!r}, target = {second!r}, or put names of columns above it"
        links.problems.add(f"its first line looks like names of columns; {advice}")
    for name, of_end, bad in zip(links.names, ids, is_unknown, strict=True):
        is_empty = of_end == ""
        rows = np.flatnonzero(is_empty).tolist()
        links.problems.cells(name, of_end, rows, "expected an id at both ends of every link")
        if known_by:
            advice = "add rows for them there, or write unknown = 'drop'"
            rows = np.flatnonzero(bad & ~is_empty).tolist()
            links.problems.cells(name, of_end, rows, f"expected ids that {known_by} has", advice)


def _are_names(edges: Table, links: _Links, ids: NDArray[Any], is_unknown: NDArray[np.bool_]) -> bool:
    """Whether the first row looks like names of columns that nobody knows."""
    if any(one.isdecimal() for one in ids[:, 0]):
        return False
    others = [as_list(edges.frame[name]) for name in edges.frame.columns if name not in links.names]
    return bool(
        {_normal(one) for one in ids[:, 0]} <= {one for pair in ENDS[:-1] for one in pair}
        or all(not one or one.isdecimal() for one in ids[:, 1:].flat)
        or any(is_text(cells[0]) and not any(map(is_text, cells[1:])) for cells in others)
        or is_unknown[:, 0].all()
    )
