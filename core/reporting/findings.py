"""What most needs mending in a model, found in the figures of its report and ordered by what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from core.answers.finding import Finding
from core.answers.kind import Answers

SHOWN = 3
WORTH_TELLING = 0.02  # share of the loss
OVERFITTED = 1.1  # validation loss at the end, in units of its best
STILL_GAINING = 0.01  # relative gain over the last fifth of the epochs
WAITING = 0.1

Tree = Mapping[str, Any]


def findings_of(tree: Tree, kind: type[Answers] | None = None) -> list[dict[str, Any]]:
    """Return what to mend, the costliest first, as plain data.

    Args:
        tree: The figures of a report, without the findings.
        kind: Of the answers, where reports know it.
    """
    looks = [*LOOKS, *([kind.findings] if kind and tree["kind"] else [])]
    findings = [finding for look in looks for finding in look(tree) if finding.stake >= WORTH_TELLING]
    return [asdict(finding) for finding in sorted(findings, key=lambda finding: -finding.stake)]


def _rivals(tree: Tree) -> Iterator[Finding]:
    """A rival that is as good, at a fraction of the cost, puts the whole model in question."""
    if not tree["figures"] or not tree["figures"][0]["rivals"]:
        return
    figure = tree["figures"][0]
    smaller = figure["lower_is_better"]
    rival = (min if smaller else max)(figure["rivals"], key=figure["rivals"].__getitem__)
    value, theirs = figure["value"], figure["rivals"][rival]
    evidence = f"{figure['name']}: model {value:.4f}, {rival} {theirs:.4f}"
    better = (theirs < value) if smaller else (theirs > value)
    beside = figure["beside"].get(rival)
    if beside is not None:
        gain = beside["gain"]
        unsure = not gain["significant"]
        evidence += f"; difference {gain['low']:+.4f} to {gain['high']:+.4f}"
    else:
        unsure = figure["low"] is not None and figure["low"] <= theirs <= figure["high"]
        evidence += f"; interval of the model {figure['low']:.4f} to {figure['high']:.4f}" if unsure else ""
    if unsure:  # a loss that chance alone can make is no more reported as one than such a gain is
        advice = "Tune the model or give it more data before you pay for it; more test examples tell more."
        yield Finding(f"No sure gain over {rival}", evidence, advice, 1.0, "figures")
    elif better:
        advice = "Use the rival, or find out what it sees: more data, a longer training, its features."
        yield Finding(f"{rival} is better than the model", evidence, advice, 2.0, "figures")


def _fitting(tree: Tree) -> Iterator[Finding]:
    """Epochs too many or too few, and a gap between training and validation."""
    history, objective = tree["history"], tree["objective"]
    losses = [value for value in history.get("val_loss", ()) if value is not None]
    best = losses.index(min(losses)) if losses else 0
    if losses and losses[-1] > OVERFITTED * losses[best]:
        yield Finding(
            "The model overfits",
            f"validation loss {losses[best]:.4f} after epoch {best + 1}, at the end {losses[-1]:.4f}",
            "Stop there (fit.patience=3), or add dropout, weight decay or augmentation.",
            min(1 - losses[best] / losses[-1], 1.0),
            "learning",
        )
    elif (gap := _gap(history)) is not None:
        yield gap
    if objective and (gaining := _still_gaining(history, objective)):
        yield gaining


def _gap(history: Mapping[str, list[float | None]]) -> Finding | None:
    train, validation = (history.get(name, [None])[-1] for name in ("accuracy", "val_accuracy"))
    if train is None or validation is None or validation >= 1 or train - validation < WORTH_TELLING:
        return None
    return Finding(
        "The model knows its training examples better than new ones",
        f"accuracy after the last epoch: training {train:.4f}, validation {validation:.4f}",
        "More data or augmentation, more dropout or weight decay, or a smaller model.",
        min((train - validation) / (1 - validation), 1.0) / 2,
        "learning",
    )


def _still_gaining(history: Mapping[str, list[float | None]], objective: Mapping[str, str]) -> Finding | None:
    values = [value for value in history.get(objective["name"], ()) if value is not None]
    if len(values) < 3:
        return None
    before, last = values[-1 - max(len(values) // 5, 1)], values[-1]
    minimised = objective["direction"] == "min"
    best = min(values) if minimised else max(values)
    gain = (before - last if minimised else last - before) / max(abs(last if minimised else 1 - last), 1e-9)
    if last != best or gain < STILL_GAINING:
        return None
    return Finding(
        "The training stopped while it still gained",
        f"{objective['name']} went from {before:.4f} to {last:.4f} in the last epochs, best at the end",
        f"Train longer, for example fit.epochs={2 * len(values)}.",
        min(gain, 1.0),
        "learning",
    )


def _slices(tree: Tree) -> Iterator[Finding]:
    """The slice that is worse than the rest, where that is no chance."""
    worst = tree["worst_slice"]
    if not worst or not worst["significant"] or not tree["mean_loss"]:
        return
    yield Finding(
        f"Worse where {worst['column']} is {worst['value']}",
        f"{tree['slice_figure']} {worst['figure']:.3f}, all others {worst['rest']:.3f}; {worst['examples']} "
        f"examples, p = {worst['p']:.2g}",
        "Look at these examples, and add training examples like them.",
        worst["excess"] / tree["mean_loss"],
        "slices",
    )


def _data(tree: Tree) -> Iterator[Finding]:
    """What the audit found, and a test part too small to tell."""
    sizes = tree["data"]
    for flaw in tree["audit"]:
        of_test = "of test" in flaw["kind"]
        size = sizes.get("test" if of_test else "train") or 1
        yield Finding(
            f"Data: {flaw['count']} {flaw['kind']}",
            f"such as {'; '.join(flaw['instances'])}",
            "Leave them out (audit.leaks=drop) or mend them: figures are too good while they stand there."
            if of_test
            else "Look at them in the data, and mend or remove them.",
            min(flaw["count"] / size * (5 if of_test else 1), 1.0),
            "trained",
        )


def _speed(tree: Tree) -> Iterator[Finding]:
    """A training that waits for its data."""
    waited = tree["cost"].get("data_wait_share") or 0.0
    if waited > WAITING:
        yield Finding(
            "The training waits for its data",
            f"{waited:.0%} of the time",
            "Give it more processors, a faster disk, or data already of the right size.",
            waited / 5,
            "cost",
        )


def _precision(tree: Tree) -> Iterator[Finding]:
    """Too few test examples to tell models apart."""
    figure = tree["figures"][0] if tree["figures"] else None
    if figure is None or figure["low"] is None or not tree.get("mean_loss"):
        return
    # Of a figure that may be any number, such as decibels, the width is taken as a share of it.
    size = 1.0 if figure["low"] >= 0 and figure["high"] <= 1 else max(abs(figure["value"]), 1e-9)
    width = (figure["high"] - figure["low"]) / size
    if width > WORTH_TELLING * 2:
        yield Finding(
            "Few test examples: small gains can't be told from chance",
            f"{figure['name']} lies between {figure['low']:.4f} and {figure['high']:.4f} "
            f"({figure['confidence']:.0%} interval, {tree['data']['test']} examples)",
            "Judge on more examples, or by folds: quartet evaluate TASK --folds 5.",
            min(width / 2, 0.5),
            "figures",
        )


LOOKS: tuple[Callable[[Tree], Iterator[Finding]], ...] = (
    _rivals,
    _fitting,
    _slices,
    _data,
    _speed,
    _precision,
)
