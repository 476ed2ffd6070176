"""Whether this Python has what a benchmark needs; says what to install, and ends with status 1, if it has not.

`python3 -m bench.needed` asks for no library itself, so that it can be asked before anything is imported.
"""

import importlib.metadata
import sys
from collections.abc import Iterable

NEEDED = ("jax", "jaxlib", "flax", "numpy", "optax", "pydantic", "rich", "scikit-learn", "tomli-w")
OLDEST = (3, 11)


def lacking(packages: Iterable[str] = NEEDED) -> list[str]:
    """Those packages that are not installed."""
    found = []
    for package in packages:
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found.append(package)
    return found


def main() -> None:
    """Says what is lacking."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python {'.'.join(map(str, OLDEST))} or newer is needed, and {sys.executable} is older")
    if packages := lacking():
        note = "; for an NVIDIA GPU, 'jax[cuda13]' in place of jax" if "jax" in packages else ""
        sys.exit(f"{sys.executable} lacks {', '.join(packages)}: pip install {' '.join(packages)}{note}")


if __name__ == "__main__":
    main()
