"""Which compilation and precision, and how many steps a call, make a training fastest, by trying them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.experiment import Experiment, built
from core.fit import Fit
from core.run import Run
from core.surroundings import surroundings
from core.task.contract import Encoder
from core.training.probe import probed
from core.writing import write_json

if TYPE_CHECKING:
    import keras

    from core.data.examples import Splits

LEAST_STEPS = 1000  # a training of fewer is over before a choice pays
LEAST_SECONDS = 8.0  # below which not even two ways of a small net can be compiled and tried
STEP_OF_FORWARD = 3.0  # a step, at the price of a forward pass
STEPS = 10  # that are measured of each way
SHARE = 0.05  # of a training that the choice may take
XLA_COST = 2.0  # what a way with XLA takes to try, at the price of the plain one
MOST_TOGETHER = 16  # steps that can run at one call, where that was tried
UNTRIED_TOGETHER = 8  # steps that do so untried, where nothing is known of their time
# Else as many as take so many milliseconds, but not many more: they may take longer than was guessed, and
# progress and checkpoints wait for the end of a call.
CALL, MOST_UNTRIED_TOGETHER = 200.0, 40
LONG_STEP = 30.0  # milliseconds, beside which a call of its own costs too little to try
CHOICES = ("jit_compile", "precision", "steps_per_execution")  # fields of a fit that `auto` leaves open
FIELDS = {"optimizer", "batch_size", *CHOICES}  # of a fit, that the outcome of a trial depends on
LEAST_GAIN = 1.1  # below which a way is not worth other roundings
LARGEST_LOSS = 0.01  # by which a lower precision may raise the loss, as a share of it


@dataclass(frozen=True)
class Way:
    """One way to compute a step, and what its trial showed.

    Args:
        jit_compile: Whether by XLA.
        precision: Keras dtype policy.
        steps_per_execution: How many steps run at one call.
        milliseconds: Median of a step; nothing where it was not tried or failed.
        loss: Mean over the steps that were tried.
        note: Why it was not tried, or how it failed.
    """

    jit_compile: bool
    precision: str
    steps_per_execution: int = 1
    milliseconds: float | None = None
    loss: float | None = None
    note: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of a fit that compute a step this way."""
        return {choice: getattr(self, choice) for choice in CHOICES}


def chosen(run: Run, splits: Splits, encoder: Encoder) -> Experiment:
    """Return a run's experiment with `auto` replaced by what is fastest here, and keep what was seen.

    A choice is made on TensorFlow, where a training takes steps of gradient and is long enough to pay for it,
    and costs about 5% of it at most; others go plainly. It is kept as `compilation.json`, by which a resumed
    training goes on as it began, and for other trainings of such a model on such a machine.

    Args:
        run: Says what to train.
        splits: Audited examples.
        encoder: What the task learnt from them.
    """
    fit = run.experiment.fit
    if all(getattr(fit, choice) != "auto" for choice in CHOICES):
        return run.experiment
    if run.compilation is None:
        steps = steps_of_an_epoch(run.experiment, splits, encoder)
        num_steps = epochs_of(run.experiment, steps) * steps
        possible = _can_be_tried(run.experiment) and num_steps >= LEAST_STEPS
        about, ways = tried(run.experiment, splits, encoder, num_steps) if possible else (None, [])
        outcome = _outcome(fit, ways, about, steps)
        run.write_json("compilation.json", {"ways": [asdict(way) for way in ways], **outcome})
    return run.as_trained


def _outcome(fit: Fit, ways: Sequence[Way], about: float | None, num_steps: int) -> dict[str, Any]:
    """Return what replaces `auto`, for epochs of so many steps, each of about so many milliseconds."""
    best = fastest(ways) if ways else plainest(fit)
    settings = best.settings
    compared = any(way.steps_per_execution > 1 and way.milliseconds is not None for way in ways)
    if fit.steps_per_execution == "auto" and not compared:
        settings["steps_per_execution"] = _untried_together(best.milliseconds or about, num_steps)
    # Keras' own choice, which is XLA on a GPU alone.
    return settings if ways else {**settings, "jit_compile": fit.jit_compile}


def _untried_together(milliseconds: float | None, num_steps: int) -> int:
    """Return how many steps run at a call that was not tried, each of about so many milliseconds."""
    if not _on_tensorflow():
        return 1
    most = int(CALL / milliseconds) if milliseconds else UNTRIED_TOGETHER
    return divisor(num_steps, min(max(most, 1), MOST_UNTRIED_TOGETHER))


def _can_be_tried(experiment: Experiment) -> bool:
    # A solver in closed form has no step to compile, and would run to its end.
    return _on_tensorflow() and experiment.task.learns_by_gradient


def _on_tensorflow() -> bool:
    import keras

    return keras.backend.backend() == "tensorflow"


def divisor(num_steps: int, most: int) -> int:
    """Return the largest divisor of the steps of an epoch up to `most`: so many can run at a call.

    Example:

    >>> divisor(num_steps=74, most=40)
    37
    """
    return max(each for each in range(1, min(most, num_steps) + 1) if num_steps % each == 0)


def plainest(fit: Fit) -> Way:
    """Return the plainest way that the settings leave open."""
    return Way(
        jit_compile=fit.jit_compile is True,
        precision="float32" if fit.precision == "auto" else fit.precision,
        steps_per_execution=1 if fit.steps_per_execution == "auto" else fit.steps_per_execution,
    )


def steps_of_an_epoch(experiment: Experiment, splits: Splits, encoder: Encoder) -> int:
    """Return the steps of an epoch over the training part."""
    return -(-experiment.task.count(splits.train, encoder) // experiment.fit.batch_size)


def epochs_of(experiment: Experiment, num_steps: int) -> int:
    """Return the epochs of a training whose epochs have so many steps."""
    fit = experiment.fit
    return fit.epochs_of(num_steps) if experiment.task.learns_by_gradient else fit.planned_epochs


def with_epochs(experiment: Experiment, splits: Splits, encoder: Encoder) -> tuple[Experiment, list[str]]:
    """Return an experiment with a number of epochs in place of `auto`, and a note of the reason.

    Args:
        experiment: Whose epochs may be left to the size of the training part.
        splits: Audited examples.
        encoder: What the task learnt from them.
    """
    if experiment.fit.epochs != "auto":
        return experiment, []
    steps = steps_of_an_epoch(experiment, splits, encoder)
    epochs = epochs_of(experiment, steps)
    settled = experiment.model_copy(update={"fit": experiment.fit.model_copy(update={"epochs": epochs})})
    if epochs == experiment.fit.planned_epochs:
        return settled, []
    fit = experiment.fit
    return settled, [
        f"fit.epochs=auto trains for {epochs} epochs, as {fit.planned_epochs} of {steps} steps each are "
        f"fewer than {fit.least_steps} steps in all (fit.least_steps)"
    ]


def fastest(ways: Sequence[Way]) -> Way:
    """Return the fastest way that loses nothing; the first, which is the plainest, where the gain is small.

    Several steps at one call round as one does, so any gain will do for them.

    Args:
        ways: At least one, the plainest first.

    Example:

    >>> plain, low = Way(False, "float32", 1, 10.0, 2.0), Way(False, "mixed_bfloat16", 1, 5.0, 2.001)
    >>> fastest([plain, low]).precision
    'mixed_bfloat16'
    """
    plain = ways[0]
    if plain.milliseconds is None:
        return plain
    sound = [
        way
        for way in ways[1:]
        if way.milliseconds is not None
        and plain.milliseconds / way.milliseconds >= (1.0 if _rounds_alike(way, plain) else LEAST_GAIN)
        and (way.precision == plain.precision or _loses_nothing(way.loss, plain.loss))
    ]
    return min([*sound, plain], key=lambda way: way.milliseconds or np.inf)


def _rounds_alike(one: Way, other: Way) -> bool:
    return (one.jit_compile, one.precision) == (other.jit_compile, other.precision)


def _loses_nothing(loss: float | None, plain: float | None) -> bool:
    if loss is None or plain is None or not np.isfinite(loss):
        return False
    return loss - plain <= LARGEST_LOSS * abs(plain)


def tried(
    experiment: Experiment, splits: Splits, encoder: Encoder, num_steps: int
) -> tuple[float | None, list[Way]]:
    """Return about the milliseconds of a step, and the ways that the settings leave open, some of them tried.

    Args:
        experiment: What to train.
        splits: Audited examples.
        encoder: What the task learnt from them.
        num_steps: Of the whole training.

    Returns:
        No milliseconds where the ways are known from before. The plainest way comes first, and each is tried
        where its trial is worth its time; there is none where the training is too short for any.
    """
    fit, model = experiment.fit, built(experiment, encoder)
    kept = _Kept.of(experiment, model)
    if (known := kept.read()) is not None:
        return None, known
    about = _about_a_step(model, experiment, splits, encoder)
    if SHARE * num_steps * about / 1000 < LEAST_SECONDS:
        return about, []
    ways: list[Way] = []
    start, left = time.perf_counter(), np.inf
    for way in _open_ways(fit, ways, steps_of_an_epoch(experiment, splits, encoder)):
        cost = _price(ways, start) * (XLA_COST if way.jit_compile else 1.0)
        if ways and way.jit_compile and _has_free_length(model):
            ways.append(replace(way, note="not tried: inputs of free length are compiled anew for each"))
        elif cost > left:
            ways.append(replace(way, note=f"not tried: would cost {cost:.0f} s of {left:.0f} s left"))
        else:
            ways.append(_tried(way, experiment, splits, encoder))
        if ways[0].milliseconds is None:
            break
        left = SHARE * num_steps * ways[0].milliseconds / 1000 - (time.perf_counter() - start)
    kept.write(ways)
    return about, ways


def _price(ways: Sequence[Way], start: float) -> float:
    """Return the seconds that a plain way has taken to try."""
    count = sum(XLA_COST if way.jit_compile else 1.0 for way in ways if way.milliseconds is not None)
    return (time.perf_counter() - start) / count if count else 0.0


def _about_a_step(model: keras.Model, experiment: Experiment, splits: Splits, encoder: Encoder) -> float:
    """Return about the milliseconds of a step, guessed from a forward pass, which is soon traced."""
    import tensorflow as tf

    from core.data.feed import Feed

    feed = Feed(experiment.fit.batch_size, training=True, seed=experiment.fit.seed)
    x = next(iter(experiment.task.batches(splits.train, encoder, feed)))[0]
    forward = tf.function(lambda x: model(x, training=True))
    tf.nest.map_structure(np.asarray, forward(x))
    start = time.perf_counter()
    tf.nest.map_structure(np.asarray, forward(x))  # a device may be at work when a call has returned
    return 1000 * STEP_OF_FORWARD * (time.perf_counter() - start)


def _has_free_length(model: keras.Model) -> bool:
    # A subclassed model, such as two nets that learn from each other, declares no inputs.
    return any(None in tuple(each.shape)[1:] for each in getattr(model, "inputs", ()))


def _open_ways(fit: Fit, ways: Sequence[Way], num_steps: int) -> Iterator[Way]:
    """Yield the ways to try, one after another: each change is tried upon what was fastest without it.

    Args:
        fit: What it leaves open.
        ways: Those that were tried so far; it grows meanwhile.
        num_steps: Of an epoch.
    """
    yield (plain := plainest(fit))
    if fit.precision == "auto":
        yield replace(plain, precision="mixed_bfloat16")
    if fit.jit_compile == "auto":
        yield replace(plain, jit_compile=True, precision=fastest(ways).precision)
    together = divisor(num_steps, MOST_TOGETHER)
    best = fastest(ways)
    if fit.steps_per_execution == "auto" and together > 1 and (best.milliseconds or 0) < LONG_STEP:
        yield replace(plain, **{**best.settings, "steps_per_execution": together})


def _tried(way: Way, experiment: Experiment, splits: Splits, encoder: Encoder) -> Way:
    import tensorflow as tf

    fit = experiment.fit.model_copy(update=way.settings)
    try:
        probe = probed(experiment.model_copy(update={"fit": fit}), splits, encoder, STEPS)
    except (tf.errors.OpError, ValueError, TypeError) as error:
        return replace(way, note=f"failed: {str(error).strip().splitlines()[0][:200]}")
    if not probe.takes_batches:
        return replace(way, note="no steps of gradient")
    milliseconds = round(1000 * float(np.median(probe.seconds)), 3)
    return replace(way, milliseconds=milliseconds, loss=None if probe.loss is None else float(probe.loss))


@dataclass(frozen=True)
class _Kept:
    """Earlier trials of the same model on the same machine."""

    path: Path

    @classmethod
    def of(cls, experiment: Experiment, model: keras.Model) -> _Kept:
        """Return the place of a model's trials, by its layers, its settings and the machine."""
        import platformdirs

        here = surroundings()
        about = {
            "weights": [list(weight.shape) for weight in model.weights],
            "layers": [type(layer).__name__ for layer in model._flatten_layers()],
            "fit": experiment.fit.model_dump(mode="json", include=FIELDS),
            "machine": {name: here[name] for name in ("versions", "devices", "processors", "platform")},
        }
        digest = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=12).hexdigest()
        return cls(Path(platformdirs.user_cache_dir("quartet")) / "compilation" / f"{digest}.json")

    def read(self) -> list[Way] | None:
        """Return what is known; nothing where nothing is, or it can't be read."""
        try:
            return [Way(**way) for way in json.loads(self.path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return None

    def write(self, ways: Sequence[Way]) -> None:
        """Keep trials; where there is no room for them, they are tried again the next time."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, [asdict(way) for way in ways])
        except OSError:
            return
