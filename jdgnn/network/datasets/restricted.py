"""Reads pickles and npz archives without running anything they bring along.

A pickle is a program. Here the only names it may mention are those that published arrays need, and each stands for a
plain record below: NumPy and SciPy see the numbers only after they have been checked. It is Python's own unpickler that
reads them, not the one in C, which takes as much memory as a hostile pickle names.
"""

import io
import math
import pickle
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

import numpy as np

from jdgnn.errors import InputError
from jdgnn.npz import check_members, check_memory, declared, header_of, read_member

MOST_BYTES = 2**28
"""Of what a data set's file holds, once unpacked."""


class _DtypeRecord:
    """Stands for `numpy.dtype`."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code = code
        self.byte_order: Any = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.byte_order = state[1]

    def dtype(self) -> np.dtype[Any]:
        if not isinstance(self.code, str) or not re.fullmatch(r"[biufSUO?]\d{0,6}", self.code, re.ASCII):
            raise ValueError(f"dtype {self.code!r}")
        dtype = np.dtype(object if self.code.startswith("O") else self.code)
        return dtype if self.byte_order == "|" else dtype.newbyteorder(self.byte_order)


class _ArrayRecord:
    """Stands for `numpy.ndarray` and the function that makes one."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.dtype, self.is_fortran, self.data = state

    def array(self, decoded: "_Decoded") -> Any:
        dtype = self.dtype.dtype()
        if dtype.hasobject:  # savez wraps whatever is no array into one of a single object
            if self.shape != ():
                raise ValueError("array of objects")
            (item,) = self.data
            return decoded(item)
        # Python 2 wrote the bytes as a string
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        return np.frombuffer(data, dtype).reshape(self.shape, order="F" if self.is_fortran else "C").copy()


class _SparseRecord:
    """Stands for `scipy.sparse.csr_matrix`."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.fields = state

    def matrix(self, decoded: "_Decoded") -> Any:
        from scipy import sparse

        data, indices, indptr = (decoded(self.fields[part]) for part in ("data", "indices", "indptr"))
        shape = self.fields["_shape"]
        if math.prod(shape) * data.dtype.itemsize > MOST_BYTES:
            raise ValueError(f"a matrix of {shape}")
        matrix = sparse.csr_array((data, indices, indptr), shape=shape)
        matrix.check_format(full_check=True)
        return matrix


def _new_list() -> list[Any]:
    """Stands for `list` where a table makes its entries."""
    return []


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _ArrayRecord,
    ("numpy._core.multiarray", "_reconstruct"): _ArrayRecord,
    ("numpy", "ndarray"): _ArrayRecord,
    ("numpy", "dtype"): _DtypeRecord,
    ("scipy.sparse.csr", "csr_matrix"): _SparseRecord,
    ("scipy.sparse._csr", "csr_matrix"): _SparseRecord,
    ("__builtin__", "list"): _new_list,
    ("builtins", "list"): _new_list,
    ("collections", "defaultdict"): defaultdict,
}


_INSTRUCTIONS = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.GLOBAL, pickle.STACK_GLOBAL),
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE),
    *(pickle.INT, pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG, pickle.LONG1),
    *(pickle.FLOAT, pickle.BINFLOAT),
    *(pickle.STRING, pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.BINBYTES, pickle.SHORT_BINBYTES),
    *(pickle.UNICODE, pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINBYTES8),
    *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
    *(pickle.EMPTY_LIST, pickle.LIST, pickle.APPEND, pickle.APPENDS, pickle.EMPTY_DICT),
    *(pickle.PUT, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.GET, pickle.BINGET, pickle.LONG_BINGET),
    *(pickle.REDUCE, pickle.BUILD, pickle.NEWOBJ),
)
"""What arrays, matrices, tables and lists take, of the instructions that a pickle can have."""


def _check_keys(keys: list[Any]) -> None:
    """Rejects keys that hold others, as the time to hash one can double with each instruction."""
    for key in keys:
        if not isinstance(key, str | bytes | int | float | None):
            raise InputError(f"it has a key of type {type(key).__name__}, which no data set needs")


def _with_checked_keys(code: bytes) -> Callable[[Any], None]:
    load = pickle._Unpickler.dispatch[code[0]]

    def checked(unpickler: Any) -> None:
        _check_keys(unpickler.stack[-2:-1] if code == pickle.SETITEM else unpickler.stack[::2])
        load(unpickler)

    return checked


class _Unpickler(pickle._Unpickler):
    dispatch: ClassVar[dict[int, Any]] = {
        **{code[0]: pickle._Unpickler.dispatch[code[0]] for code in _INSTRUCTIONS},
        **{code[0]: _with_checked_keys(code) for code in (pickle.DICT, pickle.SETITEM, pickle.SETITEMS)},
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise InputError(f"it asks for {module}.{name}, which no data set needs")
        return _ADMITTED[module, name]


class _Decoded:
    """Makes values of records, each just once, however often it is mentioned, until they are too large together."""

    def __init__(self) -> None:
        self._known: dict[int, Any] = {}
        self._num_bytes = 0

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, _ArrayRecord | _SparseRecord | dict):
            return value
        if id(value) not in self._known:
            self._known[id(value)] = self._made(value)
        return self._known[id(value)]

    def _made(self, value: Any) -> Any:
        if isinstance(value, _ArrayRecord):
            array = value.array(self)
            self._num_bytes += getattr(array, "nbytes", 0)
            if self._num_bytes > MOST_BYTES:
                raise InputError("it holds more than any data set")
            return array
        if isinstance(value, _SparseRecord):
            return value.matrix(self)
        return {key: self(item) for key, item in value.items()}


def _unpickled(content: bytes) -> Any:
    loaded = _Unpickler(io.BytesIO(content), encoding="latin1").load()
    return _Decoded()(loaded)


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
        return _unpickled(content)
    except Exception as error:  # a damaged program can fail in any way
        _reject(name, "pickle", error)


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
            check_members(archive)
            num_bytes = sum(member.file_size for member in archive.infolist())
            if num_bytes > MOST_BYTES:
                raise InputError(f"it holds {num_bytes:,} bytes, more than any data set")
            check_memory(num_bytes)
            return {name.removesuffix(".npy"): _read_member(archive, name) for name in archive.namelist()}
    except Exception as error:
        _reject(name, "npz archive", error)


def _read_member(archive: zipfile.ZipFile, name: str) -> Any:
    header = declared(archive, name)
    if header.dtype.hasobject:
        return _unpickled(archive.read(name)[header.start :])
    header_of(archive, name)
    return read_member(archive, name)


def _reject(name: str, kind: str, error: Exception) -> NoReturn:
    reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    raise InputError(
        f"{name}: not a sound {kind} ({reason}); download the file again from where it was published"
    ) from error
