"""Whatever a file holds, it is read, or rejected in one sentence; nothing in it is executed.

Sound files are spoilt by changed bytes, by words and numbers that do not belong there, and inside archives.
"""

import contextlib
import io
import pickle
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import jax
import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import sparse

import jdgnn
from jdgnn.emulation.sources import Replay
from jdgnn.experiment.config.schema import read
from jdgnn.experiment.report.reading import read_run
from jdgnn.experiment.results.compare import compare
from jdgnn.experiment.run.directory import RunDirectory
from jdgnn.experiment.run.experiment import make_emulator
from jdgnn.network.datasets import DATASETS
from jdgnn.network.datasets.registry import built
from jdgnn.network.datasets.restricted import read_npz, read_pickle
from jdgnn.network.topology import topology
from tests.experiment.run_support import CONFIG
from tests.support import ROOT, small_emulator

Files = dict[str, bytes]
FEW, MANY = 50, 2_000
LONGEST_SENTENCE = 2_000

WORD = re.compile(rb"[\w.+-]+")
ODD = (
    *(b"", b"-1", b"0", b"7", b"1e5", b"0.5", b"nan", b"inf", b"null", b"true", b"[]", b"{}", b'"x"', b"x", b"\xff"),
    *(b"\x00", b"\x1b[2J", b"99999999999999999999", b"-9223372036854775809", b"1e308", b"x" * 5000, b"a,b", b"[[[["),
)
"""What may stand in the place of a word."""
HARM = b"cos\nsystem\n(S'touch harm'\ntR."
"""A piece of a pickle that executes a command."""


@st.composite
def spoilt(draw: Callable[[st.SearchStrategy[Any]], Any], files: Files) -> Files:
    """The files, of which one is missing or changed in one place."""
    name = draw(st.sampled_from(sorted(files)))
    content = files[name]
    if draw(st.integers(0, 19)) == 0:
        return {other: kept for other, kept in files.items() if other != name}
    if name.endswith(".npz") and draw(st.booleans()):
        return files | {name: draw(_spoilt_member(content))}
    return files | {name: draw(_spoilt_content(content))}


@st.composite
def _spoilt_content(draw: Callable[[st.SearchStrategy[Any]], Any], content: bytes) -> bytes:
    words = list(WORD.finditer(content))
    if words and draw(st.booleans()):
        word = draw(st.sampled_from(words))
        return content[: word.start()] + draw(st.sampled_from(ODD)) + content[word.end() :]
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(len(content), start + 8)))
    return content[:start] + draw(st.one_of(st.binary(max_size=8), st.just(HARM))) + content[end:]


@st.composite
def _spoilt_member(draw: Callable[[st.SearchStrategy[Any]], Any], content: bytes) -> bytes:
    """An archive with one spoilt member, whose check sum fits."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen, out = draw(st.sampled_from(sorted(members))), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, draw(_spoilt_content(member)) if name == chosen else member)
    return out.getvalue()


def taken(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@cache
def _world() -> tuple[jdgnn.Emulator, jdgnn.Network, jdgnn.State, Files]:
    """An emulator, a network, a state, and a record of events."""
    network, late = jdgnn.generators.ring(6, num_features=3), jdgnn.link(drop=0.2, delay=jdgnn.links.uniform(0, 3))
    emulator = small_emulator(push=jdgnn.push(link=late), gossip=jdgnn.gossip(link=late))
    with tempfile.TemporaryDirectory() as name:
        state = emulator.init(jax.random.key(0), network)
        jdgnn.run(emulator, state, network, 3, record=Path(name) / "events.npz")
        return emulator, network, emulator.init(jax.random.key(0), network), taken(Path(name))


@cache
def _run_directory() -> Files:
    with tempfile.TemporaryDirectory() as name:
        shutil.unpack_archive(ROOT / "tests" / "experiment" / "earlier_run.zip", name)
        return taken(Path(name))


@cache
def _own_files() -> Files:
    network = jdgnn.generators.ring(4, num_features=2)
    with tempfile.TemporaryDirectory() as name:
        jdgnn.network.write(Path(name) / "network.npz", network)
        jdgnn.write_embeddings(Path(name) / "embeddings.csv", network.features, network)
        files = taken(Path(name))
    files["nodes.csv"] = b"id,x,y,label,split\na,1,2,even,train\nb,2,1,odd,test\nc,3,1,odd,\n"
    files["edges.csv"] = b"source,target,quality\na,b,1\nb,c,0.5\nc,a,.25\n"
    return files


@cache
def _planetoid() -> Files:
    """The form of Planetoid: CSR matrices, one-hot labels, and lists of neighbours."""
    known, count = 640, 643  # as many as stand in Cora's first two splits, and three more
    features, one_hot = sparse.csr_matrix(np.eye(count, 5, dtype=np.float32)), np.eye(7, dtype=np.int32)
    of_all = one_hot[np.arange(count) % 7]
    graph = {i: [(i + 1) % count, (i - 1) % count] for i in range(count)}
    parts = {"allx": features[:known], "tx": features[known:], "ally": of_all[:known], "ty": of_all[known:]}
    pickled = {f"ind.cora.{name}": pickle.dumps(part, 3) for name, part in {**parts, "graph": graph}.items()}
    return pickled | {"ind.cora.test.index": b"641\n642\n640\n"}


def _parse_configuration(folder: Path) -> None:
    config = read(folder / "a.toml")
    if isinstance(config.layers, list):
        make_emulator(config)


def _parse_events(folder: Path) -> None:
    emulator, network, state, _ = _world()
    replay = Replay(folder / "events.npz", emulator, topology(network), state, 3)
    replay._record.read(0, 3, replay.length, replay._shapes)


def _parse_run(folder: Path) -> None:
    with contextlib.closing(RunDirectory(folder)) as directory:
        directory.open()
        directory.metrics_until(6, 3, 6)
    run = read_run(folder)
    assert run.snapshots
    compare([folder, folder])
    jdgnn.load_run(folder)


def _parse_own_files(folder: Path) -> None:
    jdgnn.network.read_files(folder / "edges.csv", folder / "nodes.csv")
    jdgnn.network.read_files(archive=folder / "network.npz")
    jdgnn.read_embeddings(folder / "embeddings.csv")


def _parse_trace(folder: Path) -> None:
    presence = jdgnn.presence.trace(folder / "trace.csv")
    assert presence.bind is not None
    presence.bind(jdgnn.network.Identifiers((), 5))


def _parse_planetoid(folder: Path) -> None:
    files = taken(folder)
    for content in files.values():
        for parse in (read_pickle, read_npz):
            with contextlib.suppress(jdgnn.InputError):
                parse(content, "file")
    if not {file.name for file in DATASETS["cora"].files} - files.keys():
        built(DATASETS["cora"], DATASETS["cora"].build, files)


PARSERS: dict[str, tuple[Callable[[], Files], Callable[[Path], object]]] = {
    "configurations": (lambda: {"a.toml": CONFIG.encode()}, _parse_configuration),
    "events": (lambda: _world()[3], _parse_events),
    "run directories": (_run_directory, _parse_run),
    "files of one's own": (_own_files, _parse_own_files),
    "traces": (lambda: {"trace.csv": b"node,start,end\n0,0,9\n1,2,4\n4,1,20\n"}, _parse_trace),
    "pickles of data sets": (_planetoid, _parse_planetoid),
}


def check(files: Files, parse: Callable[[Path], object]) -> str | None:
    """Has a parser read files, and gives the sentence by which it rejects them, if it does."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        for file, content in files.items():
            (Path(name) / file).parent.mkdir(parents=True, exist_ok=True)
            (Path(name) / file).write_bytes(content)
        sentence = None
        try:
            parse(Path(name))
        except jdgnn.InputError as error:
            sentence = str(error)
        assert not (Path(name) / "harm").exists()
    assert sentence is None or (sentence.isprintable() and 10 < len(sentence) <= LONGEST_SENTENCE), repr(sentence)
    return sentence


@pytest.mark.parametrize("name", PARSERS)
def test_sound_files_are_read(name: str) -> None:
    sound, parse = PARSERS[name]
    assert check(sound(), parse) is None


def _check_spoilt(name: str, count: int) -> None:
    sound, parse = PARSERS[name]

    @hypothesis.settings(max_examples=count, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(spoilt(sound()))
    def read_or_rejected(files: Files) -> None:
        check(files, parse)

    read_or_rejected()


@pytest.mark.parametrize("name", PARSERS)
def test_spoilt_files_are_read_or_rejected(name: str) -> None:
    _check_spoilt(name, FEW)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of Orbax, whose reading is cut short
@pytest.mark.parametrize("name", PARSERS)
def test_many_spoilt_files_are_read_or_rejected(name: str) -> None:
    _check_spoilt(name, MANY)
