"""In which way runs were computed: told, and not changed within one result unasked."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
from rich.console import Console

from jdgnn.backend.way import KERNELS, REMEDY, SWITCHED_OFF, TOLD, Way, missing, read, warning, way
from jdgnn.emulation.ways import why_plain
from jdgnn.emulator import Emulator
from jdgnn.errors import InputError
from jdgnn.experiment.run.directory import read_origin
from jdgnn.network.network import Network

FLAG = "--accept-other-way"
OFF = "--set emulation.backend=plain"
MOST_NAMED = 5


class Computed(NamedTuple):
    """By what ticks were computed: the way, and the versions of libraries."""

    way: Way
    versions: Mapping[str, str]

    def differences(self, before: "Computed") -> list[str]:
        """Clauses about what was otherwise before and may change bits."""
        names = dict.fromkeys((*before.versions, *self.versions))
        pairs = {name: (before.versions.get(name, "missing"), self.versions.get(name, "missing")) for name in names}
        versions = [f"{name} was {was} and is {now}" for name, (was, now) in pairs.items() if was != now]
        return [*self.way.differences(before.way), *versions]


def way_of(emulator: Emulator, network: Network) -> Way:
    """How this process computes a run; with kernels, also which operations go without them, and why."""
    found = way(emulator.backend, emulator.cores)
    if found.backend != KERNELS:
        return found
    state = emulator.shapes(network)
    features = jax.ShapeDtypeStruct(network.features.shape, state.embeddings[0].dtype)
    return found._replace(reason=why_plain(emulator, state, features))


def tell_missing(backend: str | None, console: Console) -> None:
    """Says in a line that kernels are expected and missing, if they are."""
    if (reason := missing(backend)) is not None:
        TOLD.add(reason)  # so that the engine does not say it again
        console.print(f"warning: {warning(reason)}", markup=False, highlight=False, soft_wrap=True)


def cut_as(before: Way, now: Way) -> Way:
    """The way of a resumed run, cut for as many cores as before, so that bits do not depend on how many there are.

    Args:
      before: how a run was computed so far.
      now: how this process computes.

    Returns:
      The latter, with the cores of the former if both use kernels.
    """
    return now if None in (before.cores, now.cores) else now._replace(cores=before.cores)


def changed(path: Path, before: Computed, now: Computed, tick: int, *, is_accepted: bool) -> list[dict[str, Any]]:
    """What has changed when a run is resumed, for its `run.json`, checkpoints and summary.

    Args:
      path: directory of the run.
      before: by what it was computed so far.
      now: how the resumed run would be computed.
      tick: where.
      is_accepted: whether it may be resumed in another way.

    Returns:
      Nothing, or an entry with `tick`, `differences` and `accepted`.

    Raises:
      InputError: the way would change, and that is not accepted.
    """
    is_like = now.way.is_like(before.way)
    if not is_like and not is_accepted:
        raise InputError(
            f"--resume: {path} was computed {before.way} up to tick {tick}, and would continue {now.way}, with the "
            f"bits of neither; {_remedy(before.way, now.way)}, or add {FLAG}, which is recorded"
        )
    differences = now.differences(before)
    return [{"tick": tick, "differences": differences, "accepted": not is_like}] if differences else []


def replayed_otherwise(reason: str | None, *, is_accepted: bool) -> list[dict[str, Any]]:
    """The same of a run whose events were recorded in another way, for the `reason` given.

    Raises:
      InputError: that is so, and not accepted.
    """
    if reason is None:
        return []
    if not is_accepted:
        raise InputError(
            f"--replay: {reason}, to other bits; state emulation.backend, or add {FLAG}, which is recorded"
        )
    return [{"tick": 0, "differences": [reason], "accepted": True}]


def check_beside(option: str, runs: Mapping[Path, str | None], *, is_accepted: bool) -> None:
    """Rejects adding runs to others that were computed in another way.

    Args:
      option: what names the directory, for messages.
      runs: those that have begun, and the backend that they ask for.
      is_accepted: whether runs may differ in that.

    Raises:
      InputError: one was.
    """
    for path, backend in runs.items() if not is_accepted else ():
        before, now = read(read_origin(path).get("way")), way(backend)
        if before is not None and before.platform == now.platform and not now.is_like(before):
            raise InputError(
                f"{option}: {path} was computed {before}, and what is to be run beside it would be computed {now}; "
                f"{_remedy(before, now)}, or add {FLAG}, which is recorded"
            )


def _remedy(before: Way, now: Way) -> str:
    if now.platform != before.platform:
        return f"resume it on {before.platform}"
    if now.backend == KERNELS:
        return f"add {OFF} to continue as before"
    if now.reason == SWITCHED_OFF:
        return "leave emulation.backend as it was"
    return REMEDY.rpartition(", or state")[0].replace(", have", ", or have")


def read_changes(said: Any) -> list[dict[str, Any]]:
    """The changes that a file tells of; invalid ones are left out."""
    entries = said if isinstance(said, list) else []
    return [entry for entry in entries if _is_change(entry)]


def _is_change(entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {"tick", "differences", "accepted"}:
        return False
    clauses = entry["differences"]
    are_texts = isinstance(clauses, list) and all(isinstance(clause, str) for clause in clauses)
    return are_texts and type(entry["tick"]) is int and type(entry["accepted"]) is bool


def read_computed(said: Mapping[str, Any]) -> Computed | None:
    """What `run.json` or a checkpoint says under `way` and `versions`; None if that is invalid, or is not there."""
    found, versions = read(said.get("way")), said.get("versions")
    known = versions if isinstance(versions, dict) else {}
    return None if found is None else Computed(found, {str(name): str(version) for name, version in known.items()})


def in_words(said: Any) -> dict[str, str]:
    """A way, as `summary.json` has it, a clause a line; none if there is no way, as in runs of earlier versions.

    >>> in_words(way("plain")._asdict())["way"], in_words(None)
    ('without compiled kernels (they are switched off)', {})
    """
    found = read(said)
    if found is None:
        return {}
    partly = {"in plain JAX": found.reason} if found.backend == KERNELS and found.reason else {}
    cut = f", work cut for {found.cores} core{'' if found.cores == 1 else 's'}" if found.cores else ""
    return {"way": str(found), **partly, "on": f"{found.processor}{cut}"}


def missing_in(summary: Mapping[str, Any]) -> str | None:
    """Why kernels were missing in a run, by its summary; None if they were not."""
    reason = summary["warnings"].get("missing_kernels") if isinstance(summary.get("warnings"), dict) else None
    return reason if isinstance(reason, str) else None


def mixed(ways: Iterable[tuple[str, Any]]) -> str | None:
    """A clause about runs of which not all were computed in one way; None if they were, or it is not known.

    Args:
      ways: what each run is called, and its way as `summary.json` has it.

    Example:
      >>> one = way("plain")._asdict()
      >>> print(mixed([("A", one), ("B", {**one, "platform": "gpu"})]))
      not all were computed in one way: A without compiled kernels, B without compiled kernels on gpu
    """
    names: dict[str, list[str]] = {}
    for name, said in ways:
        if (found := read(said)) is not None:
            names.setdefault(_briefly(found), []).append(name)
    names = {how: list(dict.fromkeys(of)) for how, of in names.items()}
    if len(names) < 2:
        return None
    return f"not all were computed in one way: {', '.join(f'{_listed(of)} {how}' for how, of in names.items())}"


def _briefly(found: Way) -> str:
    return str(found).partition(" (")[0]


def _listed(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMED:
        return f"{len(names)} runs"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
