"""Where in a configuration a key stands, for whoever has written it elsewhere."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from jdgnn.experiment.config.catalogue import KINDS, Kind
from jdgnn.experiment.config.part_tables import Factory, table_of


def places(key: str, tables: Mapping[str, type[BaseModel]]) -> list[str]:
    """Paths, as `--set` takes them, at which a configuration can have a key.

    Args:
      key: the last part of a path.
      tables: those of a configuration that are no parts, by name; a key that stands in one of them is looked for
        nowhere else, nor one of `push` and its like among the arguments of parts.

    Example:
      >>> places("units", {}), places("fanout", {})
      (['layers.0.units'], ['push.fanout', 'gossip.fanout'])
    """
    found = [f"{name}.{key}" for name, table in tables.items() if key in table.model_fields]
    found = found or [f"{path}.{key}" for path, factory in _fixed_tables() if key in _keys(factory)]
    return found or list(dict.fromkeys(path for kind in KINDS.values() for path in _in_parts(key, kind)))


def _fixed_tables() -> Iterator[tuple[str, Factory]]:
    """Tables that hold the arguments of one factory, by where they stand."""
    links = [table.strip("[]") for table in (KINDS["drop"].table, *KINDS["drop"].others)]
    for name, factory in KINDS["tables"].parts.items():
        for path in {"link": links, "partition": [f"{link}.partition" for link in links]}.get(name, [name]):
            yield path, factory


def _in_parts(key: str, kind: Kind) -> Iterator[str]:
    if kind.table and any(key in _keys(factory) for factory in kind.parts.values()):
        for table in (kind.table, *kind.others):
            place = f"{table.strip('[]')}.0" if table.startswith("[[") else table.strip("[]")
            yield ".".join(part for part in (place, kind.key, key) if part)


def _keys(factory: Factory) -> set[str]:
    return {*table_of(factory).model_fields}
