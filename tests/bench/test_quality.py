"""The quality benchmark: its recipe, what it fills in, and its table."""

import argparse
import dataclasses
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from bench import ablations, quality, ways
from bench.machine import ROOT
from jdgnn.evaluation import fitting
from tests.seldom import mostly_long
from tests.support import small_emulator


def asked(**changes: object) -> argparse.Namespace:
    settings = {
        "datasets": ["digits"],
        "ways": ["untrained", "hops_1", "labels"],
        "tasks": ["probe", "auc"],
        "seeds": 2,
    }
    return argparse.Namespace(**{"data_root": None, "anew": False, **settings, **changes})


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quality, "RESULT", tmp_path / "quality.json")
    monkeypatch.setattr(fitting, "REGULARISATIONS", (1e-2, 1.0))  # probes are most of what it takes
    small = jdgnn.Recipe(emulator=small_emulator(), ticks=3, own_features=4)
    for module in (quality, ways, ablations):
        monkeypatch.setattr(module, "recipe_of", lambda network: small)
    return tmp_path / "quality.json"


@pytest.mark.long
def test_what_is_missing_is_filled_in_and_the_rest_kept(result: Path) -> None:
    first = quality.measure(asked(ways=["hops_1"], seeds=1))
    kept = first["digits"]["figures"]["hops_1"]["0"]["probe"]
    assert len(kept) == 10
    whole = quality.measure(asked())
    assert whole["digits"]["figures"]["hops_1"]["0"]["probe"] == kept
    assert json.loads(result.read_text()) == whole
    figures = whole["digits"]["figures"]
    assert {way: sorted(seeds) for way, seeds in figures.items()} == {
        "untrained": ["0", "1"],
        "hops_1": ["0", "1"],
        "labels": ["0"],
    }
    assert set(figures["untrained"]["1"]) == {"probe", "auc", "ap"}
    lines = quality.table(whole).splitlines()
    assert lines[0] == "| digits | seeds | linear probe, % | links, AUC | links, AP |"
    mean = np.mean([np.mean(figures["hops_1"][seed]["auc"]) for seed in "01"])
    assert f"{100 * mean:.1f}" in next(line for line in lines if line.startswith("| features propagated over 1 hop"))


def test_what_is_sent_is_told_without_training(result: Path) -> None:
    network = jdgnn.datasets.load("digits")
    lines = quality.bytes_table("digits", network).splitlines()
    assert lines[0].startswith("| digits, bytes sent per node | mean | largest |")
    assert len(lines) == 2 + len(quality.COSTS)
    assert not result.exists()
    one_hop = network.num_edges * 64 * 4 / network.num_nodes
    line = next(line for line in lines if line.startswith("| features propagated over 1 hop"))
    assert line.split("|")[2].strip() == f"{one_hop / 1000:.1f} kB"


@pytest.mark.shared_data
def test_the_page_tells_what_is_sent(data_root: Path) -> None:
    page = (ROOT / "docs" / "quality.md").read_text()
    assert quality.bytes_table("cora", jdgnn.datasets.load("cora", data_root=data_root)) in page


def test_the_recipe_can_be_asynchronous() -> None:
    emulator = ways.asynchronous(jdgnn.recipe(50).emulator)
    assert emulator.gossip is not None
    assert emulator.push is not None
    assert emulator.gossip.link.max_delay == emulator.push.link.max_delay == 10
    assert emulator.traffic.availability.can_sleep
    assert isinstance(emulator, jdgnn.Emulator)


@pytest.mark.long
def test_every_way_but_label_propagation_gives_an_embedding_of_the_recipe_s_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert set(ways.EMBEDS) == set(ways.NAMES) - {"labels"}
    small = dataclasses.replace(jdgnn.recipe(6, width=20), ticks=3)
    monkeypatch.setattr(ways, "recipe_of", lambda network: small)
    network = jdgnn.generators.stochastic_block_model(30, 2, 6)
    found = [ways.EMBEDS[name](network, 0) for name in ("decentralised", "centralised", "untrained")]
    assert {(each.vectors.shape[1], each.own_features) for each in found} == {(14, 6)}
    assert ways.EMBEDS["hops_1"](network, 0).own_features == 0


@pytest.mark.parametrize("way", mostly_long(ablations.ABLATIONS, ["own_beside"]))
def test_every_part_can_be_changed(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small = dataclasses.replace(jdgnn.recipe(45, width=128), ticks=5)
    for module in (ways, ablations):
        monkeypatch.setattr(module, "recipe_of", lambda network: small)
    monkeypatch.setattr(ablations, "STEPS", 3)
    network = jdgnn.generators.stochastic_block_model(40, 2, 45)
    found = ablations.ABLATIONS[way][1](network, 0)
    assert found.vectors.shape == (40, 88 if way == "own_beside" else 128)
    assert np.isfinite(found.vectors).all()


def test_communication_can_be_dense_early_or_late() -> None:
    wakes = jnp.arange(260)
    early, late = (np.asarray(number(wakes)) for number in (ablations.dense_start, ablations.dense_end))
    assert early.tolist() == [3] * 60 + [1] * 200
    assert late.tolist() == [1, 0, 0, 0] * 45 + [3] * 80
    assert np.asarray(ablations.dense(wakes)).sum() == 780


@pytest.mark.long
def test_layers_that_learn_one_after_the_other_both_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    small = dataclasses.replace(jdgnn.recipe(45, width=128), ticks=4)
    for module in (ways, ablations):
        monkeypatch.setattr(module, "recipe_of", lambda network: small)
    states: list[jdgnn.State] = []
    embeddings = jdgnn.Emulator.embeddings

    def noted(emulator: jdgnn.Emulator, state: jdgnn.State) -> np.ndarray:
        states.append(state)
        return embeddings(emulator, state)

    monkeypatch.setattr(jdgnn.Emulator, "embeddings", noted)
    ablations.layer_by_layer(jdgnn.generators.stochastic_block_model(40, 2, 45), 0)
    assert np.asarray(states[0].num_steps).tolist() == [[3, 4]] * 40  # nothing to compare with in the first tick


def test_networks_that_had_no_part_in_the_choice_are_always_the_same() -> None:
    for draw in quality.DRAWN.values():
        assert (draw().senders == draw().senders).all()
        assert draw().splits is not None


def test_ablations_are_paired_by_seed() -> None:
    recipe = {"0": {"probe": [0.8]}, "1": {"probe": [0.9, 0.8]}, "2": {"probe": [0.1]}}
    changed = {"0": {"probe": [0.7]}, "1": {"probe": [0.8, 0.6]}}
    lines = quality.ablations_table({"cora": {"figures": {"decentralised": recipe, "adam": changed}}}).splitlines()
    assert lines[-1] == f"| {ablations.ABLATIONS['adam'][0]} | 2 | 70.0 ± 0.0 | 12.5 ± 3.5 |"
    assert ablations.ABLATIONS["adam"][0] not in quality.table(
        {"cora": {"figures": {"decentralised": recipe, "adam": changed}}}
    )


def test_the_summary_has_the_probe_of_all_networks() -> None:
    figures = {"decentralised": {"0": {"probe": [0.8]}, "1": {"probe": [0.9]}}, "adam": {"0": {"probe": [0.1]}}}
    lines = quality.summary_table({"cora": {"figures": figures}, "ring": {"figures": {}}}).splitlines()
    assert lines == [
        "| linear probe, % | cora | ring |",
        "|---|---:|---:|",
        f"| {ways.NAMES['decentralised']} | 85.0 ± 7.1 |  |",
    ]
