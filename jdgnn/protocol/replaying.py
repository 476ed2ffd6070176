"""Reads records of events; of the sizes that a file declares none is trusted before it is checked."""

import hashlib
import json
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jdgnn.backend.way import Way, read
from jdgnn.errors import InputError
from jdgnn.network.identity import SHAPE as IDENTITY_SHAPE
from jdgnn.network.identity import differences
from jdgnn.network.topology import Topology
from jdgnn.npz import check_members, check_memory, header_of, read_member
from jdgnn.protocol.events import Events, event_keys
from jdgnn.protocol.recording import LONGEST, RECORDED, VERSION, checked_path

COINS = ("push_uniform", "model_uniform", "accept_uniform")  # unused by algorithms without coins
MOST_HEADER = 2**16  # bytes of the header, and of the key
MOST_STRETCH = 2**30  # bytes of a stretch of several ticks
SETTINGS = {
    "joined": "availability.presence",
    "online": "availability.presence",
    "wake": "availability.clock",
    "link_up": "availability.links",
    "embedding_dropped": "publish.link",
    "embedding_delay": "publish.link",
    "push_dst": "push.fanout",
    "push_rank": "push.fanout",
    "push_dropped": "push.link",
    "push_delay": "push.link",
    "push_uniform": "push.schedule, and gossip.capacity,",
    "model_dst": "gossip.fanout",
    "model_rank": "gossip.fanout",
    "model_dropped": "gossip.link",
    "model_delay": "gossip.link",
    "model_uniform": "gossip.schedule and gossip.capacity",
    "accept_uniform": "gossip.acceptance and gossip.capacity",
    "positives": "num_positives",
}
"""The settings that decide the shape of each recorded field."""


class _Field(NamedTuple):
    """The shape and dtype of a field in one tick, and the largest of its whole numbers."""

    shape: tuple[int, ...]
    dtype: str
    max: int

    @property
    def num_bytes(self) -> int:
        """Bytes of one tick."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


class Record:
    """Reads events from a file.

    Args:
      path: a file written by a `Recorder`.

    Raises:
      InputError: the file is not a valid record.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = checked_path("replay", path)
        if not self._path.exists():
            raise InputError(f"replay: there is no file {path}; give one that was written by record")
        if not self._path.is_file():
            raise InputError(f"replay: {path} is no file; give one that was written by record")
        try:
            self._archive = zipfile.ZipFile(self._path)
        except Exception as error:  # zipfile raises many kinds
            raise self._incomplete() from error
        try:
            check_members(self._archive)
        except ValueError as error:
            raise self._damaged(str(error)) from error
        self._read_header()
        self.stretches = list(self._checked_stretches())
        self.end_tick: int = self.stretches[-1][1] if self.stretches else self.first_tick
        self._held: tuple[int, dict[str, NDArray[Any]]] = (-1, {})

    def _read_header(self) -> None:
        """Takes the header; fields that an emulator cannot use are rejected by `check`."""
        header = self._loaded_header()
        try:
            counts = np.array([header[name] for name in ("num_nodes", "num_edges", "first_tick")], np.uint32)
            self._num_nodes, self._num_edges, self.first_tick = counts.tolist()
            self._fields = {
                name: _Field(tuple(map(int, said["shape"])), np.dtype(said["dtype"]).name, int(said.get("max", 0)))
                for name, said in header["fields"].items()
                if name in RECORDED
            }
            self._names = np.array(header.get("names", [0] * IDENTITY_SHAPE[1]), np.uint32).reshape(IDENTITY_SHAPE[1])
            data = self._array("key", MOST_HEADER)
            self.key = jax.random.wrap_key_data(jnp.asarray(data), impl=header["key_impl"]).reshape(())
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise self._damaged("its header is invalid") from error
        self._way = read(header.get("way"))

    def _loaded_header(self) -> dict[str, Any]:
        try:
            header: dict[str, Any] = json.loads(str(self._array("header", MOST_HEADER)))
            version = header["version"]
        except (InputError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise self._incomplete() from error
        if version != VERSION:
            raise InputError(f"replay: {self._path} is of version {version}, and {VERSION} can be read")
        return header

    def _checked_stretches(self) -> Iterator[tuple[int, int]]:
        """The first tick and the end of each stretch; rejects stretches with a gap or without a field."""
        names, tick = set(self._archive.namelist()), self.first_tick
        if not self._fields:
            return
        for start in sorted({int(name.split("/")[0]) for name in names if re.fullmatch(r"\d{11}/.*", name, re.ASCII)}):
            missing = [name for name in self._fields if f"{start:011}/{name}.npy" not in names]
            if missing or start != tick:
                raise self._damaged(
                    f"{missing[0]} from tick {start} on is missing" if missing else f"tick {tick} is missing"
                )
            lengths = {self._length(start, name) for name in self._fields}
            if len(lengths) != 1:
                raise self._damaged(f"fields from tick {start} on differ in length")
            tick = start + lengths.pop()
            yield start, tick

    def _length(self, start: int, name: str) -> int:
        """Number of ticks of one field in a stretch, from its first bytes."""
        try:
            (length, *_) = header_of(self._archive, f"{start:011}/{name}.npy").shape
        except Exception as error:  # zipfile and NumPy raise many kinds
            raise self._damaged(f"{name} from tick {start} on cannot be read") from error
        if not 1 <= length <= LONGEST or (length > 1 and length * self._fields[name].num_bytes > MOST_STRETCH):
            raise self._damaged(f"{name} from tick {start} on has {length} ticks at once")
        return length

    def _incomplete(self) -> InputError:
        return InputError(f"replay: {self._path} is no complete record of events; give one written by record")

    def _damaged(self, what: str) -> InputError:
        return InputError(f"replay: {self._path} is damaged, as {what}; record it again")

    def _array(self, name: str, most: int) -> NDArray[Any]:
        """An array of at most so many bytes."""
        what = name if "/" not in name else f"{name.split('/')[1]} from tick {int(name.split('/')[0])} on"
        try:
            num_bytes = header_of(self._archive, f"{name}.npy").num_bytes
            if num_bytes > most:
                raise self._damaged(f"{what} is too large")
            check_memory(num_bytes)
            return read_member(self._archive, f"{name}.npy")
        except InputError:
            raise
        except Exception as error:  # zipfile and NumPy raise many kinds
            raise self._damaged(f"{what} cannot be read") from error

    @property
    def sums(self) -> str:
        """Identifies this record: SHA-256 of the names and check sums of its members."""
        members = sorted((member.filename, member.CRC) for member in self._archive.infolist())
        return hashlib.sha256(json.dumps(members).encode()).hexdigest()

    @property
    def shapes(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype in one tick of each recorded field."""
        return {name: (field.shape, field.dtype) for name, field in self._fields.items()}

    def check(
        self,
        topology: Topology,
        identity: NDArray[np.uint32],
        expected: Events,
        max_delays: Mapping[str, int],
        first_tick: int,
        ticks: int,
    ) -> None:
        """Rejects a run that this record does not fit.

        Args:
          topology: the links of the run.
          identity: its network, as in `Network.identity`.
          expected: shapes of the events of one tick of the run.
          max_delays: the longest delays of its links, by field of `Events`.
          first_tick: its first tick.
          ticks: their number.

        Raises:
          InputError: the record is of another network, other ticks, or traffic of another form.
        """
        self._check_network(topology, identity)
        if first_tick < self.first_tick or first_tick + ticks > self.end_tick:
            raise InputError(
                f"replay: {self._path} holds ticks {self.first_tick} to {self.end_tick - 1}, and the run needs "
                f"{first_tick} to {first_tick + ticks - 1}"
            )
        self._check_fields(expected)
        for name, longest in max_delays.items():
            if name in self._fields and (given := self._fields[name].max) > longest:
                raise InputError(
                    f"replay: {self._path} has delays of up to {given} ticks for {name}, and {SETTINGS[name]} of this "
                    f"emulator holds {longest}; give it a longer maximum"
                )

    def other_way(self, now: Way) -> str | None:
        """A clause about how the recorded run was computed, if not in the same way as `now`; else None."""
        if self._way is None or self._way.is_like(now):
            return None
        return f"{self._path} was recorded by a run computed {self._way}, and this one is computed {now}"

    def _check_network(self, topology: Topology, identity: NDArray[np.uint32]) -> None:
        """Compares counts, then links, then names, as far as the record has them."""
        known = np.zeros_like(identity)
        known[0, :2], known[2] = (self._num_nodes, self._num_edges), self._names
        if (known[0, :2] == identity[0, :2]).all():
            links = {name: np.asarray(getattr(topology, name)) for name in ("senders", "receivers")}
            is_same = all(np.array_equal(self._array(name, ends.nbytes), ends) for name, ends in links.items())
            known[1] = identity[1] if is_same else ~identity[1]
        if differing := differences(known, identity):
            raise InputError(
                f"replay: expected the network that {self._path} was recorded on, got another one: {differing}; give "
                "the one it belongs to"
            )

    def _check_fields(self, expected: Events) -> None:
        """Rejects an emulator that needs other events; fields that it does not use may be in the record."""
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
        """Events of `count` ticks with room for `length` [T, ...], in the form of one tick's `template`.

        Raises:
          InputError: the record of these ticks is invalid.
        """
        values = {
            name: np.zeros((length, *leaf.shape), leaf.dtype)
            for name in RECORDED
            if (leaf := getattr(template, name)) is not None
        }
        used = [name for name in values if not _sends_nothing(name, template)]
        for start, end in self.stretches:
            first, last = max(start, first_tick), min(end, first_tick + count)
            if first < last:
                stretch = self._stretch(start, end, used)
                for name in used:
                    values[name][first - first_tick : last - first_tick] = stretch[name][first - start : last - start]
        keys = event_keys(self.key, first_tick + jnp.arange(length, dtype=jnp.int32))
        return replace(template, **jax.tree.map(jnp.asarray, values), key=keys)

    def _stretch(self, start: int, end: int, names: list[str]) -> dict[str, NDArray[Any]]:
        if self._held[0] != start:
            self._held = (start, {name: self._unpacked(start, end - start, name) for name in names})
        return self._held[1]

    def _unpacked(self, start: int, length: int, name: str) -> NDArray[Any]:
        """A field in a stretch [T, ...], as it was drawn."""
        field = self._fields[name]
        array = self._array(f"{start:011}/{name}", length * 2 * field.num_bytes)
        size = math.prod(field.shape)
        packed = (length, -(-size // 8)) if field.dtype == "bool" else (length, *field.shape)
        kinds = {"bool": ("uint8",), "int32": ("uint8", "uint16", "uint32", "int32", "int64")}
        if array.shape != packed or str(array.dtype) not in kinds.get(field.dtype, (field.dtype,)):
            raise self._damaged(f"{name} from tick {start} on is {array.dtype} {array.shape}")
        if field.dtype == "bool":
            return np.unpackbits(array, axis=1, count=size).astype(bool).reshape(length, *field.shape)
        self._check_numbers(array, start, name)
        return self._edges(array) if name == "positives" else array.astype(field.dtype)

    def _check_numbers(self, array: NDArray[Any], start: int, name: str) -> None:
        field = self._fields[name]
        most = min(field.max, self._num_nodes) if name.endswith("_dst") else field.max
        if field.dtype == "int32" and array.size and (array.min() < 0 or array.max() > most):
            raise self._damaged(f"{name} from tick {start} on has a number beyond the largest")
        if field.dtype == "float32" and not ((array >= 0) & (array < 1)).all():
            raise self._damaged(f"{name} from tick {start} on has what is no coin, from 0 to 1")
        if name.endswith("_dst") and (array == np.arange(self._num_nodes)[:, None]).any():
            raise self._damaged(f"{name} from tick {start} on has a node that sends to itself")

    def _edges(self, array: NDArray[Any]) -> NDArray[np.int32]:
        """Numbers of edges, from numbers among the in-edges of each node."""
        receivers = self._array("receivers", 8 * self._num_edges)
        in_degree = np.bincount(receivers, minlength=self._num_nodes)
        in_offset = np.cumsum(in_degree) - in_degree
        is_none = array >= in_degree[:, None]
        return np.where(is_none, self._num_edges, array + in_offset[:, None]).astype(np.int32)


def was_begun(path: Path) -> bool:
    """Whether a file begins like a record, even if it was never completed."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(64)
    return start.startswith(b"PK\3\4") and b"senders.npy" in start


def _sends_nothing(name: str, expected: Events) -> bool:
    """Whether a field concerns pushes or models of an emulator that sends none."""
    kind = name.partition("_")[0]
    return kind in ("push", "model") and getattr(expected, f"{kind}_dst").shape[1] == 0


def _described(form: tuple[tuple[int, ...], str] | None) -> str:
    return "nothing" if form is None else f"{form[1]}{list(form[0])}"
