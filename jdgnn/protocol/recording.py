"""Records of events on file: every random decision of a run, to be replayed, read or plotted.

The file is a ZIP archive of NumPy arrays, which `numpy.load` opens without jdgnn and without pickle:

- `header`: a text in JSON: `version` (2), `num_nodes`, `num_edges`, `first_tick`, `key_impl` (JAX's generator of random
  numbers for `key`), `way` (how the run was computed, a `jdgnn.backend.way.Way`), and `fields`, which gives for each
  recorded field of `jdgnn.protocol.events.Events` its `shape` and `dtype` in one tick, and for whole numbers the
  largest (`max`); if nodes have names, also `names`, a digest of them in four words, as in `jdgnn.network.identity`;
- `senders`, `receivers` [E]: the directed edges of the network, sorted by receiver, then by sender;
- `key`: the run's PRNG key as raw data, from which the keys of objectives that draw are derived;
- `00000000128/push_dst` and the like: one field in a stretch of T ticks from tick 128 on, [T, ...]. Masks are packed to
  bits (`numpy.unpackbits(a, axis=1, count=...)`, over all entries of a tick in C order). Whole numbers have the
  smallest type that holds them. `positives` are counted among the in-edges of their node from 0; its degree stands for
  none.

Ticks follow one another without a gap.
"""

import contextlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from jdgnn.backend.way import Way
from jdgnn.errors import InputError
from jdgnn.network.topology import Topology
from jdgnn.protocol.events import Events

VERSION = 2
STORED = ("push_rank", "push_uniform", "model_rank", "model_uniform", "accept_uniform")  # too random to compress
LONGEST = 64  # ticks of a stretch
RECORDED = tuple(field.name for field in fields(Events) if field.name != "key")  # derived from the run's key


class Recorder:
    """Writes events as they are drawn; a record that ends with an error or an interrupt can be replayed up to there.

    Args:
      path: a file that does not exist yet.
      topology: the links.
      key: the run's key.
      first_tick: number of the first tick.
      length: ticks per stretch of the file, however many are added at once.
      way: how the run is computed; None if unknown.
      names: digest of the names of the nodes, the last row of `Network.identity`; None for no names.

    Raises:
      InputError: the file exists, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        topology: Topology,
        key: jax.Array,
        first_tick: int,
        length: int,
        way: Way | None = None,
        names: NDArray[np.uint32] | None = None,
    ) -> None:
        self._path = checked_path("record", path)
        if self._path.exists():
            raise InputError(f"record: {path} exists; give the name of a new file, or remove it")
        try:
            self._archive = zipfile.ZipFile(self._path, "x", zipfile.ZIP_DEFLATED, compresslevel=1)
        except OSError as error:
            raise InputError(f"record: {path} cannot be written ({error.strerror})") from error
        self._in_offset = np.asarray(topology.in_offset)
        self._in_degree = np.asarray(topology.in_degree)
        self._length, self._next_tick = length, first_tick
        self._is_lost = False
        self._held: list[dict[str, NDArray[Any]]] = []  # not written yet
        self._num_held = 0  # ticks
        self._header: dict[str, Any] = {
            "version": VERSION,
            "num_nodes": topology.num_nodes,
            "num_edges": topology.num_edges,
            "first_tick": first_tick,
            "key_impl": str(jax.random.key_impl(key)),
            "way": way and way._asdict(),
            "fields": {},
        }
        if names is not None and names.any():
            self._header["names"] = names.tolist()
        self._write("senders", np.asarray(topology.senders))
        self._write("receivers", np.asarray(topology.receivers))
        self._write("key", np.asarray(jax.random.key_data(key)))

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Completes the file, unless it could not be written."""
        if self._is_lost:
            return
        if self._num_held:
            self._write_stretch(self._num_held)
        self._write("header", np.array(json.dumps(self._header)))
        with self._said():
            self._archive.close()

    def add(self, events: Events, count: int) -> None:
        """Adds the first `count` ticks of a chunk of events [T, ...]."""
        if not count:
            return
        given = {name: getattr(events, name) for name in RECORDED}
        self._held.append({name: np.asarray(value)[:count] for name, value in given.items() if value is not None})
        self._num_held += count
        while self._num_held >= self._length:
            self._write_stretch(self._length)

    def _write_stretch(self, length: int) -> None:
        """Writes the first ticks of those held, and keeps the others."""
        held = {name: np.concatenate([piece[name] for piece in self._held]) for name in self._held[0]}
        for name, array in held.items():
            self._describe(name, array[:length])
            self._write(f"{self._next_tick:011}/{name}", self._packed(name, array[:length]), name in STORED)
        self._held = [{name: array[length:] for name, array in held.items()}]
        self._num_held -= length
        self._next_tick += length

    def _describe(self, name: str, array: NDArray[Any]) -> None:
        known = self._header["fields"].setdefault(name, {"shape": array.shape[1:], "dtype": str(array.dtype)})
        if array.dtype.kind == "i" and array.size:
            known["max"] = max(int(array.max()), known.get("max", 0))

    def _packed(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype == bool:
            return np.packbits(array.reshape(len(array), -1), axis=1)
        if name == "positives":
            array = np.minimum(array - self._in_offset[:, None], self._in_degree[:, None])
        if array.dtype.kind == "i" and array.size:
            return array.astype(np.min_scalar_type(int(array.max())))
        return array

    def _write(self, name: str, array: NDArray[Any], is_stored: bool = False) -> None:
        member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
        member.compress_type = zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED
        with self._said(), self._archive.open(member, "w", force_zip64=True) as file:
            np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Gives the record up, with a message that names the file, if something cannot be written."""
        try:
            yield
        except OSError as error:
            self._is_lost = True
            stream, self._archive.fp = (
                self._archive.fp,
                None,
            )  # else `close` would write again
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
            reason = error.strerror or error
            raise OSError(f"record: {self._path} could not be written ({reason}), and cannot be replayed") from error


def checked_path(name: str, path: Any) -> Path:
    """Returns a path; InputError unless it is a string or path that names a file."""
    if not isinstance(path, str | Path) or not str(path):
        raise InputError(f"{name}: expected the name of a file, got {path!r}")
    return Path(path)
