"""The tables of the command line; they fit 80 columns."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich import box, filesize
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jdgnn.experiment.progress import short
from jdgnn.network.datasets import DATASETS, Dataset
from jdgnn.network.datasets.files import default_cache

PROBED = {
    "learned": "learned, without labels",
    "untrained": "untrained encoder of the same shape",
    "raw": "raw features",
    "propagated_1hop": "features, propagated over 1 hop",
    "propagated_2hop": "features, propagated over 2 hops",
    "projected_2hop": "random projection, over 2 hops",
}
"""What is probed, and what the closing table calls it."""

NOTES = {
    "isolated_nodes": "{} nodes have no in-neighbour",
    "self_loops_removed": "{} links of a node to itself were removed",
    "duplicate_edges_merged": "{} duplicate links were merged",
}
"""Counted warnings of the summary, in words."""

METRICS = {"accuracy": "accuracy %", "roc_auc": "ROC-AUC %"}


DISPLACED = {
    "push": "{} of pushed embeddings were displaced before they could be used",
    "model": "{} of models found a full inbox, or were displaced there",
}
"""Shares of what was sent, in words."""


def datasets_table(data_root: Path | None = None) -> Table:
    """The data sets, and where each would be read from.

    Args:
      data_root: directory with a folder for each; None for `JDGNN_DATA`, then the cache, then a download.
    """
    root = data_root or os.environ.get("JDGNN_DATA")
    table = Table(caption="\n".join(_remarks()), caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for name in ("nodes", "edges", "features", "classes"):
        table.add_column(name, justify="right")
    table.add_column("licence")
    table.add_column("read from")
    for dataset in DATASETS.values():
        counts = (dataset.num_nodes, dataset.num_edges, dataset.num_features, dataset.num_classes)
        source = _source(dataset, Path(root) if root else None)
        licence, _, remark = dataset.licence.partition(" (")
        cells = (*(f"{count:,}" for count in counts), f"{licence} *" if remark else licence, source)
        table.add_row(dataset.name, *cells)
    return table


def _remarks() -> Iterator[str]:
    yield "Edges are undirected. Missing: not in the data root; --data-root: give one, as it cannot be downloaded."
    for dataset in DATASETS.values():
        if "(" in dataset.licence:
            yield f"* {dataset.name}: {dataset.licence}."


def _source(dataset: Dataset, root: Path | None) -> str:
    """Where a data set would be read from, by the presence of its files."""
    if not dataset.files:
        return "embedded"
    folder = (root or default_cache()) / dataset.name
    is_there = all((folder / file.name).is_file() for file in dataset.files)
    if root is not None:
        return "data root" if is_there else "missing"
    if is_there:
        return "cache"
    return "download" if all(file.url for file in dataset.files) else "--data-root"


def print_result(console: Console, summary: dict[str, Any], directory: Path, files: tuple[str, ...]) -> None:
    """Prints what was learned against the controls, what it took, and where the files are."""
    console.print()
    if not summary["probe"]:
        console.print("nothing was probed: this network has no labels")
    else:
        print_table(console, _probe_table(summary))
    _print_facts(console, [*_facts(summary), *_notes(summary), ("files", f"{', '.join(files)} in {directory}")])


def print_table(console: Console, table: Table) -> None:
    """Prints a table; where there is no terminal, without blanks at the ends of lines."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        console.print(Text(line.rstrip()), soft_wrap=True)


def _print_facts(console: Console, facts: list[tuple[str, str]]) -> None:
    """A line each, or more on a terminal, which folds paths."""
    if not console.is_terminal:
        for name, text in facts:
            console.print(Text(f"{name:6}  {text}"), soft_wrap=True)
        return
    grid = Table.grid(padding=(0, 2))
    for name, text in facts:
        grid.add_row(Text(name, "bold"), Text(text, overflow="fold"))
    console.print(grid, highlight=False)


def _probe_table(summary: dict[str, Any]) -> Table:
    ((metric, probed),) = summary["probe"].items()
    num_splits = probed["learned"]["num_splits"]
    table = Table(
        title=f"Linear probe on {summary['dataset']} after {summary['ticks']} ticks",
        caption=f"mean ± sd over {num_splits} splits" if num_splits > 1 else "one split",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("embedding")
    table.add_column("width", justify="right")
    table.add_column(METRICS[metric], justify="right")
    for name, label in PROBED.items():
        score = probed[name]
        style = "bold green" if name == "learned" else ""
        text = f"{100 * score['mean']:.1f}" + (f" ± {100 * score['sd']:.1f}" if num_splits > 1 else "")
        table.add_row(label, str(score["width"]), text, style=style, end_section=name == "learned")
    return table


def _facts(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield (
        "time",
        f"{summary['wall_seconds']:.1f} s: load {summary['load_seconds']:.1f}, compile "
        f"{summary['compile_seconds']:.1f}, emulate {summary['emulate_seconds']:.1f}, evaluate "
        f"{summary['evaluate_seconds']:.1f}",
    )
    sent = ", ".join(f"{count['sent']:,} {kind}s" for kind, count in summary["messages"].items())
    yield "sent", f"{sent.replace('pushs', 'pushes')} ({filesize.decimal(sum(summary['bytes_sent'].values()))})"
    yield (
        "models",
        f"consensus distance {short(summary['consensus_distance'])}, norm ratio {short(summary['norm_ratio'])}",
    )


def _notes(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Whatever was counted that could make the figures mean less than they seem to."""
    warnings = summary["warnings"]
    for name, text in NOTES.items():
        if warnings[name]:
            yield "note", text.format(f"{warnings[name]:,}")
    for kind, text in DISPLACED.items():
        count = summary["messages"][kind]
        if count["displaced"]:
            yield "note", text.format(percent(count["displaced"] / count["sent"]))
    if any(warnings["wakes_without_step"]):
        wakes = summary["nodes"] * (summary["ticks"] - 1)
        shares = ", ".join(percent(count / wakes) for count in warnings["wakes_without_step"])
        yield "note", f"wakes after the first in which a layer had nothing to learn from, by layer: {shares}"


def percent(share: float) -> str:
    """A share in words, in two digits.

    >>> percent(0.357), percent(0.00123), percent(1.0)
    ('36 %', '0.12 %', '100 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
