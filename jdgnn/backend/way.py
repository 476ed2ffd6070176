"""The way in which a process computes: with or without compiled kernels, and on which processor.

The last bits of a run differ between these ways; between processors, whose instructions the kernels and XLA use; and,
with kernels, between numbers of cores that matrices are cut for.
"""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax

from jdgnn.backend import calls, library

KERNELS, PLAIN, ACCELERATOR = "kernels", "plain", "accelerator"
SWITCHED_OFF = "they are switched off"
REMEDY = (
    "install a C++ compiler (g++ or clang++), have JDGNN_CACHE name a directory that can be written, or state it with "
    'emulation.backend = "plain"'
)
LONGEST = 500  # characters of a reason
TOLD: set[str] = set()  # reasons that this process has reported


class Way(NamedTuple):
    """All that the bits of a run depend on besides its configuration and the versions of libraries.

    Attributes:
      backend: `kernels`, `plain` or `accelerator`.
      reason: why it is plain; with kernels, which operations of a wake are plain, and why; None for none.
      platform: the platform of JAX, such as `cpu`.
      compiler: name and version of the compiler of the kernels; None for plain.
      processor: name of the processor.
      features: a digest of the processor's instructions.
      cores: the number of cores that work is cut for; None if no bit depends on it.
    """

    backend: str
    reason: str | None
    platform: str
    compiler: str | None
    processor: str
    features: str
    cores: int | None

    def __str__(self) -> str:
        """The end of a sentence with the verb `computed`."""
        if self.backend == KERNELS:
            return f"with compiled kernels ({self.compiler})"
        on = "" if self.platform == "cpu" else f" on {self.platform}"
        if self.backend == ACCELERATOR:
            return f"by programs for accelerators{on}"
        return f"without compiled kernels{on} ({self.reason})"

    def is_like(self, other: "Way") -> bool:
        """Whether another way uses the same operations on the same kind of device."""
        return (self.backend, self.platform) == (other.backend, other.platform)

    def differences(self, before: "Way") -> Iterator[str]:
        """Clauses about differences from the way before that may change bits."""
        if not self.is_like(before):
            yield f"it was computed {before} and is now {self}"
        if (self.processor, self.features) != (before.processor, before.features):
            same = self.processor == before.processor
            names = (f"{one.processor}{f' ({one.features})' if same else ''}" for one in (before, self))
            yield "the processor was {} and is {}".format(*names)
        if self.is_like(before) and self.compiler != before.compiler:
            yield f"the compiler was {before.compiler} and is {self.compiler}"
        if self.is_like(before) and self.cores != before.cores:
            yield f"work was cut for {before.cores} cores and is for {self.cores}"


def why_not(name: str | None) -> str | None:
    """Why compiled kernels are not used, by the backend that an emulator asks for; None if they are.

    >>> why_not("plain")
    'they are switched off'
    """
    return library.why_not() if name in (None, "cpu") else SWITCHED_OFF


def is_for_accelerators(name: str | None) -> bool:
    """Whether programs for accelerators are used: if they are asked for, or nothing is and JAX computes on one."""
    return name == ACCELERATOR or (name is None and jax.default_backend() != "cpu")


def way(name: str | None, cores: int | None = None) -> Way:
    """The way in which this process computes, by the emulator's settings of backend and cores.

    Example:
      >>> way("plain").backend, way("plain").reason
      ('plain', 'they are switched off')
    """
    reason = why_not(name)
    processor = library.processor_name(), library.processor_digest()
    platform = jax.default_backend()
    if is_for_accelerators(name):
        return Way(ACCELERATOR, None, platform, None, *processor, None)
    if reason is not None:
        return Way(PLAIN, reason[:LONGEST], platform, None, *processor, None)
    return Way(KERNELS, None, platform, library.compiler_name(), *processor, cores or calls.num_cores())


def read(said: Any) -> Way | None:
    """A way as it was written to a file; None if it is invalid.

    >>> read(way("plain")._asdict()) == way("plain"), read({"backend": 3})
    (True, None)
    """
    if not isinstance(said, dict) or not said.keys() >= {*Way._fields}:
        return None
    found = Way(**{name: said[name] for name in Way._fields})
    return found if found.backend in (KERNELS, PLAIN, ACCELERATOR) and isinstance(found.cores, int | None) else None


def missing(name: str | None) -> str | None:
    """Why kernels are missing where they are expected: on a CPU, if the settings allow them; None if they are not."""
    is_expected = name in (None, "cpu") and jax.default_backend() == "cpu"
    return library.why_not() if is_expected else None


def warning(reason: str) -> str:
    """The warning about missing kernels."""
    return f"compiled kernels are missing ({reason}), so this is slower and has other last bits: {REMEDY}"


def tell_once(name: str | None) -> None:
    """Warns, once in a process, if kernels are expected and missing."""
    if (reason := missing(name)) is not None and reason not in TOLD:
        TOLD.add(reason)
        warnings.warn(warning(reason), UserWarning, stacklevel=3)
