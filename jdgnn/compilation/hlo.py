"""Reads the text of a compiled XLA program: computations, and the instructions they are made of."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

ITEMSIZE = {"pred": 1, "token": 0, "bf16": 2, "c64": 8, "c128": 16}
"""Bytes of the types whose name does not end in their number of bits."""

HEADER = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\) -> .* \{$")
ASSIGNMENT = re.compile(r"^\s+(ROOT )?%?([\w.\-]+) = (.*)$")
ARRAY = re.compile(r"\b([a-z]+[0-9]*[a-z0-9]*)\[([0-9,]*)\]")
CALLED = re.compile(r"(?:calls|to_apply|body|true_computation|false_computation)=%?([\w.\-]+)")


class Instruction(NamedTuple):
    """One line of a computation."""

    name: str
    shape: str  # as written, of a tuple in parentheses
    opcode: str
    operands: tuple[str, ...]  # names; of a parameter its number
    attributes: str  # what follows the operands, as written
    is_root: bool

    @property
    def num_bytes(self) -> int:
        """Bytes of the result."""
        return num_bytes(self.shape)

    @property
    def num_entries(self) -> int:
        """Entries of the first array of the result."""
        return next((entries for _, entries in arrays(self.shape)), 0)

    @property
    def called(self) -> list[str]:
        """Names of the computations that it calls, a loop's condition left out."""
        branches = re.search(r"branch_computations=\{([^}]*)\}", self.attributes)
        named = [] if branches is None else [name.strip().lstrip("%") for name in branches[1].split(",")]
        return [*CALLED.findall(self.attributes), *named]

    @property
    def source(self) -> str:
        """The operation of the Python program that it comes from, with the scopes around it; empty if unknown."""
        found = re.search(r'op_name="([^"]*)"', self.attributes)
        return "" if found is None else found[1]


class Computation:
    """A named list of instructions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.instructions: list[Instruction] = []

    @cached_property
    def by_name(self) -> dict[str, Instruction]:
        """The instructions by name."""
        return {one.name: one for one in self.instructions}

    @cached_property
    def users(self) -> dict[str, list[Instruction]]:
        """The instructions that take each result as an operand."""
        users: dict[str, list[Instruction]] = {one.name: [] for one in self.instructions}
        for one in self.instructions:
            for operand in dict.fromkeys(one.operands):
                if operand in users:
                    users[operand].append(one)
        return users

    @property
    def root(self) -> Instruction:
        """The instruction whose result is that of the computation."""
        return next(one for one in self.instructions if one.is_root)


class Program(NamedTuple):
    """All computations of a compiled program."""

    computations: dict[str, Computation]
    entry: str


def arrays(shape: str) -> Iterator[tuple[int, int]]:
    """Bytes of an entry, and the number of entries, of each array of a shape.

    >>> list(arrays("(f32[8,4]{1,0}, pred[])"))
    [(4, 32), (1, 1)]
    """
    for dtype, sides in ARRAY.findall(shape):
        bits = re.search(r"\d+", dtype)
        size = ITEMSIZE.get(dtype) if dtype in ITEMSIZE or bits is None else max(1, int(bits[0]) // 8)
        if size is None:
            continue
        entries = 1
        for side in filter(None, sides.split(",")):
            entries *= int(side)
        yield size, entries


def num_bytes(shape: str) -> int:
    """Bytes of all arrays of a shape.

    >>> num_bytes("(f32[8,4]{1,0}, bf16[2]{0})")
    132
    """
    return sum(size * entries for size, entries in arrays(shape))


def parse(text: str) -> Program:
    """Reads the text that `jax.stages.Compiled.as_text` gives.

    Args:
      text: the program.

    Returns:
      Its computations.

    Raises:
      ValueError: it has no entry computation.
    """
    computations: dict[str, Computation] = {}
    entry, current = None, None
    for line in text.splitlines():
        line = re.sub(r"/\*.*?\*/", "", line)
        if header := HEADER.match(line):
            current = computations[header[2]] = Computation(header[2])
            entry = header[2] if header[1] else entry
        elif current is not None and (assignment := ASSIGNMENT.match(line)):
            instruction = _instruction(assignment[2], assignment[3], is_root=bool(assignment[1]))
            if instruction is not None:
                current.instructions.append(instruction)
    if entry is None:
        raise ValueError("text: expected a compiled program with an ENTRY computation")
    return Program(computations, entry)


def _instruction(name: str, said: str, *, is_root: bool) -> Instruction | None:
    """The instruction that is written after the equals sign; None for a line of another kind."""
    end = _closing(said) if said.startswith("(") else said.index(" ")
    shape, said = said[:end], said[end:].strip()
    start = re.match(r"([\w\-]+)\(", said)
    if start is None:
        return None
    end = _closing(said[start.end() - 1 :]) + start.end() - 1
    given, attributes = said[start.end() : end - 1], said[end:]
    if start[1] in ("constant", "iota"):
        operands: tuple[str, ...] = ()
    else:
        operands = tuple(part.split("%")[-1] for part in _split(given))
    return Instruction(name, shape, start[1], operands, attributes, is_root)


def _closing(text: str) -> int:
    """The place after the bracket that closes the one the text begins with."""
    depth = 0
    for place, letter in enumerate(text, start=1):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0:
            return place
    return len(text)


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
