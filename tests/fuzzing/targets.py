"""Everything that reads what somebody else may have written, each with sound input to be spoilt."""

import contextlib
import io
import json
import pickle
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

import jdgnn
from jdgnn.emulation.metrics import QUANTILES
from jdgnn.emulation.sources import Replay
from jdgnn.experiment.cli.resume import are_seeds, seeds_of
from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.schema import read
from jdgnn.experiment.results.compare import compare
from jdgnn.experiment.results.metrics_rows import SPREAD
from jdgnn.experiment.run.directory import RunDirectory, origin_path
from jdgnn.experiment.run.experiment import make_emulator
from jdgnn.experiment.run.summary import ENDS
from jdgnn.network.datasets import DATASETS
from jdgnn.network.datasets.registry import built
from jdgnn.network.datasets.restricted import read_npz, read_pickle
from jdgnn.network.network import Splits
from jdgnn.network.topology import topology
from jdgnn.protocol.accounts import KINDS
from tests.experiment.run_support import CONFIG
from tests.fuzzing.mutation import NUMBERS, Files, changed_files
from tests.support import small_emulator

LATE = jdgnn.link(loss=0.2, delay=jdgnn.links.uniform(0, 3))


class Target(NamedTuple):
    """A parser, and what it is given.

    Attributes:
      sound: an input that it takes.
      inputs: what to give it.
      parse: parses that; the files lie in the folder.
      files: those of an input, by name.
    """

    sound: Any
    inputs: st.SearchStrategy[Any]
    parse: Callable[[Any, Path], object]
    files: Callable[[Any], Files] = lambda given: given


def taken(folder: Path) -> Files:
    """The files in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# configuration


LONG_CONFIG = """
seed = 3
[push]
fanout = 2
peers = "matching"
link = { loss = 0.2, delay = { name = "uniform", low = 0, high = 4 } }
schedule = { name = "token_account", capacity = 5, reserve = 2 }
[gossip]
merge = { name = "variance_corrected", rule = "adopt" }
link = { loss = { name = "bernoulli", prob = 0.1 }, delay = 2, split = { start = 2, end = 4 } }
[publish]
link = { loss = 0.2 }
[availability]
clock = { name = "bernoulli", prob = 0.5 }
presence = [{ name = "churn", mean_session = 9, mean_absence = 3 }, { name = "crash", prob = 0.1 }]
[checkpoints]
ticks = 5
"""
OVERRIDES = (
    "seed=3",
    "layers.0.units=7",
    "network.num_nodes=9",
    "=",
    "seed",
    "a.b.c=1",
    "layers.9.x=1",
    "push=[[[[",
    "seed=1_0",
)
MOST_ENTRIES = 10_000
"""Larger networks are not made; whether they fit into memory is looked at before."""


def _configuration() -> Target:
    sound = {"a.toml": (CONFIG + LONG_CONFIG).encode()}
    files = changed_files(sound, lambda _: "toml")
    overrides = st.lists(st.one_of(st.sampled_from(OVERRIDES), st.text(max_size=20)), max_size=2)
    return Target((sound, []), st.tuples(files, overrides), _parse_configuration, lambda given: given[0])


def _parse_configuration(given: tuple[Files, list[str]], folder: Path) -> None:
    config = read(folder / "a.toml", given[1])
    if isinstance(config.layers, list):
        make_emulator(config)
    part = config.network
    sizes = [getattr(part, name) for name in part.arguments if name.startswith("num_")]
    if part.name not in DATASETS and np.prod([float(size) for size in sizes]) < MOST_ENTRIES:
        make_network(part, data_root=None, seed=config.seed)


# networks


def _networks() -> Target:
    """Arguments of `from_edges`: mostly sound ones, of which one or two are anything at all."""
    numbers = st.one_of(st.integers(0, 5), st.sampled_from(NUMBERS), st.floats(), st.none(), st.text(max_size=2))
    anything = st.one_of(
        numbers,
        st.lists(numbers, max_size=5),
        st.lists(st.lists(numbers, max_size=3), max_size=3),
        arrays.arrays(arrays.scalar_dtypes(), arrays.array_shapes(min_dims=0, max_dims=3, max_side=5)),
        arrays.arrays(np.float32, (5, 2), elements=st.floats(width=32)),
    )

    @st.composite
    def strategy(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
        pairs = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8))
        mask = np.array(draw(st.lists(st.booleans(), min_size=5, max_size=5)))[None]
        given = {
            "senders": [pair[0] for pair in pairs],
            "receivers": [pair[1] for pair in pairs],
            "features": np.eye(5),
            "labels": draw(st.lists(st.integers(0, 2), min_size=5, max_size=5)),
            "link_quality": draw(st.lists(st.floats(0, 1), min_size=len(pairs), max_size=len(pairs))),
            "undirected": draw(st.booleans()),
            "allow_no_edges": True,
            "class_names": ("a", "b", "c"),
            "name": draw(st.text(max_size=3)),
            "splits": Splits(train=mask, validation=~mask, test=mask & ~mask),
        }
        for name in draw(st.lists(st.sampled_from(sorted(given)), max_size=2)):
            given[name] = draw(anything)
        if draw(st.integers(0, 9)) == 0:
            given["splits"] = Splits(train=draw(anything), validation=draw(anything), test=draw(anything))
        return given

    mask = np.arange(5)[None] < 3
    sound = {
        "senders": [0, 1, 1],
        "receivers": [1, 2, 2],
        "features": np.eye(5),
        "labels": [0, 1, 2, 0, 1],
        "class_names": ("a", "b", "c"),
        "name": "sound",
        "splits": Splits(train=mask, validation=~mask, test=mask & ~mask),
    }
    return Target(sound, strategy(), _parse_network, lambda _: {})


def _parse_network(given: dict[str, Any], folder: Path) -> None:
    network = jdgnn.network.from_edges(**given)
    jdgnn.network.as_network(network)
    ends, shape = (network.senders, network.receivers), (network.num_nodes, network.num_nodes)
    matrix = sparse.coo_array((np.ones(network.num_edges), ends), shape)
    others = {name: given[name] for name in ("features", "labels", "splits", "name", "class_names")}
    again = jdgnn.network.from_scipy(matrix, allow_no_edges=True, **others)
    assert again.senders.tolist() == network.senders.tolist()
    graph = jdgnn.network.to_networkx(network)
    jdgnn.network.from_networkx(graph, allow_no_edges=True)
    jdgnn.network.from_jraph(jdgnn.network.to_jraph(network), allow_no_edges=True)


# events, checkpoints


@cache
def _world() -> tuple[jdgnn.Emulator, jdgnn.Network, jdgnn.State, Files, Files]:
    """An emulator, a network, a state, and the files of a record and of a checkpoint."""
    network = jdgnn.generators.ring(6, num_features=3)
    emulator = small_emulator(
        push=jdgnn.push(link=LATE),
        gossip=jdgnn.gossip(link=LATE),
        publish=jdgnn.publish(link=LATE),
        availability=jdgnn.availability(jdgnn.clocks.bernoulli(0.5)),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = emulator.init(jax.random.key(0), network)
        state, _ = jdgnn.run(emulator, state, network, 3, record=folder / "events.npz")
        events = taken(folder)
        (folder / "events.npz").unlink()
        jdgnn.save(folder / "3", emulator, state, network, notes={"config": CONFIG})
        return emulator, network, emulator.init(jax.random.key(0), network), events, taken(folder)


def _events() -> Target:
    return Target(_world()[3], changed_files(_world()[3], lambda _: "npz"), _parse_events)


def _parse_events(files: Files, folder: Path) -> None:
    emulator, network, state, _, _ = _world()
    replay = Replay(folder / "events.npz", emulator, topology(network), state, 3)
    replay._record.read(0, 3, replay.length, replay._shapes)


def _checkpoints() -> Target:
    def form(name: str) -> str:
        if name == "3/about/metadata":
            return "sealed"
        return "bytes" if name.rpartition("/")[2][0].isdigit() else "json"

    return Target(_world()[4], changed_files(_world()[4], form), _parse_checkpoint)


def _parse_checkpoint(files: Files, folder: Path) -> None:
    emulator, network, *_ = _world()
    jdgnn.read_notes(folder / "3")
    jdgnn.restore(folder / "3", emulator, network)


# tables


def _traces() -> Target:
    sound = b"node,start,end\n0,0,9\n1,2,4\n4,1,20\n"
    return Target({"trace.csv": sound}, changed_files({"trace.csv": sound}, lambda _: "csv"), _parse_trace)


def _parse_trace(files: Files, folder: Path) -> None:
    presence = jdgnn.presence.trace(folder / "trace.csv")
    assert presence.bind is not None
    presence.bind(jdgnn.network.Identifiers((), 5))


def _freifunk() -> Target:
    nodes = "nproc,clients_wifi24,clients_wifi5,clients_other,loadavg,uptime_days,age_days,rootfs_usage,memory_usage,"
    nodes += "is_gateway,is_online,autoupdater,firmware_base,model\n"
    rows = [
        f"{i},{i % 3},{i % 2},{i % 4},0.{i},{i * 7},9{i},0.4{i},0.{i},{i % 2},{(i + 1) // 2 % 2},{i % 2},gluon-{i % 2},"
        f"WR84{i}\n"
        for i in range(6)
    ]
    links = "source,target,type,source_tq,target_tq\n" + "".join(
        f"{i},{(i + 1) % 6},{('wifi', 'vpn', 'other')[i % 3]},0.{i},1.0\n" for i in range(6)
    )
    files: Files = {}
    for community in ("aachen", "altdorf", "bremen", "munich", "stuttgart"):
        files |= {f"{community}_nodes.csv": (nodes + "".join(rows)).encode(), f"{community}_links.csv": links.encode()}
    return Target(files, changed_files(files, lambda _: "csv"), partial(_build, "freifunk"))


# pickles and archives


def _dump(value: Any) -> bytes:
    return pickle.dumps(value, 3)  # without frames, whose lengths would have to fit


def _pickles() -> Target:
    """The form of Planetoid: CSR matrices, one-hot labels, and lists of neighbours."""
    known, count = 640, 643  # as many as stand in Cora's first two splits, and three more
    features = sparse.csr_matrix(np.eye(count, 5, dtype=np.float32))
    one_hot = np.eye(7, dtype=np.int32)[np.arange(count) % 7]
    files = {
        "ind.cora.allx": _dump(features[:known]),
        "ind.cora.tx": _dump(features[known:]),
        "ind.cora.ally": _dump(one_hot[:known]),
        "ind.cora.ty": _dump(one_hot[known:]),
        "ind.cora.graph": _dump({i: [(i + 1) % count, (i - 1) % count] for i in range(count)}),
        "ind.cora.test.index": b"641\n642\n640\n",
    }
    return Target(
        files, changed_files(files, lambda name: "csv" if name.endswith("index") else "pickle"), partial(_build, "cora")
    )


def _archives() -> Target:
    """The form of Amazon Photo, and of Minesweeper."""
    links = sparse.csr_matrix(np.roll(np.eye(40, dtype=np.float32), 1, axis=1))
    metadata = {"class_names": np.array(["a", "b"])}
    photo, mines = io.BytesIO(), io.BytesIO()
    boxed: dict[str, Any] = {
        name: np.array(value, dtype=object)
        for name, value in {"adj_matrix": links, "node_attr": links, "metadata": metadata}.items()
    }
    np.savez(photo, **boxed, node_label=np.arange(40) % 2)
    masks = {f"{part}_masks": np.arange(6)[None] % 3 == i for i, part in enumerate(("train", "val", "test"))}
    edges = np.array([[0, 1], [1, 2], [2, 3], [4, 5]])
    np.savez(mines, edges=edges, node_features=np.eye(6), node_labels=np.arange(6) % 2, **masks)
    files = {"amazon_photo.npz": photo.getvalue(), "minesweeper.npz": mines.getvalue()}
    return Target(files, changed_files(files, lambda _: "npz"), _parse_archives)


def _parse_archives(files: Files, folder: Path) -> None:
    for name in ("amazon_photo", "minesweeper"):
        if f"{name}.npz" in files:
            _build(name, files, folder)


def _build(name: str, files: Files, folder: Path) -> None:
    """Makes a data set of files whose SHA-256 is not looked at."""
    for content in files.values():
        for parse in (read_pickle, read_npz):
            with contextlib.suppress(jdgnn.InputError):
                parse(content, "file")
    missing = {file.name for file in DATASETS[name].files} - files.keys()
    if not missing:
        built(DATASETS[name], DATASETS[name].build, files)


# directories of runs


@cache
def _rows() -> list[dict[str, Any]]:
    """What a run of four ticks records."""
    network, emulator = jdgnn.generators.ring(6, num_features=3), small_emulator()
    state = emulator.init(jax.random.key(0), network)
    return jdgnn.run(emulator, state, network, 4, record_every=2)[1].rows()


def _run_directories() -> Target:
    """Two finished runs, and runs with seeds."""
    probe = {"width": 4, "num_splits": 2, "num_unconverged": 0, "values": [0.5, 0.75], "mean": 0.6, "sd": 0.1}
    summary = {
        **{"finished": True, "dataset": "ring", "nodes": 6, "directed_edges": 12, "features": 3, "seed": 0, "ticks": 4},
        "tasks": {"linear_probe": {"accuracy": {"learned": probe, "raw": probe}}},
    }
    rows = _rows()
    one = {
        "config.toml": CONFIG.encode(),
        "run.json": json.dumps({"data_root": "data", "recorded": None, "replayed": None, "versions": {}}).encode(),
        "summary.json": json.dumps(summary).encode(),
        "metrics.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in rows),
    }
    files = {f"{folder}/{name}": content for folder in ("a", "b/seed-0") for name, content in one.items()}
    files["b/run.json"] = json.dumps({"seeds": [0]}).encode()
    return Target(files, changed_files(files, lambda name: name.rpartition(".")[2]), _parse_run_directories)


def _parse_run_directories(files: Files, folder: Path) -> None:
    for read_one in (_read_run, _read_seeds):
        with contextlib.suppress(jdgnn.InputError):
            read_one(folder)
    compare([folder / "a", folder / "b"])


def _read_run(folder: Path) -> None:
    directory = RunDirectory(folder / "a")
    try:
        origin = directory.open()
        for name in ("data_root", "recorded", "replayed"):
            origin_path(origin, name)
        rows = directory.metrics_until(4, 2, 4)
        assert [row["tick"] for row in rows] == [2, 4]
        summarised(rows)
    finally:
        directory.close()


def summarised(rows: list[dict[str, Any]]) -> None:
    """Does with rows what the end of a run does."""
    last = rows[-1]
    for name in SPREAD:
        dict(zip(map(str, QUANTILES), last["quantiles"][name], strict=True))
    for outcome in ENDS:
        sum(last[f"messages_{outcome}"][kind] for kind in KINDS)


def _read_seeds(folder: Path) -> None:
    if are_seeds(folder / "b"):
        seeds_of(folder / "b")


# networks and embeddings in files of one's own


def _own_files() -> Target:
    """Two tables, a network in an archive, and embeddings both ways."""
    network = replace(
        jdgnn.generators.ring(4, num_features=2),
        labels=np.array([0, 1, 0, 1], np.int32),
        link_quality=np.full(8, 0.5, np.float32),
        class_names=("even", "odd"),
        node_names=("a", "b", "c", "d"),
    )
    with tempfile.TemporaryDirectory() as folder:
        jdgnn.network.write(Path(folder) / "network.npz", network)
        for name in ("embeddings.csv", "embeddings.npz"):
            jdgnn.write_embeddings(Path(folder) / name, network.features, network)
        files = taken(Path(folder))
    files["nodes.csv"] = b"id,x,y,label,split\na,1,2,even,train\nb,2,1,odd,test\nc,3,1,odd,\n"
    files["edges.csv"] = b"source,target,quality\na,b,1\nb,c,0.5\nc,a,.25\n"
    return Target(files, changed_files(files, lambda name: name.rpartition(".")[2]), _parse_own_files)


def _parse_own_files(files: Files, folder: Path) -> None:
    refused = []
    for read_one in (
        lambda: jdgnn.network.read_files(folder / "edges.csv", folder / "nodes.csv"),
        lambda: jdgnn.network.read_files(archive=folder / "network.npz"),
        lambda: jdgnn.read_embeddings(folder / "embeddings.csv"),
        lambda: jdgnn.read_embeddings(folder / "embeddings.npz"),
    ):
        try:
            read_one()
        except jdgnn.InputError as error:
            refused.append(error)
    if refused:
        raise refused[0]


TARGETS: dict[str, Callable[[], Target]] = {
    "configurations": _configuration,
    "networks": _networks,
    "events": _events,
    "checkpoints": _checkpoints,
    "traces": _traces,
    "tables of nodes and links": _freifunk,
    "pickles": _pickles,
    "npz archives": _archives,
    "run directories": _run_directories,
    "files of one's own": _own_files,
}
