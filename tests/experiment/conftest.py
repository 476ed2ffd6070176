"""What all tests of the command line share."""

import pytest


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are folded alike on every terminal."""
    monkeypatch.setenv("COLUMNS", "80")
