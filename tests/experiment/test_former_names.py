"""What was renamed works by its former name for one release, with a warning."""

from typing import Any

import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.experiment.config.schema import resolve
from tests.experiment.test_config import BASE


def test_former_names_of_keys_work_with_a_warning() -> None:
    former = {"publish": {"link": {"loss": 0.25, "split": {"start": 1, "end": 2}}}, "emulation": {"start": "common"}}
    with pytest.warns(FutureWarning) as told:
        config = resolve(BASE | former)
    assert "publish.link.split is now publish.link.partition" in [str(one.message) for one in told]
    assert "emulation.start = common is now emulation.initial = shared" in [str(one.message) for one in told]
    now = {"publish": {"link": {"drop": 0.25, "partition": {"start": 1, "end": 2}}}, "emulation": {"initial": "shared"}}
    assert config == resolve(BASE | now)
    with pytest.raises(InputError, match=r"emulation\.start: is now initial, which is given too"):
        resolve(BASE | {"emulation": {"start": "common", "initial": "shared"}})


def test_former_names_of_arguments_work_with_a_warning() -> None:
    anything: Any = jdgnn
    with pytest.warns(DeprecationWarning, match="the argument loss is now drop"):
        former = anything.link(loss=0.25)
    assert str(former) == str(jdgnn.link(drop=0.25))
    with pytest.raises(InputError, match="loss: is now drop, which is given too; remove one of them"):
        anything.link(loss=0.25, drop=0.5)
    settings: dict[str, Any] = {"layers": [jdgnn.gcn(2)], "objective": jdgnn.info_nce(), "optimizer": jdgnn.sgd(0.1)}
    with pytest.warns(DeprecationWarning, match="is now") as told:
        emulator = anything.Emulator(**settings, push=None, gossip=None, start="common")
    assert emulator.initial == "shared"
    assert [str(one.message) for one in told] == [
        "the argument start is now initial",
        "initial='common' is now initial='shared'",
    ]
    with pytest.warns(DeprecationWarning, match=r"jdgnn\.LossModel is now jdgnn\.DropModel"):
        assert anything.LossModel is jdgnn.DropModel
