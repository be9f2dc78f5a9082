"""A trained net that reads each title once, however often it was clicked or shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.examples import Ragged

if TYPE_CHECKING:
    import keras

    from apps.recommendation.articles.encoder import NumberedImpressions

TITLES_AT_ONCE, PEOPLE_AT_ONCE = 2048, 512


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads titles and people by the two halves of a net.

    Args:
        model: As `news_net` returns it, trained.
    """

    model: keras.Model

    def titles(self, tokens: np.ndarray) -> np.ndarray:
        """Return the vectors of titles, float32, shape `(num_titles, width)`.

        Args:
            tokens: Their words, int32, shape `(num_titles, length)`.
        """
        from keras import ops

        read = self.model.get_layer("titles")
        parts = [
            ops.convert_to_numpy(read(ops.convert_to_tensor(tokens[None, at : at + TITLES_AT_ONCE])))[0]
            for at in range(0, len(tokens), TITLES_AT_ONCE)
        ]
        return np.concatenate(parts)

    def people(self, vectors: np.ndarray, history: Ragged) -> np.ndarray:
        """Return the vectors of people, float32, shape `(num_people, width)`.

        Args:
            vectors: Of all titles, that of padding first.
            history: Numbers of the titles that each person clicked.
        """
        from keras import ops

        read, parts = self.model.get_layer("person"), []
        for at in range(0, len(history), PEOPLE_AT_ONCE):
            rows = history.take(np.arange(at, min(at + PEOPLE_AT_ONCE, len(history))))
            numbers = np.zeros((len(rows), 1 + rows.lengths.max(initial=1)), np.int64)
            numbers[:, 1:][np.arange(numbers.shape[1] - 1) < rows.lengths[:, None]] = rows.values
            known = ops.convert_to_tensor(numbers > 0)
            parts.append(ops.convert_to_numpy(read(ops.convert_to_tensor(vectors[numbers]), known)))
        return np.concatenate(parts)

    def scores(self, tokens: np.ndarray, impressions: NumberedImpressions) -> Iterator[np.ndarray]:
        """Yield the scores of the candidates of each impression, float32.

        Args:
            tokens: Words of all titles, that of padding first.
            impressions: As numbers of these titles.
        """
        vectors = self.titles(tokens)
        people = self.people(vectors, impressions.history)
        for row in range(len(impressions)):
            yield vectors[impressions.candidates[row]] @ people[row]
