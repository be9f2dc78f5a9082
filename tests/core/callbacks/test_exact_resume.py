from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from core.callbacks import ExactResume
from core.data.feed import Feed
from core.optimizers import FusedAdam, LazyAdam
from tests.core.callbacks import killed_training
from tests.core.callbacks.killed_training import STEPS, After, build

ROOT = Path(__file__).parents[3]
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
# Eager steps, because TensorFlow takes longer to trace a step than to run these.
train = functools.partial(killed_training.train, run_eagerly=ON_TENSORFLOW)


class InterruptedTrainingError(Exception):
    pass


class AfterEpoch(keras.callbacks.Callback):
    """Interrupts at the end of an epoch, behind `ExactResume`."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if epoch == self.epoch:
            interrupt()


def interrupt() -> None:
    raise InterruptedTrainingError


@functools.cache
def uninterrupted(patience: int = 9) -> tuple[list[np.ndarray], dict[str, list]]:
    return train(None, patience=patience)


def assert_same_end(ended: tuple, expected: tuple) -> None:
    for weight, expected_weight in zip(ended[0], expected[0], strict=True):
        np.testing.assert_array_equal(weight, expected_weight)
    assert ended[1] == expected[1]


def test_a_training_killed_again_and_again_ends_with_the_same_values(tmp_path):
    kills = ["write", str(STEPS + 3)] if ON_TENSORFLOW else [str(STEPS + 3)]
    command = [sys.executable, "-m", "tests.core.callbacks.killed_training", str(tmp_path), *kills]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / "checkpoint.npz").exists()
    assert_same_end(killed_training.train(tmp_path), killed_training.train(None))


# With patience 2 the training stops itself at the end of its third epoch.
def test_a_training_interrupted_in_its_last_epoch_stops_with_the_same_end(tmp_path):
    with pytest.raises(InterruptedTrainingError):
        train(tmp_path, patience=2, after=[After(2 * STEPS + 3, interrupt)])
    assert_same_end(train(tmp_path, patience=2), uninterrupted(patience=2))
    assert uninterrupted(patience=2)[1]["epoch"] == [0, 1, 2]


def test_a_training_interrupted_when_it_had_stopped_ends_the_same(tmp_path):
    with pytest.raises(InterruptedTrainingError):
        train(tmp_path, patience=2, after=[AfterEpoch(2)])
    assert_same_end(train(tmp_path, patience=2), uninterrupted(patience=2))


def test_the_checkpoint_is_deleted_at_the_end(tmp_path):
    train(tmp_path, epochs=1)
    assert list(tmp_path.iterdir()) == []


def test_a_kept_checkpoint_ends_a_resumed_training_at_once(tmp_path):
    first = train(tmp_path, epochs=1, delete_checkpoint=False)
    again = train(tmp_path, epochs=1, before=[After(1, interrupt)], delete_checkpoint=False)
    assert_same_end(again, first)


def test_a_kept_checkpoint_can_be_trained_further(tmp_path):
    train(tmp_path, epochs=2, delete_checkpoint=False)
    assert_same_end(train(tmp_path, epochs=4), uninterrupted())


def several() -> keras.optimizers.Optimizer:
    """Return an optimizer for the table and one, with a schedule, for the rest."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 5, 0.5)
    table, rest = LazyAdam(0.1), FusedAdam(schedule)
    return keras.optimizers.MultiOptimizer(lambda weight: table if "embeddings" in weight.path else rest)


def accumulating() -> keras.optimizers.Optimizer:
    """Return an optimizer whose updates neither begin nor end with an epoch."""
    return keras.optimizers.Adam(0.05, gradient_accumulation_steps=3)


def optimized(folder: Path | None, optimizer: Callable[[], Any], stop_after: int | None = None) -> tuple:
    """Train with an optimizer and, where there is one learning rate, on plateaus with a lower one."""
    model = build()
    model.compile(optimizer(), keras.losses.SparseCategoricalCrossentropy(True), run_eagerly=ON_TENSORFLOW)
    random = np.random.default_rng(0)
    x, y = random.integers(0, 20, (20, 6)), random.integers(0, 2, 20)
    plateau = keras.callbacks.ReduceLROnPlateau("loss", patience=0, min_delta=9.0, cooldown=1)
    others = [plateau] if optimizer is accumulating else []
    resume = ExactResume(folder, others, every_steps=1) if folder else None
    place = {"epoch": resume.epoch, "step": resume.step} if resume else {}
    callbacks = [*others, *([resume] if resume else [])]
    callbacks += [After(stop_after, interrupt)] if stop_after else []
    history = model.fit(
        Feed(4, training=True, **place).batches(x, y),
        epochs=4,
        initial_epoch=place.get("epoch", 0),
        steps_per_epoch=STEPS,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    return model.get_weights(), history.history


@pytest.mark.parametrize("optimizer", [several, accumulating])
def test_optimizers_and_learning_rates_of_every_kind_are_resumed_to_the_same_values(optimizer, tmp_path):
    with pytest.raises(InterruptedTrainingError):
        optimized(tmp_path, optimizer, stop_after=2 * STEPS + 2)
    resumed, expected = optimized(tmp_path, optimizer), optimized(None, optimizer)
    assert_same_end(resumed, expected)
    if optimizer is accumulating:
        assert len(set(expected[1]["learning_rate"])) > 1


class Counter(keras.callbacks.Callback):
    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.seen = {"epochs": [0, np.zeros(2)]}

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seen["epochs"][0] += 1
        self.seen["epochs"][1] += 0.5


def looped(folder: Path, limit: int, epochs: int, stop_after: int | None = None) -> Counter:
    """Train without gradients, as alternating least squares does, in a loop of its own."""
    model, counter = build(), Counter(limit)
    resume = ExactResume(folder, [counter])
    callbacks = keras.callbacks.CallbackList(
        [counter, resume], add_history=True, model=model, epochs=epochs, verbose=0
    )
    total = resume.extra.setdefault("total", np.zeros(3))
    callbacks.on_train_begin()
    for epoch in range(resume.epoch, epochs):
        callbacks.on_epoch_begin(epoch)
        total += epoch
        model.layers[-1].bias.assign_add([1.0, 2.0])
        callbacks.on_epoch_end(epoch, {"total": float(total[0])})
        if epoch == stop_after:
            return counter
    callbacks.on_train_end()
    counter.result = (total.tolist(), model.layers[-1].bias.numpy().tolist(), model.history.history)
    return counter


def test_a_loop_without_gradients_continues_with_its_values(tmp_path):
    looped(tmp_path, limit=1, epochs=4, stop_after=1)
    counter = looped(tmp_path, limit=2, epochs=4)
    assert counter.result == ([6.0] * 3, [4.0, 8.0], {"total": [0.0, 1.0, 3.0, 6.0]})
    assert counter.seen["epochs"][0] == 4
    assert counter.seen["epochs"][1].tolist() == [2.0, 2.0]


def test_what_a_callback_was_constructed_with_stays_its_own(tmp_path):
    looped(tmp_path, limit=1, epochs=4, stop_after=1)
    assert looped(tmp_path, limit=2, epochs=4).limit == 2


def begun(folder: Path, model: keras.Model | None = None, **options: object) -> ExactResume:
    """Write a checkpoint after one epoch of no steps, and construct the callback that resumes it."""
    for _ in range(2):
        resume = ExactResume(folder, **options)
        resume.set_model(model or build())
        resume.set_params({"epochs": 3, "steps": 4})
        if not resume.resumed:
            resume.on_train_begin()
            resume.on_epoch_end(0, {})
    return resume


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    resume = begun(tmp_path)
    resume.set_model(build(units=9))
    with pytest.raises(
        ValueError, match=r"another model.*embeddings \(20, 9\) float32. Received: .*\(20, 8\)"
    ):
        resume.on_train_begin()


def test_a_checkpoint_of_another_optimizer_is_refused(tmp_path):
    resume, model = begun(tmp_path), build()
    model.compile("sgd", "mse")
    resume.set_model(model)
    with pytest.raises(ValueError, match="another model, optimizer"):
        resume.on_train_begin()


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    """A model that says `built` after `build` while its layers have no weights yet."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = keras.layers.Dense(4), keras.layers.Dense(1)

    def call(self, x: object) -> object:
        return self.out(self.hidden(x))


def subclassed(folder: Path | None, called: bool, epochs: int = 3) -> list[np.ndarray]:
    """Train a subclassed model, and end in the middle if there are fewer epochs."""
    keras.utils.set_random_seed(0)
    model = Subclassed()
    model.build((None, 2))
    x = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    if called:
        model(x)
    model.compile(keras.optimizers.Adam(0.1), "mse")
    resume = [ExactResume(folder, delete_checkpoint=False)] if folder else []
    first = resume[0].epoch if resume else 0
    model.fit(
        x,
        x[:, :1],
        batch_size=4,
        shuffle=False,
        epochs=epochs,
        initial_epoch=first,
        callbacks=resume,
        verbose=0,
    )
    return model.get_weights()


@pytest.mark.filterwarnings("ignore:`build")
def test_a_subclassed_model_that_was_called_is_resumed_to_the_same_values(tmp_path):
    subclassed(tmp_path, called=True, epochs=2)
    for weight, expected in zip(subclassed(tmp_path, True), subclassed(None, True), strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="On other backends Keras builds a model before it trains it.")
@pytest.mark.filterwarnings("ignore:`build")
def test_a_subclassed_model_that_was_only_built_is_told_to_be_called(tmp_path):
    subclassed(tmp_path, called=False, epochs=2)
    with pytest.raises(ValueError, match="call it on a batch first"):
        subclassed(tmp_path, called=False)


def test_another_first_epoch_is_refused(tmp_path):
    resume = begun(tmp_path)
    resume.on_train_begin()
    with pytest.raises(ValueError, match=r"continues in epoch 1.*initial_epoch.*Received: epoch 0"):
        resume.on_epoch_begin(0)


def test_a_checkpoint_with_a_callback_that_is_missing_is_refused(tmp_path):
    looped(tmp_path, limit=1, epochs=4, stop_after=1)
    resume = ExactResume(tmp_path)
    resume.set_model(build())
    with pytest.raises(ValueError, match="not in the list: Counter"):
        resume.on_train_begin()


@pytest.mark.parametrize("damage", [lambda content: content[:-200], lambda content: b"PK" * 99])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    path = begun(tmp_path).path
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="damaged"):
        ExactResume(tmp_path)


def test_steps_within_an_unknown_number_are_refused(tmp_path):
    resume = ExactResume(tmp_path, every_steps=1)
    resume.set_model(build())
    resume.set_params({"epochs": 1, "steps": None})
    resume.on_train_begin()
    resume.on_epoch_begin(0)
    with pytest.raises(ValueError, match="pass steps_per_epoch"):
        resume.on_train_batch_end(0)


def test_an_epoch_that_steps_per_execution_does_not_divide_is_refused(tmp_path):
    model = build()
    model.steps_per_execution = 3
    with pytest.raises(ValueError, match="Received: steps_per_epoch=4, steps_per_execution=3"):
        begun(tmp_path, model)


def test_the_clock_decides_when_to_save_within_an_epoch(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("core.callbacks.exact_resume.time.monotonic", lambda: now[0])
    resume = ExactResume(tmp_path, every_seconds=10)
    resume.set_model(build())
    resume.set_params({"epochs": 3, "steps": 9})
    resume.on_train_begin()
    resume.on_epoch_begin(0)
    for batch, seconds, exists in [(0, 9.0, False), (1, 10.0, True)]:
        now[0] = 100.0 + seconds
        resume.on_train_batch_end(batch)
        assert resume.path.exists() == exists
    assert ExactResume(tmp_path).step == 2


def test_every_steps_below_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Received: every_steps=0"):
        ExactResume(tmp_path, every_steps=0)
