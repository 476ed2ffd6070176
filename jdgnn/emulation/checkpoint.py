"""States on disk: each is written completely or not at all, and is read back to the bit or rejected.

A checkpoint is a directory that orbax writes: `state` holds the arrays of the state by name, and `about` describes them
in JSON: the format's number, the arrays, the network, and SHA-256 digests of the state, of the features of the network
and of this description.
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
from jdgnn.emulation.state import State, check_alive
from jdgnn.errors import InputError
from jdgnn.files import read_bytes, size_of
from jdgnn.keys import impl_of, is_key
from jdgnn.network.conversion import as_network
from jdgnn.network.identity import differences
from jdgnn.network.topology import topology
from jdgnn.protocol.recording import checked_path

FORMAT = 2
MOST_TEXT = 2**26  # bytes of a description, with its notes
TRIES = 20


class OtherWayWarning(UserWarning):
    """A state was computed in another way than its continuation, so the bits are those of neither way."""


class DamagedError(InputError):
    """A checkpoint differs from what was saved."""


def save(path: str | Path, emulator: Spec, state: State, network: Any, *, notes: Any = None) -> str:
    """Writes the complete state: parameters, moments, keys, buffers and messages in flight.

    The state stays usable. The directory gets its name when it is complete, so a process that is killed earlier leaves
    nothing that looks like a checkpoint.

    Args:
      path: a directory that does not exist yet, in one that exists.
      emulator: the parts that made the state.
      state: all nodes.
      network: the network the state was made for.
      notes: anything that JSON can represent, for `read_notes`.

    Returns:
      The state's digest, as `digest` returns it.

    Raises:
      InputError: `path` exists or has no parent directory, or the arguments do not belong together.
      OSError: the state could not be written, for example because the disk is full.

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
        raise InputError(f"path: expected a new directory, got {path}, which exists; give another name, or remove it")
    if not path.parent.is_dir():
        raise InputError(f"path: there is no directory {path.parent}; make it, or give another one")
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
    """Removes the remains of a failed write, some of whose threads may still write for a moment."""
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
        except Exception as error:  # TensorStore raises other errors, for example when the disk is full
            found = re.search(r"os_error_code='(\d+)'", str(error))
            code = int(found[1]) if found else errno.EIO
            raise OSError(code, os.strerror(code), str(path)) from error


def restore(path: str | Path, emulator: Spec, network: Any) -> State:
    """Reads a saved state; every bit is the same.

    The emulator may have other settings than the one that made the state, for example another learning rate, if its
    state has the same arrays. The network must be the same.

    Args:
      path: a directory that `save` has written, such as one in the `checkpoints` of a run.
      emulator: the parts.
      network: the network the state was made for.

    Returns:
      The state.

    Raises:
      InputError: the checkpoint is missing, damaged or of another format, or belongs to another network or other parts.

    Warns:
      OtherWayWarning: the state was saved with compiled kernels and is restored without them, or the other way round.
    """
    path = checked_path("path", path)
    about = read_about(path)
    network = as_network(network)
    links, features = topology(network), features_of(network)
    differing = differences(np.array(about["network"], np.uint32), network.identity)
    if not differing and about["features"] != _digest({"features": np.asarray(features)}):
        differing = "other features"
    if differing:
        raise InputError(f"network: expected the one that {path} was saved on, got another one: {differing}")
    key = jax.random.key(0, impl=about["key_impl"])
    expected = shapes_of(emulator, key, links, features)
    leaves, structure = jax.tree.flatten_with_path(expected)
    wanted = {_name(place): _described(leaf) for place, leaf in leaves}
    _check_same(path, wanted, about["arrays"])
    arrays = _read(path, wanted)
    if _digest(arrays) != about["digest"]:
        raise _damaged(path, "its arrays are not those that were saved")
    values = [_as_leaf(arrays[_name(place)], leaf) for place, leaf in leaves]
    before, now = read(about.get("way")), way(emulator.backend, emulator.cores)
    if before is not None and not now.is_like(before):
        warnings.warn(
            OtherWayWarning(f"{path} was saved in a run computed {before}, and ticks are now computed {now}"),
            stacklevel=2,
        )
    return jax.tree.unflatten(structure, values)


def digest(state: State) -> str:
    """SHA-256 of a state: two states with the same digest have the same bits and continue alike.

    The identity of the network is included, so states that differ only in the names of nodes have other digests.

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
    """Reads the notes that were saved with a state.

    Raises:
      InputError: the checkpoint is missing, damaged or of another format.
    """
    return read_about(checked_path("path", path))["notes"]


def read_about(path: Path) -> dict[str, Any]:
    """Reads the description of a checkpoint; InputError if it is missing, damaged or of another format."""
    if not path.is_dir():
        what = "is a file" if path.exists() else "there is no such directory"
        raise InputError(f"path: {path}: {what}; give a checkpoint that jdgnn has saved")
    try:
        about = json.loads(read_bytes(path / "about" / "metadata", MOST_TEXT).decode())
    except OSError as error:
        raise DamagedError(f"path: expected a checkpoint of jdgnn, got {path}, which has no description") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    known = about.get("format") if isinstance(about, dict) else None
    if not isinstance(known, int) or isinstance(known, bool):
        raise InputError(f"path: expected a checkpoint of jdgnn, got {path}, whose description names no format")
    if known != FORMAT:
        age = "a newer" if known > FORMAT else "an older"
        raise InputError(
            f"path: {path} has format {known}, of {age} jdgnn ({about.get('jdgnn')}), and this one reads {FORMAT}; "
            "read it with that one"
        )
    if about.get("seal") != _seal(about):
        raise _damaged(path, "its description is not what was saved")
    return about


def _seal(about: Mapping[str, Any]) -> str:
    """SHA-256 of the description of a checkpoint."""
    said = {key: value for key, value in about.items() if key != "seal"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path, why: object) -> DamagedError:
    return DamagedError(f"path: {path} is damaged ({why}); use an earlier one")


def _check_same(path: Path, wanted: Mapping[str, list[Any]], found: Mapping[str, Any]) -> None:
    for name in dict.fromkeys((*wanted, *found)):
        if wanted.get(name) != found.get(name):
            raise InputError(
                f"emulator: expected the parts that {path} was saved with, got other ones: {name} is "
                f"{_shown(found.get(name))} in the checkpoint, and {_shown(wanted.get(name))} with this emulator"
            )


def _shown(described: list[Any] | None) -> str:
    return "missing" if described is None else f"{described[0]} {described[1:]}"


def _read(path: Path, wanted: Mapping[str, list[Any]]) -> dict[str, NDArray[Any]]:
    """Reads the arrays without orbax, which would take as much memory as its files ask for."""
    arrays = {}
    for name, (kind, *shape) in wanted.items():
        needed = math.prod(shape) * np.dtype(kind).itemsize
        file = path / "state" / name / (".".join("0" * len(shape)) or "0")  # one chunk, see `_checkpointer`
        try:
            if needed and (found := size_of(file)) != needed:
                raise _damaged(path, f"{name} has {found} bytes of {needed}")
            numbers = np.fromfile(file, np.uint8) if needed else np.zeros(0, np.uint8)
        except PermissionError:
            raise
        except OSError as error:
            raise _damaged(path, f"{name}: {error}") from error
        arrays[name] = numbers.view(kind).reshape(shape)
    return arrays


@contextlib.contextmanager
def _checkpointer() -> Iterator[Any]:
    """Orbax, imported when it is needed, without its log messages."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # every failure also raises an exception
    try:
        from orbax import checkpoint as orbax

        # Numbers of a state hardly compress, and one file per array is several times as fast as one for all.
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
