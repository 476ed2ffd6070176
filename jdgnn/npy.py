"""Arrays in files that anybody may have written: their size is looked at before any memory is taken."""

import io
import math
import warnings
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.host_memory import host_bytes
from jdgnn.regular_files import check_regular

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
MOST_HEADER = 2**16
"""Bytes of what stands before the numbers of an array."""
PIECE = 2**20
"""Bytes that are unpacked at a time."""


class Header(NamedTuple):
    """What an array declares of itself."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    start: int  # where its numbers begin

    @property
    def num_bytes(self) -> int:
        """Of its numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(content: bytes) -> Header:
    """What an array declares, from its first bytes.

    Raises:
      ValueError: it is no array in NumPy's format.
    """
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"an array in version {version} of NumPy's format")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Python 2 wrote
        shape, is_fortran, dtype = HEADERS[version](stream)
    return Header(shape, is_fortran, dtype, stream.tell())


def check_directory(archive: zipfile.ZipFile) -> None:
    """Refuses what a table of contents shows to be unsound.

    Raises:
      ValueError: two members have one name, or one is neither stored nor deflated: others are not unpacked by the
        piece, so that a few bytes can fill any memory.
    """
    names: set[str] = set()
    for member in archive.infolist():
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{member.filename} is compressed in a way that NumPy does not write")
        name = member.filename.removesuffix(".npy")
        if name in names:
            raise ValueError(f"it has {name} twice")
        names.add(name)


def header_of(archive: zipfile.ZipFile, name: str) -> Header:
    """What a member declares, of which only the first bytes are unpacked.

    Raises:
      ValueError: it is no array of numbers or texts, or has not as many bytes as it declares.
    """
    with archive.open(name) as file:
        header = read_header(file.read(MOST_HEADER))
    _check(header, archive.getinfo(name).file_size - header.start)
    return header


def _check(header: Header, num_bytes: int) -> None:
    shape, dtype = header.shape, header.dtype
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    if not dtype.itemsize or any(length < 0 for length in shape) or header.num_bytes != num_bytes:
        raise ValueError(f"an array {shape} of {dtype} that has {num_bytes} bytes")


def check_memory(num_bytes: int) -> None:
    """Refuses to unpack more than there is memory for.

    Raises:
      ValueError: that is so.
    """
    if num_bytes > PIECE and (left := host_bytes()) is not None and num_bytes > left:
        raise ValueError(f"arrays of {num_bytes:,} bytes, and {left:,} bytes of memory are left")


def read_member(archive: zipfile.ZipFile, name: str, header: Header) -> NDArray[Any]:
    """Unpacks a member once, into the array that it is.

    Raises:
      ValueError: it has other bytes than its check sum says.
    """
    array = np.empty(header.shape, header.dtype, order="F" if header.is_fortran else "C")
    flat = array.reshape(-1, order="A").view(np.uint8) if array.size else np.zeros(0, np.uint8)
    with archive.open(name) as file:
        file.read(header.start)
        for start in range(0, len(flat), PIECE):
            piece = flat[start : start + PIECE]
            if len(found := file.read(len(piece))) != len(piece):
                raise ValueError(f"{name} ends too early")
            piece[:] = np.frombuffer(found, np.uint8)
        file.read(1)  # has the check sum looked at
    return array


def read_npy(content: bytes) -> NDArray[Any]:
    """Reads an array in NumPy's format, without pickle.

    Args:
      content: all bytes of it.

    Returns:
      The array, which may be written to.

    Raises:
      ValueError: it is no such array, holds Python objects, or has not as many bytes as it declares.

    Example:
      >>> file = io.BytesIO()
      >>> np.save(file, np.arange(3))
      >>> read_npy(file.getvalue()).tolist()
      [0, 1, 2]
    """
    header = read_header(content)
    _check(header, len(content) - header.start)
    if not header.num_bytes:
        return np.zeros(header.shape, header.dtype)
    flat = np.frombuffer(content, header.dtype, offset=header.start)
    return flat.reshape(header.shape, order="F" if header.is_fortran else "C").copy()


def read_archive(
    path: Path,
    most: int,
    check: Callable[[Mapping[str, Header]], None] = lambda headers: None,
    wanted: Collection[str] | None = None,
) -> dict[str, NDArray[Any]]:
    """Reads all arrays of an `.npz` file, without pickle.

    Its table of contents and what each array declares are looked at before any array is unpacked.

    Args:
      path: where it is.
      most: so many bytes it may have, and its arrays together.
      check: refuses arrays by what they declare, by name.
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
    if check_regular(path) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            check_directory(archive)
            headers = {name.removesuffix(".npy"): header_of(archive, name) for name in archive.namelist()}
            check(headers)
            headers = headers if wanted is None else {name: headers[name] for name in wanted if name in headers}
            declared = sum(header.num_bytes for header in headers.values())
            if declared > most:
                raise ValueError(f"arrays of {declared:,} bytes, and {most:,} are the most")
            check_memory(declared)
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            return {name: read_member(archive, members[name], header) for name, header in headers.items()}
    except (OSError, ValueError):
        raise
    except Exception as error:  # what is no archive can fail in any way
        raise ValueError(f"{type(error).__name__}: {error}") from error
