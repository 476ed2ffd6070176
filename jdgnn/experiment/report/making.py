"""Makes a report of directories of runs."""

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
    """Writes a report of runs, finished or not, as one HTML file, with maps of embeddings by these methods."""
    variants = read_variants(paths)
    # a directory that was changed by hand may hold anything
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
    first, seeds = variants[0].first, [run.seed for run in variants[0].runs]
    named = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    return f"{variants[0].name}: {network}", f"{first.num_nodes:,} nodes, {first.tick:,} ticks, {named}"


def _network_of(variant: Variant) -> str:
    """The title of the network; its name while the run is not finished."""
    summary = variant.first.summary
    return str(variant.first.settings.get("network.name", "network") if summary is None else summary["dataset"])
