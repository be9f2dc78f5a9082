"""The search space: an experiment's `tune` section as KerasTuner's hyperparameters, and values back again."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import keras_tuner as kt
import numpy as np

from core.errors import UserError
from core.experiment import Choice, Experiment, Range
from core.search.definition import Search

FINGERPRINT = "tuner/search"
SIGNIFICANT_DIGITS = 4  # of a proposed number: readable, and the same at both ends of a float32 wire


def search_space(search: Search) -> kt.HyperParameters:
    """Return the `tune` section of a search's experiment as KerasTuner's hyperparameters.

    Raises:
        UserError: There is none, a value is not one that its field takes, or the configuration's own value is
            not in the space.
    """
    experiment = search.experiment
    if not experiment.tune:
        raise UserError(
            "There is nothing to search: the configuration has no tune section. Add one to a YAML of your "
            "own, such as `tune: {fit.learning_rate: {min: 1e-4, max: 1e-2, scale: log}}`."
        )
    space = kt.HyperParameters()
    space.Fixed(FINGERPRINT, search.fingerprint())
    for path in _parents_first(experiment):
        definition = experiment.tune[path]
        _require_fitting(experiment, path, definition)
        with contextlib.ExitStack() as conditions:
            for parent, values in definition.when.items():
                choices = [_choice(experiment.tune[parent], value) for value in values]
                conditions.enter_context(space.conditional_scope(parent, choices))
            _define(space, path, definition, experiment.value_at(path))
    return space


def _parents_first(experiment: Experiment) -> list[str]:
    ordered: list[str] = []
    while len(ordered) < len(experiment.tune):
        ready = [
            path
            for path, definition in experiment.tune.items()
            if path not in ordered and all(parent in ordered for parent in definition.when)
        ]
        if not ready:
            path = next(path for path in experiment.tune if path not in ordered)
            raise UserError(
                f"tune.{path}.when must name other searched paths, and not go round in a circle. "
                f"Received: {', '.join(experiment.tune[path].when)}."
            )
        ordered += ready
    return ordered


def _require_fitting(experiment: Experiment, path: str, definition: Choice | Range) -> None:
    """Try every choice, or both ends of a range, on the field itself, and look for its present value."""
    edges = definition.values if isinstance(definition, Choice) else [definition.min, definition.max]
    present = experiment.value_at(path)
    for edge in edges:
        try:
            experiment.with_values({path: int(edge) if _is_integer(definition, present) else edge})
        except UserError as error:
            raise UserError(f"tune.{path}: {error}") from None
    active = all(experiment.value_at(parent) in values for parent, values in definition.when.items())
    if not active:
        return
    if isinstance(definition, Choice):
        inside = present in definition.values or _plain(present) in definition.values
        allowed = str(definition.values)
    else:
        inside = present is not None and definition.min <= present <= definition.max
        allowed = f"{definition.min:g} to {definition.max:g}"
    if not inside:
        raise UserError(
            f"tune.{path} must hold the configuration's own value, from which a search starts: widen it, or "
            f"set {path}. Received: {present!r}, and a space of {allowed}."
        )


def _is_integer(definition: Choice | Range, present: Any) -> bool:
    if isinstance(definition, Choice) or isinstance(present, float):
        return False
    ends = (definition.min, definition.max, definition.step or 1)
    return all(float(end).is_integer() for end in ends)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _choice(definition: Choice | Range, value: Any) -> Any:
    """Return a choice as KerasTuner takes it: numbers of one kind or text as it is, all else by its place."""
    if isinstance(definition, Range) or _simple(definition.values):
        return value
    return definition.values.index(value)


def _simple(values: list[Any]) -> bool:
    return len({type(value) for value in values}) == 1 and type(values[0]) in (str, int, float)


def _define(space: kt.HyperParameters, path: str, definition: Choice | Range, present: Any) -> None:
    if isinstance(definition, Choice):
        choices = [_choice(definition, value) for value in definition.values]
        own = _plain(present)
        default = _choice(definition, own) if own in definition.values else choices[0]
        space.Choice(
            path,
            choices,
            default=default,
            ordered=_simple(definition.values) and not isinstance(choices[0], str),
        )
        return
    inside = present is not None and definition.min <= present <= definition.max
    default = present if inside else definition.min
    scale = {"step": definition.step, "sampling": definition.scale}
    if _is_integer(definition, present):
        scale["step"] = None if definition.step is None else int(definition.step)
        space.Int(path, int(definition.min), int(definition.max), default=int(default), **scale)
    else:
        space.Float(path, definition.min, definition.max, default=float(default), **scale)


def chosen_values(search: Search, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted paths and the values that KerasTuner chose for them, as the experiment takes them."""
    chosen: dict[str, Any] = {}
    for path, value in values.items():
        definition = search.experiment.tune.get(path)
        if definition is None:
            continue
        if isinstance(definition, Choice) and not _simple(definition.values):
            value = definition.values[int(value)]
        chosen[path] = _rounded(value)
    return chosen


def _rounded(value: Any) -> Any:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


def own_values(space: kt.HyperParameters) -> dict[str, Any]:
    """Return the values of the configuration itself, those that are active."""
    own = kt.HyperParameters()
    for parameter in space.space:
        own.merge([parameter])
        if own.is_active(parameter):
            own.values[parameter.name] = parameter.default
    return own.values


def candidate_values(
    space: kt.HyperParameters,
    centres: list[dict[str, Any]],
    generator: np.random.Generator,
    num_everywhere: int = 1000,
    num_near: int = 200,
) -> list[dict[str, Any]]:
    """Return values drawn all over the space, and around each of some good ones.

    Args:
        space: Whose hyperparameters are drawn.
        centres: Values of good trials.
        generator: Of the draws.
        num_everywhere: How many are drawn all over.
        num_near: How many around each centre; each keeps about half of the centre's values.
    """
    parameters = _searched(space)
    draws = [generator.uniform(size=(num_everywhere, len(parameters)))]
    for centre in centres:
        middle = np.array([_place(parameter, centre) for parameter in parameters])
        moved = middle + generator.normal(scale=0.1, size=(num_near, len(parameters)))
        anywhere = generator.uniform(size=moved.shape)
        unordered = np.array([not _is_ordered(parameter) for parameter in parameters])
        moved = np.where(unordered, anywhere, np.clip(moved, 0, 1))
        draws.append(np.where(generator.uniform(size=moved.shape) < 0.5, moved, middle))
    return [_values_at(space, parameters, point) for point in np.concatenate(draws)]


def points_of(space: kt.HyperParameters, trials: list[dict[str, Any]]) -> np.ndarray:
    """Return values as points that a regression takes: numbers in [0, 1], unordered choices one-hot.

    Args:
        space: To which the values belong.
        trials: Values, of what is active.

    Returns:
        float64, shape `(num_trials, num_features)`; what is inactive stands in the middle.
    """
    features = []
    for parameter in _searched(space):
        places = np.array([_place(parameter, values) for values in trials])
        if _is_ordered(parameter):
            features.append(places[:, None] if len(trials) else np.zeros((0, 1)))
            continue
        options = np.array(parameter.values, dtype=object)
        chosen = np.array([values.get(parameter.name) for values in trials], dtype=object)
        # Two choices are one step of a number apart.
        features.append((chosen[:, None] == options) / np.sqrt(2))
    return np.concatenate(features, axis=1).astype(np.float64)


def _searched(space: kt.HyperParameters) -> list[Any]:
    return [
        parameter for parameter in space.space if not isinstance(parameter, kt.engine.hyperparameters.Fixed)
    ]


def _is_ordered(parameter: Any) -> bool:
    return bool(getattr(parameter, "ordered", True))


def _place(parameter: Any, values: Mapping[str, Any]) -> float:
    return parameter.value_to_prob(values[parameter.name]) if parameter.name in values else 0.5


def _values_at(space: kt.HyperParameters, parameters: list[Any], point: np.ndarray) -> dict[str, Any]:
    places = dict(zip((id(parameter) for parameter in parameters), point.tolist(), strict=True))
    drawn = kt.HyperParameters()
    for parameter in space.space:
        drawn.merge([parameter])
        if drawn.is_active(parameter):
            place = places.get(id(parameter))
            drawn.values[parameter.name] = (
                parameter.default if place is None else parameter.prob_to_value(place)
            )
    return drawn.values
