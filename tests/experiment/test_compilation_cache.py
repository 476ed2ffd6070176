"""Compiled programs are kept where one asks for it, and change nothing."""

from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import CONFIG, RING, arrays


@pytest.fixture
def _forgetting() -> Iterator[None]:
    """Programs are compiled anew, and kept elsewhere afterwards."""
    before = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    compilation_cache.reset_cache()
    jax.clear_caches()
    yield
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()


@pytest.mark.usefixtures("_forgetting")
@pytest.mark.long
def test_a_kept_program_gives_the_same_bits(tmp_path: Path) -> None:
    config, cache = tmp_path / "tiny.toml", tmp_path / "deep" / "cache"
    config.write_text(CONFIG)
    embeddings, counts = [], []
    for name in ("first", "second"):
        options = ["--no-report", "--out", str(tmp_path / name), "--compilation-cache", str(cache)]
        assert main(["run", str(config), *RING, *options]) == 0
        embeddings.append(arrays(tmp_path / name, "embeddings.npz")["embeddings"])
        counts.append(len(list(cache.glob("*-cache"))))
        jax.clear_caches()
    np.testing.assert_array_equal(embeddings[0], embeddings[1])
    assert counts[0] > 0
    assert counts[1] == counts[0]


def test_a_cache_that_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(CONFIG)
    assert main(["run", str(config), "--out", str(tmp_path / "out"), "--compilation-cache", str(config / "x")]) == 2
    assert "--compilation-cache" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
