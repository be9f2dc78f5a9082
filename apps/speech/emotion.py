"""Emotion: which of some feelings a recording is spoken with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.speech.commands import Commands, CommandsEncoder
from core.answers.classes import EqualClasses
from core.answers.classes.figures import figures_of
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.errors import UserError

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples, Splits
    from core.task.portable import Portable

SPEAKER = "speaker"

FIGURE = "unweighted_average_recall"


class Emotion(Commands):
    """Names the feeling that a recording is spoken with, out of those it was trained on.

    Where recordings say who speaks, nobody is heard both in training and in test, if nothing else is asked
    for; and feelings count alike, however rare they are. The sample has no feelings but manners: synthetic
    voices that speak drowsily, flatly, hurriedly and in a lively way.

    Example:

    ```
    quartet train speech/emotion data=recordings.zip names={label}_{speaker}_{take}
    quartet evaluate speech/emotion data=recordings.zip names={label}_{speaker}_{take} \\
        --folds 4 --group speaker
    ```
    """

    gives: ClassVar[type[Answers] | None] = EqualClasses
    figures: ClassVar[Mapping[str, Direction]] = EqualClasses.figures

    label_names: dict[str, str] = Field(
        {}, description="what labels in file names mean, such as {W: anger}; by default they stay as they are"
    )
    seconds: float = Field(3.0, ge=0.1, le=60, description="length of the window over each recording")
    net: Literal["attentive", "convolutional", "recurrent"] = Field(  # type: ignore[assignment]
        "attentive", description="what reads the spectrogram"
    )

    def load(self) -> Splits:
        """Return the recordings in their parts, each speaker in one of them."""
        from apps.speech.dividing import divided_where
        from apps.speech.recordings import read_source
        from core.data.samples import spoken_manners

        if self.data == "sample":
            parts: Mapping[str, Examples] = {"train": spoken_manners(self.sample_rate)}
            notes: tuple[str, ...] = ()
        else:
            parts, notes = read_source(
                self.data,
                self.sample_rate,
                names=self.names,
                full_scale=self.full_scale,
                skip_bad=self.skip_bad,
                columns=self.columns,
            )
        parts = {part: self._renamed(examples) for part, examples in parts.items()}
        if self.test_when:
            return divided_where(self, parts, self.test_when, notes)
        by_speaker = SPEAKER in parts["train"] and not (self.split_group or self.split_time)
        task = self.model_copy(update={"split_group": SPEAKER}) if by_speaker else self
        return task.divided(parts, notes)

    def evaluate(
        self, model: keras.Model, encoder: CommandsEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return the figures over all examples, the mean of the classes' recalls first."""
        return _with_recall(super().evaluate(model, encoder, examples, write))

    def portable(self, model: keras.Model, encoder: CommandsEncoder) -> Portable:
        """Return the graph from windows over waves to probabilities, judged by the same figures."""
        portable = super().portable(model, encoder)
        return replace(
            portable, figures=lambda score, examples: _with_recall(portable.figures(score, examples))
        )

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

    def baseline(
        self, encoder: CommandsEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of a support vector machine and a logistic regression on functionals."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import balanced_accuracy_score
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        train, test = splits.train, splits.test
        described = [self._functionals(part) for part in (train, test)]
        ids = [encoder.ids(part["label"], part.source) for part in (train, test)]
        rivals: dict[str, Any] = {
            "support vectors, functionals": SVC(C=3.0, class_weight="balanced"),
            "logistic regression, functionals": LogisticRegression(
                C=0.1, max_iter=2000, class_weight="balanced"
            ),
        }
        figures = {}
        for name, rival in rivals.items():
            fitted = make_pipeline(StandardScaler(), rival).fit(described[0], ids[0])
            answers = np.zeros((len(test), len(encoder.labels)))
            answers[:, fitted[-1].classes_] = _probabilities(fitted, described[1])
            judged = figures_of(ids[1], answers, encoder.labels, written_by(name, write))
            recall = balanced_accuracy_score(ids[1], answers.argmax(axis=1))
            figures[name] = {FIGURE: float(recall), **judged}
        return figures

    def _functionals(self, examples: Examples) -> np.ndarray:
        from apps.speech.manner.functionals import NUM_BANDS, WINDOW_SECONDS, functionals
        from core.layers.spectrogram import mel_bands

        num_bins = round(WINDOW_SECONDS * self.sample_rate) // 2 + 1
        bands = mel_bands(num_bins, NUM_BANDS, self.sample_rate, 50, self.sample_rate / 2)
        waves = examples.ragged("wave")
        return np.stack([functionals(waves[row], self.sample_rate, bands) for row in range(len(waves))])


def _with_recall(figures: Figures) -> Figures:
    """Return figures with the mean of the recalls of the classes that there are examples of."""
    recalls = [row["recall"] for row in figures["per_class"].values() if row["support"]]
    return {FIGURE: float(np.mean(recalls)), **figures}


def _probabilities(fitted: Any, described: np.ndarray) -> np.ndarray:
    """Return the probabilities of classes; of a machine that has none, by its distances from its borders."""
    from scipy.special import softmax

    if hasattr(fitted, "predict_proba"):
        return fitted.predict_proba(described)
    distances = fitted.decision_function(described)
    return softmax(np.stack([-distances, distances], axis=1) if distances.ndim == 1 else distances, axis=1)
