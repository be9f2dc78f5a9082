import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

from core.answers.calibration import Calibration
from core.answers.diagnoses import Diagnoses, figures_of
from core.answers.diagnoses.diagnoses import shares_found

LABELS = ["well", "ill"]


@pytest.fixture(scope="module")
def answers() -> Diagnoses:
    random = np.random.default_rng(0)
    likely = random.beta(1, 2, 1000)
    targets = (random.random(1000) < likely).astype(int)
    return Diagnoses(LABELS, targets, np.stack([1 - likely, likely], axis=1))


def test_the_figures_are_those_of_scikit_learn(answers):
    figures = figures_of(answers.targets, answers.probabilities, LABELS)
    assert figures["auc"] == pytest.approx(roc_auc_score(answers.targets, answers.likely))
    assert figures["accuracy"] == pytest.approx(accuracy_score(answers.targets, answers.likely > 0.5))


def test_the_operating_point_is_that_of_the_threshold(answers):
    calibration = Calibration(label="ill", threshold=0.2, validation={"asked": {"recall": 0.9}})
    point = answers.operating_point(calibration)
    said = answers.likely >= 0.2
    assert (point["threshold"], point["asked_recall"]) == (0.2, 0.9)
    assert point["recall"]["value"] == pytest.approx(recall_score(answers.targets, said))
    assert point["specificity"]["value"] == pytest.approx(recall_score(1 - answers.targets, ~said))
    assert point["recall"]["low"] < point["recall"]["value"] < point["recall"]["high"]


def test_a_group_of_people_is_told_by_what_the_threshold_finds_and_clears_among_them(answers):
    rows = np.arange(100)
    told = answers.told_of(rows, Calibration(label="ill", threshold=0.2))
    targets, said = answers.targets[rows], answers.likely[rows] >= 0.2
    assert told["recall"]["value"] == pytest.approx(recall_score(targets, said))
    assert told["specificity"]["value"] == pytest.approx(recall_score(1 - targets, ~said))
    assert told["auc"]["value"] == pytest.approx(roc_auc_score(targets, answers.likely[rows]))
    well = answers.told_of(np.flatnonzero(answers.targets == 0))
    assert well["auc"]["value"] is None
    assert well["recall"]["value"] is None


def test_a_share_of_nobody_is_not_told():
    found = shares_found(np.array([False, False]), np.array([True, False]))
    assert found["recall"] == {"value": None, "low": None, "high": None}
    assert found["specificity"]["value"] == 0.5


def test_net_benefit_is_what_is_found_less_false_alarms_at_the_odds_of_the_threshold():
    likely = np.array([0.9, 0.3, 0.6, 0.1])
    answers = Diagnoses(LABELS, np.array([1, 1, 0, 0]), np.stack([1 - likely, likely], axis=1))
    curve = answers.decision_curve()
    quarter, fifths = (np.round(curve["threshold"], 2).tolist().index(at) for at in (0.25, 0.8))
    assert curve["model"][quarter] == pytest.approx(2 / 4 - 1 / 4 / 3)
    assert curve["all"][quarter] == pytest.approx(2 / 4 - 2 / 4 / 3)
    assert curve["model"][fifths] == pytest.approx(1 / 4)
    assert curve["all"][fifths] == pytest.approx(2 / 4 - 2 / 4 * 4)


def test_a_threshold_that_finds_fewer_than_it_was_chosen_for_is_told(answers):
    calibration = Calibration(label="ill", threshold=0.6, validation={"asked": {"recall": 0.95}})
    details = answers.details(calibration)
    titles = [each.title for each in Diagnoses.findings({"details": details, "calibration": {}})]
    assert "The threshold finds fewer “ill” than it was chosen for" in titles
    details = answers.details(
        Calibration(label="ill", threshold=0.01, validation={"asked": {"recall": 0.95}})
    )
    titles = [each.title for each in Diagnoses.findings({"details": details, "calibration": {}})]
    assert not any("fewer" in title for title in titles)


def test_the_decision_curve_is_among_the_pictures(answers):
    tree = {"details": answers.details(), "calibration": None}
    assert Diagnoses.pictures(tree)["decision_curve"]
