"""Picture classification: what a picture shows, out of any number of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from core.answers.classes.figures import figures_of
from core.answers.rows import Figures, Write, written_by
from core.data.larger_than_memory import blocks_of
from core.data.picture_levels import Levels
from core.errors import UserError
from core.pictures.classification import PictureClassifier, PictureEncoder
from core.task.tables import FromTables

if TYPE_CHECKING:
    from core.data.examples import Examples, Splits

RIVAL_EXAMPLES = 60_000  # that the rival learns from at most, which holds their features in memory


class PictureClassification(FromTables, PictureClassifier):
    """Names what a picture shows, out of the classes it was trained on.

    Example:

    ```
    quartet train vision/classification data=pictures size=32 flip=true
    ```
    """

    sample_licence: ClassVar[str | None] = "CC BY-SA 3.0 (MNIST, LeCun and Cortes)"

    file_column: str = Field(
        "file", description="of a table of pictures: their paths from its folder, or their bytes in Parquet"
    )
    label_column: str = Field("label", description="of a table of pictures: their classes")

    def load(self) -> Splits:
        """Return the pictures in their parts."""
        from core.data.images import read_images
        from core.data.picture_tables import PictureColumns
        from core.data.samples import digits
        from core.data.sources import PREFIX, read_tfds
        from core.data.tables import existing

        if self.data == "sample":
            return self.divided({"train": digits()})
        if self.data.startswith(PREFIX):
            parts = read_tfds(self.data, {"image": ("image",), "label": ("label",)})
            _require_bytes(parts["train"])
            return self.divided(parts)
        size = None if self.size is None else (self.size, self.size)
        parts, notes = read_images(
            existing(self.data),
            size=size,
            channels=self.channels,
            levels=None if self.levels is None else Levels(*self.levels),
            skip_bad=self.skip_bad,
            columns=PictureColumns(self.file_column, self.label_column, self.form),
        )
        return self.divided(parts, notes)

    def baseline(
        self, encoder: PictureEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of a linear support vector machine on histograms of oriented gradients."""
        from sklearn.linear_model import SGDClassifier

        from apps.vision.hog import oriented_gradients

        name, train = "HOG + linear SVM", splits.train
        if len(train) > RIVAL_EXAMPLES:
            chosen = np.random.default_rng(0).choice(len(train), RIVAL_EXAMPLES, replace=False)
            name, train = f"{name} on {RIVAL_EXAMPLES:,} examples", train.take(np.sort(chosen))
        rival = SGDClassifier(loss="hinge", alpha=1e-5, max_iter=10, tol=None, average=True, random_state=0)
        rival.fit(
            oriented_gradients(self.features(train, encoder)), encoder.ids(train["label"], train.source)
        )
        pictures = self.features(splits.test, encoder)
        answers = [rival.predict(oriented_gradients(pictures[block])) for block in blocks_of(pictures)]
        # Its scores are no probabilities: what is judged is only which class it names.
        named = np.eye(len(encoder.labels))[np.concatenate(answers)]
        targets = encoder.ids(splits.test["label"], splits.test.source)
        figures = figures_of(targets, named, encoder.labels, written_by(name, write))
        return {name: {figure: figures[figure] for figure in ("accuracy", "macro_f1")}}


def _require_bytes(pictures: Examples) -> None:
    if pictures["image"].dtype != np.uint8:
        raise UserError(
            "Pictures of a data set of tensorflow-datasets have 8 bits; give others as a folder of files. "
            f"Received: {pictures['image'].dtype} of {pictures.source}."
        )
