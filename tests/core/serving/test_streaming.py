"""Answers that are sent as they grow: in order, refused in words, given up when nobody listens."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from fastapi.testclient import TestClient

from core.run import Run
from core.serving.protection import Protection
from core.serving.runs import Serving
from core.serving.served import Source
from core.serving.settings import ServerSettings
from tests.core.serving.fake_runs import Lengths, write_run
from tests.core.serving.server_of_fakes import served
from tests.core.serving.streaming_runs import Echo
from tests.core.serving.test_application import ReadyClient, until
from tests.core.serving.test_served import newer

STREAM = "/v1/echo/stream"


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "model", None)
    sources = [Source(name, write_run(tmp_path / name, task)) for name, task in RUNS.items()]
    with ReadyClient(
        Serving(sources, ServerSettings(reload_seconds=0.05, try_apart=False), Protection())
    ) as client:
        yield client


RUNS = {"echo": Echo, "lengths": Lengths}


@pytest.fixture
def server(tmp_path):
    """A process with a run whose answers grow and one whose do not, where a client has 1.5 s to listen."""
    folders = (write_run(tmp_path / name, task) for name, task in RUNS.items())
    with served(*folders, overrides=["limits.answer_seconds=1.5"]) as (process, url):
        yield process, url


def events(body: str) -> Iterator[tuple[str, dict]]:
    """Yield the name and the data of each event of a body; of a state the name is empty."""
    for event in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
        if "data" in fields:
            yield fields.get("event", ""), json.loads(fields["data"])


def streamed(client: TestClient, text: str, **body) -> list[tuple[str, dict]]:
    return list(events(client.post(STREAM, json={"input": text, **body}).text))


def test_an_answer_grows_event_by_event_and_its_end_names_the_run(client):
    response = client.post(STREAM, json={"input": "one two three"})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert list(events(response.text)) == [
        ("", {"text": "one"}),
        ("", {"text": "one two"}),
        ("", {"text": "one two three"}),
        ("end", {"run": "echo"}),
    ]


def test_the_last_state_is_what_predict_answers(client):
    options = {"times": 2, "case": "upper"}
    response = client.post("/v1/echo/predict", json={"inputs": ["a b"], "options": options}).json()
    assert streamed(client, "a b", options=options)[-2] == ("", response["predictions"][0])
    assert response["predictions"] == [{"text": "A A B B"}]


def test_an_option_that_is_wrong_is_refused_before_an_answer_begins(client):
    response = client.post(STREAM, json={"input": "a", "options": {"times": 0}})
    assert (response.status_code, response.json()["field"]) == (422, "options.times")


def test_a_refused_input_is_reported_in_an_event(client):
    refused = {"error": "That text is refused. Received: 'refused'.", "field": "input"}
    assert streamed(client, "refused") == [("problem", refused)]


def test_a_bug_is_reported_after_what_was_said_and_without_its_traceback(client):
    said = streamed(client, "this is broken now")
    assert [name for name, _ in said] == ["", "", "", "problem"]
    assert "secret" not in json.dumps(said)


def test_a_run_that_a_newer_one_replaces_ends_what_it_began(client, tmp_path, monkeypatch):
    began, release = threading.Event(), threading.Event()

    def held(self, words, manner):
        if words == ["hold"]:
            began.set()
            release.wait(5)
        return {"text": " ".join(words), "factor": self.factor}

    monkeypatch.setattr(Echo, "said", held)
    before = client.serving.runs["echo"].current
    said: list = []
    thread = threading.Thread(target=lambda: said.extend(streamed(client, "hold on")))
    thread.start()
    assert began.wait(5)
    newer(tmp_path / "echo", Echo, factor=10)
    until(lambda: client.serving.runs["echo"].current is not before)
    assert before.users == 1
    release.set()
    thread.join(5)
    assert said[-2:] == [("", {"text": "hold on", "factor": 1}), ("end", {"run": "echo"})]
    until(lambda: before.users == 0)


def test_too_many_answers_at_once_are_refused(client, monkeypatch):
    monkeypatch.setattr(client.serving.streamer, "queue", 0)
    response = client.post(STREAM, json={"input": "a"})
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1


def test_a_place_is_free_again_when_an_answer_has_ended(client, monkeypatch):
    monkeypatch.setattr(client.serving.streamer, "queue", 1)
    assert [streamed(client, "a")[0] for _ in range(3)] == [("", {"text": "a"})] * 3


def test_what_a_task_can_not_do_has_no_route_no_document_and_no_button(client):
    paths = client.get("/openapi.json").json()["paths"]
    offered = {
        run: [what for what in ("predict", "explain", "stream") if f"/v1/{run}/{what}" in paths]
        for run in RUNS
    }
    assert offered == {"echo": ["predict", "stream"], "lengths": ["predict", "explain"]}
    assert client.post("/v1/lengths/stream", json={"input": "a"}).status_code == 404
    assert client.post("/v1/echo/explain", json={"input": "a"}).status_code == 404
    for run, whats in offered.items():
        page = client.get(f"/try/{run}").text
        buttons = [what for what in ("predict", "explain", "stream") if f'value="{what}"' in page]
        assert buttons == whats
        assert ('id="stop"' in page) is ("stream" in whats)


def test_an_answer_may_take_longer_than_a_client_may_take_to_listen(server, tmp_path):
    _, url = server
    closed, begun = tmp_path / "closed", time.monotonic()
    with httpx.stream("POST", f"{url}{STREAM}", json={"input": f"endless {closed}"}, timeout=5) as response:
        for _ in response.iter_bytes():
            if time.monotonic() > begun + 2.5:
                break
        assert not closed.exists()
    until(closed.exists)


def test_a_client_that_hangs_up_ends_the_answer_and_others_are_answered_meanwhile(server, tmp_path):
    _, url = server
    closed = tmp_path / "closed"
    with httpx.stream("POST", f"{url}{STREAM}", json={"input": f"endless {closed}"}, timeout=5) as response:
        said = response.iter_bytes()
        assert next(said).startswith(b"data: ")
        for run in RUNS:
            assert httpx.post(f"{url}/v1/{run}/predict", json={"inputs": ["four"]}).status_code == 200
        assert not closed.exists()
    until(closed.exists)
    assert httpx.post(f"{url}{STREAM}", json={"input": "next"}).text.endswith(
        'event: end\ndata: {"run": "echo"}\n\n'
    )


def test_a_client_that_does_not_read_any_more_is_given_up(server, tmp_path):
    _, url = server
    closed = tmp_path / "closed"
    body = json.dumps({"input": f"endless {closed}"}).encode()
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" % STREAM.encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", httpx.URL(url).port))
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        until(closed.exists)


def test_an_answer_that_grows_when_the_server_is_stopped_ends_with_a_problem(server, tmp_path):
    process, url = server
    body = {"input": f"endless {tmp_path / 'closed'}"}
    said = b""
    with httpx.stream("POST", f"{url}{STREAM}", json=body, timeout=10) as response:
        for part in response.iter_bytes():
            if not said:
                process.send_signal(signal.SIGTERM)
            said = said[-1000:] + part
    assert b"event: problem" in said
    assert b"The server stops" in said
    assert process.wait(10) == 0
    assert (tmp_path / "closed").exists()
