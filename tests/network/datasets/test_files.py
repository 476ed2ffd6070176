"""Files from the data root, the cache and a server that does not always behave."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.network.datasets import DATASETS, DataFile, Dataset, describe, load
from jdgnn.network.datasets.files import contents, default_cache, download
from jdgnn.network.network import from_edges

CONTENT = bytes(range(256)) * 40


class _Server(ThreadingHTTPServer):
    """Serves `files`; `cut` announces the whole of each and sends half of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.cut = False
        self.requests: list[str] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        self.server.requests.append(name)
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.server.cut else content)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("JDGNN_DATA", raising=False)
    with _Server() as server:
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


def test_a_download_is_kept_and_not_fetched_again(server: _Server, tmp_path: Path) -> None:
    server.files["part"] = CONTENT
    for _ in range(2):
        assert contents(_dataset(server.url("part")), None, tmp_path) == {"part": CONTENT}
    assert server.requests == ["part"]
    assert _remains(tmp_path) == ["part"]
    assert (tmp_path / "mini" / "part").read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_fetched_anew(server: _Server, tmp_path: Path) -> None:
    server.files["part"] = CONTENT
    (tmp_path / "mini").mkdir()
    (tmp_path / "mini" / "part").write_bytes(b"half")
    assert contents(_dataset(server.url("part")), None, tmp_path) == {"part": CONTENT}
    assert (tmp_path / "mini" / "part").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("served", "cut", "message"),
    [
        (CONTENT, True, r"part: download from http://127.* was cut after 5120 of 10240 bytes; .*--data-root"),
        (CONTENT[::-1], False, r"part: http://127.* sends a file of SHA-256 \w+, and \w+ is on record"),
        (CONTENT + b"!", False, r"part: http://127.* sends more than the 10240 bytes on record"),
        (CONTENT[:-1], False, r"part: download .* was cut after 10239 of 10240 bytes"),
        (None, False, r"part: download from http://127.* failed \(HTTP Error 404"),
    ],
)
def test_a_bad_download_is_refused_and_leaves_nothing(
    server: _Server, tmp_path: Path, served: bytes | None, cut: bool, message: str
) -> None:
    server.cut = cut
    if served is not None:
        server.files["part"] = served
    with pytest.raises(InputError, match=message):
        contents(_dataset(server.url("part")), None, tmp_path)
    assert _remains(tmp_path) == []


def test_a_bad_download_leaves_what_was_there(server: _Server, tmp_path: Path) -> None:
    server.files["part"] = CONTENT[::-1]
    (tmp_path / "part").write_bytes(b"old")
    with pytest.raises(InputError):
        download(_file(server.url("part")), tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == b"old"
    assert _remains(tmp_path) == ["part"]


def test_a_host_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("JDGNN_DATA", raising=False)
    with socket.socket() as bound:  # bound and not listening: it refuses whoever calls
        bound.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{bound.getsockname()[1]}/part"
        with pytest.raises(InputError, match=r"part: download from http://127.* failed .*--data-root .*JDGNN_DATA"):
            contents(_dataset(address), None, tmp_path)


def test_a_cache_that_cannot_be_written(server: _Server, tmp_path: Path) -> None:
    server.files["part"] = CONTENT
    (tmp_path / "mini").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"cache: .*mini/part cannot be written"):
        contents(_dataset(server.url("part")), None, tmp_path)


def test_the_default_cache_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "jdgnn"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache" / "jdgnn"


def test_the_data_root_is_an_argument_before_it_is_a_variable(
    server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_freifunk_says_where_it_comes_from(server: _Server, tmp_path: Path) -> None:
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
    name: str, server: _Server, tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = describe(name)
    for file in dataset.files:
        server.files[file.name] = (data_root / name / file.name).read_bytes()
    local = tuple(replace(file, url=server.url(file.name)) for file in dataset.files)
    monkeypatch.setitem(DATASETS, name, replace(dataset, files=local))
    downloaded = load(name, cache=tmp_path)
    assert _remains(tmp_path) == sorted(file.name for file in dataset.files)
    given = load(name, data_root=data_root)
    np.testing.assert_array_equal(downloaded.features, given.features)
    np.testing.assert_array_equal(downloaded.senders, given.senders)
