"""Links to what is public, wherever its name stands as code; names of jdgnn that lead nowhere end the build."""

import importlib
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

from docs._ext.names import BESIDE, DOTTED, canonical_names, origin, public_modules, resolved, target_of

LOGGER = logging.getLogger(__name__)


def link_code(app: Sphinx, doctree: nodes.document) -> None:
    """Turns code that names something public into a link to where it is documented."""
    docname = app.env.docname
    for code in list(doctree.findall(nodes.literal)):
        if isinstance(code.parent, nodes.reference | addnodes.pending_xref):
            continue
        text = code.astext()
        target = target_of(text)
        if target is None:
            _check(text, code)
            continue
        attributes = {"refdomain": "py", "reftype": "obj", "reftarget": target, "refexplicit": True, "refdoc": docname}
        link = addnodes.pending_xref("", **attributes)
        code.replace_self(link)
        link += code


def _check(text: str, node: nodes.Node) -> None:
    name = DOTTED.match(text)
    if name is not None and not _exists(name.group(1)):
        LOGGER.warning("there is no %s", name.group(1), location=node, type="jdgnn", subtype="name")


def _exists(name: str) -> bool:
    try:
        resolved(name)
    except LookupError:
        parts = name.split(".")
        for length in range(len(parts), 1, -1):
            try:
                module = importlib.import_module(".".join(parts[:length]))
            except ImportError:
                continue
            return length == len(parts) or hasattr(module, parts[length])
        return False
    return True


def resolve_types(app: Sphinx, env: Any, node: Any, contnode: Any) -> Any:
    """Sends types in signatures to the names they are documented by; those of other libraries stay as they are."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py":
        return None
    if not target.startswith("jdgnn."):
        return contnode
    name = _by_origin().get(target)
    if name is None:
        return contnode if _is_internal(target) else None
    return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, contnode)


def _by_origin() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in canonical_names().values():
        key = origin(resolved(name))
        if isinstance(key, str):
            found[key] = name
    return found


def _is_internal(target: str) -> bool:
    """Whether this is a type that appears in signatures and is not public, which needs no page."""
    return _exists(target) and target not in canonical_names() and target not in {*public_modules(), *BESIDE}


def setup(app: Sphinx) -> dict[str, Any]:
    """Adds the links."""
    app.add_config_value("extensions_digest", "", "env", str)
    app.connect("doctree-read", link_code)
    app.connect("missing-reference", resolve_types)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
