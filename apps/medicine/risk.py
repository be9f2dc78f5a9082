"""Risk: how likely somebody has an illness, from a row of what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from apps.medicine.diagnosing.task import Diagnosing, judged_by_diagnoses
from apps.medicine.rows.encoder import RowEncoder, learnt_columns
from apps.medicine.rows.values import row_text, written
from core.answers.rows import Figures, Write, written_by
from core.inputs import Input, Row
from core.task.classification import labels_of
from core.task.contract import Ability, Encoder

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from core.data.examples import Examples, Splits
    from core.task.explanation import Anatomy, Part
    from core.task.portable import Portable

LABELS = ("label", "class", "finding", "diagnosis", "dx", "target", "disease", "outcome")
NO_COLUMNS = ("label", "row")


class Risk(Diagnosing):
    """Says how likely somebody has what is looked for, from typed columns; it is no medical device.

    Small nets, strongly held to small weights, stand beside a linear score; what they say is averaged. Values
    may be missing.

    Example:

    ```
    quartet evaluate medicine/risk data=heart.csv label_column=disease --folds 10
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = RowEncoder
    content: ClassVar[tuple[str, ...]] = ("row",)
    takes: ClassVar[Mapping[str, Input]] = {"row": Row()}
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export", "calibrate"})
    sample_licence: ClassVar[str | None] = "CC BY 4.0 (Breast Cancer Wisconsin, UCI; within scikit-learn)"

    categories: list[str] = Field(
        [], description="columns of numbers that stand for something else, such as a kind of pain"
    )
    ignored: list[str] = Field([], description="columns that say nothing, or are not known beforehand")
    members: int = Field(8, ge=1, le=100, description="nets whose answers are averaged")
    width: int = Field(16, ge=1, le=1024, description="hidden units of each")
    penalty: float = Field(0.01, ge=0, description="on the squares of weights")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of hidden units dropped while training")

    def load(self) -> Splits:
        """Return the rows in their parts."""
        from core.data.tables import existing, part_paths, read_table

        if self.data == "sample":
            from apps.medicine.rows.sample import breast_masses

            return self.divided(self.relabelled({"train": breast_masses()}))
        parts: dict[str, Examples] = {}
        notes: list[str] = []
        for part, path in part_paths(existing(self.data)).items():
            label = self.label_column or _label_of(path)
            table, left_out = read_table(path, {"label": label}, skip_bad=self.skip_bad, classes=("label",))
            parts[part] = with_rows(table)
            notes += left_out
        return self.divided(self.relabelled(parts), notes)

    def encode(self, train: Examples) -> RowEncoder:
        """Return the two labels, that of the finding last, and how the values of columns are read."""
        names = [
            name
            for name in train.columns
            if name not in (*NO_COLUMNS, *self.ignored, self.split_group, self.split_time)
        ]
        columns, scaled, _ = learnt_columns(train, names, self.categories)
        return RowEncoder(
            labels=self.in_order(labels_of(train), train.source), columns=columns, scaled=scaled
        )

    def left_out(self, splits: Splits, encoder: RowEncoder) -> Sequence[str]:
        """Return what is looked for, and which columns are not read."""
        known = {column.name for column in encoder.columns}
        unread = [name for name in splits.train.columns if name not in known and name not in NO_COLUMNS]
        said = (f"columns that are not read: {', '.join(unread)}",) if unread else ()
        return (*super().left_out(splits, encoder), *said)

    def inputs(self, encoder: RowEncoder) -> dict[str, Input]:
        """Return rows of the columns that training saw."""
        return {"row": Row(tuple(encoder.columns))}

    def read(self, inputs: list[Any]) -> Examples:
        """Return rows by name as columns of texts, empty where a value is missing."""
        from core.data.examples import Examples

        names = dict.fromkeys(name for row in inputs for name in row)
        columns = {name: [written(row.get(name)) or "" for row in inputs] for name in names}
        return Examples(columns, "the inputs")

    def features(self, examples: Examples, encoder: RowEncoder) -> np.ndarray:
        """Return the rows as numbers."""
        return encoder.numbers(examples)

    def build(self, encoder: RowEncoder) -> keras.Model:
        """Return the model from numbers to logits: a linear score, and the mean of small nets."""
        import keras
        from keras import layers, regularizers

        held = regularizers.L2(self.penalty)
        row = keras.Input((encoder.masks().shape[1],), name="row")
        linear = layers.Dense(2, kernel_regularizer=held, name="linear")(row)
        said = []
        for _ in range(self.members):
            hidden = layers.Dense(self.width, "relu", kernel_regularizer=held)(row)
            hidden = layers.Dropout(self.dropout)(hidden)
            hidden = layers.Dense(2, use_bias=False, kernel_regularizer=held)(hidden)
            said.append(layers.Reshape((1, 2))(hidden))
        # One sum over an axis: TensorFlow reorders a chain of sums by names, so that a resume would differ.
        mean = layers.GlobalAveragePooling1D()(layers.Concatenate(axis=1)(said))
        logits = layers.Add()([linear, mean])
        return keras.Model(row, layers.Activation("linear", dtype="float32")(logits), name="risk")

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return the values of the row."""
        values = super().shown(answer, examples, encoder)
        return {name: value for name, value in values.items() if name not in NO_COLUMNS}

    def slices(self, splits: Splits, encoder: RowEncoder) -> dict[str, np.ndarray]:
        """Return the columns that people can be told apart by, numbers as such."""
        from core.inputs.row import numbers_of

        slices = {}
        for column in encoder.columns:
            values = splits.test[column.name]
            numbers = numbers_of(values) if column.kind == "number" else None
            known = numbers is not None and bool(np.isfinite(numbers).all())
            slices[column.name] = numbers if numbers is not None and known else values
        return slices

    def anatomy(self, model: keras.Model, encoder: RowEncoder, value: Any) -> Anatomy:
        """Return the columns of a row, as against the average of training."""
        from core.task.explanation import Anatomy, draw_bars

        names = [
            f"{column.name}: {written(value.get(column.name)) or 'missing'}" for column in encoder.columns
        ]

        def draw(figure: Figure, values: np.ndarray, adds: np.ndarray, parts: Sequence[Part]) -> None:
            figure.set_size_inches(7, 1.2 + 0.3 * len(parts))
            ranked = sorted(parts, key=lambda part: -abs(part.adds))
            draw_bars(figure.subplots(), ranked, "adds to the log-odds, as against an average row")

        return Anatomy(None, lambda numbers: (names, encoder.masks()), draw)

    def portable(self, model: keras.Model, encoder: RowEncoder) -> Portable:
        """Return the graph from numbers to probabilities, judged by the same figures."""
        from dataclasses import replace

        import tensorflow as tf

        from core.exporting.classification import portable_classification

        portable = portable_classification(
            self,
            model,
            encoder,
            signature=[tf.TensorSpec([None, model.input.shape[1]], tf.float32, name="row")],
            loader="apps.medicine.rows.loader",
            settings={"columns": encoder.scaled},
        )

        def raw(examples: Examples) -> list[dict[str, Any]]:
            columns = [examples[column.name].tolist() for column in encoder.columns]
            names = [column.name for column in encoder.columns]
            return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

        return judged_by_diagnoses(replace(portable, raw=raw), encoder)

    def baseline(self, encoder: RowEncoder, splits: Splits, write: Write | None = None) -> dict[str, Figures]:
        """Return the figures of a logistic regression and of gradient-boosted trees."""
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.linear_model import LogisticRegression

        train, test = (self.features(part, encoder) for part in (splits.train, splits.test))
        targets = encoder.ids(splits.train["label"], splits.train.source)
        truth = encoder.ids(splits.test["label"], splits.test.source)
        rivals: dict[str, Any] = {
            "logistic regression": LogisticRegression(max_iter=1000),
            "boosted trees": HistGradientBoostingClassifier(max_iter=100, random_state=0),
        }
        figures = {}
        for name, rival in rivals.items():
            answers = rival.fit(train, targets).predict_proba(test)
            figures[name] = self.figures_of_rival(truth, answers, encoder.labels, written_by(name, write))
        return figures


def with_rows(table: Examples) -> Examples:
    """Return a table with the column `row`, which holds the values of all others."""
    names = [name for name in table.columns if name not in NO_COLUMNS]
    columns = [table[name].tolist() for name in names]
    return table.with_columns(row=[row_text(names, values) for values in zip(*columns, strict=True)])


def _label_of(path: Any) -> str:
    from core.data.tables import table_lines
    from core.errors import UserError

    named = {str(name).lower(): str(name) for name in table_lines(path, headless=False)[0].columns}
    label = next((named[name] for name in LABELS if name in named), None)
    if label is None:
        raise UserError(
            f"{path} has no column of labels, which may be called {', '.join(LABELS)}: give "
            "label_column=, by name, or by position from 0 in a file without a header. Received the columns: "
            f"{', '.join(name for name in named.values() if name != '_line')}."
        )
    return label
