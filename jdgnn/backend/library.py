"""Compiles the kernels on first use, and registers them with XLA.

They are optional: without a C++ compiler, or on an accelerator, the engine computes the same without them, up to
rounding; `way` reports which.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import jax
import jaxlib

SOURCES = Path(__file__).parent / "csrc"
FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared", "-pthread")
TYPED = ("merge", "descend", "momentum", "adam", "mean", "distances", "sums", "quantiles")
UNTYPED = ("plan", "arrivals", "gather", "copy_rows")
DTYPES = ("float32", "float64")
TARGETS = tuple(f"jdgnn_{name}" for name in UNTYPED) + tuple(
    f"jdgnn_{name}_{dtype}" for name in TYPED for dtype in DTYPES
)
CACHE = "JDGNN_CACHE"
MOST_SECONDS = 300
LONGEST_NAME = 200

_LOADED: list[str] = []  # names of compilers, the last one in use


@functools.cache
def why_not() -> str | None:
    """Compiles and loads the kernels, once in a process.

    Returns:
      None if they are available, else the reason why not.

    Example:
      >>> reason = why_not()
      >>> reason is None or isinstance(reason, str)
      True
    """
    if jax.default_backend() != "cpu":
        return f"they are for CPUs, and JAX computes on {jax.default_backend()}"
    compiler = _compiler()
    if compiler is None:
        return "there is no C++ compiler (g++ or clang++)"
    try:
        _register(ctypes.CDLL(str(_library(compiler))))
        _LOADED.append(_named(_version(compiler)))
    except subprocess.CalledProcessError as error:
        told = error.stderr if isinstance(error.stderr, str) else ""
        first = next((line for line in told.splitlines() if "error" in line), "no message")
        return f"{compiler} cannot compile them: {first}"
    except subprocess.TimeoutExpired:
        return f"{compiler} took more than {MOST_SECONDS} seconds to compile them"
    except (OSError, AttributeError, RuntimeError) as error:  # missing functions, a user without a home
        return f"they cannot be compiled or loaded: {error}"
    return None


def _compiler() -> str | None:
    return os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")


def compiler_name() -> str | None:
    """Name and version of the compiler of the loaded kernels, without a path; None if none are loaded."""
    return _LOADED[-1] if _LOADED else None


def _named(version: bytes) -> str:
    lines = version.decode(errors="replace").strip().splitlines() or ["unknown"]
    return " ".join(word.rpartition("/")[2] for word in lines[0].split())[:LONGEST_NAME]


def _library(compiler: str) -> Path:
    """The compiled file, which is made if it is not in the cache yet."""
    library = _cache() / f"kernels-{_fingerprint(compiler)}.so"
    if _is_whole(library):
        return library
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"{library.parent} cannot be made ({error.strerror})") from error
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        made = Path(folder) / library.name
        sources = [f"-isystem{jax.ffi.include_dir()}", str(SOURCES / "kernels.cc")]
        command = [*_words(compiler), *FLAGS, *sources, "-o", str(made)]
        subprocess.run(command, check=True, capture_output=True, text=True, errors="replace", timeout=MOST_SECONDS)
        _digest_file(library).write_text(_digest(made))
        made.replace(library)  # atomic: another process may be doing the same
    return library


def _words(compiler: str) -> list[str]:
    """A compiler as a command: `CXX` may name one with spaces in its path, or several words such as `ccache g++`."""
    return [compiler] if shutil.which(compiler) else compiler.split()


def _is_whole(library: Path) -> bool:
    """Whether a compiled file is complete."""
    digest = _digest_file(library)  # to load a truncated library would end the process
    return library.is_file() and digest.is_file() and digest.read_bytes() == _digest(library).encode()


def _digest_file(library: Path) -> Path:
    return library.with_suffix(".sha256")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _cache() -> Path:
    given = os.environ.get(CACHE)
    base = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jdgnn"
    return base / "kernels"


def _fingerprint(compiler: str) -> str:
    """Identifies all that decides the compiled code: sources, flags, compiler, XLA's headers and the processor."""
    parts = [path.read_bytes() for path in sorted(SOURCES.glob("*.[ch]*"))]
    parts += [" ".join(FLAGS).encode(), _version(compiler), jaxlib.__version__.encode(), _processor().encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _version(compiler: str) -> bytes:
    command = [*_words(compiler), "--version"]
    return subprocess.run(command, check=True, capture_output=True, timeout=MOST_SECONDS).stdout


def _processor() -> str:
    """The features of the processor, which decide the meaning of `-march=native`."""
    return platform.machine() + "".join(_described())


def _described() -> list[str]:
    """Lines of the kernel about names and instructions of the processors, each once."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.is_file() else []
    return sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})


def processor_name() -> str:
    """The name of the processor, as far as the system knows it.

    >>> processor_name() != ""
    True
    """
    names = [line.partition(":")[2].strip() for line in _described() if line.startswith("model name")]
    return ", ".join(names) or platform.processor() or platform.machine() or "unknown"


def processor_digest() -> str:
    """Identifies processors with the same name and instructions.

    >>> len(processor_digest())
    12
    """
    return hashlib.sha256(_processor().encode()).hexdigest()[:12]


def _register(library: ctypes.CDLL) -> None:
    for name in TARGETS:
        jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, name)), platform="cpu")
