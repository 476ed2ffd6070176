"""A report: from directories of runs to one file."""

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
from jdgnn.experiment.report.variants import Variant, read_variants
from jdgnn.experiment.results.reading import reading
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
    variants = read_variants(paths)
    # a directory that was changed by hand may hold anything; it is not checked beforehand
    with reading(", ".join(map(str, paths))):
        panels = [
            overview_panel(variants),
            learning_panel(variants),
            map_panel(variants, methods),
            network_panel(variants),
            nodes_panel(variants),
            messages_panel(variants),
            speed_panel(variants),
            configuration_panel(variants),
        ]
        text = page(*_titles(variants), panels)
    with whole_file(out) as file:
        file.write(text.encode())


def _titles(variants: list[Variant]) -> tuple[str, str]:
    network = ", ".join(dict.fromkeys(_network_of(variant) for variant in variants))
    if len(variants) > 1:
        return f"{len(variants)} runs on {network}", ", ".join(f"{one.name}: {one.path}" for one in variants)
    first, runs = variants[0].first, variants[0].runs
    seeds = f"{'seeds' if len(runs) > 1 else 'seed'} {', '.join(str(run.seed) for run in runs)}"
    return f"{variants[0].name}: {network}", f"{first.num_nodes:,} nodes, {first.tick:,} ticks, {seeds}"


def _network_of(variant: Variant) -> str:
    """The title of the network, or its name while the run is not finished."""
    summary = variant.first.summary
    return str(variant.first.settings.get("network.name", "network") if summary is None else summary["dataset"])
