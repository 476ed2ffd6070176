"""Keeping compiled programs from one run to the next."""

from pathlib import Path

import jax

from jdgnn.errors import InputError


def keep_programs(directory: Path) -> None:
    """Has JAX write all programs that it compiles to a directory, and take them from there.

    Args:
      directory: where; it is made if it does not exist.

    Raises:
      InputError: there can be no such directory.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--compilation-cache: {directory} cannot be made ({error.strerror}); give another") from error
    jax.config.update("jax_compilation_cache_dir", str(directory.resolve()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
