"""README and docs do what they say: their examples run, and their figures are those that were measured."""

import ast
import contextlib
import importlib
import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from docs._ext.names import names_on, pages
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.config.overrides import with_overrides
from jdgnn.experiment.config.schema import read, read_tables, resolve
from jdgnn.experiment.config.shipped import shipped
from jdgnn.experiment.sweep.grid import parse, resolved, variants
from tests.offenders import assert_none, failing
from tests.typed import typed

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *pages(DOCS)]
NOTEBOOKS = [page for page in PAGES if "{code-cell}" in page.read_text()]
RESULTS = r"<!-- results: python -m (bench\.\w+) --(\w+) -->\n(.*?)<!-- end of results -->"


def name(page: Path) -> str:
    """What a page is called in reports."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[str]:
    """The blocks of code of a page in one of these languages."""
    found = re.findall(r"^```([^\n]*)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    return [text for language, text in found if language in languages]


def cells(page: Path) -> Iterator[ast.Module]:
    """The cells of a notebook, which the build of the site runs."""
    for cell in blocks(page, "{code-cell} python"):
        yield ast.parse("\n".join(line for line in cell.splitlines() if not line.startswith(":tags:")))


FIRST = ("README", "index")
"""Pages that a newcomer opens; examples of others take a while."""
EXAMPLES = [
    pytest.param(example, id=f"{name(page)} {number}", marks=() if page.stem in FIRST else pytest.mark.long)
    for page in PAGES
    for number, example in enumerate(blocks(page, "python"))
]
FRAGMENTS = [
    pytest.param(fragment, id=f"{name(page)} {number}")
    for page in PAGES
    for number, fragment in enumerate(blocks(page, "{code-block} python"))
]
GIVEN = """
import numpy as np
from scipy import sparse
import jdgnn

features, adjacency = np.eye(12), sparse.csr_array(np.roll(np.eye(12), 1, axis=1))
"""
"""What fragments of pages take for granted."""
TABLES = [
    (f"{name(page)} {found[0]} {found[1]}", found)
    for page in PAGES
    for found in re.findall(RESULTS, page.read_text(), re.DOTALL)
]


def _commands(page: Path) -> list[str]:
    """What a page says to type."""
    lines = "\n".join(blocks(page, "", "console", "sh")).splitlines()
    typed = (line.removeprefix("$ ").removeprefix(".venv/bin/") for line in lines)
    return [line for line in typed if line.split(" ")[0] in ("jdgnn", "make", "pip")]


COMMANDS = [(f"{name(page)} {line}", (line,)) for page in PAGES for line in _commands(page)]
TABLES_OF_CONFIGURATIONS = [
    (f"{name(page)} {number}", (block,)) for page in PAGES for number, block in enumerate(blocks(page, "toml"))
]


def printed(code: str, folder: Path) -> str:
    """What this prints where a user runs it in a folder; a warning is an error."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as output,
        contextlib.chdir(folder),
        jax.numpy_dtype_promotion("standard"),
    ):
        exec(compile(code, "example", "exec", dont_inherit=True), {"__name__": "__main__"})
    return output.getvalue()


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(example: str, tmp_path: Path) -> None:
    assert printed(example, tmp_path)


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragments_run(fragment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests" / "standins")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    forget_pyg()
    came = "\nprint(network if 'network' in globals() else embeddings)"
    assert printed(GIVEN + fragment + came, tmp_path)
    forget_pyg()


def forget_pyg() -> None:
    """What was imported of PyTorch Geometric, or of what stands in for it."""
    for module in [module for module in sys.modules if module.partition(".")[0] == "torch_geometric"]:
        del sys.modules[module]


def test_the_first_example_takes_fifteen_lines() -> None:
    first = EXAMPLES[0].values[0]
    assert isinstance(first, str)
    assert len([line for line in first.splitlines() if line.strip()]) <= 15


def test_figures_are_those_of_the_committed_result() -> None:
    assert TABLES
    assert_none(failing(_check_figures, TABLES), "figures are those of the committed result")


def _check_figures(module: str, option: str, shown: str) -> None:
    bench = importlib.import_module(module)
    table = bench.table if option == "table" else getattr(bench, f"{option}_table")
    assert shown.strip() == table(json.loads(bench.RESULT.read_text()))


def test_commands_are_understood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert COMMANDS
    complaints = list(failing(_check_command, COMMANDS))
    assert_none([*complaints, *capsys.readouterr().err.splitlines()], "commands of pages can be typed")


def _check_command(line: str) -> None:
    program, *arguments = shlex.split(line, comments=True)
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert {one for one in arguments if "=" not in one} <= set(targets)
        return
    if program == "pip":
        assert arguments[0] == "install"
        _check_extras(arguments[1])
        return
    given = typed(arguments)
    if str(given.get("config")) in shipped():
        _check_configurations(given)


TYPED_BEFORE = {
    "docs/howto/embeddings.md": ["jdgnn run quickstart --out runs/first"],
    "docs/howto/resume.md": ["jdgnn run cora --out runs/cora"],
    "docs/howto/seeds.md": ["jdgnn run quickstart --seeds 5 --out runs/c"],
    "docs/reliability.md": ["jdgnn run cora --out runs/cora"],
}
"""What a page takes for granted, as other pages say it."""


@pytest.mark.long
@pytest.mark.shared_data
@pytest.mark.parametrize("page", [page for page in PAGES if any("jdgnn " in one for one in _commands(page))], ids=name)
def test_commands_run_one_after_another(
    page: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As typed where the page is followed, but for the number of ticks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JDGNN_DATA", str(data_root))
    (tmp_path / "data").symlink_to(data_root)
    _write_own_files()
    for line in [*TYPED_BEFORE.get(name(page), []), *_commands(page)]:
        program, *arguments = shlex.split(re.sub(r"ticks=\d+", "ticks=6", line), comments=True)
        if program != "jdgnn":
            continue
        is_begun = arguments[0] in ("run", "sweep") and "--resume" not in arguments
        short = ["--set", "emulation.ticks=4"] if is_begun and "emulation.ticks" not in line else []
        assert main([*arguments, *short]) == 0, line


def _write_own_files() -> None:
    """What pages have their readers write."""
    table = blocks(DOCS / "index.md", "toml")[-1]
    for path in ("mine.toml", "sensors.toml"):
        Path(path).write_text(table)
    ids, rng = [f"s{number}" for number in range(40)], np.random.default_rng(0)
    rows = [f"{one},{'ab'[number % 2]},{rng.normal()},{rng.normal()}" for number, one in enumerate(ids)]
    Path("nodes.csv").write_text("\n".join(["id,label,load,memory", *rows]) + "\n")
    links = [f"{one},{other}" for one, other in zip(ids, [*ids[1:], ids[0]], strict=True)]
    Path("edges.csv").write_text("\n".join(["source,target", *links]) + "\n")


def _check_configurations(given: dict[str, Any]) -> None:
    if "jobs" not in given:
        read(given["config"], given["overrides"])
        return
    common, axes = parse(given["overrides"])
    for variant in variants(axes, 1):
        resolved(with_overrides(read_tables(given["config"]), common), variant)


def _check_extras(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.fullmatch(r"\.(?:\[(.*)\])?", package)
    assert named is not None, package
    assert set((named.group(1) or "").split(",")) - {""} <= project["optional-dependencies"].keys()


def test_tables_of_configurations_make_sense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("trace.csv").write_text("node,start,end\n0,0,9\n")
    assert TABLES_OF_CONFIGURATIONS
    assert_none(failing(_check_tables, TABLES_OF_CONFIGURATIONS), "tables of pages are configurations")


def _check_tables(block: str) -> None:
    tables = tomllib.loads(block)
    if "network" not in tables:
        tables = tomllib.loads((ROOT / "configs" / "quickstart.toml").read_text()) | tables
    assert resolve(with_overrides(tables, [])).network is not None


QUICK = {"own_files"}
"""Notebooks that take seconds."""


def _seconds_or_minutes(page: Path) -> Any:
    return pytest.param(page, id=name(page), marks=() if page.stem in QUICK else pytest.mark.long)


@pytest.mark.parametrize("page", [_seconds_or_minutes(page) for page in NOTEBOOKS])
def test_cells_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    script = "\n".join(ast.unparse(cell) for cell in cells(page))
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_cells_name_what_there_is() -> None:
    assert_none(
        failing(_check_names, [(name(page), (page,)) for page in NOTEBOOKS]),
        "cells use the package and name what it has",
    )


def _check_names(page: Path) -> None:
    names = {
        name
        for cell in cells(page)
        for node in ast.walk(cell)
        if isinstance(node, ast.Attribute) and (name := _dotted(node)).startswith("jdgnn.")
    }
    assert names
    for one in names:
        _resolve(one)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _resolve(dotted: str) -> Any:
    value: Any = importlib.import_module("jdgnn")
    for part in dotted.split(".")[1:]:
        value = getattr(value, part)
    return value


def _targets(pattern: str) -> Iterator[tuple[Path, str]]:
    """Links of this form, with the page on which they stand."""
    for page in PAGES:
        for target in re.findall(pattern, page.read_text()):
            yield page, target


def test_links_lead_somewhere() -> None:
    assert_none(
        (
            f"{name(page)}: {target}"
            for page, target in _targets(r"\]\((?!https?:)([^)#\s]+)[^)]*\)")
            if not (page.parent / target).exists()
        ),
        "links lead to files that there are",
    )


def test_links_to_other_sites_are_addresses() -> None:
    address = r"https://[\w.-]+\.\w+(/[\w./#?=&~-]*)?"
    assert_none(
        (
            f"{name(page)}: {target}"
            for page, target in _targets(r"\]\((http[^)]*)\)")
            if not re.fullmatch(address, target)
        ),
        "links to other sites are addresses",
    )


def test_every_page_stands_in_a_table_of_contents() -> None:
    listed = {(DOCS / "index.md").resolve()}
    for page in pages(DOCS):
        for block in blocks(page, "{toctree}"):
            entries = [line for line in block.splitlines() if line and not line.startswith(":")]
            listed |= {(page.parent / f"{entry}.md").resolve() for entry in entries}
    assert listed == {page.resolve() for page in pages(DOCS)}


def test_names_are_documented_once() -> None:
    found = [one for page in pages(DOCS) for one in names_on(page.read_text())]
    assert len(found) == len(set(found))
