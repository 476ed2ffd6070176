"""Descriptions of GPUs that programs can be compiled for where there is none.

The plugin of JAX that compiles for NVIDIA's GPUs takes such a description in place of a device.
"""

from typing import NamedTuple

import jax
import numpy as np
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jdgnn.errors import InputError, suggestion

HOPPER = """\
gpu_device_info {{
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: 233472
  shared_memory_per_block_optin: 232448
  threads_per_core_limit: 2048
  core_count: 132
  fpus_per_core: 128
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
  clock_rate_ghz: 1.98
  memory_bandwidth: {bandwidth}
  l2_cache_size: {cache}
  device_memory_size: {memory}
  cuda_compute_capability {{ major: 9 }}
}}
platform_name: "CUDA"
dnn_version_info {{ major: 9 minor: 10 }}
runtime_version {{ major: 12 minor: 9 patch: 0 }}
device_description_str: "NVIDIA {name}"
"""


class Gpu(NamedTuple):
    """How a GPU differs from others of its generation."""

    name: str
    bandwidth: int  # bytes per second
    cache: int  # bytes
    memory: int  # bytes


GPUS = {
    "H100": Gpu("H100 80GB HBM3", 3_352_320_000_000, 52_428_800, 84_929_347_584),
    "H200": Gpu("H200", 4_917_000_000_000, 62_914_560, 150_100_000_000),
}

WHEELS = ("jax-cuda12-plugin", "jax-cuda12-pjrt", "nvidia-cuda-nvcc-cu12")
"""The packages that a compilation needs; the first two in the version of jax."""


def packages() -> list[str]:
    """What to install for a compilation, in the versions that fit."""
    return [*(f"{wheel}=={jax.__version__}" for wheel in WHEELS[:2]), WHEELS[2]]


def placement(gpu: str) -> NamedSharding:
    """Where the arrays of a program lie that is compiled for one such GPU.

    Args:
      gpu: one of `GPUS`.

    Returns:
      A sharding, as `jax.ShapeDtypeStruct` takes it.

    Raises:
      InputError: there is no such GPU, or the compiler's packages are missing.
    """
    if gpu not in GPUS:
        raise InputError(f"gpu: got {gpu!r}; {suggestion(gpu, list(GPUS))}")
    try:
        found = topologies.get_topology_desc(
            platform="cuda", target_config=HOPPER.format(**GPUS[gpu]._asdict()), topology="1x1x1"
        )
    except Exception as error:  # of a plugin that is not there or does not fit, whose errors have no common type
        raise InputError(
            "gpu_check: expected JAX's compiler for CUDA in this process, got "
            f"{type(error).__name__}: {str(error)[:200]}; install it into a folder of its own (pip install --no-deps "
            f"--target FOLDER {' '.join(packages())}), and start Python with PYTHONPATH=FOLDER and JAX_PLATFORMS=cpu"
        ) from error
    return NamedSharding(Mesh(np.array(found.devices), ("gpu",)), PartitionSpec())


if __name__ == "__main__":
    print(*packages())
