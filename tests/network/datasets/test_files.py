"""Files from the data root, the cache and a server that does not always behave."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.network.datasets import DATASETS, DataFile, Dataset, describe, fetching, load
from jdgnn.network.datasets.files import contents, default_cache, download
from jdgnn.network.network import from_edges
from tests.bad_inputs import assert_told
from tests.network.datasets.serving import SILENT, Server

CONTENT = bytes(range(256)) * 40
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10240\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\n\r\n"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host but this one is called, and no proxy."""
    look_up = socket.getaddrinfo

    def look_up_this_one(host: str, *arguments: Any) -> Any:
        return look_up(host, *arguments) if host == "127.0.0.1" else pytest.fail(f"{host} is called")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", look_up_this_one)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("JDGNN_DATA", raising=False)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.is_over.set()
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
    server.files["part"] = CONTENT
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
    server.files["part"] = CONTENT
    (tmp_path / "mini").mkdir()
    damage(tmp_path / "mini" / "part")
    assert contents(_dataset(server.url("part")), None, tmp_path) == {"part": CONTENT}
    assert (tmp_path / "mini" / "part").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("given", "served", "cut", "message"),
    [
        (
            "a connection that ends",
            CONTENT,
            True,
            r"part: download from http.* was cut after 5120 of 10240 bytes; ",
        ),
        (
            "other content",
            CONTENT[::-1],
            False,
            r"part: http://127.* sends a file of SHA-256 \w+, and \w+ is on record",
        ),
        ("a longer file", CONTENT + b"!", False, r"part: http://127.* sends more than the 10240 bytes on record"),
        ("a shorter file", CONTENT[:-1], False, r"part: download .* was cut after 10239 of 10240 bytes"),
        ("no file", None, False, r"part: download from http://127.* failed \(HTTP Error 404"),
    ],
)
def test_a_bad_download_is_refused_and_leaves_nothing(
    server: Server, tmp_path: Path, given: str, served: bytes | None, cut: bool, message: str
) -> None:
    server.cut = cut
    if served is not None:
        server.files["part"] = served
    with pytest.raises(InputError, match=message) as refused:
        contents(_dataset(server.url("part")), None, tmp_path)
    assert len(server.requests) == (3 if "was cut" in message else 1)
    assert ("; tried 3 times: try again, or" in str(refused.value)) == ("was cut" in message)
    assert _remains(tmp_path) == []
    assert_told("Downloads and files of data sets", given, refused.value)


def test_a_bad_download_leaves_what_was_there(server: Server, tmp_path: Path) -> None:
    server.files["part"] = CONTENT[::-1]
    (tmp_path / "part").write_bytes(b"old")
    with pytest.raises(InputError):
        download(_file(server.url("part")), tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == b"old"
    assert _remains(tmp_path) == ["part"]


def test_a_host_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("JDGNN_DATA", raising=False)
    with socket.socket() as bound:  # bound and not listening: it refuses whoever calls
        bound.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{bound.getsockname()[1]}/part"
        with pytest.raises(InputError, match=r"part: download from http://127.* failed .*--data-root .*JDGNN_DATA"):
            contents(_dataset(address), None, tmp_path)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    "address",
    [
        "http://example.invalid/part",
        "http://127.0.0.1.example.invalid/part",
        "http://127.0.0.1@example.invalid/part",
        "http://example.invalid@127.0.0.1/part",
        "ftp://127.0.0.1/part",
        "file:///etc/hostname",
        "file://localhost/etc/hostname",
        "data:,part",
        "part",
        "https:///part",
        "https://[",
        "https://example.invalid:99999/part",
        "https://example.invalid/part two",
    ],
)
def test_an_address_without_https_is_refused_before_anything_is_asked_for(address: str, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"part: got the .*, and an address .* https:// is needed; .*--data-root"
    ) as refused:
        download(_file(address), tmp_path / "part")
    assert repr(address) in str(refused.value)
    assert "tried" not in str(refused.value)
    assert _remains(tmp_path) == []


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://example.invalid/part", r"leads on to 'http://example.invalid/part', and an address .* https:// is"),
        ("ftp://example.invalid/part", r"leads on to 'ftp://example.invalid/part', and an address .* https:// is"),
        ("file:///etc/hostname", r"failed \(HTTP Error 302: .*'file:///etc/hostname' is not allowed"),
        ("data:,part", r"failed \(HTTP Error 302: .*'data:,part' is not allowed"),
        ("http://[", r"failed \(Invalid IPv6 URL"),
        ("part", r"failed \(HTTP Error 302: .* infinite loop"),
    ],
)
def test_a_redirect_without_https_is_refused_before_it_is_followed(
    address: str, message: str, server: Server, tmp_path: Path
) -> None:
    server.redirects["part"] = address
    with pytest.raises(InputError, match=rf"^part: .*http://127.*/part {message}.*; get it another way .*--data-root"):
        download(_file(server.url("part")), tmp_path / "part")
    assert _remains(tmp_path) == []


def test_a_redirect_on_this_machine_is_followed_and_what_comes_with_it_is_not_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "ALLOWED_SECONDS", 1.0)
    server.redirects = {"old": "new", "new": server.url("part")}
    server.files["part"] = CONTENT
    assert download(_file(server.url("old")), tmp_path / "part") == CONTENT
    assert server.requests == ["old", "new", "part"]


def test_https_goes_through_the_proxy_and_this_machine_does_not(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.setenv("https_proxy", server.url(""))
    with pytest.raises(InputError, match=r"part: download from https://example.invalid/part failed .*403 .*3 times"):
        download(_file("https://example.invalid/part"), tmp_path / "part")
    assert server.requests == ["example.invalid:443"] * 3
    server.files["part"] = CONTENT
    assert download(_file(server.url("part")), tmp_path / "part") == CONTENT
    assert server.requests[3:] == ["part"]  # a proxy would be asked for the whole address


@pytest.mark.parametrize(
    "drip",
    [
        HEAD + CONTENT,
        HEAD[:-2] + b"X-Long: " + CONTENT,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        CHUNKED + b"1\r\n!\r\n" * 10000,
    ],
    ids=["body", "head", "heads", "chunks"],
)
def test_a_server_that_drips_is_left(
    drip: bytes, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "ALLOWED_SECONDS", 0.1)
    monkeypatch.setattr(fetching, "SLOWEST_BYTES_PER_SECOND", 10240 / 0.1)
    server.drips["part"] = drip
    start = time.monotonic()
    with pytest.raises(InputError, match=r"part: .* took longer than the 0 s that 10240 bytes may take; try again, or"):
        download(_file(server.url("part")), tmp_path / "part")
    assert 0.19 < time.monotonic() - start < 5
    assert server.requests == ["part"]
    assert _remains(tmp_path) == []


def test_all_tries_together_have_one_deadline(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "ALLOWED_SECONDS", 0.5)
    monkeypatch.setattr(fetching, "SLOWEST_BYTES_PER_SECOND", 1e9)
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.3)
    server.answers = [SILENT] * 3
    with pytest.raises(InputError, match=r"took longer than the 1 s .*; tried 2 times: try again"):
        download(_file(server.url("part")), tmp_path / "part")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 429 Too\x1b[2J Often\r\n\r\n", r"failed \(HTTP Error 429: Too \[2J Often\)"),
        (b"HTTP/1.1 500 Confused\r\n\r\n", r"failed \(HTTP Error 500: Confused\)"),
        (BUSY, r"failed \(HTTP Error 503: Busy\)"),
        (HEAD + CONTENT[:-1], "was cut after 10239 of 10240 bytes"),
        (CHUNKED + b"2800\r\n" + CONTENT[:-1], "was cut before its end"),
        (b"", r"was cut \(Remote end closed connection without response\)"),
        (SILENT, r"was cut \(timed out\)"),
    ],
    ids=["429 and a command to the terminal", "500", "503", "cut", "cut chunk", "closed", "silent"],
)
def test_what_may_pass_is_tried_three_times(
    answer: bytes, message: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.15 if answer == SILENT else 5)
    server.files["part"] = CONTENT
    server.answers = [answer] * 3
    with pytest.raises(InputError, match=rf"^part: download from http:\S* {message}; tried 3 times: try again, or get"):
        download(_file(server.url("part")), tmp_path / "part")
    assert _remains(tmp_path) == []
    server.answers = [answer] * 2
    assert download(_file(server.url("part")), tmp_path / "part") == CONTENT
    assert server.requests == ["part"] * 6


def test_a_second_try_that_fails_in_another_way_counts_too(server: Server, tmp_path: Path) -> None:
    server.answers = [BUSY]
    server.files["part"] = CONTENT[::-1]
    with pytest.raises(InputError, match=r"SHA-256 \w+, and \w+ is on record; tried 2 times: get it another way"):
        download(_file(server.url("part")), tmp_path / "part")


def test_pauses_grow_and_an_interruption_ends_them(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = []

    def interrupt_the_second(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 1.0)
    monkeypatch.setattr(time, "sleep", interrupt_the_second)
    server.answers = [BUSY] * 3
    with pytest.raises(KeyboardInterrupt):
        download(_file(server.url("part")), tmp_path / "part")
    assert pauses == [1, 2]
    assert server.requests == ["part"] * 2


def test_a_cache_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    server.files["part"] = CONTENT
    (tmp_path / "mini").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"cache: .*mini/part cannot be written"):
        contents(_dataset(server.url("part")), None, tmp_path)
    (tmp_path / "other" / "mini" / "part").mkdir(parents=True)
    with pytest.raises(InputError, match=r"cache: .*mini/part cannot be written \(Is a directory\)"):
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
        server.files[file.name] = (data_root / name / file.name).read_bytes()
    local = tuple(replace(file, url=server.url(file.name)) for file in dataset.files)
    monkeypatch.setitem(DATASETS, name, replace(dataset, files=local))
    downloaded = load(name, cache=tmp_path)
    assert _remains(tmp_path) == sorted(file.name for file in dataset.files)
    given = load(name, data_root=data_root)
    np.testing.assert_array_equal(downloaded.features, given.features)
    np.testing.assert_array_equal(downloaded.senders, given.senders)
