"""What single parts of a tick take by compiled kernels, and as the compiler of JAX makes them.

`python -m bench.parts` measures each at the size of the standard workload, both ways in turn in one process, and writes
`bench/results/parts.json`; `--table` prints what was measured. A time is that of one call, over several calls in a row.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from bench.machine import RESULTS, circumstances, shown
from bench.turns import ranged, ratios, spread
from bench.workload import Options, random_network
from jdgnn.backend import library
from jdgnn.backend.backend import PLAIN, Backend, backend
from jdgnn.emulation.metrics import quantiles
from jdgnn.emulation.spread import spread_of
from jdgnn.network.topology import topology
from jdgnn.protocol.draws import below
from jdgnn.protocol.messages import arrivals

RESULT = RESULTS / "parts.json"
ROUNDS, SECONDS = 9, 0.2  # turns of each, and how long one takes, about


class Part(NamedTuple):
    """Some of a tick: `run(backend, *arrays)`, and what to compare it with, itself without kernels if None."""

    run: Callable[..., Any]
    arrays: tuple[Any, ...]
    plain: Callable[..., Any] | None = None


def parts(options: Options) -> dict[str, Part]:
    """What is measured, by what the tables call it."""
    nodes, units, pushes = options.nodes, options.units, options.nodes * options.negatives
    links = topology(random_network(nodes, units, options.degree, options.seed))
    keys = iter(jax.random.split(jax.random.key(options.seed), 9))
    dst = jax.random.randint(next(keys), (pushes,), 0, nodes, dtype=jnp.int32)
    rank = jax.random.bits(next(keys), (pushes,), jnp.uint32)
    table = jax.random.normal(next(keys), (nodes, units))
    over_edges = jax.random.normal(next(keys), (links.num_edges, units))
    weights = jax.random.normal(next(keys), (links.num_edges,))
    matrices = jax.random.normal(next(keys), (nodes, units, units))

    def in_range(backend: Backend, key: jax.Array) -> jax.Array:
        return below(key, (nodes, options.negatives), nodes - 1)

    def by_division(backend: Backend, key: jax.Array) -> jax.Array:
        return jax.random.randint(key, (nodes, options.negatives), 0, nodes - 1, dtype=jnp.int32)

    return {
        f"{pushes:,} pushes sorted by receiver and rank": Part(
            lambda backend, dst, rank: arrivals(backend, nodes, dst, rank), (dst, rank)
        ),
        f"{pushes:,} embeddings gathered, into fresh memory": Part(
            lambda backend, table, row: backend.gather(table, row), (table, dst)
        ),
        f"{links.num_edges:,} vectors summed at their receivers": Part(
            lambda backend, *given: backend.sum_over_edges(*given), (over_edges, weights, links)
        ),
        "mean model, distances from it and norms": Part(
            lambda backend, matrices: spread_of(backend, ({"w": matrices},)), (matrices,)
        ),
        "quantiles of a number per node": Part(lambda backend, v: quantiles(backend, v, v > -1), (table[:, 0],)),
        f"{pushes:,} random receivers, by multiplication and by division": Part(in_range, (next(keys),), by_division),
    }


def compiled(run: Callable[..., Any], are_allowed: bool) -> Callable[..., Any]:
    """The part as a program of its own, with kernels or without."""
    return jax.jit(partial(run, backend() if are_allowed else PLAIN))


def timed(program: Callable[..., Any], arrays: tuple[Any, ...], calls: int) -> float:
    """Milliseconds that a call takes."""
    started = time.perf_counter()
    for _ in range(calls):
        done = program(*arrays)
    jax.block_until_ready(done)
    return 1e3 * (time.perf_counter() - started) / calls


def measured(part: Part, rounds: int) -> dict[str, Any]:
    """Milliseconds of both, in turn, and how many times faster the first is."""
    programs = compiled(part.run, True), compiled(part.plain or part.run, False)
    turns = []
    for program in programs:
        timed(program, part.arrays, 1)
        turns.append(max(1, int(1e3 * SECONDS / timed(program, part.arrays, 1))))
    times = [
        [timed(program, part.arrays, calls) for program, calls in zip(programs, turns, strict=True)]
        for _ in range(rounds)
    ]
    ours, plain = zip(*times, strict=True)
    return {"kernel": spread(ours), "plain": spread(plain), "times": ratios(plain, ours)}


def measure(options: Options, rounds: int = ROUNDS) -> dict[str, Any]:
    """All parts, and on what they were measured."""
    if (reason := library.why_not()) is not None:
        raise SystemExit(f"there are no kernels to measure: {reason}")
    return {
        "parts": {name: measured(part, rounds) for name, part in parts(options).items()},
        "nodes": options.nodes,
        **circumstances(),
    }


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"| {result['nodes']:,} nodes; ms (lowest to highest) | compiled kernels | plain JAX | speed-up |",
        "|---|---:|---:|---:|",
    ]
    for name, figures in result["parts"].items():
        cells = [ranged(figures[column]) for column in ("kernel", "plain", "times")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=Options().nodes)
    parser.add_argument("--table", action="store_true", help="print the committed figures and measure nothing")
    arguments = parser.parse_args()
    if not arguments.table:
        RESULT.write_text(json.dumps(measure(Options(nodes=arguments.nodes)), indent=2) + "\n")
    print(shown(RESULT, table))


if __name__ == "__main__":
    main()
