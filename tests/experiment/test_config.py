"""The strict configuration: what is refused, in which words, and what is filled in."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.experiment.config import as_toml, read, resolve
from jdgnn.experiment.overrides import with_overrides
from jdgnn.learning.layers import LAYERS, gcn
from jdgnn.learning.optimizers import OPTIMIZERS
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS

BASE: dict[str, Any] = {
    "network": {"name": "stochastic_block_model", "num_nodes": 30},
    "layers": [{"name": "gcn", "units": 8}, {"name": "sage", "units": 4}],
    "objective": {"name": "info_nce"},
    "optimizer": {"name": "adam", "learning_rate": 0.01},
}

REFUSED = {
    "sed=3": ["sed: got 3", "no such key", "did you mean 'seed'?"],
    "seed=-1": ["seed: got -1", "at least 0"],
    "seed=4294967296": ["seed: got 4294967296", "below 4294967296"],
    "seed=true": ["seed: got true", "whole number"],
    "seed=0.5": ["seed: got 0.5", "whole number"],
    "seed.x=1": ["seed: got a table", "whole number"],
    "network=coar": ["network.name: got 'coar'", "minesweeper", "did you mean 'cora'?"],
    "network.name=3": ["network.name: got 3", "digits"],
    "network={projection = 3}": ["network.name: is missing", "digits"],
    "network.nodes=3": ["network.nodes: got 3", "no such key", "num_nodes"],
    "network.projection=0": ["network.projection: got 0", "at least 1"],
    "network.mean_degree=many": ["network.mean_degree: got 'many'", "a number"],
    "layers=[]": ["layers: got a list of 0", "at least 1"],
    "layers=64": ["layers: got 64", "list"],
    "layers=[64]": ["layers.0: got 64", "table", "gcn"],
    "layers.0.name=gnc": ["layers.0.name: got 'gnc'", "gcn, sage", "did you mean 'gcn'?"],
    "layers.0.units=0": ["layers.0.units: got 0", "at least 1"],
    "layers.1.units=8.0": ["layers.1.units: got 8.0", "whole number"],
    "layers.1.unit=8": ["layers.1.unit: got 8", "did you mean 'units'?"],
    "layers.0.activation=rellu": ["layers.0.activation: got 'rellu'", "did you mean 'relu'?"],
    "layers.0.normalize=yes": ["layers.0.normalize: got 'yes'", "true or false"],
    "layers.2.units=8": ["layers.2", "allowed: 0, 1"],
    "layers.x.units=8": ["layers.x", "allowed: 0, 1"],
    "objective.temperature=0": ["objective.temperature: got 0", "above 0"],
    "objective.temperature=nan": ["objective.temperature: got nan", "finite number"],
    "objective.scale=2": ["objective.scale: got 2", "no such key", "temperature"],
    "optimizer={name = 'adam'}": ["optimizer.learning_rate: is missing"],
    "optimizer.learning_rate=fast": ["optimizer.learning_rate: got 'fast'", "a number"],
    "optimizer.learning_rate=true": ["optimizer.learning_rate: got true", "a number"],
    "optimizer.learning_rate=-0.1": ["optimizer.learning_rate: got -0.1", "above 0"],
    "optimizer.b1=1": ["optimizer.b1: got 1", "below 1"],
    "optimizer.learning_rate=2020-01-01": ["optimizer.learning_rate: got 2020-01-01", "a number"],
    "optimizer.rate_schedule=cosin": ["optimizer.rate_schedule.name: got 'cosin'", "did you mean 'cosine'?"],
    "optimizer.rate_schedule=cosine": ["optimizer.rate_schedule.horizon: is missing"],
    "optimizer.rate_schedule={name = 'cosine', horizon = -1}": ["optimizer.rate_schedule.horizon: got -1", "above 0"],
    "push.fanut=2": ["push.fanut: got 2", "did you mean 'fanout'?"],
    "push.fanout=0": ["push.fanout: got 0", "at least 1"],
    "push.fanout=99999999999": ["push.fanout: got 99999999999", "below 2147483648"],
    "gossip.capacity=99999999999": ["gossip.capacity: got 99999999999", "below 2147483648"],
    "push.phase=1": ["push.phase: got 1", "below every = 1"],
    "push.peers=unifrom": ["push.peers.name: got 'unifrom'", "did you mean 'uniform'?"],
    "push.peers={name = 'uniform', x = 1}": ["push.peers.x: got 1", "no such key"],
    "push.enabled=1": ["push.enabled: got 1", "true or false"],
    "gossip=false": ["gossip: got false", "a table"],
    "gossip.merge=mean": ["gossip.merge.name: got 'mean'", "average, keep_own"],
    "emulation=3": ["emulation: got 3", "a table"],
    "emulation.tics=50": ["emulation.tics: got 50", "did you mean 'ticks'?"],
    "emulation.ticks=0": ["emulation.ticks: got 0", "at least 1"],
    "emulation.record_every='10'": ["emulation.record_every: got '10'", "whole number"],
    "emulation.start=comon": ["emulation.start: got 'comon'", "did you mean 'common'?"],
    "emulation.num_positives=0": ["emulation.num_positives: got 0", "at least 1"],
    "evaluation.seed=-1": ["evaluation.seed: got -1", "at least 0"],
    "emulation.ticks": ["--set: got 'emulation.ticks'", "key=value"],
    "=3": ["--set: got '=3'", "key=value"],
    "objective.name.x=3": ["objective.name.x", "objective.name is 'info_nce'", "no table"],
}


@pytest.mark.parametrize("override", REFUSED)
def test_bad_input_is_refused_in_one_sentence(override: str) -> None:
    with pytest.raises(InputError) as refusal:
        resolve(with_overrides(BASE, [override]))
    sentence = str(refusal.value)
    assert all(part in sentence for part in REFUSED[override]), sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("table", "allowed"),
    [("network", "cora"), ("layers", "gcn, sage"), ("objective", "info_nce"), ("optimizer", "adam")],
)
def test_what_has_no_default_must_be_there(table: str, allowed: str) -> None:
    with pytest.raises(InputError, match=f"^{table}: is missing.*allowed: .*{allowed}"):
        resolve({name: value for name, value in BASE.items() if name != table})


def test_a_misspelt_table_is_named_before_the_missing_one() -> None:
    tables = {**BASE, "optimzer": BASE["optimizer"]}
    del tables["optimizer"]
    with pytest.raises(InputError, match="did you mean 'optimizer'"):
        resolve(tables)


def test_the_resolved_configuration_shows_everything_and_reads_back() -> None:
    config = resolve(with_overrides(BASE, ["push.peers=matching", "gossip.enabled=false", "network.projection=5"]))
    text = as_toml(config)
    tables = tomllib.loads(text)
    assert tables["seed"] == 0
    assert tables["network"]["homophily"] == 0.8
    assert tables["network"]["projection"] == 5
    assert tables["layers"][1] == {"name": "sage", "units": 4, "activation": "leaky_relu", "normalize": True}
    assert tables["optimizer"]["rate_schedule"] == {"name": "constant"}
    assert tables["push"]["peers"] == {"name": "matching"}
    assert tables["gossip"] == {
        "enabled": False,
        "capacity": 1,
        "every": 1,
        "phase": 0,
        "peers": {"name": "uniform"},
        "merge": {"name": "average"},
    }
    assert tables["emulation"]["start"] == "common"
    assert resolve(tables) == config
    assert as_toml(resolve(tables)) == text


def test_defaults_are_those_of_the_factories() -> None:
    config = resolve(BASE)
    assert str(config.push.make()) == str(jdgnn.push())
    assert str(config.gossip.make()) == str(jdgnn.gossip())
    assert config.layers[0].make() == gcn(8)


@pytest.mark.parametrize(
    ("key", "registry"), [("push.peers", PEERS), ("gossip.peers", PEERS), ("gossip.merge", MERGES)]
)
def test_every_nested_part_can_be_chosen_by_name(key: str, registry: dict[str, Any]) -> None:
    for name in registry:
        assert resolve(with_overrides(BASE, [f"{key}={name}"]))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_a_schedule(name: str) -> None:
    schedule = "optimizer.rate_schedule={name = 'cosine', horizon = 50}"
    config = resolve(with_overrides(BASE, [f"optimizer.name={name}", schedule]))
    assert config.optimizer.make()


def test_a_new_part_needs_its_registry_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def wide_gcn(units: int, factor: int = 2) -> jdgnn.Layer:
        if factor < 2:
            raise InputError(f"factor: got {factor}, and at least 2 is needed")
        return gcn(units * factor)

    monkeypatch.setitem(LAYERS, "wide_gcn", wide_gcn)
    config = resolve(with_overrides(BASE, ["layers.0.name=wide_gcn"]))
    assert config.layers[0].model_dump() == {"name": "wide_gcn", "units": 8, "factor": 2}
    with pytest.raises(InputError, match=r"^layers\.0\.factor: got 1, and at least 2 is needed$"):
        resolve(with_overrides(BASE, ["layers.0.name=wide_gcn", "layers.0.factor=1"]))


def test_overrides_change_a_copy_and_add_tables() -> None:
    before = copy.deepcopy(BASE)
    changed = with_overrides(BASE, ["layers.1.units = 32", "push.peers.name=matching", "network.name='ring'"])
    assert before == BASE
    assert changed["layers"][1]["units"] == 32
    assert changed["push"] == {"peers": {"name": "matching"}}
    assert changed["network"]["name"] == "ring"


def test_an_override_goes_on_from_a_bare_name() -> None:
    tables = {**BASE, "gossip": {"merge": "average"}, "layers": ["gcn"]}
    changed = with_overrides(tables, ["gossip.merge.name=keep_own", "layers.0.units=3"])
    assert changed["gossip"] == {"merge": {"name": "keep_own"}}
    assert changed["layers"] == [{"name": "gcn", "units": 3}]


def test_an_override_that_is_no_toml_is_text() -> None:
    assert with_overrides({}, ["a=uniform", "b=1\nc = 2", "d=1e-2"]) == {"a": "uniform", "b": "1\nc = 2", "d": 0.01}


def test_a_file_is_read_with_its_overrides(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(as_toml(resolve(BASE)))
    assert read(path) == resolve(BASE)
    assert read(path, ["seed=3"]).seed == 3


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"seed = \n", "is no valid TOML, invalid value (at line 1"),
        (b"\xff\xfe", "is not UTF-8 text (byte 0)"),
        (b"seed = 1\nseed = 2\n", "is no valid TOML, cannot overwrite a value (at line 2"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, part: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as refusal:
        read(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert part in str(refusal.value)


def test_missing_files_and_directories_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read(tmp_path / "none.toml")
    with pytest.raises(InputError, match="is a directory"):
        read(tmp_path)


CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configurations_that_come_along_are_valid(path: Path) -> None:
    assert read(path).network.name
