"""The sample: measurements of cells of breast masses, within scikit-learn."""

from __future__ import annotations

import numpy as np

from core.data.examples import Examples


def breast_masses() -> Examples:
    """Return 569 masses as rows of 30 measurements, benign or malignant.

    Source: Street, Wolberg and Mangasarian, Nuclear Feature Extraction for Breast Tumor Diagnosis (1993).
    """
    from sklearn.datasets import load_breast_cancer

    from apps.medicine.rows.values import row_text

    known = load_breast_cancer()
    names = [str(name) for name in known.feature_names]
    columns = {name: np.char.mod("%g", known.data[:, place]).tolist() for place, name in enumerate(names)}
    labels = [str(known.target_names[target]) for target in known.target]
    rows = [row_text(names, values) for values in zip(*columns.values(), strict=True)]
    return Examples({**columns, "label": labels, "row": rows}, "the sample")
