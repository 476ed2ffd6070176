"""Where the files of a data set come from: a data root, the cache, or the repository that publishes them.

Whatever the way, a file counts only if its SHA-256 is the one on record, and what was verified is what is parsed. No
more is ever read than the size on record.
"""

import contextlib
import os
from pathlib import Path

from jdgnn.errors import InputError
from jdgnn.files import size_of
from jdgnn.network.datasets.description import DataFile, Dataset
from jdgnn.network.datasets.fetching import fetched, sha256


def contents(
    dataset: Dataset, data_root: str | os.PathLike[str] | None, cache: str | os.PathLike[str] | None
) -> dict[str, bytes]:
    """Gives the verified content of every file of a data set, by file name.

    Args:
      dataset: the data set.
      data_root: folder with one folder per data set; None for the environment variable JDGNN_DATA, and if that is
        not set either, the cache, filled by download.
      cache: folder for downloads; None for `default_cache()`.

    Returns:
      Bytes by file name; empty for a data set without files.

    Raises:
      InputError: a file is missing, differs from the one on record, or cannot be downloaded.

    Example:
      >>> from jdgnn.network.datasets import describe
      >>> contents(describe("digits"), None, None)
      {}
    """
    root = data_root or os.environ.get("JDGNN_DATA")
    if root:
        folder = Path(root) / dataset.name
        return {file.name: _from_data_root(file, folder / file.name) for file in dataset.files}
    folder = (Path(cache) if cache else default_cache()) / dataset.name
    return {file.name: _from_cache(file, folder / file.name, dataset) for file in dataset.files}


def default_cache() -> Path:
    """Gives the folder for downloads: jdgnn under XDG_CACHE_HOME, or under ~/.cache.

    >>> default_cache().name
    'jdgnn'
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jdgnn"


def _from_data_root(file: DataFile, path: Path) -> bytes:
    try:
        return _genuine_content(file, path)
    except OSError as error:
        raise InputError(
            f"data_root: {path} cannot be read ({error.strerror}); write --data-root (or set JDGNN_DATA to) the folder "
            f"that holds {path.parent.name}/{path.name}"
        ) from error
    except ValueError as error:
        raise InputError(f"data_root: {path} is not the published file ({error}); replace it") from error


def _from_cache(file: DataFile, path: Path, dataset: Dataset) -> bytes:
    with contextlib.suppress(OSError, ValueError):
        return _genuine_content(file, path)
    if file.url is None:
        raise InputError(
            f"data_root: {dataset.name} cannot be downloaded; write --data-root (or set JDGNN_DATA to) a folder that "
            f"holds {dataset.name}/{file.name}. Source: {dataset.source}"
        )
    return fetched(file, path)


def _genuine_content(file: DataFile, path: Path) -> bytes:
    """Reads a file; OSError if it cannot be read, ValueError if it is another one, which its size may tell."""
    num_bytes = size_of(path)
    if num_bytes != file.num_bytes:
        raise ValueError(f"{num_bytes} bytes, and {file.num_bytes} are on record")
    with path.open("rb") as opened:
        content = opened.read(file.num_bytes)
    if sha256(content) != file.sha256:
        raise ValueError(f"SHA-256 {sha256(content)}, and {file.sha256} is on record")
    return content
