"""The grid of a sweep: keys with several values, and all combinations of them."""

import contextlib
import hashlib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jdgnn.errors import InputError
from jdgnn.experiment.config.overrides import value_of, with_overrides
from jdgnn.experiment.config.schema import Config, resolve

MOST_RUNS = 10_000
"""Of a sweep."""

LONGEST_NAME = 120
"""Characters of a directory's name."""

OPENING, CLOSING, QUOTES = "[{", "]}", "\"'"


class Axis(NamedTuple):
    """A key of the configuration with its values, as written."""

    key: str
    values: tuple[str, ...]


class Variant(NamedTuple):
    """One combination: a value for each key, as written."""

    settings: tuple[tuple[str, str], ...]

    @property
    def overrides(self) -> list[str]:
        """The arguments of `--set`."""
        return [f"{key}={value}" for key, value in self.settings]

    @property
    def name(self) -> str:
        """The name of its directory: it follows from the settings alone, and is valid in any file system.

        >>> Variant((("optimizer.learning_rate", "0.01"), ("push.fanout", "4"))).name
        'optimizer.learning_rate=0.01,push.fanout=4'
        """
        text = ",".join(self.overrides)
        clean = re.sub(r"[^A-Za-z0-9._+=,-]+", "-", text)
        if clean == text and len(text) <= LONGEST_NAME:
            return text
        return f"{clean[: LONGEST_NAME - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    @property
    def label(self) -> str:
        """In words, as learning_rate 0.01, fanout 4."""
        short = short_keys([key for key, _ in self.settings])
        return ", ".join(f"{short[key]} {value}" for key, value in self.settings)

    def folders(self, sweep: Path, seeds: Iterable[int]) -> dict[int, Path]:
        """The directories of its runs by seed, as `jdgnn run --seeds` names them."""
        return {seed: sweep / self.name / f"seed-{seed}" for seed in seeds}

    @contextlib.contextmanager
    def named_in_errors(self) -> Iterator[None]:
        """Adds the combination to errors about its configuration."""
        try:
            yield
        except InputError as error:
            raise InputError(f"{error} (with {' '.join(self.overrides)})") from error


def split_values(text: str) -> list[str]:
    """Splits the values of a key at commas outside of brackets, braces and quotes.

    >>> split_values("0.003, 0.01"), split_values('[], [{name = "crash", prob = 0.1}]')
    (['0.003', '0.01'], ['[]', '[{name = "crash", prob = 0.1}]'])
    """
    values, depth, quote = [""], 0, ""
    for letter in text:
        if letter == "," and not depth and not quote:
            values.append("")
            continue
        values[-1] += letter
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        else:
            depth += (letter in OPENING) - (letter in CLOSING)
    values = [value.strip() for value in values]
    if len(values) > 1 and not all(values):
        raise InputError(f"--set: a value is missing in {text!r}; write one between commas, as in 0.01,0.03")
    if twice := next((value for value in values if values.count(value) > 1), None):
        raise InputError(f"--set: {text!r} has {twice} twice; write each value once")
    return values


def parse(overrides: Iterable[str]) -> tuple[list[str], list[Axis]]:
    """Separates `key=value`, for all runs, from `key=value,value,...`, the axes."""
    common, axes = [], []
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise InputError(f"--set: expected key=value or key=value,value, got {override!r}")
        values = split_values(text)
        if len(values) == 1:
            common.append(override)
        else:
            axes.append(Axis(key.strip(), tuple(values)))
    keys = [axis.key for axis in axes]
    given = [*keys, *(override.partition("=")[0].strip() for override in common)]
    for key in keys:
        if key == "seed":
            raise InputError(
                "--set: expected one value for seed, the first, got several; write --seeds N for several seeds"
            )
        if given.count(key) > 1:
            raise InputError(f"--set: {key} is given twice; write all of its values once")
    return common, axes


def variants(axes: Sequence[Axis], num_seeds: int) -> list[Variant]:
    """All combinations, each of which will run with so many seeds; the last key changes fastest."""
    if not axes:
        raise InputError(
            "--set: expected a key with several values, got none; write for example "
            "--set optimizer.learning_rate=0.01,0.03"
        )
    count = math.prod(len(axis.values) for axis in axes) * num_seeds
    if count > MOST_RUNS:
        raise InputError(f"--set: expected a grid of at most {MOST_RUNS:,} runs, got {count:,}; write fewer values")
    keys = [axis.key for axis in axes]
    grid = itertools.product(*(axis.values for axis in axes))
    return [Variant(tuple(zip(keys, values, strict=True))) for values in grid]


def resolved(tables: Mapping[str, Any], variant: Variant) -> Config:
    """The configuration of a combination."""
    with variant.named_in_errors():
        return resolve(with_overrides(dict(tables), variant.overrides))


def is_number(value: str) -> bool:
    """Whether a value is a finite number."""
    read = value_of(value)
    return isinstance(read, int | float) and not isinstance(read, bool) and math.isfinite(read)


def short_keys(keys: Sequence[str], beside: Sequence[str] = ()) -> dict[str, str]:
    """The last part of each key, or as many parts as distinguish it from the others, and from names beside them.

    >>> short_keys(["push.fanout", "gossip.fanout", "optimizer.learning_rate"], ["loss"])
    {'push.fanout': 'push.fanout', 'gossip.fanout': 'gossip.fanout', 'optimizer.learning_rate': 'learning_rate'}
    """
    return {key: _shortest(key, [*(other for other in keys if other != key), *beside]) for key in keys}


def _shortest(key: str, others: Sequence[str]) -> str:
    parts = key.split(".")
    ends = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
    return next((end for end in ends if not any(f".{other}".endswith(f".{end}") for other in others)), key)
