"""Configurations that leave learning to the default recipe."""

import jax
import jax.numpy as jnp
import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.experiment.config.defaults import completed, rate_schedule_of
from jdgnn.experiment.config.schema import Config, read, resolve
from jdgnn.experiment.run.experiment import make_emulator
from tests.support import ROOT


@pytest.mark.parametrize("num_features", [7, 33, 64, 1433])
def test_what_is_left_out_is_the_recipe(num_features: int) -> None:
    config = completed(resolve({"network": "digits"}), num_features)
    found = jdgnn.recipe(num_features)
    assert (config.emulation.ticks, config.emulation.own_features) == (found.ticks, found.own_features)
    assert_same_parts(make_emulator(config), found.emulator)


@pytest.mark.parametrize(("name", "num_features"), [("cora", 1433), ("freifunk", 33)])
def test_shipped_configurations_write_the_recipe_out(name: str, num_features: int) -> None:
    config, found = read(ROOT / "configs" / f"{name}.toml"), jdgnn.recipe(num_features)
    assert (config.emulation.ticks, config.emulation.own_features) == (found.ticks, found.own_features)
    assert_same_parts(make_emulator(config), found.emulator)


def assert_same_parts(emulator: jdgnn.Emulator, other: jdgnn.Emulator) -> None:
    """Equal programs and equal numbers."""
    leaves, structure = jax.tree.flatten(emulator)
    others, same = jax.tree.flatten(other)
    assert structure == same  # type: ignore[operator]
    assert all(jnp.asarray(one, float) == jnp.asarray(two, float) for one, two in zip(leaves, others, strict=True))


def test_what_is_said_goes_before_the_recipe() -> None:
    tables = {"network": "digits", "push": {"fanout": 4}, "gossip": {"capacity": 2}, "emulation": {"record_every": 3}}
    config = completed(resolve(tables), 64)
    assert (config.emulation.ticks, config.emulation.record_every) == (260, 3)
    emulator = make_emulator(config)
    assert emulator.push is not None
    assert emulator.gossip is not None
    assert (emulator.push.fanout, emulator.push.capacity, emulator.gossip.capacity) == (4, 32, 2)


@pytest.mark.parametrize(("ticks", "steps"), [(1, 1), (30, 28), (100, 93), (260, 240), (4000, 3980)])
def test_the_end_of_learning_follows_the_ticks_asked_for(ticks: int, steps: int) -> None:
    found = jdgnn.recipe(64, ticks=ticks)
    config = completed(resolve({"network": "digits", "emulation": {"ticks": ticks}}), 64)
    assert rate_schedule_of(config).horizon == steps
    assert (config.emulation.ticks, found.ticks) == (ticks, ticks)
    assert_same_parts(make_emulator(config), found.emulator)


def test_a_run_that_goes_on_keeps_its_first_end_of_learning() -> None:
    first = completed(resolve({"network": "digits", "emulation": {"ticks": 100}}), 64)
    longer = completed(resolve({"network": "digits", "emulation": {"ticks": 900}}), 64, first)
    assert longer.emulation.ticks == 900
    assert rate_schedule_of(longer).horizon == 93


def test_a_configuration_that_says_how_to_learn_is_left_alone() -> None:
    config = read(ROOT / "configs" / "quickstart.toml")
    assert type(config) is Config
    assert completed(config, 64) is config


def test_half_of_a_recipe_is_refused() -> None:
    with pytest.raises(InputError, match=r"layers: is missing; write \[\[layers\]\]"):
        resolve({"network": "digits", "objective": "info_nce", "optimizer": {"name": "sgd", "learning_rate": 1.0}})


def test_a_width_without_room_for_layers_is_refused() -> None:
    with pytest.raises(InputError, match="width: got 30, and 33 own features and two layers need 35"):
        jdgnn.recipe(33, width=30)
