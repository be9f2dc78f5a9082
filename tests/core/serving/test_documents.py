"""The OpenAPI document of a run of every form: whole in itself, with examples that its own routes take."""

from __future__ import annotations

import json

import pytest

from core.run import Run
from core.serving.protection import Protection
from core.serving.runs import Serving
from core.serving.served import Source
from core.serving.settings import ServerSettings
from tests.core.serving import form_runs
from tests.core.serving.fake_runs import Fake, write_run
from tests.core.serving.streaming_runs import Echo
from tests.core.serving.test_application import ReadyClient

RUNS = {
    name.lower(): task
    for name, task in vars(form_runs).items()
    if isinstance(task, type) and issubclass(task, form_runs.Asked) and task.takes
} | {"echo": Echo}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "model", None)
        sources = [Source(name, write_run(folder / name, task)) for name, task in RUNS.items()]
        with ReadyClient(Serving(sources, ServerSettings(), Protection())) as client:
            yield client


def test_a_document_refers_to_nothing_that_it_lacks(client):
    document = client.get("/openapi.json").json()
    for part in json.dumps(document).split('"$ref": "')[1:]:
        place = document
        for name in part.partition('"')[0].removeprefix("#/").split("/"):
            place = place[name]


@pytest.mark.parametrize("name", RUNS)
def test_the_example_of_a_route_is_answered(client, name):
    document = client.get("/openapi.json").json()
    body = document["paths"][f"/v1/{name}/predict"]["post"]["requestBody"]["content"]["application/json"]
    response = client.post(f"/v1/{name}/predict", json=body["example"])
    assert response.status_code == 200, response.text
    assert len(response.json()["predictions"]) == len(body["example"]["inputs"])


def test_options_are_documented_with_what_they_mean(client):
    document = client.get("/openapi.json").json()
    body = document["paths"]["/v1/echo/predict"]["post"]["requestBody"]["content"]["application/json"]
    options = body["schema"]["properties"]["options"]
    assert set(options["properties"]) == set(Echo.options.model_fields)


def test_every_form_is_tried():
    assert len(RUNS) > 5
    assert all(issubclass(task, Fake) for task in RUNS.values())
