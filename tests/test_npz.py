"""Archives of arrays: what they hold is known before it is unpacked, once, and bounded."""

import io
import tracemalloc
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import jdgnn
from jdgnn import npz
from jdgnn.network.files.archive import read_named_arrays
from jdgnn.npz import read_archive

MEBIBYTE = 2**20
ARRAYS: dict[str, NDArray[Any]] = {
    "numbers": np.arange(24.0).reshape(2, 3, 4),
    "columns first": np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
    "texts": np.array(["a", "äöü"]),
    "one": np.array(7),
    "none": np.zeros((0, 5), np.float32),
    "flags": np.array([True, False]),
}


def peak_of(action: Any) -> int:
    """The most memory held at a time, in bytes."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 MiB of zeros in about 64 kB."""
    path = tmp_path_factory.mktemp("archives") / "packed.npz"
    np.savez_compressed(path, features=np.zeros((64, MEBIBYTE), np.uint8))
    assert path.stat().st_size < 100_000
    return path


def test_arrays_come_back(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", allow_pickle=False, **ARRAYS)
    found = read_archive(tmp_path / "a.npz", MEBIBYTE)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].flags.f_contiguous == array.flags.f_contiguous
        assert found[name].flags.writeable
        np.testing.assert_array_equal(found[name], array)


def test_what_is_packed_is_unpacked_once(packed: Path) -> None:
    assert 64 * MEBIBYTE < peak_of(lambda: read_archive(packed, 2**31)) < 70 * MEBIBYTE


def test_what_is_refused_is_not_unpacked(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rejected(message: str, most: int = 2**31, needed: tuple[str, ...] = ("features",)) -> None:
        monkeypatch.setattr("jdgnn.network.files.archive.MOST_BYTES", most)
        with pytest.raises(jdgnn.InputError, match=message):
            read_named_arrays("archive", packed, ("senders", "features"), needed)

    assert peak_of(lambda: rejected("has no array 'senders'", needed=("senders", "features"))) < MEBIBYTE
    assert peak_of(lambda: rejected("arrays of 67,108,864 bytes, and 1,000,000 are the most", 10**6)) < MEBIBYTE
    monkeypatch.setattr(npz, "host_bytes", lambda: 60 * MEBIBYTE)
    message = "arrays of 67,108,864 bytes, and 62,914,560 bytes of memory are left"
    assert peak_of(lambda: rejected(message)) < MEBIBYTE


def written(path: Path, *members: tuple[str, bytes]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of two members with one name
        for name, content in members:
            archive.writestr(name, content)
    return path


def as_npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_a_double_member_is_named(tmp_path: Path) -> None:
    one, other = as_npy(np.arange(3)), as_npy(np.arange(4))
    path = written(tmp_path / "a.npz", ("senders.npy", one), ("senders.npy", other))
    with pytest.raises(jdgnn.InputError, match=r"is no sound .npz \(it has senders twice\)"):
        jdgnn.network.read_files(archive=path)
    with pytest.raises(jdgnn.InputError, match=r"replay: .* is damaged, as it has senders twice; record it again"):
        jdgnn.protocol.replaying.Record(path)


def test_a_member_that_is_longer_or_shorter_than_it_says_is_refused(tmp_path: Path) -> None:
    content = as_npy(np.arange(1000))
    for wrong in (content + b"x", content[:-1], content[:20]):
        with pytest.raises(ValueError):
            read_archive(written(tmp_path / "a.npz", ("numbers.npy", wrong)), MEBIBYTE)
    path = written(tmp_path / "a.npz", ("numbers.npy", content))
    damaged = bytearray(path.read_bytes())
    damaged[path.stat().st_size // 2] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"BadZipFile|error"):
        read_archive(path, MEBIBYTE)
