"""Makes up the small network of configs/own-files.toml: sensors in the rooms of an office, as two CSV files.

`python docs/office.py` writes configs/office anew. Nothing in it was measured anywhere.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "configs" / "office"
ROOMS = {
    "kitchen": (24.0, 60.0, 300.0, 55.0),
    "lab": (20.0, 40.0, 700.0, 50.0),
    "office": (22.0, 45.0, 500.0, 45.0),
    "store": (18.0, 50.0, 100.0, 30.0),
}
"""What is measured in each on average."""
SPREAD = np.array([3.0, 10.0, 200.0, 12.0])
MEASURED = ("temperature", "humidity", "light", "noise")
SENSORS, RANGE = 20, 0.45  # in a room; of the radio, where a room is a square of side 1
SPLITS = ("train",) * 4 + ("validation",) * 4 + ("test",) * (SENSORS - 8)


def tables(seed: int = 0) -> dict[str, str]:
    """The text of each file, by its name."""
    rng = np.random.default_rng(seed)
    ids = [f"{room}-{number}" for room in ROOMS for number in range(1, SENSORS + 1)]
    corners = np.repeat([(0, 0), (1, 0), (0, 1), (1, 1)], SENSORS, axis=0)
    places = corners + rng.random((len(ids), 2))
    readings = np.repeat(list(ROOMS.values()), SENSORS, axis=0) + SPREAD * rng.normal(size=(len(ids), 4))
    scaled = np.round((readings - readings.mean(axis=0)) / readings.std(axis=0), 3)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    senders, receivers = np.nonzero((distance < RANGE) & (distance > 0))
    quality = np.round(np.clip(1.2 - distance / RANGE - 0.2 * rng.random(distance.shape), 0.05, 1), 2)
    nodes = [
        (name, *row, name.rpartition("-")[0], SPLITS[v % SENSORS])
        for v, (name, row) in enumerate(zip(ids, scaled.tolist(), strict=True))
    ]
    edges = [(ids[u], ids[v], quality[u, v].item()) for u, v in zip(senders, receivers, strict=True)]
    return {
        "nodes.csv": _csv(("id", *MEASURED, "label", "split"), nodes),
        "edges.csv": _csv(("source", "target", "quality"), edges),
    }


def _csv(header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows])
    return text.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in tables().items():
        (FOLDER / name).write_text(content)
