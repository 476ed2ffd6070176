"""Pages of reports, and what is in them."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

TWO_LAYERS = """
[network]
name = "stochastic_block_model"
num_nodes = 40
num_features = 6

[[layers]]
name = "gcn"
units = 4

[[layers]]
name = "gcn"
units = 3

[objective]
name = "info_nce"

[optimizer]
name = "adam"
learning_rate = 0.01

[availability]
clock = { name = "bernoulli", prob = 0.6 }

[publish.link]
drop = 0.2

[push.link]
drop = 0.2

[gossip.link]
drop = 0.2
delay = 2

[emulation]
ticks = 12
record_every = 3

[evaluation]
num_splits = 2
per_class = 3
"""


class Reported(NamedTuple):
    config: Path
    directory: Path
    output: str

    @property
    def page(self) -> str:
        return (self.directory / "report.html").read_text()


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="text/plain" id="data">(.*?)</script>', page)
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def numbers(values: Any) -> NDArray[Any]:
    """What plotly is given, packed or not."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return np.array(values, float)


def unpacked(text: str, dtype: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text), dtype)


def traces(page: str, figure: str) -> dict[str, dict[str, Any]]:
    """Those of a figure that have names."""
    return {trace["name"]: trace for trace in data_of(page)["figures"][figure]["data"] if "name" in trace}


VOID = {"meta", "link", "input", "br"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.identities: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.links += [found[name] or "" for name in ("href", "src") if name in found]
        self.identities += [found["id"] or ""] if "id" in found else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)


class Read(NamedTuple):
    """A page as text, the places it links to, and the ids of its elements."""

    text: str
    links: list[str]
    identities: list[str]


def read(page: str) -> Read:
    """Reads a page, whose elements must be closed in order."""
    reader = _Reader()
    reader.feed(page)
    assert not reader.open
    return Read(" ".join("\n".join(reader.texts).split()), reader.links, reader.identities)
