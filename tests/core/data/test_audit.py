from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.data import audit
from core.data.audit import Audit, AuditReport
from core.data.examples import Examples, Ragged, Splits
from core.errors import UserError


def audited(splits: Splits, task: Any, settings: Audit) -> tuple[Splits, AuditReport]:
    """Audit what a task of these columns is about to use."""
    skip_bad = getattr(task, "skip_bad", False)
    return audit.audited(splits, settings, task.content, label=task.label, skip_bad=skip_bad)


class Texts:
    content = ("text",)
    label = "label"
    skip_bad = False


class Pictures:
    content = ("image",)
    label = "label"


def splits_of(train: list, test: list, labels: list | None = None) -> Splits:
    return Splits(
        Examples({"text": train, "label": labels or ["x"] * len(train)}),
        Examples(
            {"text": np.zeros(0, np.dtypes.StringDType()), "label": np.zeros(0, np.dtypes.StringDType())}
        ),
        Examples({"text": test, "label": ["x"] * len(test)}),
        protocol="by hand",
    )


LEAKY = splits_of(["a good film", "a bad one", "fine"], ["A good film!", "new"])


def test_a_leak_is_refused_with_an_instance_and_what_to_do():
    with pytest.raises(
        UserError, match=r"1 example of test also stands in train, such as 'A good film!'.*leaks=drop"
    ):
        audited(LEAKY, Texts, Audit())


def test_a_leak_is_dropped_from_train_on_request():
    cleaned, report = audited(LEAKY, Texts, Audit(leaks="drop"))
    assert cleaned.train["text"].tolist() == ["a bad one", "fine"]
    assert len(cleaned.test) == 2
    assert "1 example left out of training that also stands in" in report.done


def test_a_leak_is_kept_and_noted_on_request():
    kept, _ = audited(LEAKY, Texts, Audit(leaks="allow"))
    assert len(kept.train) == 3
    assert any("also stands in train" in note for note in kept.notes)


def kinds(report) -> dict[str, int]:
    return {finding.kind: finding.count for finding in report.findings}


def test_twins_with_another_label_are_counted():
    _, report = audited(splits_of(["same", "same", "other"], ["new"], ["x", "y", "x"]), Texts, Audit())
    assert kinds(report)["training examples have a twin with another label"] == 2


def test_a_text_with_one_word_changed_is_a_near_duplicate():
    words = [f"word{number}" for number in range(40)]
    _, report = audited(splits_of([" ".join(words)], [" ".join([*words[:-1], "changed"])]), Texts, Audit())
    assert kinds(report)["example of test is nearly equal to one of train"] == 1


def test_texts_on_the_same_subject_are_no_near_duplicates():
    _, report = audited(
        splits_of(["the film was very good"], ["the film was very bad and long"]), Texts, Audit()
    )
    assert kinds(report) == {}


def test_empty_and_extreme_texts_are_found():
    usual = [f"a text of usual length, number {row}" for row in range(50)]
    _, report = audited(splits_of([*usual, "", "long " * 20_000], ["new"]), Texts, Audit())
    assert kinds(report) == {
        "example of train is empty": 1,
        "example of train is extremely long or short": 1,
    }


def test_a_picture_with_a_little_noise_is_a_near_duplicate():
    random = np.random.default_rng(0)
    train = random.integers(0, 256, (30, 28, 28, 1), np.uint8)
    noisy = np.clip(train[:1].astype(int) + random.integers(-3, 4, (1, 28, 28, 1)), 0, 255).astype(np.uint8)
    fresh = random.integers(0, 256, (5, 28, 28, 1), np.uint8)
    splits = Splits(
        Examples({"image": train, "label": ["x"] * 30}),
        Examples({"image": train[:0], "label": np.zeros(0, np.dtypes.StringDType())}),
        Examples({"image": np.concatenate([noisy, fresh]), "label": ["x"] * 6}),
        protocol="by hand",
    )
    _, report = audited(splits, Pictures, Audit())
    assert kinds(report) == {"example of test is nearly equal to one of train": 1}


def test_a_wave_of_no_length_is_found():
    class Waves:
        content = ("wave",)
        label = None

    waves = Examples({"wave": Ragged.from_rows([[1, 2, 3], [], [4, 5]], np.int16)})
    splits = Splits(
        waves, waves.take([]), Examples({"wave": Ragged.from_rows([[9, 9]], np.int16)}), protocol="by hand"
    )
    _, report = audited(splits, Waves, Audit())
    assert kinds(report)["example of train is empty"] == 1


def test_a_label_that_training_lacks_is_refused_before_any_training():
    splits = splits_of(["one text"], ["another"], ["y"])
    with pytest.raises(UserError, match=r"labels that training never saw.*Received: x in 1 of test"):
        audited(splits, Texts, Audit())


def test_examples_of_labels_that_training_lacks_are_left_out_and_counted_where_asked_for():
    class Lenient(Texts):
        skip_bad = True

    train = Examples({"text": ["one"], "label": ["x"]})
    test = Examples({"text": ["two", "a third"], "label": ["y", "x"]})
    splits = Splits(train, train.take([]), test, protocol="by hand")
    kept, _ = audited(splits, Lenient, Audit())
    assert kept.test["text"].tolist() == ["a third"]
    assert "1 example of test left out, of labels that training lacks, such as y" in kept.notes


def test_ratings_that_stand_there_twice_are_found():
    class Pairs:
        content = ("user", "item")
        label = None

    train = Examples({"user": ["a", "a", "b"], "item": ["1", "1", "1"]})
    other = Examples({"user": ["c"], "item": ["2"]})
    _, report = audited(Splits(train, other.take([]), other, protocol="by hand"), Pairs, Audit())
    assert kinds(report) == {"training examples stand there more than once": 2}


def test_silent_waves_and_pictures_of_one_colour_are_found():
    class Waves:
        content = ("wave",)
        label = None

    waves = Examples({"wave": Ragged.from_rows([[5, 5, 5], [1, 2], [], [3, 3, 4]], np.int16)})
    other = Examples({"wave": Ragged.from_rows([[1, 2, 3]], np.int16)})
    _, report = audited(Splits(waves, waves.take([]), other, protocol="by hand"), Waves, Audit())
    assert kinds(report)["example of train holds one value throughout"] == 1
    pictures = Examples({"image": np.stack([np.full((4, 4, 1), 9), np.eye(4)[..., None]]).astype(np.uint8)})
    other = Examples({"image": np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)})
    splits = Splits(pictures, pictures.take([]), other, protocol="by hand")
    _, report = audited(splits, Pictures, Audit())
    assert kinds(report) == {"example of train holds one value throughout": 1}


def test_the_length_of_an_id_is_no_flaw():
    class Pairs:
        content = ("user", "item")
        label = None

    ids = Examples({"user": [*"abcdefgh", "a" * 60], "item": [*"12345678", "9"]})
    splits = Splits(ids, ids.take([]), Examples({"user": ["z"], "item": ["1"]}), protocol="by hand")
    _, report = audited(splits, Pairs, Audit())
    assert not report.findings
