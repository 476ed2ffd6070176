"""Ends the build where a public name of jdgnn stands on no page, or says nothing of itself."""

from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from docs._ext.names import missing, undocumented

LOGGER = logging.getLogger(__name__)


def check(app: Sphinx, env: Any) -> None:
    """Compares what all pages document with what is public."""
    del app
    for name in missing(env.domains["py"].objects):
        LOGGER.warning("%s is public and stands on no page of docs/api", name, type="jdgnn", subtype="missing")
    for name in undocumented():
        LOGGER.warning("%s is public and has no docstring", name, type="jdgnn", subtype="undocumented")


def setup(app: Sphinx) -> dict[str, Any]:
    """Adds the check."""
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
