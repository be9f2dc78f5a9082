from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from core.answers.calibration import Calibration, fitted_temperature, threshold_for_cost, threshold_for_recall
from core.answers.classes.figures import answers_of
from core.errors import UserError
from core.experiment import experiment_from, load_experiment
from core.run import Run
from core.training.calibrating import calibrated
from core.training.train import train
from tests import small_data


def overconfident(count: int = 4000, temperature: float = 2.5) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from known probabilities, and logits that claim `temperature` times too much."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (count, 3))
    targets = np.array([random.choice(3, p=row) for row in softmax(logits, axis=1)])
    return targets, softmax(temperature * logits, axis=1)


def test_the_temperature_that_made_a_model_overconfident_is_found():
    assert fitted_temperature(*overconfident()) == pytest.approx(2.5, rel=0.05)


def test_no_other_temperature_has_a_smaller_log_loss():
    targets, probabilities = overconfident()
    fitted = fitted_temperature(targets, probabilities)
    losses = {
        scale: log_loss(targets, Calibration(temperature=scale * fitted).tempered(probabilities))
        for scale in (0.95, 1.0, 1.05)
    }
    assert min(losses, key=losses.__getitem__) == 1.0


def test_a_temperature_keeps_the_order_and_the_sum():
    _, probabilities = overconfident(50)
    tempered = Calibration(temperature=3.0).tempered(probabilities)
    np.testing.assert_allclose(tempered.sum(axis=1), 1)
    np.testing.assert_array_equal(tempered.argsort(axis=1), probabilities.argsort(axis=1))


def test_a_threshold_finds_the_recall_that_was_asked_for_and_is_the_highest_that_does():
    random = np.random.default_rng(0)
    positive = random.random(500) < 0.3
    probability = np.clip(random.normal(0.4 + 0.2 * positive, 0.2), 0, 1)
    threshold = threshold_for_recall(positive, probability, 0.9)
    assert (probability[positive] >= threshold).mean() >= 0.9
    assert (probability[positive] > threshold).mean() < 0.9


def test_a_threshold_for_a_class_without_examples_is_refused():
    with pytest.raises(UserError, match="Received: none"):
        threshold_for_recall(np.zeros(3, bool), np.ones(3), 0.9)


def test_a_threshold_has_the_least_cost_of_all():
    random = np.random.default_rng(0)
    positive = random.random(300) < 0.3
    probability = np.clip(random.normal(0.4 + 0.2 * positive, 0.2), 0, 1)

    def cost(threshold: float) -> float:
        said = probability >= threshold
        return 4 * (positive & ~said).sum() + (said & ~positive).sum()

    chosen = threshold_for_cost(positive, probability, miss_cost=4)
    assert cost(chosen) == min(cost(threshold) for threshold in [*probability, 1.0, 1.01])


def test_of_true_probabilities_the_threshold_tends_to_what_theory_says():
    random = np.random.default_rng(0)
    probability = random.random(200_000)
    positive = random.random(200_000) < probability
    assert threshold_for_cost(positive, probability, miss_cost=4) == pytest.approx(1 / 5, abs=0.02)


def test_a_class_is_said_from_its_threshold_on_and_otherwise_the_likeliest_other():
    calibration = Calibration(label="b", threshold=0.2)
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.15, 0.75], [0.85, 0.1, 0.05]])
    assert calibration.decided(probabilities, ["a", "b", "c"]).tolist() == [1, 2, 0]


def test_answers_are_tempered_decided_and_marked_where_they_abstain():
    calibration = Calibration(temperature=2.0, label="b", threshold=0.2, abstain_below=0.74)
    first, second = answers_of(np.array([[0.9, 0.1], [0.6, 0.4]]), ["a", "b"], calibration)
    assert first == {
        "label": "b",
        "probability": 0.25,
        "probabilities": {"a": 0.75, "b": 0.25},
        "abstained": False,
    }
    assert second["abstained"]


def test_answers_without_calibration_are_the_models_own():
    (answer,) = answers_of(np.array([[0.9, 0.1]]), ["a", "b"])
    assert answer == {"label": "a", "probability": 0.9, "probabilities": {"a": 0.9, "b": 0.1}}


def test_a_threshold_without_a_class_is_refused():
    with pytest.raises(ValueError, match="belong together"):
        Calibration(threshold=0.3)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    source = small_data.reviews(tmp_path_factory.mktemp("data"))
    quick = ["fit.epochs=1", "fit.steps_per_execution=1", "fit.tensorboard=false"]
    quick += ["audit.leaks=allow", "validation=0.3"]
    return train(load_experiment("nlp/sentiment", [f"data={source}", *quick]), tmp_path_factory.mktemp("run"))


def test_a_calibration_is_kept_with_the_run_and_used_by_predict(run):
    task = run.experiment.task
    (before,) = task.predict(run.model, run.encoder, ["a lovely film"])
    chosen = calibrated(Run(run.folder), label="good", recall=0.9, abstain_below=0.99)
    loaded = Run(run.folder)
    (after,) = task.predict(loaded.model, loaded.encoder, ["a lovely film"])
    assert loaded.calibration == chosen
    expected = chosen.tempered(np.array([list(before["probabilities"].values())]))[0]
    assert list(after["probabilities"].values()) == pytest.approx(expected.tolist(), abs=1e-5)
    assert after["abstained"] == (expected.max() < 0.99)


def test_a_calibration_leaves_the_runs_own_figures_as_they_are(run):
    calibrated(Run(run.folder))
    loaded = Run(run.folder)
    assert "calibration" not in json.loads((run.folder / "encoder.json").read_text())
    probabilities = loaded.experiment.task.probabilities(
        loaded.model, loaded.encoder, loaded.experiment.task.load().test
    )
    written = [json.loads(line) for line in (run.folder / "predictions.jsonl").read_text().splitlines()]
    expected = [list(row["probabilities"].values()) for row in written]
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"label": "nowhere", "recall": 0.9}, "must be one of bad, good"),
        ({"recall": 0.9}, "add --label"),
        ({"label": "good"}, "either --recall or --miss-cost"),
        ({"label": "good", "recall": 0.9, "miss_cost": 2.0}, "either --recall or --miss-cost"),
        ({"label": "good", "recall": 0.0}, "above 0 and at most 1"),
        ({"label": "good", "miss_cost": 0.0}, "above 0"),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(run, request_, message):
    with pytest.raises(UserError, match=message):
        calibrated(run, **request_)


def test_a_run_whose_data_changed_is_not_calibrated(run):
    source = Path(run.experiment.task.data)
    text = source.read_text()
    source.write_text(text.replace("film", "movie"))
    try:
        with pytest.raises(UserError, match="fingerprint"):
            calibrated(run)
    finally:
        source.write_text(text)


def test_a_run_that_names_no_classes_is_refused(tmp_path):
    experiment = experiment_from(
        {
            "task": {"type": "tests.core.hard_tasks.Regression"},
            "fit": {"epochs": 1, "batch_size": 8, "steps_per_execution": 1, "tensorboard": False},
            "audit": {"leaks": "allow"},
        }
    )
    with pytest.raises(UserError, match="not able to calibrate"):
        calibrated(train(experiment, tmp_path / "run"))
