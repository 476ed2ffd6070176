"""Where the kernels cannot be compiled or loaded, there is a reason, and the engine does without them."""

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import jdgnn
from jdgnn.backend import library
from jdgnn.backend.backend import CPU, PLAIN, backend
from tests.support import assert_same_bits, run_optimised, small_emulator, small_network

NETWORK = small_network()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty folder in place of the cache; what is found out about the kernels is forgotten before and after."""
    monkeypatch.setenv(library.CACHE, str(tmp_path / "cache"))
    library.why_not.cache_clear()
    yield tmp_path / "cache"
    monkeypatch.undo()
    library.why_not.cache_clear()
    library.why_not()


def script(path: Path, *lines: str) -> str:
    """A program that stands in for a compiler."""
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def reason() -> str:
    found = library.why_not()
    assert found is not None
    assert found == library.why_not()
    assert backend() is PLAIN
    return found


def assert_does_without(why: str) -> None:
    """The engine says why it cannot, where it must, and else gives the bits it gives when told to do without."""
    jax.clear_caches()  # programs know whether there were kernels, and jit does not
    ends = []
    for how in (None, "plain"):
        emulator = cheap(how)
        state = emulator.init(jax.random.key(0), NETWORK)
        ends.append(jdgnn.run(emulator, state, NETWORK, 5, record_every=2))
    jax.clear_caches()
    assert_same_bits(ends[0][0], ends[1][0])
    assert_same_bits(ends[0][1].loss, ends[1][1].loss)
    with pytest.raises(jdgnn.InputError, match="backend: got 'cpu'") as raised:
        cheap("cpu").init(jax.random.key(0), NETWORK)
    assert why in str(raised.value)


def cheap(how: str | None) -> jdgnn.Emulator:
    return small_emulator(layers=[jdgnn.gcn(4)], optimizer=jdgnn.sgd(0.1), gossip=jdgnn.gossip(capacity=1), backend=how)


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert reason() == "there is no C++ compiler (g++ or clang++)"
    assert_does_without("there is no C++ compiler")
    assert not cache.exists()


@pytest.mark.parametrize("name", ["missing", "is-no-program", "."])
def test_with_a_compiler_that_cannot_be_run(monkeypatch: pytest.MonkeyPatch, cache: Path, name: str) -> None:
    compiler = cache.parent / name
    if name == "is-no-program":
        compiler.write_text("")
    monkeypatch.setenv("CXX", str(compiler))
    assert "cannot be compiled or loaded" in reason()
    assert str(compiler) in reason()
    assert not cache.exists()


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("exit 0",), "cannot be compiled or loaded"),  # and made nothing
        (("exit 1",), "no message"),
        (('test "$1" = --version && exit 0', "echo 'kernels.cc:1: error: what is this' >&2", "exit 1"), "what is this"),
        (('test "$1" = --version && exit 0', "printf '\\377 error' >&2", "exit 1"), "cannot"),
        (('test "$1" = --version && exit 0', 'while test "$1" != -o; do shift; done', 'echo > "$2"'), "cannot"),
    ],
    ids=["makes nothing", "no version", "error", "no text", "makes rubbish"],
)
def test_with_a_compiler_that_fails(
    monkeypatch: pytest.MonkeyPatch, cache: Path, lines: tuple[str, ...], told: str
) -> None:
    monkeypatch.setenv("CXX", script(cache.parent / "compiler", *lines))
    assert told in reason()
    with pytest.raises(jdgnn.InputError, match="backend: got 'cpu'"):
        cheap("cpu").init(jax.random.key(0), NETWORK)


@pytest.mark.parametrize(
    ("name", "rest", "told"),
    [("wrapper", " false", "no message"), ("with spaces", "", "with spaces cannot compile them: error: none of it")],
)
def test_a_compiler_may_be_several_words(
    monkeypatch: pytest.MonkeyPatch, cache: Path, name: str, rest: str, told: str
) -> None:
    lines = ['exec "$@"'] if rest else ["echo 'error: none of it' >&2", 'test "$1" = --version']
    monkeypatch.setenv("CXX", script(cache.parent / name, *lines) + rest)
    assert told in reason()


def test_with_a_compiler_that_takes_too_long(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(library, "MOST_SECONDS", 0.1)
    monkeypatch.setenv("CXX", script(cache.parent / "compiler", "exec sleep 20"))
    assert "took more than" in reason()


@pytest.mark.long
def test_where_the_cache_cannot_be_written(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """A file is in the way, which not even root can write into."""
    cache.write_text("")
    assert "cannot be compiled or loaded" in reason()
    assert str(cache) in reason()
    assert_does_without(str(cache))


def loaded_from() -> Path:
    """Where the library is in the cache, or would be."""
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    assert compiler is not None
    return library._cache() / f"kernels-{library._fingerprint(compiler)}.so"


@pytest.mark.long  # each is compiled anew
@pytest.mark.parametrize("is_cut_off", [False, True])
def test_what_is_broken_in_the_cache_is_made_anew(
    compiled: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_cut_off: bool
) -> None:
    whole = loaded_from()
    monkeypatch.setenv(library.CACHE, str(tmp_path))
    (broken := loaded_from()).parent.mkdir(parents=True)
    library._digest_file(broken).write_text(library._digest(whole))
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2] if is_cut_off else b"rubbish")
    assert "None" in run_optimised("-c", "from jdgnn.backend import library; print(library.why_not())")
    assert library._is_whole(broken)


def test_a_library_without_the_functions(compiled: None, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """A whole library in its place, of which the functions cannot be found."""
    other = loaded_from()
    other.parent.mkdir(parents=True)
    subprocess.run([os.environ.get("CXX", "c++"), "-shared", "-x", "c++", "/dev/null", "-o", str(other)], check=True)
    library._digest_file(other).write_text(library._digest(other))
    assert "cannot be compiled or loaded" in reason()


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """As in a container whose user is a number that nobody knows."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in (library.CACHE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert "home" in reason()


def test_what_is_compiled_changes_the_name_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compilers = [script(tmp_path / name, f"echo {name}") for name in ("one", "two")]
    names = {library._fingerprint(compiler) for compiler in compilers}
    monkeypatch.setattr(library, "FLAGS", (*library.FLAGS, "-g"))
    names.add(library._fingerprint(compilers[0]))
    monkeypatch.setattr(library, "_processor", lambda: "another")
    names.add(library._fingerprint(compilers[0]))
    assert len(names) == 4


def test_kernels_are_not_used_where_they_are_not_allowed() -> None:
    assert backend("plain") is PLAIN
    assert backend("cpu") is backend(None) is (PLAIN if library.why_not() is not None else CPU)


@pytest.mark.parametrize("how", [3, "gpu", 0, 1, np.False_])
def test_what_kernels_cannot_be(how: Any) -> None:
    with pytest.raises(jdgnn.InputError, match=re.escape(f"backend: got {how!r}; allowed: accelerator, cpu, plain")):
        cheap(how)


PROGRAM = """
import json, jax, jdgnn
from jdgnn.backend import library
from jdgnn.backend.backend import CPU, PLAIN, backend
network = jdgnn.generators.ring(8)
emulator = jdgnn.Emulator(layers=[jdgnn.gcn(3)], objective=jdgnn.info_nce(), optimizer=jdgnn.sgd(0.1),
    push=None, gossip=None)
state, _ = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 4)
print(json.dumps([library.why_not(), int(state.tick)]))
"""


@pytest.mark.long
def test_a_process_without_a_compiler_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From its beginning, as a user's would."""
    monkeypatch.setenv("CXX", str(tmp_path / "missing"))
    monkeypatch.setenv(library.CACHE, str(tmp_path))
    why, tick = json.loads(run_optimised("-c", PROGRAM.replace("info_nce", "edge_reconstruction")))
    assert "cannot be compiled or loaded" in why
    assert tick == 4


@pytest.mark.long
def test_a_process_compiles_into_an_empty_cache_and_the_next_finds_it(
    compiled: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(library.CACHE, str(tmp_path))
    times = set()
    for _ in range(2):
        assert json.loads(run_optimised("-c", PROGRAM)) == [None, 4]
        (made,) = tmp_path.rglob("*.so")
        times.add(made.stat().st_mtime_ns)
    assert len(times) == 1
