"""What `--set` says of a sweep: values, combinations, names."""

import pytest

from jdgnn.errors import InputError
from jdgnn.experiment.sweep.grid import Axis, Variant, parse, split_values, variants


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.003,0.01, 3e-2", ["0.003", "0.01", "3e-2"]),
        ("average,age_weighted", ["average", "age_weighted"]),
        ("\"a,b\",'c,d'", ['"a,b"', "'c,d'"]),
        ("[1, 2],[]", ["[1, 2]", "[]"]),
        ('[{name = "crash", prob = 0.1}]', ['[{name = "crash", prob = 0.1}]']),
        ('{name = "limited", limit = 3},average', ['{name = "limited", limit = 3}', "average"]),
    ],
)
def test_commas_inside_of_brackets_and_quotes_belong_to_a_value(text: str, values: list[str]) -> None:
    assert split_values(text) == values


def test_keys_with_one_value_hold_for_all_runs() -> None:
    common, axes = parse(["emulation.ticks=5", "push.fanout=4,8", "availability.presence=[]"])
    assert common == ["emulation.ticks=5", "availability.presence=[]"]
    assert axes == [Axis("push.fanout", ("4", "8"))]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["push.fanout=4,,8"], "--set: a value is missing in '4,,8'"),
        (["push.fanout=4,"], "a value is missing in '4,'"),
        (["push.fanout=4, 8,4"], "--set: '4, 8,4' has 4 twice; write each value once"),
        (["push.fanout"], r"--set: .*got 'push.fanout'"),
        (["seed=0,1"], "expected one value for seed, the first, got several"),
        (["push.fanout=1,2", "push.fanout=4"], "push.fanout is given twice"),
    ],
)
def test_what_makes_no_sense_is_rejected(overrides: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(overrides)


def test_a_grid_that_is_too_large_is_rejected_before_it_is_written_out() -> None:
    axes = [Axis(f"a{number}", tuple(map(str, range(1000)))) for number in range(10)]
    with pytest.raises(InputError, match=r"expected a grid of at most 10,000 runs"):
        variants(axes, 1)
    with pytest.raises(InputError, match=r"expected a grid of at most 10,000 runs, got 20,000"):
        variants(axes[:1], 20)
    with pytest.raises(InputError, match="expected a key with several values, got none"):
        variants([], 3)


def test_names_of_directories_fit_any_file_system_and_differ() -> None:
    values = ["[]", "{}", "a/b", "a b", "../x", "é", "x" * 500, "x" * 501, "0.1"]
    names = [Variant((("availability.presence", value),)).name for value in values]
    assert len({*names}) == len(values)
    for name in names:
        assert len(name) <= 120
        assert name.isascii()
        assert "/" not in name
