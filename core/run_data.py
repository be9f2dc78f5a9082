"""The data of a run: loaded anew, and whether they are still the same by fingerprints of all three parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.data.content import compared, content_hash, fingerprint
from core.data.splitting import PARTS
from core.errors import UserError
from core.writing import parsed_json, to_json

if TYPE_CHECKING:
    from core.data.examples import Examples, Splits
    from core.run import Run
    from core.task.contract import Task

Fingerprints = dict[str, dict[str, str]]
"""Part to `inputs` and `targets`, each 16 hexadecimal digits."""

KEY = "fingerprints"  # under which `audit.json` and `metrics.json` keep them
# Where an example was read from is no part of it: the same data may have moved.
_PLACES = ("path",)


def fingerprints(splits: Splits, task: Task) -> Fingerprints:
    """Return what changes when any input or target of any part changes, or their order.

    The targets are the task's labels, or where it has none all columns that are no input.

    Args:
        splits: Audited examples.
        task: Says which columns are inputs and which are labels.
    """
    return {name: _of_part(getattr(splits, name), task) for name in PARTS}


def _of_part(part: Examples, task: Task) -> dict[str, str]:
    inputs = [name for name in task.content if name in part]
    others = [name for name in sorted(part.columns) if name not in (*inputs, *_PLACES)]
    targets = [task.label] if task.label is not None and task.label in part else others
    return {"inputs": fingerprint(part, inputs), "targets": fingerprint(part, targets)}


def whole_fingerprint(parts: Fingerprints) -> str:
    """Return 16 hexadecimal digits that stand for the inputs and targets of all parts."""
    return hashlib.blake2b(to_json(parts).encode(), digest_size=8).hexdigest()


def described(splits: Splits, task: Task) -> dict[str, Any]:
    """Return the fingerprints of audited data as `metrics.json` keeps them."""
    parts = fingerprints(splits, task)
    return {"fingerprint": whole_fingerprint(parts), KEY: parts}


def require_same(run: Run, splits: Splits) -> None:
    """Refuse audited data that are not those which a finished run was trained and judged on.

    Raises:
        UserError: An input or a target of any part differs; of runs that keep no more, an input of training.
    """
    task, kept = run.experiment.task, run.metrics["data"]
    expected = kept.get(KEY)
    if expected is None:
        current_fingerprint, same = fingerprint(splits.train, task.content), "the inputs of train"
        changed = "" if current_fingerprint == kept["fingerprint"] else same
    else:
        parts = fingerprints(splits, task)
        current_fingerprint, changed = whole_fingerprint(parts), _changed(parts, expected)
    if changed:
        raise UserError(
            f"The data at {task.data} are not those that {run.folder} was trained on: {changed} differ. "
            f"Bring them back, or train anew. Received: fingerprint {current_fingerprint}, of the run "
            f"{kept['fingerprint']}."
        )


def require_same_as_checkpoint(run: Run, current: Fingerprints) -> None:
    """Refuse to go on from a checkpoint with other data than it was trained on.

    Args:
        run: A run under way, before its `audit.json` is written anew.
        current: Of the audited data.

    Raises:
        UserError: An input or a target of any part differs.
    """
    path = run.folder / "audit.json"
    expected = parsed_json(path).get(KEY) if path.is_file() else None
    if expected is None:
        return
    changed = _changed(current, expected)
    if changed and run.can_be_resumed:
        raise UserError(
            f"The data at {run.experiment.task.data} changed since the checkpoint of {run.folder}: {changed} "
            "differ. Bring them back to go on, or train anew in another folder. Received: fingerprint "
            f"{whole_fingerprint(current)}, of the checkpoint {whole_fingerprint(expected)}."
        )
    if changed:
        # How steps are computed was chosen for the examples that there were.
        (run.folder / "compilation.json").unlink(missing_ok=True)


def _changed(current: Fingerprints, expected: Mapping[str, Mapping[str, str]]) -> str:
    """Return which inputs and targets of which parts differ, in words."""
    words = []
    for kind in ("inputs", "targets"):
        parts = [name for name in PARTS if current[name][kind] != expected.get(name, {}).get(kind)]
        if parts:
            words.append(f"the {kind} of {', '.join(parts)}")
    return " and ".join(words)


def compared_as_before(parts: Mapping[str, Examples], key: tuple[str, ...]) -> dict[str, Any]:
    """Return the hashes by which audits told examples apart when runs kept no fingerprints of all parts."""
    return {name: content_hash(part, key) for name, part in parts.items()}


def reloaded(run: Run) -> Splits:
    """Return a run's data, loaded anew and audited as they were for its training.

    Raises:
        UserError: They are gone, or are no longer what the run was trained on.
    """
    experiment = run.experiment
    before = KEY not in run.metrics["data"] and experiment.audit.leaks == "drop"
    # Near-duplicates are reported and never dropped, so looking for them again would change nothing.
    splits, _ = experiment.audited(
        experiment.task.load(), near_duplicates=False, compare=compared_as_before if before else compared
    )
    require_same(run, splits)
    return splits
