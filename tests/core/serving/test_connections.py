"""Connections that would hold others up, against a real server: `server_of_fakes.LIMITS` are its limits."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import httpx
import pytest

from core.inputs.limits import Limits
from tests.core.serving.fake_runs import Lengths, write_run
from tests.core.serving.server_of_fakes import LIMITS, served
from tests.core.serving.test_application import until

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(write_run(tmp_path_factory.mktemp("runs") / "run", Lengths)) as (_, url):
        yield "127.0.0.1", httpx.URL(url).port


def said(connection: socket.socket, seconds: float = 5.0) -> bytes:
    """Return all that a server says until it closes."""
    connection.settimeout(seconds)
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def send_all(connection: socket.socket, content: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        connection.sendall(content)


def answers(address) -> bool:
    return httpx.get(f"http://localhost:{address[1]}/healthz").status_code == 200


def test_a_head_of_the_largest_size_is_read_and_a_larger_one_is_refused_with_431(address):
    end = b"\r\nConnection: close\r\n\r\n"
    largest = Limits().head_bytes - len(HEAD + b"Long: " + end)
    for size, status in ((largest, b"200"), (largest + 1, b"431")):
        with socket.create_connection(address) as connection:
            connection.sendall(HEAD + b"Long: " + b"a" * size + end)
            answer = said(connection)
        assert answer.startswith(b"HTTP/1.1 " + status)
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == {"error", "field"}


@pytest.mark.parametrize("part", [b"X: aaaaaaaa\r\n", b"a"])
def test_a_head_without_an_end_is_refused_long_before_it_takes_memory(address, part):
    with socket.create_connection(address) as connection:
        send_all(connection, HEAD + b"Long: " + part * (2**20 // len(part)))
        assert said(connection).startswith(b"HTTP/1.1 431")
    assert answers(address)


def test_a_first_line_without_an_end_is_refused(address):
    with socket.create_connection(address) as connection:
        send_all(connection, b"GET /" + b"a" * 2**20)
        assert said(connection).startswith(b"HTTP/1.1 431")


def test_half_a_request_is_given_up(address):
    with socket.create_connection(address) as connection:
        start = time.monotonic()
        connection.sendall(b"GET /heal")
        assert said(connection).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - start < LIMITS.head_seconds + 2


@pytest.mark.parametrize("trickle", [b"X: a\r\n", b"\r\n"])
def test_a_request_that_comes_by_drops_is_given_up(address, trickle):
    with socket.create_connection(address) as connection:
        if trickle != b"\r\n":
            connection.sendall(HEAD)
        start = time.monotonic()
        closed = False
        while not closed and time.monotonic() - start < LIMITS.head_seconds + 5:
            connection.settimeout(0.1)
            try:
                connection.sendall(trickle)
                closed = connection.recv(1000) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
    assert closed


def test_a_connection_that_says_nothing_is_closed(address):
    with socket.create_connection(address) as connection:
        assert said(connection) == b""


def test_two_requests_of_one_connection_are_answered_although_the_second_comes_late(address):
    with socket.create_connection(address) as connection:
        connection.sendall(HEAD + b"\r\n")
        time.sleep(LIMITS.head_seconds + 0.3)
        connection.sendall(HEAD + b"Connection: close\r\n\r\n")
        assert said(connection).count(b"HTTP/1.1 200") == 2


def test_a_request_in_two_halves_is_answered(address):
    with socket.create_connection(address) as connection:
        connection.sendall(HEAD[:20])
        time.sleep(0.2)
        connection.sendall(HEAD[20:] + b"Connection: close\r\n\r\n")
        assert said(connection).startswith(b"HTTP/1.1 200")


def test_more_connections_than_may_be_are_refused_until_some_are_closed(address):
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(address)) for _ in range(LIMITS.connections)]
        with socket.create_connection(address) as late:
            assert said(late).startswith(b"HTTP/1.1 503")
        assert len(opened) == LIMITS.connections
    until(lambda: _is_answered(address))


def _is_answered(address) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return answers(address)
    return False


@pytest.mark.parametrize(
    "lines",
    [
        b"Host: [\r\n",
        b"Host: evil.com@localhost\r\n",
        b"Host: localhost\r\nHost: localhost\r\n",
        b"Host: localhost\r\nOrigin: http://[\r\n",
        b"Host: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        b"Host: localhost\r\nNo colon\r\n",
        b"",
    ],
)
def test_a_malformed_head_is_the_client_s_mistake(address, lines):
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")
        assert said(connection).startswith(b"HTTP/1.1 4")
