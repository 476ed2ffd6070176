"""Stopping by held-out links."""

import dataclasses
from typing import Any

import jax
import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.evaluation import hold_out_links, link_prediction, when_to_stop
from tests.support import small_emulator

NETWORK = jdgnn.generators.stochastic_block_model(60, 3, 6, separation=2.0)
KEY = jax.random.key(0)


def test_what_is_measured_is_how_a_run_on_the_other_links_tells_the_ones_held_out() -> None:
    emulator = small_emulator()
    found = when_to_stop(emulator, NETWORK, 10, KEY, every=4, patience=9, share=0.2, seed=3)
    assert [tick for tick, _ in found.measured] == [4, 8, 10]
    held_out = hold_out_links(NETWORK, 0.2, seed=3)
    for ticks, auc in found.measured:
        state, _ = jdgnn.run(emulator, emulator.init(KEY, held_out.network), held_out.network, ticks)
        assert link_prediction(emulator.embeddings(state), held_out).auc == auc
    assert found.ticks == max(found.measured, key=lambda pair: pair[1])[0]


def test_it_ends_when_nothing_has_become_better_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    aucs = iter([0.5, 0.7, 0.9, 0.8, 0.85, 0.9, 0.95])
    result = link_prediction(NETWORK.features, hold_out_links(NETWORK))
    monkeypatch.setattr(
        "jdgnn.evaluation.stopping.link_prediction", lambda *_: dataclasses.replace(result, auc=next(aucs))
    )
    found = when_to_stop(small_emulator(), NETWORK, 100, KEY, every=2, patience=3)
    assert found.ticks == 6
    assert [auc for _, auc in found.measured] == [0.5, 0.7, 0.9, 0.8, 0.85, 0.9]


def test_labels_have_no_say() -> None:
    unlabelled = dataclasses.replace(NETWORK, labels=None, splits=None, class_names=())
    assert when_to_stop(small_emulator(), unlabelled, 6, KEY, every=3) == when_to_stop(
        small_emulator(), NETWORK, 6, KEY, every=3
    )


@pytest.mark.parametrize(
    ("argument", "value"), [("ticks", 0), ("every", 0), ("patience", 0), ("share", 0.0), ("seed", -1)]
)
def test_numbers_that_make_no_sense_are_refused(argument: str, value: Any) -> None:
    arguments: dict[str, Any] = {"ticks": 5, argument: value}
    with pytest.raises(InputError, match=rf"^{argument}: .*got"):
        when_to_stop(small_emulator(), NETWORK, arguments.pop("ticks"), KEY, **arguments)
