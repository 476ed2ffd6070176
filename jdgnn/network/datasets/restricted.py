"""Reads pickles and npz archives without running anything they bring along.

A pickle is a program. Here the only names it may mention are those that published arrays need, and each stands for a
plain record below: NumPy and SciPy see the numbers only after they have been checked.
"""

import io
import pickle
import re
import zipfile
from collections import defaultdict
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError


class _DtypeRecord:
    """Stands for `numpy.dtype`."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code = code
        self.byte_order: Any = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.byte_order = state[1]

    def dtype(self) -> np.dtype[Any]:
        if not isinstance(self.code, str) or not re.fullmatch(r"[biufSUO?]\d{0,6}", self.code):
            raise ValueError(f"dtype {self.code!r}")
        dtype = np.dtype(object if self.code.startswith("O") else self.code)
        return dtype if self.byte_order == "|" else dtype.newbyteorder(self.byte_order)


class _ArrayRecord:
    """Stands for `numpy.ndarray` and the function that makes one."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.dtype, self.is_fortran, self.data = state

    def array(self) -> Any:
        dtype = self.dtype.dtype()
        if dtype.hasobject:  # savez wraps whatever is no array into one of a single object
            if self.shape != ():
                raise ValueError("array of objects")
            (item,) = self.data
            return _decoded(item)
        # Python 2 wrote the bytes as a string
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        return np.frombuffer(data, dtype).reshape(self.shape, order="F" if self.is_fortran else "C").copy()


class _SparseRecord:
    """Stands for `scipy.sparse.csr_matrix`."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.fields = state

    def matrix(self) -> Any:
        from scipy import sparse

        data, indices, indptr = (_decoded(self.fields[part]) for part in ("data", "indices", "indptr"))
        matrix = sparse.csr_array((data, indices, indptr), shape=self.fields["_shape"])
        matrix.check_format(full_check=True)
        return matrix


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _ArrayRecord,
    ("numpy._core.multiarray", "_reconstruct"): _ArrayRecord,
    ("numpy", "ndarray"): _ArrayRecord,
    ("numpy", "dtype"): _DtypeRecord,
    ("scipy.sparse.csr", "csr_matrix"): _SparseRecord,
    ("scipy.sparse._csr", "csr_matrix"): _SparseRecord,
    ("__builtin__", "list"): list,
    ("builtins", "list"): list,
    ("collections", "defaultdict"): defaultdict,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise InputError(f"it asks for {module}.{name}, which no data set needs")
        return _ADMITTED[module, name]


def _decoded(value: Any) -> Any:
    if isinstance(value, _ArrayRecord):
        return value.array()
    if isinstance(value, _SparseRecord):
        return value.matrix()
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    return value


def read_pickle(content: bytes, name: str) -> Any:
    """Reads a pickle, of Python 2 or 3, of arrays, CSR matrices, and dictionaries and lists of plain values.

    Args:
      content: the bytes of the file.
      name: its name, for messages.

    Returns:
      What was pickled; a CSR matrix as `scipy.sparse.csr_array`.

    Raises:
      InputError: it asks for anything else, is damaged, or ends too early. Nothing it brings along is run.

    Example:
      >>> import pickle
      >>> read_pickle(pickle.dumps({0: [1, 2]}), "graph")
      {0: [1, 2]}
    """
    try:
        return _decoded(_Unpickler(io.BytesIO(content), encoding="latin1").load())
    except Exception as error:  # a damaged program can fail in any way
        _refuse(name, "pickle", error)


def read_npz(content: bytes, name: str) -> dict[str, Any]:
    """Reads an npz archive; members that NumPy pickled go through `read_pickle`'s unpickler.

    Args:
      content: the bytes of the file.
      name: its name, for messages.

    Returns:
      Arrays [...], or what was pickled, by the names of the members without `.npy`.

    Raises:
      InputError: a member asks for what no data set needs, is damaged, or ends too early.

    Example:
      >>> import io, numpy as np
      >>> file = io.BytesIO()
      >>> np.savez(file, edges=np.array([[0, 1]]))
      >>> read_npz(file.getvalue(), "graph.npz")
      {'edges': array([[0, 1]])}
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {
                member.removesuffix(".npy"): _read_npy(io.BytesIO(archive.read(member)))
                for member in archive.namelist()
            }
    except Exception as error:
        _refuse(name, "npz archive", error)


def _read_npy(stream: BinaryIO) -> NDArray[Any] | Any:
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, dtype = read_header(stream)
    if dtype.hasobject:
        return _decoded(_Unpickler(stream, encoding="latin1").load())
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _refuse(name: str, kind: str, error: Exception) -> NoReturn:
    reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    raise InputError(f"{name}: not a sound {kind} ({reason}); get the file anew from where it was published") from error
