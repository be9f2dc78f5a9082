from __future__ import annotations

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile

import numpy as np
import pytest
from fastapi.testclient import TestClient

from core.inputs.limits import Limits
from core.run import Run
from core.serving.answering import in_json
from core.serving.application import application
from core.serving.protection import Protection
from core.serving.runs import Serving
from core.serving.served import Source
from core.serving.settings import Batching, ServerSettings
from tests.core.serving.fake_runs import Bytes, Lengths, Sums, Tastes, write_run

SETTINGS = ServerSettings(
    limits=Limits(body_bytes=4096, items=4, characters=100),
    reload_seconds=0.05,
    try_apart=False,  # a process of its own would know nothing of the fakes
)


@pytest.fixture
def client(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as client:
        yield client


def serving(tmp_path, monkeypatch, settings=SETTINGS, **protection) -> TestClient:
    """Return a client of a server of three fake runs; used with `with`, it is ready."""
    monkeypatch.setattr(Run, "model", None)
    runs = {"lengths": Lengths, "sums": Sums, "tastes": Tastes}
    sources = [Source(name, write_run(tmp_path / name, task)) for name, task in runs.items()]
    return ReadyClient(Serving(sources, settings, Protection(**protection)))


class ReadyClient(TestClient):
    def __init__(self, serving: Serving):
        super().__init__(application(serving), base_url="http://localhost", raise_server_exceptions=False)
        self.serving = serving

    def __enter__(self):
        super().__enter__()
        until(lambda: self.get("/readyz").status_code == 200)
        return self


def until(holds, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
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


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, "body"),
        (b"", 400, "body"),
        (b"[]", 422, "body"),
        (b"{}", 422, "inputs"),
        (b'{"inputs": []}', 422, "inputs"),
        (b'{"inputs": "text"}', 422, "inputs"),
        (b'{"inputs": ["a", 2]}', 422, "inputs[1]"),
        (b'{"inputs": ["a"], "path": "/etc/passwd"}', 422, "path"),
        (b'{"inputs": ["a", "b", "c", "d", "e"]}', 422, "inputs"),
        (b'{"inputs": ["' + b"a" * 101 + b'"]}', 422, "inputs[0]"),
        (b'{"inputs": ["\xff"]}', 400, "body"),
        (b'{"inputs": ' + b"[" * 2000, 400, "body"),
        (b'{"inputs": ["' + b"a" * 5000 + b'"]}', 413, "body"),
        (b'{"inputs": ["fine", "refused"]}', 422, "inputs[1]"),
    ],
)
def test_a_bad_body_is_refused_by_the_name_of_its_field(client, body, status, field):
    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/lengths/predict", content=body, headers=headers)
    assert (response.status_code, response.json()["field"]) == (status, field)


def test_a_body_that_does_not_say_its_length_is_refused_when_it_grows_too_large(client):
    chunks = (b"a" * 1000 for _ in range(10))
    headers = {"Content-Type": "application/json"}
    assert client.post("/v1/lengths/predict", content=chunks, headers=headers).status_code == 413


def test_a_body_of_another_type_is_refused(client):
    response = client.post("/v1/lengths/predict", content=b"text", headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()["field"]) == (415, "content-type")
    assert client.post("/v1/lengths/predict", files={"files": b"text"}).status_code == 415


def test_a_bug_is_reported_without_its_traceback(client):
    response = predict(client, ["broken"])
    assert response.status_code == 500
    assert set(response.json()) == {"error", "field"}
    assert "secret" not in response.text


def test_a_bug_behind_a_page_is_reported_as_json_too(client, monkeypatch):
    monkeypatch.setattr(client.serving.measurements, "text", lambda runs: 1 / 0)
    response = client.get("/metrics")
    assert (response.status_code, set(response.json())) == (500, {"error", "field"})


def test_a_bug_at_one_input_does_not_harm_the_requests_beside_it(client):
    with ThreadPoolExecutor(8) as pool:
        texts = ["broken", *"abcdefg"]
        answers = list(pool.map(lambda text: predict(client, [text]).status_code, texts))
    assert answers == [500] + [200] * 7


def test_what_does_not_exist_is_reported_as_json(client):
    assert client.get("/nowhere").json()["error"]
    assert client.get("/v1/lengths/predict").status_code == 405
    assert client.post("/v1/nobody/predict", json={"inputs": ["a"]}).status_code == 404
    assert client.get("/try/nobody").status_code == 404


def test_files_are_read_from_base64_and_from_forms_alike(client):
    contents = [b"one", b"two"]
    encoded = [base64.b64encode(content).decode() for content in contents]
    data_url = f"data:image/png;base64,{encoded[1]}"
    expected = [{"sum": sum(content)} for content in contents]
    assert predict(client, [encoded[0], data_url], "sums").json()["predictions"] == expected
    form = client.post("/v1/sums/predict", files=[("files", content) for content in contents])
    assert form.json()["predictions"] == expected


@pytest.mark.parametrize(
    ("contents", "at_once"),
    [([b"small"], True), ([b"large"], False), ([b"a" * 100_000], False), ([b"small", b"small"], False)],
)
def test_one_file_that_is_quickly_decoded_is_so_at_once_and_others_hold_up_nobody(
    tmp_path, monkeypatch, contents, at_once
):
    settings = ServerSettings(limits=Limits(body_bytes=1_000_000))
    with serving(tmp_path, monkeypatch, settings) as client:
        threads, raw = [], Bytes.raw

        def noted(self, content, limits):
            decoded = raw(self, content, limits)
            threads.append(threading.current_thread())
            return decoded

        monkeypatch.setattr(Bytes, "raw", noted)
        response = client.post("/v1/sums/predict", files=[("files", content) for content in contents])
        loops = {client.portal.call(threading.current_thread)}
    assert response.json()["predictions"] == [{"sum": sum(content)} for content in contents]
    assert threads
    assert (set(threads) == loops) is at_once


def test_a_large_file_of_a_form_does_not_touch_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", lambda self: pytest.fail("it was written to disk"))
    settings = ServerSettings(limits=Limits(body_bytes=4_000_000))
    with serving(tmp_path, monkeypatch, settings) as client:
        response = client.post("/v1/sums/predict", files=[("files", b"a" * 3_000_000)])
    assert response.json()["predictions"] == [{"sum": 3_000_000 * ord("a")}]


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ([("files", b"not a picture")], "inputs[0]"),
        ([("files", b"fine"), ("files", b"not a picture")], "inputs[1]"),
        ([("other", b"fine")], "other"),
        ([("files", b"fine")] * 5, "files"),
        ([("files", (None, "/etc/passwd"))], "files"),
    ],
)
def test_a_bad_form_is_refused_by_the_name_of_its_field(client, files, field):
    response = client.post("/v1/sums/predict", files=files)
    assert (response.status_code, response.json()["field"]) == (422, field)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_form_that_is_none_is_refused(client, content_type):
    response = client.post("/v1/sums/predict", content=b"--y", headers={"Content-Type": content_type})
    assert response.status_code in (400, 422)


@pytest.mark.parametrize(
    "text", ["/etc/passwd", "../sums/encoder.json", "file:///etc/passwd", "not base64!", 7, None]
)
def test_a_path_in_place_of_a_file_is_refused(client, text):
    response = predict(client, [text], "sums")
    assert (response.status_code, response.json()["field"]) == (422, "inputs[0]")


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("u1", {"user": "u1"}),
        (7, {"user": "7"}),
        ('{"user": "x"}', {"user": '{"user": "x"}'}),
        ({"user": 7, "item": "2"}, {"user": "7", "item": "2"}),
        ({"ratings": {"1": 5}, "item": 2}, {"item": "2", "ratings": {"1": 5.0}}),
    ],
)
def test_a_question_reaches_the_task_as_a_mapping(client, value, asked):
    assert predict(client, [value], "tastes").json()["predictions"] == [{"asked": asked}]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"user": "1", "ratings": {}},
        {"user": ""},
        {"user": None},
        {"user": "1", "item": None},
        {"ratings": {"1": "5"}},
        {"ratings": {"1": 1e9}},
        {"who": 1},
        10**30,
        1.5,
        True,
        "0" * 201,
    ],
)
def test_a_question_that_asks_nothing_is_refused(client, value):
    response = predict(client, [value], "tastes")
    assert response.status_code == 422
    assert response.json()["field"].startswith("inputs[0]")


def test_the_field_of_a_question_is_named_by_its_place_in_the_body(client):
    for value, field in (({"user": ""}, "user"), ({"ratings": {}, "item": True}, "item")):
        assert predict(client, [value], "tastes").json()["field"] == f"inputs[0].{field}"


def test_choices_are_found_by_a_part_of_their_name(client):
    choices = client.get("/v1/tastes/choices/item", params={"search": "bra"}).json()
    assert choices == [{"id": "2", "name": "Brazil (1985)"}]
    assert client.get("/v1/tastes/choices/nothing").json()["field"] == "path.field"
    response = client.get("/v1/tastes/choices/item", params={"limit": 0})
    assert (response.status_code, response.json()["field"]) == (422, "query.limit")


def test_an_explanation_holds_its_picture(client):
    response = client.post("/v1/lengths/explain", json={"input": "four"})
    assert response.json()["explanation"] == {"prediction": {"length": 4}}
    picture = base64.b64decode(response.json()["picture"].removeprefix("data:image/png;base64,"))
    assert picture.startswith(b"\x89PNG")
    headers = {"Accept": "image/png"}
    assert client.post("/v1/lengths/explain", json={"input": "four"}, headers=headers).content == picture
    assert client.post("/v1/sums/explain", files={"files": b"abc"}).status_code == 200


@pytest.mark.parametrize("method", ["magic", "../x"])
def test_an_unknown_method_of_explanation_is_refused_by_its_field(client, method):
    response = client.post("/v1/lengths/explain", json={"input": "four", "method": method})
    assert (response.status_code, response.json()["field"]) == (422, "method")


def test_a_full_queue_is_reported_with_the_time_to_come_back(tmp_path, monkeypatch):
    settings = ServerSettings(batching=Batching(size=1, queue=1), limits=Limits(items=1))
    with serving(tmp_path, monkeypatch, settings) as client, ThreadPoolExecutor(8) as pool:
        monkeypatch.setattr(Lengths, "seconds", 0.1)
        responses = list(pool.map(lambda text: predict(client, [text]), "abcdefgh"))
    statuses = [response.status_code for response in responses]
    assert set(statuses) == {200, 503}
    for response in responses:
        assert response.status_code == 200 or int(response.headers["Retry-After"]) >= 1


def test_an_answer_may_hold_arrays_and_what_is_not_finite():
    answer = {"a": np.array([1.0, np.nan]), "b": np.float32(2), "c": float("inf"), "d": "ä"}
    response = in_json(answer)
    assert json.loads(response.body) == {"a": [1.0, None], "b": 2.0, "c": None, "d": "ä"}
    assert response.media_type == "application/json"


@pytest.mark.parametrize("seconds", [0.05, 0.4])  # before, and after, the client begins to be watched
def test_an_answer_that_takes_too_long_is_given_up(tmp_path, monkeypatch, seconds):
    settings = ServerSettings(limits=Limits(answer_seconds=seconds))
    with serving(tmp_path, monkeypatch, settings) as client:
        monkeypatch.setattr(Lengths, "seconds", 2 * seconds)
        response = predict(client, ["a"])
    assert response.status_code == 503
    assert "Retry-After" in response.headers


def test_it_is_ready_only_when_every_run_is_warm(tmp_path, monkeypatch):
    client = serving(tmp_path, monkeypatch)
    release = threading.Event()
    answers = Sums.predict
    monkeypatch.setattr(Sums, "predict", lambda *given: release.wait(20) and answers(*given))
    with TestClient(client.app, base_url="http://localhost") as client:
        assert client.get("/healthz").status_code == 200
        early = client.get("/readyz"), predict(client, ["eA=="], "sums")
        assert [response.status_code for response in early] == [503, 503]
        release.set()
        until(lambda: client.get("/readyz").status_code == 200)


def test_measurements_count_answers_by_route_and_never_by_path(client):
    predict(client, ["a"])
    predict(client, [1])
    client.get("/no-such-path")
    text = client.get("/metrics").text
    assert 'quartet_requests_total{route="/v1/lengths/predict",status="200"} 1.0' in text
    assert 'quartet_requests_total{route="/v1/lengths/predict",status="422"} 1.0' in text
    assert "no-such-path" not in text


@pytest.mark.parametrize(("run", "required"), [("lengths", "length"), ("tastes", "asked")])
def test_a_route_is_documented_with_a_true_answer(client, run, required):
    document = client.get("/openapi.json").json()
    operation = document["paths"][f"/v1/{run}/predict"]["post"]
    content = operation["responses"]["200"]["content"]["application/json"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    answer = predict(client, example["inputs"], run).json()
    assert content["example"] == answer
    assert content["schema"]["properties"]["predictions"]["items"]["required"] == [required]


def test_a_recommender_is_documented_by_users_that_it_knows(client):
    paths = client.get("/openapi.json").json()["paths"]
    predicted, explained = (
        paths[f"/v1/tastes/{what}"]["post"]["requestBody"]["content"]["application/json"]["example"]
        for what in ("predict", "explain")
    )
    assert predicted["inputs"][:3] == ["u1", {"user": "nobody"}, {"user": "u1", "item": "1"}]
    assert explained["input"] == "u1"


def test_pages_load_nothing_from_elsewhere(client):
    for path in ("/", "/try/sums", "/try/tastes", "/docs"):
        response = client.get(path)
        assert response.status_code == 200, path
        assert "//" not in response.text.replace("http://localhost", ""), path
