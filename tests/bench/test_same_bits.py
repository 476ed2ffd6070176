"""The comparison of revisions: every part stands in a setting, what is the same agrees, what is planted is found."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.same_bits.comparing import compare, parts_apart, shown
from bench.same_bits.revisions import HERE, Running
from bench.same_bits.settings import all_settings, names
from jdgnn.experiment.config.catalogue import KINDS
from jdgnn.experiment.config.schema import resolve
from jdgnn.experiment.run.experiment import make_emulator
from jdgnn.network.datasets import DATASETS


def named(tables: Any) -> set[str]:
    """All strings in tables."""
    if isinstance(tables, dict | list):
        return set().union(*map(named, tables.values() if isinstance(tables, dict) else tables))
    return {tables} if isinstance(tables, str) else set()


def test_every_part_stands_in_a_setting_with_kernels_and_in_one_without(tmp_path: Path) -> None:
    settings, left_out = all_settings(tmp_path)
    assert all("--data-root" in reason for reason in left_out.values())
    made = {kind for kind in KINDS if kind not in ("network", "tables")}
    for ending in ("kernels", "plain"):
        standing = named([one["tables"] for name, one in settings.items() if name.endswith(ending)])
        assert {name for kind in made for name in names(kind)} <= standing
    networks = {one["tables"]["network"]["name"] for one in settings.values()}
    assert KINDS["network"].parts.keys() - {name for name in DATASETS if DATASETS[name].files} == networks
    for setting in settings.values():
        config = resolve(setting["tables"])
        if config.layers is not None:
            make_emulator(config)


@pytest.mark.long
def test_a_planted_difference_is_found_and_nothing_else(tmp_path: Path) -> None:
    every, _ = all_settings(tmp_path)
    settings = {name: every[name] for name in ("alone", "no-push")}
    tree = tmp_path / "tree"
    shutil.copytree(HERE / "jdgnn", tree / "jdgnn", ignore=shutil.ignore_patterns("__pycache__"))
    planted = tree / "jdgnn" / "learning" / "objectives" / "edge_reconstruction.py"
    sound = planted.read_text()
    planted.write_text(sound.replace("return attraction + repulsion,", "return 1.000001 * attraction + repulsion,"))
    assert planted.read_text() != sound
    running = []
    for name, root in (("here", HERE), ("there", tree)):
        (tmp_path / name).mkdir()
        running.append(Running(root, settings, tmp_path / name, tmp_path / "compiled"))
    (here, our_parts), (there, their_parts) = (one.outcomes() for one in running)
    found = compare(here, there)
    assert (found.same, list(found.different), found.unknown, found.one_sided) == (["alone"], ["no-push"], {}, {})
    named = {leaf.partition(" ")[0] for leaf in found.different["no-push"]}
    assert named & {"embeddings", "history.loss", "state.params.0.layer.kernel"}
    assert "no-push: DIFFERS" in shown(found)
    assert parts_apart(our_parts, their_parts) == []


@pytest.mark.parametrize(
    ("here", "there", "same", "different", "unknown", "one_sided"),
    [
        ({"digests": {"a": "1", "b": "2"}}, {"digests": {"a": "1"}}, 1, 0, 0, 1),
        ({"digests": {"a": "1"}}, {"digests": {"a": "2"}}, 0, 1, 0, 0),
        ({"digests": {"a": "1"}}, {"digests": {"b": "1"}}, 0, 1, 0, 1),
        ({"digests": {"a": "1"}}, {"rejected": "there is no such part"}, 0, 0, 1, 0),
        ({"digests": {"a": "1"}}, {"failed": "a traceback"}, 0, 1, 0, 0),
        ({"rejected": "no"}, {"digests": {"a": "1"}}, 0, 1, 0, 0),
        ({"rejected": "no"}, {"rejected": "no"}, 0, 1, 0, 0),
    ],
)
def test_what_counts_as_a_difference(
    here: Any, there: Any, same: int, different: int, unknown: int, one_sided: int
) -> None:
    found = compare({"x": here}, {"x": there})
    assert tuple(map(len, found)) == (same, different, unknown, one_sided)


def test_parts_of_one_side_are_told() -> None:
    assert parts_apart({"merge": ["average", "new"]}, {"merge": ["average", "old"]}) == [
        "merge new: only here",
        "merge old: only there",
    ]
