"""What the command line says of itself: help, parts, completion."""

import shlex
from pathlib import Path
from typing import Any

import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.evaluation.maps import METHODS
from jdgnn.experiment.cli.completion import ASKED, SHELLS
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.config.catalogue import KINDS, describe, find
from jdgnn.experiment.config.networks import FILES, NETWORKS
from jdgnn.experiment.config.schema import resolve
from jdgnn.experiment.config.toml import parsed_toml
from tests.offenders import assert_none, failing
from tests.typed import commands, typed

ROOT = Path(__file__).parents[2]
COMMANDS = commands()
PARTS = [(f"{kind}.{name}", (kind, name)) for kind, one in KINDS.items() for name in one.parts]
BASE = {
    "network": "digits",
    "layers": [{"name": "dense", "units": 8}],
    "objective": "info_nce",
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
}


def helped(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert main([*command, "--help"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    return text


def test_help_is_one_screen_that_begins_with_commands_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    text = helped(capsys)
    assert len(text.splitlines()) <= 45
    for command in ("jdgnn run quickstart", "jdgnn datasets list", "jdgnn parts"):
        assert f"\n    {command} " in text
    assert text.index("The first three commands to type") < text.index("\nRun:") < text.index("\nNext steps:")
    for command in COMMANDS:
        assert text.count(f"\n  {command} ") == 1


def test_the_help_of_a_command_ends_in_examples_that_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    def check(command: str) -> None:
        _, found, examples = helped(capsys, *command.split()).partition("\nExamples:\n")
        assert found
        assert f"jdgnn {command}" in examples
        for line in examples.splitlines():
            if line.startswith("  jdgnn "):
                typed(shlex.split(line)[1:])

    assert_none(failing(check, [(name, (name,)) for name in [*COMMANDS, "datasets list"]]), "commands show examples")


def test_the_help_of_reports_names_all_maps(capsys: pytest.CaptureFixture[str]) -> None:
    assert ", ".join(METHODS) in " ".join(helped(capsys, "report").split())


def test_all_parts_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parts"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for kind, one in KINDS.items():
        assert f"\n{kind}: {one.summary}\n" in text
        for name in one.parts:
            assert f"\n  {name} " in text
    assert main(["parts", "merge"]) == 0
    assert capsys.readouterr().out.startswith("merge: how a received model")


def test_a_part_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    def check(kind: str, name: str) -> None:
        assert main(["parts", f"{kind}.{name}"]) == 0
        text = capsys.readouterr().out
        assert max(map(len, text.splitlines())) <= 80
        described = describe(kind, name)
        assert described.summary
        assert [argument.name for argument in described.arguments if not argument.text] == []
        for argument in described.arguments:
            assert f"\n  {argument.name} (" in text

    assert_none(failing(check, PARTS), "parts say what they take")


def _with(base: Any, changes: Any) -> Any:
    """Tables with others put into them."""
    if not isinstance(base, dict) or not isinstance(changes, dict) or "name" in changes:
        return changes
    return {**base, **{key: _with(base.get(key), value) for key, value in changes.items()}}


def test_a_snippet_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(kind: str, name: str) -> None:
        snippet = describe(kind, name).snippet
        for text in (snippet, snippet.replace("\n# archive", "\n#archive").replace("\n# ", "\n")):
            assert resolve(_with(BASE, parsed_toml(text))).network is not None

    monkeypatch.chdir(tmp_path)
    Path("trace.csv").write_text("node,start,end\n0,0,9\n")
    assert_none(failing(check, PARTS), "snippets can be pasted")


def test_names_that_several_kinds_have_are_told_apart() -> None:
    assert find("gcn") == ("layers", "gcn")
    assert find("delay.uniform") == ("delay", "uniform")
    with pytest.raises(InputError, match=r"2 parts called 'uniform'; write peers.uniform or delay.uniform"):
        find("uniform")
    with pytest.raises(InputError, match="no part 'gcnn'; did you mean 'gcn'"):
        find("gcnn")
    with pytest.raises(InputError, match=r"no part 'xyzzy'; jdgnn parts lists them"):
        find("xyzzy")
    with pytest.raises(InputError, match=r"no 'averag' in merge; .* did you mean 'average'"):
        find("merge.averag")


def test_a_new_part_is_described_without_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def hourglass(*, sand: float, glass: int = 2) -> None:
        """Runs out.

        Args:
          sand: how much,
            in grams.
          glass: how many.
        """

    monkeypatch.setitem(KINDS["clock"].parts, "hourglass", hourglass)
    described = describe("clock", "hourglass")
    assert described.summary == "Runs out."
    assert [argument.text for argument in described.arguments] == ["how much, in grams.", "how many."]
    assert described.snippet == '[availability]\nclock = { name = "hourglass", sand = 0.5, glass = 2 }'


def test_networks_from_files_are_among_the_parts() -> None:
    assert FILES in NETWORKS
    assert 'edges = "edges.csv"' in describe("network", FILES).snippet


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert f"{ASKED}=complete_{shell}" in capsys.readouterr().out


def test_other_shells_are_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bsh"]) == 2
    assert "did you mean 'bash'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("expo", ["export"]),
        ("run --resu", ["--resume"]),
        ("run ow", ["own-files", "own.toml"]),
        ("parts info", ["info_nce"]),
        ("completion z", ["zsh"]),
    ],
)
def test_words_are_completed(
    words: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").touch()
    for name, value in {
        ASKED: "complete_bash",
        "COMP_WORDS": f"jdgnn {words}",
        "COMP_CWORD": len(words.split()),
    }.items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == found


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jdgnn {jdgnn.__version__}\n"


def test_an_interrupt_where_nothing_is_kept_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jdgnn.experiment.cli.configs.shipped", interrupted)
    assert main(["configs"]) == 130
    assert capsys.readouterr().err == "jdgnn: interrupted\n"
