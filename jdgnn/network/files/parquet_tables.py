"""Tables in Parquet files, read and written with pyarrow."""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from jdgnn.errors import InputError
from jdgnn.network.files.tables import Categories, Column, Table
from jdgnn.regular_files import read_regular

MOST_BYTES = 2**30
MOST_CELLS = 2**28
"""Rows times columns: a few bytes can stand for any number of equal ones."""


def read_parquet(argument: str, path: Path) -> Table:
    """Reads a Parquet file of flat columns.

    Args:
      argument: what the table was given as, for messages.
      path: the file.

    Returns:
      The table.

    Raises:
      InputError: the file cannot be read, is too large or none, or pyarrow is not installed.
    """
    pyarrow = _pyarrow(argument)
    table = Table(argument, str(path), {})
    try:
        content = read_regular(path, MOST_BYTES)
    except OSError as error:
        table.refuse(f"cannot be read ({error.strerror}); give a file of at most {MOST_BYTES:,} bytes")
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content))
        groups = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
        if max(file.metadata.num_rows, sum(groups)) * file.metadata.num_columns > MOST_CELLS:
            table.refuse(f"has more than {MOST_CELLS:,} cells; give an .npz")
        found = file.read()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        table.refuse(f"is no sound Parquet file ({str(error).splitlines()[0] if str(error) else type(error).__name__})")
    if len(set(found.column_names)) < len(found.column_names):
        table.refuse("two columns have the same name; mend that")
    return Table(argument, str(path), {name: _column(pyarrow, found.column(name)) for name in found.column_names})


def _pyarrow(argument: str) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"{argument}: Parquet needs pyarrow; write pip install 'jdgnn[tables]', or give a .csv"
        ) from error
    return pyarrow


def _column(pyarrow: Any, column: Any) -> Column:
    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        whole = column.unify_dictionaries().combine_chunks()
        whole = whole.chunk(0) if isinstance(whole, pyarrow.ChunkedArray) else whole
        codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Categories(np.asarray(codes, np.int64), tuple(map(str, whole.dictionary.to_pylist())))
    is_number = pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)
    return column.to_numpy() if is_number and not column.null_count else column.to_pylist()


def write_parquet(file: IO[bytes], argument: str, columns: Mapping[str, Column]) -> None:
    """Writes columns as a Parquet file.

    Args:
      file: open for bytes.
      argument: what asked for it, for messages.
      columns: as many values in each.

    Raises:
      InputError: pyarrow is not installed.

    Example:
      >>> import io
      >>> file = io.BytesIO()
      >>> write_parquet(file, "path", {"node": ["a", "b"], "e0": np.array([0.5, 1.0])})
      >>> file.getvalue()[:4]
      b'PAR1'
    """
    pyarrow = _pyarrow(argument)
    made = {
        name: pyarrow.DictionaryArray.from_arrays(column.codes, list(column.names))
        if isinstance(column, Categories)
        else pyarrow.array(column)
        for name, column in columns.items()
    }
    pyarrow.parquet.write_table(pyarrow.table(made), file)
