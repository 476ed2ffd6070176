"""Checks a built site: `python -m docs.check_site docs/_build/html`.

Every local link and picture leads to a file of the site, every anchor to an element, and nothing is loaded from
elsewhere, so that the site works from a disk and without a network. Addresses of other sites are looked at for their
form only.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

LOADED = {("link", "href"), ("script", "src"), ("img", "src"), ("source", "src"), ("iframe", "src"), ("video", "src")}
"""What a browser fetches by itself, where a link waits to be followed."""

HARMLESS = {"canonical", "license", "search", "index", "next", "prev", "help", "author"}
"""Relations of a `link` that are not fetched."""

FETCHED_BY_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")


class Reference(NamedTuple):
    """Something that a page refers to."""

    tag: str
    attribute: str
    target: str
    relation: str


class Page(HTMLParser):
    """What a page refers to, and what in it can be referred to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[Reference] = []
        self.anchors: set[str] = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes note of a tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        for name in ("href", "src"):
            if name in given:
                self.references.append(Reference(tag, name, given[name], given.get("rel", "")))


def problems(site: Path) -> Iterator[str]:
    """Tells what is wrong with a site, a line for each.

    Args:
      site: the folder of the built pages.
    """
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in _files(site, "*.html")}
    if not pages:
        yield f"{site}: there are no pages"
    for path, page in pages.items():
        for reference in page.references:
            if found := _problem(path, reference, pages):
                yield f"{path.relative_to(site.resolve())}: {reference.target}: {found}"
    for style in site.rglob("*.css"):
        for address in FETCHED_BY_STYLE.findall(style.read_text(encoding="utf-8")):
            yield f"{style.relative_to(site)}: {address}: is loaded from elsewhere"


def _files(site: Path, pattern: str) -> list[Path]:
    """Files of the site, without the templates that themes leave among their static ones."""
    return [path for path in sorted(site.rglob(pattern)) if "_static" not in path.relative_to(site).parts]


def _problem(path: Path, reference: Reference, pages: dict[Path, Page]) -> str | None:
    if reference.target.startswith(("data:", "javascript:")):
        return None
    try:
        parts = urlsplit(reference.target)
    except ValueError:
        return "is no address"
    if parts.scheme or parts.netloc:
        return _outside(reference, parts)
    target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
    if not target.is_file():
        return "there is no such file"
    if target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "there is no such place in it"
    return None


def _outside(reference: Reference, parts: SplitResult) -> str | None:
    is_fetched = (reference.tag, reference.attribute) in LOADED and not HARMLESS & set(reference.relation.split())
    if is_fetched:
        return "is loaded from elsewhere"
    if parts.scheme == "mailto":
        return None
    return None if parts.scheme == "https" and "." in parts.netloc else "is no https address"


def main() -> int:
    """Prints what is wrong, and says whether anything is."""
    found = list(problems(Path(sys.argv[1])))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
