"""The command line on a tiny network whose nodes sleep and go, and whose messages are lost and late; replaying it."""

import contextlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import CONFIG, arrays, assert_every_message_has_one_end, contents, rows, summary

ASYNCHRONOUS = f"""
{CONFIG}
[publish.link]
drop = 0.3
delay = {{ name = "uniform", low = 0, high = 4 }}

[push.link]
drop = 0.3
delay = 1

[gossip]
pool = 1
acceptance = "degree"
content = {{ name = "top_k", share = 0.5 }}
schedule = {{ name = "token_account", capacity = 4, reserve = 2 }}

[gossip.link]
delay = {{ name = "uniform", low = 0, high = 4 }}

[availability]
clock = {{ name = "bernoulli", prob = 0.5 }}
presence = {{ name = "churn", mean_session = 9, mean_absence = 3 }}

[attackers]
attack = {{ name = "sign_flip", scale = 0.5 }}
share = 0.1
"""
TICKS = 20
CHANGES = (f"emulation.ticks={TICKS}", "emulation.active_fraction=0.3")


class Recorded(NamedTuple):
    config: Path
    directory: Path
    events: Path
    output: str


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    config, events, directory = folder / "late.toml", folder / "events.npz", folder / "run"
    config.write_text(ASYNCHRONOUS)
    output = io.StringIO()
    changes = [word for change in CHANGES for word in ("--set", change)]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.setenv("COLUMNS", "80")
        assert main(["run", str(config), "--out", str(directory), "--record", str(events), *changes]) == 0
    return Recorded(directory / "config.toml", directory, events, output.getvalue())


def test_the_closing_tables_tell_how_nodes_fared_and_what_became_of_messages(recorded: Recorded) -> None:
    found = summary(recorded.directory)
    lines = {line.split("  ")[0]: line for line in recorded.output.splitlines()}
    for name in ("staleness", "age", "wakes"):
        assert lines[name].split()[2] == f"{found['quantiles'][name]['0.5']:.3g}"
    embeddings = found["messages"]["embedding"]
    assert lines["messages"].split() == ["messages", "embeddings", "pushes", "models"]
    assert lines["sent"].split()[1] == f"{embeddings['sent']:,}"
    assert lines["dropped"].split()[1] == f"{100 * embeddings['dropped'] / embeddings['sent']:.0f}"
    assert {"delivered", "to offline", "superseded", "rejected", "in flight"} <= set(lines)
    shares = f"{100 * found['online']:.0f} % online, {100 * found['active']:.0f} % active"
    assert lines["nodes"] == f"nodes   on average {shares}"
    attackers = int(arrays(recorded.directory, "nodes.npz")["role"].sum())
    assert found["attackers"] == attackers == round(0.1 * found["nodes"])
    assert lines["roles"].startswith(f"roles   {attackers} of {found['nodes']} nodes are attackers")
    assert lines["events"] == f"events  recorded in {recorded.events}"


def test_the_output_fits_80_columns(recorded: Recorded) -> None:
    lines = [
        line for line in recorded.output.splitlines() if not line.startswith(("Network", "events", "files", "saved"))
    ]
    assert not [line for line in lines if len(line) > 80]
    assert not [line for line in lines if line != line.rstrip()]


def test_everything_is_accounted_for(recorded: Recorded) -> None:
    found, nodes = summary(recorded.directory), arrays(recorded.directory, "nodes.npz")
    assert_every_message_has_one_end(found)
    assert min(found["messages"]["embedding"][end] for end in ("dropped", "to_offline", "superseded", "in_flight")) > 0
    assert found["messages"]["model"]["rejected"] > 0
    assert 0 < found["active"] < found["online"] < 1
    assert found["quantiles"]["staleness"]["0.5"] > 1
    assert found["wakes"] == nodes["wakes"].sum()
    for kind, counts in enumerate(found["messages"].values()):
        assert [*nodes["messages"][:, kind].sum(axis=0), nodes["in_flight"][:, kind].sum()] == list(counts.values())
    assert found["recorded"] == str(recorded.events)


def test_what_overflowed_is_counted_and_told(recorded: Recorded) -> None:
    warnings = summary(recorded.directory)["warnings"]
    assert 0 < warnings["crowded_ticks"] < TICKS
    assert (
        f"in {warnings['crowded_ticks']} ticks more nodes were awake than emulation.active_fraction" in recorded.output
    )
    assert warnings["excess_models"] > 0
    assert f"asked for {warnings['excess_models']} models beyond gossip.fanout" in recorded.output


def test_nodes_that_were_never_awake_are_counted(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = ["--set", "emulation.ticks=2"]
    assert main(["run", str(recorded.config), "--out", str(tmp_path / "run"), *short]) == 0
    never = summary(tmp_path / "run")["warnings"]["never_awake"]
    assert never == (arrays(tmp_path / "run", "nodes.npz")["embedded_at"] < 0).sum() > 0
    assert f"{never} nodes were never awake, and have no embedding" in capsys.readouterr().out


def test_a_replayed_run_gives_the_same_bits(recorded: Recorded, tmp_path: Path) -> None:
    out = tmp_path / "again"
    assert main(["run", str(recorded.config), "--out", str(out), "--replay", str(recorded.events)]) == 0
    for name in ("embeddings.npz", "nodes.npz"):
        again = arrays(out, name)
        for field, values in arrays(recorded.directory, name).items():
            np.testing.assert_array_equal(again[field], values)
    assert contents(out)["metrics.jsonl"] == contents(recorded.directory)["metrics.jsonl"]
    remark = f"# run with --replay {str(recorded.events)!r}\n".encode()
    assert contents(out)["config.toml"] == remark + contents(recorded.directory)["config.toml"]
    assert summary(out)["replayed"] == str(recorded.events)
    assert summary(out)["recorded"] is None


@pytest.mark.long
def test_another_algorithm_meets_the_same_fate(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ["--set", "gossip.merge=age_weighted", "--set", "emulation.ticks=9", "--replay", str(recorded.events)]
    assert main(["run", str(recorded.config), "--out", str(tmp_path / "run"), *other]) == 0
    assert f"events  replayed from {recorded.events}" in capsys.readouterr().out
    first, second = rows(recorded.directory)[2], rows(tmp_path / "run")[2]
    assert first["tick"] == second["tick"] == 9
    for name in ("online", "active", "messages_sent", "messages_dropped"):
        assert first[name] == second[name]
    assert first["consensus_distance"] != second["consensus_distance"]


def test_a_record_is_never_overwritten_unasked(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, precious = tmp_path / "events.npz", tmp_path / "thesis.tex"
    events.write_bytes(recorded.events.read_bytes())
    precious.write_text("mine")
    command = ["run", str(recorded.config), "--out", str(tmp_path / "run"), "--set", "seed=1", "--record"]
    assert main([*command, str(events)]) == 2
    assert f"--record: {events} exists; give another name, or add --overwrite" in capsys.readouterr().err
    assert main([*command, str(precious), "--overwrite"]) == 2
    assert f"--overwrite: {precious} is no record of events" in capsys.readouterr().err
    assert precious.read_text() == "mine"
    assert events.read_bytes() == recorded.events.read_bytes()
    assert not (tmp_path / "run").exists()
    assert main([*command, str(events), "--overwrite"]) == 0
    assert events.read_bytes() != recorded.events.read_bytes()


REFUSED = {
    "holds ticks 0 to 19": ("--replay", "{events}", "--set", "emulation.ticks=21"),
    "expected the network that": ("--replay", "{events}", "--set", "network.seed=1"),
    "and this emulator takes": ("--replay", "{events}", "--set", "push.fanout=2"),
    "there is no file": ("--replay", "{folder}/nope"),
    "is no complete record of events": ("--replay", "{config}"),
    "together with --replay": ("--replay", "{events}", "--record", "{events}"),
    "is inside": ("--record", "{folder}/run/events.npz"),
    "there is no directory": ("--record", "{folder}/nope/events.npz"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_events_that_cannot_be_had_or_do_not_fit_are_refused_before_anything_is_written(
    reason: str, recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"events": recorded.events, "config": recorded.config, "folder": tmp_path}
    arguments = [word.format(**places) for word in REFUSED[reason]]
    assert main(["run", str(recorded.config), "--out", str(tmp_path / "run"), *arguments]) == 2
    message = capsys.readouterr().err
    assert message.startswith(("jdgnn: error: --replay: ", "jdgnn: error: --record: "))
    assert reason in message
    assert message.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_record_needs_no_out_to_be_overwritten(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("events.npz").write_bytes(recorded.events.read_bytes())
    assert main(["run", str(recorded.config), "--record", "events.npz", "--overwrite"]) == 0
    assert summary(tmp_path / "runs" / "run-1")["recorded"] == "events.npz"


def test_shares_over_time_count_every_tick(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("node,start,end\n" + "".join(f"{node},0,3\n" for node in range(10)))
    (tmp_path / "short.toml").write_text(
        """
        layers = [{ name = "gcn", units = 4 }]
        objective = "info_nce"
        optimizer = { name = "sgd", learning_rate = 0.1 }
        network = { name = "ring", num_nodes = 10, num_features = 4 }
        emulation = { ticks = 30 }
        snapshots = { nodes = 0 }
        """
        + f'availability = {{ presence = {{ name = "trace", path = "{tmp_path / "trace.csv"}" }} }}'
    )
    assert main(["run", str(tmp_path / "short.toml"), "--out", str(tmp_path / "run")]) == 0
    found = summary(tmp_path / "run")
    assert (found["online"], found["active"]) == (0.1, 0.1)
    assert found["wakes"] == 30
