"""Networks and embeddings in files: tables that anybody may have written, and archives."""

from jdgnn.network.files.archive import write
from jdgnn.network.files.embeddings import Embeddings, read_embeddings, write_embeddings
from jdgnn.network.files.reading import read_files

__all__ = ["Embeddings", "read_embeddings", "read_files", "write", "write_embeddings"]
