"""The configurations that come with jdgnn, by name."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from jdgnn.errors import suggestion

CONFIGS = "configs"


@cache
def shipped() -> dict[str, Path]:
    """The configurations that come with jdgnn, by name.

    They lie inside the installed package, or beside it in a checkout, where they are edited.

    Returns:
      Files by what they are called, without `.toml`.

    Example:
      >>> "cora" in shipped()
      True
    """
    package = Path(str(files("jdgnn")))
    folders = [package / CONFIGS, package.parent / CONFIGS]
    found = next((sorted(folder.glob("*.toml")) for folder in folders if (folder / "quickstart.toml").is_file()), [])
    return {path.stem: path for path in found}


def summary(path: Path) -> str:
    """What a shipped configuration is, from its first line.

    >>> summary(shipped()["large"])
    'Many nodes'
    """
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(": `")[0]


def located(path: Path) -> Path:
    """The file that a user means: the one of this path, or a shipped configuration where it is a bare name of one.

    Args:
      path: as it was given. A file that exists goes before a name.

    Example:
      >>> located(Path("cora")).name, located(Path("mine/cora")).name
      ('cora.toml', 'cora')
    """
    is_name = path.name == str(path) and path.name in shipped()
    return shipped()[path.name] if is_name and not path.is_file() else path


def hint(path: Path) -> str:
    """What to write in place of the path of a file that does not exist.

    >>> hint(Path("configs/cora.toml"))
    'give the path of a TOML file, or cora, which comes with jdgnn'
    """
    if path.stem in shipped():
        return f"give the path of a TOML file, or {path.stem}, which comes with jdgnn"
    if path.name != str(path):
        return "give the path of a TOML file"
    return f"give the path of a TOML file, or a configuration that comes with jdgnn; {suggestion(path.stem, shipped())}"
