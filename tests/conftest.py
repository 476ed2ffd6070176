"""What every test shares: strict promotion of dtypes, repeatable hypothesis, and where the real graphs are."""

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

# Most of the suite's time is compilation of programs that run for milliseconds. Set before JAX starts its backend, and
# for the processes that tests start. One module for each program is compiled sooner than several, as there are as many
# processes as processors already.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
)
os.environ.setdefault("JAX_TRACEBACK_IN_LOCATIONS_LIMIT", "0")  # programs that tell no lines are made sooner
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "compiled"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import hypothesis
import jax
import psutil
import pytest

from jdgnn.backend import library

for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:  # in the background of a shell; processes of tests inherit it
        signal.signal(number, handler)
jax.config.update("jax_numpy_dtype_promotion", "strict")
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeatable")

DATA_ROOT = Path(os.environ.get("JDGNN_DATA") or Path(__file__).parents[2] / "shared" / "data")
DONE = pytest.StashKey[tuple[int, Path | None]]()
LEFT_OUT: dict[str, str] = {}  # markers whose tests cannot run here, and why
if not DATA_ROOT.is_dir() and os.environ.get("CI") != "true":
    LEFT_OUT["shared_data"] = f"no folder {DATA_ROOT} (set JDGNN_DATA)"
CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists() and os.environ.get("CI") != "true":
    LEFT_OUT["browser"] = f"no {CHROMIUM} (Debian's package chromium)"
if find_spec("torch") is None:
    LEFT_OUT["torch"] = "PyTorch is not installed (pip install torch)"


SLOWEST = ("test_demo.py", "test_processes.py", "test_docs.py")
"""Files whose tests come first, so that processes that share the work end together; and while there is memory for runs
of gigabytes, as pages have."""
MAPPINGS, MANY_MAPPINGS, MOST_MAPPINGS = Path("/proc/self/maps"), 20_000, 40_000
MANY_BYTES, MOST_BYTES = 3 * 2**30, 5 * 2**30  # of memory in one process of tests
COMPILED, MOST_COMPILED = Path(__file__).parents[1] / ".pytest_cache" / "compiled", 2**30  # bytes


def pytest_configure(config: pytest.Config) -> None:
    """Begins anew with compiled programs that are kept, when those of many revisions have come together."""
    is_worker = hasattr(config, "workerinput")
    if not is_worker and sum(path.stat().st_size for path in COMPILED.glob("*")) > MOST_COMPILED:
        shutil.rmtree(COMPILED)


@pytest.fixture(autouse=True)
def _room_for_programs(request: pytest.FixtureRequest) -> None:
    """Forgets compiled programs now and then: they take memory, and mappings, of which a process may have 65 530.

    Between two files, if possible, as tests of one file may count programs.
    """
    done, before = request.config.stash.get(DONE, (0, None))
    request.config.stash[DONE] = done + 1, request.path
    within = request.path == before
    if (done % 10 == 0 or not within) and (
        _mappings() > (MOST_MAPPINGS if within else MANY_MAPPINGS)
        or psutil.Process().memory_info().rss > (MOST_BYTES if within else MANY_BYTES)
    ):
        jax.clear_caches()
        gc.collect()


def _mappings() -> int:
    return MAPPINGS.read_bytes().count(b"\n") if MAPPINGS.exists() else 0


@pytest.fixture(scope="session")
def compiled() -> None:
    """The compiled kernels are there; where they cannot be, what needs them is skipped."""
    if (reason := library.why_not()) is not None:
        pytest.skip(reason)


@pytest.fixture
def in_double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.fixture
def data_root() -> Path:
    assert DATA_ROOT.is_dir(), f"no folder {DATA_ROOT}: set JDGNN_DATA to the one that holds the real graphs"
    return DATA_ROOT


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if any(item.get_closest_marker(marker) for marker in LEFT_OUT)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: item.path.name not in SLOWEST)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Has Python look seldom for what nobody refers to, and never at what stays: tracing makes a lot of both."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for marker, reason in LEFT_OUT.items():
        terminalreporter.write_line(f"tests marked {marker} were left out: {reason}")
