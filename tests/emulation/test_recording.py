"""A recorded run is told completely, and replayed to the same bits or under another algorithm."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import jdgnn
from jdgnn import clocks, link_presence, links, presence
from jdgnn.emulation.sources import Draw
from jdgnn.emulation.start import event_shapes
from jdgnn.network.topology import topology
from jdgnn.protocol.recording import RECORDED, Recorder
from jdgnn.protocol.replaying import SETTINGS, Record
from tests.bad_inputs import assert_told
from tests.support import assert_same_bits, small_emulator, small_network

TICKS = 70  # more than a stretch of the file
NETWORK = small_network()


def harsh(**changes: Any) -> jdgnn.Emulator:
    """Everything that can be drawn is."""
    late = jdgnn.link(drop=0.2, delay=links.uniform(0, 3))
    settings: dict[str, Any] = {
        "publish": jdgnn.publish(link=late),
        "push": jdgnn.push(fanout=2, capacity=3, link=late.replace(drop=links.bursty(9, 3))),  # type: ignore[attr-defined]
        "gossip": jdgnn.gossip(
            capacity=2,
            link=late,
            acceptance=jdgnn.acceptance.degree(),
            schedule=jdgnn.schedules.token_account(capacity=4, reserve=2),
        ),
        "availability": jdgnn.availability(
            clocks.bernoulli(0.5), presence.churn(20, 5), links=link_presence.markov(9, 3)
        ),
    }
    return small_emulator(**(settings | changes))


def run(emulator: jdgnn.Emulator, ticks: int = TICKS, **arguments: Any) -> tuple[jdgnn.State, jdgnn.History]:
    return jdgnn.run(emulator, emulator.init(jax.random.key(0), NETWORK), NETWORK, ticks, **arguments)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, jdgnn.State]:
    path = tmp_path_factory.mktemp("recording") / "events.npz"
    state, _ = run(harsh(), record=path)
    return path, state


def test_recording_and_replaying_change_no_bit(recorded: tuple[Path, jdgnn.State]) -> None:
    path, state = recorded
    assert_same_bits(run(harsh())[0], state)
    replayed, _ = run(harsh(), replay=path, record_every=1)
    assert_same_bits(replayed, state)


def test_drawing_after_a_replay_goes_on_as_if_all_had_been_drawn(recorded: tuple[Path, jdgnn.State]) -> None:
    path, _ = recorded
    state, _ = run(harsh(), 30, replay=path)
    state, _ = jdgnn.run(harsh(), state, NETWORK, 30)
    assert_same_bits(state, run(harsh(), 60)[0])


def test_the_same_run_gives_the_same_file_however_long_its_chunks_take(
    recorded: tuple[Path, jdgnn.State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jdgnn.emulation.run.SILENT_SECONDS", 0.0)  # a tick at a time
    run(harsh(), record=tmp_path / "events.npz")
    assert (tmp_path / "events.npz").read_bytes() == recorded[0].read_bytes()


@pytest.mark.long
def test_what_an_algorithm_has_no_use_for_may_be_on_file(recorded: tuple[Path, jdgnn.State]) -> None:
    path, state = recorded
    late = jdgnn.link(drop=0.2, delay=links.uniform(0, 3))
    lonely, _ = run(harsh(objective=jdgnn.edge_reconstruction(), push=None, gossip=None), replay=path)
    assert_same_bits(lonely.wakes, state.wakes)
    plain, _ = run(harsh(gossip=jdgnn.gossip(capacity=2, link=late)), replay=path)
    assert plain.accounts.total("model", "rejected") == 0 < plain.accounts.total("model", "dropped")


def test_a_replay_can_be_cut_and_does_not_draw(recorded: tuple[Path, jdgnn.State]) -> None:
    path, expected = recorded
    other_key = replace(harsh().init(jax.random.key(0), NETWORK), key=jax.random.key(99))
    state, _ = jdgnn.run(harsh(), other_key, NETWORK, 7, replay=path)
    state, _ = jdgnn.run(harsh(), state, NETWORK, TICKS - 7, replay=path)
    assert_same_bits(state.params, expected.params)
    assert_same_bits(state.accounts, expected.accounts)


def test_another_algorithm_meets_the_same_fate(recorded: tuple[Path, jdgnn.State]) -> None:
    path, state = recorded
    other = harsh(layers=[jdgnn.sage(6)], objective=jdgnn.edge_reconstruction(), optimizer=jdgnn.sgd(0.1))
    replayed, _ = run(other, replay=path)
    assert_same_bits(replayed.wakes, state.wakes)
    for kind in ("embedding", "push"):
        for outcome in ("sent", "dropped", "to_offline", "delivered"):
            assert replayed.accounts.total(kind, outcome) == state.accounts.total(kind, outcome) > 0


@pytest.mark.long
def test_models_sent_to_uniform_peers_arrive_under_a_sampler_of_pairs(tmp_path: Path) -> None:
    path, emulator = tmp_path / "events.npz", small_emulator()
    state, _ = run(emulator, record=path)
    paired, _ = run(small_emulator(gossip=jdgnn.gossip(capacity=2, peers=jdgnn.peers.matching())), replay=path)
    assert_same_bits(paired.accounts, state.accounts)
    for own, other in zip(jax.tree.leaves(state.params), jax.tree.leaves(paired.params), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5)


def test_every_field_comes_back_as_it_was_drawn(recorded: tuple[Path, jdgnn.State]) -> None:
    path, _ = recorded
    emulator, arrays = harsh(), topology(NETWORK)
    state = emulator.init(jax.random.key(0), NETWORK)
    source = Draw(emulator, arrays, state)
    _, drawn = source.next(state, source.length)
    read = Record(path).read(0, source.length, source.length, event_shapes(emulator, arrays, state))
    for field in fields(drawn):
        given, expected = getattr(read, field.name), getattr(drawn, field.name)
        assert (given is None) == (expected is None)
        if expected is None:
            continue
        assert given.dtype == expected.dtype
        assert_same_bits(given[: source.length], expected[: source.length])


def test_every_field_is_told_by_the_setting_that_decides_its_form() -> None:
    assert set(SETTINGS) == set(RECORDED)


def test_numpy_alone_can_read_it(recorded: tuple[Path, jdgnn.State]) -> None:
    path, state = recorded
    archive = np.load(path)
    header = json.loads(str(archive["header"]))
    assert (header["num_nodes"], header["first_tick"]) == (NETWORK.num_nodes, 0)
    np.testing.assert_array_equal(archive["senders"], NETWORK.senders)
    stretches = sorted(name for name in archive.files if name.endswith("/wake"))
    wake = np.concatenate([np.unpackbits(archive[name], axis=1, count=NETWORK.num_nodes) for name in stretches])
    online = np.concatenate(
        [np.unpackbits(archive[name.replace("wake", "online")], axis=1, count=NETWORK.num_nodes) for name in stretches]
    )
    np.testing.assert_array_equal((wake & online).sum(axis=0), state.wakes)


def test_a_record_is_small(tmp_path: Path) -> None:
    big = jdgnn.generators.random_geometric(2000, 0.04, num_features=4, seed=0)
    emulator, arrays = harsh(), topology(big)
    state = emulator.init(jax.random.key(0), big)
    source = Draw(emulator, arrays, state)
    _, events = source.next(state, 10)
    with Recorder(tmp_path / "events.npz", arrays, state.key, 0, source.length) as recorder:
        recorder.add(events, 10)
    in_memory = sum(leaf[:10].nbytes for leaf in jax.tree.leaves(events) if leaf.dtype != events.key.dtype)
    assert (tmp_path / "events.npz").stat().st_size < in_memory / 2


def test_what_was_recorded_before_an_error_can_be_replayed(tmp_path: Path) -> None:
    def stop(progress: jdgnn.Progress) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "events.npz"
    with pytest.raises(KeyboardInterrupt):
        run(harsh(), 10**6, record=path, on_progress=stop)
    ticks = min(Record(path).end_tick, 40)
    assert_same_bits(run(harsh(), ticks, replay=path)[0].params, run(harsh(), ticks)[0].params)


def _existing(path: Path, tmp_path: Path) -> None:
    run(harsh(), record=path)


def _no_folder(path: Path, tmp_path: Path) -> None:
    run(harsh(), record=tmp_path / "missing" / "events.npz")


def _both(path: Path, tmp_path: Path) -> None:
    run(harsh(), record=tmp_path / "other.npz", replay=path)


def _no_file(path: Path, tmp_path: Path) -> None:
    run(harsh(), replay=tmp_path / "missing.npz")


def _no_record(path: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    run(harsh(), replay=tmp_path / "other.npz")


def _cut_off(path: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:-500])
    run(harsh(), replay=tmp_path / "cut.npz")


def _changed(path: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Replays a copy with other members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(tmp_path / "changed.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    run(harsh(), replay=tmp_path / "changed.npz")


def _last(members: dict[str, bytes], field: str) -> str:
    return max(name for name in members if name.endswith(f"/{field}.npy"))


def _lacking_a_field(path: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        del members[_last(members, "wake")]

    _changed(path, tmp_path, change)


def _lacking_a_stretch(path: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        first = min(name for name in members if "/" in name).split("/")[0]
        for name in [name for name in members if name.startswith(f"{first}/")]:
            del members[name]

    _changed(path, tmp_path, change)


def _garbled(path: Path, tmp_path: Path) -> None:
    _changed(path, tmp_path, lambda members: members.update({_last(members, "wake"): b"garbled"}))


def _rewritten(path: Path, tmp_path: Path, field: str, number: int) -> None:
    """Puts a number into the last stretch of a field."""

    def change(members: dict[str, bytes]) -> None:
        name, file = _last(members, field), io.BytesIO()
        array = np.lib.format.read_array(io.BytesIO(members[name])).astype(np.int64)
        array[0, 0, 0] = number
        np.lib.format.write_array(file, array)
        members[name] = file.getvalue()

    _changed(path, tmp_path, change)


def _beyond_all_nodes(path: Path, tmp_path: Path) -> None:
    _rewritten(path, tmp_path, "push_dst", NETWORK.num_nodes + 1)


def _negative(path: Path, tmp_path: Path) -> None:
    _rewritten(path, tmp_path, "push_delay", -1)


def _to_itself(path: Path, tmp_path: Path) -> None:
    _rewritten(path, tmp_path, "model_dst", 0)


def _of_another_version(path: Path, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        file = io.BytesIO()
        np.lib.format.write_array(file, np.array(json.dumps({"version": 3})))
        members["header.npy"] = file.getvalue()

    _changed(path, tmp_path, change)


def _no_name(path: Path, tmp_path: Path) -> None:
    run(harsh(), record="")


def _a_number(path: Path, tmp_path: Path) -> None:
    run(harsh(), replay=5)


def _too_long(path: Path, tmp_path: Path) -> None:
    run(harsh(), TICKS + 1, replay=path)


def _other_network(path: Path, tmp_path: Path) -> None:
    other = small_network(seed=1)
    jdgnn.run(harsh(), harsh().init(jax.random.key(0), other), other, 5, replay=path)


def _no_losses(path: Path, tmp_path: Path) -> None:
    run(harsh(publish=jdgnn.publish()), replay=path)


def _other_fanout(path: Path, tmp_path: Path) -> None:
    late = jdgnn.link(drop=0.2, delay=links.uniform(0, 3))
    run(harsh(push=jdgnn.push(fanout=5, capacity=3, link=late)), replay=path)


def _shorter_delay(path: Path, tmp_path: Path) -> None:
    run(harsh(publish=jdgnn.publish(link=jdgnn.link(drop=0.1, delay=links.uniform(0, 1)))), replay=path)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (_existing, "record: .* exists"),
        (_no_folder, "record: .* cannot be written"),
        (_both, "record: .* leave one out"),
        (_no_file, "replay: there is no file"),
        (_no_record, "replay: .* no complete record"),
        (_cut_off, "replay: .* no complete record"),
        (_lacking_a_field, "replay: .* damaged, as wake from tick .* is missing"),
        (_lacking_a_stretch, "replay: .* damaged, as tick 0 is missing"),
        (_garbled, "replay: .* damaged, as wake from tick .* cannot be read"),
        (_beyond_all_nodes, "replay: .* damaged, as push_dst from tick 64 on has a number beyond the largest"),
        (_negative, "replay: .* damaged, as push_delay from tick 64 on has a number beyond the largest"),
        (_to_itself, "replay: .* damaged, as model_dst from tick 64 on has a node that sends to itself"),
        (_of_another_version, "replay: .* is of version 3"),
        (_no_name, "record: .*got ''"),
        (_a_number, "replay: .*got 5"),
        (_too_long, f"replay: .* holds ticks 0 to {TICKS - 1}, and the run needs 0 to {TICKS}"),
        (_other_network, "replay: expected the network that .* was recorded on, got another one: .* instead of"),
        (_no_losses, "replay: .* for embedding_dropped, and this emulator takes nothing; let publish.link be"),
        (_other_fanout, "replay: .* for push_dst, .*; let push.fanout be"),
        (_shorter_delay, "replay: .* delays of up to 3 ticks for embedding_delay"),
    ],
)
def test_what_does_not_fit_is_refused(
    recorded: tuple[Path, jdgnn.State], tmp_path: Path, attempt: Callable[[Path, Path], None], message: str
) -> None:
    path, _ = recorded
    before = path.read_bytes()
    with pytest.raises(jdgnn.InputError, match=message) as rejected:
        attempt(path, tmp_path)
    assert path.read_bytes() == before
    assert_told("Records of events, npz", attempt.__name__.replace("_", " ").strip(), rejected.value)
