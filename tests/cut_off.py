"""Trainings that are cut off, without being run once more for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.callbacks import ExactResume


def cut_off(folder: Path) -> Path:
    """Return where `copied_at` leaves the copy of a run."""
    return folder.with_name(f"{folder.name}_cut_off")


@contextmanager
def copied_at(folder: Path, *places: tuple[int, int]) -> Iterator[None]:
    """Copy a run as the end of its process would leave it, and let it train on.

    Args:
        folder: Of the run that is trained within this block.
        places: Epoch and step where a resume would start; the first that is saved counts.
    """

    def then_copied(method: Callable) -> Callable:
        def call(self: ExactResume, *arguments: object, **options: object) -> None:
            method(self, *arguments, **options)
            if (self.epoch, self.step) in places and not cut_off(folder).exists():
                shutil.copytree(folder, cut_off(folder))

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("on_train_batch_end", "on_epoch_end"):
            patch.setattr(ExactResume, name, then_copied(getattr(ExactResume, name)))
        yield
