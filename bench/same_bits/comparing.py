"""What two revisions made of the same settings, side by side.

An outcome is a line of `bench.same_bits.program`: `digests` of arrays and perhaps the file `arrays` with the smaller of
them, or `rejected` (an input error), or `failed`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Outcome = Mapping[str, Any]
MOST_SHOWN = 8
"""Arrays of one setting that are named."""


class Comparison(NamedTuple):
    """What came of a comparison.

    Attributes:
      same: settings with the same bits.
      different: by setting, what differs; any of these fails the comparison.
      unknown: by setting, why the older revision cannot run it.
      one_sided: by setting, arrays that only one revision has.
    """

    same: list[str]
    different: dict[str, list[str]]
    unknown: dict[str, str]
    one_sided: dict[str, list[str]]


def compare(here: Mapping[str, Outcome], there: Mapping[str, Outcome]) -> Comparison:
    """Compares what this revision and another one made of the same settings."""
    found = Comparison([], {}, {}, {})
    for name, outcome in here.items():
        other = there.get(name, {"failed": "the other revision ended before this setting"})
        if problem := _trouble(outcome):
            found.different[name] = [f"that this revision {problem}"]
        elif "rejected" in other:
            found.unknown[name] = other["rejected"]
        elif problem := _trouble(other):
            found.different[name] = [f"that the other revision {problem}"]
        else:
            _compare_digests(found, name, outcome["digests"], other["digests"])
            if name in found.different and "arrays" in outcome:
                files = (Path(one["arrays"]) for one in (outcome, other))
                found.different[name] = _with_distances(found.different[name], *files)
    return found


def _with_distances(leaves: list[str], *files: Path) -> list[str]:
    """Names of arrays that differ, the most different first, with the largest difference relative to all numbers."""
    here, there = (np.load(file) for file in files)
    distances = {leaf: _distance(here[leaf], there[leaf]) for leaf in leaves if leaf in here and leaf in there}
    ordered = sorted(leaves, key=lambda leaf: -distances.get(leaf, np.inf))
    return [f"{leaf} ({distances[leaf]:.1e})" if leaf in distances else leaf for leaf in ordered]


def _distance(here: np.ndarray, there: np.ndarray) -> float:
    """The largest difference relative to the largest number; infinite between arrays of other shapes."""
    if here.shape != there.shape or not np.issubdtype(here.dtype, np.number):
        return np.inf
    one, other = here.astype(np.float64), there.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return float(np.nanmax(np.abs(one - other)) / max(np.nanmax(np.abs(one)), np.finfo(np.float64).tiny))


def _trouble(outcome: Outcome) -> str | None:
    """Why there are no digests."""
    if "rejected" in outcome:
        return f"rejects it: {outcome['rejected']}"
    return f"fails: {outcome['failed'].strip()}" if "failed" in outcome else None


def _compare_digests(found: Comparison, name: str, here: Mapping[str, str], there: Mapping[str, str]) -> None:
    one_sided = [f"{leaf} (only {'here' if leaf in here else 'there'})" for leaf in sorted(here.keys() ^ there.keys())]
    if one_sided:
        found.one_sided[name] = one_sided
    both = here.keys() & there.keys()
    if not both:
        found.different[name] = ["no array has the same name in both"]
    elif different := sorted(leaf for leaf in both if here[leaf] != there[leaf]):
        found.different[name] = different
    else:
        found.same.append(name)


def shown(found: Comparison) -> str:
    """The comparison in lines, what differs last."""
    lines = [f"{name}: unknown to the other revision ({reason})" for name, reason in found.unknown.items()]
    lines += [f"{name}: {', '.join(leaves)}" for name, leaves in found.one_sided.items()]
    for name, leaves in found.different.items():
        more = f" and {len(leaves) - MOST_SHOWN} more" if len(leaves) > MOST_SHOWN else ""
        lines.append(f"{name}: DIFFERS in {', '.join(leaves[:MOST_SHOWN])}{more}")
    counts = f"{len(found.same)} settings give the same bits, {len(found.different)} do not"
    return "\n".join([*lines, f"{counts}, {len(found.unknown)} are unknown to the other revision."])


def parts_apart(here: Mapping[str, list[str]], there: Mapping[str, list[str]]) -> list[str]:
    """Registered parts that only one of the revisions has, in sentences."""
    lines = []
    for kind in sorted(here.keys() | there.keys()):
        sides = set(here.get(kind, [])), set(there.get(kind, []))
        for side, names in (("here", sides[0] - sides[1]), ("there", sides[1] - sides[0])):
            lines += [f"{kind} {name}: only {side}" for name in sorted(names)]
    return lines
