"""Downloads that can do no harm: over https, of no more than the size on record, verified, and over in good time."""

import hashlib
import io
import re
import socket
import ssl
import time
from http.client import HTTPException, HTTPResponse, IncompleteRead, InvalidURL
from typing import IO, Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    AbstractHTTPHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from jdgnn.errors import InputError
from jdgnn.network.datasets.description import DataFile

TIMEOUT_SECONDS = 10.0  # without a byte
ALLOWED_SECONDS = 30.0  # for a whole download, all tries together, beside what its size needs
SLOWEST_BYTES_PER_SECOND = 10_000.0
MAX_TRIES = 3
PAUSE_SECONDS = 1.0  # after the first try; twice as long after the second
LOOPBACK_HOSTS = {"127.0.0.1", "::1", "localhost"}


class _Failure(Exception):
    """What went wrong in a try to get a file, and whether another try may go better."""

    def __init__(self, what: str, *, may_pass: bool = False) -> None:
        super().__init__(what)
        self.may_pass = may_pass


class _Deadline:
    """When a download must be over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def is_over(self) -> bool:
        return time.monotonic() >= self._end

    def patience(self) -> float:
        """Seconds to wait for the next bytes."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("too slow")
        return min(TIMEOUT_SECONDS, left)


def fetched(file: DataFile, url: str) -> bytes:
    """Gives what an address sends, if it is the file on record.

    What may pass by itself, as a cut connection or a server that is busy, is tried again, `MAX_TRIES` times in all.
    However slowly a server sends, all tries together take `ALLOWED_SECONDS` and what the size of the file needs.
    Proxies are taken from the environment, as `urllib.request` does.

    Args:
      file: what to fetch.
      url: from where; https, or http on this machine itself.

    Raises:
      InputError: the address is not https or leads on to one that is not, the host cannot be reached, the connection
        is cut or too slow, or what arrives is not the file on record.
    """
    deadline = _Deadline(ALLOWED_SECONDS + file.num_bytes / SLOWEST_BYTES_PER_SECOND)
    tried = 0
    while True:
        tried += 1
        try:
            content = _received(file, url, deadline)
            _verify(file, url, content)
            return content
        except _Failure as failure:
            if tried >= MAX_TRIES or not failure.may_pass or deadline.is_over():
                _give_up(file, failure, tried)
        time.sleep(PAUSE_SECONDS * tried)


def _give_up(file: DataFile, failure: _Failure, tried: int) -> NoReturn:
    times = f"tried {tried} times: " if tried > 1 else ""
    again = "try again, or " if failure.may_pass else ""
    raise InputError(
        f"{file.name}: {failure}; {times}{again}get it another way and write --data-root (or set JDGNN_DATA)"
    ) from (failure.__cause__ or failure)


def _received(file: DataFile, url: str, deadline: _Deadline) -> bytes:
    """What an address sends, of which one byte too many is enough."""
    _refuse_unprotected(url, f"got the address {url!r}")
    try:
        request = Request(url, headers={"User-Agent": "jdgnn"})
        with _opener(deadline).open(request, timeout=deadline.patience()) as response:
            content: bytes = response.read(file.num_bytes + 1)
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()
        what = f"download from {url} {_in_words(file, error, deadline)}"
        raise _Failure(what, may_pass=deadline.is_over() or _may_pass(error)) from error
    return content


def _in_words(file: DataFile, error: Exception, deadline: _Deadline) -> str:
    if deadline.is_over():
        return f"took longer than the {deadline.seconds:.0f} s that {file.num_bytes} bytes may take"
    if isinstance(error, IncompleteRead):
        return "was cut before its end"
    is_cut = _may_pass(error) and not isinstance(error, URLError)
    return f"{'was cut' if is_cut else 'failed'} ({_one_line(_reason(error))})"


def _reason(error: Exception) -> object:
    return error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error


def _one_line(sent: object) -> str:
    """What may come from a server, without line breaks and commands to the terminal."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(sent))
    return " ".join(printable.split())[:200]


def _may_pass(error: Exception) -> bool:
    if isinstance(error, HTTPError):
        return error.code == 429 or error.code >= 500
    reason = _reason(error)
    is_lasting = isinstance(reason, ssl.SSLCertVerificationError | InvalidURL)
    return isinstance(reason, OSError | HTTPException) and not is_lasting


def _verify(file: DataFile, url: str, content: bytes) -> None:
    if len(content) > file.num_bytes:
        raise _Failure(f"{url} sends more than the {file.num_bytes} bytes on record")
    if len(content) < file.num_bytes:
        what = f"download from {url} was cut after {len(content)} of {file.num_bytes} bytes"
        raise _Failure(what, may_pass=True)
    if not is_genuine(file, content):
        raise _Failure(f"{url} sends a file of SHA-256 {sha256(content)}, and {file.sha256} is on record")


def _refuse_unprotected(url: str, given: str) -> None:
    if not _is_protected(url):
        raise _Failure(f"{_one_line(given)}, and an address that starts with https:// is needed")


def _is_protected(url: str) -> bool:
    """Whether nobody on the way can read or change what is sent: by https, or because there is no way."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # either may turn out to be no such thing
    except ValueError:
        return False
    if not host or "@" in parts.netloc or not re.fullmatch("[!-~]+", url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK_HOSTS)


def _opener(deadline: _Deadline) -> OpenerDirector:
    """Opens what `_is_protected`, and knows no other kind of address than http and https."""
    opener = OpenerDirector()
    for handler in (
        _Proxies(),
        _Redirects(),
        _PunctualHTTPHandler(deadline),
        _PunctualHTTPSHandler(deadline),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Proxies(ProxyHandler):
    """Those of the environment, but for this machine itself: what a proxy is asked for goes over a network."""

    def proxy_open(self, req: Request, proxy: str, type: str) -> Any:
        return None if urlsplit(req.full_url).hostname in LOOPBACK_HOSTS else super().proxy_open(req, proxy, type)


class _Redirects(HTTPRedirectHandler):
    """Follows where protection goes on."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        fp.close()  # or all that comes with the redirect would be read
        _refuse_unprotected(newurl, f"{req.full_url} leads on to {newurl!r}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _PunctualHandler(AbstractHTTPHandler):
    """Reads what is sent, head and body and what a proxy says, until the deadline."""

    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def do_open(self, http_class: Any, req: Request, **options: Any) -> HTTPResponse:
        def connection(*arguments: Any, **more: Any) -> Any:
            made = http_class(*arguments, **more)
            made.response_class = self._response
            return made

        return super().do_open(connection, req, **options)

    def _response(self, sock: socket.socket, *arguments: Any, **options: Any) -> HTTPResponse:
        response = HTTPResponse(sock, *arguments, **options)
        response.fp = io.BufferedReader(_PunctualReader(sock, response.fp.detach(), self._deadline))
        return response


class _PunctualHTTPHandler(_PunctualHandler, HTTPHandler):
    pass


class _PunctualHTTPSHandler(_PunctualHandler, HTTPSHandler):
    pass


class _PunctualReader(io.RawIOBase):
    """What a socket receives until the deadline."""

    def __init__(self, sock: socket.socket, received: io.RawIOBase, deadline: _Deadline) -> None:
        super().__init__()
        self._socket, self._received, self._deadline = sock, received, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._deadline.patience())
        return self._received.readinto(buffer)

    def close(self) -> None:
        self._received.close()
        super().close()


def is_genuine(file: DataFile, content: bytes) -> bool:
    """Whether a content is the one on record."""
    return sha256(content) == file.sha256


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
