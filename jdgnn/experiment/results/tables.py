"""The tables of the command line; they fit 80 columns."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich import box, filesize
from rich.console import Console
from rich.table import Column, Table

from jdgnn.backend.way import warning
from jdgnn.emulation.progress_bar import short
from jdgnn.experiment.results.formatting import is_at_edge, percent, print_facts, print_table, score_cell
from jdgnn.experiment.results.labels import (
    AT_EDGE,
    EDGE,
    EMBEDDINGS,
    held_out_words,
    metric_name,
    repeats_of,
    title_of,
)
from jdgnn.experiment.run.directory import CHECKPOINTS
from jdgnn.experiment.run.horizons import told_at_the_end
from jdgnn.experiment.run.ways import in_words
from jdgnn.network.datasets import DATASETS, Dataset
from jdgnn.network.datasets.files import default_cache

NOTES = {
    "isolated_nodes": "{} nodes have no in-neighbour",
    "self_loops_removed": "{} links of a node to itself were removed",
    "duplicate_edges_merged": "{} duplicate links were merged",
    "collapsed_layers": "{} layers have collapsed (effective rank below 2); scale the features (network.scale), or "
    "change the learning rate",
    "zero_embeddings": "{} nodes have an embedding of zeros only",
    "vanished_models": "on {} nodes the parameter norm has fallen below 10 % of its initial value",
    "untested_classes": "{} classes have no test node in any split, and are not evaluated",
    "never_awake": "{} nodes were never awake, and have no embedding",
    "excess_pushes": "push.schedule asked for {} pushes beyond push.fanout",
    "excess_models": "gossip.schedule asked for {} models beyond gossip.fanout",
    "unplaced_models": "{} models were evicted, as gossip.pool was full",
    "crowded_ticks": "in {} ticks more nodes were awake than emulation.active_fraction",
}
"""Counted warnings of the summary, in words."""

EVICTED = {
    "push": "{} of pushed embeddings were evicted before they could be used",
    "model": "{} of models were evicted, in a full inbox or pool",
}
"""Shares of all messages sent, in words."""

STAGES = ("load", "compile", "emulate", "evaluate")
"""Parts of the time of a run."""

KINDS = {"embedding": "embeddings", "push": "pushes", "model": "models"}
ENDS = {
    "delivered": "delivered",
    "dropped": "dropped",
    "to_offline": "to offline",
    "superseded": "superseded",
    "evicted": "evicted",
    "rejected": "rejected",
    "in_flight": "in flight",
}
"""Outcomes of messages, in words; a model that waits in an inbox counts as in flight."""

FAULTS = ("dropped", "to_offline", "superseded", "rejected")
"""Outcomes that occur only where messages are dropped or late, or nodes absent."""


def datasets_table(data_root: Path | None = None) -> Table:
    """The data sets, with the place from which each would be read."""
    root = data_root or os.environ.get("JDGNN_DATA")
    counted = [Column(name, justify="right") for name in ("nodes", "edges", "features", "classes")]
    head: list[Column | str] = [Column("name", no_wrap=True), *counted, "licence", "read from"]
    table = Table(*head, caption="\n".join(_remarks()), caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for dataset in DATASETS.values():
        counts = (dataset.num_nodes, dataset.num_edges, dataset.num_features, dataset.num_classes)
        source = _source(dataset, Path(root) if root else None)
        licence, _, remark = dataset.licence.partition(" (")
        cells = (*(f"{count:,}" for count in counts), f"{licence} *" if remark else licence, source)
        table.add_row(dataset.name, *cells)
    return table


def _remarks() -> Iterator[str]:
    yield "Edges are undirected. Missing: not in the data root; --data-root: cannot be downloaded, give a data root."
    for dataset in DATASETS.values():
        if dataset.tasks:
            names = ", ".join(task.name for task in dataset.tasks)
            yield f"Tasks of {dataset.name}: {names}; network.task selects one, by default the first."
    for dataset in DATASETS.values():
        if "(" in dataset.licence:
            yield f"* {dataset.name}: {dataset.licence}."


def _source(dataset: Dataset, root: Path | None) -> str:
    """The place from which a data set would be read, by the presence of its files."""
    if not dataset.files:
        return "embedded"
    folder = (root or default_cache()) / dataset.name
    is_there = all((folder / file.name).is_file() for file in dataset.files)
    if root is not None:
        return "data root" if is_there else "missing"
    if is_there:
        return "cache"
    return "download" if all(file.url for file in dataset.files) else "--data-root"


def print_result(console: Console, summary: dict[str, Any], directory: Path, files: Sequence[str]) -> None:
    """Prints scores and baselines, the effort, notes, and the places of files."""
    console.print()
    if not summary["tasks"]:
        console.print(f"no embedding was evaluated: {'; '.join(_reasons(summary)) or 'no task was requested'}")
    else:
        print_table(console, _scores_table(summary))
    tables = [*_nodes_tables(summary), *_messages_tables(summary)]
    for table in tables:
        console.print()
        print_table(console, table)
    if tables:
        console.print()
    told = [("note", note) for note in notes(summary)]
    print_facts(console, [*_facts(summary), *told, *_files(directory, files)])


def _files(directory: Path, files: Sequence[str]) -> Iterator[tuple[str, str]]:
    kept = [path for path in directory.glob(f"{CHECKPOINTS}/*/**/*") if path.is_file()]
    if kept:
        size = filesize.decimal(sum(path.stat().st_size for path in kept))
        yield "saved", f"{size} in {directory / CHECKPOINTS}, to resume from; it can be removed"
    yield "files", f"{', '.join(files)} in {directory}"


def _scores_table(summary: dict[str, Any]) -> Table:
    """A column for each task, a row for each embedding."""
    columns = {task: next(iter(metrics.items())) for task, metrics in summary["tasks"].items()}
    heads = [f"{title_of(task)}\n{metric_name(metric)}" for task, (metric, _) in columns.items()]
    table = Table(
        Column("embedding", no_wrap=True),
        *(Column(head, justify="right", min_width=6) for head in heads),
        title=f"Evaluation on {summary['dataset']} after {summary['ticks']} ticks",
        caption="\n".join(_scores_caption(summary)),
        title_justify="left",
        caption_justify="left",
    )
    names = {name for _, named in columns.values() for name in named}
    for name in [name for name in EMBEDDINGS if name in names]:
        cells = [score_cell(named[name]) for _, named in columns.values()]
        style = "bold green" if name == "learned" else ""
        table.add_row(EMBEDDINGS[name], *cells, style=style, end_section=name == "learned")
    return table


def _scores_caption(summary: dict[str, Any]) -> Iterator[str]:
    of_tasks = {task: next(iter(metrics.values())).values() for task, metrics in summary["tasks"].items()}
    sizes = {(len(score["values"]), repeats_of(task)) for task, scores in of_tasks.items() for score in scores}
    counts = sorted(f"{count} {repeats}" for count, repeats in sizes if count > 1)
    yield (f"mean ± sd over {', '.join(counts)}; " if counts else "") + "learned: the embeddings nodes hold"
    if text := held_out_words(summary):
        yield text
    if any(is_at_edge(score) for scores in of_tasks.values() for score in scores):
        yield f"{EDGE} {AT_EDGE}"


def _reasons(summary: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(summary.get("tasks_left_out", {}).values()))


def _has_absences(summary: dict[str, Any]) -> bool:
    return summary["active"] is None or summary["active"] < 1


def _has_faults(summary: dict[str, Any]) -> bool:
    return any(count[end] for count in summary["messages"].values() for end in FAULTS)


def _nodes_tables(summary: dict[str, Any]) -> Iterator[Table]:
    """Quantiles over nodes, if some nodes are absent or some messages late."""
    quantiles = summary["quantiles"]
    if not _has_absences(summary) and (quantiles["staleness"]["1.0"] or 1) <= 1:
        return
    table = _plain_table("per node", "5 %", "median", "95 %")
    for name, values in quantiles.items():
        table.add_row(name, *(short(values[key]) for key in ("0.05", "0.5", "0.95")))
    yield table


def _messages_tables(summary: dict[str, Any]) -> Iterator[Table]:
    """Outcomes of messages by kind, with their bytes, if anything went wrong."""
    if not _has_faults(summary):
        return
    kinds = {kind: name for kind, name in KINDS.items() if summary["messages"][kind]["sent"]}
    table = _plain_table("messages", *(head for name in kinds.values() for head in (name, "")))
    counts = [summary["messages"][kind] for kind in kinds]
    table.add_row("sent", *_cells(summary, kinds, "sent", [f"{count['sent']:,}" for count in counts]))
    for end, name in ENDS.items():
        if any(count[end] for count in counts):
            shares = [percent(count[end] / count["sent"]) if count[end] else "" for count in counts]
            table.add_row(name, *_cells(summary, kinds, end, shares))
    yield table


def _cells(summary: dict[str, Any], kinds: Iterable[str], end: str, texts: list[str]) -> Iterator[str]:
    for kind, text in zip(kinds, texts, strict=True):
        count = summary["messages"][kind][end]
        yield from (text, filesize.decimal(count * summary["bytes_per_message"][kind]) if count else "")


def _plain_table(first: str, *others: str) -> Table:
    head = [Column(name, justify="right") for name in others]
    return Table(first, *head, box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _facts(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    stages = ", ".join(f"{stage} {summary[f'{stage}_seconds']:.1f}" for stage in STAGES)
    yield "time", f"{summary['wall_seconds']:.1f} s: {stages}"
    if _has_absences(summary):
        shares = ", ".join(f"{percent(summary[name] or 0)} {name}" for name in ("online", "active"))
        yield "nodes", f"on average {shares}"
    if summary.get("attackers"):
        counts = f"{summary['attackers']:,} of {summary['nodes']:,} nodes are attackers"
        yield "roles", f"{counts}; statistics cover the others"
    if not _has_faults(summary):
        sent = ", ".join(f"{summary['messages'][kind]['sent']:,} {name}" for kind, name in KINDS.items())
        yield "sent", f"{sent} ({filesize.decimal(sum(summary['bytes_sent'].values()))})"
    distance, ratio = short(summary["consensus_distance"]), short(summary["norm_ratio"])
    yield "models", f"consensus distance {distance}, norm ratio {ratio}"
    ranks = ", ".join("-" if rank is None else f"{rank:.0f}" for rank in summary["effective_rank"])
    yield "ranks", f"effective rank of embeddings by layer: {ranks}"
    yield from in_words(summary.get("way")).items()
    for key, preposition in (("recorded", "in"), ("replayed", "from")):
        if summary[key]:
            yield "events", f"{key} {preposition} {summary[key]}"


def as_read(summary: dict[str, Any]) -> list[str]:
    """Notes on how the network was read that ask for no change of the configuration."""
    return [note for note in summary.get("network_notes", ()) if "write " not in note]


def notes(summary: dict[str, Any]) -> Iterator[str]:
    """Clauses on how the network was read, and on everything that limits the meaning of results."""
    warnings = summary["warnings"]
    yield from summary.get("network_notes", ())
    if summary["tasks"]:
        yield from (f"{task} was not evaluated: {reason}" for task, reason in summary.get("tasks_left_out", {}).items())
    for name, text in NOTES.items():
        if warnings.get(name):
            yield text.format(f"{warnings[name]:,}")
    if (horizon := summary.get("horizon")) and (told := told_at_the_end(horizon)):
        yield told
    for kind, text in EVICTED.items():
        count = summary["messages"][kind]
        if count["evicted"] and not _has_faults(summary):
            yield text.format(percent(count["evicted"] / count["sent"]))
    if unlike := warnings.get("unlike_features"):
        low, high = map(short, unlike)
        yield f"features differ in scale (standard deviations from {low} to {high}): write network.scale = true"
    yield from summary.get("remarks", ())
    if reason := warnings.get("missing_kernels"):
        yield warning(reason)
    for change in warnings.get("changes", []):
        yield f"from tick {change['tick']} on it was computed in another way: {'; '.join(change['differences'])}"
    yield from summary.get("without_effect", [])
    for kind in warnings["undelivered_kinds"]:
        yield f"no {KINDS[kind]} were ever delivered"
    if any(warnings["never_trained"]):
        counts = ", ".join(f"{count:,}" for count in warnings["never_trained"])
        yield f"nodes that never made a training step, by layer: {counts}"
    if any(warnings["wakes_without_step"]):
        wakes = summary["wakes"] - summary["nodes"] + warnings["never_awake"]
        shares = ", ".join(percent(count / wakes) for count in warnings["wakes_without_step"])
        yield f"wake-ups (excluding the first) without a training step, by layer: {shares}"
