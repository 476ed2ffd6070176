"""Runs settings with the jdgnn of one tree: `python program.py TREE SETTINGS OUT CACHE`, in a process of its own.

The same file runs with both revisions, so it uses what both have: the public API, and what `_built` and `_parts` name.
SETTINGS is a JSON object of settings by name, as `bench.same_bits.settings` writes them. OUT gets one line of JSON for
each: digests of all arrays by where they stand, or why there are none. Beside it stand the smaller arrays themselves,
in NAME.npz, so that it can be said by how much arrays differ.
"""

import hashlib
import json
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

MOST_NUMBERS = 2**22
"""In an array that is kept beside its digest."""


def main(tree: str, settings: str, out: str, cache: str) -> None:
    """Imports jdgnn from a tree, and runs all settings."""
    sys.path[0] = tree  # in place of the folder of this file
    import jax

    import jdgnn

    assert Path(str(jdgnn.__file__)).is_relative_to(tree), f"jdgnn comes from {jdgnn.__file__}, not from {tree}"
    jax.config.update("jax_compilation_cache_dir", cache)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    with Path(out).open("w") as file:
        print(json.dumps({"parts": _parts()}), file=file, flush=True)
        for name, setting in json.loads(Path(settings).read_text()).items():
            arrays = Path(out).parent / f"{name}.npz"
            print(json.dumps({"name": name, **_outcome(setting, arrays)}), file=file, flush=True)


def _parts() -> dict[str, list[str]]:
    """All parts of this revision, by kind."""
    from jdgnn.experiment.config.catalogue import KINDS

    return {"drop" if kind == "loss" else kind: sorted(one.parts) for kind, one in KINDS.items()}


def _outcome(setting: dict[str, Any], file: Path) -> dict[str, Any]:
    import jax
    import numpy as np

    import jdgnn

    jax.config.update("jax_enable_x64", setting["float64"])
    try:
        arrays = _arrays(setting, *_built(setting))
        np.savez(file, **{name: array for name, array in arrays.items() if array.size <= MOST_NUMBERS})
        return {"digests": {name: _digest(array) for name, array in arrays.items()}, "arrays": str(file)}
    except jdgnn.InputError as error:
        return {"rejected": str(error)}
    except Exception:  # the other settings are still worth running
        return {"failed": traceback.format_exc()}


def _built(setting: dict[str, Any]) -> tuple[Any, Any]:
    """Emulator and network of a setting."""
    import numpy as np

    from jdgnn.experiment.config.defaults import completed
    from jdgnn.experiment.config.networks import make_network
    from jdgnn.experiment.config.schema import resolve
    from jdgnn.experiment.run.experiment import make_emulator

    config = resolve(_known_here(setting["tables"]))
    root = setting["data_root"]
    network = make_network(config.network, data_root=root and Path(root), seed=config.seed)
    if setting["link_quality"]:
        quality = np.random.default_rng(1).random(network.num_edges, np.float32)
        network = replace(network, link_quality=quality)
    if setting["float64"]:
        network = replace(network, features=network.features.astype(np.float64))
    emulator = make_emulator(completed(config, network.num_features))
    return replace(emulator, **_foreign(setting["foreign"])), network


def _known_here(tables: dict[str, Any]) -> dict[str, Any]:
    """The configuration in words that this revision knows."""
    import jdgnn

    if hasattr(jdgnn, "DropModel"):
        return tables
    former = {"initial": "start", "active_fraction": "awake_share", "drop": "loss", "partition": "split"}
    return {
        former.get(key, key): _known_here(value) if isinstance(value, dict) else value for key, value in tables.items()
    }


def _foreign(name: str) -> dict[str, Any]:
    """Parts from other libraries, which no configuration can name."""
    import jax
    import optax
    from flax import linen

    import jdgnn
    from jdgnn.learning import aggregation

    class Sum(linen.Module):
        @linen.compact
        def __call__(self, own: jax.Array, aggregated: jax.Array) -> jax.Array:
            return linen.Dense(4)(own + aggregated)

    if name == "optax":
        return {"optimizer": optax.adamw(1e-2)}
    if name == "linen":
        return {"layers": [jdgnn.from_linen(Sum(), aggregation.mean), jdgnn.gcn(3)]}
    return {}


def _arrays(setting: dict[str, Any], emulator: Any, network: Any) -> dict[str, Any]:
    """Runs a setting as a whole, then in two halves with a checkpoint between them."""
    import jax

    import jdgnn

    ticks, record_every = setting["ticks"], setting["record_every"]
    state = emulator.init(jax.random.key(3), network)
    first = jdgnn.copy(state)
    state, history = jdgnn.run(emulator, state, network, ticks, record_every=record_every)
    found = {"history": history, "state": state, "embeddings": emulator.embeddings(state)}
    found["encoded"] = emulator.encode(state.params, network)
    half, _ = jdgnn.run(emulator, first, network, ticks // 2, record_every=record_every)
    with tempfile.TemporaryDirectory() as folder:
        jdgnn.save(Path(folder) / "half", emulator, half, network)
        half = jdgnn.restore(Path(folder) / "half", emulator, network)
    half, rest = jdgnn.run(emulator, half, network, ticks - ticks // 2, record_every=record_every)
    found |= {"resumed history": rest, "resumed state": half}
    arrays = _leaves(found)
    if setting["refresh"]:
        arrays |= _leaves({"refreshed": jdgnn.refresh(emulator, state, network, 2)})
    return arrays


def _leaves(tree: Any) -> dict[str, Any]:
    """The arrays of a tree by where they stand."""
    import jax
    import numpy as np

    found = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        is_key = isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        array = np.asarray(jax.random.key_data(leaf) if is_key else leaf)
        found[jax.tree_util.keystr(path, simple=True, separator=".")] = array
    return found


def _digest(array: Any) -> str:
    """SHA-256 of an array with its shape and type."""
    return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
