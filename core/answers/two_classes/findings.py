"""What most needs mending in answers of how likely something is."""

from __future__ import annotations

from collections.abc import Iterator

from core.answers.finding import Finding
from core.answers.kind import Tree

MISCALIBRATED = 0.05  # of how often it happens
GUESSING = 0.55  # area under the curve up to which a model hardly tells the two apart


def findings(tree: Tree) -> Iterator[Finding]:
    """Yield probabilities that mislead, and a model that hardly tells the two classes apart."""
    details = tree["details"]
    (label,) = details["per_class"]
    area = details["per_class"][label]["auc"]
    if area < GUESSING:
        yield Finding(
            f"“{label}” is hardly told from the rest",
            f"area under the curve {area:.3f}, guessing 0.5",
            "Look for columns that say more, or for more data: of what is rare, few examples say little.",
            1.0,
            "curves",
        )
    yield from _calibration(tree, label)


def _calibration(tree: Tree, label: str) -> Iterator[Finding]:
    details = tree["details"]
    bins = details["reliability_calibrated"] or details["reliability"]
    excess = bins["calibration_error"] - bins["expected_by_chance"]
    if excess < MISCALIBRATED * bins["rate"] or excess < bins["expected_by_chance"] / 2:
        return
    often = bins["mean_said"] / max(bins["rate"], 1e-12)
    evidence = f"“{label}” was said of {bins['mean_said']:.4f} of examples, and is {bins['rate']:.4f} of them"
    yield Finding(
        "Probabilities are not what they say",
        f"{evidence} ({often:.2f} times as many); calibration error {bins['calibration_error']:.4f}, of "
        f"which chance makes {bins['expected_by_chance']:.4f}",
        "Fit a temperature on the validation part: quartet calibrate RUN, or by core.answers.calibration."
        if tree["calibration"] is None
        else "It is calibrated already: the validation part may be too small, or unlike the test part.",
        min(excess / max(bins["rate"], 1e-12), 1.0),
        "calibration",
    )
