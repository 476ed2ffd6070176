"""A report, from directories of runs to one file."""

from collections.abc import Sequence
from pathlib import Path

from jdgnn.experiment.report.configuration import configuration_panel
from jdgnn.experiment.report.embedding_map import map_panel
from jdgnn.experiment.report.learning import learning_panel
from jdgnn.experiment.report.messages import messages_panel
from jdgnn.experiment.report.network import network_panel
from jdgnn.experiment.report.nodes import nodes_panel
from jdgnn.experiment.report.overview import overview_panel
from jdgnn.experiment.report.page import page
from jdgnn.experiment.report.speed import speed_panel
from jdgnn.experiment.report.summaries import Summary, checked
from jdgnn.experiment.report.variants import Variant, read_variants
from jdgnn.files import whole_file


def write_report(paths: Sequence[Path], out: Path, methods: Sequence[str] = ("pca",)) -> None:
    """Writes a report of runs, finished or not, as one HTML file.

    Args:
      paths: directories that `jdgnn run` has made, with or without `--seeds`.
      out: the file; one that exists is replaced.
      methods: of `jdgnn.evaluation.maps.METHODS`, for the map of embeddings.

    Raises:
      InputError: a directory is not what `jdgnn run` makes, or a method cannot be used.
      OSError: the file cannot be written.
    """
    text = report_of(paths, methods)
    with whole_file(out) as file:
        file.write(text.encode())


def report_of(paths: Sequence[Path], methods: Sequence[str]) -> str:
    """The report as HTML; see `write_report`."""
    variants = read_variants(paths)
    summaries = _summaries(variants)
    panels = [
        overview_panel(variants, summaries),
        learning_panel(variants),
        map_panel(variants, methods),
        network_panel(variants),
        nodes_panel(variants),
        messages_panel(variants),
        speed_panel(variants, summaries),
        configuration_panel(variants, summaries),
    ]
    return page(*_titles(variants), panels)


def _summaries(variants: list[Variant]) -> dict[str, Summary]:
    """Of the first seed of each variant that is finished."""
    return {
        variant.name: checked(str(variant.first.path), variant.first.summary)
        for variant in variants
        if variant.first.summary is not None
    }


def _titles(variants: list[Variant]) -> tuple[str, str]:
    names = [_network_of(variant) for variant in variants]
    network = ", ".join(dict.fromkeys(names))
    if len(variants) > 1:
        return f"{len(variants)} runs on {network}", ", ".join(f"{one.name}: {one.path}" for one in variants)
    first, runs = variants[0].first, variants[0].runs
    tick = first.rows[-1]["tick"] if first.rows else 0
    seeds = f"{'seeds' if len(runs) > 1 else 'seed'} {', '.join(str(run.seed) for run in runs)}"
    return f"{variants[0].name}: {network}", f"{first.num_nodes:,} nodes, {tick:,} ticks, {seeds}"


def _network_of(variant: Variant) -> str:
    """What the network is called: its title, once the run is finished."""
    summary = variant.first.summary
    return str(variant.first.settings.get("network.name", "network") if summary is None else summary["dataset"])
