"""The check of a built site finds what would not work from a disk."""

from pathlib import Path

import pytest

from docs.check_site import problems


def site(folder: Path, body: str) -> list[str]:
    """What is wrong with a site of two pages and a picture, one of them with this body."""
    (folder / "a.png").write_bytes(b"")
    (folder / "other.html").write_text('<h1 id="there">Other</h1>')
    (folder / "index.html").write_text(f"<html><body>{body}</body></html>")
    return list(problems(folder))


@pytest.mark.parametrize(
    "body",
    [
        '<a href="other.html#there">x</a><img src="a.png"><a href="#">up</a>',
        '<a href="https://example.org/page">elsewhere</a><a href="mailto:a@example.org">x</a>',
        '<link rel="canonical" href="https://example.org/"><img src="data:image/png;base64,">',
    ],
)
def test_a_sound_site_is_taken(tmp_path: Path, body: str) -> None:
    assert site(tmp_path, body) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('<a href="gone.html">x</a>', "no such file"),
        ('<img src="gone.png">', "no such file"),
        ('<a href="other.html#gone">x</a>', "no such place"),
        ('<a href="#gone">x</a>', "no such place"),
        ('<script src="https://cdn.example.org/x.js"></script>', "loaded from elsewhere"),
        ('<script src="//cdn.example.org/x.js"></script>', "loaded from elsewhere"),
        ('<link rel="stylesheet" href="https://fonts.example.org/x.css">', "loaded from elsewhere"),
        ('<a href="http://example.org">x</a>', "no https address"),
    ],
)
def test_what_leads_nowhere_is_told(tmp_path: Path, body: str, told: str) -> None:
    (found,) = site(tmp_path, body)
    assert told in found


def test_what_a_style_sheet_loads_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("body { background: url('https://example.org/x.png'); }")
    (found,) = site(tmp_path, "")
    assert "loaded from elsewhere" in found


def test_an_empty_folder_is_no_site(tmp_path: Path) -> None:
    assert len(list(problems(tmp_path))) == 1
