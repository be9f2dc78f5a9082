"""A training that starts from another run, and is not judged on what that run has learnt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.data.content import content_hash
from core.errors import UserError
from core.experiment import Experiment
from core.run import Run
from core.run_data import reloaded
from core.wording import counted

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples, Splits
    from core.task.contract import Encoder


def source_of(experiment: Experiment) -> Run | None:
    """Return the run that a training starts from, where `task.start` names one.

    Raises:
        UserError: There is no finished run in that folder.
    """
    if experiment.task.start is None:
        return None
    source = Run(experiment.task.start)
    _ = source.metrics
    return source


def encoded(experiment: Experiment, train: Examples) -> Encoder:
    """Return what a task learns from its training examples, in agreement with the run that it starts from."""
    source = source_of(experiment)
    task = experiment.task
    return task.encode(train) if source is None else task.encode_from(train, source.encoder)


def audited_against_source(experiment: Experiment, splits: Splits) -> Splits:
    """Look for test examples that the run a training starts from has learnt, and the other way about.

    Args:
        experiment: Whose `task.start` names that run, if any.
        splits: Audited examples of the new training.

    Returns:
        The splits with what was found among their notes.

    Raises:
        UserError: Test examples stand in what that run was trained on, and leaks are not to be allowed.
    """
    source = source_of(experiment)
    if source is None:
        return splits
    task, theirs = experiment.task, source.experiment.task
    if task.content != theirs.content:
        note = f"starts from {source.folder}, whose examples are of other columns: leaks can't be looked for"
        return replace(splits, notes=(*splits.notes, note))
    learnt = reloaded(source)
    seen = _num_shared(splits.test, learnt.train, task.content)
    if seen and experiment.audit.leaks != "allow":
        raise UserError(
            f"{counted(seen, 'test example')} of {experiment.task.data} stood in the training part of "
            f"{source.folder}, which task.start names: figures would be too good. Start from a run that has "
            "not seen them, or set audit.leaks=allow."
        )
    notes = [f"starts from {source.folder}"]
    if seen:
        notes.append(f"{counted(seen, 'test example')} stood in the training part of {source.folder}")
    spoilt = _num_shared(splits.train, learnt.test, task.content)
    if spoilt:
        notes.append(
            f"{counted(spoilt, 'training example')} stood in the test part of {source.folder}: the figures "
            "of the two runs can't be compared there"
        )
    return replace(splits, notes=(*splits.notes, *notes))


def _num_shared(examples: Examples, others: Examples, content: tuple[str, ...]) -> int:
    return int(np.isin(content_hash(examples, content), content_hash(others, content)).sum())


def take_weights(experiment: Experiment, model: keras.Model, encoder: Encoder) -> None:
    """Fill a fresh model with the weights of the run that its training starts from.

    Raises:
        UserError: Not one layer of it fits.
    """
    source = source_of(experiment)
    if source is None:
        return
    if not experiment.task.take_weights(model, encoder, source.model):
        names = ", ".join(layer.name for layer in source.model.layers if layer.weights)
        raise UserError(
            f"No layer of {source.folder}, which task.start names, fits the model: the same names and shapes "
            f"are needed, such as the same task.width. Received: the layers {names}."
        )
