"""Rates of workloads, and the roofline fraction that they reach, with the ceiling timed in turn with them."""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from bench import turns
from bench.roofline import COUNTS, model_bytes, roofline_bytes
from bench.workload import Options

Others = Mapping[str, tuple[str, Mapping[str, Any]]]
LEAST_TICKS = 20  # of a turn, since each ends with a measurement of all nodes, which takes as long as a tick or two


def measure(
    arguments: argparse.Namespace, settings: Mapping[str, Options], others: Others | None = None
) -> dict[str, Any]:
    """Measures workloads in turn with the ceilings at their sizes, and with other contenders.

    Args:
      arguments: with the options of `turns.add_options`.
      settings: the workloads by name.
      others: factory and arguments of other contenders by name.

    Returns:
      "settings": for each what `figures` gives, and what it tells of itself; "ceilings": bytes per second, a spread
      for each size; "others": seconds per tick, a spread for each.
    """
    ceilings = {ceiling_of(options): {"num_bytes": model_bytes(options)} for options in settings.values()}
    starts: dict[str, tuple[str, Mapping[str, Any]]] = {
        name: ("bench.workload:emulated", dataclasses.asdict(options)) for name, options in settings.items()
    }
    starts |= {name: ("bench.roofline:Ceiling", what) for name, what in ceilings.items()}
    starts |= others or {}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(turns.start(arguments, name, factory, **what))
            for name, (factory, what) in starts.items()
        }
        ticks = {
            name: turns.ticks_for(arguments, contender, LEAST_TICKS if name in settings else 1)
            for name, contender in running.items()
        }
        seconds = turns.take_turns(running, ticks, arguments.rounds, print)
        about = {
            name: {**contender.about, "setup_seconds": contender.setup_seconds, "peak_bytes": contender.peak_bytes}
            for name, contender in running.items()
        }
    speeds = {name: [about[name]["num_bytes"] / time for time in seconds[name]] for name in ceilings}
    return {
        "settings": {
            name: {**figures(options, seconds[name], speeds[ceiling_of(options)]), "ticks": ticks[name], **about[name]}
            for name, options in settings.items()
        },
        "ceilings": {name: turns.spread(speed) for name, speed in speeds.items()},
        "others": {name: turns.spread(seconds[name]) for name in others or {}},
    }


def ceiling_of(options: Options) -> str:
    """What the ceiling at the size of a workload is called."""
    return f"in-place scale of {model_bytes(options) / 1e6:,.4g} MB"


def figures(options: Options, seconds: Sequence[float], ceiling: Sequence[float]) -> dict[str, Any]:
    """What seconds per tick say.

    Args:
      options: the work.
      seconds: per tick, in each round.
      ceiling: bytes per second, in the same rounds.

    Returns:
      Spreads of seconds per tick, node-updates per second and roofline fraction by both counts; and the roofline's
      bytes per node-update.
    """
    updates = options.nodes * options.awake
    rates = [updates / time for time in seconds]
    roofline = {count: roofline_bytes(options, count) for count in COUNTS}
    return {
        "options": dataclasses.asdict(options),
        "ceiling": ceiling_of(options),
        "seconds": turns.spread(seconds),
        "rates": turns.spread(rates),
        "roofline": roofline,
        "roofline_fraction": {
            count: turns.ratios([sum(roofline[count].values()) * rate for rate in rates], ceiling) for count in COUNTS
        },
    }
