"""The families in miniature: the task of each, what it has to reach, and how its inputs are given."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.experiment import Experiment, experiment_from
from core.inputs.limits import Limits
from core.notebook import Run
from core.serving.requests import Schema
from core.task.contract import Task
from tests.miniatures.adversarial import Adversarial
from tests.miniatures.denoising import Denoising
from tests.miniatures.detection import Detection
from tests.miniatures.dialogue import Dialogue
from tests.miniatures.generation import Generation
from tests.miniatures.labelling import Labelling
from tests.miniatures.languages import Languages
from tests.miniatures.own_fits import ClosedForm, Realigned
from tests.miniatures.question_answering import QuestionAnswering
from tests.miniatures.regression import Prices, Rents
from tests.miniatures.several_graphs import SeveralGraphs
from tests.miniatures.speaking import Speaking
from tests.miniatures.translation import Translation


@dataclass(frozen=True)
class Family:
    """A family in miniature.

    Args:
        task: The class of its task.
        figure: By which it shows that it has learnt.
        bar: What has to be reached of it.
        epochs: Until then.
        batch_size: Examples a step.
        start: The family whose run it starts from, if any.
    """

    task: type[Task]
    figure: str
    bar: float
    epochs: int = 24
    batch_size: int = 16
    start: str | None = None

    def reached(self, value: float) -> bool:
        """Return whether a figure is better than the bar."""
        return value < self.bar if self.task.figures[self.figure] == "min" else value > self.bar

    def experiment(self, start: Path | None = None, **fit: Any) -> Experiment:
        """Return what trains it within seconds."""
        path = f"{self.task.__module__}.{self.task.__name__}"
        quick = {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate": 0.01,
            "steps_per_execution": 1,
            "jit_compile": False,
            "tensorboard": False,
            "checkpoint_seconds": 3600,
        }
        started = {} if start is None else {"start": str(start)}
        return experiment_from(
            {"task": {"type": path, **started}, "fit": {**quick, **fit}, "audit": {"leaks": "allow"}}
        )


FAMILIES = {
    family.task.__name__: family
    for family in (
        Family(Labelling, "entity_f1", 0.9),
        Family(QuestionAnswering, "exact_match", 0.9),
        Family(Translation, "bleu", 60.0),
        Family(Dialogue, "chrf", 50.0, epochs=20),
        Family(Generation, "chrf", 90.0),
        Family(Languages, "accuracy", 0.9, epochs=6),
        Family(Detection, "ap50", 0.5),
        Family(Denoising, "psnr", 19.0),
        Family(Adversarial, "brightness_error", 40.0, epochs=40),
        Family(Speaking, "mel_cepstral_distortion", 3.0),
        Family(Prices, "rmse", 5.0, epochs=12),
        Family(Rents, "rmse", 1.25, epochs=2, start="Prices"),
        Family(ClosedForm, "rmse", 2.0, epochs=12),
        Family(Realigned, "rmse", 5.0, epochs=12),
        Family(SeveralGraphs, "exact_match", 0.5, epochs=12, batch_size=64),
    )
}
LIMITS = Limits()


def examples_of(run: Run) -> list[Any]:
    """Return inputs as JSON has them."""
    return run.input.examples()


def raw_inputs(run: Run) -> list[Any]:
    """Return the same inputs as `Task.predict` takes them."""
    body = Schema.of(run.experiment.task, run.input, LIMITS).predict
    asked: Any = body.model_validate_json(json.dumps({"inputs": examples_of(run)}))
    return [run.input.raw(value, LIMITS) for value in asked.inputs]


def typed(value: Any, folder: Path) -> str:
    """Return a raw input as it is typed: a text, the path of a picture, else JSON."""
    if isinstance(value, str):
        return value
    if not isinstance(value, np.ndarray):
        return json.dumps(value)
    path = folder / f"{len(list(folder.iterdir()))}.png"
    Image.fromarray(value[..., 0] if value.shape[-1] == 1 else value).save(path)
    return str(path)
