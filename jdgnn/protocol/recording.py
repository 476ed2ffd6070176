"""A record of events on file: every random decision of a run, to be replayed, read or plotted.

The file is a ZIP archive of NumPy arrays, which `numpy.load` opens without jdgnn and without pickle:

- `header`: a text in JSON: `version` (1), `num_nodes`, `num_edges`, `first_tick`, `key_impl` (how JAX makes random
  numbers of `key`), and `fields`, which gives for each recorded field of `jdgnn.protocol.events.Events` the `shape` and
  `dtype` it has in one tick, and for whole numbers the largest (`max`);
- `senders`, `receivers` [E]: the directed edges of the network, sorted by receiver, then by sender;
- `key`: the run's PRNG key as raw data, from which the keys of objectives that draw are made again;
- `00000000128/push_dst` and the like: one field in a stretch of T ticks from tick 128 on, [T, ...]. Masks are packed to
  bits (`numpy.unpackbits(a, axis=1, count=...)`, over all entries of a tick in C order). Whole numbers have the
  smallest type that holds them. `positives` are counted among the in-edges of their node from 0; its degree stands for
  none.

Ticks follow one another without a gap.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.topology import Topology
from jdgnn.protocol.events import Events, event_keys

VERSION = 1
STORED = ("push_rank", "push_uniform", "model_rank", "model_uniform", "accept_uniform")  # too random to compress
COINS = ("push_uniform", "model_uniform", "accept_uniform")  # which an algorithm that tosses none leaves in the record
RECORDED = tuple(field.name for field in fields(Events) if field.name != "key")  # which follows from the run's key
SETTINGS = {
    "joined": "availability.presence",
    "online": "availability.presence",
    "wake": "availability.clock",
    "embedding_lost": "publish.link",
    "embedding_delay": "publish.link",
    "push_dst": "push.fanout",
    "push_rank": "push.fanout",
    "push_lost": "push.link",
    "push_delay": "push.link",
    "push_uniform": "push.schedule, and gossip.capacity,",
    "model_dst": "gossip.fanout",
    "model_rank": "gossip.fanout",
    "model_lost": "gossip.link",
    "model_delay": "gossip.link",
    "model_uniform": "gossip.schedule and gossip.capacity",
    "accept_uniform": "gossip.acceptance and gossip.capacity",
    "positives": "num_positives",
}
"""What decides the form of each recorded field."""


class Recorder:
    """Writes events as they are drawn; what was written before an error or an interrupt can be replayed.

    Args:
      path: a file that does not exist yet.
      topology: the links.
      key: the run's key.
      first_tick: number of the first tick.
      length: how many ticks go into one stretch of the file, however they come.

    Raises:
      InputError: there is such a file, or it cannot be written.
    """

    def __init__(self, path: str | Path, topology: Topology, key: jax.Array, first_tick: int, length: int) -> None:
        self._path = checked_path("record", path)
        if self._path.exists():
            raise InputError(f"record: {path} exists; give the name of a file that does not, or remove it")
        try:
            self._archive = zipfile.ZipFile(self._path, "x", zipfile.ZIP_DEFLATED, compresslevel=1)
        except OSError as error:
            raise InputError(f"record: {path} cannot be written ({error.strerror})") from error
        self._in_offset = np.asarray(topology.in_offset)
        self._in_degree = np.asarray(topology.in_degree)
        self._length, self._next_tick = length, first_tick
        self._held: list[dict[str, NDArray[Any]]] = []  # what is not written yet,
        self._num_held = 0  # so many ticks
        self._header: dict[str, Any] = {
            "version": VERSION,
            "num_nodes": topology.num_nodes,
            "num_edges": topology.num_edges,
            "first_tick": first_tick,
            "key_impl": str(jax.random.key_impl(key)),
            "fields": {},
        }
        self._write("senders", np.asarray(topology.senders))
        self._write("receivers", np.asarray(topology.receivers))
        self._write("key", np.asarray(jax.random.key_data(key)))

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Completes the file."""
        if self._num_held:
            self._write_stretch(self._num_held)
        self._write("header", np.array(json.dumps(self._header)))
        self._archive.close()

    def add(self, events: Events, count: int) -> None:
        """Takes the next `count` ticks, the first of those of a chunk of events [T, ...]."""
        if not count:
            return
        given = {name: getattr(events, name) for name in RECORDED}
        self._held.append({name: np.asarray(value[:count]) for name, value in given.items() if value is not None})
        self._num_held += count
        while self._num_held >= self._length:
            self._write_stretch(self._length)

    def _write_stretch(self, length: int) -> None:
        """Writes the first ticks of what is held, and keeps the others."""
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
        with self._archive.open(member, "w", force_zip64=True) as file:
            np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)


class Record:
    """Reads events from a file.

    Args:
      path: what a `Recorder` wrote.

    Raises:
      InputError: the file is no such record.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = checked_path("replay", path)
        try:
            self._archive = zipfile.ZipFile(self._path)
        except FileNotFoundError as error:
            raise InputError(f"replay: there is no file {path}; give one that was written by record") from error
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"replay: {path} is no complete record of events; give one written by record") from error
        self._header = self._checked_header()
        self.key = jax.random.wrap_key_data(jnp.asarray(self._array("key")), impl=self._header["key_impl"])
        self.first_tick: int = self._header["first_tick"]
        self.stretches = list(self._checked_stretches())
        self.end_tick: int = self.stretches[-1][1] if self.stretches else self.first_tick
        self._held: tuple[int, dict[str, NDArray[Any]]] = (-1, {})

    def _checked_header(self) -> dict[str, Any]:
        try:
            header: dict[str, Any] = json.loads(str(self._array("header")))
            version = header["version"]
        except (InputError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"replay: {self._path} is no complete record of events; give one written by record"
            ) from error
        if version != VERSION:
            raise InputError(f"replay: {self._path} is of version {version}, and {VERSION} can be read")
        missing = {"num_nodes", "num_edges", "first_tick", "key_impl", "fields"} - set(header)
        if missing:
            raise self._damaged(f"its header has no {min(missing)}")
        for name, field in header["fields"].items():
            if field["dtype"].startswith("int") and "max" not in field:
                raise self._damaged(f"its header has no max for {name}")
        return header

    def _checked_stretches(self) -> Iterator[tuple[int, int]]:
        """First tick and end of each stretch, once it is sure that they follow one another and lack no field."""
        names, tick = set(self._archive.namelist()), self.first_tick
        for start in sorted({int(name.split("/")[0]) for name in names if "/" in name}):
            missing = [name for name in self.shapes if f"{start:011}/{name}.npy" not in names]
            if missing or start != tick:
                raise self._damaged(
                    f"{missing[0]} from tick {start} on is missing" if missing else f"tick {tick} is missing"
                )
            lengths = {self._length(start, name) for name in self.shapes}
            if len(lengths) != 1:
                raise self._damaged(f"fields from tick {start} on differ in length")
            tick = start + lengths.pop()
            yield start, tick

    def _damaged(self, what: str) -> InputError:
        return InputError(f"replay: {self._path} is damaged, as {what}; record it again")

    def _array(self, name: str) -> NDArray[Any]:
        try:
            with self._archive.open(f"{name}.npy") as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, KeyError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise self._damaged(f"{name} cannot be read") from error

    def _length(self, start: int, name: str) -> int:
        """Ticks of one field in a stretch, from the first bytes of it."""
        try:
            with self._archive.open(f"{start:011}/{name}.npy") as file:
                np.lib.format.read_magic(file)
                shape, _, _ = np.lib.format.read_array_header_1_0(file)
                return shape[0]
        except (OSError, IndexError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise self._damaged(f"{name} from tick {start} on cannot be read") from error

    @property
    def shapes(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype in one tick of each recorded field."""
        return {name: (tuple(field["shape"]), field["dtype"]) for name, field in self._header["fields"].items()}

    def check(
        self, topology: Topology, expected: Events, max_delays: Mapping[str, int], first_tick: int, ticks: int
    ) -> None:
        """Refuses a run that this record does not fit.

        Args:
          topology: the links of the run.
          expected: shapes of the events of one tick, as the run would draw them.
          max_delays: the longest delay of its links, by field of `Events`.
          first_tick: its first tick.
          ticks: how many it has.

        Raises:
          InputError: the record is of another network or other ticks, or of traffic of another form.
        """
        for name in ("senders", "receivers"):
            if not np.array_equal(self._array(name), np.asarray(getattr(topology, name))) or (
                self._header["num_nodes"] != topology.num_nodes
            ):
                raise InputError(f"replay: {self._path} was recorded on another network; give the one it belongs to")
        if first_tick < self.first_tick or first_tick + ticks > self.end_tick:
            raise InputError(
                f"replay: {self._path} holds ticks {self.first_tick} to {self.end_tick - 1}, and the run needs "
                f"{first_tick} to {first_tick + ticks - 1}"
            )
        self._check_fields(expected)
        for name, longest in max_delays.items():
            if (given := self._header["fields"].get(name, {}).get("max", 0)) > longest:
                raise InputError(
                    f"replay: {self._path} has delays of up to {given} ticks for {name}, and {SETTINGS[name]} of this "
                    f"emulator holds {longest}; give it a longer maximum"
                )

    def _check_fields(self, expected: Events) -> None:
        """Refuses an emulator that takes other events; what it has no use for at all may be there."""
        for name in RECORDED:
            value, given = getattr(expected, name), self.shapes.get(name)
            needed = None if value is None else (value.shape, str(value.dtype))
            is_unused = _sends_nothing(name, expected) or (needed is None and name in COINS)
            if given != needed and not is_unused:
                raise InputError(
                    f"replay: {self._path} has {_described(given)} for {name}, and this emulator takes "
                    f"{_described(needed)}; let {SETTINGS[name]} be as when it was recorded"
                )

    def read(self, first_tick: int, count: int, length: int, template: Events) -> Events:
        """Events of `count` ticks with room for `length` [T, ...], in the form of one tick's `template`."""
        values = {
            name: np.zeros((length, *leaf.shape), leaf.dtype)
            for name in RECORDED
            if (leaf := getattr(template, name)) is not None
        }
        used = [name for name in values if not _sends_nothing(name, template)]
        for start, end in self.stretches:
            first, last = max(start, first_tick), min(end, first_tick + count)
            if first < last:
                stretch = self._stretch(start)
                for name in used:
                    values[name][first - first_tick : last - first_tick] = stretch[name][first - start : last - start]
        keys = event_keys(self.key, first_tick + jnp.arange(length, dtype=jnp.int32))
        return replace(template, **jax.tree.map(jnp.asarray, values), key=keys)

    def _most(self, name: str) -> int:
        """The largest number that may stand in a field."""
        most: int = self._header["fields"][name]["max"]
        return min(most, self._header["num_nodes"]) if name.endswith("_dst") else most

    def _stretch(self, start: int) -> dict[str, NDArray[Any]]:
        if self._held[0] != start:
            self._held = (start, {name: self._unpacked(start, name) for name in self.shapes})
        return self._held[1]

    def _unpacked(self, start: int, name: str) -> NDArray[Any]:
        shape, dtype = self.shapes[name]
        array = self._array(f"{start:011}/{name}")
        if dtype.startswith("int") and array.size and (array.min() < 0 or array.max() > self._most(name)):
            raise self._damaged(f"{name} from tick {start} on has a number beyond the largest")
        if name.endswith("_dst") and (array == np.arange(len(array[0]))[:, None]).any():
            raise self._damaged(f"{name} from tick {start} on has a node that sends to itself")
        if dtype == "bool":
            size = int(np.prod(shape))
            return np.unpackbits(array, axis=1, count=size).astype(bool).reshape(len(array), *shape)
        if name != "positives":
            return array.astype(dtype)
        in_degree = np.bincount(self._array("receivers"), minlength=self._header["num_nodes"])
        in_offset = np.cumsum(in_degree) - in_degree
        is_none = array >= in_degree[:, None]
        return np.where(is_none, self._header["num_edges"], array + in_offset[:, None]).astype(dtype)


def checked_path(name: str, path: Any) -> Path:
    """Gives a path; InputError unless it is a string or path that names a file."""
    if not isinstance(path, str | Path) or not str(path):
        raise InputError(f"{name}: got {path!r}, and the name of a file is needed")
    return Path(path)


def _sends_nothing(name: str, expected: Events) -> bool:
    """Whether a field concerns pushes or models, where an emulator sends none of them."""
    kind = name.partition("_")[0]
    return kind in ("push", "model") and getattr(expected, f"{kind}_dst").shape[1] == 0


def _described(form: tuple[tuple[int, ...], str] | None) -> str:
    return "nothing" if form is None else f"{form[1]}{list(form[0])}"
