"""Whether a state can be used: its arrays are there, and the network is the one that it was made for."""

from typing import Any

import numpy as np

from jdgnn.checks import check_not_consumed
from jdgnn.emulation.state import State
from jdgnn.errors import InputError
from jdgnn.network.identity import differences
from jdgnn.network.network import Network


def check_alive(state: Any) -> None:
    """Raises InputError unless this is a state whose arrays are there."""
    if not isinstance(state, State):
        raise InputError(f"state: expected what emulator.init or a run gave, got {type(state).__name__}")
    check_not_consumed("state", state)


def check_network_of(state: State, network: Network) -> None:
    """Raises InputError unless the network is that of a state, as far as the two know it."""
    differing = differences(np.asarray(state.network), network.identity)
    if differing:
        raise InputError(
            f"network: expected the one that the state was made for, got another one: {differing}; give the state's "
            "own, or start again with emulator.init"
        )
