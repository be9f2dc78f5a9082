"""Trainings that are none of Keras: without a gradient, and in rounds with a realignment between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
from pydantic import Field

from core.fit import Training
from core.task.contract import Ability
from core.task.explanation import Explanation, Part
from tests.miniatures.regression import COLUMNS, Columns, Prices

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ClosedForm(Prices):
    """Least squares without a gradient: each sweep goes half of the way to the solution."""

    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain"})

    @property
    def learns_by_gradient(self) -> bool:
        return False

    def build(self, encoder: Columns) -> keras.Model:
        width = encoder.features([{}]).shape[1]
        row = keras.Input((width,), name="row")
        return keras.Model(row, keras.layers.Dense(1, name="price")(row))

    def fit(self, training: Training) -> keras.callbacks.History:
        model, splits = training.model, training.splits
        features = self.features(splits.train, training.encoder)
        targets = self.targets(splits.train, training.encoder)
        with_bias = np.pad(features, ((0, 0), (0, 1)), constant_values=1.0)
        solution, *_ = np.linalg.lstsq(with_bias, targets, rcond=None)
        called = keras.callbacks.CallbackList(list(training.callbacks), add_history=True, model=model)
        model.stop_training = False
        called.on_train_begin()
        for epoch in range(training.resume.epoch, training.fit.epochs):
            called.on_epoch_begin(epoch)
            kernel, bias = model.get_weights()
            model.set_weights([(kernel + solution[:-1, None]) / 2, (bias + solution[-1]) / 2])
            kernel, bias = model.get_weights()
            residual = (features @ kernel + bias)[:, 0] - targets
            called.on_epoch_end(epoch, {"loss": float(np.mean(residual**2))})
        called.on_train_end()
        return model.history

    def explain(self, model: keras.Model, encoder: Any, value: Any, method: str | None = None) -> Explanation:
        kernel, _ = model.get_weights()
        typical = {column.name: column.typical for column in encoder.columns}
        parts = []
        for name in COLUMNS:
            # What a column adds is what would be gone, were it as it mostly is.
            changed = encoder.features([value]) - encoder.features([{**value, name: typical[name]}])
            parts.append(Part(name, float(encoder.spread * (changed @ kernel)[0, 0])))
        [answer] = self.predict(model, encoder, [value])

        def draw(figure: Figure) -> None:
            figure.subplots().barh([part.name for part in parts], [part.adds for part in parts])

        return Explanation(answer, "price", answer["price"], "contributions", parts, {}, draw)


class Realigned(Prices):
    """A net under a hidden Markov model: fits, aligns anew, fits again."""

    rounds: int = Field(2, ge=1, description="alignments")

    def build(self, encoder: Columns) -> keras.Model:
        model = super().build(encoder)
        model.alignment = keras.Variable(np.ones(32), trainable=False, name="alignment")
        return model

    def fit(self, training: Training) -> keras.callbacks.History:
        for done in range(1, self.rounds + 1):
            until = training.fit.model_copy(update={"epochs": training.fit.epochs * done // self.rounds})
            if until.epochs < training.resume.epoch:
                continue
            history = super().fit(replace(training, fit=until))
        return history
