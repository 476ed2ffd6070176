"""What every registered task promises."""

from dataclasses import replace

import numpy as np
import pytest

from jdgnn import evaluation
from jdgnn.errors import InputError
from jdgnn.evaluation import TASKS, Score, Seen, Task
from jdgnn.evaluation.task import METRIC_NAMES
from jdgnn.network import from_edges, random_splits
from jdgnn.network.network import Network

NUM_NODES = 60


def cliques() -> Network:
    """Nodes of a class are all linked with one another, and with nobody else."""
    labels = np.arange(NUM_NODES) % 3
    pairs = [(v, w) for v in range(NUM_NODES) for w in range(v) if labels[v] == labels[w]]
    senders, receivers = np.array(pairs).T
    network = from_edges(senders, receivers, np.eye(3)[labels], labels=labels, undirected=True)
    return replace(network, splits=random_splits(labels, 4, per_class=4, validation=12))


HELD_OUT = evaluation.hold_out_links(cliques())
NETWORK = HELD_OUT.network
TELLING = np.eye(3)[NETWORK.labels] + np.random.default_rng(1).normal(0, 0.01, (NUM_NODES, 3))
NOISE = np.random.default_rng(2).normal(size=(NUM_NODES, 3))


def _evaluated(name: str, embeddings: np.ndarray, most: int | None = None) -> dict[str, Score]:
    scores = evaluation.evaluate({"x": embeddings}, NETWORK, [name], held_out=HELD_OUT, most=most)
    return {metric: named["x"] for metric, named in scores[name].items()}


@pytest.mark.parametrize("name", TASKS)
def test_what_tells_all_scores_one_and_noise_does_not(name: str) -> None:
    telling, noise = _evaluated(name, TELLING), _evaluated(name, NOISE)
    assert telling.keys() == noise.keys() <= METRIC_NAMES.keys()
    for metric, score in telling.items():
        assert score.mean == pytest.approx(1, abs=0.02), metric
        assert noise[metric].mean < 0.75, metric


@pytest.mark.parametrize("name", TASKS)
def test_the_first_repeats_are_those_of_all(name: str) -> None:
    for metric, score in _evaluated(name, NOISE).items():
        few = _evaluated(name, NOISE, most=2)[metric]
        np.testing.assert_array_equal(few.values, score.values[:2])


@pytest.mark.parametrize("name", TASKS)
def test_a_rotation_of_embeddings_changes_nothing(name: str) -> None:
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3))).Q
    for metric, score in _evaluated(name, NOISE).items():
        assert _evaluated(name, NOISE @ turn)[metric].mean == pytest.approx(score.mean, abs=0.05)


def test_only_link_prediction_can_do_without_labels() -> None:
    without = replace(NETWORK, labels=None, splits=None)
    possible = [name for name, task in TASKS.items() if task.why_not(without, HELD_OUT) is None]
    assert possible == ["link_prediction"]
    assert TASKS["link_prediction"].why_not(NETWORK, None) == "no links were held out before training"


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (["probe"], "tasks: got 'probe'"),
        (["link_prediction"], "tasks: link_prediction cannot be evaluated: no links were held out"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(tasks: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluation.evaluate({"x": NOISE}, NETWORK, tasks)


def test_a_task_of_ones_own_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def width(seen: Seen) -> dict[str, Score]:
        return {"width": Score(np.array([float(seen.embeddings.shape[1])]), seen.embeddings.shape[1])}

    monkeypatch.setitem(TASKS, "width", Task("width", width, lambda network, held_out: None))
    assert evaluation.evaluate({"x": NOISE}, NETWORK, ["width"])["width"]["width"]["x"].mean == 3


def test_the_old_name_of_baselines_works_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="jdgnn.evaluation.controls is now jdgnn.evaluation.baselines"):
        assert evaluation.controls is evaluation.baselines
