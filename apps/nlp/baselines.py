"""The strong cheap rivals of text classification, on words or on characters."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.data.text import Split

TOKENS: dict[Split, dict[str, Any]] = {
    "words": {"analyzer": "word", "token_pattern": r"\S+"},
    "characters": {"analyzer": "char"},
}


def tfidf_regression(
    texts: np.ndarray, classes: np.ndarray, others: np.ndarray, *, split: Split
) -> np.ndarray:
    """Logistic regression on the words of a text, weighted by how rare they are.

    Args:
        texts: Of the training part, shape `(num_texts,)`.
        classes: Of these texts, int from 0, shape `(num_texts,)`.
        others: What to answer for, shape `(num_others,)`.
        split: Whether the terms are words or characters.

    Returns:
        Probabilities, shape `(num_others, num_classes)`.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    terms = TfidfVectorizer(sublinear_tf=True, **TOKENS[split])
    regression = LogisticRegression(C=2.0, max_iter=1000)
    regression.fit(terms.fit_transform(texts.tolist()), classes)
    return regression.predict_proba(terms.transform(others.tolist()))


def nbsvm(texts: np.ndarray, classes: np.ndarray, others: np.ndarray, *, split: Split) -> np.ndarray:
    """Logistic regression on words and pairs scaled by naive Bayes weights, one class against the rest.

    Source: Wang and Manning, Baselines and Bigrams: Simple, Good Sentiment and Topic Classification (2012);
    with the logistic loss in place of the hinge, so that there are probabilities to compare.

    Args:
        texts: Of the training part, shape `(num_texts,)`.
        classes: Of these texts, int from 0, shape `(num_texts,)`.
        others: What to answer for, shape `(num_others,)`.
        split: Whether the terms are words or characters.

    Returns:
        Probabilities, shape `(num_others, num_classes)`.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    terms = CountVectorizer(binary=True, ngram_range=(1, 2), **TOKENS[split])
    train, test = terms.fit_transform(texts.tolist()), terms.transform(others.tolist())
    answers = []
    for one in range(classes.max() + 1):
        inside = 1.0 + np.asarray(train[classes == one].sum(axis=0))
        outside = 1.0 + np.asarray(train[classes != one].sum(axis=0))
        weights = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
        regression = LogisticRegression(C=0.3, max_iter=1000)
        regression.fit(train.multiply(weights).tocsr(), classes == one)
        answers.append(regression.predict_proba(test.multiply(weights).tocsr())[:, 1])
    return np.stack(answers, axis=1) / np.sum(answers, axis=0)[:, None]
