"""The strict configuration: what is rejected, in which words, and what is filled in."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

import jdgnn
from jdgnn import clocks, links, merging, presence, schedules
from jdgnn.errors import InputError
from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.overrides import with_overrides
from jdgnn.experiment.config.schema import as_toml, read, resolve
from jdgnn.learning.layers import LAYERS, gcn
from jdgnn.learning.optimizers import OPTIMIZERS
from jdgnn.protocol.acceptance import ACCEPTANCES
from jdgnn.protocol.clocks import CLOCKS
from jdgnn.protocol.content import CONTENTS
from jdgnn.protocol.link_presence import LINK_PRESENCES
from jdgnn.protocol.links import DELAYS, DROPS
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from jdgnn.protocol.presence import PRESENCES
from jdgnn.protocol.schedules import SCHEDULES
from tests.bad_inputs import assert_told

BASE: dict[str, Any] = {
    "network": {"name": "stochastic_block_model", "num_nodes": 30},
    "layers": [{"name": "gcn", "units": 8}, {"name": "sage", "units": 4}],
    "objective": {"name": "info_nce"},
    "optimizer": {"name": "adam", "learning_rate": 0.01},
}

REFUSED = {
    "sed=3": ["sed: got 3", "no such key", "did you mean 'seed'?"],
    "seed=-1": ["seed: expected", "got -1", "at least 0"],
    "seed=4294967296": ["seed: expected", "got 4294967296", "below 4294967296"],
    "seed=true": ["seed: expected", "got true", "whole number"],
    "seed.x=1": ["seed: expected", "got a table", "whole number"],
    "network=coar": ["network.name: got 'coar'", "minesweeper", "did you mean 'cora'?"],
    "network.name=3": ["network.name: got 3", "digits"],
    "network={projection = 3}": ["network.name: is missing", "digits"],
    "network.nodes=3": ["network.nodes: got 3", "no such key", "num_nodes"],
    "network.projection=0": ["network.projection: expected", "got 0", "at least 1"],
    "network={name = 'freifunk', task = 'citty'}": ["network.task: got 'citty'", "family, gateway", "mean 'city'?"],
    "network={name = 'freifunk', task = 3}": ["network.task: got 3", "city, family, gateway"],
    "network={name = 'cora', task = 'city'}": ["network.task: got 'city'", "no such key", "name, projection"],
    "network.mean_degree=many": ["network.mean_degree: expected", "got 'many'", "a number"],
    "layers=[]": ["layers: expected", "got a list of 0", "at least 1"],
    "layers=64": ["layers: expected", "got 64", "list"],
    "layers=[64]": ["layers.0: expected", "got 64", "table", "gcn"],
    "layers.0.name=gcm": ["layers.0.name: got 'gcm'", "gat, gcn, gin, sage", "did you mean 'gcn'?"],
    "layers.0.units=0": ["layers.0.units: expected", "got 0", "at least 1"],
    "layers.1.unit=8": ["layers.1.unit: got 8", "did you mean 'units'?"],
    "layers.0.activation=rellu": ["layers.0.activation: got 'rellu'", "did you mean 'relu'?"],
    "layers.0.normalize=yes": ["layers.0.normalize: expected", "got 'yes'", "true or false"],
    "layers.2.units=8": ["layers.2", "allowed: 0, 1"],
    "layers.x.units=8": ["layers.x", "allowed: 0, 1"],
    "objective.temperature=0": ["objective.temperature: expected", "got 0", "above 0"],
    "objective.temperature=nan": ["objective.temperature: expected", "got nan", "finite number"],
    "objective.scale=2": ["objective.scale: got 2", "no such key", "temperature"],
    "optimizer={name = 'adam'}": ["optimizer.learning_rate: is missing"],
    "optimizer.learning_rate=fast": ["optimizer.learning_rate: expected", "got 'fast'", "a number"],
    "optimizer.learning_rate=-0.1": ["optimizer.learning_rate: expected", "got -0.1", "above 0"],
    "optimizer.b1=1": ["optimizer.b1: expected", "got 1", "below 1"],
    "optimizer.learning_rate=2020-01-01": ["optimizer.learning_rate: expected", "got 2020-01-01", "a number"],
    "optimizer.rate_schedule=cosin": ["optimizer.rate_schedule.name: got 'cosin'", "did you mean 'cosine'?"],
    "optimizer.rate_schedule=cosine": ["optimizer.rate_schedule.horizon: is missing"],
    "optimizer.rate_schedule={name = 'cosine', horizon = -1}": [
        "optimizer.rate_schedule.horizon: expected",
        "got -1",
        "above 0",
    ],
    "push.fanut=2": ["push.fanut: got 2", "did you mean 'fanout'?"],
    "push.fanout=0": ["push.fanout: expected", "got 0", "at least 1"],
    "push.fanout=99999999999": ["push.fanout: expected", "got 99999999999", "below 2147483648"],
    "push.every=2": ["push.every: got 2", "no such key", "schedule"],
    "push.schedule=evry": ["push.schedule.name: got 'evry'", "did you mean 'every'?"],
    "push.schedule={name = 'every', phase = 1}": ["push.schedule.phase: expected", "got 1", "below wakes = 1"],
    "push.schedule={name = 'every', phase = 0.5}": ["push.schedule.phase: expected", "got 0.5", "whole number"],
    "publish.schedule=token_account": ["publish.schedule: expected one that does not draw", "got one that draws"],
    "publish.enabled=false": ["publish.enabled: got false", "no such key", "link, schedule"],
    "publish.link=0.1": ["publish.link: expected", "got 0.1", "a table"],
    "publish.link.dro=0.1": ["publish.link.dro: got 0.1", "did you mean 'drop'?"],
    "publish.link.drop=1.5": ["publish.link.drop: expected", "got 1.5", "from 0 to 1"],
    "publish.link.drop=true": ["publish.link.drop: expected", "got true", "a number"],
    "publish.link.drop=[0.1]": ["publish.link.drop: expected", "got a list of 1", "a number"],
    "publish.link.drop=bernouli": ["publish.link.drop.name: got 'bernouli'", "did you mean 'bernoulli'?"],
    "publish.link.drop=measured": ["publish.link.drop.default: is missing"],
    "publish.link.drop={name = 'bernoulli', prob = 2}": ["publish.link.drop.prob: expected", "got 2.0", "from 0 to 1"],
    "push.link.delay=-1": ["push.link.delay: expected", "got -1", "at least 0"],
    "push.link.delay=99999999999": ["push.link.delay: expected", "got 99999999999", "below 2147483648"],
    "push.link.delay={name = 'unifrom'}": ["push.link.delay.name: got 'unifrom'", "did you mean 'uniform'?"],
    "push.link.delay={name = 'uniform', low = 3, high = 2}": [
        "push.link.delay.high: expected",
        "got 2",
        "at least low = 3",
    ],
    "gossip.link.partition={start = 5, end = 5}": ["gossip.link.partition.end: expected", "got 5", "after start = 5"],
    "gossip.link.partition={start = 5}": ["gossip.link.partition.end: is missing"],
    "gossip.link.partition={start = 5, end = 6, groups = [0]}": [
        "gossip.link.partition.groups: expected",
        "got a list of 1",
        "CSV file",
    ],
    "gossip.link.partition={start = 5, end = 6, groups = {a = 0.5}}": [
        "gossip.link.partition.groups: expected",
        "got a table",
        "CSV file",
    ],
    "gossip.schedule={name = 'token_account', reserve = 30}": [
        "gossip.schedule.reserve: expected",
        "got 30",
        "capacity = 20",
    ],
    "gossip.schedule.reserve=30": ["gossip.schedule.name: is missing", "token_account"],
    "gossip.acceptance=degre": ["gossip.acceptance.name: got 'degre'", "did you mean 'degree'?"],
    "gossip.order=train_then_merg": ["gossip.order: got 'train_then_merg'", "did you mean 'train_then_merge'?"],
    "gossip.content={name = 'top_k', share = 2}": ["gossip.content.share: expected", "got 2", "of at most 1"],
    "attackers={attack = 'sign_flip', share = 0.1, nodes = ['a']}": ["attackers.share: expected a share or names"],
    "attackers={attack = 'sign_flop', share = 0.1}": ["attackers.attack.name: got 'sign_flop'", "'sign_flip'?"],
    "gossip.pass_through=true": ["gossip.pass_through: expected False where every model is accepted", "got True"],
    "gossip.pool=0": ["gossip.pool: expected", "got 0", "above 0"],
    "gossip.merge={name = 'limited', limit = -1}": ["gossip.merge.limit: expected", "got -1", "at least 0"],
    "gossip.merge={name = 'variance_corrected', rule = 'adpt'}": ["gossip.merge.rule.name: got 'adpt'", "'adopt'"],
    "availability.clok=1": ["availability.clok: got 1", "did you mean 'clock'?"],
    "availability.clock=bernouli": ["availability.clock.name: got 'bernouli'", "did you mean 'bernoulli'?"],
    "availability.clock={name = 'bernoulli', prob = 2}": [
        "availability.clock.prob: expected",
        "got 2.0",
        "from 0 to 1",
    ],
    "availability.on_receipt=1": ["availability.on_receipt: expected", "got 1", "true or false"],
    "availability.links={name = 'markov', mean_up = 0.5, mean_down = 2}": [
        "availability.links.mean_up: expected",
        "got 0.5",
    ],
    "availability.presence=3": ["availability.presence: expected", "got 3", "a table", "churn"],
    "availability.presence=chrun": ["availability.presence.name: got 'chrun'", "did you mean 'churn'?"],
    "availability.presence=['chrun']": ["availability.presence.0.name: got 'chrun'", "did you mean 'churn'?"],
    "availability.presence={name = 'crash', prob = 2}": [
        "availability.presence.prob: expected",
        "got 2.0",
        "from 0 to 1",
    ],
    "availability.presence=[{name = 'crash', prob = 2}]": [
        "availability.presence.0.prob: expected",
        "got 2.0",
        "from 0 to 1",
    ],
    "availability.presence.0=crash": ["availability.presence.0.prob: is missing"],
    "availability.presence={name = 'trace', path = '/nowhere.csv'}": ["availability.presence.path: /nowhere.csv"],
    "emulation.active_fraction=0": ["emulation.active_fraction: expected", "got 0", "above 0"],
    "push.peers=unifrom": ["push.peers.name: got 'unifrom'", "did you mean 'uniform'?"],
    "push.peers={name = 'uniform', x = 1}": ["push.peers.x: got 1", "no such key"],
    "gossip.merge=mean": ["gossip.merge.name: got 'mean'", "allowed: "],
    "emulation=3": ["emulation: expected", "got 3", "a table"],
    "emulation.tics=50": ["emulation.tics: got 50", "did you mean 'ticks'?"],
    "emulation.ticks=0": ["emulation.ticks: expected", "got 0", "at least 1"],
    "emulation.record_every='10'": ["emulation.record_every: expected", "got '10'", "whole number"],
    "emulation.initial=shaerd": ["emulation.initial: got 'shaerd'", "did you mean 'shared'?"],
    "emulation.num_positives=0": ["emulation.num_positives: expected", "got 0", "at least 1"],
    "emulation.ticks": ["--set: expected", "got 'emulation.ticks'", "key=value"],
    f"layers.{'9' * 5000}.units=8": ["layers.999", "is a list; allowed: 0, 1"],
    f"{'a.' * 100}b=1": ["--set: got a key of 101 parts", "no key has more than 50"],
    "=3": ["--set: expected", "got '=3'", "key=value"],
    "objective.name.x=3": ["objective.name.x", "objective.name is 'info_nce'", "no table"],
}


@pytest.mark.parametrize("override", REFUSED)
def test_bad_input_is_refused_in_one_sentence(override: str) -> None:
    with pytest.raises(InputError) as refusal:
        resolve(with_overrides(BASE, [override]))
    sentence = str(refusal.value)
    assert all(part in sentence for part in REFUSED[override]), sentence
    assert "\n" not in sentence
    if len(override) < 100:
        assert_told("Configurations, by what `--set` changes in a sound one", override, sentence)


@pytest.mark.parametrize(
    ("table", "allowed"),
    [("network", "cora"), ("layers", "gat, gcn, gin, sage"), ("objective", "info_nce"), ("optimizer", "adam")],
)
def test_what_has_no_default_must_be_there(table: str, allowed: str) -> None:
    with pytest.raises(InputError, match=f"^{table}: is missing.*allowed: .*{allowed}"):
        resolve({name: value for name, value in BASE.items() if name != table})


@pytest.mark.shared_data
def test_a_task_is_chosen_where_there_is_a_choice(data_root: Path) -> None:
    tables = {**BASE, "network": {"name": "freifunk", "task": "city"}}
    config = resolve(tables)
    assert resolve(tomllib.loads(as_toml(config))) == config
    assert make_network(config.network, data_root=data_root, seed=0).class_names[0] == "aachen"
    as_it_is = resolve({**BASE, "network": "freifunk"})
    assert tomllib.loads(as_toml(as_it_is))["network"] == {"name": "freifunk", "scale": False, "task": "family"}
    assert make_network(as_it_is.network, data_root=data_root, seed=0).class_names[-1] == "other"


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
    expected = {"name": "sage", "units": 4, "activation": "leaky_relu", "normalize": True, "aggregator": "mean"}
    assert tables["layers"][1] == expected
    assert tables["optimizer"]["rate_schedule"] == {"name": "constant"}
    assert tables["push"]["peers"] == {"name": "matching"}
    assert tables["gossip"] == {
        "enabled": False,
        "capacity": 1,
        "fanout": 1,
        "peers": {"name": "uniform"},
        "merge": {"name": "average"},
        "order": "merge_then_train",
        "acceptance": {"name": "always"},
        "content": {"name": "whole"},
        "pass_through": False,
        "schedule": {"name": "every", "wakes": 1, "phase": 0},
        "link": {"drop": 0.0, "delay": 0},
    }
    assert tables["publish"] == {"link": {"drop": 0.0, "delay": 0}}
    assert tables["availability"] == {
        "clock": {"name": "always"},
        "presence": [],
        "on_receipt": False,
        "links": {"name": "always"},
    }
    assert tables["emulation"]["initial"] == "shared"
    assert resolve(tables) == config
    assert as_toml(resolve(tables)) == text


def test_defaults_are_those_of_the_factories() -> None:
    config = resolve(BASE)
    assert str(config.push.make()) == str(jdgnn.push())
    assert str(config.gossip.make()) == str(jdgnn.gossip())
    assert str(config.publish.make()) == str(jdgnn.publish())
    assert str(config.availability.make()) == str(jdgnn.availability())
    assert config.layers[0].make() == gcn(8)


CLOCK_ARGUMENTS = {"bernoulli": "prob = 0.5", "lognormal": "mean_prob = 0.5, sigma = 1", "periodic": "period = 3"}
PRESENCE_ARGUMENTS = {
    "churn": "mean_session = 9, mean_absence = 3",
    "crash": "prob = 0.1",
    "late_joining": "share = 0.5, first = 2, last = 4",
}
DROP_ARGUMENTS = {"bernoulli": "prob = 0.5", "bursty": "mean_good = 9, mean_bad = 3", "measured": "default = 0.1"}
DELAY_ARGUMENTS = {
    "by_size": "bytes_per_tick = 9, maximum = 2",
    "constant": "ticks = 2",
    "geometric": "mean = 1.5, maximum = 4",
    "uniform": "low = 0, high = 3",
}


@pytest.mark.parametrize(
    ("key", "registry", "arguments"),
    [
        ("availability.clock", CLOCKS, CLOCK_ARGUMENTS),
        ("availability.presence", PRESENCES, PRESENCE_ARGUMENTS),
        ("availability.links", LINK_PRESENCES, {"markov": "mean_up = 9, mean_down = 3"}),
        ("gossip.acceptance", ACCEPTANCES, {}),
        ("gossip.content", CONTENTS, {"top_k": "share = 0.5"}),
        ("gossip.merge", MERGES, {}),
        ("gossip.peers", PEERS, {}),
        ("gossip.schedule", SCHEDULES, {}),
        ("gossip.link.drop", DROPS, DROP_ARGUMENTS),
        ("gossip.link.delay", DELAYS, DELAY_ARGUMENTS),
        ("publish.link.drop", DROPS, DROP_ARGUMENTS),
        ("publish.link.delay", DELAYS, DELAY_ARGUMENTS),
        ("push.peers", PEERS, {}),
        ("push.schedule", SCHEDULES, {}),
        ("push.link.drop", DROPS, DROP_ARGUMENTS),
        ("push.link.delay", DELAYS, DELAY_ARGUMENTS),
    ],
)
def test_every_nested_part_can_be_chosen_by_name(
    key: str, registry: dict[str, Any], arguments: dict[str, str], tmp_path: Path
) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("node,start,end\n0,0,9\n")
    for name in registry:
        needed = f"path = '{trace}'" if name == "trace" else arguments.get(name)
        config = resolve(with_overrides(BASE, [f"{key}={{name = '{name}', {needed}}}" if needed else f"{key}={name}"]))
        text = as_toml(config)
        assert name in text
        assert resolve(tomllib.loads(text)) == config
        assert as_toml(resolve(tomllib.loads(text))) == text


def made(table: str, *overrides: str) -> Any:
    return getattr(resolve(with_overrides(BASE, overrides)), table).make()


def test_an_asynchronous_configuration_means_what_the_factories_make_of_it() -> None:
    lossy = jdgnn.link(drop=0.3, delay=links.uniform(0, 10))
    link = "link={drop = 0.3, delay = {name = 'uniform', low = 0, high = 10}}"
    assert str(made("publish", f"publish.{link}")) == str(jdgnn.publish(link=lossy))
    parted = jdgnn.link(delay=2, partition=links.partition(5, 9, share=0.2))
    assert str(made("push", "push.link={delay = 2, partition = {start = 5, end = 9, share = 0.2}}")) == str(
        jdgnn.push(link=parted)
    )
    assert str(made("publish", "publish.schedule={name = 'every', wakes = 3}")) == str(
        jdgnn.publish(schedule=schedules.every(3))
    )
    gossip = (
        "gossip={schedule = {name = 'token_account', reserve = 5}, merge = {name = 'limited', limit = 5}, pool = 2}"
    )
    assert str(made("gossip", gossip)) == str(
        jdgnn.gossip(schedule=schedules.token_account(reserve=5), merge=merging.limited(5), pool=2)
    )
    assert str(made("gossip", "gossip.merge={name = 'variance_corrected', rule = 'adopt'}")) == str(
        jdgnn.gossip(merge=merging.variance_corrected(merging.adopt()))
    )


PRESENCE = "{name = 'churn', mean_session = 9, mean_absence = 3}"


def test_presence_is_one_table_or_a_list_of_them() -> None:
    clock = "availability.clock={name = 'bernoulli', prob = 0.5}"
    churn, crash = presence.churn(9, 3), presence.crash(0.1)
    one = jdgnn.availability(clocks.bernoulli(0.5), churn)
    assert str(made("availability", clock, f"availability.presence={PRESENCE}")) == str(one)
    several = f"availability.presence=[{PRESENCE}, {{name = 'crash', prob = 0.1}}]"
    assert str(made("availability", several)) == str(jdgnn.availability(presence=[churn, crash]))


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (PRESENCE, "availability.presence.0.mean_session"),
        (PRESENCE, "availability.presence.mean_session"),
        (f"[{PRESENCE}]", "availability.presence.0.mean_session"),
    ],
)
def test_an_override_reaches_into_presence(given: str, key: str) -> None:
    availability = made("availability", f"availability.presence={given}", f"{key}=70")
    assert str(availability) == str(jdgnn.availability(presence=presence.churn(70, 3)))


def test_a_number_is_short_for_a_link_model() -> None:
    assert str(made("push", "push.link.drop=0.2")) == str(made("push", "push.link.drop={name='bernoulli', prob=0.2}"))
    assert str(made("push", "push.link.delay=2")) == str(made("push", "push.link.delay={name='constant', ticks=2}"))
    assert str(made("push", "push.link.drop=0")) == str(jdgnn.push())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_a_schedule(name: str) -> None:
    schedule = "optimizer.rate_schedule={name = 'cosine', horizon = 50}"
    config = resolve(with_overrides(BASE, [f"optimizer.name={name}", schedule]))
    assert config.optimizer.make()


def test_a_new_part_needs_its_registry_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def wide_gcn(units: int, factor: int = 2) -> jdgnn.Layer:
        if factor < 2:
            raise InputError(f"factor: expected at least 2, got {factor}")
        return gcn(units * factor)

    monkeypatch.setitem(LAYERS, "wide_gcn", wide_gcn)
    config = resolve(with_overrides(BASE, ["layers.0.name=wide_gcn"]))
    assert config.layers[0].model_dump() == {"name": "wide_gcn", "units": 8, "factor": 2}
    with pytest.raises(InputError, match=r"^layers\.0\.factor: expected at least 2, got 1$"):
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
        (b"seed = " + b"[" * 20_000, "is no valid TOML, "),
        (b"seed = " + b"9" * 5_000, "is no valid TOML, "),
        (b"a." * 2_000 + b"b = 1", "is no valid TOML, more than 200 dots (at line 1)"),
        (b"#" * 2**21, "has more than 1,048,576 bytes; give a configuration"),
        (b"[network]\nname = 'ring'\n[extra]\n", "extra: got a table, and there is no such key"),
        (b"", "network: is missing; write a name, or a table with one"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, part: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as refusal:
        read(path)
    sentence = str(refusal.value)
    assert part in sentence
    name = (
        content.decode(errors="replace") if len(content) < 50 else f"{content[:10].decode()}… ({len(content):,} bytes)"
    )
    assert_told("Configuration files", name, sentence if len(content) < 50 else sentence.partition(", ")[0])


def test_missing_files_and_directories_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read(tmp_path / "none.toml")
    with pytest.raises(InputError, match="is a directory"):
        read(tmp_path)


CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_configurations_that_come_along_are_valid(path: Path) -> None:
    assert read(path).network.name
