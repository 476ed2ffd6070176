"""The settings that two revisions are compared in: small configurations in which every registered part stands.

They are made of the registries of this revision, so that a new part stands in them at once. Each is a dictionary that
`bench.same_bits.program` understands:

  tables: a configuration.
  ticks, record_every: how long it runs, and what is recorded.
  float64: whether everything is computed in float64.
  link_quality: whether each link is given a quality, for parts that need one.
  foreign: parts of another library that take the place of the configuration's.
  refresh: whether embeddings are also refreshed at the end.
  data_root: where real data sets are.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jdgnn.experiment.config.catalogue import EXAMPLES, KINDS, describe
from jdgnn.experiment.config.schema import read_tables
from jdgnn.network.datasets import DATASETS
from jdgnn.network.generators import GENERATORS
from jdgnn.protocol.traffic import ORDERS

Tables = dict[str, Any]
Setting = dict[str, Any]

NUM_NODES, TICKS = 24, 8
CONFIGS = Path(__file__).parents[2] / "configs"
ORDER = "order"
"""Kind of the orders of merging and training, which are no parts."""

SMALL: dict[str, Any] = {
    **{"units": 4, "horizon": 5, "prob": 0.4, "period": 2, "mean_session": 6, "mean_absence": 3, "share": 0.5},
    **{"first": 2, "last": 5, "bytes_per_tick": 64, "maximum": 3, "low": 0, "high": 3, "start": 2, "end": 5},
    **{"num_nodes": NUM_NODES, "num_features": 6, "num_rows": 6, "num_columns": 4, "radius": 0.4, "mean_degree": 4.0},
}
"""Numbers at which parts show in a few ticks, also where they have a default."""

WIDEST, MOST_NODES = 64, 500
"""To how many features and nodes shipped configurations are cut down."""


def names(kind: str) -> list[str]:
    """All parts of a kind."""
    return list(ORDERS) if kind == ORDER else list(KINDS[kind].parts)


def part(kind: str, name: str, trace: Path) -> Tables:
    """The table of a part, with what it must be given, and small numbers."""
    table: Tables = {"name": name}
    for argument in describe(kind, name).arguments:
        if argument.name in SMALL and argument.default is not None:
            table[argument.name] = SMALL[argument.name]
        elif argument.default is ...:
            table[argument.name] = str(trace) if argument.name == "path" else EXAMPLES[argument.name]
    return table


def all_settings(folder: Path, data_root: Path | None = None) -> tuple[dict[str, Setting], dict[str, str]]:
    """All settings by name, and by name why some are left out.

    Args:
      folder: for the trace that some of them take; it must be there while they run.
      data_root: directory with a folder for each data set; without it, those that need files are left out.
    """
    trace = folder / "trace.csv"
    stays = "".join(f"{node},0,1000\n" for node in range(3, NUM_NODES))
    trace.write_text(f"node,start,end\n0,0,3\n0,5,1000\n1,4,1000\n{stays}")  # 0 leaves and returns, 2 never comes
    settings: dict[str, Setting] = {}
    for index, tables in enumerate(_in_step(trace)):
        settings[f"in-step-{index}-kernels"] = setting(tables)
        if index % 2 == 0:  # every part also stands without kernels below
            settings[f"in-step-{index}-plain"] = setting(_with(tables, "emulation", backend="plain"))
    for index, tables in enumerate(_apart(trace)):
        settings[f"apart-{index}-kernels"] = setting(tables)
        settings[f"apart-{index}-plain"] = setting(_with(tables, "emulation", backend="plain"))
    settings |= dict(_special(next(_in_step(trace)), next(_apart(trace))))
    settings |= {f"network-{name}": setting(plain({"network": part("network", name, trace)})) for name in GENERATORS}
    left_out = {}
    for path in sorted(CONFIGS.glob("*.toml")):
        tables = read_tables(path)
        dataset = DATASETS.get(network_of(tables)["name"])
        if dataset is not None and dataset.files and data_root is None:
            left_out[f"config-{path.stem}"] = f"it needs {dataset.name}; give --data-root"
        else:
            settings[f"config-{path.stem}"] = shortened(tables, data_root)
    return settings, left_out


def setting(tables: Tables, **changes: Any) -> Setting:
    """A setting of a configuration."""
    tables = _without_none(tables)
    plain = {"ticks": TICKS, "record_every": 3, "float64": False, "foreign": "", "refresh": False, "data_root": None}
    return {"tables": tables, "link_quality": True, **plain, **changes}


def shortened(tables: Tables, data_root: Path | None) -> Setting:
    """A shipped configuration, with few ticks, not too many nodes, and features that are not too wide."""
    network = network_of(tables)
    if network["name"] in DATASETS:
        wide = DATASETS[network["name"]].num_features > WIDEST
        network |= {"projection": WIDEST} if wide else {}
    if "num_nodes" in network:
        network["num_nodes"] = min(network["num_nodes"], MOST_NODES)
    root = None if data_root is None else str(data_root.resolve())
    tables = tables | {"network": network}
    return setting(tables, ticks=3, record_every=2, link_quality=False, data_root=root)


def network_of(tables: Mapping[str, Any]) -> Tables:
    """The table of the network, also where a name stands for it."""
    given = tables["network"]
    return {"name": given} if isinstance(given, str) else dict(given)


def plain(changes: Tables) -> Tables:
    """A small configuration with some tables changed."""
    return {
        "network": part("network", "stochastic_block_model", Path()),
        "layers": [{"name": "gcn", "units": 4}, {"name": "sage", "units": 3}],
        "objective": "info_nce",
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
        "push": {"fanout": 2, "capacity": 3},
        "emulation": {"num_positives": 3},
        **changes,
    }


def _in_step(trace: Path) -> Iterator[Tables]:
    """Everybody awake, nothing lost or late: all parts that can stand there."""
    kinds = ("layers", "objective", "optimizer", "rate_schedule", "peers", "merge", ORDER, "acceptance")
    for index in range(max(len(names(kind)) for kind in kinds)):
        turn = _Turn(index, trace)
        yield plain(
            {
                "layers": [turn("layers"), turn("layers", 1)],
                "objective": turn("objective"),
                "optimizer": turn("optimizer") | {"rate_schedule": turn("rate_schedule")},
                "push": {"fanout": _fanout(turn.name("peers", 1)), "capacity": 3, "peers": turn("peers", 1)},
                "gossip": _gossip(turn, 2),
            }
        )


def _apart(trace: Path) -> Iterator[Tables]:
    """Nodes that sleep and leave, messages that are lost and late: all parts but networks."""
    kinds = [kind for kind in KINDS if kind not in ("network", "tables")]
    for index in range(max(len(names(kind)) for kind in kinds)):
        turn = _Turn(index, trace)
        yield plain(
            {
                "layers": [turn("layers", 2)],
                "objective": turn("objective"),
                "optimizer": turn("optimizer", 1) | {"rate_schedule": turn("rate_schedule")},
                "availability": {
                    "clock": turn("clock"),
                    "presence": [turn("presence"), turn("presence", 1)][: index % 3],
                    "on_receipt": turn.name("clock") != "always" and index % 2 == 1,
                }
                | ({} if turn.name("links") == "always" else {"links": turn("links")}),  # which older ones do not know
                "publish": {
                    "link": turn.link(0),
                    "schedule": {"name": "every", "wakes": 2} if index % 3 == 0 else None,
                },
                "push": {
                    "fanout": _fanout(turn.name("peers")),
                    "capacity": 3,
                    "peers": turn("peers"),
                    "schedule": turn("schedule", 1),
                    "link": turn.link(1),
                },
                "gossip": _gossip(turn, 3)
                | {"schedule": turn("schedule"), "link": turn.link(2), "pool": (None, 2.0)[index % 2]},
            }
        )


def _gossip(turn: "_Turn", capacity: int) -> Tables:
    return {
        "peers": turn("peers", 2),
        "merge": turn("merge"),
        "acceptance": turn("acceptance"),
        "pass_through": turn.name("acceptance") != "always",
        "order": turn.name(ORDER),
        "capacity": capacity,
        "fanout": _fanout(turn.name("peers", 2)),
    }


def _fanout(sampler: str) -> int:
    """Two messages in a tick, or as many as a sampler asks for."""
    return {"matching": 1, "all_to_all": NUM_NODES - 1}.get(sampler, 2)


def _special(in_step: Tables, apart: Tables) -> Iterator[tuple[str, Setting]]:
    """What is no part: precision, room for those awake, starts, splits, refreshing, parts from elsewhere."""
    parted = _with(apart, "push", link={"partition": {"start": 2, "end": 5}})
    yield "float64", setting(in_step, float64=True)
    yield "float64-apart", setting(apart, float64=True)
    yield "bfloat16", setting(_with(in_step, "emulation", param_dtype="bfloat16"))
    half_awake = plain({"availability": {"clock": part("clock", "bernoulli", Path())}})
    yield "active-fraction", setting(_with(half_awake, "emulation", active_fraction=0.5))
    yield "independent", setting(_with(in_step, "emulation", initial="independent"))
    yield "merged-moments", setting(_with(plain({}), "optimizer", name="momentum", merged=True))
    yield "partition", setting(parted)
    yield "alone", setting(plain({"gossip": {"enabled": False}}))
    yield "no-push", setting(plain({"objective": "edge_reconstruction", "push": {"enabled": False}}))
    yield "refresh", setting(apart, refresh=True)
    for name in names("content"):
        encoded = _with(in_step, "gossip", content=part("content", name, Path()))
        yield f"content-{name}-kernels", setting(encoded)
        yield f"content-{name}-plain", setting(_with(encoded, "emulation", backend="plain"))
    for name in names("attack"):
        attacked = in_step | {"attackers": {"attack": part("attack", name, Path()), "share": 0.2}}
        yield f"attack-{name}-kernels", setting(attacked)
        yield f"attack-{name}-plain", setting(_with(attacked, "emulation", backend="plain"))
    yield "recipe", setting({"network": part("network", "stochastic_block_model", Path())})
    yield "optax", setting(plain({}), foreign="optax")
    yield "linen", setting(plain({}), foreign="linen")


class _Turn:
    """The parts whose turn it is: with each turn another one of every kind."""

    def __init__(self, index: int, trace: Path) -> None:
        self._index, self._trace = index, trace

    def name(self, kind: str, ahead: int = 0) -> str:
        return _taken(names(kind), self._index + ahead)

    def __call__(self, kind: str, ahead: int = 0) -> Tables:
        return part(kind, self.name(kind, ahead), self._trace)

    def link(self, ahead: int) -> Tables:
        return {"drop": self("drop", ahead), "delay": self("delay", ahead)}


def _taken(choices: Sequence[str], index: int) -> str:
    return choices[index % len(choices)]


def _with(tables: Tables, table: str, **changes: Any) -> Tables:
    return tables | {table: tables.get(table, {}) | changes}


def _without_none(tables: Any) -> Any:
    """Tables without the keys of None, which no configuration can say."""
    if isinstance(tables, list):
        return [_without_none(one) for one in tables]
    if not isinstance(tables, dict):
        return tables
    return {key: _without_none(value) for key, value in tables.items() if value is not None}
