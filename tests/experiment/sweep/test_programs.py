"""Numbers of parts are arguments of the compiled program: which of them compile it anew all the same."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import jax
import pytest

import jdgnn
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS, RATE_SCHEDULES
from jdgnn.protocol.acceptance import ACCEPTANCES
from jdgnn.protocol.attacks import ATTACKS
from jdgnn.protocol.clocks import CLOCKS
from jdgnn.protocol.content import CONTENTS
from jdgnn.protocol.link_presence import LINK_PRESENCES
from jdgnn.protocol.links import DELAYS, DROPS, partition
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from jdgnn.protocol.presence import PRESENCES
from jdgnn.protocol.schedules import SCHEDULES

GIVEN = {"start": 5, "end": 50, "first": 5, "last": 50, "maximum": 10, "high": 10, "wakes": 3}
OTHER = {"phase": 1, "low": 1, "horizon": 7}

Pack = Callable[[Any], Any]  # what an emulator makes of a part


def _packs() -> dict[str, tuple[Mapping[str, Callable[..., Any]], Pack]]:
    """Registries of parts with numbers, and how a part gets into an emulator."""
    return {
        "objective": (OBJECTIVES, lambda part: _emulator(objective=part)),
        "optimizer": (OPTIMIZERS, lambda part: _emulator(optimizer=part)),
        "rate_schedule": (RATE_SCHEDULES, lambda part: _emulator(optimizer=jdgnn.adam(0.1, rate_schedule=part))),
        "clock": (CLOCKS, lambda part: _emulator(availability=jdgnn.availability(part))),
        "presence": (PRESENCES, lambda part: _emulator(availability=jdgnn.availability(presence=[part]))),
        "links": (LINK_PRESENCES, lambda part: _emulator(availability=jdgnn.availability(links=part))),
        "drop": (DROPS, lambda part: _emulator(publish=jdgnn.publish(link=jdgnn.link(drop=part)))),
        "delay": (DELAYS, lambda part: _emulator(publish=jdgnn.publish(link=jdgnn.link(delay=part)))),
        "partition": (
            {"partition": partition},
            lambda part: _emulator(publish=jdgnn.publish(link=jdgnn.link(partition=part))),
        ),
        "schedule": (SCHEDULES, lambda part: _emulator(gossip=jdgnn.gossip(schedule=part))),
        "late schedule": (
            SCHEDULES,
            lambda part: _emulator(gossip=jdgnn.gossip(schedule=part, link=jdgnn.link(delay=5))),
        ),
        "acceptance": (ACCEPTANCES, lambda part: _emulator(gossip=jdgnn.gossip(acceptance=part))),
        "content": (CONTENTS, lambda part: _emulator(gossip=jdgnn.gossip(content=part))),
        "attack": (ATTACKS, lambda part: _emulator(attackers=jdgnn.attackers(part, share=0.1))),
        "attackers": (
            {"attackers": lambda share: jdgnn.attackers(jdgnn.attacks.sign_flip(), share=share)},
            lambda part: _emulator(attackers=part),
        ),
        "merge": (MERGES, lambda part: _emulator(gossip=jdgnn.gossip(merge=part))),
        "peers": (PEERS, lambda part: _emulator(gossip=jdgnn.gossip(peers=part))),
    }


def _emulator(**parts: Any) -> jdgnn.Emulator:
    usual: dict[str, Any] = {
        "layers": [jdgnn.gcn(4)],
        "objective": jdgnn.info_nce(),
        "optimizer": jdgnn.adam(0.1),
        "push": jdgnn.push(),
        "gossip": jdgnn.gossip(),
    }
    return jdgnn.Emulator(**{**usual, **parts})


def _numbers(factory: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """The numeric arguments of a factory, with a value each."""
    for parameter in inspect.signature(factory).parameters.values():
        default = parameter.default
        if parameter.name in GIVEN:
            yield parameter.name, GIVEN[parameter.name]
        elif default is inspect.Parameter.empty:
            is_share = "prob" in parameter.name or parameter.name in ("share", "default", "sigma")
            yield parameter.name, 0.5 if is_share else 2
        elif isinstance(default, int | float) and not isinstance(default, bool):
            yield parameter.name, default


def _compile_anew(factory: Callable[..., Any], pack: Pack) -> Iterator[str]:
    """Arguments of which another value needs another program."""
    given = dict(_numbers(factory))
    program = partial(_program, factory, pack)
    for name, value in given.items():
        other = OTHER.get(name, value * 0.5 if isinstance(value, float) and value else value + 1)
        if program(given) != program({**given, name: other}):
            yield name


def _program(factory: Callable[..., Any], pack: Pack, arguments: dict[str, Any]) -> Any:
    """What a compiled program is found by."""
    leaves, tree = jax.tree.flatten(pack(factory(**arguments)))
    return tree, [(jax.numpy.shape(leaf), type(leaf)) for leaf in leaves]


EXPECTED = {
    ("content", "top_k"): ["share"],  # how many numbers a message has room for
    ("delay", "by_size"): ["maximum"],  # buffers are made for it
    ("delay", "constant"): ["ticks"],
    ("delay", "geometric"): ["maximum"],
    ("delay", "uniform"): ["maximum"],
    ("late schedule", "every"): ["wakes"],  # so are places for late models
}


@pytest.mark.parametrize("kind", _packs())
def test_numbers_compile_nothing_anew_but_for_those_that_make_shapes(kind: str) -> None:
    registry, pack = _packs()[kind]
    found = {
        (kind, name): anew
        for name, factory in registry.items()
        if name != "trace"
        if (anew := list(_compile_anew(factory, pack)))
    }
    assert found == {key: names for key, names in EXPECTED.items() if key[0] == kind}
