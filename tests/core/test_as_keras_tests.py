"""Keras' own tests of the classes that ours stand in for, run on ours, where the package ships them."""

from __future__ import annotations

import importlib.util
import types
import unittest
import warnings

import keras
import pytest

from core.layers import FusedBatchNormalization, FusedGRU
from core.optimizers import FusedAdam, LazyAdam, RowWiseAdagrad


@keras.saving.register_keras_serializable(package="tests")
class FusedAdamW(FusedAdam, keras.optimizers.AdamW):
    """Our Adam with the constructor of Keras' AdamW."""


class Substituted(types.ModuleType):
    """A module in which other things stand under some of its names."""

    def __init__(self, module: types.ModuleType, **substitutes: object) -> None:
        super().__init__(module.__name__)
        self.__dict__.update({**vars(module), **substitutes})


class NotShipped(unittest.TestCase):
    @unittest.skip("The installed Keras ships no tests.")
    def test_nothing(self) -> None:
        """Say so in the list of tests."""


def own_tests(
    module_name: str, case: str, without: tuple[str, ...] = (), **substitutes: type
) -> type[unittest.TestCase]:
    """Return a test case of Keras in which our classes stand under Keras' names.

    Args:
        module_name: Of Keras' tests, within `keras.src`; it is read anew, so that nobody else sees ours.
        case: The name of the test case.
        without: Tests of what our class documents that it lacks.
        **substitutes: Our class by the name of Keras' own.
    """
    try:
        place = importlib.util.find_spec(f"keras.src.{module_name}")
    except ModuleNotFoundError:
        place = None
    if place is None or place.loader is None:
        return NotShipped
    module = importlib.util.module_from_spec(place)
    with warnings.catch_warnings(action="ignore"):  # of marks that Keras registers with its own pytest
        place.loader.exec_module(module)
    # Tests of optimizers import the class by its name, those of layers from `layers`.
    for name, ours in substitutes.items():
        if hasattr(module, name):
            setattr(module, name, ours)
        else:
            module.layers = Substituted(module.layers, **{name: ours})
    return type(case, (getattr(module, case),), {"__module__": __name__, **dict.fromkeys(without)})


GRU = own_tests("layers.rnn.gru_test", "GRUTest", GRU=FusedGRU)
BatchNormalization = own_tests(
    "layers.normalization.batch_normalization_test",
    "BatchNormalizationTest",
    BatchNormalization=FusedBatchNormalization,
)
Adam = own_tests("optimizers.adam_test", "AdamTest", Adam=FusedAdam)
AdamW = own_tests("optimizers.adamw_test", "AdamWTest", AdamW=FusedAdamW)
# Those that are for tables refuse amsgrad, which these two ask for.
AMSGRAD = ("test_config", "test_correctness_with_golden")
OfTables = own_tests("optimizers.adam_test", "AdamTest", AMSGRAD, Adam=LazyAdam)
OfRows = own_tests("optimizers.adam_test", "AdamTest", AMSGRAD, Adam=RowWiseAdagrad)


@pytest.mark.parametrize(
    ("case", "test", "ours", "method"),
    [
        (GRU, "test_pass_initial_state", FusedGRU, "inner_loop"),
        (BatchNormalization, "test_renorm_inference", FusedBatchNormalization, "build"),
        (Adam, "test_single_step", FusedAdam, "update_step"),
        (AdamW, "test_single_step", FusedAdamW, "update_step"),
        (OfTables, "test_single_step", LazyAdam, "update_step"),
        (OfRows, "test_single_step", RowWiseAdagrad, "update_step"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_test_of_keras_fails_where_ours_does(case, test, ours, method, monkeypatch):
    if case is NotShipped:
        pytest.skip("The installed Keras ships no tests.")

    def broken(*_: object, **__: object) -> None:
        raise NotImplementedError("ours is broken")

    monkeypatch.setattr(ours, method, broken)
    result = unittest.TestResult()
    case(test).run(result)
    assert ["ours is broken" in text for _, text in result.errors] == [True]
