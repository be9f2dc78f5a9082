"""The task as a whole, trained on small data by both nets."""

from pathlib import Path

import keras
import numpy as np
import pytest

from apps.recommendation.histories.nets import ITEMS, NextItem, memory_layer
from apps.recommendation.sequences import Sequences
from core.data.feed import Feed
from core.errors import MethodError, UserError
from core.experiment import Experiment
from core.fit import Fit
from core.run import Run
from core.training.train import train
from tests import small_data

FIT = Fit(epochs=12, batch_size=16, learning_rate=0.03, tensorboard=False)
SMALL = {"width": 8, "negatives": 32, "dropout": 0.0, "length": 6, "top": 3}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return small_data.histories(tmp_path_factory.mktemp("histories"))


@pytest.fixture(scope="module")
def run(source, tmp_path_factory) -> Run:
    """The run of a net of attention."""
    task = Sequences(data=str(source), memory=0.3, **SMALL)
    return train(Experiment(task=task, fit=FIT), tmp_path_factory.mktemp("run") / "run")


def recommended(run: Run, *history: str) -> list[str]:
    [answer] = run.experiment.task.predict(run.model, run.encoder, [list(history)])
    return [row["item"] for row in answer["recommendations"]]


def test_the_item_that_mostly_follows_is_recommended_first(run):
    assert recommended(run, "i3", "i4")[0] == "i5"
    assert recommended(run, "i10", "i11")[0] == "i12"


def test_a_net_beats_popularity_and_is_told_beside_what_has_followed(run):
    rivals = run.metrics["baseline"]
    assert run.metrics["test"]["ndcg@10"] > rivals["popularity"]["ndcg@10"]
    assert set(rivals) == {"popularity", "item neighbours", "what has followed", "EASE"}


def test_the_protocol_says_whether_items_of_the_history_are_ranked(run):
    assert run.metrics["protocol"].endswith("all items ranked, those of the history left out")


def test_items_of_the_history_are_recommended_again_only_where_that_is_asked_for(run):
    history = [f"i{item}" for item in range(1, 20)]
    assert recommended(run, *history) == ["i0"]
    again = run.experiment.task.model_copy(update={"mask_seen": False})
    [answer] = again.predict(run.model, run.encoder, [history])
    assert len(answer["recommendations"]) == 3


def test_unknown_items_are_counted_and_change_nothing(run):
    task, (with_them, without) = run.experiment.task, (["i3", "who", "i4"], ["i3", "i4"])
    answers = task.predict(run.model, run.encoder, [with_them, {"history": without}])
    assert answers[0]["recommendations"] == answers[1]["recommendations"]
    assert answers[0]["note"] == "training never saw 1 of these 3 items: who"
    assert "note" not in answers[1]


def test_a_history_of_unknown_items_alone_is_refused(run):
    with pytest.raises(UserError, match=r"one known item at least\. Received: who"):
        run.experiment.task.predict(run.model, run.encoder, [["i3"], ["who"]])


def test_an_answer_does_not_depend_on_what_is_asked_beside_it(run):
    task = run.experiment.task
    alone = task.predict(run.model, run.encoder, [["i3", "i4"]])
    beside = task.predict(run.model, run.encoder, [["i3", "i4"], [f"i{item}" for item in range(12)]])
    assert alone[0] == beside[0]


def test_what_is_explained_is_the_score_of_what_is_recommended_first(run):
    explanation = run.experiment.task.explain(run.model, run.encoder, ["i15", "i3", "i4"])
    assert explanation.target == "i5"
    assert explanation.score == pytest.approx(explanation.answer["recommendations"][0]["score"], abs=1e-3)
    assert [part.name for part in explanation.parts] == ["i15", "i3", "i4"]


def test_the_last_item_speaks_most_for_what_follows_it(run):
    explanation = run.experiment.task.explain(run.model, run.encoder, ["i15", "i3", "i4"])
    assert max(explanation.parts, key=lambda part: part.adds).name == "i4"


def test_an_unknown_method_of_explanation_is_refused(run):
    with pytest.raises(MethodError, match=r"by occlusion\. Received: 'guess'"):
        run.experiment.task.explain(run.model, run.encoder, ["i3"], "guess")


@pytest.mark.parametrize("training_loss", ["softmax", "binary", "sampled_softmax"])
def test_negatives_are_drawn_where_the_loss_needs_them_and_are_the_same_after_a_resume(source, training_loss):
    task = Sequences(data=str(source), training_loss=training_loss, popularity=0.5, **SMALL)
    splits = task.load()
    encoder = task.encode(splits.train)
    whole, resumed = (
        task.batches(splits.train, encoder, Feed(16, training=True, seed=3, step=step)) for step in (0, 1)
    )
    (_, first), (_, second) = whole.take(2).as_numpy_iterator()
    [(_, again)] = resumed.take(1).as_numpy_iterator()
    if training_loss == "softmax":
        assert "negatives" not in first
        return
    np.testing.assert_array_equal(second["negatives"], again["negatives"])
    assert (first["negatives"] != second["negatives"]).any()
    assert first["negatives"].min() >= 1
    assert first["negatives"].max() <= 20


def losses_of(task: Sequences) -> tuple[NextItem, float]:
    """Return an untrained net and its loss of a batch whose negatives are the whole catalogue, once each."""
    splits = task.load()
    encoder = task.encode(splits.train)
    keras.utils.set_random_seed(0)
    model = task.build(encoder)
    model.compile(loss=task.loss(encoder))
    [(inputs, targets)] = task.batches(splits.train, encoder, Feed(64)).take(1).as_numpy_iterator()
    if task.training_loss != "softmax":
        targets["negatives"] = np.arange(1, encoder.num_items, dtype=np.int32)
    states = model(inputs, training=False)
    return model, float(model.compute_loss(x=inputs, y=targets, y_pred=states, training=True))


def test_softmax_over_negatives_that_are_all_items_is_the_full_softmax(source):
    sampled, full = (
        losses_of(Sequences(data=str(source), training_loss=loss, **SMALL))[1]
        for loss in ("sampled_softmax", "softmax")
    )
    assert sampled == pytest.approx(full, rel=1e-5)


def test_what_is_recommended_has_vectors_of_its_own_where_it_is_not_tied(source):
    sizes = []
    for tied in (True, False):
        model, _ = losses_of(Sequences(data=str(source), tied=tied, **SMALL))
        sizes.append(model.count_params())
    assert sizes[1] - sizes[0] == model.get_layer(ITEMS).embeddings.shape[0] * 8


def test_a_net_alone_remembers_nothing(source):
    model, _ = losses_of(Sequences(data=str(source), memory=0, **SMALL))
    assert memory_layer(model) is None


def test_people_of_the_test_part_never_train_where_the_last_is_not_left_out(source):
    splits = Sequences(data=str(source), leave_last_out=False).load()
    parts = [set(part["user"].tolist()) for part in (splits.train, splits.validation, splits.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60


def test_leaving_the_last_out_and_a_split_by_time_exclude_each_other(source):
    with pytest.raises(UserError, match="split_time=time"):
        Sequences(data=str(source), split_time="time").load()


def test_people_who_chose_one_thing_each_leave_nothing_to_learn(tmp_path):
    (tmp_path / "train.csv").write_text(
        "user,item,time\n" + "".join(f"u{row},i{row},{row}\n" for row in range(9))
    )
    (tmp_path / "test.csv").write_text("user,item,time\nu1,i2,20\n")
    task = Sequences(data=str(tmp_path))
    with pytest.raises(UserError, match="no next item to learn"):
        train(Experiment(task=task, fit=FIT), tmp_path / "run")


def test_a_start_keeps_the_items_that_the_weights_know(run, source, tmp_path):
    other = source.read_text().replace("i7", "new")
    (tmp_path / "other.txt").write_text(other)
    task = Sequences(data=str(tmp_path / "other.txt"), **SMALL)
    encoder = task.encode_from(task.load().train, run.encoder)
    assert encoder.items == run.encoder.items
    assert encoder.item_counts[encoder.items.index("i7")] == 0
