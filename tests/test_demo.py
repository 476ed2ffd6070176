"""What the README promises of the shipped configurations: of the demo by running it, of the others as measured.

The demo runs as users run it, compiled with all optimisations, which the rest of the suite does without.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.learning import RESULT
from bench.quality import RESULT as QUALITY
from tests.support import run_optimised

MEASURED: dict[str, Any] = json.loads(RESULT.read_text())["configs"]

CUT = """
import jax, jdgnn, numpy as np
network = jdgnn.generators.stochastic_block_model(200, 3, 12)
emulator = jdgnn.Emulator(
    layers=[jdgnn.gcn(16), jdgnn.sage(16)], objective=jdgnn.info_nce(), optimizer=jdgnn.adam(1e-2),
    push=jdgnn.push(), gossip=jdgnn.gossip(capacity=2))
whole, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 23, record_every=1)
cut = emulator.init(jax.random.key(0), network)
for ticks in (1, 15, 7):
    cut, _ = jdgnn.run(emulator, cut, network, ticks, record_every=50)
for a, b in zip(jax.tree.leaves(whole.replace(key=None)), jax.tree.leaves(cut.replace(key=None)), strict=True):
    np.testing.assert_array_equal(a, b)
print("same bits")
"""


def test_the_demo_learns(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    shown = run_optimised("-m", "jdgnn", "run", "configs/quickstart.toml", "--out", str(out))
    probe = json.loads((out / "summary.json").read_text())["tasks"]["linear_probe"]["accuracy"]
    assert probe["learned"]["mean"] >= probe["untrained"]["mean"] + 0.04
    assert probe["learned"]["mean"] >= probe["propagated_2hop"]["mean"]
    assert f"{100 * probe['learned']['mean']:.1f}" in shown


@pytest.mark.long
def test_cutting_changes_no_bit_when_optimised() -> None:
    assert run_optimised("-c", CUT) == "same bits\n"


def mean(config: str, name: str) -> float:
    return float(MEASURED[config]["probe"][name]["mean"])


def of_cora(way: str) -> float:
    seeds = json.loads(QUALITY.read_text())["cora"]["figures"][way]
    assert len(seeds) == 5
    return float(np.mean([np.mean(found["probe"]) for found in seeds.values()]))


def test_what_was_measured_of_the_demo_holds_the_bars() -> None:
    assert len(MEASURED["quickstart"]["probe"]["learned"]["all"]) == 3
    assert mean("quickstart", "learned") >= mean("quickstart", "untrained") + 0.04
    assert mean("quickstart", "learned") >= mean("quickstart", "propagated_2hop")
    assert max(MEASURED["quickstart"]["wall_seconds"]["all"]) < 60


def test_what_was_measured_of_cora_holds_the_bars() -> None:
    learned, untrained, shared = (of_cora(way) for way in ("decentralised", "untrained", "centralised"))
    assert learned >= untrained + 0.15
    assert learned >= max(0.78, shared - 0.01)
