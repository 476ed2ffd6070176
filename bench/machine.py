"""What a result was measured on, and with what; and how figures of several seeds are told."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from jdgnn.experiment.run.summary import versions

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"


def machine() -> dict[str, Any]:
    """The processor and how many cores of it there are, and what JAX computes on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "accelerator": jax.devices()[0].device_kind,
    }


def commit() -> str:
    """The commit that was measured, marked if files had been changed since."""
    describe = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    run = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip() or "unknown"


def circumstances() -> dict[str, Any]:
    """Machine, versions and commit, to stand beside every figure."""
    return {"machine": machine(), "versions": versions(), "commit": commit()}


def shown(file: Path, table: Callable[[dict[str, Any]], str]) -> str:
    """A result as a table, or that there is none yet."""
    return table(json.loads(file.read_text())) if file.exists() else f"{file.name}: not measured yet"


def over_seeds(values: list[float]) -> dict[str, Any]:
    """Mean and standard deviation (divisor n − 1), and the values themselves."""
    return {"mean": statistics.mean(values), "sd": statistics.stdev(values) if len(values) > 1 else 0.0, "all": values}
