"""Medical pictures: how likely one shows what is looked for, with a threshold that finds most who have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from apps.medicine.diagnosing.task import Diagnosing, Medical, judged_by_diagnoses
from core.answers.rows import Figures, Write, written_by
from core.data.picture_levels import Levels
from core.errors import UserError
from core.pictures.classification import PictureClassifier, PictureEncoder
from core.wording import counted

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples, Splits
    from core.task.portable import Portable

PATIENT = "patient"


class MedicalPictures(Medical, PictureClassifier):
    """Names which of several classes a medical picture shows; it is no medical device.

    Where the source says whom a picture shows, nobody is seen both in training and in test.

    Example:

    ```
    quartet train medicine/pictures_classes data=dermamnist.npz
    ```
    """

    names: str | None = Field(
        None, description="what the names of files in a folder say, such as {label}_{patient}"
    )
    same_patients: bool = Field(
        False, description="take parts as published though patients stand in several of them"
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

    def slices(self, splits: Splits, encoder: PictureEncoder) -> dict[str, np.ndarray]:
        """Return what reports tell pictures apart by, such as age and sex, but not who is who."""
        columns = super().slices(splits, encoder)
        return {name: column for name, column in columns.items() if name.split()[-1] not in (PATIENT, "path")}

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


class Finding(Diagnosing, MedicalPictures):
    """Says how likely a medical picture shows what is looked for; it is no medical device.

    It finds at least a stated share of those who have it, on the validation part, by a threshold of its own.
    Where the source says whom a picture shows, nobody is seen both in training and in test.

    Example:

    ```
    quartet train medicine/pictures data=pneumoniamnist.npz 'label_names={0: normal, 1: pneumonia}'
    ```
    """

    def encode(self, train: Examples) -> PictureEncoder:
        """Return the two classes, that of the finding last, and the statistics of the training pictures."""
        encoder = super().encode(train)
        return encoder.model_copy(update={"labels": self.in_order(encoder.labels, train.source)})

    def portable(self, model: keras.Model, encoder: PictureEncoder) -> Portable:
        """Return the graph from raw pictures to probabilities, judged by the same figures."""
        return judged_by_diagnoses(super().portable(model, encoder), encoder)
