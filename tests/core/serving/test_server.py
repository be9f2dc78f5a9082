"""The process as a whole: it listens, finishes what it accepted when it is told to stop, and ends well."""

from __future__ import annotations

import signal
import socket
import threading
import time

import httpx
import pytest
from typer.testing import CliRunner

from core.cli import app
from core.errors import UserError
from core.run import Run
from core.serving.server import serve
from tests.core.serving.fake_runs import Lengths, write_run
from tests.core.serving.server_of_fakes import served
from tests.core.serving.test_application import until


@pytest.fixture
def server(tmp_path):
    """A process that serves a fake run, and the address of that run."""
    with served(write_run(tmp_path / "run", Lengths)) as (process, url):
        yield process, f"{url}/v1/run/predict"


def test_a_signal_to_stop_lets_every_accepted_request_be_answered(server):
    process, url = server
    answers, lost = [], []

    def ask_until_refused() -> None:
        with httpx.Client() as client:
            while True:
                try:
                    answers.append(client.post(url, json={"inputs": ["four"]}).json()["predictions"])
                except httpx.ConnectError:
                    return
                except httpx.HTTPError as error:
                    lost.append(error)

    threads = [threading.Thread(target=ask_until_refused) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) > 8)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(20)
    assert process.wait(20) == 0
    assert not lost
    assert all(answer == [{"length": 4}] for answer in answers)


def test_a_client_that_hangs_up_harms_nobody(server):
    _, url = server
    address = ("127.0.0.1", httpx.URL(url).port)
    for part in (b"POST /v1/run/predict HT", b"POST /v1/run/predict HTTP/1.1\r\nContent-Length: 99\r\n\r\n{"):
        with socket.create_connection(address) as connection:
            connection.sendall(part)
    assert httpx.post(url, json={"inputs": ["four"]}).status_code == 200


def test_a_client_that_hangs_up_while_it_waits_is_given_up(server):
    _, url = server
    body = b'{"inputs": ["slow"]}'
    head = b"POST /v1/run/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", httpx.URL(url).port)) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.4)  # beyond the time that a client is trusted to wait
    metric_line = 'quartet_requests_total{route="/v1/run/predict",status="499"} 1.0'
    until(lambda: metric_line in httpx.get(url.replace("/v1/run/predict", "/metrics")).text)


def test_a_port_that_is_taken_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "model", None)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UserError, match="--port"):
        serve([str(write_run(tmp_path / "run", Lengths))], port=taken.getsockname()[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere"),
        (["nowhere", "--set", "batching.wiat=1"], "Did you mean batching.wait?"),
        (["nowhere", "--set", "batching.wait=2"], "less than or equal to 1"),
        (["nowhere", "--set", "limits.items=1000"], "limits.items must not be more than batching.queue"),
    ],
)
def test_a_mistake_is_reported_in_a_line(arguments, message):
    result = CliRunner().invoke(app, ["serve", *arguments])
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.splitlines()) <= 2
