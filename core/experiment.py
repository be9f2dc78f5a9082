"""An experiment in full: a task, how it is fitted, what is checked first, and what a search may change."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic
from pydantic import Field

from core.errors import UserError
from core.settings import (
    Settings,
    parsed_override,
    read_yaml,
    shown,
    to_yaml,
    unknown_key,
    validated,
    with_override,
)
from core.task import Task
from core.trust import check_spelling, check_trusted, loaded_task, told_import

if TYPE_CHECKING:
    import keras

VERSION = 1
OF_A_RUN = "experiment.yaml"  # the name of a run's own configuration, which may be a stranger's


class Fit(Settings):
    """How a model is fitted: the optimizer, its rate over time, and when to stop."""

    epochs: int = Field(10, ge=1, description="passes over the training part, at most")
    batch_size: int = Field(64, ge=1, description="examples a step")
    optimizer: Literal[
        "adam", "adamw", "sgd", "rmsprop", "adagrad", "lion", "muon", "lazy_adam", "row_wise_adagrad"
    ] = Field("adam", description="Keras optimizer, or one of core.optimizers for large tables")
    learning_rate: float = Field(1e-3, gt=0, description="highest learning rate")
    schedule: Literal["constant", "cosine"] = Field("constant", description="learning rate over the steps")
    warmup: float = Field(0.0, ge=0, lt=1, description="share of the steps in which the rate rises from 0")
    weight_decay: float = Field(0.0, ge=0, description="decoupled weight decay")
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the whole gradient")
    average_weights: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="momentum of an exponential average of the weights, which is kept at the end",
    )
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32", description="Keras dtype policy while training; auto tries whether bfloat16 is faster"
    )
    jit_compile: bool | Literal["auto"] = Field(
        "auto", description="compile the step with XLA; auto tries whether that is faster"
    )
    steps_per_execution: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto",
        description="steps that run at one call, a divisor of those of an epoch; auto tries whether several "
        "are faster",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="stop after so many epochs without gain on validation and keep the best weights",
    )
    imbalance: Literal["none", "weights", "sampler"] = Field(
        "none", description="rare classes: weighted in the loss, or drawn more often"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, order and augmentation")
    checkpoint_seconds: float = Field(
        30.0, ge=0, description="time between checkpoints for --resume; 0: every step"
    )
    rescues: int = Field(
        3,
        ge=0,
        description="how often a loss that is not finite is answered by the last good state and a lower rate",
    )
    tensorboard: bool = Field(True, description="write logs/ for TensorBoard")

    def steps_together(self, num_steps: int) -> int:
        """Return how many steps run at one call, for epochs of `num_steps`; one where that is left open.

        Raises:
            UserError: They do not divide an epoch, which Keras would let run over its end.
        """
        together = 1 if self.steps_per_execution == "auto" else self.steps_per_execution
        if num_steps % together:
            raise UserError(
                f"fit.steps_per_execution must divide the {num_steps} steps of an epoch. "
                f"Received: {together}."
            )
        return together

    def keras_optimizer(self, num_steps: int) -> keras.optimizers.Optimizer:
        """Return the Keras optimizer for a training of `num_steps` steps in all."""
        import keras

        rate: Any = self.learning_rate
        if self.schedule == "cosine" or self.warmup:
            warmup_steps = round(self.warmup * num_steps)
            rate = keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=0.0 if warmup_steps else rate,
                warmup_target=rate if warmup_steps else None,
                warmup_steps=warmup_steps,
                decay_steps=max(num_steps - warmup_steps, 1),
                alpha=0.0 if self.schedule == "cosine" else 1.0,
            )
        extra: dict[str, Any] = {"momentum": 0.9, "nesterov": True} if self.optimizer == "sgd" else {}
        return _optimizer_class(self.optimizer)(
            learning_rate=rate,
            weight_decay=self.weight_decay or None,  # which spares a pass over all weights
            global_clipnorm=self.clip_norm,
            use_ema=self.average_weights is not None,
            ema_momentum=self.average_weights or 0.99,
            **extra,
        )


def _optimizer_class(name: str) -> type[keras.optimizers.Optimizer]:
    import keras

    from core import optimizers

    own: dict[str, type[keras.optimizers.Optimizer]] = {
        "adam": optimizers.FusedAdam,
        "adamw": optimizers.FusedAdam,  # Adam with weight decay
        "lazy_adam": optimizers.LazyAdam,
        "row_wise_adagrad": optimizers.RowWiseAdagrad,
    }
    return own.get(name) or type(keras.optimizers.get(name))


class Audit(Settings):
    """What is done about flaws that are found in the data before training."""

    leaks: Literal["refuse", "drop", "allow"] = Field(
        "refuse",
        description="where validation or test share examples with train: stop, drop them from train, go on",
    )
    near_duplicates: bool = Field(True, description="look for near-duplicates too")


class Choice(Settings):
    """Values that a search may choose from; in a YAML a bare list is one."""

    values: list[Any] = Field(min_length=1)
    when: dict[str, list[Any]] = Field({}, description="searched only where these paths have these values")

    @pydantic.field_validator("when", mode="before")
    @classmethod
    def _listed(cls, when: Any) -> Any:
        return _listed(when)


class Range(Settings):
    """A stretch of numbers that a search may draw from."""

    min: float
    max: float
    step: float | None = Field(
        None, gt=0, description="distance of the values; on a log scale their ratio, above 1"
    )
    scale: Literal["linear", "log"] = "linear"
    when: dict[str, list[Any]] = Field({}, description="searched only where these paths have these values")

    @pydantic.field_validator("when", mode="before")
    @classmethod
    def _listed(cls, when: Any) -> Any:
        return _listed(when)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.min < self.max:
            raise ValueError(f"must have min below max, got {self.min} and {self.max}")
        if self.scale == "log" and self.min <= 0:
            raise ValueError(f"must have min above 0 on a log scale, got {self.min}")
        if self.scale == "log" and self.step is not None and self.step <= 1:
            raise ValueError(f"must have a step above 1 on a log scale, got {self.step}")
        return self


def _listed(when: Any) -> Any:
    if not isinstance(when, Mapping):
        return when
    return {path: value if isinstance(value, list) else [value] for path, value in when.items()}


def _space(value: Any) -> Any:
    if isinstance(value, list):
        return Choice(values=value)
    if isinstance(value, Mapping):
        return validated(Choice if "values" in value else Range, value, "tune")
    return value


Space = Annotated[Choice | Range, pydantic.BeforeValidator(_space)]


class Experiment(Settings):
    """What a YAML holds, in full; a run keeps its own."""

    version: int = Field(VERSION, description="of the format of configurations and run folders")
    task: pydantic.SerializeAsAny[Task]
    fit: Fit = Fit()
    audit: Audit = Audit()
    tune: dict[str, Space] = Field({}, description="search space: dotted path to choices or a range")

    @pydantic.field_validator("task")
    @classmethod
    def _same_from_everywhere(cls, task: Task) -> Task:
        data = absolute_source(task.data)
        return task if data == task.data else task.model_copy(update={"data": data})

    def value_at(self, path: str) -> Any:
        """Return the value at a dotted path such as `fit.learning_rate`."""
        part, _, field = path.partition(".")
        return getattr(getattr(self, part), field)

    def with_values(self, values: Mapping[str, Any]) -> Experiment:
        """Return the experiment with other values at dotted paths.

        Raises:
            UserError: A path is unknown, or a value is not one that its field takes.

        Example:

        >>> load_experiment("nlp/sentiment").with_values({"fit.epochs": 3}).fit.epochs
        3
        """
        tree = self._tree()
        for path, value in values.items():
            tree = with_override(tree, path.split("."), value)
        return experiment_from(tree)

    def to_yaml(self) -> str:
        """Return the experiment as YAML that `load_experiment` reads back to the same experiment."""
        return to_yaml(self._tree())

    def _tree(self) -> dict[str, Any]:
        tree = self.model_dump(mode="json")
        tree["task"] = {"type": dotted_path(type(self.task)), **tree["task"]}
        return tree


def configurations() -> dict[str, Path]:
    """Return the shipped configurations: name, such as `nlp/sentiment`, to file."""
    root = Path(__file__).parents[1] / "configs"
    return {
        str(path.relative_to(root).with_suffix("").as_posix()): path for path in sorted(root.rglob("*.yaml"))
    }


def configuration_path(name: str) -> Path:
    """Return the file of a shipped configuration, a YAML file, or a run folder's own.

    Raises:
        UserError: There is nothing of that name.
    """
    shipped = configurations()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.is_dir() and (path / OF_A_RUN).is_file():
        return path / OF_A_RUN
    if path.suffix in {".yaml", ".yml"}:
        return path
    raise UserError(unknown_key(name, shipped).replace("Unknown key", "Unknown task"))


def load_experiment(name: str, overrides: Sequence[str] = ()) -> Experiment:
    """Return the experiment of a task name or YAML file, with `key=value` overrides applied.

    Args:
        name: A shipped configuration such as `nlp/sentiment`, the path of a YAML file, or a run folder.
        overrides: Dotted paths and values. A key without a dot that is no part of the experiment belongs to
            the task: `data=reviews.tsv` is `task.data=reviews.tsv`. What is searched has a dot in its name:
            `tune.fit.epochs=[5,10]`.

    Raises:
        UserError: A name, a key or a value is not right, or a run names a task that `core.trust` knows
            nothing of; the message says which and what to do.

    Example:

    >>> load_experiment("nlp/sentiment", ["fit.epochs=3"]).fit.epochs
    3
    """
    path_of_yaml = configuration_path(name)
    tree: dict[str, Any] = read_yaml(path_of_yaml)
    if path_of_yaml.name == OF_A_RUN:
        check_trusted(_task_path(tree), path_of_yaml.parent)
    for override in overrides:
        path, value = parsed_override(override)
        if len(path) == 1 and path[0] not in Experiment.model_fields:
            path = ["task", *path]
        if path[0] == "tune" and len(path) > 2:
            path = ["tune", f"{path[1]}.{path[2]}", *path[3:]]
        if value is not None and _takes_text(tree, path):
            value = override.partition("=")[2]
        tree = with_override(tree, path, value)
    return experiment_from(tree)


def absolute_source(data: str) -> str:
    """Return a task's `data` so that it means the same in every working directory.

    Args:
        data: `sample`, `tfds:NAME[/CONFIG]` or a path; one where nothing is stays as it was typed.

    Example:

    >>> absolute_source("sample"), absolute_source("tfds:glue/sst2"), absolute_source("nowhere.csv")
    ('sample', 'tfds:glue/sst2', 'nowhere.csv')
    """
    named = data == "sample" or data.startswith("tfds:") or not data
    try:
        return data if named or not Path(data).exists() else str(Path(data).absolute())
    except (OSError, ValueError):  # too long for a path, or with a NUL
        return data


def _takes_text(tree: Mapping[str, Any], path: Sequence[str]) -> bool:
    """Return whether a path leads to a field of the task that is text, such as `007` or `{label}`."""
    task = tree.get("task")
    if path[0] != "task" or len(path) != 2 or not isinstance(task, Mapping) or "type" not in task:
        return False
    field = task_class_at(task["type"]).model_fields.get(path[1])
    return field is not None and field.annotation in (str, str | None)


def experiment_from(tree: Mapping[str, Any]) -> Experiment:
    """Return the experiment that a nested mapping describes; each part is checked under its own name."""
    unknown = [key for key in tree if key not in Experiment.model_fields]
    if unknown:
        raise UserError(unknown_key(unknown[0], Experiment.model_fields))
    if tree.get("version", VERSION) != VERSION:
        raise UserError(
            f"This Quartet reads configurations and runs of version {VERSION}. Train again, or use the "
            f"Quartet that wrote it. Received: version {shown(tree['version'])}."
        )
    task_class = task_class_at(_task_path(tree))
    parts = {
        "task": validated(task_class, {k: v for k, v in tree["task"].items() if k != "type"}, "task"),
        "fit": validated(Fit, _section(tree, "fit"), "fit"),
        "audit": validated(Audit, _section(tree, "audit"), "audit"),
        "tune": _section(tree, "tune"),
    }
    experiment = validated(Experiment, parts, "")
    for path, space in experiment.tune.items():
        for name in (path, *space.when):
            _require_field(name, {"task": task_class, "fit": Fit})
    return experiment


def _task_path(tree: Mapping[str, Any]) -> str:
    task_tree = tree.get("task")
    if not isinstance(task_tree, Mapping) or "type" not in task_tree:
        raise UserError("A configuration needs task.type, such as apps.nlp.sentiment.Sentiment.")
    return check_spelling(task_tree["type"])


def _section(tree: Mapping[str, Any], name: str) -> Any:
    """Return a part of an experiment; one that is left out or left blank has its defaults."""
    section = tree.get(name)
    return {} if section is None else section


def _require_field(path: str, parts: dict[str, type[Settings]]) -> None:
    part, _, field = path.partition(".")
    if part not in parts:
        raise UserError(unknown_key(part, parts, "tune"))
    if field not in parts[part].model_fields:
        raise UserError(unknown_key(field, parts[part].model_fields, f"tune.{part}"))


def dotted_path(task_class: type[Task]) -> str:
    """Return the `module.Class` under which `task_class_at` finds a task again."""
    return f"{task_class.__module__}.{task_class.__qualname__}"


def task_class_at(path: object) -> type[Task]:
    """Return the task class at a dotted path such as `apps.nlp.sentiment.Sentiment`.

    Raises:
        UserError: There is no such module or class, or it is not a `Task`.
    """
    known = loaded_task(spelt := check_spelling(path))
    if known is not None:
        return known
    module_name, _, class_name = spelt.rpartition(".")
    try:
        named = getattr(importlib.import_module(module_name), class_name)
    except (Exception, SystemExit) as error:  # whatever the module does when it is imported
        raise UserError(
            f"task.type names no class that can be imported: {told_import(error)}. Received: {path!r}."
        ) from None
    if not (isinstance(named, type) and issubclass(named, Task)) or inspect.isabstract(named):
        raise UserError(f"task.type must name a subclass of core.task.Task. Received: {path!r}.")
    return named
