"""Sound files, changed: bytes anywhere, or what a format holds, so that what is wrong lies deep inside of it."""

import copy
import io
import json
import pickle
import pickletools
import tomllib
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tomli_w
from hypothesis import strategies as st

from jdgnn.emulation.checkpoint import _seal

Draw = Callable[[st.SearchStrategy[Any]], Any]
Files = dict[str, bytes]

NUMBERS = (0, 1, -1, 2, 7, 255, 2**31 - 1, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**30)
ODD: tuple[Any, ...] = (
    *(None, True, False, "", "x", "a\nb", "\x1b[2J", "é", "\x00", "../../etc/passwd", "/dev/zero", "x" * 5000),
    *NUMBERS,
    *(0.5, -0.5, 1e-300, 1e308, float("nan"), float("inf"), float("-inf")),
    *([], [None], [[]], [-1, 2**40], {}, {"name": "x"}, {"": 1}),
)
"""What a text format may hold where something else is expected."""
CELLS = tuple(
    b"|-1|0|7|999999999|99999999999999999999|1e5|0.5|nan|inf|x|\xff|\x00|\"|'|\xc2\xb2|1_0| 1|a,b".split(b"|")
)
"""What a cell of a table may hold."""
HEADERS: tuple[Any, ...] = (
    {"descr": "|O", "fortran_order": False, "shape": ()},
    {"descr": "<i4", "fortran_order": True, "shape": (2**40,)},
    {"descr": "<i4", "fortran_order": False, "shape": (-1,)},
    {"descr": "<f8", "fortran_order": False, "shape": (2**31, 2**31)},
    {"descr": "|S0", "fortran_order": False, "shape": (2**40,)},
    {"descr": [("a", "<i4")], "fortran_order": False, "shape": (1,)},
    {"descr": "<U4", "fortran_order": False, "shape": (2,)},
    {"descr": "|b1", "fortran_order": False, "shape": (0, 3)},
    {"descr": "<M8[ns]", "fortran_order": False, "shape": (1,)},
)
"""What an array in a file may declare itself to be."""
OPCODES = (
    b"cos\nsystem\n",
    b"cposix\nsystem\n",
    b"(S'touch harm'\ntR.",
    b"\x93",
    b"R",
    b"b",
    b"\x81",
    b"o",
    b"r\xff\xff\xff\x7f",
    b"j\x00\x00\x00\x00",
    b"\x8e\x00\x00\x00\x00\x00\x00\x01\x00",
    b"\x8b\xff\xff\xff\x7f",
    b"t",
    b"}",
    b"]",
    b"(",
    b"0",
    b"2",
    b".",
    b"e",
    b"u",
    b"N",
    b"Pname\n",
    b"\x82\x01",
    b"I99999999999999999999\n",
    b"F1e999\n",
    b"\x97\x98",
)
"""Pieces of pickles."""


def changed(content: bytes, form: str) -> st.SearchStrategy[bytes]:
    """A file of this form, changed in one place or a few."""

    @st.composite
    def strategy(draw: Draw) -> bytes:
        result = content
        for _ in range(draw(st.integers(1, 3))):
            change = FORMS.get(form, _bytes) if draw(st.integers(0, 3)) else _bytes
            result = change(draw, result)
        return result

    return strategy()


def changed_files(files: Files, form: Callable[[str], str]) -> st.SearchStrategy[Files]:
    """Files of which one or two are changed, emptied or not there."""

    @st.composite
    def strategy(draw: Draw) -> Files:
        result = dict(files)
        for _ in range(draw(st.integers(1, 2))):
            name = draw(st.sampled_from(sorted(files)))
            if name in result and draw(st.integers(0, 19)) == 0:
                del result[name]
            else:
                result[name] = draw(changed(result.get(name, b""), form(name)))
        return result

    return strategy()


def _bytes(draw: Draw, content: bytes) -> bytes:
    """Changes bytes without knowing what they say."""
    place = draw(st.integers(0, len(content)))
    end = min(len(content), place + draw(st.integers(0, 16)))
    piece = draw(
        st.sampled_from((b"", b"\x00", b"\xff" * 4, b"\xff" * 8, b"\x7f", b"9" * 20, b"[" * 3000, b"\n", b'"', b","))
    )
    return draw(
        st.sampled_from(
            (
                content[:place],
                content[place:],
                content[:place] + content[end:],
                content[:place] + piece + content[place:],
                content[:place] + piece + content[end:],
                content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :],
                content + content[place:],
            )
        )
    )


def _tree(draw: Draw, value: Any) -> Any:
    """Puts something odd in one place of tables and lists."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 4)):
        result = copy.copy(value)
        key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        action = draw(st.integers(0, 9))
        if action == 0:
            del result[key]
        elif action == 1 and isinstance(result, dict):
            result[draw(st.sampled_from(("x", "nme", "", "a.b", "\x1b[2J", key + "s")))] = result.pop(key)
        else:
            result[key] = _tree(draw, value[key])
        return result
    return draw(st.sampled_from(ODD))


def _json(draw: Draw, content: bytes) -> bytes:
    try:
        return json.dumps(_tree(draw, json.loads(content))).encode()
    except (ValueError, RecursionError):
        return _bytes(draw, content)


def _sealed(draw: Draw, content: bytes) -> bytes:
    """Changes what a checkpoint says of itself, with a seal that fits."""
    try:
        said = _tree(draw, json.loads(content))
        return json.dumps({**said, "seal": _seal(said)}).encode() if isinstance(said, dict) else _json(draw, content)
    except (ValueError, RecursionError):
        return _bytes(draw, content)


def _toml(draw: Draw, content: bytes) -> bytes:
    try:
        tables = _tree(draw, tomllib.loads(content.decode()))
        return tomli_w.dumps(tables if isinstance(tables, dict) else {"network": tables}).encode()
    except (ValueError, TypeError, AttributeError, RecursionError):
        return _bytes(draw, content)


def _lines(draw: Draw, content: bytes) -> bytes:
    """Changes a line of JSON."""
    lines = content.splitlines() or [b""]
    place = draw(st.integers(0, len(lines) - 1))
    lines[place : place + 1] = draw(
        st.sampled_from(([], [lines[place]] * 2, [_json(draw, lines[place])], [lines[place], b"{"]))
    )
    return b"\n".join((*lines, b""))


def _table(draw: Draw, content: bytes) -> bytes:
    """Changes a cell, or the cells of a line, of a table with commas."""
    lines = content.split(b"\n")
    place = draw(st.integers(0, min(len(lines) - 1, 30)))
    cells = lines[place].split(b",")
    column = draw(st.integers(0, len(cells) - 1))
    cells[column : column + 1] = draw(st.sampled_from(([], [draw(st.sampled_from(CELLS))], [cells[column]] * 2)))
    lines[place] = b",".join(cells)
    return b"\n".join(lines)


def _pickle(draw: Draw, content: bytes) -> bytes:
    """Changes, moves or adds instructions of a pickle."""
    try:
        places = [place for _, _, place in pickletools.genops(content) if place is not None]
    except Exception:
        return _bytes(draw, content)
    start = draw(st.sampled_from(places))
    end = next((place for place in places if place > start), len(content))
    instruction = content[start:end]
    other = draw(st.one_of(st.sampled_from(OPCODES), st.sampled_from(ODD).map(lambda odd: pickle.dumps(odd, 2)[2:-1])))
    return draw(
        st.sampled_from(
            (
                content[:start] + content[end:],
                content[:start] + instruction + content[start:],
                content[:start] + other + content[start:],
                content[:start] + other + content[end:],
            )
        )
    )


def _npy(draw: Draw, content: bytes) -> bytes:
    """Changes what an array says of itself, or its numbers."""
    try:
        stream = io.BytesIO(content)
        np.lib.format.read_magic(stream)
        np.lib.format.read_array_header_1_0(stream)
        numbers = content[stream.tell() :]
    except ValueError:
        return _bytes(draw, content)
    if numbers.startswith(b"\x80") and draw(st.booleans()):
        return content[: stream.tell()] + _pickle(draw, numbers)
    if draw(st.booleans()):
        return content[: stream.tell()] + _bytes(draw, numbers)
    result = io.BytesIO()
    np.lib.format.write_array_header_1_0(result, draw(st.sampled_from(HEADERS)))
    return result.getvalue() + numbers


def _npz(draw: Draw, content: bytes) -> bytes:
    """Changes a member of an archive, its name, or which there are; checksums fit."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:
        return _bytes(draw, content)
    if not members:
        return _bytes(draw, content)
    place = draw(st.integers(0, len(members) - 1))
    name, held = members[place]
    inside = _json_array if name == "header.npy" and draw(st.booleans()) else _npy
    members[place : place + 1] = draw(
        st.sampled_from(
            (
                [],
                [(name, held)] * 2,
                [(name, inside(draw, held))],
                [(name, inside(draw, held))],
                [(name, inside(draw, held))],
                [(name, draw(st.sampled_from(members))[1])],
                [
                    (
                        draw(st.sampled_from(("../harm.npy", "/harm", "x/y/z", "99999999999/wake.npy", "-1/wake.npy"))),
                        held,
                    )
                ],
            )
        )
    )
    return _archive(members, draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))))


def _archive(members: list[tuple[str, bytes]], compression: int) -> bytes:
    result = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(result, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that stand twice
        for name, held in members:
            archive.writestr(name, held)
    return result.getvalue()


def _json_array(draw: Draw, content: bytes) -> bytes:
    """Changes a JSON text that stands in an array."""
    try:
        text = str(np.lib.format.read_array(io.BytesIO(content)))
        result = io.BytesIO()
        np.lib.format.write_array(result, np.array(json.dumps(_tree(draw, json.loads(text)))))
    except (ValueError, RecursionError):
        return _bytes(draw, content)
    return result.getvalue()


FORMS: dict[str, Callable[[Draw, bytes], bytes]] = {
    "json": _json,
    "sealed": _sealed,
    "jsonl": _lines,
    "toml": _toml,
    "csv": _table,
    "pickle": _pickle,
    "npz": _npz,
}
