"""Files from the data root, the cache and a server."""

import functools
import hashlib
import http.server
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.network.datasets import DATASETS, DataFile, Dataset, describe, fetching, load
from jdgnn.network.datasets.files import contents, default_cache
from jdgnn.network.network import from_edges
from tests.bad_inputs import assert_told

CONTENT = bytes(range(256)) * 40


class Server(http.server.ThreadingHTTPServer):
    """Serves the files of a folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.requests = folder, list[str]()
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class _Handler(http.server.SimpleHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path != "/moved":
            super().do_GET()
            return
        self.send_response(302)
        self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/part")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        self.server.requests.append(self.path.removeprefix("/"))

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    monkeypatch.setattr(fetching, "SCHEMES", ("http://127.0.0.1",))
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between tries
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.delenv("JDGNN_DATA", raising=False)
    with Server(tmp_path_factory.mktemp("served")) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _file(url: str | None, content: bytes = CONTENT) -> DataFile:
    return DataFile(name="part", num_bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), url=url)


def _dataset(url: str | None) -> Dataset:
    return replace(
        describe("digits"), name="mini", files=(_file(url),), build=lambda _: from_edges([0], [1], np.eye(2))
    )


def _remains(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_download_is_kept_and_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (server.folder / "part").write_bytes(CONTENT)
    for _ in range(2):
        assert contents(_dataset(server.url("part")), None, tmp_path) == {"part": CONTENT}
    assert server.requests == ["part"]
    assert _remains(tmp_path) == ["part"]
    assert (tmp_path / "mini" / "part").read_bytes() == CONTENT


def _hundred_gigabytes(path: Path) -> None:
    path.touch()
    os.truncate(path, 10**11)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"half"), _hundred_gigabytes, os.mkfifo])
def test_a_damaged_file_in_the_cache_is_fetched_anew(
    damage: Callable[[Path], object], server: Server, tmp_path: Path
) -> None:
    (server.folder / "part").write_bytes(CONTENT)
    (tmp_path / "mini").mkdir()
    damage(tmp_path / "mini" / "part")
    assert contents(_dataset(server.url("part")), None, tmp_path) == {"part": CONTENT}
    assert (tmp_path / "mini" / "part").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("given", "served", "message"),
    [
        ("other content", CONTENT[::-1], r"it sends another file than the one on record"),
        ("a longer file", CONTENT + b"!", r"it has more bytes than the file on record"),
        ("a shorter file", CONTENT[:-1], r"it sends another file than the one on record"),
        ("no file", None, r"404 Client Error"),
    ],
)
def test_a_bad_download_is_refused_and_leaves_nothing(
    server: Server, tmp_path: Path, given: str, served: bytes | None, message: str
) -> None:
    if served is not None:
        (server.folder / "part").write_bytes(served)
    pattern = rf"^part: download from http://127.* failed \(.*{message}.*--data-root"
    with pytest.raises(InputError, match=pattern) as told:
        contents(_dataset(server.url("part")), None, tmp_path)
    assert _remains(tmp_path) == []
    assert_told("Downloads and files of data sets", given, told.value)


def test_an_address_that_leads_on_to_one_without_https_is_refused(server: Server, tmp_path: Path) -> None:
    (server.folder / "part").write_bytes(CONTENT)  # the one on record, and still on an unprotected way
    with pytest.raises(InputError, match=r"it leads on to http://localhost.*, which does not begin with https://"):
        contents(_dataset(server.url("moved")), None, tmp_path)
    assert _remains(tmp_path) == []


@pytest.mark.usefixtures("server")
def test_a_host_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as bound:  # bound and not listening: it rejects whoever calls
        bound.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{bound.getsockname()[1]}/part"
        with pytest.raises(InputError, match=r"part: download from http://127.* failed .*--data-root .*JDGNN_DATA"):
            contents(_dataset(address), None, tmp_path)


@pytest.mark.parametrize("address", ["http://example.invalid/part", "ftp://127.0.0.1/part", "file:///etc/hostname"])
def test_an_address_without_https_is_refused_before_anything_is_asked_for(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JDGNN_DATA", raising=False)
    with pytest.raises(InputError, match=r"part: expected an address that begins with https://, got"):
        contents(_dataset(address), None, tmp_path)
    assert _remains(tmp_path) == []


def test_a_cache_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (server.folder / "part").write_bytes(CONTENT)
    (tmp_path / "mini").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"part: download from .* failed"):
        contents(_dataset(server.url("part")), None, tmp_path)
    (tmp_path / "other" / "mini" / "part").mkdir(parents=True)
    with pytest.raises(InputError, match=r"part: download from .* failed \(.*Is a directory"):
        contents(_dataset(server.url("part")), None, tmp_path / "other")
    assert _remains(tmp_path) == ["mini"]


def test_the_default_cache_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "jdgnn"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache" / "jdgnn"


def test_the_data_root_is_an_argument_before_it_is_a_variable(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("argument", "variable"):
        (tmp_path / folder / "mini").mkdir(parents=True)
    (tmp_path / "argument" / "mini" / "part").write_bytes(CONTENT)
    monkeypatch.setenv("JDGNN_DATA", str(tmp_path / "variable"))
    dataset = _dataset(server.url("part"))
    assert contents(dataset, tmp_path / "argument", None) == {"part": CONTENT}
    with pytest.raises(InputError, match=r"data_root: .*variable/mini/part cannot be read \(No such file"):
        contents(dataset, None, None)
    (tmp_path / "variable" / "mini" / "part").write_bytes(b"other")
    with pytest.raises(InputError, match=r"data_root: .*variable/mini/part is not the published file"):
        contents(dataset, None, None)
    assert server.requests == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (os.mkfifo, r"cannot be read \(is no file\)"),
        (Path.mkdir, r"cannot be read \(is no file\)"),
        (_hundred_gigabytes, r"is not the published file \(100000000000 bytes, and 10240 are on record\)"),
        (lambda path: path.write_bytes(CONTENT[::-1]), r"is not .* \(SHA-256 \w+, and \w+ is on record\)"),
    ],
)
def test_the_data_root_is_read_only_where_it_may_be_the_file(
    make: Callable[[Path], object], message: str, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "mini").mkdir()
    make(tmp_path / "mini" / "part")
    with pytest.raises(InputError, match=rf"data_root: .*/mini/part {message}"):
        contents(_dataset(server.url("part")), tmp_path, None)


def test_freifunk_says_where_it_comes_from(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"freifunk cannot be downloaded; write --data-root .*mwarning/meshnet-lab"):
        load("freifunk", cache=tmp_path)


def test_every_other_address_is_fixed_to_a_commit() -> None:
    for dataset in DATASETS.values():
        for file in dataset.files:
            assert len(file.sha256) == 64
            if dataset.name != "freifunk":
                assert file.url is not None
                assert file.url.startswith("https://raw.githubusercontent.com/")
                assert file.url.endswith(file.name)
                assert any(len(part) == 40 for part in file.url.split("/"))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["amazon_photo", "cora", "minesweeper"])
def test_a_downloaded_set_is_the_same_as_one_from_the_data_root(
    name: str, server: Server, tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = describe(name)
    for file in dataset.files:
        (server.folder / file.name).write_bytes((data_root / name / file.name).read_bytes())
    local = tuple(replace(file, url=server.url(file.name)) for file in dataset.files)
    monkeypatch.setitem(DATASETS, name, replace(dataset, files=local))
    downloaded = load(name, cache=tmp_path)
    assert _remains(tmp_path) == sorted(file.name for file in dataset.files)
    given = load(name, data_root=data_root)
    np.testing.assert_array_equal(downloaded.features, given.features)
    np.testing.assert_array_equal(downloaded.senders, given.senders)
