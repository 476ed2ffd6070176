"""Pickles and npz archives are read without running what they bring along."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from jdgnn.errors import InputError
from jdgnn.network.datasets.restricted import read_npz, read_pickle
from tests.bad_inputs import assert_told


class _Call:
    """Pickles to a call of anything."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call, self.arguments


def _hostile(target: Path) -> dict[str, bytes]:
    """Pickles that would make `target`, each by another way."""
    command = f"touch {target}"
    expression = f"open({str(target)!r}, 'w')"
    return {
        "os.system": f"cos\nsystem\n(S{command!r}\ntR.".encode(),
        "posix.system": f"cposix\nsystem\n(S{command!r}\ntR.".encode(),
        "eval": pickle.dumps(_Call(eval, expression)),
        "exec of Python 2": f'c__builtin__\nexec\n(S"{expression}"\ntR.'.encode(),
        "getattr": f"c__builtin__\ngetattr\n(c__builtin__\n__import__\nS'os'\ntR.{target}".encode(),
        "attribute of what is admitted": pickle.dumps(_Call(pickle.loads, pickle.dumps(_Call(eval, expression)))),
        "dotted name": f'\x80\x04\x8c\x05numpy\x8c\x1andarray.__class__.__base__\x93(S"{command}"\ntR.'.encode(),
        "numpy file": f"cnumpy\nfromfile\n(S{str(target)!r}\ntR.".encode(),
        "numpy memmap": f"cnumpy\nmemmap\n(S{str(target)!r}\nS'uint8'\nS'w+'\nI0\n(I4\nttR.".encode(),
        "numpy runstring": f'cnumpy.testing._private.utils\nrunstring\n(S"{expression}"\n(dtR.'.encode(),
        "numpy load": f"cnumpy\nload\n(S{str(target)!r}\nNI01\ntR.".encode(),
        "scipy": f"cscipy.io\nloadmat\n(S{str(target)!r}\ntR.".encode(),
        "persistent name": b"Pname\n.",
        "extension": b"\x80\x02\x82\x01.",
        "state of a class": b"\x80\x02cnumpy\nndarray\nN}X\x05\x00\x00\x00arrayK\x01s\x86b.",
        "state of a function": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}X\x01\x00\x00\x00xK\x01sb.",
        "call of an array": f"cnumpy\nndarray\n(S{command!r}\ntR.".encode(),
    }


NAMES = sorted(_hostile(Path("target")))


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_pickle_runs_nothing(name: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    with pytest.raises(InputError, match="graph: not a sound pickle") as rejected:
        read_pickle(_hostile(target)[name], "graph")
    assert_told("Pickles and npz archives of data sets", f"a pickle with {name}", rejected.value)
    assert not target.exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_member_of_an_npz_runs_nothing(name: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "|O", "fortran_order": False, "shape": ()})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("adj_matrix.npy", member.getvalue() + _hostile(target)[name])
    with pytest.raises(InputError, match=r"a\.npz: not a sound npz archive"):
        read_npz(archive.getvalue(), "a.npz")
    assert not target.exists()


def test_what_is_refused_is_named() -> None:
    with pytest.raises(InputError, match=r"it asks for os\.system, which no data set needs"):
        read_pickle(b"cos\nsystem\n(S'true'\ntR.", "graph")


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("form", [np.int32, np.float64, np.dtype(">i4"), np.dtype("<U3"), np.bool_])
def test_arrays_of_every_kind_come_through(form: Any, protocol: int) -> None:
    array = np.arange(6).reshape(2, 3).astype(form)
    for given in (array, np.asfortranarray(array)):
        read = read_pickle(pickle.dumps(given, protocol), "array")
        np.testing.assert_array_equal(read, array)
        assert read.flags.writeable


def test_old_and_new_spellings_of_module_names_are_read() -> None:
    old = pickle.dumps(np.arange(3), 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    new = pickle.dumps(np.arange(3), 3).replace(b"numpy.core.multiarray", b"numpy._core.multiarray")
    assert old != new
    for content in (old, new):
        assert read_pickle(content, "array").tolist() == [0, 1, 2]


def test_sparse_matrices_come_through_pickle_and_npz() -> None:
    matrix = sparse.csr_matrix(np.array([[0, 1.5], [2, 0]]))
    np.testing.assert_array_equal(read_pickle(pickle.dumps(matrix), "m").toarray(), matrix.toarray())
    file = io.BytesIO()
    np.savez_compressed(file, adjacency=np.array(matrix, dtype=object), labels=np.array([1, 0]))
    members = read_npz(file.getvalue(), "graph.npz")
    np.testing.assert_array_equal(members["adjacency"].toarray(), matrix.toarray())
    assert members["labels"].tolist() == [1, 0]


def test_a_sparse_matrix_that_points_outside_itself_is_refused() -> None:
    matrix = sparse.csr_matrix(np.eye(2))
    matrix.indices[0] = 7_000_000
    with pytest.raises(InputError, match="m: not a sound pickle"):
        read_pickle(pickle.dumps(matrix), "m")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(share: float) -> None:
    content = pickle.dumps({"matrix": sparse.csr_matrix(np.eye(50)), "labels": np.arange(50)})
    with pytest.raises(InputError, match=r"graph: not a sound pickle .* download the file again"):
        read_pickle(content[: int(share * len(content))], "graph")
    file = io.BytesIO()
    np.savez(file, matrix=np.array(sparse.csr_matrix(np.eye(50)), dtype=object), labels=np.arange(50))
    with pytest.raises(InputError, match=r"graph\.npz: not a sound npz archive"):
        read_npz(file.getvalue()[: int(share * len(file.getvalue()))], "graph.npz")


def test_a_truncated_member_of_a_sound_archive_is_refused() -> None:
    member = io.BytesIO()
    np.save(member, np.arange(100))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("labels.npy", member.getvalue()[:-8])
    with pytest.raises(InputError, match=r"a\.npz: not a sound npz archive"):
        read_npz(archive.getvalue(), "a.npz")


TWICE = "".join(f"g{n}\n\x86p{n + 1}\n" for n in range(60))
"""Makes a pair of what is on the stack twice, 60 times over."""
BOMBS = {
    "bytes that are not there": b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b"x.",
    "a number that is not there": b"\x80\x02\x8b\xff\xff\xff\x7f1.",
    "a key that takes for ever to hash": f"}})p0\n{TWICE}Ns.".encode("latin1"),
    "an unknown instruction": b"(lp0\n0g0\n.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_pickle_takes_little_memory_and_time(name: str) -> None:
    with pytest.raises(InputError, match="graph: not a sound pickle") as rejected:
        read_pickle(BOMBS[name], "graph")
    assert_told("Pickles and npz archives of data sets", f"a pickle with {name}", rejected.value)


def test_a_high_place_in_the_memo_takes_no_memory() -> None:
    assert read_pickle(b"\x80\x02Nr\xff\xff\xff\x7f.", "graph") is None


def test_what_is_mentioned_often_is_made_once() -> None:
    twice = "".join(f"}}(S'a'\ng{n}\nS'b'\ng{n}\nup{n + 1}\n" for n in range(60))
    found = read_pickle(f"}}p0\n{twice}.".encode("latin1"), "graph")
    assert found["a"] is found["b"]


def test_an_archive_that_unpacks_to_more_than_any_data_set_is_refused() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.npy", "w") as member:
        for _ in range(300):
            member.write(bytes(2**20))
    with pytest.raises(InputError, match=r"it holds 314,572,800 bytes, more than any data set"):
        read_npz(archive.getvalue(), "a.npz")


def test_a_sparse_matrix_too_large_to_be_spread_out_is_refused() -> None:
    matrix = sparse.csr_matrix((3, 2**40))
    with pytest.raises(InputError, match="m: not a sound pickle"):
        read_pickle(pickle.dumps(matrix), "m")
