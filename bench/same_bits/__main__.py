"""Compares the bits of this tree with those of another revision; status 1 if anything differs.

    python -m bench.same_bits --against main
    python -m bench.same_bits --against HEAD~3 --only 'apart-*' --data-root ../shared/data --optimised

Every registered part, every shipped configuration and what else decides on the program of a run stand in some small
setting. Both revisions run all settings, and their histories, final states and embeddings are compared, also of a run
that is saved, restored and resumed. A difference needs a reason.

Programs are compiled without optimisation, which takes a third of the time, unless `--optimised` says otherwise: then
also differences show that only come of which operations the compiler puts together.
"""

import argparse
import fnmatch
import os
import sys
import tempfile
from pathlib import Path

from bench.same_bits.comparing import compare, parts_apart, shown
from bench.same_bits.revisions import HERE, Running, unpack
from bench.same_bits.settings import Setting, all_settings

UNOPTIMISED = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
"""For XLA."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the comparison, and gives the exit status."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="same-bits-") as name:
        folder = Path(name)
        settings, left_out = all_settings(folder, options.data_root)
        chosen = {name: settings[name] for name in fnmatch.filter(settings, options.only)}
        told = [
            f"{name}: left out ({reason})" for name, reason in left_out.items() if fnmatch.fnmatch(name, options.only)
        ]
        if options.list:
            print("\n".join([*chosen, *told]))
            return 0
        if not chosen:
            sys.exit(f"--only: expected a pattern that some of the settings match, got {options.only!r}; see --list")
        for line in told:
            print(line)
        if not options.optimised:
            os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {UNOPTIMISED}"
        return _compared(options.against, chosen, folder, options.cache or folder / "compiled")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench.same_bits", description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--against", metavar="REV", help="the other revision: a commit, branch or tag")
    what.add_argument("--list", action="store_true", help="list the settings, and run nothing")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="only settings with such names, as in 'apart-*'")
    parser.add_argument("--cache", metavar="DIR", type=Path, help="keep compiled programs in DIR for the next time")
    parser.add_argument("--optimised", action="store_true", help="compile as users do; this takes thrice the time")
    root = os.environ.get("JDGNN_DATA")
    parser.add_argument(
        "--data-root",
        metavar="DIR",
        type=Path,
        default=Path(root) if root else None,
        help="directory with a folder for each data set; JDGNN_DATA if not given. Without it, configurations that need "
        "files are left out",
    )
    return parser


def _compared(revision: str, settings: dict[str, Setting], folder: Path, cache: Path) -> int:
    """Runs both revisions at once; the second begins at the end, so that each compiles half of what both need."""
    tree = folder / "other"
    unpack(revision, tree)
    running = []
    try:
        for name, root, order in (("here", HERE, settings), ("there", tree, dict(reversed(settings.items())))):
            (folder / name).mkdir()
            running.append(Running(root, order, folder / name, cache.absolute()))
        (here, our_parts), (there, their_parts) = (one.outcomes() for one in running)
    finally:
        for one in running:
            one.stop()
    for line in parts_apart(our_parts, their_parts):
        print(line)
    found = compare({name: here[name] for name in settings}, there)
    print(shown(found))
    return 1 if found.different or not found.same else 0


if __name__ == "__main__":
    sys.exit(main())
