"""Freifunk, real wireless mesh routers of five German communities: which hardware, which city, which gateways.

Features are a router's own telemetry, in this order: the counts of `_COUNTS`, the shares and switches of `_PLAIN`, its
number of wireless, tunnel and cable links, all standardised over the network after log1p where they are heavy-tailed;
then its firmware base one-hot (0 or 1), with one column for bases reported by fewer than 10 routers. The names of
model, domain, release and update branch are no features. The columns used have no missing values.

The labels are one of three tasks. *Family*, of the hardware, comes from `model`; the 81 routers that report none are
labelled "other" but stand in no split. *City* is the community, on the same features and links, so that it is a second
task for one embedding; it is an easy one, as communities build firmware of their own, whose base is a feature (the
linear probe reads 98.0 % off raw features). *Gateway* comes from `is_gateway`, and is another network, as that column
is left out. What else gateways report, being servers, still gives them away (ROC-AUC 100.0; 92.9 after one hop of
propagation): this task can only show whether an embedding keeps what a node knows of itself.

An edge u→v has the transmit quality that u reports towards v (TQ of B.A.T.M.A.N.): `source_tq` for source→target,
`target_tq` for the way back. Where just one end reports one (the other says 0, as gateways of tunnels do), it is taken
for both directions; where both say 0, the link is kept with quality 0.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.datasets.description import DataFile, Dataset, Task
from jdgnn.network.network import Network, from_edges
from jdgnn.network.splits import random_splits

_COMMUNITIES = ("aachen", "altdorf", "bremen", "munich", "stuttgart")
_COUNTS = ("nproc", "clients_wifi24", "clients_wifi5", "clients_other", "loadavg", "uptime_days", "age_days")
_PLAIN = ("rootfs_usage", "memory_usage", "is_gateway", "is_online", "autoupdater")
_GATEWAY = len(_COUNTS) + _PLAIN.index("is_gateway")  # its column
_LINK_TYPES = ("wifi", "vpn", "other")
_RARE_BASE = 10

_FAMILIES = {  # the first that matches counts
    "tplink-indoor-2.4": r"wr(74|84|94)\d",
    "tplink-wr1043": r"wr1043",
    "tplink-wdr": r"wdr",
    "tplink-archer": r"archer",
    "outdoor-ap": r"cpe\d|eap\d|wbs\d|nano|pico|bullet|litebeam|rocket|unifi",
    "avm": r"fritz",
    "vm-x86": r"x86|virtual|vmware|kvm|qemu|bochs",
    "other": r"",
}


@dataclass(frozen=True, kw_only=True)
class _Community:
    """The rows of one community; links name its nodes from 0."""

    nodes: list[dict[str, str]]
    ends: NDArray[np.int64]  # [links, 2]
    link_types: list[str]
    quality: NDArray[np.float32]  # [links, 2]: there and back


class _Labels(NamedTuple):
    """What is to be told of the routers."""

    labels: NDArray[np.integer]  # [N]
    class_names: tuple[str, ...]
    is_known: NDArray[np.bool_]  # [N]: who may stand in a split


def _build(contents: Mapping[str, bytes], *, task: str) -> Network:
    communities = [_read(contents, name) for name in _COMMUNITIES]
    first = np.cumsum([0] + [len(community.nodes) for community in communities])
    nodes = [row for community in communities for row in community.nodes]
    ends = np.concatenate([community.ends + offset for community, offset in zip(communities, first, strict=False)])
    quality = np.concatenate([community.quality for community in communities])
    link_types = np.array([kind for community in communities for kind in community.link_types])
    features = np.column_stack([_telemetry(nodes, ends, link_types), _firmware(nodes)]).astype(np.float32)
    labels, class_names, is_known = _labels(communities, task)
    network = from_edges(
        np.concatenate([ends[:, 0], ends[:, 1]]),
        np.concatenate([ends[:, 1], ends[:, 0]]),
        np.delete(features, _GATEWAY, axis=1) if task == "gateway" else features,
        labels=labels,
        splits=random_splits(labels, 10, train=0.2, validation=0.2, eligible=is_known),
        link_quality=np.concatenate([quality[:, 0], quality[:, 1]]),
        name="freifunk" if task == "family" else f"freifunk ({task})",
        class_names=class_names,
    )
    # each row of the tables was given as two directed links
    return replace(network, num_duplicates_merged=network.num_duplicates_merged // 2)


def _labels(communities: list[_Community], task: str) -> _Labels:
    nodes = [row for community in communities for row in community.nodes]
    everybody = np.ones(len(nodes), bool)
    if task == "city":
        city = np.repeat(np.arange(len(communities)), [len(community.nodes) for community in communities])
        return _Labels(city, _COMMUNITIES, everybody)
    if task == "gateway":
        return _Labels(np.array([int(row["is_gateway"]) for row in nodes]), ("router", "gateway"), everybody)
    families = tuple(_FAMILIES)
    family = np.array([families.index(_family(row["model"])) for row in nodes])
    return _Labels(family, families, np.array([row["model"] != "" for row in nodes]))


def _read(contents: Mapping[str, bytes], community: str) -> _Community:
    nodes = _rows(contents[f"{community}_nodes.csv"])
    links = _rows(contents[f"{community}_links.csv"])
    try:
        quality = np.array([[link["source_tq"], link["target_tq"]] for link in links], np.float32)
        return _Community(
            nodes=nodes,
            ends=np.array([[link["source"], link["target"]] for link in links], np.int64),
            link_types=[link["type"] for link in links],
            quality=np.where(quality == 0, quality[:, ::-1], quality),
        )
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{community}_links.csv: not the table it should be ({error}); download the file again"
        ) from error


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def _family(model: str) -> str:
    return next(family for family, pattern in _FAMILIES.items() if re.search(pattern, model.lower()))


def _telemetry(
    nodes: list[dict[str, str]], ends: NDArray[np.int64], link_types: NDArray[np.str_]
) -> NDArray[np.float64]:
    counts = np.array([[float(row[column]) for column in _COUNTS] for row in nodes])
    plain = np.array([[float(row[column]) for column in _PLAIN] for row in nodes])
    links = [np.bincount(ends[link_types == kind].ravel(), minlength=len(nodes)) for kind in _LINK_TYPES]
    columns = np.column_stack([np.log1p(counts), plain, np.log1p(np.column_stack(links))])
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def _firmware(nodes: list[dict[str, str]]) -> NDArray[np.bool_]:
    """One-hot firmware base, the rare ones together in the last column."""
    _, base_of_node, num_nodes = np.unique(
        [row["firmware_base"] for row in nodes], return_inverse=True, return_counts=True
    )
    one_hot = base_of_node[:, None] == np.flatnonzero(num_nodes >= _RARE_BASE)
    return np.column_stack([one_hot, ~one_hot.any(axis=1)])


def _file(name: str, num_bytes: int, sha256: str) -> DataFile:
    return DataFile(name=name, num_bytes=num_bytes, sha256=sha256, url=None)


def _task(name: str, num_features: int, num_classes: int) -> Task:
    build = partial(_build, task=name)
    return Task(name=name, num_features=num_features, num_classes=num_classes, build=build)


_TASKS = (_task("family", 33, 8), _task("city", 33, 5), _task("gateway", 32, 2))

FREIFUNK = Dataset(
    name="freifunk",
    summary="real mesh routers of five cities: telemetry, link quality both ways; tells hardware family, "
    "city or gateways; ten random 20/20/60 splits; needs --data-root",
    num_nodes=7032,
    num_edges=9927,
    num_features=33,
    num_classes=8,
    licence="MIT (repository); the snapshots were taken from public maps that state none",
    source="de-identified tables made from data/freifunk/original_freifunk_data of "
    "https://github.com/mwarning/meshnet-lab (commit 148b3bd9afc4ae8b01530ed0af6e0ee82018764f), which holds owners' "
    "contacts and positions and is therefore not fetched",
    files=(
        _file("aachen_links.csv", 86761, "359592bcd70d36a957b8db7eb0d59509a9495bf10e4013940cbc2686486297fa"),
        _file("aachen_nodes.csv", 242146, "d6cd531eddb4107022830a32953c0ba9bc53ca00da516d17fe7ae56241fcfc3b"),
        _file("altdorf_links.csv", 22712, "190d94ae5bfd6bdf11607290edb69beeef98e7f4676cbf0789e4fdae52160ef4"),
        _file("altdorf_nodes.csv", 91844, "5b1715f4b36963e5f9f55eaa504152a0cb9e906c299f20be13c15d58d3efe9ce"),
        _file("bremen_links.csv", 32120, "e9bd921e49001e64b2a0c1cf1f184d5d2108cacbbaa77da388e9338f05392caa"),
        _file("bremen_nodes.csv", 108043, "bb491a17b2c4baf9dc64ecdcea34c4e0f274e4c7a86ddeb8078619525fd9127b"),
        _file("munich_links.csv", 44559, "091991c484e1c6952fcc0111a4f00e9510c69d85683e028aa37f0ee53c62c45d"),
        _file("munich_nodes.csv", 220622, "ccea3660297449324895bdb6c81c8ac87a81078eada864e2e61ccda9e2e6a955"),
        _file("stuttgart_links.csv", 35752, "df45c71e01f9f9aef152135aa90496a71b52826b84256928349486f75d4c670c"),
        _file("stuttgart_nodes.csv", 202647, "c709d856f379d6a3771d0c3fd08442f3c2cced2b80cc5b4e86f722cb23660fe1"),
    ),
    build=_TASKS[0].build,
    tasks=_TASKS,
)
