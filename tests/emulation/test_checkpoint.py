"""A restored state has the bits of the saved one, and a wrong or damaged checkpoint is rejected with its reason."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import jdgnn
from jdgnn import Emulator, InputError, Network, State
from jdgnn.emulation.checkpoint import FORMAT, DamagedError
from tests.bad_inputs import assert_told
from tests.seldom import mostly_long
from tests.support import small_emulator

LATE = jdgnn.link(drop=0.2, delay=jdgnn.links.uniform(0, 3))


def network(seed: int = 0) -> Network:
    return jdgnn.generators.stochastic_block_model(40, 2, 6, seed=seed)


def asynchronous(**changes: Any) -> Emulator:
    parts: dict[str, Any] = {
        "layers": [jdgnn.gcn(5), jdgnn.sage(4)],
        "objective": jdgnn.masked_input(),
        "optimizer": jdgnn.adam(1e-2),
        "push": jdgnn.push(link=LATE, schedule=jdgnn.schedules.token_account(capacity=5, reserve=2)),
        "gossip": jdgnn.gossip(link=LATE),
        "publish": jdgnn.publish(link=LATE),
        "availability": jdgnn.availability(jdgnn.clocks.bernoulli(0.5)),
    }
    return Emulator(**{**parts, **changes})


EMULATORS = {
    "in step": lambda: small_emulator(),
    "the recipe": lambda: jdgnn.recipe(6, width=14).emulator,
    "asynchronous": asynchronous,
    "bfloat16": lambda: asynchronous(param_dtype="bfloat16"),
    "no gossip": lambda: asynchronous(gossip=None),
    "uneven clocks": lambda: asynchronous(availability=jdgnn.availability(jdgnn.clocks.lognormal(0.3, 0.5))),
}


@pytest.mark.parametrize("name", mostly_long(EMULATORS, ["asynchronous"]))
def test_a_restored_state_continues_with_the_same_bits(name: str, tmp_path: Path) -> None:
    emulator, there = EMULATORS[name](), network()
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(1), there), there, 9)
    saved = jdgnn.save(tmp_path / "9", emulator, state, there, notes={"of": name})
    again = jdgnn.restore(tmp_path / "9", emulator, there)
    assert jdgnn.digest(again) == jdgnn.digest(state) == saved
    assert jdgnn.read_notes(tmp_path / "9") == {"of": name}
    ours, _ = jdgnn.run(emulator, again, there, 8)
    theirs, _ = jdgnn.run(emulator, state, there, 8)
    assert jdgnn.digest(ours) == jdgnn.digest(theirs) != saved


def test_keys_of_another_kind_and_double_precision_are_kept(tmp_path: Path) -> None:
    with jax.enable_x64(True):
        there = network()
        there = type(there)(**{**vars(there), "features": there.features.astype(np.float64)})
        emulator = small_emulator()
        state = emulator.init(jax.random.key(1, impl="rbg"), there)
        jdgnn.save(tmp_path / "0", emulator, state, there)
        again = jdgnn.restore(tmp_path / "0", emulator, there)
        assert again.embeddings[0].dtype == np.float64
        assert jdgnn.digest(again) == jdgnn.digest(state)
        assert jax.random.key_impl(again.key) == jax.random.key_impl(state.key)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Emulator, State]:
    path, emulator = tmp_path_factory.mktemp("saved") / "3", asynchronous()
    state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(1), network()), network(), 3)
    jdgnn.save(path, emulator, state, network())
    return path, emulator, state


def test_saving_overwrites_nothing_and_makes_one_directory(saved: tuple[Path, Emulator, State]) -> None:
    path, emulator, state = saved
    with pytest.raises(InputError, match=r"path: expected a new directory, got .*, which exists"):
        jdgnn.save(path, emulator, state, network())
    with pytest.raises(InputError, match="path: there is no directory"):
        jdgnn.save(path / "a" / "b", emulator, state, network())
    with pytest.raises(InputError, match=r"network: expected the one .* 6 nodes instead of 40"):
        jdgnn.save(path.with_name("4"), emulator, state, jdgnn.generators.ring(6))
    assert [entry.name for entry in path.parent.iterdir()] == ["3"]


def test_another_network_or_other_parts_are_rejected(saved: tuple[Path, Emulator, State]) -> None:
    path, emulator, _ = saved
    for other, differing in (
        (network(seed=1), "directed edges instead of"),
        (jdgnn.generators.ring(41), "41 nodes instead of 40"),
        (replace(network(), features=2 * network().features), "other features"),
        (replace(network(), features=network().features[:, :4]), "4 features of a node instead of 6"),
    ):
        with pytest.raises(InputError, match=rf"network: expected the one that .*/3 was saved on, .*{differing}"):
            jdgnn.restore(path, emulator, other)
    changed = r"params.0.layer.linear.bias is float32 \[40, 5\] in the checkpoint, and float32 \[40, 7\]"
    with pytest.raises(InputError, match=changed):
        jdgnn.restore(path, asynchronous(layers=[jdgnn.gcn(7), jdgnn.sage(4)]), network())
    with pytest.raises(InputError, match=r"opt_state.0.count is int32 \[40\] in the checkpoint, and missing"):
        jdgnn.restore(path, asynchronous(optimizer=jdgnn.sgd(1.0)), network())


def test_another_learning_rate_may_continue(saved: tuple[Path, Emulator, State]) -> None:
    path, _, state = saved
    again = jdgnn.restore(path, asynchronous(optimizer=jdgnn.adam(1e-3)), network())
    assert jdgnn.digest(again) == jdgnn.digest(state)


def about(path: Path, **changes: Any) -> None:
    file = path / "about" / "metadata"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


DAMAGES = {
    "half of an array": (lambda path: _cut(path / "state" / "params.0.layer.linear.kernel"), "has 2400 bytes of 4800"),
    "an array missing": (lambda path: shutil.rmtree(path / "state" / "wakes"), "is damaged"),
    "a bit": (lambda path: _flip(path / "state" / "wakes" / "0"), "its arrays are not those that were saved"),
    "other notes": (lambda path: about(path, notes={"seconds": 1e9}), "its description is not what was saved"),
    "no text": (lambda path: (path / "about" / "metadata").write_text("{"), "is damaged"),
    "no text at all": (lambda path: shutil.rmtree(path / "about"), "which has no description"),
    "a list": (lambda path: (path / "about" / "metadata").write_text("[]"), "whose description names no format"),
    "a newer format": (lambda path: about(path, format=FORMAT + 1, jdgnn="9.9"), "of a newer jdgnn \\(9.9\\)"),
    "an older format": (lambda path: about(path, format=FORMAT - 1), "of an older jdgnn"),
    "no directory": (lambda path: shutil.rmtree(path), "there is no such directory"),
}


def _cut(folder: Path) -> None:
    file = next(file for file in folder.iterdir() if file.name != ".zarray")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_rejected(
    name: str, saved: tuple[Path, Emulator, State], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, emulator, _ = saved
    damaged = tmp_path / "3"
    shutil.copytree(path, damaged)
    damage, message = DAMAGES[name]
    damage(damaged)
    with pytest.raises(InputError, match=message) as rejected:
        jdgnn.restore(damaged, emulator, network())
    assert_told("Checkpoints", name, rejected.value)
    assert capfd.readouterr().err == ""


@pytest.mark.long
def test_any_file_may_be_damaged(saved: tuple[Path, Emulator, State], tmp_path: Path) -> None:
    path, emulator, _ = saved
    for number, file in enumerate(sorted((path / "state").rglob("[0-9]*"))):
        damaged = tmp_path / str(number)
        shutil.copytree(path, damaged)
        _flip(damaged / file.relative_to(path))
        with pytest.raises(DamagedError):
            jdgnn.restore(damaged, emulator, network())


def test_a_run_can_be_saved_while_it_goes(tmp_path: Path) -> None:
    emulator, there = small_emulator(), network()

    def on_progress(progress: jdgnn.Progress) -> None:
        if progress.tick % 4 == 0:
            jdgnn.save(tmp_path / str(progress.tick), emulator, progress.state, there)

    state = emulator.init(jax.random.key(0), there)
    state, _ = jdgnn.run(emulator, state, there, 14, on_progress=on_progress, progress_every=4)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["12", "4", "8"]
    again, _ = jdgnn.run(emulator, jdgnn.restore(tmp_path / "8", emulator, there), there, 6)
    assert jdgnn.digest(again) == jdgnn.digest(state)


def test_progress_every_is_for_on_progress() -> None:
    emulator, there = small_emulator(), network()
    state = emulator.init(jax.random.key(0), there)
    with pytest.raises(InputError, match="progress_every: got 4 without on_progress"):
        jdgnn.run(emulator, state, there, 14, progress_every=4)


def test_a_full_disk_is_reported_before_anything_is_written(
    saved: tuple[Path, Emulator, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, emulator, state = saved
    usage = shutil.disk_usage(path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=1000))
    with pytest.raises(OSError, match="No space left on device"):
        jdgnn.save(path.with_name("5"), emulator, state, network())
    assert [entry.name for entry in path.parent.iterdir()] == ["3"]
