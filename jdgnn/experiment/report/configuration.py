"""The panel of the configuration: all of it, ready to be run again."""

from jdgnn.experiment.report.panel import Panel
from jdgnn.experiment.report.summaries import Summary
from jdgnn.experiment.report.variants import Variant
from jdgnn.experiment.results.read import Settings


def configuration_panel(variants: list[Variant], summaries: dict[str, Summary]) -> Panel:
    """What was run, with all defaults, and with which versions.

    Args:
      variants: what is shown.
      summaries: of the first seed of each that is finished, by the variant's name.
    """
    panel = Panel("configuration", "Configuration")
    panel.text("Every key, defaults included. Run it again: jdgnn run config.toml, from the run's directory.")
    for variant in variants:
        title = variant.first.path.name if len(variants) == 1 else f"{variant.name}: {variant.first.path}"
        panel.add("folded", title=f"config.toml of {title}", text=variant.first.config)
    if summaries:
        names = dict.fromkeys(name for summary in summaries.values() for name in summary.versions)
        rows = [[name, *(summary.versions.get(name, "-") for summary in summaries.values())] for name in names]
        rows.append(["digest of the final state", *(summary.digest[:16] for summary in summaries.values())])
        head = ["", *(summaries if len(summaries) > 1 else ["version"])]
        panel.add("folded", title="Versions, and the digest of the final state", head=head, rows=rows)
    return panel


def in_words(settings: Settings, key: str) -> str:
    """The value of a key, as in TOML where that is short.

    >>> in_words({"push.fanout": 8}, "push.fanout"), in_words({}, "push.fanout")
    ('8', '-')
    """
    if key not in settings:
        return "-"
    value = settings[key]
    return str(value).lower() if isinstance(value, bool) else str(value)
