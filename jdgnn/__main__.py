"""`python -m jdgnn` is the command `jdgnn`."""

import sys

from jdgnn.experiment.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
