"""Where the files of a data set come from: a data root, the cache, or the repository that publishes them.

Whatever the way, a file counts only if its SHA-256 is the one on record, and what was verified is what is parsed.
"""

import hashlib
import os
import tempfile
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from jdgnn.errors import InputError
from jdgnn.network.datasets.description import DataFile, Dataset

TIMEOUT_SECONDS = 30.0


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
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"data_root: {path} cannot be read ({error.strerror}); write --data-root (or set JDGNN_DATA to) the folder "
            f"that holds {path.parent.name}/{path.name}"
        ) from error
    if not _is_genuine(file, content):
        raise InputError(
            f"data_root: {path} is not the published file (SHA-256 {_sha256(content)}, and {file.sha256} is on "
            "record); replace it"
        )
    return content


def _from_cache(file: DataFile, path: Path, dataset: Dataset) -> bytes:
    if path.is_file():
        content = path.read_bytes()
        if _is_genuine(file, content):
            return content
    if file.url is None:
        raise InputError(
            f"data_root: {dataset.name} cannot be downloaded; write --data-root (or set JDGNN_DATA to) a folder that "
            f"holds {dataset.name}/{file.name}. Source: {dataset.source}"
        )
    return download(file, path)


def download(file: DataFile, path: Path) -> bytes:
    """Downloads a file, verifies it and only then puts it in place.

    Args:
      file: what to fetch.
      path: where to keep it; its folder is made if needed.

    Returns:
      The content.

    Raises:
      InputError: the host cannot be reached, the connection is cut, or what arrives is not the file on record; the
        path is left as it was.
    """
    if file.url is None:
        raise InputError(f"file: {file.name} is not published at any address")
    instead = "try again, or get it another way and write --data-root (or set JDGNN_DATA)"
    try:
        request = Request(file.url, headers={"User-Agent": "jdgnn"})
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            content: bytes = response.read(file.num_bytes + 1)
    except URLError as error:
        if hasattr(error, "close"):
            error.close()
        raise InputError(f"{file.name}: download from {file.url} failed ({error}); {instead}") from error
    except (OSError, HTTPException) as error:
        raise InputError(f"{file.name}: download from {file.url} was cut ({error}); {instead}") from error
    if len(content) > file.num_bytes:
        raise InputError(f"{file.name}: {file.url} sends more than the {file.num_bytes} bytes on record; {instead}")
    if len(content) < file.num_bytes:
        raise InputError(
            f"{file.name}: download from {file.url} was cut after {len(content)} of {file.num_bytes} bytes; {instead}"
        )
    if not _is_genuine(file, content):
        raise InputError(
            f"{file.name}: {file.url} sends a file of SHA-256 {_sha256(content)}, and {file.sha256} is on record; "
            f"{instead}"
        )
    _put_in_place(content, path)
    return content


def _put_in_place(content: bytes, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
            try:
                temporary.write(content)
                temporary.close()
                os.replace(temporary.name, path)
            except BaseException:
                os.unlink(temporary.name)
                raise
    except OSError as error:
        raise InputError(
            f"cache: {path} cannot be written ({error.strerror}); set XDG_CACHE_HOME to a folder that can be"
        ) from error


def _is_genuine(file: DataFile, content: bytes) -> bool:
    return _sha256(content) == file.sha256


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
