"""The first panel: the most important numbers, and the differences between several runs."""

from collections.abc import Iterator

from jdgnn.errors import InputError
from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.variants import Variant
from jdgnn.experiment.results import tables
from jdgnn.experiment.results.compare import compare
from jdgnn.experiment.results.formatting import interval, over, percent, points, sentence
from jdgnn.experiment.results.labels import embedding_name, held_out_words, metric_name, title_of
from jdgnn.experiment.results.read import Settings, differing
from jdgnn.experiment.results.tables import short


def overview_panel(variants: list[Variant]) -> Panel:
    """The most important numbers, and notes that limit their meaning."""
    panel = Panel("overview", "At a glance")
    if len(variants) == 1:
        panel.add("tiles", tiles=list(_tiles(variants[0])))
    else:
        _side_by_side(panel, variants)
        _differences(panel, variants)
    found = {variant.name: _notes(variant) for variant in variants}
    for note in dict.fromkeys(note for notes in found.values() for note in notes):
        names = ", ".join(name for name, notes in found.items() if note in notes)
        panel.text(note if len(variants) == 1 else f"{names}: {note}", "note")
    return panel


def _tiles(variant: Variant) -> Iterator[tuple[str, str]]:
    """Numbers, and their meaning."""
    summary, rows = variant.first.summary or {}, variant.first.rows
    for task in variant.tasks:
        yield from _task_tiles(variant, task)
    yield f"{variant.first.tick:,}", "ticks recorded"
    attackers = f", {summary['attackers']:,} of them attackers" if summary.get("attackers") else ""
    yield f"{variant.first.num_nodes:,}", f"nodes, each with its own model{attackers}"
    if rows:
        ranks = rows[-1]["effective_rank"]
        if ranks and ranks[-1] is not None:
            yield short(ranks[-1]), f"effective rank of embeddings (layer {len(ranks)})"
        yield short(_consensus(variant)), "consensus distance"
    if fraction := (summary.get("speed") or {}).get("roofline_fraction"):
        yield percent(fraction), "of peak memory bandwidth"
    if len(variant.runs) > 1:
        yield f"{len(variant.runs)}", "seeds"


def _task_tiles(variant: Variant, task: str) -> Iterator[tuple[str, str]]:
    """The learned score of a task, and its distance from the best baseline."""
    summary = variant.first.summary
    learned, best = variant.learned(task), variant.best_baseline(task)
    if learned is None:
        return
    text = f"{title_of(task)} ({metric_name(variant.metric(task)).removesuffix(' %')})"
    if summary and (held_out := held_out_words(summary)):
        text += f", {held_out}"
    if best and summary and summary["warnings"].get("never_awake") != summary["nodes"]:
        baseline = variant.baselines(task)[best]
        where = "above" if learned >= baseline else "below"
        text += f"; {abs(learned - baseline):.1f} points {where} the best baseline ({embedding_name(best)})"
    yield f"{learned:.1f} %", text


def _side_by_side(panel: Panel, variants: list[Variant]) -> None:
    seconds = "seconds, first seed" if any(len(variant.runs) > 1 for variant in variants) else "seconds"
    tasks = dict.fromkeys(task for variant in variants for task in variant.tasks)
    columns = [column for task in tasks for column in (f"{title_of(task)}, %", "over baseline")]
    rows = []
    for variant in variants:
        summary = variant.first.summary
        cells = [cell for task in tasks for cell in _task_cells(variant, task)]
        cells.append(short(_consensus(variant)) if summary else "-")
        cells.append(f"{summary['wall_seconds']:,.1f}" if summary else "not finished")
        rows.append([variant.name, str(variant.path), str(len(variant.runs)), *cells])
    head = ["", "directory", "seeds", *columns, "consensus distance", seconds]
    panel.table(head, rows, caption="Runs side by side", kind="numbers")


def _task_cells(variant: Variant, task: str) -> tuple[str, str]:
    learned = variant.learned(task) if task in variant.tasks else None
    if learned is None:
        return "-", "-"
    means = variant.baselines(task)
    return f"{learned:.1f}", f"{learned - max(means.values()):+.1f}" if means else "-"


def _consensus(variant: Variant) -> float | None:
    """The last one: the mean over seeds."""
    return variant.series("consensus_distance").last


def _differences(panel: Panel, variants: list[Variant]) -> None:
    """Paired differences of learned scores, and the keys that differ."""
    try:
        compared = compare([variant.path for variant in variants])
        found = [(title_of(task), one) for task, of in compared["tasks"].items() for one in of["differences"]]
        rows = [
            [task, f"{one['of']} − {one['to']}", points(one["mean"], sign="+", digits=2), interval(one, 2), over(one)]
            for task, one in found
        ]
        head = ["task", "learned", "difference, points", "95 % interval", "paired over"]
        panel.table(head, rows, caption="Differences of learned scores", kind="numbers")
    except InputError as error:
        panel.text(f"Without paired differences: {error}", "note")
    settings = [variant.first.settings for variant in variants]
    keys = [key for key in differing(*settings) if key != "seed"]
    if not keys:
        panel.text("The configurations are the same.")
        return
    cells = [[key, *(_setting(one, key) for one in settings)] for key in keys]
    panel.table(["key", *(one.name for one in variants)], cells, caption="Configuration keys that differ", kind="keys")


def _setting(settings: Settings, key: str) -> str:
    """The value of a key, as in TOML."""
    value = settings.get(key, "-")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _notes(variant: Variant) -> list[str]:
    """Sentences on everything that limits the meaning of the numbers."""
    summary = variant.first.summary
    if summary is None:
        at = f"tick {variant.first.tick:,}" if variant.first.rows else "the beginning"
        return [f"The run is not finished: this is its state at {at}."]
    left_out = [f"Seed {seed} is not finished, and left out here." for seed in variant.left_out]
    facts = tables.as_read(summary)  # the panel of the network has them
    return left_out + [sentence(note) for note in tables.notes(summary) if note not in facts]
