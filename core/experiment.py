"""An experiment in full: a task, how it is fitted, what is checked first, and what a search may change."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic
from pydantic import Field

from core.data.audit import Audit, AuditReport, Compare, audited
from core.data.content import compared
from core.devices import dtype_policy
from core.dotted import Kinds, kinds_at, value_below
from core.errors import UserError
from core.fit import Fit
from core.ledger import Entry, Ledger
from core.settings import (
    Settings,
    parsed_override,
    read_yaml,
    require_path,
    shown,
    to_yaml,
    unknown_key,
    validated,
    with_override,
)
from core.task.contract import Encoder, Task
from core.trust import check_spelling, check_trusted, import_failure, loaded_class

if TYPE_CHECKING:
    import keras

    from core.data.examples import Splits

VERSION = 1
PARTS: dict[str, type[Settings]] = {"task": Task, "fit": Fit, "audit": Audit}
SEARCHED = ("task", "fit")
OF_A_RUN = "experiment.yaml"  # the name of a run's own configuration, which may be a stranger's


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
    ledger: list[Entry] = Field(
        [], exclude=True, repr=False, description="what was measured of it; a run's own YAML leaves it out"
    )

    demo: bool = Field(False, exclude=True, description="whether `quartet demo` trains it")

    def __eq__(self, other: object) -> bool:
        """Tell whether both train the same: what was measured or is shown of them does not matter."""
        names = [name for name, field in type(self).model_fields.items() if not field.exclude]
        return isinstance(other, Experiment) and all(
            getattr(self, name) == getattr(other, name) for name in names
        )

    @pydantic.field_validator("task")
    @classmethod
    def _same_from_everywhere(cls, task: Task) -> Task:
        data = absolute_source(task.data)
        return task if data == task.data else task.model_copy(update={"data": data})

    def value_at(self, path: str) -> Any:
        """Return the value at a dotted path such as `fit.learning_rate`; nothing below what is off.

        The path may lead into settings, mappings, and lists by places counted from 0.

        Raises:
            UserError: There is no such field, or no such place in a list.
        """
        value: Any = self
        keys = path.split(".")
        for depth, key in enumerate(keys):
            try:
                value = value_below(value, key)
            except KeyError:
                where = ".".join(keys[:depth])
                known = type(value).model_fields if isinstance(value, Settings) else ()
                if known:
                    raise UserError(unknown_key(key, known, where)) from None
                raise UserError(f"{where} holds no {key}. Received: {shown(value)}.") from None
        return value

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
            tree = _overridden(tree, path.split("."), value)
        return experiment_from(tree)

    def audited(
        self, splits: Splits, *, near_duplicates: bool = True, compare: Compare = compared
    ) -> tuple[Splits, AuditReport]:
        """Look for flaws in data that the task is about to use; deal with leaks as `audit` says.

        Args:
            splits: As the task loaded them.
            near_duplicates: Whether to look for them too, where `audit` says so.
            compare: Says which examples are equal, as for `core.data.audit.audited`.

        Raises:
            UserError: A part is empty, or leaks into another, or has labels that training lacks.
        """
        settings = self.audit
        if not near_duplicates:
            settings = settings.model_copy(update={"near_duplicates": False})
        task = self.task
        return audited(
            splits, settings, task.content, label=task.label, skip_bad=task.skip_bad, compare=compare
        )

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


def shipped_ledgers() -> dict[str, Ledger]:
    """Return what was measured of each shipped configuration, by its name.

    Raises:
        UserError: A ledger is not as it should be; the message says where.
    """
    return {name: _ledger_in(path) for name, path in configurations().items()}


def _ledger_in(path: Path) -> Ledger:
    """Return the ledger in a YAML file, whose other parts are not read: a list of all should be quick."""
    tree = read_yaml(path)
    task = tree.get("task")
    task_class = task_class_at(task.get("type") if isinstance(task, Mapping) else task)
    direction = next(iter(task_class.figures.values()), task_class.direction)
    try:
        return validated(Ledger, {"entries": tree.get("ledger") or [], "direction": direction}, "")
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


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
        check_trusted(_task_path(tree), path_of_yaml.parent, Task)
    for override in overrides:
        path, value = parsed_override(override)
        if len(path) == 1 and path[0] not in Experiment.model_fields:
            path = ["task", *path]
        if path[0] == "tune" and len(path) > 2:
            path = _searched(tree, path)
        if value is not None and _takes_text(tree, path):
            value = override.partition("=")[2]
        tree = _overridden(tree, path, value)
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


def _overridden(tree: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """Return the tree of an experiment with one value set; what it leaves out has its defaults."""
    part, *below = path
    if part not in PARTS or not below:
        return with_override(tree, path, value)
    section = _section(tree, part)
    if not isinstance(section, Mapping):  # is refused with the rest of the tree
        return dict(tree)
    return {**tree, part: with_override(section, below, value, _class_of(tree, part), part)}


def _class_of(tree: Mapping[str, Any], part: str) -> type[Settings] | None:
    """Return the class of a part of an experiment; nothing where the tree names no task yet."""
    if part != "task":
        return PARTS[part]
    task = tree.get("task")
    return task_class_at(task["type"]) if isinstance(task, Mapping) and "type" in task else None


def _kinds(tree: Mapping[str, Any], path: Sequence[str]) -> Kinds:
    """Return what the field at a path of an experiment may hold; nothing where there is no such field."""
    cls = _class_of(tree, path[0]) if path[0] in PARTS else None
    return kinds_at((cls,), path[1:]) if cls else ()


def _searched(tree: Mapping[str, Any], path: Sequence[str]) -> list[str]:
    """Return the path to a part of the search space, in which the path of what is searched is one key.

    Both have dots: of `tune.fit.learning_rate.max` the longest part that is searched already, or else that is
    a field, is what is searched.
    """
    names = [".".join(path[1:end]) for end in range(len(path), 2, -1)]
    searched = tree.get("tune") or {}
    name = next(
        (name for name in names if name in searched),
        next((name for name in names if _kinds(tree, name.split("."))), names[-1]),
    )
    inside = list(path[1 + len(name.split(".")) :])
    if inside[:1] == ["when"] and len(inside) > 1:
        inside = ["when", ".".join(inside[1:])]
    return ["tune", name, *inside]


def _takes_text(tree: Mapping[str, Any], path: Sequence[str]) -> bool:
    """Return whether a path leads to a field that is text alone, such as `007` or `{label}`."""
    return len(path) > 1 and _kinds(tree, path) == (str,)


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
        "ledger": [] if tree.get("ledger") is None else tree["ledger"],
        "demo": tree.get("demo", False),
    }
    experiment = validated(Experiment, parts, "")
    for path, space in experiment.tune.items():
        for name in (path, *space.when):
            part, *below = name.split(".")
            if part not in SEARCHED or not below:
                raise UserError(unknown_key(part, SEARCHED, "tune"))
            require_path((task_class if part == "task" else Fit,), below, f"tune.{part}")
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


def dotted_path(task_class: type[Task]) -> str:
    """Return the `module.Class` under which `task_class_at` finds a task again."""
    return f"{task_class.__module__}.{task_class.__qualname__}"


def task_class_at(path: object) -> type[Task]:
    """Return the task class at a dotted path such as `apps.nlp.sentiment.Sentiment`.

    Raises:
        UserError: There is no such module or class, or it is not a `Task`.
    """
    known = loaded_class(spelt := check_spelling(path), Task)
    if known is not None:
        return known
    module_name, _, class_name = spelt.rpartition(".")
    try:
        named = getattr(importlib.import_module(module_name), class_name)
    except (Exception, SystemExit) as error:  # whatever the module does when it is imported
        raise UserError(
            f"task.type names no class that can be imported: {import_failure(error)}. Received: {path!r}."
        ) from None
    if not (isinstance(named, type) and issubclass(named, Task)) or inspect.isabstract(named):
        raise UserError(f"task.type must name a subclass of core.task.contract.Task. Received: {path!r}.")
    return named


def built(experiment: Experiment, encoder: Encoder) -> keras.Model:
    """Return the experiment's model, fresh, under its dtype policy."""
    with dtype_policy(experiment.fit.precision):
        return experiment.task.build(encoder)
