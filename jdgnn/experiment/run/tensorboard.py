"""Event files that TensorBoard reads: the recorded rows, the configuration, and the scores."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jdgnn.emulation.metrics import QUANTILES
from jdgnn.errors import InputError
from jdgnn.experiment.config.toml import flat, parsed_toml

PREFIX = "events.out.tfevents."
"""How names of event files begin."""

FLUSH_SECONDS = 2.0
"""So old may what others read be."""

LAYER, QUANTILE = "layer_{}", "quantile_{:g}"
NAMED = {"messages_": "messages/", "num_": "counts/"}
"""Beginnings of keys of rows, and what tags have in their place: TensorBoard groups tags by what stands before `/`."""


class Board:
    """The event files of one run, in one folder.

    The caller writes by tensorboardX's `EventsWriter`, not by the thread of its `SummaryWriter`, which would wait for
    ever on a full disk.

    Args:
      folder: where they are; it is made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None
        self._flushed = 0.0

    @property
    def files(self) -> list[Path]:
        """The event files that are there, the oldest first."""
        return sorted(self.folder.glob(f"{PREFIX}*")) if self.folder.is_dir() else []

    def check(self, *, may_exist: bool) -> None:
        """Checks that the library is there and that the place is valid; changes nothing.

        Args:
          may_exist: whether there may be event files, to be replaced or to be continued.

        Raises:
          InputError: that is so.
        """
        try:
            import tensorboardX  # noqa: F401
        except ImportError as error:
            raise InputError(
                f"--tensorboard: tensorboardX cannot be imported ({error}); pip install 'jdgnn[tensorboard]'"
            ) from error
        place = next(place for place in (self.folder, *self.folder.parents) if place.exists())
        if not place.is_dir():
            raise InputError(f"--tensorboard: {place} is a file; give a directory")
        if self.files and not may_exist:
            raise InputError(
                f"--tensorboard: {self.folder} holds event files of another run; give another directory, or add "
                "--overwrite to replace them"
            )

    def clear(self) -> None:
        """Removes event files, and nothing else."""
        for path in self.files:
            path.unlink()

    def begin(self, config: str) -> None:
        """Begins a file, with the configuration as text.

        Raises:
          OSError: it cannot be written.
        """
        from tensorboardX.summary import text

        self._write(text("configuration", "".join(f"    {line}\n" for line in config.splitlines())), 0)

    def go_on(self, rows: Sequence[Mapping[str, Any]], tick: int) -> None:
        """Notes that a run is resumed after a tick: what is on file of later ones no longer counts.

        Args:
          rows: those until then, which are written where no earlier file is there.
          tick: which one.

        Raises:
          OSError: it cannot be written.
        """
        from tensorboardX.proto.event_pb2 import SessionLog

        if len(self.files) - (self._writer is not None) > 0:
            self._record(step=tick + 1, session_log=SessionLog(status=SessionLog.START))
        else:
            self.add(rows)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes rows.

        Raises:
          OSError: they cannot be written.
        """
        for row in rows:
            self.add_figures(row["tick"], dict(tags(row)))

    def add_figures(self, tick: int, figures: Mapping[str, float]) -> None:
        """Writes figures of a tick by their tags.

        Raises:
          OSError: they cannot be written.
        """
        from tensorboardX.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=float(value)) for tag, value in figures.items()]
        self._write(Summary(value=values), tick)

    def finish(self, config: str, summary: Mapping[str, Any]) -> None:
        """Writes the last scores, as figures and next to the keys of the configuration.

        Raises:
          OSError: it cannot be written.
        """
        from tensorboardX.summary import hparams

        settings = {key: _plain(value) for key, value in flat(parsed_toml(config)).items()}
        scores = {
            task: {metric: {name: one["values"] for name, one in named.items()} for metric, named in metrics.items()}
            for task, metrics in summary["tasks"].items()
        }
        of_all = score_tags(scores)
        first = settings.get("snapshots.num_splits", 0)
        self.add_figures(summary["ticks"], of_all | (score_tags(scores, first) if first else {}))
        for one in hparams(settings, of_all):
            self._write(one, summary["ticks"])
        self._writer.flush()

    def close(self) -> None:
        """Has all on disk; another file is begun if more is written."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, summary: Any, step: int) -> None:
        self._record(step=step, summary=summary)

    def _record(self, **fields: Any) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event

        now = time.time()
        if self._writer is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            number = len(self.files)  # files of one second are read in the order of their names
            self._writer = EventsWriter(str(self.folder.absolute() / "events"), f".{number:04}.jdgnn")
        self._writer.write_event(Event(wall_time=now, **fields))
        if not 0 <= now - self._flushed < FLUSH_SECONDS:
            self._writer.flush()
            self._flushed = now


Values = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""By task, metric and name of an embedding, a value for each repeat."""


def score_tags(scores: Values, most: int | None = None) -> dict[str, float]:
    """Means over the repeats that all embeddings have, by tag; the tag of a curve names them where they are not all.

    Args:
      scores: of the tasks.
      most: at most so many repeats, the first ones; None for all that what was learned has.

    Example:
      >>> score_tags({"knn": {"accuracy": {"learned": [0.5, 1.0], "raw": [0.25, 0.5, 0.9]}}})
      {'knn_first_2/accuracy/learned': 0.75, 'knn_first_2/accuracy/raw': 0.375}
      >>> score_tags({"knn": {"accuracy": {"learned": [0.5, 1.0]}}}, 3)
      {'knn/accuracy/learned': 0.75}
    """
    found = {}
    for task, metrics in scores.items():
        for metric, named in metrics.items():
            counts = [len(values) for values in named.values()]
            count = min([*counts, *([] if most is None else [most])])
            group = task if count == max(counts) else f"{task}_first_{count}"
            for name, values in named.items():
                found[f"{group}/{metric}/{name}"] = sum(map(float, values[:count])) / count
    return found


def tags(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The figures of a row by the tags that TensorBoard shows; what is missing is left out.

    Args:
      row: as `jdgnn.History.rows` gives it.

    Example:
      >>> dict(tags({"tick": 5, "loss": [0.5, None], "messages_dropped": {"push": 2}, "aux": [{"auc": 0.25}, {}]}))
      {'loss/layer_1': 0.5, 'messages/dropped/push': 2, 'aux/layer_1/auc': 0.25}
    """
    for key, value in row.items():
        if key == "quantiles":
            for name, of_nodes in value.items():
                yield from _leaves(f"{name}/", dict(zip(_quantiles(), of_nodes, strict=True)))
        elif key == "loss_quantiles":
            of_layers = [dict(zip(_quantiles(), of_nodes, strict=True)) for of_nodes in value]
            yield from _leaves("loss_quantiles/", _by_layer(of_layers))
        elif key != "tick":
            prefix = next((start for start in NAMED if key.startswith(start)), "")
            yield from _leaves(NAMED.get(prefix, ""), {key.removeprefix(prefix): value})


def _leaves(prefix: str, tree: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in tree.items():
        if isinstance(value, Mapping | list):
            yield from _leaves(f"{prefix}{name}/", _by_layer(value) if isinstance(value, list) else value)
        elif value is not None:
            yield f"{prefix}{name}", value


def _by_layer(values: Sequence[Any]) -> dict[str, Any]:
    return {LAYER.format(number): value for number, value in enumerate(values, start=1)}


def _quantiles() -> list[str]:
    return [QUANTILE.format(100 * level) for level in QUANTILES]


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value)
