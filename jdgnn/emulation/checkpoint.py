"""States on disk: each appears whole or not at all, and is read back to the bit or rejected.

A checkpoint is a directory that orbax writes: `state`, an array for each part of the state under the name of the part,
and `about`, a JSON text with the format's number, what the arrays are, which network the state belongs to, and two
SHA-256 digests: of the state, and of the features of the network.
"""

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import logging
import math
import operator
import os
import re
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jdgnn.backend.way import read, way
from jdgnn.emulation.arrays import features_of
from jdgnn.emulation.run import arrays_of
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.start import shapes_of
from jdgnn.emulation.state import State
from jdgnn.emulation.state_checks import check_alive
from jdgnn.errors import InputError
from jdgnn.files import read_bytes, size_of
from jdgnn.keys import impl_of, is_key
from jdgnn.network.conversion import as_network
from jdgnn.network.identity import SHAPE as IDENTITY_SHAPE
from jdgnn.network.identity import differences
from jdgnn.network.topology import topology
from jdgnn.protocol.recording import checked_path

FORMAT = 2
MOST_TEXT = 2**26
"""Bytes of what orbax says of arrays, or a checkpoint of itself with its notes."""
TRIES = 20
KEY_IMPLS = ("threefry2x32", "rbg", "unsafe_rbg")


class OtherWayWarning(UserWarning):
    """The state that a run resumes from was computed in another way, so that its last bits are those of neither."""


class DamagedError(InputError):
    """A checkpoint is not what was saved."""


def save(path: str | Path, emulator: Spec, state: State, network: Any, *, notes: Any = None) -> str:
    """Writes a state, all of it: parameters, moments, keys, buffers and what is on its way.

    The state stays usable. The directory gets its name once it is complete; a process that is killed before leaves
    nothing that could be taken for a checkpoint.

    Args:
      path: a directory that does not exist yet; the one it is in must.
      emulator: the parts the state was made by.
      state: all nodes.
      network: the network the state was made for.
      notes: anything that JSON can say, for `read_notes`.

    Returns:
      The state's digest, as `digest` gives it.

    Raises:
      InputError: there is something of this name, no place for it, or the parts do not fit each other.
      OSError: it could not be written, as when the disk is full.

    Example:
      >>> import jax, jdgnn, tempfile
      >>> network = jdgnn.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(),
      ...     optimizer=jdgnn.adam(1e-2), push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, ticks=20)
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     saved = jdgnn.save(f"{folder}/20", emulator, state, network)
      ...     again = jdgnn.restore(f"{folder}/20", emulator, network)
      >>> jdgnn.digest(again) == jdgnn.digest(state) == saved
      True
    """
    path = checked_path("path", path)
    if path.exists():
        raise InputError(f"path: {path} exists; give the name of a directory that does not, or remove it")
    if not path.parent.is_dir():
        raise InputError(f"path: there is no directory {path.parent}; make it, or give another place")
    _, _, features = arrays_of(emulator, state, network)
    arrays = _arrays(state)
    about = {
        "format": FORMAT,
        "jdgnn": importlib.metadata.version("jdgnn"),
        "tick": int(state.tick),
        "key_impl": str(jax.random.key_impl(state.key)),
        "arrays": {name: [str(array.dtype), *array.shape] for name, array in arrays.items()},
        "digest": _digest(arrays),
        "network": np.asarray(state.network).tolist(),
        "features": _digest({"features": np.asarray(features)}),
        "way": way(emulator.backend, emulator.cores)._asdict(),
        "notes": notes,
    }
    about["seal"] = _seal(about)
    if shutil.disk_usage(path.parent).free < sum(array.nbytes for array in arrays.values()):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    try:
        _write(path.absolute(), arrays, about)
    except BaseException:
        _remove_partial(path)
        raise
    return str(about["digest"])


def _remove_partial(path: Path) -> None:
    """Removes what a failed write has left; others of its writes may still be on their way for a moment."""
    for _ in range(TRIES):
        partial = list(path.parent.glob(f"{path.name}.orbax-checkpoint-tmp*"))
        for folder in partial:
            shutil.rmtree(folder, ignore_errors=True)
        if not partial:
            return
        time.sleep(0.05)


def _write(path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    with _checkpointer() as checkpointer:
        from orbax.checkpoint import args

        kept = {name: array for name, array in arrays.items() if array.size}  # orbax cannot write an empty array
        try:
            checkpointer.save(path, args.Composite(state=args.PyTreeSave(kept), about=args.JsonSave(about)))
        except OSError:
            raise
        except Exception as error:  # TensorStore's own kinds, as when the disk is full
            found = re.search(r"os_error_code='(\d+)'", str(error))
            code = int(found[1]) if found else errno.EIO
            raise OSError(code, os.strerror(code), str(path)) from error


def restore(path: str | Path, emulator: Spec, network: Any) -> State:
    """Reads a state back, to the bit.

    The emulator may have other settings than the one that made the state, such as another learning rate, if its state
    has the same arrays; the network must be the same.

    Args:
      path: a directory that `save` has written, such as one in the `checkpoints` of a run.
      emulator: the parts.
      network: the network the state was made for.

    Returns:
      The state.

    Raises:
      InputError: there is no checkpoint, it is damaged or of another format, or belongs to another network or other
        parts.

    Warns:
      OtherWayWarning: it was saved where compiled kernels were used and now are not, or the other way round.
    """
    path = checked_path("path", path)
    about = read_about(path)
    network = as_network(network)
    links, features = topology(network), features_of(network)
    differing = differences(np.array(about["network"], np.uint32), network.identity)
    if not differing and about["features"] != _digest({"features": np.asarray(features)}):
        differing = "other features"
    if differing:
        raise InputError(
            f"network: expected the one that {path} was saved on, got another one: {differing}; give the one it was "
            "saved on"
        )
    key = jax.random.key(0, impl=about["key_impl"])
    expected = shapes_of(emulator, key, links, features)
    leaves, structure = jax.tree.flatten_with_path(expected)
    wanted = {_name(place): _described(leaf) for place, leaf in leaves}
    _check_same(path, wanted, about["arrays"])
    arrays = _read(path, wanted)
    if _digest(arrays) != about["digest"]:
        raise DamagedError(f"path: {path} is damaged, as its content is not what was saved; take an earlier one")
    values = [_as_leaf(arrays[_name(place)], leaf) for place, leaf in leaves]
    before, now = read(about.get("way")), way(emulator.backend, emulator.cores)
    if before is not None and not now.is_like(before):
        warnings.warn(
            OtherWayWarning(f"{path} was saved in a run computed {before}, and ticks are now computed {now}"),
            stacklevel=2,
        )
    return jax.tree.unflatten(structure, values)


def digest(state: State) -> str:
    """SHA-256 of a state: two that have the same are the same to the bit, and continue alike.

    Which network it is the state of is part of it: states that are the same but for the names of nodes differ.

    Args:
      state: all nodes.

    Returns:
      64 hexadecimal digits.

    Raises:
      InputError: the state was consumed.
    """
    check_alive(state)
    return _digest(_arrays(state))


def read_notes(path: str | Path) -> Any:
    """What was noted when a state was saved.

    Raises:
      InputError: there is no checkpoint, or it is damaged or of another format.
    """
    return read_about(checked_path("path", path))["notes"]


def read_about(path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself.

    Raises:
      InputError: there is no checkpoint, or it is damaged or of another format.
    """
    if not path.is_dir():
        what = "is a file" if path.exists() else "there is no such directory"
        raise InputError(f"path: {path}: {what}; give a checkpoint that jdgnn has saved")
    try:
        about = json.loads(read_bytes(path / "about" / "metadata", MOST_TEXT).decode())
    except OSError as error:
        raise DamagedError(f"path: {path} is no checkpoint of jdgnn, as it says nothing of itself; give one") from error
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"path: {path} is damaged ({error}); take an earlier one") from error
    known = about.get("format") if isinstance(about, dict) else None
    if not isinstance(known, int) or isinstance(known, bool):
        raise InputError(f"path: {path} is no checkpoint of jdgnn, as it names no format; give one that is")
    if known != FORMAT:
        age = "a newer" if known > FORMAT else "an older"
        raise InputError(
            f"path: {path} has format {known}, of {age} jdgnn ({about.get('jdgnn')}), and this one reads {FORMAT}; "
            "read it with that one"
        )
    _check_about(path, about)
    return about


def _check_about(path: Path, about: dict[str, Any]) -> None:
    needed = {"tick": int, "key_impl": str, "arrays": dict, "digest": str, "network": list, "features": str}
    wrong = [name for name, kind in needed.items() if type(about.get(name)) is not kind]
    if not wrong and not all(isinstance(entry, list) and entry for entry in about["arrays"].values()):
        wrong = ["arrays"]
    if not wrong and about["key_impl"] not in KEY_IMPLS:
        wrong = ["key_impl"]
    if not wrong and not _is_identity(about["network"]):
        wrong = ["network"]
    if wrong or "notes" not in about:
        what = wrong[0] if wrong else "notes"
        raise DamagedError(f"path: {path} is damaged ({what} is invalid); take an earlier one")
    if about.get("seal") != _seal(about):
        raise DamagedError(f"path: {path} is damaged, as it says other things than were saved; take an earlier one")


def _is_identity(given: list[Any]) -> bool:
    """Whether these are the words of `jdgnn.network.identity`."""
    rows = [row for row in given if isinstance(row, list) and len(row) == IDENTITY_SHAPE[1]]
    words = [word for row in rows for word in row if type(word) is int and 0 <= word < 2**32]
    return len(rows) == len(given) == IDENTITY_SHAPE[0] and len(words) == math.prod(IDENTITY_SHAPE)


def _seal(about: Mapping[str, Any]) -> str:
    """SHA-256 of all that a checkpoint says of itself."""
    said = {key: value for key, value in about.items() if key != "seal"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _check_same(path: Path, wanted: Mapping[str, list[Any]], found: Mapping[str, Any]) -> None:
    for name in dict.fromkeys((*wanted, *found)):
        if wanted.get(name) != found.get(name):
            raise InputError(
                f"emulator: {path} holds a state of other parts: {name} is {_shown(found.get(name))} there, and "
                f"{_shown(wanted.get(name))} with this emulator; give the one it was saved with"
            )


def _shown(described: Any) -> str:
    return "missing" if described is None else f"{described[0]} {described[1:]}" if described else "nothing"


def _read(path: Path, wanted: Mapping[str, list[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays, once their files are sure to have the right sizes."""
    empty = {name: np.zeros(shape, kind) for name, (kind, *shape) in wanted.items() if 0 in shape}
    kept = [name for name in wanted if name not in empty]
    try:
        _check_tree(path)
        for name in kept:
            _check_files(path / "state" / name, *wanted[name])
        with _checkpointer() as checkpointer:
            from orbax.checkpoint import RestoreArgs, args

            asked = args.PyTreeRestore(
                dict.fromkeys(kept, 0), restore_args=dict.fromkeys(kept, RestoreArgs(np.ndarray))
            )
            read = checkpointer.restore(path.absolute(), args.Composite(state=asked))["state"]
    except (MemoryError, PermissionError):
        raise
    except Exception as error:  # whatever orbax makes of files that are not sound
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DamagedError(f"path: {path} is damaged ({reason[:200]}); take an earlier one") from error
    return {**empty, **read}


def _check_tree(path: Path) -> None:
    """Rejects links, and whatever else is no plain file or directory; what is not an array must be short."""
    for entry in path.rglob("*"):
        if entry.is_symlink():
            raise ValueError(f"{entry.name} is a link")
        if not entry.is_dir() and size_of(entry) > MOST_TEXT and not entry.name[0].isdigit():
            raise ValueError(f"{entry.name} has more than {MOST_TEXT:,} bytes")


def _check_files(folder: Path, kind: str, *shape: int) -> None:
    """Rejects an array that declares anything but what `save` writes, or whose file is longer or shorter than it."""
    declared, numbers = folder / ".zarray", folder / (".".join("0" * len(shape)) or "0")
    others = {file.name for file in folder.iterdir()} - {declared.name, numbers.name}
    if others:
        raise ValueError(f"{folder.name} has a file {min(others)}")
    plain = {"compressor": None, "filters": None, "order": "C", "fill_value": None, "zarr_format": 2}
    wanted = {
        "shape": list(shape),
        "chunks": list(shape),
        "dtype": _zarr_type(kind),
        "dimension_separator": ".",
        **plain,
    }
    if json.loads(read_bytes(declared, MOST_TEXT)) != wanted:
        raise ValueError(f"{folder.name} declares another array")
    needed = math.prod(shape) * np.dtype(kind).itemsize
    if (found := size_of(numbers)) != needed:
        raise ValueError(f"{folder.name} has {found} bytes of {needed}")


def _zarr_type(kind: str) -> str:
    return kind if kind == "bfloat16" else np.dtype(kind).str


@contextlib.contextmanager
def _checkpointer() -> Iterator[Any]:
    """Orbax, imported when it is needed, without its remarks."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what fails is told by an exception as well
    try:
        from orbax import checkpoint as orbax

        # Numbers of a state hardly compress; one file for an array is several times as fast as one for all.
        state = orbax.PyTreeCheckpointHandler(use_ocdbt=False, use_compression=False)
        about = orbax.JsonCheckpointHandler()
        with orbax.Checkpointer(orbax.CompositeCheckpointHandler(state=state, about=about)) as checkpointer:
            yield checkpointer
    finally:
        logger.setLevel(level)


def _arrays(state: State) -> dict[str, NDArray[Any]]:
    """The arrays of a state by name; keys as their data."""
    leaves = jax.tree.leaves_with_path(state)
    return {_name(place): np.asarray(jax.random.key_data(leaf) if is_key(leaf) else leaf) for place, leaf in leaves}


def _name(place: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(place, simple=True, separator=".")


def _described(leaf: Any) -> list[Any]:
    data = jax.eval_shape(jax.random.key_data, leaf) if is_key(leaf) else leaf
    return [str(data.dtype), *data.shape]


def _as_leaf(array: NDArray[Any], leaf: Any) -> jax.Array:
    return jax.random.wrap_key_data(jnp.asarray(array), impl=impl_of(leaf)) if is_key(leaf) else jnp.asarray(array)


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    hashed = hashlib.sha256()
    for name, array in sorted(arrays.items(), key=operator.itemgetter(0)):
        hashed.update(f"{name} {array.dtype} {array.shape}\n".encode())
        hashed.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return hashed.hexdigest()
