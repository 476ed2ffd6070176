"""Whether a run fits into memory, estimated from shapes before anything is allocated."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich import filesize

from jdgnn.emulation.start import tree_bytes
from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.experiment.run.available_memory import available_bytes
from jdgnn.host_memory import host_bytes
from jdgnn.network.generators import bytes_to_make
from jdgnn.network.network import Network
from jdgnn.protocol.transport import has_pool


def check_run_fits(emulator: Emulator, network: Network) -> None:
    """Rejects a run whose state and largest working arrays would not fit; where the memory is unknown, none.

    Raises:
      InputError: it does not fit; the message names what takes most.
    """
    _check_fit(_bytes_of_run(emulator, network), network.num_nodes)


def check_network_fits(name: str, arguments: Mapping[str, Any]) -> None:
    """Rejects a network that does not fit into memory, before it is generated.

    Args:
      name: a key of `GENERATORS`.
      arguments: all of its arguments.

    Raises:
      InputError: it does not fit.
    """
    needed = bytes_to_make(name, arguments)
    available, total = host_bytes(), sum(needed.values())
    if total > available:
        largest = max(needed, key=lambda key: needed[key])
        raise InputError(
            f"network.{largest}: got {arguments[largest]:,}, and making such a network takes "
            f"{filesize.decimal(int(total))}, of which {filesize.decimal(available)} are available; write less"
        )


def check_projection_fits(network: Network, width: int) -> None:
    """Rejects a projection of the features to more columns than there is memory for.

    Raises:
      InputError: it does not fit.
    """
    matrix = 2 * network.num_features * width * np.dtype(np.float64).itemsize
    projected = network.num_nodes * width * network.features.dtype.itemsize
    _check_fit({"network.projection": matrix + projected}, network.num_nodes)


def _check_fit(needed: dict[str, int], num_nodes: int) -> None:
    available, total = available_bytes(), sum(needed.values())
    if total <= available:
        return
    largest = max(needed, key=lambda key: needed[key])
    raise InputError(
        f"{largest}: takes {filesize.decimal(needed[largest])} at {num_nodes:,} nodes, of {filesize.decimal(total)} "
        f"for the whole run, and {filesize.decimal(available)} of memory are available; write less"
    )


def _bytes_of_run(emulator: Emulator, network: Network) -> dict[str, int]:
    """Bytes by the key that decides them: the state, gradients, and what a tick gathers."""
    state, num_nodes = emulator.shapes(network), network.num_nodes
    itemsize = state.embeddings[0].dtype.itemsize
    widest = max(layer.shape[1] for layer in state.embeddings)
    needed = {
        f"layers.{index}": 2 * tree_bytes(params) + tree_bytes(opt_state) + tree_bytes(embeddings)
        for index, (params, opt_state, embeddings) in enumerate(
            zip(state.params, state.opt_state, state.embeddings, strict=True)
        )
    }
    needed["emulation.num_positives"] = num_nodes * emulator.num_positives * itemsize * widest
    return needed | _bytes_of_messages(emulator, state)


def _bytes_of_messages(emulator: Emulator, state: State) -> dict[str, int]:
    """The same of what was sent: held for its receivers, or on its way."""
    publish, push = emulator.traffic.publish, emulator.push
    delays = {"publish.link.delay": publish.link.max_delay, "push.link.delay": push.link.max_delay if push else 0}
    on_its_way = tree_bytes(state.mailbox.delays) if state.mailbox is not None else 0
    needed = {
        "publish": tree_bytes(state.mailbox) - on_its_way,
        "publish.link.delay": on_its_way,
        "push.capacity": tree_bytes(state.samples),
        "push.link.delay" if delays["push.link.delay"] else "push.fanout": tree_bytes(state.pushes),
        "gossip.pool" if has_pool(emulator.traffic) else "gossip.fanout": tree_bytes(state.models),
        "gossip.capacity": state.num_nodes * emulator.traffic.inbox_capacity * 4,
    }
    longest = max(delays, key=lambda key: delays[key])
    return needed | {longest: needed.get(longest, 0) + tree_bytes(state.history)}
