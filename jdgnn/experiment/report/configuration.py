"""The panel of the configuration: every key, ready to run again."""

from jdgnn.experiment.report.page import Panel
from jdgnn.experiment.report.variants import Variant


def configuration_panel(variants: list[Variant]) -> Panel:
    """The configuration with all defaults, and versions."""
    panel = Panel("configuration", "Configuration")
    panel.text("Every key, with defaults. To repeat the run: jdgnn run config.toml, in the directory of the run.")
    for variant in variants:
        title = variant.first.path.name if len(variants) == 1 else f"{variant.name}: {variant.first.path}"
        panel.add("folded", title=f"config.toml of {title}", text=variant.first.config)
    summaries = {variant.name: variant.first.summary for variant in variants if variant.first.summary}
    if summaries:
        names = dict.fromkeys(name for summary in summaries.values() for name in summary["versions"])
        rows = [[name, *(summary["versions"].get(name, "-") for summary in summaries.values())] for name in names]
        rows.append(["digest of the final state", *(summary["digest"][:16] for summary in summaries.values())])
        head = ["", *(summaries if len(summaries) > 1 else ["version"])]
        panel.add("folded", title="Versions, and the digest of the final state", head=head, rows=rows)
    return panel
