"""The default recipe: what to learn with, wherever nothing better is known."""

import dataclasses

from jdgnn.checks import check_count
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.learning.layers import gcn
from jdgnn.learning.objectives import info_nce, masked_input
from jdgnn.learning.optimizers import momentum, until
from jdgnn.protocol.traffic import gossip, push

FEW_FEATURES = 40
"""Up to so many own features share the width with two layers; where there are more, one layer has all of it."""

TICKS, MERGING = 260, 20
"""How long nodes learn and merge by default, and in how many of these ticks, at the end, they merge alone."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """An emulator, and what else belongs to it.

    Attributes:
      emulator: the parts.
      ticks: how long it runs; in the last of them nodes merge alone.
      own_features: columns of a node's own features that stand beside its embedding wherever it is probed or kept, for
        `jdgnn.evaluation.linear_probe` and `jdgnn.evaluation.beside_own_features`.
    """

    emulator: Emulator
    ticks: int
    own_features: int


def learning_ticks(ticks: int) -> int:
    """In how many of the ticks asked for nodes of the recipe learn, before they merge alone.

    Models agree within tens of ticks, however long nodes have learned, so a long run ends with 20 of them. In a short
    run steps are worth more, and it ends with the same share, a thirteenth.

    Example:
      >>> [learning_ticks(ticks) for ticks in (10, 100, 260, 4000)]
      [10, 93, 240, 3980]
    """
    return ticks - min(MERGING, ticks * MERGING // TICKS)


def recipe(num_features: int, width: int = 128, *, ticks: int = TICKS) -> Recipe:
    """The recipe that was found by experiment, for all networks; the page on quality says what its parts are worth.

    Each layer tells neighbours from random nodes, seeing a random half of its input. Gradients are averaged by momentum
    that travels with the models and is merged with them. In the last ticks (20 of 260) nodes stand still and merge on:
    the mean of all models is better than any. When they begin to follows from `ticks`, here and not in `jdgnn.run`,
    which can be asked for fewer or more: so ask both for the same. It is counted in steps of a node. Where a node
    measures up to 40 numbers two layers share the width with these; where it measures more, one layer takes the whole
    width. Own features stand beside what was learned in both cases.

    Args:
      num_features: F0, what a node measures.
      width: columns of the embedding; up to 40 own features are counted among them.
      ticks: how long it will run.

    Returns:
      The recipe.

    Raises:
      InputError: the width leaves no room for layers, or a number is invalid.

    Example:
      >>> found = recipe(1433)
      >>> found.emulator.units(1433), found.ticks, found.own_features
      ((128,), 260, 1433)
      >>> recipe(33).emulator.units(33)
      (47, 48)
    """
    check_count("num_features", num_features)
    check_count("width", width)
    check_count("ticks", ticks)
    own = num_features if num_features <= FEW_FEATURES else 0
    if width < own + 2:
        raise InputError(f"width: got {width}, and {own} own features and two layers need {own + 2} at least")
    units = [width] if own == 0 else [(width - own) // 2, width - own - (width - own) // 2]
    return Recipe(
        emulator=Emulator(
            layers=[gcn(number) for number in units],
            objective=masked_input(info_nce(temperature=0.3), rate=0.5),
            optimizer=momentum(1.0, decay=0.9, rate_schedule=until(learning_ticks(ticks)), merged=True),
            push=push(fanout=32, capacity=32),
            gossip=gossip(),
        ),
        ticks=ticks,
        own_features=num_features,
    )
