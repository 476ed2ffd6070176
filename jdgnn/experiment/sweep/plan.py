"""The plan of a sweep: the requested runs, those that are finished, and those that share compiled programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import tomli_w

from jdgnn.errors import InputError
from jdgnn.experiment.config.defaults import completed
from jdgnn.experiment.config.schema import Config, RecipeConfig, as_toml
from jdgnn.experiment.config.toml import flat, parsed_toml
from jdgnn.experiment.results.read import differing, is_finished, read_config, read_summary, settings_of
from jdgnn.experiment.results.reading import reading
from jdgnn.experiment.run.directory import CONFIG, ORIGIN, RunDirectory, check_no_link
from jdgnn.experiment.run.experiment import make_emulator
from jdgnn.experiment.run.locks import LOCK
from jdgnn.experiment.run.ways import check_beside
from jdgnn.experiment.sweep import record
from jdgnn.experiment.sweep.grid import MOST_RUNS, Axis, Variant, resolved, variants
from jdgnn.experiment.sweep.record import SWEEP, Asked
from jdgnn.experiment.sweep.sharing import network_key
from jdgnn.files import partial_name

NOT_COMPARED = ("seed", "checkpoints")
"""Keys, or tables, that may differ between runs of one sweep."""


class Task(NamedTuple):
    """A run to do."""

    variant: Variant  # the combination
    seed: int  # of the run
    path: Path  # its directory
    structure: int  # tasks with the same number need the same compiled programs, and the same network


class Plan(NamedTuple):
    """A sweep before it runs."""

    path: Path  # its directory
    asked: Asked  # all requests of this directory, with the present one
    tasks: list[Task]  # the runs of the present request that are not finished
    num_runs: int  # all runs of the present request


def planned(
    path: Path, tables: dict[str, Any], axes: Sequence[Axis], seeds: Sequence[int], data_root: Path | None
) -> Plan:
    """Checks the whole grid and the content of its directory, which may hold a sweep that this one extends.

    `tables` are the configuration of all runs, without the keys of `axes`. Nothing is written.
    """
    check_no_link("--out", path)
    wanted = variants(axes, len(seeds))
    if not (path / SWEEP).exists():
        _check_new(path)
        asked = Asked(tomli_w.dumps(tables), data_root, {variant: list(seeds) for variant in wanted})
        return _plan(path, asked, tables, asked.seeds)
    earlier = record.read(path)
    wanted = _in_order_of(earlier, wanted, path)
    _check_same(earlier, tables, path)
    # a value may be written in another way than before, as 0.1 and 1e-1
    known = {_identity(resolved(tables, variant)): variant for variant in earlier.seeds}
    wanted = [known.get(_identity(resolved(tables, variant)), variant) for variant in wanted]
    all_seeds = dict(earlier.seeds)
    for variant in wanted:
        all_seeds[variant] = sorted({*all_seeds.get(variant, []), *seeds})
    asked = Asked(earlier.configuration, data_root or earlier.data_root, all_seeds)
    return _plan(path, asked, tables, {variant: list(seeds) for variant in wanted})


def resumed(path: Path) -> Plan:
    """The unfinished rest of all requests of a directory."""
    check_no_link("--resume", path)
    asked = record.read(path)
    return _plan(path, asked, _tables_of(asked, path), asked.seeds)


def check_way(plan: Plan, *, is_accepted: bool) -> None:
    """Rejects a sweep whose other runs were computed in another way, unless that is accepted."""
    if is_accepted or not plan.tasks:
        return
    tables = _tables_of(plan.asked, plan.path)
    begun: dict[Path, str | None] = {}
    for variant, seeds in plan.asked.seeds.items():
        backend = resolved(tables, variant).emulation.backend
        folders = variant.folders(plan.path, seeds).values()
        begun |= {folder: backend for folder in folders if (folder / ORIGIN).is_file()}
    check_beside("--out", begun, is_accepted=is_accepted)


def _tables_of(asked: Asked, path: Path) -> dict[str, Any]:
    with reading(path / SWEEP, "give another --out"):
        return parsed_toml(asked.configuration)


def _plan(path: Path, asked: Asked, tables: dict[str, Any], wanted: dict[Variant, list[int]]) -> Plan:
    count = sum(map(len, asked.seeds.values()))
    if count > MOST_RUNS:
        raise InputError(f"--out: expected at most {MOST_RUNS:,} runs in {path}, got {count:,}; give another directory")
    identities: dict[Any, Variant] = {}
    structures: dict[Any, int] = {}
    tasks: list[Task] = []
    for variant, seeds in wanted.items():
        config = resolved(tables, variant)
        twin = identities.setdefault(_identity(config), variant)
        if twin is not variant:
            raise InputError(f"--set: {twin.label} and {variant.label} are the same; write each value once")
        number = structures.setdefault(_structure(config, variant), len(structures))
        folders = variant.folders(path, seeds).items()
        tasks += [Task(variant, seed, folder, number) for seed, folder in folders if not _done(folder, config)]
    tasks.sort(key=lambda task: (task.structure, task.seed))  # all combinations with one seed before the next
    return Plan(path, asked, tasks, sum(map(len, wanted.values())))


def _done(folder: Path, config: Config) -> bool:
    """Whether a run is finished; rejects a directory with anything but a run of this configuration."""
    if not (folder / CONFIG).is_file() or not (folder / ORIGIN).is_file():
        RunDirectory(folder, overwrite=True).check()
        return False
    finished = is_finished(folder)
    if not isinstance(config, RecipeConfig):
        expected = config
    elif finished:
        expected = completed(config, int(read_summary(folder).get("features", 1)))
    else:
        return False  # the recipe depends on the network, and is checked when the run resumes
    found = settings_of(folder, read_config(folder))
    _reject_differing(folder, _compared(flat(parsed_toml(as_toml(expected)))), _compared(found))
    return finished


def _check_new(path: Path) -> None:
    if path.is_dir():
        others = sorted({entry.name for entry in path.iterdir()} - {LOCK, partial_name(SWEEP)})
        if others:
            raise InputError(f"--out: {path} holds {others[0]} and no {SWEEP}, so no sweep; give another directory")
    else:
        RunDirectory(path).check()


def _in_order_of(earlier: Asked, wanted: list[Variant], path: Path) -> list[Variant]:
    """The combinations with their keys in the order of the earlier ones."""
    keys = [key for key, _ in wanted[0].settings]
    if {*keys} != {*earlier.keys}:
        raise InputError(
            f"--set: {path} is a sweep over {', '.join(earlier.keys)}, got {', '.join(keys)}; give several values for "
            "the same keys, or another --out"
        )
    return [Variant(tuple((key, dict(variant.settings)[key]) for key in earlier.keys)) for variant in wanted]


def _check_same(earlier: Asked, tables: dict[str, Any], path: Path) -> None:
    """Rejects another configuration than that of the earlier runs; both are resolved with the same combination."""
    variant = next(iter(earlier.seeds))
    settings = [
        _compared(flat(resolved(one, variant).model_dump(exclude_none=True, serialize_as_any=True)))
        for one in (tables, _tables_of(earlier, path))
    ]
    _reject_differing(path, *settings)


def _reject_differing(path: Path, asked: dict[str, Any], found: dict[str, Any]) -> None:
    keys = [key for key in differing(asked, found) if not (key.startswith("evaluation.") and key not in found)]
    if keys:
        values = {key: (found.get(key, "not given"), asked.get(key, "not given")) for key in keys}
        shown = "; ".join(f"{key} was {was} and is {now}" for key, (was, now) in values.items())
        raise InputError(f"--out: {path} has another configuration: {shown}; leave it as it was, or give another --out")


def _compared(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key.split(".")[0] not in NOT_COMPARED}


def _identity(config: Config) -> str:
    """A text that only configurations of the same run share; of a recipe it has the given keys only."""
    unset = isinstance(config, RecipeConfig)
    kept = config.model_dump(exclude={*NOT_COMPARED}, exclude_unset=unset, exclude_none=True, serialize_as_any=True)
    return tomli_w.dumps(kept)


def _structure(config: Config, variant: Variant) -> Any:
    """A key that runs with the same compiled programs and network share; numbers of parts do not matter."""
    with variant.named_in_errors():
        if isinstance(config, RecipeConfig):
            tables = (config.publish, config.push, config.gossip, config.availability)
            parts: Any = [table.make() for table in tables]
        else:
            parts = make_emulator(config)
    leaves, tree = jax.tree.flatten(parts)
    keys = ("num_positives", "active_fraction", "param_dtype", "backend", "initial")
    settings = tuple(getattr(config.emulation, key) for key in keys)
    return tree, tuple(jax.numpy.shape(leaf) for leaf in leaves), settings, network_key(config)
