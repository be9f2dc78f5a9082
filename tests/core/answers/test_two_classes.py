import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from core.answers.two_classes import TwoClasses, figures_of

LABELS = ["no", "click"]


@pytest.fixture(scope="module")
def answers() -> TwoClasses:
    random = np.random.default_rng(0)
    likely = random.beta(1, 9, 2000).round(2)
    targets = (random.random(2000) < likely).astype(int)
    return TwoClasses(LABELS, targets, np.stack([1 - likely, likely], axis=1))


def test_the_area_and_the_loss_are_those_of_scikit_learn_ties_and_repeated_rows_included(answers):
    rows = np.random.default_rng(1).integers(0, 2000, 2000)
    figures = answers.statistics(rows)
    targets, likely = answers.targets[rows], answers.likely[rows]
    assert figures["auc"] == pytest.approx(roc_auc_score(targets, likely))
    assert figures["log_loss"] == pytest.approx(log_loss(targets, np.clip(likely, 1e-12, 1 - 1e-12)))


def test_the_entropy_of_answers_that_say_the_rate_of_all_is_one():
    targets = np.array([1, 0, 0, 0])
    figures = figures_of(targets, np.full((4, 2), [0.75, 0.25]), LABELS)
    assert figures["normalised_entropy"] == pytest.approx(1.0)
    assert figures["calibration_error"] == pytest.approx(0.0)
    assert figures["auc"] == 0.5


def test_answers_that_say_twice_the_rate_are_off_by_the_rate():
    targets = np.array([1, 0, 0, 0])
    assert figures_of(targets, np.full((4, 2), [0.5, 0.5]), LABELS)["calibration_error"] == pytest.approx(
        0.25
    )


def test_rows_that_are_all_alike_have_an_area_that_says_nothing(answers):
    rows = np.flatnonzero(answers.targets == 0)
    assert answers.statistics(rows)["auc"] == 0.5


def test_probabilities_that_are_true_show_no_more_error_than_chance_makes(answers):
    reliability = answers.reliability()
    assert reliability["calibration_error"] < 2 * reliability["expected_by_chance"]
    assert sum(reliability["count"]) == len(answers)


def test_among_all_examples_lies_all_that_happened_and_more_than_its_share_among_the_likeliest(answers):
    gain = answers.gain()
    assert gain["y"][-1] == 1.0
    assert all(row["lift"] > 1 for row in gain["told"])


def test_the_rows_that_are_written_are_read_back(answers):
    rows: list[dict] = []
    figures = figures_of(answers.targets, answers.probabilities, LABELS, rows.append)
    again = TwoClasses.from_rows(rows)
    assert again.statistics(np.arange(len(again)))["auc"] == pytest.approx(figures["auc"], abs=1e-5)
    assert answers.said(rows[0]).startswith("true no; click said with probability ")


def test_three_classes_are_no_such_answers():
    with pytest.raises(KeyError, match="two classes"):
        TwoClasses(["a", "b", "c"], np.array([0]), np.full((1, 3), 1 / 3))


def test_a_report_draws_curves_gain_and_calibration(answers):
    tree = {"details": answers.details(), "calibration": None}
    assert all(TwoClasses.pictures(tree).values())


def test_probabilities_that_mislead_are_found():
    random = np.random.default_rng(0)
    likely = random.uniform(0.2, 0.8, 2000)
    targets = (random.random(2000) < likely / 3).astype(int)
    misled = TwoClasses(LABELS, targets, np.stack([1 - likely, likely], axis=1))
    titles = [each.title for each in TwoClasses.findings({"details": misled.details(), "calibration": None})]
    assert titles == ["Probabilities are not what they say"]
