"""The configuration of an experiment: a strict TOML file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from jdgnn.errors import InputError, suggestion
from jdgnn.evaluation.tasks import DEFAULT_TASKS, TASKS
from jdgnn.experiment.config.former_keys import with_present_keys
from jdgnn.experiment.config.network_files import with_whole_paths
from jdgnn.experiment.config.networks import NETWORK, NetworkPart
from jdgnn.experiment.config.overrides import with_overrides
from jdgnn.experiment.config.part_tables import NamedPart, Part, SwitchedPart, Table, arguments_of, registered
from jdgnn.experiment.config.problems import Problem, UnknownKey, first_problem
from jdgnn.experiment.config.shipped import hint, located
from jdgnn.experiment.config.suggestions import places
from jdgnn.experiment.config.toml import parsed_toml
from jdgnn.learning.layers import LAYERS
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import OPTIMIZERS
from jdgnn.protocol import availability as availabilities
from jdgnn.protocol import roles, traffic

_DEFAULTS = Field(default={}, validate_default=True)
_NEEDED = Field(default=None, validate_default=True)
"""What is missing is rejected by the validator, which knows what is allowed; TOML cannot say None."""

MOST_BYTES = 2**20
"""Of a configuration file."""

LEARNING = {"layers", "objective", "optimizer"}
"""Tables that are given together, or left to the default recipe together."""


class EmulationTable(Table):
    """How the nodes start, and how long they run."""

    ticks: int = Field(default=100, ge=1, lt=2**31)
    record_every: int = Field(default=10, ge=1, lt=2**31)
    initial: Literal["shared", "independent"] = "shared"
    num_positives: int = Field(default=8, ge=1, lt=2**31)
    active_fraction: float | None = Field(default=None, gt=0, le=1)
    param_dtype: Literal["bfloat16"] | None = None
    backend: Literal["cpu", "plain", "accelerator"] | None = None
    own_features: int = Field(default=0, ge=0, lt=2**31)


def _known_task(name: str) -> str:
    if name not in TASKS:
        raise Problem((), f"got {name!r}; {suggestion(name, TASKS)}")
    return name


class EvaluationTable(Table):
    """What embeddings are evaluated by, and random splits for networks that come without splits of their own."""

    tasks: list[Annotated[str, AfterValidator(_known_task)]] = Field(default=list(DEFAULT_TASKS))
    num_splits: int = Field(default=10, ge=1, le=10_000)
    per_class: int = Field(default=5, ge=1, lt=2**31)
    validation: float = Field(default=0.1, gt=0, lt=1)
    seed: int = Field(default=0, ge=0, lt=2**32)


class CheckpointsTable(Table):
    """When a run is saved while it goes; `keep` 0 for never."""

    minutes: float = Field(default=5.0, gt=0, le=1e6)
    ticks: int | None = Field(default=None, ge=1, lt=2**31)
    keep: int = Field(default=2, ge=0, lt=2**31)
    at_end: bool = True


class SnapshotsTable(Table):
    """At which ticks embeddings are kept, and on how many splits probed, to be looked at; `nodes` 0 for never."""

    nodes: int = Field(default=100_000, ge=0, lt=2**31)
    every: int | None = Field(default=None, ge=1, lt=2**31)
    num_splits: int = Field(default=3, ge=0, lt=2**31)


def _some_layers(given: Any) -> Any:
    if given is None:
        raise Problem(
            (),
            f"is missing; write [[layers]] and a name for each; {suggestion('', LAYERS)}; layers, objective and "
            "optimizer are written together, or left to the default recipe, as config.toml of its runs has it",
        )
    return given


class Config(Table):
    """Everything that decides what a run computes, and when it is saved meanwhile.

    Everything random in the emulation, and the projection of features, follows from `seed`; a generated network follows
    from `network.seed` and random splits from `evaluation.seed`, so that runs with other seeds are evaluated alike.
    """

    seed: int = Field(default=0, ge=0, lt=2**32)
    network: Annotated[NetworkPart, NETWORK] = _NEEDED
    layers: Annotated[
        list[Annotated[NamedPart, registered(LAYERS)]], Field(min_length=1), BeforeValidator(_some_layers)
    ] = _NEEDED
    objective: Annotated[NamedPart, registered(OBJECTIVES)] = _NEEDED
    optimizer: Annotated[NamedPart, registered(OPTIMIZERS)] = _NEEDED
    publish: Annotated[Part, arguments_of(traffic.publish)] = _DEFAULTS
    push: Annotated[SwitchedPart, arguments_of(traffic.push, SwitchedPart)] = _DEFAULTS
    gossip: Annotated[SwitchedPart, arguments_of(traffic.gossip, SwitchedPart)] = _DEFAULTS
    availability: Annotated[Part, arguments_of(availabilities.availability)] = _DEFAULTS
    attackers: Annotated[Part, arguments_of(roles.attackers)] | None = None
    emulation: EmulationTable = EmulationTable()
    evaluation: EvaluationTable = EvaluationTable()
    checkpoints: CheckpointsTable = CheckpointsTable()
    snapshots: SnapshotsTable = SnapshotsTable()


class RecipeConfig(Config):
    """A configuration that leaves it to the default recipe how nodes learn."""

    layers: None = None  # type: ignore[assignment]
    objective: None = None  # type: ignore[assignment]
    optimizer: None = None  # type: ignore[assignment]


def read(path: Path, overrides: Iterable[str] = (), *, warn: bool = True) -> Config:
    """Reads a configuration file.

    Args:
      path: a TOML file; paths of the files of a network begin at its folder.
      overrides: changes, each `key=value`; see `jdgnn.experiment.config.overrides`. Paths in them begin here.
      warn: whether a former name of a key is told.

    Returns:
      The configuration with all defaults filled in.

    Raises:
      InputError: the file cannot be read, is no TOML, or has an invalid key or value.
    """
    return resolve(with_overrides(read_tables(path), overrides), warn=warn)


def resolve(tables: dict[str, Any], *, warn: bool = True) -> Config:
    """Checks a configuration and fills in all defaults, but for the recipe, which depends on the network.

    Paths that are not whole begin at the working directory.

    Raises:
      InputError: a key does not exist, or a value has the wrong type or is invalid.

    Example:
      >>> config = resolve(
      ...     {
      ...         "network": "digits",
      ...         "layers": [{"name": "gcn", "units": 8}],
      ...         "objective": "info_nce",
      ...         "optimizer": {"name": "adam", "learning_rate": 0.01},
      ...     }
      ... )
      >>> config.emulation.initial
      'shared'
    """
    tables = with_whole_paths(with_present_keys(tables, warn=warn), Path())
    model = Config if LEARNING & tables.keys() else RecipeConfig
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        raise _with_place(first_problem(error, model)).as_input_error() from error


def _with_place(problem: Problem) -> Problem:
    """The same problem; of a key that stands elsewhere, it says where, those in the same table first."""
    *parents, key = map(str, problem.path or [""])
    if not isinstance(problem, UnknownKey) or (parents and "did you mean" in problem.text):
        return problem
    fields = {name: field.annotation for name, field in Config.model_fields.items()}
    tables = {name: kind for name, kind in fields.items() if isinstance(kind, type) and issubclass(kind, Table)}
    found = [place for place in places(key, tables) if place.split(".")[:-1] != parents]
    if not found:
        return problem
    found.sort(key=lambda place: place.split(".")[:1] != parents[:1])
    there = " or ".join(found[:3])
    if parents:  # what is allowed here may be what is meant
        return Problem(problem.path, f"{problem.text}; elsewhere it is {there}")
    return Problem(problem.path, f"{problem.text.partition('; ')[0]}; write {there}")


def as_toml(config: Config, *, has_own_splits: bool = False) -> str:
    """The configuration as a TOML text that `read` turns into the same configuration.

    Args:
      config: the configuration.
      has_own_splits: whether the network came with splits, so that of the table `evaluation` only its tasks count.
    """
    tables = config.model_dump(exclude_none=True, serialize_as_any=True)
    if has_own_splits:
        tables["evaluation"] = {"tasks": tables["evaluation"]["tasks"]}
    return tomli_w.dumps(tables)


def read_tables(path: Path) -> dict[str, Any]:
    """What a configuration file says, before it is checked; paths in it begin at its folder.

    Args:
      path: the file, or the name of a configuration that comes with jdgnn.

    Raises:
      InputError: the file cannot be read, or is no TOML.
    """
    path = located(path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InputError(f"{path}: has more than {MOST_BYTES:,} bytes; give a configuration")
        return with_whole_paths(parsed_toml(content.decode("utf-8-sig")), path.parent)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; {hint(path)}") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: is a directory; give the path of a TOML file, such as {path}/config.toml") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no valid TOML, {_lower_first(str(error))}") from error


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
