"""A run that is served: loaded, warmed up, and replaced by a newer one without losing a request."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.inputs import joined
from core.inputs.kind import Choices
from core.inputs.limits import Limits
from core.run import Run
from core.serving.batching import MicroBatcher, Predict
from core.serving.candidates import try_apart
from core.serving.problems import Problem
from core.serving.requests import Schema, decoded
from core.serving.settings import Batching
from core.task.contract import Options, Task
from core.task.contract import Predict as Answer

log = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Observe = Callable[[int, float], None]


@dataclass(frozen=True)
class Source:
    """Where a served run is found.

    Args:
        name: In the paths of its routes.
        folder: A run, a link to one, or a folder of runs, of which the newest finished one is served.
    """

    name: str
    folder: Path

    @classmethod
    def parse(cls, text: str) -> Source:
        """Return what `FOLDER` or `NAME=FOLDER` says.

        Raises:
            UserError: The name can't stand in a path.

        Example:

        >>> Source.parse("reviews=runs/sst2")
        Source(name='reviews', folder=PosixPath('runs/sst2'))
        """
        name, equals, folder = text.rpartition("=")
        path = Path(folder)
        name = name if equals else path.absolute().name
        if not NAME.fullmatch(name):
            raise UserError(
                "The name of a run stands in the path of its routes: letters, digits, '.', '_' and '-'. Give "
                f"one as NAME={folder}. Received: {name!r}."
            )
        return cls(name, path)

    def finished(self) -> list[Run]:
        """Return the runs that can be served, the newest first.

        Raises:
            UserError: There is no finished run.
        """
        folder = self.folder.resolve()
        if (folder / "experiment.yaml").is_file() or not folder.is_dir():
            run = Run(folder)
            _ = run.metrics
            return [run]
        finished = [path for path in folder.glob("*/metrics.json") if _is_run(path.parent)]
        if not finished:
            raise UserError(f"{self.folder} is no run folder, and holds no finished run.")
        newest_first = sorted(finished, key=_age)
        return [Run(path.parent) for path in newest_first]


def _age(metrics: Path) -> tuple[int, list[int]]:
    """Return what sorts the newest first; of two that are as old, the one whose name comes last."""
    return -metrics.stat().st_mtime_ns, [-ord(letter) for letter in metrics.parent.name]


def _is_run(folder: Path) -> bool:
    return not folder.name.startswith(".") and (folder / "experiment.yaml").is_file()


Version = tuple[str, int, int]


def version_of(run: Run) -> Version:
    """Return what tells this training from any other, even one in a folder of the same name."""
    status = (run.folder / "metrics.json").stat()  # it is written last
    return str(run.folder), status.st_ino, status.st_mtime_ns


@dataclass(frozen=True)
class WarmModel:
    """A model that has been called, so no request has to wait for its compilation.

    Args:
        predict: From raw inputs to answers.
        examples: Inputs in JSON, each with its answer.
    """

    predict: Predict
    examples: list[tuple[Any, dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class Optioned:
    """A raw input with what is asked of its answer.

    Args:
        value: The input.
        options: Of the answer.
    """

    value: Any
    options: Options


def by_options(predictor: Callable[[Options], Answer]) -> Predict:
    """Return what answers inputs that came together with different options: those of equal ones at once.

    Args:
        predictor: From options to the function from raw inputs to answers.
    """

    def answered(asked: list[Optioned]) -> list[Any]:
        places: dict[str, list[int]] = {}
        for place, each in enumerate(asked):
            places.setdefault(each.options.model_dump_json(), []).append(place)
        answers: dict[int, Any] = {}
        for group in places.values():
            values = [asked[place].value for place in group]
            answers.update(zip(group, predictor(asked[group[0]].options)(values), strict=True))
        return [answers[place] for place in range(len(asked))]

    return answered


def steady_sizes(largest: int) -> list[int]:
    """Return the sizes that batches are filled up to: powers of two, and the largest.

    Example:

    >>> steady_sizes(48)
    [1, 2, 4, 8, 16, 32, 48]
    """
    return [*(2**power for power in range((largest - 1).bit_length())), largest]


def in_steady_sizes(predict: Predict, sizes: Sequence[int]) -> Predict:
    """Return `predict` with batches filled up to one of a few sizes.

    XLA compiles a model anew for each size of a batch: so no request meets a size for the first time.
    """

    def filled(values: list[Any]) -> Sequence[Any]:
        size = next(size for size in sizes if size >= len(values))
        return predict(values + values[-1:] * (size - len(values)))[: len(values)]

    return filled


def warm_up(run: Run, schema: Schema, batching: Batching) -> WarmModel:
    """Load the model of a run and call it with several sizes of batches.

    Raises:
        UserError: It can't be loaded, or can't answer the examples of its kind.
    """
    task = run.experiment.task
    given = schema.input.examples()
    body: Any = schema.predict
    checked = [body.model_validate({"inputs": [value]}).inputs[0] for value in given]
    values = decoded(checked, schema.input, schema.limits, "predict")
    predict: Predict = task.predictor(run.model, run.encoder)
    if schema.has_options:
        options = schema.options()
        values = [Optioned(value, options) for value in values]
        predict = by_options(lambda options: task.predictor(run.model, run.encoder, options))
    sizes = steady_sizes(batching.size)
    for value in values:  # each alone, since they may take different ways through the task
        for size in sizes:
            predict([value] * size)
    if getattr(run.model, "jit_compile", False):
        predict = in_steady_sizes(predict, sizes)
    examples = list(zip(given, predict(values), strict=True))
    return WarmModel(predict, examples)


def turns() -> contextlib.AbstractContextManager[Any]:
    """Return what lets one thread at a time call a model, where several can't.

    On JAX a call of Keras takes the model's arrays as its own, and puts others in their place at its end.
    """
    keras = sys.modules.get("keras")
    return threading.Lock() if keras and keras.backend.backend() == "jax" else contextlib.nullcontext()


class LoadedRun:
    """A run in memory, with the batcher in front of its model.

    Args:
        run: A finished run.
        version: Of the run.
        schema: What requests to it may hold.
        warm: Its model.
        batching: How inputs are put together.
        observe: Called after each batch.
    """

    def __init__(
        self,
        run: Run,
        version: Version,
        schema: Schema,
        warm: WarmModel,
        batching: Batching,
        observe: Observe | None,
    ) -> None:
        self.run, self.version, self.schema, self.examples = run, version, schema, warm.examples
        self.choices: Choices = schema.input.choices()
        self.users = 0
        self.turn = turns()
        """Held by whoever calls the model."""

        def predict(values: list[Any]) -> Sequence[Any]:
            with self.turn:
                return warm.predict(values)

        self.batcher = MicroBatcher(predict, batching, observe)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[LoadedRun]:
        """Keep the run in memory until the block ends."""
        self.users += 1
        try:
            yield self
        finally:
            self.users -= 1

    async def retire(self) -> None:
        """Let go of the run when nobody uses it any more."""
        while self.users:
            await asyncio.sleep(0.05)
        await self.batcher.close()


class ServedRun:
    """A name under which whatever run is the newest is served.

    Args:
        source: Where runs are found.
        batching: How inputs are put together.
        limits: What a request may ask for.
        observe: Called after each batch.
        try_seconds: Newer runs are loaded in a process of their own first, which may take so long; 0: not.

    Raises:
        UserError: There is no finished run, or its task can't be served.
    """

    def __init__(
        self,
        source: Source,
        batching: Batching,
        limits: Limits,
        observe: Observe | None = None,
        try_seconds: float = 0.0,
    ) -> None:
        self.source, self.batching, self.limits, self.observe = source, batching, limits, observe
        self.try_seconds = try_seconds
        self.current: LoadedRun | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._refused: set[Version | None] = set()
        self.task, self.schema = self._first_that_opens()
        """Of the run that will be served; the schema says what requests may hold until it is loaded."""

    def _first_that_opens(self) -> tuple[type[Task], Schema]:
        problem: UserError | None = None
        for run in self.source.finished():
            try:
                return type(run.experiment.task), schema_of(run, self.limits)
            except UserError as error:
                problem = problem or error
                self._refuse(version_of(run), error)
        raise problem or UserError(f"{self.source.folder} holds no finished run.")

    @property
    def name(self) -> str:
        """In the paths of its routes."""
        return self.source.name

    async def load(self) -> None:
        """Load the newest run that can be loaded.

        Raises:
            UserError: There is none.
        """
        problem: Exception | None = None
        for run in await asyncio.to_thread(self.source.finished):
            if version_of(run) in self._refused:
                continue
            try:
                await self._take(run)
                return
            except Exception as error:
                problem = problem or error
                self._refuse(version_of(run), error)
        raise problem or UserError(f"{self.source.folder} holds no run that can be loaded.")

    async def _take(self, run: Run) -> None:
        """Load and warm up a run, then let it take the place of the one that is served.

        Raises:
            UserError: It can't be loaded.
        """
        version = version_of(run)
        schema = await asyncio.to_thread(schema_of, run, self.limits)
        if type(schema.input) is not type(self.schema.input) or schema.options is not self.schema.options:
            raise UserError(f"{run.folder} takes another kind of input than before: serve it by a new name.")
        warm = await asyncio.to_thread(warm_up, run, schema, self.batching)
        _settle_memory()
        before = self.current
        self.current = LoadedRun(run, version, schema, warm, self.batching, self.observe)
        log.info("%s: serving the run %s", self.name, run.folder.name)
        if before is not None:
            self._retire(before)

    def _retire(self, loaded: LoadedRun) -> None:
        task = asyncio.create_task(loaded.retire())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    def _refuse(self, version: Version | None, error: BaseException) -> None:
        if version not in self._refused:
            self._refused.add(version)
            reason = str(error) or type(error).__name__
            log.warning("%s: goes without a run that can't be loaded: %s", self.name, reason)

    def _newer(self) -> Run | None:
        """Return the newest run that was not refused, if it is another than the one that is served."""
        for run in self.source.finished():
            version = version_of(run)
            if version not in self._refused:
                return None if self.current and version == self.current.version else run
        return None

    async def reload_if_newer(self) -> bool:
        """Serve a newer run where there is one; one that can't be loaded is reported in the log, once.

        Returns:
            Whether another run is served now.
        """
        version = None
        try:
            run = await asyncio.to_thread(self._newer)
            if run is None:
                return False
            version = version_of(run)
            if self.try_seconds:
                await try_apart(run, self.try_seconds)
            await self._take(run)
        except (Exception, SystemExit) as error:
            self._refuse(version, error)
            return False
        return True

    @contextlib.contextmanager
    def using(self) -> Iterator[LoadedRun]:
        """Give the run that is served now, which stays in memory until the block ends.

        Raises:
            Problem: It is not loaded yet.
        """
        loaded = self.current
        if loaded is None:
            raise Problem(503, f"{self.name} is not loaded yet.", retry_after=5)
        with loaded.in_use():
            yield loaded

    async def close(self) -> None:
        """Answer what was accepted, then let go."""
        if self.current is not None:
            self._retire(self.current)
            self.current = None
        await asyncio.gather(*self._retiring)


def _settle_memory() -> None:
    """Let garbage collections pass over what stays: else each stops all answers for a quarter of a second."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def schema_of(run: Run, limits: Limits) -> Schema:
    """Return what requests to a run may hold.

    Raises:
        UserError: Its task does not say what it takes.
    """
    task = run.experiment.task
    if not task.takes:
        raise UserError(
            f"{run.folder} can't be served: its task does not say what inputs it takes. Give "
            f'{type(task).__name__} takes = {{"text": Text()}}, for example, of core.inputs. Received: none.'
        )
    _, kind = joined(task.inputs(run.encoder))
    return Schema.of(task, kind, limits)
