"""Medical pictures: how likely one shows what is looked for, with a threshold that finds most who have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from core.answers.classes.figures import EVALUATION_BATCH
from core.answers.classes.figures import figures_of as figures_of_classes
from core.answers.diagnoses import Diagnoses, figures_of
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.data.picture_levels import Levels
from core.errors import UserError
from core.pictures.classification import PictureClassifier, PictureEncoder
from core.wording import counted

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples, Splits
    from core.task.portable import Portable, Score

PATIENT = "patient"
# What says of a picture that nothing is to be seen in it.
ABSENT = (
    *("normal", "healthy", "well", "benign", "negative", "none", "nothing", "absent", "control", "clear"),
    *("no", "no finding", "no_finding", "false", "n", "0", "-"),
)
OTHERS = "other"  # the class of all that is not looked for, where that is several classes
NO_DEVICE = "No medical device: nobody has cleared it for diagnosis, and no treatment may rest on it"


class MedicalPictures(PictureClassifier):
    """Names which of several classes a medical picture shows; it is no medical device.

    Where the source says whom a picture shows, nobody is seen both in training and in test.

    Example:

    ```
    quartet train medicine/pictures_classes data=dermamnist.npz
    ```
    """

    limits: ClassVar[Sequence[str]] = (NO_DEVICE,)

    label_column: str | None = Field(
        None, description="column of labels of a table; by default label, class, finding, diagnosis or dx"
    )
    names: str | None = Field(
        None, description="what the names of files in a folder say, such as {label}_{patient}"
    )
    label_names: dict[str, str] = Field(
        {},
        description="what labels mean, such as {0: normal, 1: pneumonia}; by default they stay",
    )
    same_patients: bool = Field(
        False, description="take parts as published though patients stand in several of them"
    )
    abstain_below: float | None = Field(
        None, gt=0, le=1, description="mark an answer whose probability is below this as abstained"
    )

    def load(self) -> Splits:
        """Return the pictures in their parts, each patient in one of them."""
        from apps.medicine.sources.reading import read_pictures
        from core.data.tables import existing

        if self.data == "sample":
            raise UserError(
                "There is no sample of medical pictures: give data=PATH, a .npz of MedMNIST, a table that "
                "names picture files, or a folder with one for each class. Received: data=sample."
            )
        parts, notes = read_pictures(
            existing(self.data),
            names=self.names,
            label_column=self.label_column,
            size=self.size,
            channels=self.channels,
            levels=None if self.levels is None else Levels(*self.levels),
            skip_bad=self.skip_bad,
        )
        self._require_different_patients(parts)
        parts = self.relabelled(parts)
        by_patient = PATIENT in parts["train"] and not (self.split_group or self.split_time)
        task = self.model_copy(update={"split_group": PATIENT}) if by_patient else self
        return task.divided(parts, notes)

    def _require_different_patients(self, parts: Mapping[str, Examples]) -> None:
        if self.same_patients:
            return
        seen: dict[str, str] = {}
        for part, examples in parts.items():
            if PATIENT not in examples:
                continue
            patients = set(examples[PATIENT].tolist())
            both = sorted(patients & seen.keys())
            if both:
                raise UserError(
                    "A patient stands in one part alone, or figures flatter: leave out the column of parts, "
                    "or take them as published with same_patients=true. Received: "
                    f"{counted(len(both), 'patient')} in {part} and {seen[both[0]]}, such as {both[0]}."
                )
            seen |= dict.fromkeys(patients, part)

    def relabelled(self, parts: Mapping[str, Examples]) -> dict[str, Examples]:
        """Return the parts of a source with labels by the names that they are given."""
        return {part: self._renamed(examples) for part, examples in parts.items()}

    def _renamed(self, examples: Examples) -> Examples:
        if not self.label_names:
            return examples
        strange = sorted(set(examples["label"].tolist()) - self.label_names.keys())
        if strange:
            raise UserError(
                f"label_names must name each label of {examples.source}. Received: no name for "
                f"{', '.join(strange[:8])}."
            )
        return examples.with_columns(label=[self.label_names[label] for label in examples["label"]])

    def slices(self, splits: Splits, encoder: PictureEncoder) -> dict[str, np.ndarray]:
        """Return what reports tell pictures apart by, such as age and sex, but not who is who."""
        columns = super().slices(splits, encoder)
        return {name: column for name, column in columns.items() if name.split()[-1] not in (PATIENT, "path")}

    def calibration_asked(self, encoder: PictureEncoder) -> Mapping[str, Any]:
        """Return that confidence is calibrated, and from where on an answer abstains."""
        return {"abstain_below": self.abstain_below}

    def baseline(
        self, encoder: PictureEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of a logistic regression and of a random forest on the pixels."""
        from apps.medicine.rivals import rival_probabilities

        train, test = (self.features(part, encoder) for part in (splits.train, splits.test))
        targets = encoder.ids(splits.train["label"], splits.train.source)
        truth = encoder.ids(splits.test["label"], splits.test.source)
        return {
            name: self.figures_of_rival(truth, probabilities, encoder.labels, written_by(name, write))
            for name, probabilities in rival_probabilities(train, targets, test, len(encoder.labels))
        }

    def figures_of_rival(
        self, targets: np.ndarray, probabilities: np.ndarray, labels: Sequence[str], write: Write | None
    ) -> Figures:
        """Return the figures that `evaluate` does, from the probabilities of a rival."""
        return figures_of_classes(targets, probabilities, labels, write)


class Finding(MedicalPictures):
    """Says how likely a medical picture shows what is looked for; it is no medical device.

    It finds at least a stated share of those who have it, on the validation part, by a threshold of its own.
    Where the source says whom a picture shows, nobody is seen both in training and in test.

    Example:

    ```
    quartet train medicine/pictures data=pneumoniamnist.npz 'label_names={0: normal, 1: pneumonia}'
    ```
    """

    gives: ClassVar[type[Answers] | None] = Diagnoses
    figures: ClassVar[Mapping[str, Direction]] = Diagnoses.figures
    objective: ClassVar[str] = "val_log_loss"
    direction: ClassVar[Direction] = "min"

    finding: str | None = Field(
        None,
        description="label that is looked for; all others are one class; by default that beside normal, "
        "healthy, benign, negative, no or 0",
    )
    recall: float | None = Field(
        0.95,
        gt=0,
        le=1,
        description="share of those with the finding that the threshold is to find on the validation part",
    )

    def relabelled(self, parts: Mapping[str, Examples]) -> dict[str, Examples]:
        """Return the parts of a source with the labels of the finding and of its absence."""
        named = super().relabelled(parts)
        if self.finding is None:
            return named
        labels = sorted(set(named["train"]["label"].tolist()))
        if self.finding not in labels:
            raise UserError(
                f"finding must be a label of {named['train'].source}, which are {', '.join(labels[:12])}. "
                f"Received: {self.finding!r}."
            )
        if len(labels) == 2:
            return named
        return {
            part: examples.with_columns(
                label=[label if label == self.finding else OTHERS for label in examples["label"].tolist()]
            )
            for part, examples in named.items()
        }

    def encode(self, train: Examples) -> PictureEncoder:
        """Return the two classes, that of the finding last, and the statistics of the training pictures."""
        encoder = super().encode(train)
        if len(encoder.labels) > 2:
            raise UserError(
                f"{train.source} has more than two labels: say with finding= which is looked for, or name "
                f"all by medicine/pictures_classes. Received: {', '.join(encoder.labels[:12])}."
            )
        finding = self.finding or present_among(encoder.labels)
        (other,) = (label for label in encoder.labels if label != finding)
        return encoder.model_copy(update={"labels": [other, finding]})

    def left_out(self, splits: Splits, encoder: PictureEncoder) -> Sequence[str]:
        """Return what is looked for, where nobody said it."""
        if self.finding is not None:
            return ()
        return (f"{encoder.labels[1]!r} is taken for the finding; another is looked for by finding=",)

    def metrics(self, encoder: PictureEncoder) -> list[keras.metrics.Metric]:
        """Return the accuracy, and the log loss without what smooths labels."""
        import keras

        return [
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.CategoricalCrossentropy(name="log_loss", from_logits=True),
        ]

    def calibration_asked(self, encoder: PictureEncoder) -> Mapping[str, Any]:
        """Return that confidence is calibrated, and a threshold chosen by recall."""
        asked = super().calibration_asked(encoder)
        return asked if self.recall is None else {**asked, "label": encoder.labels[1], "recall": self.recall}

    def evaluate(
        self, model: keras.Model, encoder: PictureEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return AUC, accuracy, log loss and calibration error, and what the threshold finds and clears."""
        targets = encoder.ids(examples["label"], examples.source)
        probabilities = self.probabilities(model, encoder, examples)
        figures = figures_of(targets, probabilities, encoder.labels, write)
        if encoder.calibration is None or encoder.calibration.label is None:
            return figures
        return {**figures, **_at_threshold(encoder, targets, probabilities)}

    def figures_of_rival(
        self, targets: np.ndarray, probabilities: np.ndarray, labels: Sequence[str], write: Write | None
    ) -> Figures:
        """Return the figures that `evaluate` does, from the probabilities of a rival."""
        return figures_of(targets, probabilities, labels, write)

    def portable(self, model: keras.Model, encoder: PictureEncoder) -> Portable:
        """Return the graph from raw pictures to probabilities, judged by the same figures."""
        portable = super().portable(model, encoder)

        def figures(score: Score, examples: Examples) -> Figures:
            inputs, targets = portable.raw(examples), encoder.ids(examples["label"], examples.source)
            starts = range(0, len(inputs), EVALUATION_BATCH)
            blocks = [score(inputs[start : start + EVALUATION_BATCH]) for start in starts]
            return figures_of(targets, np.concatenate(blocks).astype(np.float64), encoder.labels)

        return replace(portable, figures=figures)


def present_among(labels: Sequence[str]) -> str:
    """Return which of two labels means that something is there, as the other one means that nothing is.

    Raises:
        UserError: It can't be known.

    Example:

    >>> present_among(["normal", "abnormal"])
    'abnormal'
    """
    present = [label for label in labels if label.lower() not in ABSENT]
    if len(present) != 1:
        raise UserError(
            f"Say with finding= which of the two labels is looked for. Received: {' and '.join(labels)}."
        )
    return present[0]


def _at_threshold(
    encoder: PictureEncoder, targets: np.ndarray, probabilities: np.ndarray
) -> dict[str, float]:
    """Return recall and specificity of what the threshold says, which was chosen on the validation part."""
    calibration = encoder.calibration
    assert calibration is not None
    answers = Diagnoses(encoder.labels, targets, calibration.tempered(probabilities))
    point = answers.operating_point(calibration)
    shares = {name: point[name]["value"] for name in ("recall", "specificity")}
    return {name: share for name, share in shares.items() if share is not None}
