"""The layout holds: floors look down only, files and functions stay short, and what is public is documented."""

import ast
import graphlib
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.offenders import assert_none

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "jdgnn"
MODULES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = sorted(path for folder in ("jdgnn", "tests", "bench", "docs") for path in (ROOT / folder).rglob("*.py"))

# what each floor may import of jdgnn besides itself; other files beside the floors are the ground all stand on, and
# `__init__` is the public face, which shows everything and which nothing imports
NETWORK = {"network"}
FIRST = NETWORK | {"learning", "protocol"}
ALLOWED: dict[str, set[str]] = {
    "backend": set(),
    "network": set(),
    "learning": NETWORK,
    "protocol": NETWORK,
    "emulation": FIRST,
    "reference": FIRST | {"emulation"},
    "emulator": FIRST | {"emulation"},
    "recipe": FIRST | {"emulator"},
    "notebook": FIRST | {"emulation", "emulator"},
    "evaluation": FIRST | {"emulation", "emulator"},
    "plot": FIRST | {"emulation", "emulator", "evaluation"},
    "compilation": FIRST | {"emulation", "emulator"},
    "estimator": FIRST | {"emulation", "emulator", "evaluation", "recipe"},
    "experiment": FIRST | {"emulation", "emulator", "evaluation", "plot", "recipe"},
}
GROUND = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")} - ALLOWED.keys() | {"backend"}

SLOW = {"jraph", "matplotlib", "networkx", "pandas", "pyarrow", "scipy", "sklearn", "torch", "torch_geometric"}
AT_ONCE = {"estimator": {"sklearn"}}
"""What a file is made of and `import jdgnn` does not import."""
EXPERIMENT_ONLY = {"pydantic", "rich", "tomli_w"}


class Source(NamedTuple):
    """A file of the project, read and parsed once for all checks."""

    path: Path
    num_lines: int
    body: list[ast.stmt]
    docstring: str | None
    imports: list[ast.Import | ast.ImportFrom]  # wherever they stand in the file
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef]

    @property
    def name(self) -> str:
        """Where it stands, as offenders are called."""
        return str(self.path.relative_to(ROOT))


@cache
def read(path: Path) -> Source:
    text = path.read_text()
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    return Source(
        path,
        len(text.splitlines()),
        tree.body,
        ast.get_docstring(tree),
        [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)],
        [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)],
    )


def modules() -> list[Source]:
    """All files of the package."""
    return [read(path) for path in MODULES]


def _imported(nodes: Iterable[ast.AST]) -> set[str]:
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


def _looks_elsewhere(source: Source) -> set[str]:
    """What a file imports of jdgnn that its floor may not."""
    floor = _floor(source.path)
    if floor in ("__init__", "__main__"):
        return set()
    if floor not in ALLOWED and floor not in GROUND:
        return {f"nothing: {floor} is neither a floor nor ground"}
    imported = {_part(name) for name in _imported(source.imports) if name.split(".")[0] == "jdgnn"}
    return imported - GROUND - {floor} - ALLOWED.get(floor, set())


def test_floors_only_look_down() -> None:
    found = ((source.name, _looks_elsewhere(source)) for source in modules())
    assert_none(
        (f"{name} imports {', '.join(sorted(above))}" for name, above in found if above),
        "a floor imports the ground, itself and the floors below",
    )


def test_no_import_goes_in_a_circle() -> None:
    """Also none inside a function or for type checking only."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in MODULES]
    graph = {}
    for name, source in zip(names, modules(), strict=True):
        imported = _imported(source.imports)
        graph[name] = {one if one in names else one.rpartition(".")[0] for one in imported} & set(names) - {name}
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises a CycleError that names the circle


SEEN_BY_REFERENCE = ("arrays", "check_parts", "sources", "spec", "state")
"""What the reference may know of the engine: settings, widths of layers, the form of a state, and sources of events."""


def _shares_the_tick(source: Source) -> set[str]:
    """What a file of the reference imports of the engine's arithmetic."""
    seen = tuple(f"jdgnn.emulation.{name}." for name in SEEN_BY_REFERENCE)
    engine = ("jdgnn.emulation", "jdgnn.learning.local_step", "jdgnn.backend")
    return {name for name in _imported(source.imports) if name.startswith(engine) and not name.startswith(seen)}


def test_the_reference_shares_nothing_with_the_tick() -> None:
    found = ((source.name, _shares_the_tick(source)) for source in modules() if _floor(source.path) == "reference")
    assert_none(
        (f"{name} imports {', '.join(sorted(shared))}" for name, shared in found if shared),
        "the reference computes a tick by itself",
    )


def test_errors_stand_on_nothing() -> None:
    assert not {name for name in _imported(read(PACKAGE / "errors.py").imports) if name.startswith("jdgnn")}


def _imports_too_much(source: Source) -> set[str]:
    """Libraries that a file imports at once, or at all, and must not."""
    floor = _floor(source.path)
    everywhere = {name.split(".")[0] for name in _imported(source.imports)}
    on_import = {name.split(".")[0] for name in _imported(source.body)}
    misplaced = set() if floor == "experiment" else everywhere & EXPERIMENT_ONLY
    return misplaced | (on_import & SLOW - AT_ONCE.get(floor, set()))


def test_libraries_are_imported_where_they_are_needed() -> None:
    found = ((source.name, _imports_too_much(source)) for source in modules())
    assert_none(
        (f"{name} imports {', '.join(sorted(libraries))}" for name, libraries in found if libraries),
        "files import slow libraries where they use them, and those of the command in `experiment` only",
    )


def test_importing_the_package_leaves_slow_libraries_alone() -> None:
    # flax itself imports rich
    slow = "{'jraph', 'matplotlib', 'networkx', 'pandas', 'pyarrow', 'pydantic', 'sklearn'}"
    program = f"import sys, jdgnn; print(*{slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_files_and_functions_are_short() -> None:
    found = [read(path) for path in EVERYTHING]
    long_files = [f"{source.name} has {source.num_lines} lines" for source in found if source.num_lines > 450]
    lengths = (
        (source.name, node.name, (node.end_lineno or 0) - node.lineno) for source in found for node in source.functions
    )
    long_functions = [f"{name}: {one} has {length} lines" for name, one, length in lengths if length >= 90]
    assert_none(long_files + long_functions, "a file has at most 450 lines and a function fewer than 90")


def test_most_files_are_short() -> None:
    assert statistics.median(source.num_lines for source in modules()) < 200


def _public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Public functions and classes of a module, and public methods of the latter."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    member
                    for member in node.body
                    if isinstance(member, ast.FunctionDef) and not member.name.startswith("_")
                )


def _unsaid(source: Source) -> Iterator[str]:
    """What a file leaves without a docstring or a type."""
    if not source.docstring:
        yield "the module has no docstring"
    for node in _public(source.body):
        if not ast.get_docstring(node):
            yield f"{node.name} has no docstring"
        if isinstance(node, ast.FunctionDef):
            if node.returns is None:
                yield f"{node.name} does not say what it returns"
            parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            untyped = [p.arg for p in parameters if p.annotation is None and p.arg not in ("self", "cls")]
            if untyped:
                yield f"{node.name} leaves {', '.join(untyped)} without a type"


def test_what_is_public_is_documented_and_typed() -> None:
    assert_none(
        (f"{source.name}: {fault}" for source in modules() for fault in _unsaid(source)),
        "what is public has a docstring and types",
    )
