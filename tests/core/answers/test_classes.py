from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from core.answers.calibration import Calibration
from core.answers.classes import Classes
from core.answers.classes.figures import figures_of

LABELS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def answers() -> Classes:
    random = np.random.default_rng(0)
    targets = random.integers(0, 3, 400)
    probabilities = random.dirichlet([0.5, 0.5, 0.5], 400)
    probabilities[np.arange(400), targets] += 0.6
    return Classes(LABELS, targets, probabilities / probabilities.sum(axis=1, keepdims=True))


def test_the_figures_are_those_that_a_run_is_judged_by(answers):
    expected = figures_of(answers.targets, answers.probabilities, LABELS)
    statistics = answers.statistics(np.arange(len(answers)))
    assert statistics == pytest.approx(expected, abs=1e-6)


def test_figures_of_repeated_rows_count_them_as_often(answers):
    rows = np.array([3, 3, 7, 7, 7, 9])
    expected = figures_of(answers.targets[rows], answers.probabilities[rows], LABELS)
    assert answers.statistics(rows) == pytest.approx(expected, abs=1e-6)


def test_rows_of_a_run_are_read_back_as_they_were_written(answers):
    read = Classes.from_rows(answers.row(place) for place in range(len(answers)))
    np.testing.assert_array_equal(read.targets, answers.targets)
    np.testing.assert_allclose(read.probabilities, answers.probabilities, atol=1e-5)
    assert read.labels == LABELS


def test_the_class_table_is_that_of_scikit_learn(answers):
    table = answers.details()["per_class"]
    expected = metrics.classification_report(
        answers.targets, answers.answers, target_names=LABELS, output_dict=True
    )
    for label in LABELS:
        assert table[label]["precision"] == pytest.approx(expected[label]["precision"])
        assert table[label]["recall"] == pytest.approx(expected[label]["recall"])
        assert table[label]["f1"] == pytest.approx(expected[label]["f1-score"])
        assert table[label]["support"] == expected[label]["support"]


def test_the_area_under_a_drawn_roc_curve_is_near_its_auc(answers):
    details = answers.details()
    for label, curves in details["curves"].items():
        drawn = np.trapezoid(curves["roc"]["y"], curves["roc"]["x"])
        assert drawn == pytest.approx(details["per_class"][label]["auc"], abs=0.01)


def test_of_two_classes_one_has_a_curve():
    answers = Classes(["no", "yes"], np.array([0, 1, 1]), np.array([[0.8, 0.2], [0.1, 0.9], [0.6, 0.4]]))
    assert list(answers.details()["curves"]) == ["yes"]


def test_a_class_without_examples_has_no_recall_and_no_curve():
    answers = Classes(LABELS, np.array([0, 1, 1]), np.eye(3)[[0, 1, 0]])
    details = answers.details()
    assert details["per_class"]["c"]["recall"] is None
    assert "c" not in details["curves"]


def test_confusions_count_both_ways():
    answers = Classes(LABELS, np.array([0, 0, 1, 2]), np.eye(3)[[1, 1, 0, 2]])
    (pair,) = answers.details()["confused"]
    assert (pair["first"], pair["second"]) == ("a", "b")
    assert (pair["first_as_second"], pair["second_as_first"], pair["count"]) == (2, 1, 3)


def test_the_worst_mistakes_are_the_surest_wrong_answers():
    answers = Classes(
        ["a", "b"], np.array([0, 0, 0, 1]), np.array([[0.4, 0.6], [0.9, 0.1], [0.1, 0.9], [0.3, 0.7]])
    )
    assert answers.mistakes(5).tolist() == [2, 0]


def test_the_calibration_error_of_the_curve_is_that_of_the_figures(answers):
    expected = answers.statistics(np.arange(len(answers)))["calibration_error"]
    assert answers.reliability()["calibration_error"] == pytest.approx(expected)


def test_the_risk_at_full_coverage_is_the_error_rate(answers):
    curve = answers.risk_coverage()
    assert curve["coverage"][-1] == 1
    assert curve["risk"][-1] == pytest.approx(1 - answers.right.mean())


def test_the_risk_of_the_surest_is_worked_out_by_hand():
    answers = Classes(
        ["a", "b"], np.array([0, 1, 0, 0]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    )
    assert answers.risk_coverage()["risk"] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])
    assert answers.risk_coverage()["area"] == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_a_calibrated_run_shows_what_its_decisions_do(answers):
    calibration = Calibration(temperature=2.0, label="b", threshold=0.2, abstain_below=0.5)
    decided = answers.details(calibration)["decided"]
    tempered = calibration.tempered(answers.probabilities)
    said = tempered[:, 1] >= 0.2
    assert decided["recall"] == pytest.approx(said[answers.targets == 1].mean())
    assert decided["precision"] == pytest.approx((answers.targets == 1)[said].mean())
    assert decided["answered"] == pytest.approx((tempered.max(axis=1) >= 0.5).mean())


def finding_titles(answers: Classes) -> list[str]:
    tree = {
        "details": answers.details(),
        "mean_loss": float(answers.losses.mean()),
        "calibration": None,
    }
    return [finding.title for finding in Classes.findings(tree)]


def one_hot(targets: list[int], said: list[int], confidence: float = 0.85) -> Classes:
    rest = (1 - confidence) / 2
    return Classes(LABELS, np.array(targets), np.eye(3)[said] * (confidence - rest) + rest)


def test_the_weakest_class_is_named_with_what_it_is_taken_for():
    targets = [0] * 50 + [1] * 50 + [2] * 50
    said = [0] * 50 + [1] * 50 + [2] * 20 + [1] * 30
    assert "“c” is recognised worst, and mostly taken for “b”" in finding_titles(one_hot(targets, said))


def test_a_class_that_is_weakest_by_chance_is_not_named():
    targets = [0] * 50 + [1] * 50 + [2] * 50
    said = [0] * 48 + [1] * 2 + [1] * 47 + [2] * 3 + [2] * 46 + [0] * 4
    assert not any("recognised worst" in title for title in finding_titles(one_hot(targets, said)))


def test_two_classes_that_are_taken_for_each_other_are_named():
    targets = [0] * 50 + [1] * 50 + [2] * 50
    said = [0] * 40 + [1] * 10 + [1] * 40 + [0] * 10 + [2] * 50
    assert "“a” and “b” are taken for each other" in finding_titles(one_hot(targets, said))


def test_a_model_that_is_too_sure_is_reported():
    targets, said = [0] * 60 + [1] * 40, [0] * 100
    assert "The model is surer than it is right" in finding_titles(one_hot(targets, said, confidence=0.99))


def test_a_few_answers_of_a_calibrated_model_are_not_called_miscalibrated():
    titles = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        confidence = random.uniform(0.5, 1, 60)
        right = random.random(60) < confidence
        probabilities = np.stack([confidence, 1 - confidence], axis=1)
        answers = Classes(["a", "b"], np.where(right, 0, 1), probabilities)
        assert answers.reliability()["calibration_error"] > 0.02
        titles += [title for title in finding_titles(answers) if title.startswith("The model is")]
    assert len(titles) <= 4


def test_the_error_that_chance_makes_is_that_of_calibrated_answers_drawn_at_random():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, 300)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    drawn = [
        Classes(["a", "b"], np.where(random.random(300) < confidence, 0, 1), probabilities).reliability()
        for _ in range(200)
    ]
    mean = np.mean([each["calibration_error"] for each in drawn])
    assert drawn[0]["expected_by_chance"] == pytest.approx(mean, rel=0.1)


def test_a_model_without_mistakes_has_nothing_to_mend():
    assert finding_titles(one_hot([0, 1, 2] * 20, [0, 1, 2] * 20, confidence=0.995)) == []
