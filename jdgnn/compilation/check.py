"""What an emulator's programs would do on a GPU: compiled for one, without having it."""

import dataclasses
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.compilation.device import GPUS, placement
from jdgnn.compilation.hlo import Instruction, Program, parse
from jdgnn.compilation.traffic import Traffic, loops, traffic
from jdgnn.emulation import chunks
from jdgnn.emulation.sources import room
from jdgnn.emulation.start import event_shapes, init, message_bytes, tree_bytes
from jdgnn.emulation.ways import backend_of
from jdgnn.emulator import Emulator
from jdgnn.network.conversion import as_network
from jdgnn.network.identity import SHAPE as IDENTITY_SHAPE
from jdgnn.network.topology import topology

USABLE = 0.95  # of a GPU's memory, if JAX is told to take so much
LARGE = 8  # copies and transposes are counted from this part of all parameters on
LARGEST_SORT = 1.25  # entries, per push of all nodes in a tick


class Compiled(NamedTuple):
    """A compiled program.

    Attributes:
      tick: traffic of one tick that is not recorded, or of one call of a program without ticks.
      recorded: traffic of a recorded tick; None if the program records nothing.
      temp_bytes: memory that it needs besides its arguments and results.
      peak_bytes: memory that it needs in total.
      seconds: duration of the compilation.
    """

    tick: Traffic
    recorded: Traffic | None
    temp_bytes: int
    peak_bytes: int
    seconds: float


class GpuCheck(NamedTuple):
    """What an emulator's programs would do on a GPU; printed, a table.

    Attributes:
      gpu: its name.
      num_nodes: N.
      num_pushes: number of pushes of all nodes in a tick.
      chunk: number of ticks for which a chunk of a run has room.
      parameter_bytes: P, the bytes of the parameters of all nodes.
      state_bytes: bytes of the whole state.
      programs: by name: `advance` (ticks), `draw` (their events), `refresh` and `init`. Each has the traffic of a
        `tick` (`num_bytes`, `kernels`, `copied`, ...), `temp_bytes` and `peak_bytes`.
    """

    gpu: str
    num_nodes: int
    num_pushes: int
    chunk: int
    parameter_bytes: int
    state_bytes: int
    programs: dict[str, Compiled]

    @property
    def tick(self) -> Traffic:
        """One tick that is not recorded."""
        return self.programs["advance"].tick

    def in_parameters(self, num_bytes: float) -> float:
        """Bytes as multiples of P."""
        return num_bytes / self.parameter_bytes

    def peak_of(self, num_nodes: int) -> float:
        """Bytes that a run of so many nodes of the same kind needs: those of this network, scaled."""
        return max(program.peak_bytes for program in self.programs.values()) * num_nodes / self.num_nodes

    def problems(self) -> list[str]:
        """What a program does that no program for a GPU should do."""
        found = []
        for name, program in self.programs.items():
            for counted in filter(None, (program.tick, program.recorded)):
                found += [f"{name}: {problem}" for problem in self._problems_of(counted)]
        if self.chunk < 2 or self.chunk % 2:
            found.append(f"advance: expected room for an even number of ticks in a chunk, got {self.chunk}")
        if self.in_parameters(self.tick.copied) > 0.3:
            found.append(f"advance: copies {self.in_parameters(self.tick.copied):.2f} P in a tick")
        memory = USABLE * GPUS[self.gpu].memory
        peak = self.peak_of(self.num_nodes)
        if peak > memory:
            found.append(f"needs {peak / 1e9:.1f} GB, and {USABLE:.0%} of the memory is {memory / 1e9:.1f} GB")
        return list(dict.fromkeys(found))

    def _problems_of(self, counted: Traffic) -> list[str]:
        found = []
        if counted.unknown_loops:
            found.append(f"{counted.unknown_loops} loops run as often as data says, and nothing says how often usually")
        if counted.float_scatter_adds:
            found.append(f"{counted.float_scatter_adds} kernels add floats in no fixed order, so runs do not repeat")
        if counted.largest_sort > LARGEST_SORT * max(self.num_pushes, self.num_nodes):
            found.append(f"sorts {counted.largest_sort:,} entries")
        return found

    def __str__(self) -> str:
        """A table of the programs, and what is wrong with them."""
        lines = [
            f"{self.num_nodes:,} nodes compiled for one {self.gpu}; P = {self.parameter_bytes / 1e6:,.1f} MB",
            f"{'program':18}{'bytes, P':>10}{'kernels':>9}{'copies, P':>11}{'temp, P':>9}{'peak, GB':>10}",
        ]
        for name, program in self.programs.items():
            rows = {name: program.tick} | ({} if program.recorded is None else {f"{name}, recorded": program.recorded})
            for label, row in rows.items():
                moved, copied, temp = map(self.in_parameters, (row.num_bytes, row.copied, program.temp_bytes))
                peak = program.peak_bytes / 1e9
                lines.append(f"{label:18}{moved:10.2f}{row.kernels:9,}{copied:11.2f}{temp:9.2f}{peak:10.2f}")
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems())])


def gpu_check(emulator: Emulator, network: Any, *, gpu: str = "H200") -> GpuCheck:
    """Compiles an emulator's programs for a GPU that need not be there, and counts what they would do.

    Bytes are those that kernels read and write; caches are not looked at, and nothing is said of time. Needs JAX's
    compiler for CUDA in this process; `docs/howto/gpu.md` says how to get it. Takes a minute or two.

    Args:
      emulator: the parts; it is compiled for `backend="accelerator"`, whatever it says itself.
      network: the network, or one of the same kind with fewer nodes, to be scaled up.
      gpu: one of `jdgnn.compilation.device.GPUS`.

    Returns:
      What was counted; printed, a table.

    Raises:
      InputError: the compiler is missing, there is no such GPU, or the network is invalid.
    """
    place = placement(gpu)
    network = as_network(network)
    emulator = dataclasses.replace(emulator, backend="accelerator").bound(network)
    links = topology(network, backend_of(emulator))
    state, features = emulator.shapes(network), jax.ShapeDtypeStruct(network.features.shape, jnp.float32)
    features = features.update(dtype=state.embeddings[0].dtype)
    one, unrolled = event_shapes(emulator, links, state), links.backend.unrolled
    chunk = room(one, unrolled)
    events = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((chunk, *leaf.shape), leaf.dtype), one)
    number, flags = jax.ShapeDtypeStruct((), jnp.int32), jax.ShapeDtypeStruct((chunk,), bool)
    parameters = tree_bytes(state.params)
    large = parameters // LARGE
    to_draw = links, state.key, state.tick, state.availability, number
    to_begin = state.key, links, features, jax.ShapeDtypeStruct(IDENTITY_SHAPE, jnp.uint32)
    programs = {
        "advance": _Called(
            chunks.advance, (links, features, state, events, number, flags), {"unrolled": unrolled}, unrolled
        ),
        "draw": _Called(chunks.draw, to_draw, {"num_bytes": message_bytes(state), "length": chunk}, 1),
        "refresh": _Called(chunks.refresh, (links, features, state, events, number), {}, 1),
        "init": _Called(init, to_begin, {}, 0),
    }
    return GpuCheck(
        gpu=gpu,
        num_nodes=network.num_nodes,
        num_pushes=0 if emulator.push is None else network.num_nodes * emulator.push.fanout,
        chunk=chunk,
        parameter_bytes=parameters,
        state_bytes=tree_bytes(state),
        programs={
            name: _compiled(called._replace(arguments=(emulator, *_placed(called.arguments, place))), large)
            for name, called in programs.items()
        },
    )


class _Called(NamedTuple):
    """A program, and what it is called with."""

    function: Any
    arguments: tuple[Any, ...]
    settings: dict[str, Any]
    ticks: int  # in a round of its loop; 0 for a program without ticks


def _placed(arguments: Any, place: Any) -> Any:
    def on_gpu(leaf: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(jnp.shape(leaf), leaf.dtype, sharding=place)

    return jax.tree.map(on_gpu, arguments)


def _compiled(called: _Called, large: int) -> Compiled:
    ticks, started = called.ticks, time.perf_counter()
    compiled = called.function.lower(*called.arguments, **called.settings).compile()
    seconds = time.perf_counter() - started
    program, memory = parse(compiled.as_text()), compiled.memory_analysis()
    held = memory.argument_size_in_bytes + memory.output_size_in_bytes - memory.alias_size_in_bytes
    if ticks == 0:
        tick, recorded = traffic(program, program.entry, large=large), None
    else:
        body = _loop_over_ticks(program).called[0]
        tick = traffic(program, body, large=large).over(ticks)
        recorded = traffic(program, body, is_recorded=True, large=large).over(ticks)
    is_branching = recorded is not None and recorded.num_bytes > tick.num_bytes
    return Compiled(
        tick=tick,
        recorded=recorded if is_branching else None,
        temp_bytes=memory.temp_size_in_bytes,
        peak_bytes=held + memory.temp_size_in_bytes,
        seconds=seconds,
    )


def _loop_over_ticks(program: Program) -> Instruction:
    """The loop that moves the most in a round; before and after it little happens."""
    return max(loops(program, program.entry), key=lambda loop: traffic(program, loop.called[0]).num_bytes)
