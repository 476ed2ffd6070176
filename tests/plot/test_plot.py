"""Pictures show what they are given, on the axes they are given, and reject what they cannot show."""

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

import jdgnn
from jdgnn import InputError, plot
from tests.support import ROOT

Rows = list[dict[str, Any]]


def _legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


DRAWN: dict[str, Callable[[Rows, Any], Any]] = {
    "map": lambda rows, ax: plot.embedding_map(np.eye(5), color=list("aabbc"), ax=ax),
    "figures on a map": lambda rows, ax: plot.embedding_map(
        np.eye(5), color=[0.5, np.nan, 1, 2, 9], names=["a"], ax=ax
    ),
    "curves": lambda rows, ax: plot.curves(rows, ax=ax),
    "variants": lambda rows, ax: plot.curves({"a": [rows, rows], "b": rows}, metric="consensus_distance", ax=ax),
    "baselines": lambda rows, ax: plot.baselines({"raw": 0.5}, ax),
    "fan": lambda rows, ax: plot.staleness(rows, ax),
    "heat map": lambda rows, ax: plot.staleness(rows, ax, form="heat"),
    "heat map of nodes": lambda rows, ax: plot.staleness(np.array([[1, 2], [np.nan, 3]]), ax, ticks=[5, 10]),
    "traffic": lambda rows, ax: plot.traffic(rows, ax),
    "bytes": lambda rows, ax: plot.traffic(rows, ax, bytes=True),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_pictures_can_be_drawn_on_given_axes_and_on_new_ones(draw: Callable[[Rows, Any], Any], rows: Rows) -> None:
    new = draw(rows, None)
    assert isinstance(new, Axes)
    assert draw(rows, new.figure.add_subplot()) is not new
    figure: Any = new.figure
    figure.savefig(io.BytesIO(), dpi=40)


def test_a_map_has_every_node_once_and_its_class_in_the_legend() -> None:
    labels = np.arange(40) % 10
    ax = plot.embedding_map(np.random.default_rng(0).normal(size=(40, 4)), color=labels, names=["nought", "one"])
    assert sum(len(points.get_offsets()) for points in ax.collections) == 40
    assert _legend(ax) == ["nought", "one", *map(str, range(2, 10))]
    looks = {(handle.get_color(), handle.get_marker()) for handle in ax.get_legend().legend_handles}
    assert len(looks) == 10


def test_places_in_two_dimensions_are_drawn_as_they_are() -> None:
    places = np.array([[0.0, 1.0], [5.0, 2.0]])
    (points,) = plot.embedding_map(places).collections
    np.testing.assert_array_equal(np.sort(np.asarray(points.get_offsets()), axis=0), places)


def test_more_classes_than_are_told_apart_are_named_together() -> None:
    assert _legend(plot.embedding_map(np.eye(30), color=np.arange(30)))[-1] == "6 others"


def test_seeds_are_drawn_as_their_mean_with_a_band(rows: Rows) -> None:
    higher = [{**row, "consensus_distance": row["consensus_distance"] + 2} for row in rows]
    ax = plot.curves([rows, higher], metric="consensus_distance", logarithmic=False)
    (line,) = ax.lines
    np.testing.assert_allclose(np.asarray(line.get_ydata()), [1.5, 2.0, 3.0])
    edges = ax.collections[0].get_paths()[0].vertices
    assert edges[:, 1].max() == pytest.approx(3 + np.sqrt(2))


def test_nodes_that_all_agree_are_drawn_on_a_plain_axis(rows: Rows) -> None:
    agreed = [{**row, "consensus_distance": 0.0} for row in rows]
    assert plot.curves(agreed, metric="consensus_distance").get_yscale() == "linear"
    assert plot.curves(rows, metric="consensus_distance").get_yscale() == "log"


def test_no_controls_are_told() -> None:
    with pytest.raises(InputError, match="results: got an empty dict"):
        plot.baselines({})


def test_what_is_missing_leaves_a_gap(rows: Rows) -> None:
    first, second = plot.curves([rows, rows]).lines
    np.testing.assert_array_equal(np.asarray(first.get_ydata()), [np.nan, 0.1, 0.05])
    assert np.isfinite(np.asarray(second.get_ydata())).all()


def test_variants_and_layers_are_told_apart(rows: Rows) -> None:
    ax = plot.curves({"a": rows, "b": [rows]})
    assert _legend(ax) == ["a, layer 1", "a, layer 2", "b, layer 1", "b, layer 2"]
    assert len({(line.get_color(), line.get_linestyle(), line._unscaled_dash_pattern) for line in ax.lines}) == 4


def test_a_history_is_drawn_as_its_rows_are() -> None:
    import jax

    network = jdgnn.generators.ring(6)
    emulator = jdgnn.Emulator(
        layers=[jdgnn.gcn(4)],
        objective=jdgnn.info_nce(),
        optimizer=jdgnn.sgd(0.1),
        push=jdgnn.push(),
        gossip=jdgnn.gossip(),
    )
    _, history = jdgnn.run(emulator, emulator.init(jax.random.key(0), network), network, 4, record_every=2)
    for figure in ("loss", "norm_ratio", "bytes_sent", "num_idle"):
        ours, theirs = plot.curves(history, metric=figure), plot.curves(history.rows(), metric=figure)
        for one, other in zip(ours.lines, theirs.lines, strict=True):
            np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())


def test_controls_are_lines_at_what_was_found(rows: Rows) -> None:
    ax = plot.baselines({"raw": 0.5, "untrained": {"mean": 0.25, "sd": 0.1}})
    assert [line.get_ydata()[0] for line in ax.lines] == [50, 25]


def test_traffic_is_per_tick_and_adds_up_to_what_ended(rows: Rows) -> None:
    ax = plot.traffic(rows)
    assert _legend(ax) == ["push dropped", "push delivered", "embedding dropped", "embedding delivered"]
    assert max(area.get_paths()[0].vertices[:, 1].max() for area in ax.collections) == pytest.approx(20)


def test_the_stalest_node_is_above() -> None:
    mesh = plot.staleness([[9, 1, 2], [9, 1, 3]]).collections[0]
    np.testing.assert_array_equal(np.asarray(mesh.get_array()), [[1, 1], [2, 3], [9, 9]])


REFUSED: dict[str, tuple[Callable[[Rows], Any], str]] = {
    "axes": (lambda rows: plot.curves(rows, ax=3), "ax: .*got int"),
    "colours": (lambda rows: plot.embedding_map(np.eye(3), color=[1]), r"color: .*got shape \(1,\)"),
    "complex colours": (lambda rows: plot.embedding_map(np.eye(2), color=[1j, 2]), "color: .*got dtype complex"),
    "size": (lambda rows: plot.embedding_map(np.eye(3), size=0), "size: .*got 0"),
    "no rows": (lambda rows: plot.curves([]), "histories: got an empty list"),
    "no variants": (lambda rows: plot.curves({}), "histories: got an empty dict"),
    "a path": (lambda rows: plot.curves("metrics.jsonl"), "histories: .*got str"),  # type: ignore[arg-type]
    "figure": (lambda rows: plot.curves(rows, metric="los"), "did you mean 'loss'"),
    "no numbers": (lambda rows: plot.curves(rows, metric="aux"), "metric: 'aux' of histories is not one number"),
    "ticks": (lambda rows: plot.curves([rows, rows[:2]]), r"histories\[1\]: recorded at other ticks"),
    "rows without ticks": (lambda rows: plot.curves([{"loss": 1}]), "row 0 has no tick"),
    "labels": (lambda rows: plot.curves({"a": rows, "b": rows}, labels=["a"]), "labels: got"),
    "baseline": (lambda rows: plot.baselines({"raw": "good"}), r"results\['raw'\]: .*got 'good'"),  # type: ignore[dict-item]
    "kind": (lambda rows: plot.traffic(rows, kind="pull"), "kind: got 'pull'"),
    "nothing sent": (lambda rows: plot.traffic(rows, kind="model"), "no model had come to an end"),
    "form": (lambda rows: plot.staleness(rows, form="box"), "form: got 'box'"),
    "quantiles": (lambda rows: plot.staleness(rows, metric="agee"), "metric: got 'agee'"),
    "array": (lambda rows: plot.staleness([1, 2]), "given: .*got shape"),
    "ticks of an array": (lambda rows: plot.staleness([[1, 2]], ticks=[1, 2]), "ticks: .*got shape"),
    "ticks of a history": (lambda rows: plot.staleness(rows, ticks=[1]), "ticks: got some"),
}


@pytest.mark.parametrize(("draw", "told"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_picture_is_refused(draw: Callable[[Rows], Any], told: str, rows: Rows) -> None:
    with pytest.raises(InputError, match=told):
        draw(rows)


def test_without_matplotlib_the_package_is_whole_and_says_what_is_missing() -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = sys.modules['matplotlib.axes'] = None\n"
        "import jdgnn\n"
        "try: jdgnn.plot.curves([])\n"
        "except jdgnn.InputError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install 'jdgnn[plot]'" in done.stdout
