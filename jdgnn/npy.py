"""Arrays in files that anybody may have written: their size is looked at before any memory is taken."""

import io
import math
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.regular_files import read_regular

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


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
    shape, is_fortran, dtype, start = read_header(content)
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    needed = math.prod(shape) * dtype.itemsize
    if not dtype.itemsize or any(length < 0 for length in shape) or needed != len(content) - start:
        raise ValueError(f"an array {shape} of {dtype} that has {len(content) - start} bytes")
    if not needed:
        return np.zeros(shape, dtype)
    return np.frombuffer(content, dtype, offset=start).reshape(shape, order="F" if is_fortran else "C").copy()


def read_header(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """What an array declares: shape, whether in Fortran's order, type, and where its numbers begin.

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
    return shape, is_fortran, dtype, stream.tell()


def check_compression(archive: zipfile.ZipFile) -> None:
    """Refuses what is not unpacked by the piece: a few bytes in other ways than NumPy's can fill any memory.

    Raises:
      ValueError: a member is neither stored nor deflated.
    """
    for member in archive.infolist():
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{member.filename} is compressed in a way that NumPy does not write")


def read_archive(path: Path, most: int) -> dict[str, NDArray[Any]]:
    """Reads all arrays of an `.npz` file, without pickle.

    Args:
      path: where it is.
      most: so many bytes it may have, and its arrays together.

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
    try:
        with zipfile.ZipFile(io.BytesIO(read_regular(path, most))) as archive:
            check_compression(archive)
            declared = sum(member.file_size for member in archive.infolist())
            if declared > most:
                raise ValueError(f"arrays of {declared:,} bytes, and {most:,} are the most")
            return {name.removesuffix(".npy"): read_npy(archive.read(name)) for name in archive.namelist()}
    except (OSError, ValueError):
        raise
    except Exception as error:  # what is no archive can fail in any way
        raise ValueError(f"{type(error).__name__}: {error}") from error
