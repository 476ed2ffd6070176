"""When to stop without labels: where held-out links are told best from pairs that no link joins."""

from dataclasses import dataclass
from typing import Any

import jax

from jdgnn.checks import check_count
from jdgnn.emulation.run import run
from jdgnn.emulator import Emulator
from jdgnn.evaluation.link_prediction import hold_out_links, link_prediction
from jdgnn.network.conversion import as_network


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """When to stop, and what says so."""

    ticks: int  # after which the AUC was largest
    measured: tuple[tuple[int, float], ...]  # ticks done, and the AUC after them


def when_to_stop(
    emulator: Emulator,
    network: Any,
    ticks: int,
    key: jax.Array,
    *,
    every: int = 10,
    patience: int = 5,
    share: float = 0.1,
    seed: int = 0,
) -> Stopping:
    """Finds after how many ticks to stop, by links held out: learned by heart, links tell little of others.

    Some links are taken out of the network, the nodes learn on the rest, and from time to time the cosine of embeddings
    ranks held-out links among pairs that no link joins. Where their AUC stops growing, a probe on labels does too, or a
    little later. Then learn on the whole network for as many ticks: the links are missed, so what was learned without
    them is not what to use. Nodes that do this by themselves need the embedding of the other end of a link held out,
    and a random node's, at each measurement; that is not counted as sent.

    Args:
      emulator: the parts.
      network: the network; labels are not used.
      ticks: where to stop at the latest.
      key: where all randomness of the run comes from.
      every: ticks from one measurement to the next.
      patience: measurements without a new best after which it ends.
      share: share of the links that is held out, 0 to 1.
      seed: what the choice of links depends on.

    Returns:
      When to stop.

    Raises:
      InputError: a number is invalid, or there are not enough links.

    Example:
      >>> import jdgnn
      >>> emulator = jdgnn.recipe(20, width=28).emulator
      >>> network = jdgnn.generators.stochastic_block_model(60, 3, 20, separation=3.0)
      >>> found = when_to_stop(emulator, network, 8, jax.random.key(0), every=4)
      >>> [tick for tick, _ in found.measured]
      [4, 8]
    """
    check_count("ticks", ticks)
    check_count("every", every)
    check_count("patience", patience)
    held_out = hold_out_links(as_network(network), share, seed=seed)
    state = emulator.init(key, held_out.network)
    measured: list[tuple[int, float]] = []
    best, done = 0, 0
    while done < ticks and len(measured) - best <= patience:
        count = min(every, ticks - done)
        state, _ = run(emulator, state, held_out.network, count, record_every=count)
        done += count
        measured.append((done, link_prediction(emulator.embeddings(state), held_out).auc))
        best = max(range(len(measured)), key=lambda number: measured[number][1])
    return Stopping(ticks=measured[best][0], measured=tuple(measured))
