"""Downloads: over https, of no more bytes than are on record, and verified by SHA-256 before anything reads them."""

import hashlib
from pathlib import Path
from typing import Any

from jdgnn.errors import InputError
from jdgnn.network.datasets.description import DataFile

SCHEMES: tuple[str, ...] = ("https://",)

TIMEOUT_SECONDS = 10.0
"""Without a byte."""

PIECE = 2**16
"""Bytes that are taken at a time."""

RETRIES = 2
"""After a first download that failed, or sent another file."""


def fetched(file: DataFile, path: Path) -> bytes:
    """Downloads a file, if it is the one on record, and puts it in place.

    Args:
      file: what to fetch; it has an address.
      path: where to keep it; its folder is made if needed.

    Returns:
      The content.

    Raises:
      InputError: the address does not begin with https, the host cannot be reached, what arrives is not the file on
        record, or it cannot be kept.
    """
    import pooch
    import requests

    if file.url is None or not file.url.startswith(SCHEMES):
        raise InputError(f"{file.name}: expected an address that begins with https://, got {file.url!r}")
    store = pooch.create(
        path=path.parent,
        base_url="",
        registry={path.name: f"sha256:{file.sha256}"},
        urls={path.name: file.url},
        retry_if_failed=RETRIES,
    )
    pooch.get_logger().setLevel("ERROR")

    def download(url: str, output_file: str, _: Any) -> None:
        left = file.num_bytes
        with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as response, open(output_file, "wb") as opened:
            response.raise_for_status()
            if not response.url.startswith(SCHEMES):
                raise ValueError(f"it leads on to {response.url}, which does not begin with https://")
            for piece in response.iter_content(PIECE):
                left -= len(piece)
                if left < 0:
                    raise ValueError("it has more bytes than the file on record")
                opened.write(piece)

    try:
        path.unlink(missing_ok=True)  # whatever is there is not the file
        return Path(store.fetch(path.name, downloader=download)).read_bytes()
    except (OSError, ValueError) as error:  # requests raises subclasses of OSError, pooch a ValueError for another file
        raise InputError(
            f"{file.name}: download from {file.url} failed ({_one_line(error)}); try again, or get it another way and "
            "write --data-root (or set JDGNN_DATA)"
        ) from error


def _one_line(error: Exception) -> str:
    """The reason, without line breaks and commands to the terminal that a server may have sent."""
    if "known hash" in str(error):
        return "it sends another file than the one on record"
    printable = "".join(letter if letter.isprintable() else " " for letter in str(error))
    return " ".join(printable.split())[:200]


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
