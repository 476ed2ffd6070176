"""The head of the page: the figures that matter most, and what several runs differ in."""

from collections.abc import Iterator
from typing import Any

from jdgnn.errors import InputError
from jdgnn.experiment.report.configuration import in_words
from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.report.summaries import Summary
from jdgnn.experiment.report.variants import Variant
from jdgnn.experiment.results import tables
from jdgnn.experiment.results.compare import compare
from jdgnn.experiment.results.labels import embedding_name, held_out_words, metric_name, title_of
from jdgnn.experiment.results.read import differing
from jdgnn.experiment.results.tables import percent, short


def overview_panel(variants: list[Variant], summaries: dict[str, Summary]) -> Panel:
    """What there is to know at a glance.

    Args:
      variants: what is shown.
      summaries: of the first seed of each that is finished, by the variant's name.
    """
    panel = Panel("overview", "At a glance")
    if len(variants) == 1:
        _tiles(panel, variants[0], summaries.get(variants[0].name))
    else:
        _beside(panel, variants, summaries)
        _differences(panel, variants)
    whose: dict[str, list[str]] = {}
    for variant in variants:
        for note in notes(variant, summaries.get(variant.name)):
            whose.setdefault(note, []).append(variant.name)
    for note, names in whose.items():
        panel.text(note if len(variants) == 1 else f"{', '.join(names)}: {note}", "note")
    return panel


def _tiles(panel: Panel, variant: Variant, summary: Summary | None) -> None:
    has_woken = summary is None or summary.warnings.get("never_awake") != summary.nodes
    tiles = [tile for task in variant.tasks for tile in _task_tiles(variant, task, has_woken=has_woken)]
    rows = variant.first.rows
    tiles.append((f"{rows[-1]['tick']:,}" if rows else "0", "ticks recorded"))
    attackers = f", {summary.attackers:,} of them attackers" if summary and summary.attackers else ""
    tiles.append((f"{variant.first.num_nodes:,}", f"nodes, each with its own model{attackers}"))
    if rows:
        rank, last = rows[-1]["effective_rank"], len(rows[-1]["effective_rank"])
        if rank and rank[-1] is not None:
            tiles.append((short(rank[-1]), f"effective rank of embeddings (layer {last})"))
        tiles.append((short(_consensus(variant)), "consensus distance"))
    if summary and summary.speed and summary.speed.roofline_fraction:
        tiles.append((percent(summary.speed.roofline_fraction), "of peak memory bandwidth"))
    if len(variant.runs) > 1:
        tiles.append((f"{len(variant.runs)}", "seeds"))
    panel.add("tiles", tiles=tiles)


def _task_tiles(variant: Variant, task: str, *, has_woken: bool) -> Iterator[tuple[str, str]]:
    """What a task says of what was learned, and how far that is from the best baseline."""
    learned, best = variant.learned(task), variant.best_baseline(task)
    if learned is None:
        return
    said = f"{title_of(task)} ({metric_name(variant.metric(task)).removesuffix(' %')})"
    if variant.summaries and (held_out := held_out_words(variant.summaries[0])):
        said += f", {held_out}"
    if best and has_woken:
        baseline = 100 * variant.baseline_means(task)[best]
        where = "above" if learned >= baseline else "below"
        said += f"; {abs(learned - baseline):.1f} points {where} the best baseline ({embedding_name(best)})"
    yield f"{learned:.1f} %", said


def _beside(panel: Panel, variants: list[Variant], summaries: dict[str, Summary]) -> None:
    seconds = "seconds, first seed" if any(len(variant.runs) > 1 for variant in variants) else "seconds"
    tasks = dict.fromkeys(task for variant in variants for task in variant.tasks)
    columns = [column for task in tasks for column in (f"{title_of(task)}, %", "over baseline")]
    head = ["", "directory", "seeds", *columns, "consensus distance", seconds]
    rows = []
    for variant in variants:
        summary = summaries.get(variant.name)
        rows.append(
            [
                variant.name,
                str(variant.path),
                str(len(variant.runs)),
                *(cell for task in tasks for cell in _task_cells(variant, task)),
                short(_consensus(variant)) if summary else "-",
                f"{summary.wall_seconds:,.1f}" if summary else "not finished",
            ]
        )
    panel.table(head, rows, caption="Runs next to each other", kind="figures")


def _task_cells(variant: Variant, task: str) -> tuple[str, str]:
    learned = variant.learned(task) if task in variant.tasks else None
    if learned is None:
        return "-", "-"
    means = variant.baseline_means(task)
    return f"{learned:.1f}", f"{learned - 100 * max(means.values()):+.1f}" if means else "-"


def _consensus(variant: Variant) -> float | None:
    """The last one: the mean over seeds."""
    return variant.series(lambda row: row["consensus_distance"]).last


def _differences(panel: Panel, variants: list[Variant]) -> None:
    """By how much they differ in what was learned, in pairs, and in which keys."""
    try:
        compared: dict[str, Any] = compare([variant.path for variant in variants])
        rows = [
            [
                title_of(task),
                f"{found['of']} − {found['to']}",
                f"{100 * found['mean']:+.2f}",
                _interval(found),
                f"{found['n']} {found['over']}",
            ]
            for task, of_task in compared["tasks"].items()
            for found in of_task["differences"]
        ]
        panel.table(
            ["task", "learned", "difference, points", "95 % interval", "paired over"],
            rows,
            caption="Differences in what was learned",
            kind="figures",
        )
    except InputError as error:
        panel.text(f"Not compared in pairs: {error}", "note")
    settings = [variant.first.settings for variant in variants]
    keys = [key for key in differing(*settings) if key != "seed"]
    if not keys:
        panel.text("Their configurations are the same.")
        return
    cells = [[key, *(in_words(one, key) for one in settings)] for key in keys]
    panel.table(
        ["key", *(variant.name for variant in variants)],
        cells,
        caption="Where their configurations differ",
        kind="keys",
    )


def _interval(found: dict[str, Any]) -> str:
    if found["interval_95"] is None:
        return "-"
    low, high = found["interval_95"]
    return f"{100 * low:+.2f} to {100 * high:+.2f}"


def notes(variant: Variant, summary: Summary | None) -> list[str]:
    """What could make the figures mean less than they seem to."""
    if summary is None:
        rows = variant.first.rows
        at = f"tick {rows[-1]['tick']:,}" if rows else "the beginning"
        return [f"The run is not finished: this is what it had recorded at {at}."]
    going_on = [f"Seed {seed} is not finished, and left out here." for seed in variant.left_out]
    try:
        found = variant.first.summary or {}
        facts = tables.as_read(found)  # they stand in the panel of the network
        counted = [note for note in tables.notes(found) if note not in facts]
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError(f"{variant.first.path}: its summary.json has no sound warnings; repeat the run") from error
    return going_on + [f"{note[:1].upper()}{note[1:]}." for note in counted]
