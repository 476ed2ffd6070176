"""Settings that made no difference in a run: told, since a reader takes what is written for what was done."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.experiment.config.schema import Config
from jdgnn.protocol.accounts import whole
from jdgnn.protocol.transport import has_pool

BY_AGE = ("age_weighted", "limited")
"""Rules that merge by the ages of models."""


def without_effect(config: Config, emulator: Emulator, state: State, last: Mapping[str, Any]) -> list[str]:
    """A clause for each setting that another value could have replaced without a difference.

    Args:
      config: what was run.
      emulator: its parts.
      state: all nodes at the end.
      last: the last recorded row.
    """
    said = config.model_dump(serialize_as_any=True, exclude_none=True)
    found = list(_of_availability(emulator, state))
    if config.gossip.enabled:
        found += _of_gossip(said["gossip"], emulator, state, last)
    for kind, table in (("push", "push"), ("embedding", "publish")):
        link = said[table]["link"]
        if link.get("drop") and not last["messages_dropped"][kind] and said[table].get("enabled", True):
            found.append(f"{table}.link.drop dropped nothing")
    return found


def _of_availability(emulator: Emulator, state: State) -> Iterator[str]:
    availability = emulator.traffic.availability
    everybody = state.num_nodes * int(state.tick)
    if state.attendance is not None and (whole(np.asarray(state.attendance)) == everybody).all():
        yield "availability.presence kept nobody away in any tick"
    if availability.can_sleep and (np.asarray(state.wakes) == int(state.tick)).all():
        yield "availability.clock let nobody sleep in any tick"


def _of_gossip(gossip: Mapping[str, Any], emulator: Emulator, state: State, last: Mapping[str, Any]) -> Iterator[str]:
    rule, age = gossip["merge"]["name"], np.asarray(state.age)
    if rule in BY_AGE and not has_pool(emulator.traffic) and (age == age[0]).all():
        yield f"gossip.merge = {rule} did what average does: in step, all models have the same age"
    if gossip["acceptance"]["name"] != "always" and not last["messages_rejected"]["model"]:
        yield f"gossip.acceptance = {gossip['acceptance']['name']} rejected nothing"
    if gossip["pass_through"] and not last["messages_rejected"]["model"]:
        yield "gossip.pass_through passed nothing on: no model was rejected"
    if gossip["link"].get("drop") and not last["messages_dropped"]["model"]:
        yield "gossip.link.drop dropped nothing"
