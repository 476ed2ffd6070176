"""The default recipe: what to learn with, wherever nothing better is known."""

import dataclasses

from jdgnn.checks import check_count
from jdgnn.emulation.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.learning.layers import gcn
from jdgnn.learning.objectives import info_nce, masked_input
from jdgnn.learning.optimizers import momentum, until
from jdgnn.protocol.traffic import gossip, push

FEW_FEATURES = 40
STEPS, TICKS = 240, 260


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """An emulator, and what else belongs to it.

    Attributes:
      emulator: the parts.
      ticks: how long it runs; in the last of them nodes merge alone.
      own_features: columns of a node's own features to be put beside its embedding, by
        `jdgnn.evaluation.beside_own_features`; 0 for none.
    """

    emulator: Emulator
    ticks: int
    own_features: int


def recipe(num_features: int, width: int = 128) -> Recipe:
    """The recipe that was found by experiment, for all networks; the page on quality says what its parts are worth.

    Each layer tells neighbours from random nodes, seeing a random half of its input. Gradients are averaged by momentum
    that travels with the models and is merged with them. After 240 steps nodes stand still and merge on for 20 ticks:
    the mean of all models is better than any. Where a node measures up to 40 numbers these stand beside two layers;
    where it measures more, one layer takes the whole width.

    Args:
      num_features: F0, what a node measures.
      width: columns of the embedding, own features included.

    Returns:
      The recipe.

    Raises:
      InputError: the width leaves no room for layers.

    Example:
      >>> found = recipe(1433)
      >>> found.emulator.units(1433), found.ticks, found.own_features
      ((128,), 260, 0)
      >>> recipe(33).emulator.units(33)
      (47, 48)
    """
    check_count("num_features", num_features)
    check_count("width", width)
    own = num_features if num_features <= FEW_FEATURES else 0
    if width < own + 2:
        raise InputError(f"width: got {width}, and {own} own features and two layers need {own + 2} at least")
    units = [width] if own == 0 else [(width - own) // 2, width - own - (width - own) // 2]
    return Recipe(
        emulator=Emulator(
            layers=[gcn(number) for number in units],
            objective=masked_input(info_nce(temperature=0.3), rate=0.5),
            optimizer=momentum(1.0, decay=0.9, rate_schedule=until(STEPS), merged=True),
            push=push(fanout=32, capacity=32),
            gossip=gossip(),
        ),
        ticks=TICKS,
        own_features=own,
    )
