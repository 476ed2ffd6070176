"""Real data sets: what is known of them (`DATASETS`, `describe`) and how to `load` them."""

from jdgnn.network.datasets.description import DataFile, Dataset, Task
from jdgnn.network.datasets.registry import DATASETS, describe, load

__all__ = ["DATASETS", "DataFile", "Dataset", "Task", "describe", "load"]
