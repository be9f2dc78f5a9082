from __future__ import annotations

import time

import pytest
from fastapi.testclient import TestClient

from core.run import Run
from core.serving.application import Serving, application
from core.serving.protection import Protection
from core.serving.served import Source
from core.serving.settings import Limits, ServerSettings
from tests.core.serving.fake_runs import Lengths, Sums, Tastes, write_run

SETTINGS = ServerSettings(limits=Limits(body_bytes=4096, items=4, characters=100), reload_seconds=0.05)


@pytest.fixture
def client(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as client:
        yield client


def serving(tmp_path, monkeypatch, settings=SETTINGS, **protection) -> TestClient:
    """Return a client of a server of three fake runs; used with `with`, it is ready."""
    monkeypatch.setattr(Run, "model", None)
    runs = {"lengths": Lengths, "sums": Sums, "tastes": Tastes}
    sources = [Source(name, write_run(tmp_path / name, task)) for name, task in runs.items()]
    app = application(Serving(sources, settings, Protection(**protection)))
    return ReadyClient(app, base_url="http://localhost", raise_server_exceptions=False)


class ReadyClient(TestClient):
    def __enter__(self):
        super().__enter__()
        until(lambda: self.get("/readyz").status_code == 200)
        return self


def until(holds) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.01)


def predict(client: TestClient, inputs, run="lengths"):
    return client.post(f"/v1/{run}/predict", json={"inputs": inputs})


def test_each_input_of_a_request_gets_its_answer_in_order(client):
    response = predict(client, ["a", "four", ""])
    assert response.status_code == 200
    assert response.json() == {
        "run": "lengths",
        "predictions": [{"length": 1}, {"length": 4}, {"length": 0}],
    }


def test_numbers_of_a_request_are_documented_with_a_true_answer(client):
    document = client.get("/openapi.json").json()
    told = document["paths"]["/v1/lengths/predict"]["post"]
    content = told["responses"]["200"]["content"]["application/json"]
    example = told["requestBody"]["content"]["application/json"]["example"]
    answer = predict(client, example["inputs"]).json()
    assert content["example"] == answer
    assert content["schema"]["properties"]["predictions"]["items"]["required"] == ["length"]


def test_pages_load_nothing_from_elsewhere(client):
    for path in ("/", "/try/sums", "/try/tastes", "/docs"):
        response = client.get(path)
        assert response.status_code == 200, path
        assert "//" not in response.text.replace("http://localhost", ""), path
