"""Who attacks, and what is sent then: every attack by its contract, shares and names."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.network import Identifiers
from jdgnn.parts import as_argument
from jdgnn.protocol.attacks import ATTACKS, sign_flip
from jdgnn.protocol.roles import attackers
from tests.protocol.part_support import assert_one_program, drawn
from tests.samples import PARTS
from tests.support import small_emulator, small_network

PARAMS = {"kernel": jnp.array([[1.0, -2.0]]), "nothing": jnp.zeros((0, 2)), "scale": jnp.float32(0.5)}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gives_a_model_of_the_same_form(name: str) -> None:
    def corrupt(attack: jdgnn.Attack) -> Any:
        return attack.corrupt(PARAMS, jax.random.key(0), jnp.int32(3))

    attacks = [as_argument(PARTS["attack"][name](variant)) for variant in (0, 1)]
    assert_one_program(corrupt, attacks)
    given = drawn(corrupt, attacks[0])
    for before, after in zip(jax.tree.leaves(PARAMS), jax.tree.leaves(given), strict=True):
        assert (before.shape, before.dtype) == (after.shape, after.dtype)


def test_signs_are_flipped() -> None:
    flipped = sign_flip(3).corrupt(PARAMS, jax.random.key(0), jnp.int32(0))
    assert flipped["kernel"].tolist() == [[-3, 6]]
    assert float(flipped["scale"]) == -1.5


@pytest.mark.parametrize(("share", "num_nodes"), [(0.1, 12), (0.25, 10), (0.5, 7), (1.0, 3), (0.0, 5), (0.3, 1)])
def test_a_share_is_exact_and_falls_on_anybody(share: float, num_nodes: int) -> None:
    choose = attackers(sign_flip(), share=share if share != 0.1 else None).selection.choose
    masks = np.array([choose(jax.random.key(seed), num_nodes) for seed in range(60)])
    assert (masks.sum(axis=1) == round(share * num_nodes)).all()
    assert masks.any(axis=0).all() == (round(share * num_nodes) > 0)


def test_names_are_those_of_the_network() -> None:
    selection = attackers(sign_flip(), nodes=["cy", "ann"]).selection
    assert selection.bind is not None
    bound = selection.bind(Identifiers(("ann", "bob", "cy"), 3))
    assert bound.choose(jax.random.key(0), 3).tolist() == [True, False, True]
    with pytest.raises(InputError, match="nodes: no node has the name 'cy', 'ann'"):
        selection.bind(Identifiers((), 3)).choose(jax.random.key(0), 3)


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.01, r"attackers.share: expected one that is at least one of 12 nodes"), (1.0, "honest")],
)
def test_shares_that_leave_no_node_are_rejected(share: float, told: str) -> None:
    emulator = small_emulator(attackers=attackers(sign_flip(), share=share))
    with pytest.raises(InputError, match=told):
        emulator.init(jax.random.key(0), small_network())
