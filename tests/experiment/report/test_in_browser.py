"""The report in a real browser: every figure is drawn with the run's own numbers, and nobody is asked for anything."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jdgnn.experiment.cli.main import main
from jdgnn.experiment.report.making import write_report
from tests.experiment.report.browser import browser, shown
from tests.experiment.report.pages import Reported, data_of
from tests.experiment.run_support import Variants, arrays, rows
from tests.seldom import mostly_long

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.mark.parametrize("width", mostly_long([390, 820, 1400], [390]))
def test_every_figure_is_drawn_without_an_error_or_a_request(running: Any, reported: Reported, width: int) -> None:
    page, errors, requests = shown(running, reported.directory / "report.html", width)
    page.evaluate("window.drawAll()")
    figures = data_of(reported.page)["figures"]
    for identity in (*figures, "map-0", "network-picture"):
        assert page.evaluate(f"document.getElementById('{identity}').querySelectorAll('.main-svg').length") > 0, (
            identity
        )
    losses = [row["loss"][0] for row in rows(reported.directory)]
    drawn = page.evaluate("Array.from(document.getElementById('learning-loss').data.find(d => d.name === 'layer 1').y)")
    assert drawn == losses
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []
    assert requests == []


@pytest.mark.long
def test_figures_are_drawn_when_they_come_into_view(running: Any, reported: Reported) -> None:
    page, errors, _ = shown(running, reported.directory / "report.html")
    assert page.evaluate("document.querySelectorAll('#speed .main-svg').length") == 0
    page.click("nav a[href='#speed']")
    page.wait_for_selector("#speed-seconds .main-svg")
    assert errors == []


def test_the_map_is_played_and_coloured_from_the_keyboard(running: Any, reported: Reported) -> None:
    page, errors, _ = shown(running, reported.directory / "report.html", reduced_motion="reduce")
    page.focus("#map-time")
    page.wait_for_selector("#map-0[data-tick]")
    page.keyboard.press("Home")
    assert page.get_attribute("#map-0", "data-tick") == "1"
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#map-0", "data-tick") == "2"
    assert page.text_content("#map-tick") == "2"
    page.focus("#map-play")
    page.keyboard.press("Enter")
    page.wait_for_selector("#map-0[data-tick='3']")
    page.keyboard.press("Enter")
    page.select_option("#map-colour", "age")
    nodes = page.evaluate("Array.from(document.getElementById('map-0').data[0].marker.color)")
    assert len(nodes) == 40
    assert page.is_hidden("#map-legend")
    page.select_option("#map-colour", "class")
    page.click("#map-legend button >> nth=0")
    left = page.evaluate("document.getElementById('map-0').data[0].x.filter(Number.isFinite).length")
    assert left < 40
    assert errors == []


def test_a_node_tells_of_itself(running: Any, reported: Reported) -> None:
    page, _, _ = shown(running, reported.directory / "report.html")
    page.evaluate("document.getElementById('map').scrollIntoView()")
    page.wait_for_selector("#map-0[data-tick]")
    page.evaluate(
        "document.getElementById('map-0').emit('plotly_hover', "
        "{points: [{pointNumber: 7}], event: {clientX: 10, clientY: 10}})"
    )
    assert "node 7" in page.text_content("#map-hover")
    assert "in-neighbours" in page.text_content("#map-hover")


@pytest.mark.long
def test_two_runs_are_shown_on_two_maps(running: Any, variants: Variants, tmp_path: Path) -> None:
    out = tmp_path / "both.html"
    assert main(["report", str(variants.first), str(variants.second), "--map", "pca,tsne", "--out", str(out)]) == 0
    page, errors, _ = shown(running, out)
    page.evaluate("window.drawAll()")
    page.select_option("#map-run-1", label="B, seed 0")
    page.select_option("#map-method", "tsne")
    assert page.text_content("#map-says-0").startswith("A, seed 0: t-SNE after tick 7")
    assert page.text_content("#map-says-1").startswith("B, seed 0: t-SNE after tick 7")
    assert errors == []


@pytest.mark.long
def test_classes_are_called_what_their_own_run_calls_them(running: Any, reported: Reported, tmp_path: Path) -> None:
    for name, labels in {"kitchen": 0, "bath": 2**31 - 1}.items():
        shutil.copytree(reported.directory, tmp_path / name)
        held = arrays(reported.directory, "network.npz") | {"labels": np.full(40, labels, np.int32)}
        named = {"class_names": np.array([name])} if labels == 0 else {}
        np.savez(tmp_path / name / "network.npz", allow_pickle=False, **(held | named))
    write_report([tmp_path / "kitchen", tmp_path / "bath"], tmp_path / "both.html")
    page, errors, _ = shown(running, tmp_path / "both.html")
    assert page.locator("#map-legend button").all_inner_texts() == ["kitchen", "class 2147483647"]
    page.evaluate("window.drawAll()")
    for slot, name in enumerate(("kitchen", "class 2147483647")):
        page.evaluate(
            f"document.getElementById('map-{slot}').emit('plotly_hover', "
            "{points: [{pointNumber: 7}], event: {clientX: 10, clientY: 10}})"
        )
        assert name in page.text_content("#map-hover")
    assert errors == []


@pytest.mark.long
def test_everything_is_there_in_print(running: Any, reported: Reported) -> None:
    page, errors, _ = shown(running, reported.directory / "report.html")
    page.pdf()
    assert page.evaluate("document.querySelectorAll('.plot:not([data-drawn])').length") == 0
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    assert errors == []


@pytest.mark.long
def test_without_webgl_the_map_is_drawn_all_the_same(running: Any, reported: Reported) -> None:
    page, errors, _ = shown(running, reported.directory / "report.html")
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.evaluate("window.drawAll()")
    assert page.evaluate("document.querySelectorAll('#map-0 .scatterlayer .point').length") == 40
    assert errors == []
