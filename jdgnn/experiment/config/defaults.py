"""What a configuration without layers, objective and optimiser learns with: the default recipe."""

from typing import Any

from jdgnn.experiment.config.schema import Config, RecipeConfig, resolve
from jdgnn.recipe import TICKS, learning_ticks, recipe


def completed(config: Config, num_features: int, first: Config | None = None) -> Config:
    """The configuration with the recipe written out, if it leaves learning to the recipe.

    What the configuration says of pushes, gossip or ticks stays. After how many steps nodes merge alone follows from
    the ticks.

    Args:
      config: what is asked for.
      num_features: F0 of its network.
      first: what a resumed run began with; it keeps its rate schedule, whatever ticks are asked for now.

    Returns:
      A configuration that says everything.

    Example:
      >>> from jdgnn.experiment.config.schema import resolve
      >>> config = completed(resolve({"network": "digits", "emulation": {"ticks": 5}}), 64)
      >>> config.layers[0].units, config.emulation.ticks, config.optimizer.rate_schedule.horizon
      (128, 5, 5.0)
    """
    if not isinstance(config, RecipeConfig):
        return config
    said = config.model_dump(exclude_unset=True, exclude_none=True, serialize_as_any=True)
    ticks = config.emulation.ticks if "ticks" in config.emulation.model_fields_set else TICKS
    tables = _tables(num_features, ticks)
    if (schedule := rate_schedule_of(first)) is not None:
        tables["optimizer"]["rate_schedule"] = schedule.model_dump()
    return resolve(_over(tables, said))


def rate_schedule_of(config: Config | None) -> Any:
    """What an optimiser's rate follows in a configuration; None if it stays, or if nothing is said of it."""
    return getattr(config.optimizer, "rate_schedule", None) if config is not None else None


def _tables(num_features: int, ticks: int) -> dict[str, Any]:
    """`jdgnn.recipe` as tables."""
    found = recipe(num_features, ticks=ticks)
    return {
        "layers": [{"name": "gcn", "units": units} for units in found.emulator.units(num_features)],
        "objective": {"name": "masked_input", "rate": 0.5, "objective": {"name": "info_nce", "temperature": 0.3}},
        "optimizer": {
            "name": "momentum",
            "learning_rate": 1.0,
            "decay": 0.9,
            "merged": True,
            "rate_schedule": {"name": "until", "horizon": learning_ticks(ticks)},
        },
        "push": {"fanout": 32, "capacity": 32},
        "emulation": {"ticks": found.ticks, "own_features": found.own_features},
    }


def _over(defaults: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Tables in which what is said goes before defaults, key by key."""
    both = {key: _over(defaults[key], said[key]) for key in defaults if isinstance(said.get(key), dict)}
    return defaults | said | both
