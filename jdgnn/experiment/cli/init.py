"""`jdgnn init`: a configuration for tables of one's own."""

import argparse
import itertools
import sys
from pathlib import Path

from jdgnn.errors import InputError
from jdgnn.experiment.cli.help import Commands, add_command
from jdgnn.experiment.cli.options import check_new_file
from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.proposal import proposed, template
from jdgnn.experiment.config.schema import EvaluationTable, read
from jdgnn.experiment.run.evaluate import with_splits
from jdgnn.files import whole_file
from jdgnn.network import Network

MOST_PER_CLASS = 5


def add(commands: Commands) -> None:
    """Adds the command `init`."""
    init = add_command(
        commands,
        "init",
        help="write a configuration for tables of your own",
        description="Looks at a table of edges and one of nodes, and writes a configuration that reads them, with the "
        "reason for each choice: which columns hold ids, classes and features, what becomes of text and empty cells, "
        "and whether links go both ways. Without tables it writes a template.",
        examples={
            "jdgnn init edges.csv nodes.csv": "write network.toml; then: jdgnn run network.toml",
            "jdgnn init edges.csv nodes.csv --out mine.toml": "give it another name",
            "jdgnn init edges.txt": "a list of edges alone",
            "jdgnn init mesh.graphml": "a file that holds nodes and links",
            "jdgnn init": "a template, with all keys explained",
        },
    )
    init.add_argument("edges", type=Path, nargs="?", metavar="EDGES", help="table of links, or a file of a graph")
    init.add_argument("nodes", type=Path, nargs="?", metavar="NODES", help="table of nodes")
    init.add_argument(
        "--out", type=Path, default=Path("network.toml"), metavar="FILE", help="what to write (default: network.toml)"
    )
    init.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    init.set_defaults(command=_init)


def _init(arguments: argparse.Namespace) -> None:
    out: Path = arguments.out
    check_new_file("--out", out, overwrite=arguments.overwrite)
    if arguments.edges is None:
        _write(out, template(str(out)))
        print(f"{out}: a template for two tables; change it, then: jdgnn run {out}")
        return
    _write(out, proposed(arguments.edges, arguments.nodes, out.parent, str(out)))
    try:
        network = make_network(read(out).network, data_root=None, seed=0)
        if table := _evaluation(network):
            _write(out, out.read_text(encoding="utf-8") + table)
    except InputError as error:
        print(f"jdgnn: warning: {out} is written, and cannot be run yet: {error}", file=sys.stderr)
        return
    print(network)
    print(f"{out}: look at its comments, then: jdgnn run {out}")


def _evaluation(network: Network) -> str:
    """The table `evaluation` where classes are too small for what it says if it is left out."""
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
