"""Counts what one call of a computation moves and launches, from the text of a compiled program.

Counted are bytes that each instruction outside a fusion reads and writes. Of an operand that a fusion reads only
through slices or gathers, what these take counts; an update in place counts what it writes. Caches are not looked at.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from jdgnn.compilation.hlo import Computation, Instruction, Program

FREE = ("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "opt-barrier", "iota")
"""Instructions that move nothing."""
TELLING = ("scatter", "gather", "sort", "dot", "copy")
VIEWS = ("bitcast", "reshape", "convert")
PARTS = ("dynamic-slice", "gather", "slice")
TRIPS = re.compile(r"expected_trips_(\d+)/while$")
"""A scope of the Python program (`jax.named_scope`) that says how often a loop usually runs."""


class Heavy(NamedTuple):
    """What one instruction moves in all its calls."""

    num_bytes: int
    times: int
    opcode: str
    shape: str
    source: str


class Traffic(NamedTuple):
    """What one call of a computation does."""

    num_bytes: int = 0
    kernels: int = 0  # launches
    copied: int = 0  # bytes that copies write
    transposed: int = 0  # bytes that transposes write
    largest_sort: int = 0  # entries
    float_scatter_adds: int = 0  # kernels that add floating-point numbers in no fixed order
    unknown_loops: int = 0  # loops whose number of trips depends on data, and is not stated
    heavy: tuple[Heavy, ...] = ()  # what moves the most

    def __add__(self, other: "Traffic") -> "Traffic":  # type: ignore[override]
        sums = {name: getattr(self, name) + getattr(other, name) for name in self._fields}
        return Traffic(**sums | {"largest_sort": max(self.largest_sort, other.largest_sort)})

    def times(self, count: int) -> "Traffic":
        """What so many calls do."""
        if count == 0:
            return Traffic()
        scaled = {name: count * getattr(self, name) for name in ("num_bytes", "kernels", "copied", "transposed")}
        heavy = tuple(one._replace(num_bytes=count * one.num_bytes, times=count * one.times) for one in self.heavy)
        return self._replace(**scaled, float_scatter_adds=count * self.float_scatter_adds, heavy=heavy)

    def over(self, ticks: int) -> "Traffic":
        """What one of so many ticks does, on average."""
        sums = {name: -(-getattr(self, name) // ticks) for name in ("num_bytes", "kernels", "copied", "transposed")}
        return self._replace(**sums)


def traffic(program: Program, computation: str, *, is_recorded: bool = False, large: int = 0) -> Traffic:
    """Counts one call of a computation.

    Args:
      program: the compiled program.
      computation: name of one of its computations.
      is_recorded: which branch of a conditional counts: the one that moves the most, else the one that moves the least.
      large: the fewest bytes of a copy or transpose that counts as one.

    Returns:
      What it moves and launches.
    """
    total, body = Traffic(), program.computations[computation]
    for one in body.instructions:
        if one.opcode in FREE or one.opcode.endswith("-done"):
            continue
        if one.opcode == "while":
            trips = trips_of(one)
            inner = traffic(program, one.called[0], is_recorded=is_recorded, large=large)
            total += inner.times(1 if trips is None else trips) + Traffic(unknown_loops=int(trips is None))
        elif one.opcode == "conditional":
            branches = [traffic(program, name, is_recorded=is_recorded, large=large) for name in one.called]
            total += (max if is_recorded else min)(branches, key=lambda branch: branch.num_bytes)
        elif one.opcode == "call":
            total += traffic(program, one.called[0], is_recorded=is_recorded, large=large)
        else:
            total += _of_kernel(program, body, one, large)
    return total


def trips_of(loop: Instruction) -> int | None:
    """How often a loop runs: as the compiler knows, or as its scope says it usually does; None if neither."""
    if known := re.search(r'known_trip_count":\{"n":"(\d+)"', loop.attributes):
        return int(known[1])
    stated = TRIPS.findall(loop.source)
    return int(stated[-1]) if stated else None


def _of_kernel(program: Program, body: Computation, one: Instruction, large: int) -> Traffic:
    inner = program.computations[one.called[0]] if one.opcode == "fusion" else None
    moved = _bytes_alone(body, one) if inner is None else _bytes_of_fusion(body, one, inner)
    members = [one] if inner is None else inner.instructions
    return Traffic(
        num_bytes=moved,
        kernels=1,
        copied=_written(members, ("copy", "copy-start"), large),
        transposed=_written(members, ("transpose",), large),
        largest_sort=max((member.num_entries for member in members if member.opcode == "sort"), default=0),
        float_scatter_adds=sum(_adds_floats(program, member) for member in members),
        heavy=(Heavy(moved, 1, _label(members, one), one.shape, one.source),),
    )


def _label(members: list[Instruction], one: Instruction) -> str:
    telling = dict.fromkeys(member.opcode for member in members if member.opcode in TELLING)
    return "+".join([one.opcode, *telling])


def _written(members: list[Instruction], opcodes: tuple[str, ...], large: int) -> int:
    return sum(one.num_bytes for one in members if one.opcode in opcodes and one.num_bytes >= max(1, large))


def _adds_floats(program: Program, one: Instruction) -> bool:
    """Whether this is a scatter that adds floating-point numbers and may meet one place twice."""
    if one.opcode != "scatter" or "unique_indices=true" in one.attributes or not re.match(r"\(?b?f\d", one.shape):
        return False
    return any(member.opcode == "add" for member in program.computations[one.called[0]].instructions)


def _bytes_alone(body: Computation, one: Instruction) -> int:
    """Bytes of an instruction that is a kernel by itself."""
    if one.opcode in PARTS:
        return 2 * one.num_bytes
    if one.opcode == "dynamic-update-slice":
        return 2 * _size(body, one.operands[1])
    if one.opcode == "scatter":
        return _scattered(body, one) + sum(_size(body, name) for name in one.operands[1:])
    return one.num_bytes + sum(_size(body, name) for name in one.operands)


def _size(body: Computation, name: str) -> int:
    return body.by_name[name].num_bytes if name in body.by_name else 0


def _scattered(body: Computation, one: Instruction) -> int:
    """Bytes that a scatter writes into its operand, and of one that combines also reads there."""
    written = _size(body, one.operands[2])
    return 2 * written if "scatter-" in one.name else written


def _bytes_of_fusion(outer: Computation, one: Instruction, inner: Computation) -> int:
    read = sum(
        _read(inner, member, _size(outer, one.operands[int(member.operands[0])]) or member.num_bytes)
        for member in inner.instructions
        if member.opcode == "parameter"
    )
    return read + _stored(inner, inner.root)


def _read(inner: Computation, parameter: Instruction, whole: int) -> int:
    """Bytes that a fusion reads of one of its operands."""
    taken, is_whole = 0, False
    for name, user in _uses(inner, parameter.name):
        is_first = user.operands[0] == name
        if user.opcode in PARTS and is_first:
            taken += user.num_bytes
        elif not (user.opcode in ("dynamic-update-slice", "scatter") and is_first):
            is_whole = True
    # rows that are gathered beside a pass over the whole array are read once more
    return min(whole, taken) + (whole if is_whole else 0)


def _uses(inner: Computation, name: str) -> Iterator[tuple[str, Instruction]]:
    """The instructions that use a value, looked for through views of it, and the name they use it by."""
    for user in inner.users[name]:
        if user.opcode in VIEWS:
            yield from _uses(inner, user.name)
        else:
            yield name, user


def _stored(inner: Computation, one: Instruction) -> int:
    """Bytes that a fusion writes of a result."""
    if one.opcode == "tuple":
        return sum(_stored(inner, inner.by_name[name]) for name in one.operands)
    if one.opcode in VIEWS and one.operands[0] in inner.by_name:
        below = inner.by_name[one.operands[0]]
        one = below if below.opcode in ("dynamic-update-slice", "scatter") else one
    if one.opcode == "dynamic-update-slice":
        return _size(inner, one.operands[1])
    return _scattered(inner, one) if one.opcode == "scatter" else one.num_bytes


def loops(program: Program, computation: str) -> Iterator[Instruction]:
    """The loops of a computation, the outermost only."""
    return (one for one in program.computations[computation].instructions if one.opcode == "while")
