"""What `sweep.json` says of a sweep, written and read back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jdgnn.errors import InputError
from jdgnn.experiment.run.seeds import MOST
from jdgnn.experiment.sweep.grid import MOST_RUNS, Variant
from jdgnn.files import read_bytes, write_json

SWEEP = "sweep.json"
MOST_BYTES = 2**26
"""Of `sweep.json`."""

Seeds = Annotated[list[Annotated[int, Field(ge=0, lt=MOST)]], Field(min_length=1)]


class Asked(NamedTuple):
    """What has ever been asked for in a directory.

    Attributes:
      configuration: of all runs, as TOML, without the keys that take several values.
      data_root: directory with a folder for each data set, or None.
      seeds: of each combination.
    """

    configuration: str
    data_root: Path | None
    seeds: dict[Variant, list[int]]

    @property
    def keys(self) -> list[str]:
        """The keys that take several values."""
        return [key for key, _ in next(iter(self.seeds)).settings]

    @property
    def axes(self) -> dict[str, list[str]]:
        """Each key with its values, in the order in which they were asked for."""
        return {key: list(dict.fromkeys(dict(variant.settings)[key] for variant in self.seeds)) for key in self.keys}


class _Variant(BaseModel):
    model_config = ConfigDict(strict=True)

    settings: dict[str, str] = Field(min_length=1)
    seeds: Seeds


class _Sweep(BaseModel):
    """What is read of it; the rest is for those who want to know what came of it."""

    model_config = ConfigDict(strict=True)

    configuration: str
    data_root: str | None
    variants: list[_Variant] = Field(min_length=1, max_length=MOST_RUNS)


def write(path: Path, asked: Asked, outcome: Mapping[Variant, Mapping[str, Any]], told: Mapping[str, Any]) -> None:
    """Writes `sweep.json`.

    Args:
      path: directory of the sweep.
      asked: what has ever been asked for.
      outcome: what came of each combination.
      told: what else there is to say.
    """
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
    """Reads what has ever been asked for in a directory.

    Raises:
      InputError: it is not the directory of a sweep.

    Example:
      >>> read(Path("nowhere"))
      Traceback (most recent call last):
      jdgnn.errors.InputError: nowhere: holds no sweep.json; give a directory that jdgnn sweep has made
    """
    if not (path / SWEEP).exists():
        raise InputError(f"{path}: holds no {SWEEP}; give a directory that jdgnn sweep has made")
    try:
        found = _Sweep.model_validate(json.loads(read_bytes(path / SWEEP, MOST_BYTES).decode()))
    except OSError as error:
        raise InputError(f"{path}: its {SWEEP} cannot be read ({error.strerror}); give another directory") from error
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "the sweep"
        raise InputError(f"{path}: its {SWEEP} says nothing sound for {where}; give another directory") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: its {SWEEP} is no valid JSON ({error}); give another directory") from error
    seeds = {Variant(tuple(variant.settings.items())): variant.seeds for variant in found.variants}
    if len({tuple(dict(variant.settings)) for variant in seeds}) > 1:
        raise InputError(f"{path}: its {SWEEP} has variants of unlike keys; give another directory")
    return Asked(found.configuration, Path(found.data_root) if found.data_root else None, seeds)


def check_no_sweep(path: Path) -> None:
    """Raises InputError if a directory is that of a sweep, where one of a run is wanted."""
    if (path / SWEEP).is_file():
        inside = ", ".join(sorted(str(entry) for entry in path.iterdir() if entry.is_dir())[:3])
        raise InputError(f"{path}: is the directory of a sweep, which has a page; give some in it: {inside}, ...")
