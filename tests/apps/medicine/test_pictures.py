from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from apps.medicine.diagnosing.labels import present_among
from apps.medicine.pictures import Finding, MedicalPictures
from apps.medicine.sources.reading import read_pictures
from core.errors import UserError
from core.experiment import load_experiment
from core.reporting import report_runs
from core.run import Run
from core.training.train import train
from tests.small_data import patients

RANDOM = np.random.default_rng(0)


def archive(path, num: int = 40, **others: np.ndarray):
    """Write a file of MedMNIST whose pictures of class 1 have a light spot."""
    arrays = {}
    for part in ("train", "val", "test"):
        labels = np.arange(num) % 2
        images = RANDOM.integers(0, 80, (num, 16, 16), np.uint8)
        images[labels == 1, 4:12, 4:12] += 150
        arrays |= {f"{part}_images": images, f"{part}_labels": labels[:, None]}
    np.savez(path, allow_pickle=False, **{**arrays, **others})
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("medical")
    settings = [
        f"data={archive(folder / 'spots.npz')}",
        "label_names={0: normal, 1: ill}",
        "finding=ill",
        "recall=0.9",
        "abstain_below=0.6",
        "width=4",
        "fit.epochs=6",
        "fit.batch_size=10",
        "fit.tensorboard=false",
        "fit.jit_compile=false",
    ]
    return train(load_experiment("medicine/pictures", settings), folder / "run")


def table(tmp_path, rows: list[str], head: str = "file,label,patient,split"):
    """Write a table, and a picture for each file that it names."""
    for row in rows:
        name = row.split(",")[0]
        pixels = RANDOM.integers(0, 256, (12, 12), np.uint8)
        Image.fromarray(pixels).save(tmp_path / (name if "." in name else f"{name}.png"))
    (tmp_path / "table.csv").write_text("\n".join([head, *rows]) + "\n")
    return tmp_path / "table.csv"


def test_official_parts_of_medmnist_stay_as_they_are(run):
    assert run.metrics["protocol"].startswith("test part as published, validation part as published")
    assert run.metrics["data"]["test"] == 40
    assert run.encoder.labels == ["normal", "ill"]
    assert list(run.metrics["baseline"]) == ["logistic regression on pixels", "random forest on pixels"]


def test_a_training_ends_with_a_threshold_for_the_stated_recall_which_answers_use(run):
    calibration = run.calibration
    assert calibration is not None
    assert (calibration.label, calibration.abstain_below) == ("ill", 0.6)
    decision = calibration.validation["decision"]
    assert decision["recall_low"] <= decision["recall"] <= decision["recall_high"]
    assert decision["recall"] >= 0.9
    spotted = np.full((16, 16, 1), 40, np.uint8)
    spotted[4:12, 4:12] = 190
    answers = run.experiment.task.predict(run.model, run.encoder, [spotted])
    said = "ill" if answers[0]["probabilities"]["ill"] >= calibration.threshold else "normal"
    assert answers[0]["label"] == said
    assert "abstained" in answers[0]


def test_figures_tell_recall_and_specificity_at_the_threshold(run):
    assert {"auc", "accuracy", "recall", "specificity"} <= run.metrics["test"].keys()


def test_report_and_card_say_that_it_is_no_medical_device_and_show_the_decision(run):
    page = report_runs([run]).read_text(encoding="utf-8")
    card = (run.folder / "card.md").read_text(encoding="utf-8")
    assert "No medical device" in page
    assert "No medical device" in card
    assert "Decision curve" in page
    point = json.loads((run.folder / "report" / "figures.json").read_text())["details"]["operating_point"]
    assert point["found"] + point["missed"] == 20


def test_each_patient_is_in_one_part(tmp_path):
    splits = Finding(data=str(patients(tmp_path)), test=0.3, validation=0.2).load()
    parts = [set(part["patient"].tolist()) for part in (splits.train, splits.validation, splits.test)]
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts)) == 30
    assert "by hash of patient" in splits.protocol


def test_patients_in_several_published_parts_are_refused(tmp_path):
    source = table(tmp_path, ["a.png,x,ann,train", "b.png,y,bob,train", "c.png,x,ann,test"])
    with pytest.raises(
        UserError, match=r"same_patients=true.*Received: 1 patient in test and train, such as ann"
    ):
        Finding(data=str(source)).load()
    assert len(Finding(data=str(source), same_patients=True).load().test) == 1


def test_age_is_a_number_and_files_may_be_named_without_their_ending(tmp_path):
    source = table(tmp_path, ["a,nv,40,f", "b,mel,7,m"], head="image_id,dx,age,sex")
    parts, _ = read_pictures(source)
    assert parts["train"]["age"].tolist() == [40.0, 7.0]
    assert parts["train"]["label"].tolist() == ["nv", "mel"]
    assert parts["train"]["sex"].tolist() == ["f", "m"]


def test_names_of_files_may_say_class_and_patient(tmp_path):
    for name in ("ill_ann_1", "well_bob_1", "ill_ann_2"):
        Image.fromarray(RANDOM.integers(0, 256, (8, 8), np.uint8)).save(tmp_path / f"{name}.png")
    parts, _ = read_pictures(tmp_path, names="{label}_{patient}_{take}")
    assert parts["train"]["patient"].tolist() == ["ann", "ann", "bob"]


def test_pictures_of_16_bits_are_brought_to_8_by_the_levels_of_training(tmp_path):
    for name, value in (("ill", 4000), ("well", 100)):
        (tmp_path / name).mkdir()
        for row in range(2):
            Image.fromarray(np.full((8, 8), value + row, np.uint16)).save(tmp_path / name / f"{row}.png")
    parts, notes = read_pictures(tmp_path)
    assert parts["train"]["image"][:, 0, 0, 0].tolist() == [250, 250, 6, 6]
    assert "0 to 4095" in notes[0]


def test_what_is_looked_for_is_one_of_several_classes(tmp_path):
    source = table(tmp_path, [f"{row}.png,{'abc'[row % 3]}" for row in range(9)], head="file,label")
    task = Finding(data=str(source), finding="b")
    assert task.encode(task.load().train).labels == ["other", "b"]
    plain = Finding(data=str(source))
    with pytest.raises(UserError, match="say with finding= which is looked for"):
        plain.encode(plain.load().train)
    with pytest.raises(UserError, match="finding must be a label"):
        Finding(data=str(source), finding="d").load()


@pytest.mark.parametrize(("labels", "finding"), [("ill well", "ill"), ("0 1", "1"), ("healthy torn", "torn")])
def test_what_is_looked_for_is_the_label_beside_the_one_of_nothing(labels, finding):
    assert present_among(labels.split()) == finding


@pytest.mark.parametrize("labels", ["left right", "benign healthy"])
def test_what_is_looked_for_is_asked_for_where_it_can_not_be_known(labels):
    with pytest.raises(UserError, match="Say with finding= which"):
        present_among(labels.split())


def test_without_data_a_line_says_what_to_give():
    with pytest.raises(UserError, match="no sample of medical pictures: give data=PATH"):
        MedicalPictures().load()


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"train_labels": np.zeros((40, 14), np.uint8)}, "one label a picture"),
        ({"train_images": np.zeros((40, 8, 8, 8), np.uint8)}, "no volumes"),
        ({"train_images": np.zeros((40, 8, 8), np.float32)}, "of 8 bits"),
    ],
)
def test_an_archive_of_something_else_is_refused_in_one_line(tmp_path, others, said):
    with pytest.raises(UserError, match=said) as caught:
        read_pictures(archive(tmp_path / "other.npz", **others))
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_is_refused_by_name(tmp_path):
    path = archive(tmp_path / "cut.npz")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"cut\.npz can't be read"):
        read_pictures(path)
    np.savez(tmp_path / "empty.npz", a=np.zeros(1))
    with pytest.raises(UserError, match="has no train_images"):
        read_pictures(tmp_path / "empty.npz")
