"""Archives of arrays: what each array declares is checked before it is unpacked, and nothing is unpickled."""

import math
import warnings
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.files import size_of
from jdgnn.host_memory import host_bytes

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
SMALL = 2**20
"""Bytes for which nobody asks how much memory is left."""


class Header(NamedTuple):
    """What an array declares."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int  # where its numbers begin

    @property
    def num_bytes(self) -> int:
        """Of its numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def check_members(archive: zipfile.ZipFile) -> None:
    """Rejects an archive whose table of contents is invalid.

    Raises:
      ValueError: two members have one name, or one is neither stored nor deflated: others are unpacked in pieces of any
        size, so that a few bytes can fill the memory.
    """
    names: set[str] = set()
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{member.filename} is compressed in a way that NumPy does not write")
        if name in names:
            raise ValueError(f"it has {name} twice")
        names.add(name)


def declared(archive: zipfile.ZipFile, member: str) -> Header:
    """What a member declares, of which only the first bytes are unpacked.

    Raises:
      ValueError: it is no array in NumPy's format.
    """
    with archive.open(member) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Python 2 wrote
        version = np.lib.format.read_magic(file)
        if version not in HEADERS:
            raise ValueError(f"an array in version {version} of NumPy's format")
        shape, _, dtype = HEADERS[version](file)
        return Header(shape, dtype, file.tell())


def header_of(archive: zipfile.ZipFile, member: str) -> Header:
    """What a member declares, if it is an array of numbers or texts that has as many bytes as it declares.

    Raises:
      ValueError: it is none.
    """
    header = declared(archive, member)
    num_bytes = archive.getinfo(member).file_size - header.start
    if header.dtype.hasobject:
        raise ValueError("an array of Python objects")
    if not header.dtype.itemsize or min(header.shape, default=0) < 0 or header.num_bytes != num_bytes:
        raise ValueError(f"an array {header.shape} of {header.dtype} that has {num_bytes} bytes")
    return header


def check_memory(num_bytes: int) -> None:
    """Rejects more bytes than there is memory for.

    Raises:
      ValueError: that is so.
    """
    if num_bytes > SMALL and num_bytes > (left := host_bytes()):
        raise ValueError(f"arrays of {num_bytes:,} bytes, and {left:,} bytes of memory are left")


def read_member(archive: zipfile.ZipFile, member: str) -> NDArray[Any]:
    """Unpacks a member whose header was checked.

    Raises:
      ValueError: it has other bytes than its check sum says.
    """
    with archive.open(member) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        file.read(1)  # has the check sum looked at
    return array


def read_archive(
    path: Path,
    most: int,
    check: Callable[[Mapping[str, Header]], None] = lambda headers: None,
    wanted: Collection[str] | None = None,
) -> dict[str, NDArray[Any]]:
    """Reads arrays of an `.npz` file.

    Args:
      path: where it is.
      most: so many bytes it may have, and its arrays together.
      check: rejects arrays by what they declare, by name.
      wanted: names of the arrays that are unpacked; None for all.

    Returns:
      Arrays by name.

    Raises:
      ValueError: it is no such archive, or larger.
      OSError: it cannot be read.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     np.savez(Path(folder) / "a.npz", numbers=np.arange(3))
      ...     read_archive(Path(folder) / "a.npz", 10_000)
      {'numbers': array([0, 1, 2])}
    """
    if size_of(path) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(archive)
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            headers = {name: header_of(archive, member) for name, member in members.items()}
            check(headers)
            chosen = [name for name in (headers if wanted is None else wanted) if name in headers]
            num_bytes = sum(headers[name].num_bytes for name in chosen)
            if num_bytes > most:
                raise ValueError(f"arrays of {num_bytes:,} bytes, and {most:,} are the most")
            check_memory(num_bytes)
            return {name: read_member(archive, members[name]) for name in chosen}
    except (OSError, ValueError):
        raise
    except Exception as error:  # what is no archive can fail in any way
        raise ValueError(f"{type(error).__name__}: {error}") from error
