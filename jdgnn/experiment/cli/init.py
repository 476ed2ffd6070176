"""`jdgnn init`: a configuration for tables of your own."""

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jdgnn.errors import InputError
from jdgnn.experiment.cli.options import Overwrite, check_new_file
from jdgnn.files import whole_file

if TYPE_CHECKING:
    from jdgnn.network import Network

MOST_PER_CLASS = 5


def init(
    edges: Annotated[
        Path | None, typer.Argument(metavar="EDGES", help="table of links, or a file that holds a graph")
    ] = None,
    nodes: Annotated[Path | None, typer.Argument(metavar="NODES", help="table of nodes")] = None,
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="file to write")] = Path("network.toml"),
    overwrite: Overwrite = False,
) -> None:
    """Write a configuration for tables of your own.

    Looks at a table of edges and a table of nodes, and writes a configuration
    that reads them. Comments give the reason for each choice: which columns hold
    ids, classes and features, how text and empty cells are treated, and whether
    links go both ways. Without tables, writes a template.

    Examples:
      jdgnn init edges.csv nodes.csv
          write network.toml; then: jdgnn run network.toml
      jdgnn init edges.csv nodes.csv --out mine.toml
          choose another name
      jdgnn init edges.txt
          a list of edges alone
      jdgnn init mesh.graphml
          a file that holds nodes and links
      jdgnn init
          a template that explains all keys
    """
    from jdgnn.experiment.config.networks import make_network
    from jdgnn.experiment.config.proposal import proposed, template
    from jdgnn.experiment.config.schema import read

    check_new_file("--out", out, overwrite=overwrite)
    if edges is None:
        _write(out, template(str(out)))
        print(f"{out}: a template for two tables; edit it, then: jdgnn run {out}")
        return
    _write(out, proposed(edges, nodes, out.parent, str(out)))
    try:
        network = make_network(read(out).network, data_root=None, seed=0)
        if table := _evaluation(network):
            _write(out, out.read_text(encoding="utf-8") + table)
    except InputError as error:
        print(f"jdgnn: warning: {out} is written, and cannot be run yet: {error}", file=sys.stderr)
        return
    print(network)
    print(f"{out}: read its comments, then: jdgnn run {out}")


def _evaluation(network: "Network") -> str:
    """The table `evaluation` where classes are too small for its defaults."""
    from jdgnn.experiment.config.schema import EvaluationTable
    from jdgnn.experiment.run.evaluate import with_splits

    if network.splits is not None or network.labels is None:
        return ""
    for validation, per_class in itertools.product((0.1, 0.2, 0.3), range(MOST_PER_CLASS, 0, -1)):
        try:
            with_splits(network, EvaluationTable(per_class=per_class, validation=validation))
        except InputError:
            continue
        if (validation, per_class) == (0.1, MOST_PER_CLASS):
            return ""
        keys = f"per_class = {per_class}\nvalidation = {validation}"
        return f"\n# Some classes have few nodes, so splits are smaller than usual.\n[evaluation]\n{keys}\n"
    return "\n# Classes are too small to evaluate embeddings: give several one label, or leave `label` out.\n"


def _write(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write(text.encode())
