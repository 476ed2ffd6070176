"""Networks in files: tables that anybody may have written, and archives."""

from jdgnn.network.files.archive import write
from jdgnn.network.files.reading import read_files

__all__ = ["read_files", "write"]
