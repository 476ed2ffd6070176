"""Invalid arguments of parts and settings: one sentence names the argument, what was expected, and the value."""

import re
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import jdgnn
from jdgnn import acceptance, attacks, clocks, link_presence, links, merging, presence, schedules
from jdgnn.errors import InputError
from jdgnn.protocol.content import top_k

NAN = float("nan")
INVALID: list[tuple[Callable[..., Any], tuple[Any, ...], str]] = [
    *((clocks.bernoulli, (prob,), "prob") for prob in (-0.1, 1.5, "half", True, NAN, np.ones(3))),
    *((clocks.periodic, (period,), "period") for period in (0, 2.5, True, 2**31, jnp.float32(3), jnp.int32(0))),
    (clocks.lognormal, (2, 0.5), "mean_prob"),
    (clocks.lognormal, (0.5, -1), "sigma"),
    (presence.churn, (0.5, 5), "mean_session"),
    (presence.churn, (5, 0), "mean_absence"),
    (presence.churn, (float("inf"), 5), "mean_session"),
    (presence.crash, (1.01,), "prob"),
    (presence.late_joining, (2, 0, 1), "share"),
    (presence.late_joining, (0.5, -1, 1), "first"),
    (presence.late_joining, (0.5, 3, 4.5), "last"),
    (presence.trace, ([(0, 1, 2)], 0), "period"),
    (link_presence.markov, (0.5, 5), "mean_up"),
    (link_presence.markov, (5, NAN), "mean_down"),
    (links.bernoulli, (1.1,), "prob"),
    (links.measured, (-1,), "default"),
    (links.bursty, (0.5, 2), "mean_good"),
    (links.bursty, (2, 0), "mean_bad"),
    (links.bursty, (2, 2, 1.5), "good_prob"),
    (links.bursty, (2, 2, 0, -1), "bad_prob"),
    (links.constant, (-1,), "ticks"),
    (links.uniform, (-1, 2), "low"),
    (links.uniform, (0, 2.5), "high"),
    (links.uniform, (0, 2, -1), "maximum"),
    (links.geometric, (-1, 5), "mean"),
    (links.geometric, (1, -5), "maximum"),
    (links.by_size, (0, 5), "bytes_per_tick"),
    (links.by_size, (1, 0.5), "maximum"),
    (links.partition, (-1, 5), "start"),
    (links.partition, (0, 5, 1.5), "share"),
    *((links.partition, (0, 5, 0.5, groups), "groups") for groups in ([0.5, 1], [[0, 1]])),
    *((jdgnn.link, (drop,), "drop") for drop in (1.5, "perfect", True)),
    *((jdgnn.link, (0, delay), "delay") for delay in (-1, 1.5)),
    (jdgnn.link, (jdgnn.DropModel(sample=0.5),), "DropModel.sample"),  # type: ignore[arg-type]
    (jdgnn.link, (0, jdgnn.DelayModel(sample=3, maximum=3)), "delay.sample"),  # type: ignore[arg-type]
    (jdgnn.link, (0, jdgnn.DelayModel(sample=max, maximum=-3)), "delay.maximum"),  # type: ignore[arg-type]
    *((jdgnn.link, (0, 0, partition), "partition") for partition in (5, links.bursty(2, 2))),
    (schedules.every, (0,), "wakes"),
    (schedules.every, (1.5,), "wakes"),
    (schedules.every, (3, -1), "phase"),
    (schedules.token_account, (0, 1), "capacity"),
    (schedules.token_account, (5.5, 2), "capacity"),
    (schedules.token_account, (5, 0), "reserve"),
    (merging.limited, (-1,), "limit"),
    (merging.limited, (2.5,), "limit"),
    (merging.variance_corrected, ("average",), "rule"),
    (merging.variance_corrected, (merging.krum(),), "rule"),
    (merging.variance_corrected, (jdgnn.MergeRule(merge=3),), "MergeRule.merge"),  # type: ignore[arg-type]
    (merging.krum, (-1,), "num_attackers"),
    (merging.krum, (1, 0), "num_chosen"),
    (merging.trimmed_mean, (0.5,), "num_trimmed"),
    (merging.inbox_mean_rule, ("mean",), "weigh_all"),
    *((top_k, (share,), "share") for share in (0, 1.5, "x")),
    (top_k, (0.5, 1), "error_feedback"),
    (jdgnn.attackers, (0.5,), "attack"),
]


@pytest.mark.parametrize(("make", "arguments", "name"), INVALID)
def test_invalid_arguments_are_named(make: Callable[..., Any], arguments: tuple[Any, ...], name: str) -> None:
    with pytest.raises(InputError, match=rf"(?s)^{re.escape(name)}: expected .+, got "):
        make(*arguments)


def _divided_and_passed_on() -> Any:
    return jdgnn.gossip(merge=merging.push_sum(), pass_through=True, acceptance=acceptance.degree())


def _attackers(**given: Any) -> Callable[[], Any]:
    return lambda: jdgnn.attackers(attacks.sign_flip(), **given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: clocks.bernoulli(-0.1), "prob: expected a number from 0 to 1, got -0.1"),
        (lambda: presence.late_joining(0.5, 3, 2), "last: expected a tick of at least first = 3, got 2"),
        (lambda: links.uniform(3, 2), "high: expected a delay of at least low = 3, got 2"),
        (lambda: links.partition(5, 5), "end: expected a tick after start = 5, got 5"),
        (lambda: schedules.every(3, 3), "phase: expected a whole number below wakes = 3, got 3"),
        (lambda: schedules.token_account(5, 6), "reserve: expected at most capacity = 5, got 6"),
        (lambda: jdgnn.availability(links=0.5), "links: expected a model such as .*, got 0.5"),  # type: ignore[arg-type]
        (lambda: jdgnn.gossip(content=0.5), "content: expected a content .*, got 0.5"),  # type: ignore[arg-type]
        (lambda: jdgnn.gossip(merge=jdgnn.MergeRule()), "merge: expected a rule with either merge or merge_all"),
        (lambda: jdgnn.gossip(pass_through=True), "pass_through: expected False where every model is accepted"),
        (_divided_and_passed_on, "pass_through: expected False with a merge rule that divides weights"),
        (lambda: jdgnn.publish(schedule=schedules.token_account()), "schedule: expected one that does not draw"),
        (_attackers(share=0.1, nodes=["a"]), "share: expected a share or names of nodes, got both 0.1 and"),
        (_attackers(share=1.5), "share: expected a number from 0 to 1, got 1.5"),
        *((_attackers(nodes=nodes), "nodes: expected a list of names of nodes") for nodes in ("ann", [], [" "])),
    ],
)
def test_the_message_says_what_was_expected(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
