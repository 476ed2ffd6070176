"""`sweep.json`: all requests of the directory of a sweep, and their outcome."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from jdgnn.errors import InputError
from jdgnn.experiment.results.reading import reading
from jdgnn.experiment.run.seeds import MOST
from jdgnn.experiment.sweep.grid import MOST_RUNS, Variant
from jdgnn.files import read_bytes, write_json

SWEEP = "sweep.json"
MOST_BYTES = 2**26
"""Of `sweep.json`."""


class Asked(NamedTuple):
    """All requests of a directory."""

    configuration: str  # of all runs, as TOML, without the keys that take several values
    data_root: Path | None  # directory with a folder for each data set, or None
    seeds: dict[Variant, list[int]]  # of each combination

    @property
    def keys(self) -> list[str]:
        """The keys that take several values."""
        return [key for key, _ in next(iter(self.seeds)).settings]

    @property
    def axes(self) -> dict[str, list[str]]:
        """Each key with its values, in the order of the requests."""
        return {key: list(dict.fromkeys(dict(variant.settings)[key] for variant in self.seeds)) for key in self.keys}


class _Variant(BaseModel):
    model_config = ConfigDict(strict=True)

    settings: dict[str, str] = Field(min_length=1)
    seeds: list[Annotated[int, Field(ge=0, lt=MOST)]] = Field(min_length=1)


class _Sweep(BaseModel):
    """The part of the file that is read again."""

    model_config = ConfigDict(strict=True)

    configuration: str
    data_root: str | None
    variants: list[_Variant] = Field(min_length=1, max_length=MOST_RUNS)


def write(path: Path, asked: Asked, outcome: Mapping[Variant, Mapping[str, Any]], told: Mapping[str, Any]) -> None:
    """Writes `sweep.json` of a directory: the requests, facts of the sweep, and the outcome of each combination."""
    variants = [
        {"directory": variant.name, "settings": dict(variant.settings), "seeds": seeds, **outcome.get(variant, {})}
        for variant, seeds in asked.seeds.items()
    ]
    content = {
        "configuration": asked.configuration,
        "data_root": asked.data_root and str(asked.data_root.absolute()),
        "axes": asked.axes,
        **told,
        "variants": variants,
    }
    write_json(path / SWEEP, content)


def read(path: Path) -> Asked:
    """Reads all requests of a directory."""
    if not (path / SWEEP).exists():
        raise InputError(f"{path}: holds no {SWEEP}; give a directory that jdgnn sweep has made")
    with reading(path / SWEEP, "choose another directory"):
        found = _Sweep.model_validate(json.loads(read_bytes(path / SWEEP, MOST_BYTES).decode()))
        seeds = {Variant(tuple(variant.settings.items())): variant.seeds for variant in found.variants}
        if len({tuple(dict(variant.settings)) for variant in seeds}) > 1:
            raise ValueError("variants have different keys")
    return Asked(found.configuration, Path(found.data_root) if found.data_root else None, seeds)


def check_no_sweep(path: Path) -> None:
    """Rejects the directory of a sweep where one of a run is expected."""
    if (path / SWEEP).is_file():
        inside = ", ".join(sorted(str(entry) for entry in path.iterdir() if entry.is_dir())[:3])
        raise InputError(
            f"{path}: is the directory of a sweep, which has a page; give directories in it: {inside}, ..."
        )
