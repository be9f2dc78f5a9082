from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from core.errors import UserError
from core.inputs import Ratings
from core.inputs.limits import Limits
from core.run import Run
from core.serving.protection import Protection
from core.serving.runs import Serving
from core.serving.served import Source, in_steady_sizes, schema_of, steady_sizes, turns, warm_up
from core.serving.settings import Batching, ServerSettings
from tests.core.serving.fake_runs import Fake, Lengths, Sums, Tastes, write_run
from tests.core.serving.test_application import predict, serving, until


def test_a_name_is_that_of_the_folder_unless_one_is_given(tmp_path):
    assert Source.parse(str(tmp_path / "reviews")).name == "reviews"
    assert Source.parse(f"mine={tmp_path}") == Source("mine", tmp_path)
    with pytest.raises(UserError, match="NAME="):
        Source.parse(str(tmp_path / "my reviews"))


def test_of_a_folder_of_runs_the_newest_finished_one_is_served(tmp_path):
    for age, name in ((30, "first"), (20, "second"), (10, "unfinished")):
        folder = write_run(tmp_path / name, Lengths)
        os.utime(folder / "metrics.json", (1e9 - age, 1e9 - age))
    (tmp_path / "unfinished" / "metrics.json").unlink()
    assert Source("runs", tmp_path).finished()[0].folder.name == "second"


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="no finished run"):
        Source("runs", tmp_path).finished()
    folder = write_run(tmp_path / "cut", Lengths)
    (folder / "metrics.json").unlink()
    with pytest.raises(UserError, match="did not finish"):
        Source("cut", folder).finished()


def test_two_runs_of_one_name_are_refused(tmp_path):
    source = Source("same", write_run(tmp_path / "run", Lengths))
    with pytest.raises(UserError, match="NAME=FOLDER"):
        Serving([source, source], ServerSettings(), Protection())


def test_a_task_that_does_not_say_what_it_takes_can_not_be_served(tmp_path, monkeypatch):
    monkeypatch.setattr(Lengths, "takes", {})
    source = Source("run", write_run(tmp_path / "run", Lengths))
    with pytest.raises(UserError, match="takes"):
        Serving([source], ServerSettings(), Protection())


def test_a_batch_is_filled_up_to_a_size_that_the_model_has_met():
    sizes = []

    def doubled(values):
        sizes.append(len(values))
        return [2 * value for value in values]

    predict = in_steady_sizes(doubled, steady_sizes(6))
    assert [predict(list(range(count))) for count in (1, 3, 5, 6)] == [
        [0],
        [0, 2, 4],
        [0, 2, 4, 6, 8],
        [0, 2, 4, 6, 8, 10],
    ]
    assert sizes == [1, 4, 6, 6]


def test_a_model_is_warm_for_each_sort_of_input_in_each_size(tmp_path, monkeypatch):
    met = []
    monkeypatch.setattr(Run, "model", None)
    monkeypatch.setattr(
        Tastes, "predict", lambda self, model, encoder, inputs, options=None: met.append(inputs) or inputs
    )
    run = Run(write_run(tmp_path / "run", Tastes))
    warm = warm_up(run, schema_of(run, Limits()), Batching(size=3))
    sorts = [{"user": "u1"}, {"user": "nobody"}, {"user": "u1", "item": "1"}, {"ratings": {"1": 4.0}}]
    assert [inputs for inputs in met if inputs != sorts] == [
        [sort] * size for sort in sorts for size in (1, 2, 3)
    ]
    assert [answer for _, answer in warm.examples] == sorts


def test_a_recommender_is_asked_about_what_a_request_may_name():
    choices = {"user": {"": "nobody", "x" * 201: "long", "u": "u"}, "item": {"": "nothing"}}
    assert Ratings(choices).examples()[2] == {"user": "u", "item": "1"}


def test_where_a_model_takes_one_call_at_a_time_a_prediction_waits_for_an_explanation(tmp_path, monkeypatch):
    monkeypatch.setattr("core.serving.served.turns", threading.Lock)
    explains, explain = threading.Event(), Lengths.explain
    overlaps = []

    def slow(self, *given):
        explains.set()
        time.sleep(0.3)
        explains.clear()
        return explain(self, *given)

    def noted(self, model, encoder, inputs):
        overlaps.append(explains.is_set())
        return [self.answer(value) for value in inputs]

    monkeypatch.setattr(Lengths, "explain", slow)
    monkeypatch.setattr(Lengths, "predict", noted)
    with serving(tmp_path, monkeypatch) as client, ThreadPoolExecutor(1) as pool:
        overlaps.clear()  # of the warm-up
        explaining = pool.submit(client.post, "/v1/lengths/explain", json={"input": "abc"})
        assert explains.wait(5)
        assert predict(client, ["abc"]).status_code == explaining.result().status_code == 200
    assert overlaps == [False]


def test_only_on_jax_calls_of_a_model_take_turns(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax")))
    with turns() as taken:
        assert taken
    monkeypatch.setattr(sys.modules["keras"].backend, "backend", lambda: "tensorflow")
    with turns() as taken:
        assert taken is None


def newer(folder, task=Lengths, **fields) -> None:
    """Write another training into a run folder."""
    (folder / "metrics.json").unlink()
    write_run(folder, task, **fields)


def test_a_newer_run_takes_over(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as client:
        assert predict(client, ["abc"]).json()["predictions"] == [{"length": 3}]
        newer(tmp_path / "lengths", factor=10)
        until(lambda: predict(client, ["abc"]).json()["predictions"] == [{"length": 30}])
        until(lambda: 'quartet_reloads_total{run="lengths"} 1.0' in client.get("/metrics").text)


def test_a_request_that_began_before_a_newer_run_is_answered_by_the_one_before(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as client:
        began, release = threading.Event(), threading.Event()
        answer = Lengths.answer

        def held(self, text):
            if text == "hold":
                began.set()
                release.wait(5)
            return answer(self, text)

        monkeypatch.setattr(Lengths, "answer", held)
        responses = []
        thread = threading.Thread(target=lambda: responses.append(predict(client, ["hold"])))
        thread.start()
        assert began.wait(5)
        newer(tmp_path / "lengths", factor=10)
        until(lambda: 'quartet_reloads_total{run="lengths"} 1.0' in client.get("/metrics").text)
        assert predict(client, ["abc"]).json()["predictions"] == [{"length": 30}]
        release.set()
        thread.join()
    assert responses[0].json()["predictions"] == [{"length": 4}]


@pytest.mark.parametrize("broken", ["kind", "model"])
def test_a_newer_run_that_can_not_be_loaded_leaves_the_one_before_at_work(tmp_path, monkeypatch, broken):
    with serving(tmp_path, monkeypatch) as client:
        serving_state = client.serving.runs["lengths"]
        if broken == "kind":
            newer(tmp_path / "lengths", Sums)
        else:
            monkeypatch.setattr(Fake, "predict", lambda *arguments: 1 / 0)
            newer(tmp_path / "lengths", factor=10)
        until(lambda: serving_state._refused)
        monkeypatch.undo()
        monkeypatch.setattr(Run, "model", None)
        assert predict(client, ["abc"]).json()["predictions"] == [{"length": 3}]


def test_a_run_that_can_not_be_loaded_at_the_start_is_reported(tmp_path, monkeypatch):
    client = serving(tmp_path, monkeypatch)
    (tmp_path / "sums" / "encoder.json").unlink()
    state = client.serving
    asyncio.run(state.load())
    assert isinstance(state.failed, UserError)
    assert not state.ready
