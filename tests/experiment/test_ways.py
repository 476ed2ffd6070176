"""The way in which a run was computed is told, and not changed unasked, whichever the other way is."""

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import pytest

import jdgnn
from jdgnn.backend import calls, library
from jdgnn.backend.way import TOLD, Way, missing, read, way
from jdgnn.emulation.checkpoint import OtherWayWarning
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.config.schema import Config, as_toml
from jdgnn.experiment.results.compare import compare
from jdgnn.experiment.run.directory import RunDirectory, read_origin
from jdgnn.experiment.run.ways import FLAG, mixed, replayed_otherwise
from jdgnn.experiment.sweep import working
from tests.experiment.run_support import CONFIG, summary
from tests.support import small_emulator, small_network

pytestmark = pytest.mark.usefixtures("compiled")
OFF = ("--set", "emulation.backend=plain")
MORE = ("--set", "emulation.ticks=9")
NO_COMPILER = "there is no C++ compiler (g++ or clang++)"


@pytest.fixture
def _without_cache(tmp_path: Path) -> Iterator[None]:
    """The cache would be inside of a file, where not even root can write."""
    with without_cache(tmp_path):
        yield


class without_cache:
    def __init__(self, folder: Path) -> None:
        self._file = folder / "file"

    def __enter__(self) -> None:
        self._file.write_text("")
        self._patch = pytest.MonkeyPatch()
        self._patch.setenv(library.CACHE, str(self._file / "cache"))
        forget()

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
        forget()
        library.why_not()


def forget() -> None:
    """What is known about kernels, and programs that were compiled with or without them."""
    library.why_not.cache_clear()
    jax.clear_caches()
    TOLD.clear()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ways") / "tiny.toml"
    path.write_text(CONFIG.replace("num_splits = 2", "num_splits = 1"))
    return path


def run(config: Path, out: Path, *options: str) -> Path:
    assert main(["run", str(config), "--no-report", "--out", str(out), *options]) == 0
    return out


@pytest.fixture(scope="module")
def by_kernels(config: Path) -> Path:
    return run(config, config.parent / "kernels", "--record", str(config.parent / "kernels.npz"))


@pytest.fixture(scope="module")
def plain(config: Path) -> Path:
    with without_cache(config.parent):
        return run(config, config.parent / "plain")


def resumed(path: Path, tmp_path: Path, *options: str) -> tuple[int, Path]:
    copy = tmp_path / "resumed"
    shutil.copytree(path, copy)
    return main(["run", "--no-report", "--resume", str(copy), *MORE, *options]), copy


def notes(path: Path) -> dict[str, Any]:
    return jdgnn.read_notes(max((path / "checkpoints").iterdir(), key=lambda folder: int(folder.name)))


def test_a_run_says_how_it_was_computed(by_kernels: Path) -> None:
    expected = {**way(None)._asdict(), "reason": None}
    assert expected["backend"] == "kernels"
    assert expected["compiler"] == library.compiler_name()
    assert expected["cores"] == calls.num_cores()
    assert "/" not in (expected["compiler"] or "")
    for said in (summary(by_kernels), read_origin(by_kernels), notes(by_kernels)):
        assert said["way"] == expected
        assert said["versions"]["jax"] == jax.__version__
    assert summary(by_kernels)["warnings"]["missing_kernels"] is None


@pytest.mark.long
def test_a_cache_that_cannot_be_written_is_told(plain: Path, by_kernels: Path) -> None:
    reason = f"they cannot be compiled or loaded: {plain.parent}/file/cache/kernels cannot be made (Not a directory)"
    for said in (summary(plain), read_origin(plain), notes(plain)):
        assert said["way"] == {**way("plain")._asdict(), "reason": reason}
    assert summary(plain)["warnings"]["missing_kernels"] == reason
    assert summary(plain)["digest"] != summary(by_kernels)["digest"]


@pytest.mark.usefixtures("_forgetting")
def test_a_missing_compiler_is_told(
    config: Path, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    path = run(config, tmp_path / "run")
    output = capsys.readouterr().out
    assert f"warning: compiled kernels are missing ({NO_COMPILER})" in output
    assert f"way     without compiled kernels ({NO_COMPILER})\non      {library.processor_name()}\n" in output
    assert 'emulation.backend = "plain"\n' in output
    assert summary(path)["way"]["reason"] == summary(path)["warnings"]["missing_kernels"] == NO_COMPILER
    assert read_origin(path)["way"]["reason"] == NO_COMPILER
    assert summary(path)["digest"] == summary(plain)["digest"]


@pytest.fixture
def _forgetting() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.mark.usefixtures("_without_cache")
def test_a_run_by_kernels_is_not_resumed_without_them(
    by_kernels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, path = resumed(by_kernels, tmp_path)
    assert status == 2
    told = capsys.readouterr().err
    assert f"--resume: {path} was computed with compiled kernels ({library.compiler_name()}) up to tick 7" in told
    assert "continue without compiled kernels (they cannot be compiled or loaded: " in told
    assert f"have JDGNN_CACHE name a directory that can be written, or add {FLAG}, which is recorded" in told
    assert summary(path) == summary(by_kernels)
    assert main(["run", "--no-report", "--resume", str(path), *MORE, FLAG]) == 0
    (change,) = summary(path)["warnings"]["changes"]
    assert change["tick"] == 7
    assert change["accepted"] is True
    assert change["differences"][0].startswith("it was computed with compiled kernels")
    assert read_origin(path)["changes"] == notes(path)["changes"] == [change]
    assert read_origin(path)["way"]["backend"] == "kernels"  # at the first tick
    assert summary(path)["way"]["backend"] == "plain"  # at the last
    assert f"note    from tick 7 on it was computed in another way: {change['differences'][0]}" in (
        capsys.readouterr().out
    )


def test_a_run_without_kernels_is_not_resumed_by_them(
    config: Path, plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, path = resumed(plain, tmp_path)
    assert status == 2
    told = capsys.readouterr().err
    assert f"{path} was computed without compiled kernels (they cannot be compiled or loaded: " in told
    assert f"would continue with compiled kernels ({library.compiler_name()}), with the bits of neither; add " in told
    assert f"add --set emulation.backend=plain to continue as before, or add {FLAG}" in told
    assert main(["run", "--no-report", "--resume", str(path), *MORE, *OFF]) == 0
    assert summary(path)["warnings"]["changes"] == []
    unbroken = run(config, tmp_path / "unbroken", *MORE, *OFF)
    assert summary(path)["digest"] == summary(unbroken)["digest"]
    assert "missing" not in capsys.readouterr().out  # it is stated


def test_a_run_goes_on_as_cut_for_its_cores_and_other_machines_are_told(
    by_kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known, cores = library.processor_name(), calls.num_cores()
    monkeypatch.setattr(library, "processor_name", lambda: "Abacus 9")
    monkeypatch.setattr(calls, "num_cores", lambda: cores + 3)
    status, path = resumed(by_kernels, tmp_path)
    assert status == 0
    assert summary(path)["way"]["cores"] == cores
    clause = f"the processor was {known} and is Abacus 9"
    assert f"warning: bits may differ from here on: {clause}" in capsys.readouterr().out
    assert summary(path)["warnings"]["changes"] == [{"tick": 7, "differences": [clause], "accepted": False}]


def cheap(**changes: Any) -> jdgnn.Emulator:
    return small_emulator(layers=[jdgnn.gcn(3)], optimizer=jdgnn.sgd(0.1), gossip=None, **changes)


def test_a_replay_in_another_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, emulator, file = small_network(), cheap(), tmp_path / "events.npz"
    jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 3, record=file)
    monkeypatch.setattr(library, "why_not", lambda: NO_COMPILER)

    def replayed(how: str | None, **options: Any) -> jdgnn.State:
        emulator = cheap(backend=how)
        state = emulator.init(jax.random.key(0), network)
        return jdgnn.run(emulator, state, network, 3, replay=file, **options)[0]

    jax.clear_caches()
    with pytest.raises(
        jdgnn.InputError, match=r"events.npz was recorded by a run computed with compiled kernels"
    ) as error:
        replayed(None)
    assert f"and this one is computed without compiled kernels ({NO_COMPILER}), to other bits" in str(error.value)
    stated = jdgnn.digest(replayed("plain"))
    assert jdgnn.digest(replayed(None, accept_other_way=True)) == stated
    jax.clear_caches()


@pytest.mark.usefixtures("_without_cache")
def test_a_run_is_not_replayed_in_another_way(
    by_kernels: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", str(config), "--out", str(tmp_path / "replayed"), "--replay", f"{by_kernels}.npz"]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert f"error: --replay: {by_kernels}.npz was recorded by a run computed with compiled kernels" in told
    assert f"to other bits; state emulation.backend, or add {FLAG}, which is recorded" in told
    assert not (tmp_path / "replayed").exists()
    assert replayed_otherwise("other", is_accepted=True) == [{"tick": 0, "differences": ["other"], "accepted": True}]


def test_a_state_is_restored_in_another_way_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, emulator = small_network(), cheap()
    state = emulator.init(jax.random.key(0), network)
    saved = jdgnn.save(tmp_path / "0", emulator, state, network)
    for other in (cheap(backend="plain"), emulator):
        if other is emulator:
            monkeypatch.setattr(library, "why_not", lambda: "it rains")
        with pytest.warns(
            OtherWayWarning, match=r"0 was saved in a run computed with compiled .* now computed without"
        ):
            again = jdgnn.restore(tmp_path / "0", other, network)
        assert jdgnn.digest(again) == saved


def test_python_is_warned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network, emulator = small_network(), cheap()
    monkeypatch.setattr(library, "why_not", lambda: "it rains")
    monkeypatch.setattr("jdgnn.backend.way.TOLD", set())
    jax.clear_caches()
    state = emulator.init(jax.random.key(0), network)
    with pytest.warns(UserWarning, match=r"compiled kernels are missing \(it rains\).*JDGNN_CACHE") as told:
        state, _ = jdgnn.run(emulator, state, network, 1)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jdgnn.run(emulator, state, network, 1)
    jax.clear_caches()


def test_other_seeds_are_not_added_in_another_way(
    by_kernels: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "seeds"
    path.mkdir()
    (path / "run.json").write_text('{"seeds": [0, 1]}')
    shutil.copytree(by_kernels, path / "seed-0")
    with without_cache(tmp_path):
        assert main(["run", "--resume", str(path)]) == 2
    told = capsys.readouterr().err
    assert f"error: --resume: {path / 'seed-0'} was computed with compiled kernels" in told
    assert FLAG in told
    assert not (path / "seed-1").exists()


def quickly(config: Config, directory: RunDirectory, *_: Any, **__: Any) -> None:
    """Writes what a run writes of its way, and computes nothing."""
    now = way(config.emulation.backend)
    directory.create(as_toml(config), {"way": now._asdict()})
    said = {"dataset": "none", "nodes": 3, "directed_edges": 2, "ticks": 7, "tasks": {}, "digest": "0", "loss": [1.0]}
    warned = {"missing_kernels": missing(config.emulation.backend)}
    figures = {"seed": config.seed, "consensus_distance": 0.1, "wall_seconds": 2, "way": now._asdict()}
    directory.write_summary({**said, **figures, "finished": True, "warnings": warned})


def test_a_sweep_is_not_widened_in_another_way(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(working, "run_experiment", quickly)
    out = tmp_path / "sweep"
    sweep = ["sweep", str(config), "--out", str(out)]
    assert main([*sweep, "--set", "push.fanout=2,3"]) == 0
    monkeypatch.setattr(library, "why_not", lambda: "it rains")
    capsys.readouterr()
    assert main([*sweep, "--set", "push.fanout=2,4"]) == 2
    told = capsys.readouterr().err
    assert f"error: --out: {out}/push.fanout=2/seed-0 was computed with compiled kernels (" in told
    assert "what is to be run beside it would be computed without compiled kernels (it rains); install a C++" in told
    assert not list(out.glob("push.fanout=4/*"))
    assert main([*sweep, "--set", "push.fanout=2,4", FLAG]) == 0
    output = capsys.readouterr().out
    assert "warning: compiled kernels are missing (it rains)" in output
    note = (
        "not all were computed in one way: fanout 2, seed 0 and fanout 3, seed 0 with compiled kernels, "
        "fanout 4, seed 0 without compiled kernels"
    )
    assert f"note    {note}" in output
    assert json.loads((out / "sweep.json").read_text())["mixed_ways"] == note
    assert main([*sweep, "--set", "push.fanout=2,4", "--set", "emulation.backend=plain"]) == 2  # another configuration


def test_comparing_tells_of_several_ways(by_kernels: Path, plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = "not all were computed in one way: A with compiled kernels, B without compiled kernels"
    assert compare([by_kernels, plain])["mixed_ways"] == told
    assert compare([plain, plain])["mixed_ways"] is None
    assert main(["compare", str(by_kernels), str(plain)]) == 0
    assert f"note    {told}" in capsys.readouterr().out


@pytest.mark.parametrize("said", [None, {}, {"backend": "how"}, 3, {**way("plain")._asdict(), "cores": "many"}])
def test_what_makes_no_sense_is_no_way(said: Any) -> None:
    assert read(said) is None
    assert mixed([("A", said), ("B", way("plain")._asdict())]) is None


def test_another_device_is_another_way() -> None:
    here = way("plain")
    there = here._replace(platform="gpu", reason="they are for CPUs, and JAX computes on gpu")
    assert not here.is_like(there)
    assert list(there.differences(here)) == [
        "it was computed without compiled kernels (they are switched off) and is now without compiled kernels on gpu "
        "(they are for CPUs, and JAX computes on gpu)"
    ]
    assert here.is_like(Way(**{**here._asdict(), "reason": "it rains"}))
