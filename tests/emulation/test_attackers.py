"""What emulators make of attackers: who is measured, and that honest nodes alone change nothing."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jdgnn
from jdgnn.errors import InputError
from jdgnn.evaluation import HeldOutLinks
from jdgnn.experiment.run.evaluate import among_honest
from jdgnn.network import Splits
from jdgnn.protocol.attacks import sign_flip
from jdgnn.protocol.transport import ModelPool
from tests.support import assert_same_bits, small_emulator, small_network

NETWORK = small_network()
NUM_NODES = NETWORK.num_nodes


def test_metrics_are_of_honest_nodes() -> None:
    named = replace(NETWORK, node_names=tuple(f"node {v}" for v in range(NUM_NODES)))
    made = small_emulator(attackers=jdgnn.attackers(sign_flip(10), nodes=["node 0", "node 3"]))
    state, history = jdgnn.run(made, made.init(jax.random.key(0), named), named, 5)
    assert isinstance(state.models, ModelPool)
    assert state.role is not None
    assert np.flatnonzero(state.role).tolist() == [0, 3]
    honest = np.asarray(state.role) == 0
    assert_allclose(
        history.consensus_distance[-1], jdgnn.consensus_distance(state.params, jnp.asarray(honest)), rtol=1e-5
    )
    table = jdgnn.node_table(state, named)
    assert table["role"].tolist() == np.asarray(state.role).tolist()
    assert_allclose(history.norm_ratio[-1], table["norm_ratio"][honest].mean(), rtol=1e-5)
    assert_allclose(history.quantiles["distance"][-1][-1], table["distance"][honest].max(), rtol=1e-5)
    with pytest.raises(InputError, match="node 0"):
        made.init(jax.random.key(0), NETWORK)


@pytest.mark.long
def test_a_share_of_nobody_changes_nothing() -> None:
    waiting = jdgnn.gossip(capacity=2, link=jdgnn.link(delay=jdgnn.links.uniform(0, 2)))
    ends = [
        jdgnn.run(made, made.init(jax.random.key(5), NETWORK), NETWORK, 12)[0]
        for made in (
            small_emulator(gossip=waiting),
            small_emulator(gossip=waiting, attackers=jdgnn.attackers(sign_flip(), share=0.0)),
        )
    ]
    for name in ("params", "embeddings", "models", "accounts"):
        assert_same_bits(*(getattr(end, name) for end in ends))


@pytest.mark.long
def test_attackers_send_merged_moments_as_they_are_and_models_in_bfloat16() -> None:
    made = small_emulator(
        optimizer=jdgnn.adam(1e-2, merged=True),
        gossip=jdgnn.gossip(merge=jdgnn.merging.adopt()),
        attackers=jdgnn.attackers(sign_flip(), share=0.9),
        param_dtype="bfloat16",
    )
    state, _ = jdgnn.run(made, made.init(jax.random.key(0), NETWORK), NETWORK, 4)
    assert isinstance(state.models, ModelPool)
    sent = [layer["moments"] for layer in state.models.params]
    assert max(float(jnp.abs(leaf.astype(float)).max(initial=0)) for leaf in jax.tree.leaves(sent)) > 0
    squares = [leaf for path, leaf in jax.tree.leaves_with_path(sent) if "nu" in jax.tree_util.keystr(path)]
    assert squares
    assert all(float(leaf.astype(float).min(initial=0)) >= 0 for leaf in squares)
    assert all(np.isfinite(leaf.astype(float)).all() for leaf in jax.tree.leaves(state.params))


def test_attackers_that_no_model_is_sent_by_are_refused() -> None:
    with pytest.raises(InputError, match="attackers: has no effect"):
        small_emulator(gossip=None, attackers=jdgnn.attackers(sign_flip(), share=0.1))
    with pytest.raises(InputError, match=r"attackers: .*got 3"):
        small_emulator(attackers=3)
    short = jdgnn.Attack(corrupt=lambda params, key, wakes: params[:1])
    with pytest.raises(InputError, match=r"attackers.attack.corrupt: expected"):
        small_emulator(attackers=jdgnn.attackers(short, share=0.1)).init(jax.random.key(0), NETWORK)


def test_tasks_are_of_honest_nodes_of_whom_there_must_be_enough() -> None:
    part = np.arange(NUM_NODES) % 3
    splits = Splits(**{name: (part == number)[None] for number, name in enumerate(("train", "validation", "test"))})
    labelled = replace(NETWORK, labels=(np.arange(NUM_NODES) % 2).astype(np.int32), splits=splits)
    role = np.zeros(NUM_NODES, np.int8)
    role[0] = 1
    held_out = HeldOutLinks(network=labelled, linked=np.array([[0, 1], [2, 3]]), unlinked=np.array([[1, 2], [3, 0]]))
    network, links = among_honest(labelled, held_out, role == 0)
    found = network.splits
    assert found is not None
    assert links is not None
    assert (links.linked.tolist(), links.unlinked.tolist()) == ([[2, 3]], [[1, 2]])
    assert network.labels is not None
    assert np.flatnonzero(network.labels < 0).tolist() == [0]  # tasks that split by themselves leave it out
    assert found.train.sum() == splits.train.sum() - 1
    assert (found.test == splits.test).all()
    with pytest.raises(InputError, match="attackers: expected enough honest nodes for every split"):
        among_honest(labelled, None, part != 0)
