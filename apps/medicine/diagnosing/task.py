"""Tasks of medicine: those that name classes, and those that say how likely somebody has something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from apps.medicine.diagnosing.labels import found_or_other, present_among, renamed
from core.answers.classes.figures import EVALUATION_BATCH
from core.answers.classes.figures import figures_of as figures_of_classes
from core.answers.diagnoses import Diagnoses, figures_of
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.errors import UserError
from core.task.classification import Classification, LabelEncoder

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples, Splits
    from core.task.portable import Portable, Score

NO_DEVICE = "No medical device: nobody has cleared it for diagnosis, and no treatment may rest on it"


class Medical(Classification):
    """A classification whose labels have names that people read, and that may abstain."""

    limits: ClassVar[Sequence[str]] = (NO_DEVICE,)

    label_column: str | None = Field(
        None, description="column of labels of a table; by default label, class, finding, diagnosis or dx"
    )
    label_names: dict[str, str] = Field(
        {},
        description="what labels mean, such as {0: normal, 1: pneumonia}; several may mean the same; by "
        "default they stay",
    )
    abstain_below: float | None = Field(
        None, gt=0, le=1, description="mark an answer whose probability is below this as abstained"
    )

    def relabelled(self, parts: Mapping[str, Examples]) -> dict[str, Examples]:
        """Return the parts of a source with labels by the names that they are given."""
        return {part: renamed(examples, self.label_names) for part, examples in parts.items()}

    def calibration_asked(self, encoder: Any) -> Mapping[str, Any]:
        """Return that confidence is calibrated, and from where on an answer abstains."""
        return {"abstain_below": self.abstain_below}

    def figures_of_rival(
        self, targets: np.ndarray, probabilities: np.ndarray, labels: Sequence[str], write: Write | None
    ) -> Figures:
        """Return the figures that `evaluate` does, from the probabilities of a rival."""
        return figures_of_classes(targets, probabilities, labels, write)


class Diagnosing(Medical):
    """A task that says how likely somebody has what is looked for, by a threshold that finds most of them."""

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
        return named if self.finding is None else found_or_other(named, self.finding)

    def in_order(self, labels: Sequence[str], source: str) -> list[str]:
        """Return two labels, that of the finding last.

        Raises:
            UserError: There are more, or it can't be known which is looked for.
        """
        if len(labels) > 2:
            raise UserError(
                f"{source} has more than two labels: say with finding= which is looked for, or give several "
                f"the same name by label_names=. Received: {', '.join(labels[:12])}."
            )
        finding = self.finding or present_among(labels)
        (other,) = (label for label in labels if label != finding)
        return [other, finding]

    def left_out(self, splits: Splits, encoder: Any) -> Sequence[str]:
        """Return what is looked for, where nobody said it."""
        if self.finding is not None:
            return ()
        return (f"{encoder.labels[1]!r} is taken for the finding; another is looked for by finding=",)

    def metrics(self, encoder: Any) -> list[keras.metrics.Metric]:
        """Return the accuracy, and the log loss without what smooths labels or punishes weights."""
        import keras

        return [
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.CategoricalCrossentropy(name="log_loss", from_logits=True),
        ]

    def calibration_asked(self, encoder: Any) -> Mapping[str, Any]:
        """Return that confidence is calibrated, and a threshold chosen by recall."""
        asked = super().calibration_asked(encoder)
        return asked if self.recall is None else {**asked, "label": encoder.labels[1], "recall": self.recall}

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
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


def judged_by_diagnoses(portable: Portable, encoder: LabelEncoder) -> Portable:
    """Return what leaves with a classification, judged by the figures of diagnoses.

    Args:
        portable: As `portable_classification` makes it.
        encoder: Of the labels.
    """

    def figures(score: Score, examples: Examples) -> Figures:
        inputs, targets = portable.raw(examples), encoder.ids(examples["label"], examples.source)
        starts = range(0, len(inputs), EVALUATION_BATCH)
        blocks = [score(inputs[start : start + EVALUATION_BATCH]) for start in starts]
        return figures_of(targets, np.concatenate(blocks).astype(np.float64), encoder.labels)

    return replace(portable, figures=figures)


def _at_threshold(encoder: LabelEncoder, targets: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return recall and specificity of what the threshold says, which was chosen on the validation part."""
    calibration = encoder.calibration
    assert calibration is not None
    answers = Diagnoses(encoder.labels, targets, calibration.tempered(probabilities))
    point = answers.operating_point(calibration)
    shares = {name: point[name]["value"] for name in ("recall", "specificity")}
    return {name: share for name, share in shares.items() if share is not None}
