"""Where a learning rate ends against how long a run is: told where the two do not go together."""

from typing import Any

import numpy as np

from jdgnn.emulation.state import State
from jdgnn.emulator import Emulator
from jdgnn.experiment.config.defaults import rate_schedule_of
from jdgnn.experiment.config.schema import Config
from jdgnn.recipe import learning_ticks

KEY = "optimizer.rate_schedule.horizon"


def horizon_of(config: Config) -> float | None:
    """After how many steps of a node its learning rate stays where it is; None if it has no such end."""
    horizon = getattr(rate_schedule_of(config), "horizon", None)
    return None if horizon is None else float(horizon)


def horizon_remark(config: Config, emulator: Emulator, *, is_resumed: bool) -> str:
    """What is to be said of the horizon before the first tick; nothing if it goes with the ticks.

    Where nodes rest, only the end of the run knows how many steps they made, so a new run says nothing of it before.

    Args:
      config: what is asked for.
      emulator: its parts.
      is_resumed: whether the run is resumed, and so has kept the horizon that it began with.
    """
    horizon = horizon_of(config)
    if horizon is None or (_can_rest(emulator) and not is_resumed):
        return ""
    return in_words(_name(config), horizon, config.emulation.ticks, "ticks are asked for")


def horizon_of_run(config: Config, state: State) -> dict[str, Any] | None:
    """For `summary.json`: the `schedule`, its `horizon`, and how many steps nodes made on average and at most."""
    horizon = horizon_of(config)
    if horizon is None:
        return None
    steps = np.asarray(state.num_steps)
    return {
        "schedule": _name(config),
        "horizon": horizon,
        "mean_steps": float(steps.mean()),
        "most_steps": int(steps.max()),
    }


def told_at_the_end(found: dict[str, Any]) -> str:
    """What the closing table says of `horizon_of_run`; nothing where the steps go with the horizon."""
    steps = found["mean_steps"] if found["mean_steps"] > found["horizon"] else found["most_steps"]
    return in_words(found["schedule"], found["horizon"], round(steps), "steps were made")


def in_words(schedule: str, horizon: float, steps: int, what: str) -> str:
    """Both numbers in a sentence, if they do not go together.

    >>> in_words("until", 240, 260, "ticks are asked for")
    ''
    >>> print(in_words("until", 240, 4000, "ticks are asked for").partition(";")[0])
    nodes learn in their first 240 steps (optimizer.rate_schedule.horizon) and then only merge
    >>> in_words("cosine", 200, 120, "ticks are asked for")
    ''
    """
    if schedule == "until" and steps < horizon and learning_ticks(steps) < steps:
        return f"nodes would only merge after {horizon:,.0f} steps ({KEY}), and never do; {steps:,} {what}"
    if schedule == "until" and horizon < learning_ticks(steps):
        return f"nodes learn in their first {horizon:,.0f} steps ({KEY}) and then only merge; {steps:,} {what}"
    if schedule != "until" and horizon < steps:
        return f"the learning rate no longer changes after {horizon:,.0f} steps ({KEY}); {steps:,} {what}"
    return ""


def _name(config: Config) -> str:
    return str(rate_schedule_of(config).name)


def _can_rest(emulator: Emulator) -> bool:
    availability = emulator.traffic.availability
    return availability.can_sleep or availability.can_be_offline
