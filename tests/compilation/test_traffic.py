"""What a compiled program moves, counted in small programs of which it is known."""

import jax
import pytest

import jdgnn
from jdgnn.compilation.hlo import Program, num_bytes, parse
from jdgnn.compilation.traffic import Traffic, loops, traffic

PASS = """\
HloModule jit_f, is_scheduled=true

%fused_add (param_0: f32[1000,64], param_1: f32[1000]) -> f32[1000,64] {
  %param_0 = f32[1000,64]{1,0} parameter(0)
  %param_1 = f32[1000]{0} parameter(1)
  %broadcast.1 = f32[1000,64]{1,0} broadcast(%param_1), dimensions={0}
  ROOT %add.1 = f32[1000,64]{1,0} add(%param_0, %broadcast.1)
}

ENTRY %main (w: f32[1000,64], b: f32[1000]) -> f32[1000,64] {
  %w = f32[1000,64]{1,0} parameter(0)
  %b = f32[1000]{0} parameter(1)
  %copy.1 = f32[1000,64]{1,0} copy(%w)
  ROOT %loop_add_fusion = f32[1000,64]{1,0} fusion(%copy.1, %b), kind=kLoop, calls=%fused_add
}
"""
ROWS = """\
%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %add.9 = f32[] add(%a, %b)
}

%fused_gather (param_0: f32[1000,64], param_1: s32[10]) -> f32[10,64] {
  %param_0 = f32[1000,64]{1,0} parameter(0)
  %param_1 = s32[10]{0} parameter(1)
  ROOT %gather.1 = f32[10,64]{1,0} gather(%param_0, %param_1), slice_sizes={1,64}
}

%fused_both (param_0: f32[1000,64], param_1: s32[1000]) -> f32[1000,64] {
  %param_0 = f32[1000,64]{1,0} parameter(0)
  %param_1 = s32[1000]{0} parameter(1)
  %gather.2 = f32[1000,64]{1,0} gather(%param_0, %param_1), slice_sizes={1,64}
  ROOT %add.2 = f32[1000,64]{1,0} add(%param_0, %gather.2)
}

%fused_scatter (param_0: f32[1000,64], param_1: s32[10], param_2: f32[10,64]) -> f32[1000,64] {
  %param_0 = f32[1000,64]{1,0} parameter(0)
  %param_1 = s32[10]{0} parameter(1)
  %param_2 = f32[10,64]{1,0} parameter(2)
  ROOT %scatter-add.3 = f32[1000,64]{1,0} scatter(%param_0, %param_1, %param_2), UNIQUEto_apply=%add
}

ENTRY %main (w: f32[1000,64], i: s32[10], j: s32[1000]) -> f32[1000,64] {
  %w = f32[1000,64]{1,0} parameter(0)
  %i = s32[10]{0} parameter(1)
  %j = s32[1000]{0} parameter(2)
  %few = f32[10,64]{1,0} fusion(%w, %i), kind=kLoop, calls=%fused_gather
  %all = f32[1000,64]{1,0} fusion(%w, %j), kind=kLoop, calls=%fused_both
  ROOT %put = f32[1000,64]{1,0} fusion(%all, %i, %few), kind=kInput, calls=%fused_scatter
}
"""
LOOP = """\
%body (arg: (s32[], f32[1000])) -> (s32[], f32[1000]) {
  %arg = (s32[], f32[1000]{0}) parameter(0)
  %i = s32[] get-tuple-element(%arg), index=0
  %x = f32[1000]{0} get-tuple-element(%arg), index=1
  %y = f32[1000]{0} negate(%x)
  %z = f32[1000]{0} conditional(%i, %y, %y), branch_computations={%cheap, %dear}
  ROOT %out = (s32[], f32[1000]{0}) tuple(%i, %z)
}

%cheap (x: f32[1000]) -> f32[1000] {
  ROOT %x.1 = f32[1000]{0} parameter(0)
}

%dear (x: f32[1000]) -> f32[1000] {
  %x.2 = f32[1000]{0} parameter(0)
  ROOT %sort.1 = f32[1000]{0} sort(%x.2), dimensions={0}
}

%test (arg: (s32[], f32[1000])) -> pred[] {
  %arg.1 = (s32[], f32[1000]{0}) parameter(0)
  ROOT %go = pred[] constant(true)
}

ENTRY %main (init: (s32[], f32[1000])) -> (s32[], f32[1000]) {
  %init = (s32[], f32[1000]{0}) parameter(0)
  ROOT %while.1 = (s32[], f32[1000]{0}) while(%init), condition=%test, body=%bodySAID
}
"""


def counted(program: Program, *, is_recorded: bool = False) -> Traffic:
    return traffic(program, program.entry, is_recorded=is_recorded)


def test_a_pass_reads_and_writes_and_a_copy_is_told_apart() -> None:
    found = counted(parse(PASS))
    assert found.num_bytes == 2 * 256_000 + 2 * 256_000 + 4_000
    assert (found.kernels, found.copied, found.transposed) == (2, 256_000, 0)
    assert found.heavy[0].opcode == "copy+copy"


def test_rows_count_as_rows_and_beside_a_whole_pass_once_more() -> None:
    few, whole, put = counted(parse(ROWS.replace("UNIQUE", ""))).heavy
    assert few.num_bytes == 2 * 2_560 + 40
    assert whole.num_bytes == 3 * 256_000 + 4_000
    assert put.num_bytes == 2_560 + 40 + 2 * 2_560  # what is added to is read, too


@pytest.mark.parametrize(("said", "adds"), [("", 1), ("unique_indices=true, ", 0)])
def test_sums_in_no_fixed_order_are_told(said: str, adds: int) -> None:
    assert counted(parse(ROWS.replace("UNIQUE", said))).float_scatter_adds == adds
    assert counted(parse(ROWS.replace("UNIQUE", said).replace("f32", "s32"))).float_scatter_adds == 0


@pytest.mark.parametrize(
    ("said", "trips", "unknown"),
    [
        ("", 1, 1),
        (', backend_config={"known_trip_count":{"n":"7"}}', 7, 0),
        (', metadata={op_name="jit(f)/expected_trips_3/while"}', 3, 0),
        (', metadata={op_name="jit(f)/expected_trips_0/while"}', 0, 0),
        (', metadata={op_name="jit(f)/expected_trips_3/while/body/while"}', 1, 1),  # said of a loop around it
    ],
)
def test_loops_count_as_often_as_they_run(said: str, trips: int, unknown: int) -> None:
    program = parse(LOOP.replace("SAID", said))
    once = 8_000
    assert counted(program).num_bytes == trips * once
    assert counted(program, is_recorded=True).num_bytes == trips * (once + 8_000)
    assert counted(program, is_recorded=True).largest_sort == (1_000 if trips else 0)
    assert counted(program).unknown_loops == unknown
    assert [loop.name for loop in loops(program, program.entry)] == ["while.1"]


def test_shapes_of_all_types_are_known() -> None:
    assert num_bytes("(pred[8]{0}, bf16[2,3]{1,0}, /*index=2*/u16[4]{0}, s64[], c64[2]{0})") == 8 + 12 + 8 + 8 + 16
    assert num_bytes("f8e4m3fn[16]{0}") == 16
    with pytest.raises(ValueError, match="ENTRY"):
        parse("HloModule empty")


def test_a_program_of_this_machine_can_be_read() -> None:
    compiled = jax.jit(lambda x: (x[::-1] * 2).sum()).lower(jax.numpy.ones(1000)).compile()
    program = parse(compiled.as_text() or "")
    assert counted(program).num_bytes >= 4_000


def test_without_the_compiler_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = jdgnn.Emulator(
        layers=[jdgnn.gcn(4)], objective=jdgnn.info_nce(), optimizer=jdgnn.sgd(0.1), push=None, gossip=None
    )
    network = jdgnn.generators.ring(6)
    with pytest.raises(jdgnn.InputError, match="gpu: got 'H20'; allowed: H100, H200; did you mean 'H200'"):
        jdgnn.gpu_check(emulator, network, gpu="H20")
    monkeypatch.setattr("jax.experimental.topologies.get_topology_desc", lambda **_: 1 / 0)
    with pytest.raises(jdgnn.InputError, match="pip install --no-deps --target FOLDER jax-cuda12-plugin=="):
        jdgnn.gpu_check(emulator, network)
