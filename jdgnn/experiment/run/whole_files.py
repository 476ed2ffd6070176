"""Files of a run that appear complete or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jdgnn.whole_files import partial_name, whole_file

__all__ = ["partial_name", "whole_file", "write_json"]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes readable JSON, in which every number is finite."""
    with whole_file(path) as file:
        file.write((json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
