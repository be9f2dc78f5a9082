"""What news is compared with: how popular an article was lately, and how like the history its title is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from apps.recommendation.articles.encoder import NumberedImpressions, words_of

LATELY = 0.1  # share of the time of training in which the weight of a click halves


def popularity_lately(
    train: NumberedImpressions, times: np.ndarray, test: NumberedImpressions, num_articles: int
) -> Iterator[np.ndarray]:
    """Yield the clicks in training of the candidates of each impression, late ones weighing more.

    Args:
        train: What training learnt from.
        times: When each of its impressions was, in seconds.
        test: What is judged.
        num_articles: Of all, padding among them.
    """
    weights = 0.5 ** ((times.max() - times) / max(LATELY * np.ptp(times), 1))
    rows = np.repeat(weights, train.candidates.lengths)
    clicked = train.clicked.values
    clicks = np.bincount(train.candidates.values[clicked], rows[clicked], minlength=num_articles)
    for row in range(len(test)):
        yield clicks[test.candidates[row]]


def title_similarity(
    titles: Sequence[str], known: np.ndarray, test: NumberedImpressions
) -> Iterator[np.ndarray]:
    """Yield how like the titles of the history those of the candidates are: cosine of TF-IDF.

    Args:
        titles: Of all articles by their numbers, that of padding, which is empty, first.
        known: Numbers of the articles that training saw, which the weights of words are counted on.
        test: What is judged.
    """
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import TfidfVectorizer

    counted = TfidfVectorizer(analyzer=words_of, sublinear_tf=True).fit([titles[each] for each in known])
    vectors = csr_array(counted.transform(titles))
    history = csr_array(
        (np.ones(len(test.history.values)), test.history.values, test.history.offsets),
        shape=(len(test), len(titles)),
    )
    people = csr_array(history @ vectors)
    for row in range(len(test)):
        yield (vectors[test.candidates[row]] @ people[[row]].T).toarray()[:, 0]
