"""How the documentation is built: `make docs`."""

import hashlib
import os
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))
# notebooks compile many small programs, which run for a second each
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")
# kernels have a profile of their own: nobody's habits run before a notebook, and they are silent about their sockets
PROFILE = DOCS / "_build" / "ipython" / "profile_default"
PROFILE.mkdir(parents=True, exist_ok=True)
(PROFILE / "ipython_kernel_config.json").write_text('{"IPKernelApp": {"log_level": 40}}')
os.environ["IPYTHONDIR"] = str(PROFILE.parent)

import jdgnn  # noqa: E402

project = "jdgnn"
author = "the authors of jdgnn"
copyright = author
version = release = jdgnn.__version__
language = "en_GB"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "docs._ext.documented",
    "docs._ext.links",
    "docs._ext.coverage",
    "docs._ext.command_line",
]
exclude_patterns = ["_build", "_ext", "_static", "**.ipynb_checkpoints"]
nitpicky = True
default_role = "code"

# Docstrings
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Members", "params_style")]
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = True
toc_object_entries_show_parents = "hide"

# Pages and notebooks
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False


def digest(folder: Path) -> str:
    """Changes with every line of the Python files of a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


extensions_digest = digest(DOCS / "_ext")  # pages are read again when it changes
nb_execution_mode = "cache"
# what an older package printed is never shown
nb_execution_cache_path = str(DOCS / "_build" / "notebooks" / digest(DOCS.parent / "jdgnn"))
nb_execution_timeout = 240
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_in_temp = True
nb_merge_streams = True

# Looks
html_theme = "sphinx_book_theme"
html_title = "jdgnn"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["jdgnn.css"]
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
html_theme_options = {
    "logo": {"text": "jdgnn"},
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_source_button": False,
    "use_issues_button": False,
    "use_repository_button": False,
    "home_page_in_toc": False,
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "github-dark",
}
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
