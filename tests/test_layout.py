"""The layout holds: floors look down only, files and functions stay short, and what is public is documented."""

import ast
import graphlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "jdgnn"
MODULES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = sorted(path for folder in ("jdgnn", "tests", "bench", "docs") for path in (ROOT / folder).rglob("*.py"))

# what each floor may import of jdgnn besides itself; other files beside the floors are the ground all stand on, and
# `__init__` is the public face, which shows everything and which nothing imports
NETWORK = {"network"}
FIRST = NETWORK | {"learning", "protocol"}
ALLOWED: dict[str, set[str]] = {
    "kernels": set(),
    "network": set(),
    "learning": NETWORK,
    "protocol": NETWORK,
    "emulation": FIRST,
    "emulator": FIRST | {"emulation"},
    "recipe": FIRST | {"emulator"},
    "notebook": FIRST | {"emulation", "emulator"},
    "evaluation": FIRST | {"emulation", "emulator"},
    "plot": FIRST | {"emulation", "emulator", "evaluation"},
    "estimator": FIRST | {"emulation", "emulator", "evaluation", "recipe"},
    "experiment": FIRST | {"emulation", "emulator", "evaluation", "plot", "recipe"},
}
GROUND = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")} - ALLOWED.keys() | {"kernels"}

SLOW = {"jraph", "matplotlib", "networkx", "pandas", "pyarrow", "scipy", "sklearn", "torch", "torch_geometric"}
AT_ONCE = {"estimator": {"sklearn"}}
"""What a file is made of and `import jdgnn` does not import."""
EXPERIMENT_ONLY = {"pydantic", "rich", "tomli_w"}


def _ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Dotted names of imported modules; of `from x import y` both x.y and x, as y may be a module."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _part(name: str) -> str:
    """The floor or file that a dotted name of jdgnn leads to; `__init__` for a name that the package itself gives."""
    first = name.split(".")[1] if "." in name else ""
    return first if first in ALLOWED or first in GROUND else "__init__"


def _floor(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("path", MODULES, ids=_ids(MODULES))
def test_floors_only_look_down(path: Path) -> None:
    floor = _floor(path)
    if floor in ("__init__", "__main__"):
        return
    assert floor in ALLOWED or floor in GROUND
    imported = {_part(name) for name in _imported(ast.walk(_tree(path))) if name.split(".")[0] == "jdgnn"}
    assert imported <= GROUND | {floor} | ALLOWED.get(floor, set())


def test_no_import_goes_in_a_circle() -> None:
    """Also none inside a function or for type checking only."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in MODULES]
    graph = {}
    for name, path in zip(names, MODULES, strict=True):
        imported = _imported(ast.walk(_tree(path)))
        graph[name] = {one if one in names else one.rpartition(".")[0] for one in imported} & set(names) - {name}
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises a CycleError that names the circle


def test_errors_stand_on_nothing() -> None:
    assert not {name for name in _imported(ast.walk(_tree(PACKAGE / "errors.py"))) if name.startswith("jdgnn")}


@pytest.mark.parametrize("path", MODULES, ids=_ids(MODULES))
def test_libraries_are_imported_where_they_are_needed(path: Path) -> None:
    everywhere = {name.split(".")[0] for name in _imported(ast.walk(_tree(path)))}
    on_import = {name.split(".")[0] for name in _imported(iter(_tree(path).body))}
    assert not on_import & SLOW - AT_ONCE.get(_floor(path), set())
    assert _floor(path) == "experiment" or not everywhere & EXPERIMENT_ONLY


def test_importing_the_package_leaves_slow_libraries_alone() -> None:
    # flax itself imports rich
    slow = "{'jraph', 'matplotlib', 'networkx', 'pandas', 'pyarrow', 'pydantic', 'sklearn'}"
    program = f"import sys, jdgnn; print(*{slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", EVERYTHING, ids=_ids(EVERYTHING))
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 450
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 90, node.name


def test_most_files_are_short() -> None:
    assert statistics.median(len(path.read_text().splitlines()) for path in MODULES) < 200


def _public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Public functions and classes of a module, and public methods of the latter."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    member
                    for member in node.body
                    if isinstance(member, ast.FunctionDef) and not member.name.startswith("_")
                )


@pytest.mark.parametrize("path", MODULES, ids=_ids(MODULES))
def test_what_is_public_is_documented_and_typed(path: Path) -> None:
    tree = _tree(path)
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in _public(tree):
        assert ast.get_docstring(node), f"{node.name} has no docstring"
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, f"{node.name} does not say what it returns"
            parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            untyped = [p.arg for p in parameters if p.annotation is None and p.arg not in ("self", "cls")]
            assert not untyped, f"{node.name} leaves {untyped} without a type"
