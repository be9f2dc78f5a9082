"""Conversations as batches that a model learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from apps.nlp.conversation.turns import rows_of, turns_of
from apps.nlp.subwords.subwords import Subwords
from core.data.examples import Examples, Ragged

if TYPE_CHECKING:
    import tensorflow as tf

    from core.data.feed import Feed

STEP = 32  # tokens, to a multiple of which rows are padded: each length is compiled once


@dataclass(frozen=True, eq=False)
class Rows:
    """What is learnt of conversations.

    Args:
        ids: Int32.
        targets: Int32, of the same lengths: the next ids where they belong to an answer, else padding.
    """

    ids: Ragged
    targets: Ragged

    def __len__(self) -> int:
        return len(self.ids)


_ROWS: WeakKeyDictionary[Examples, WeakKeyDictionary[Subwords, dict[int, Rows]]] = WeakKeyDictionary()


def rows_of_examples(examples: Examples, subwords: Subwords, context: int) -> Rows:
    """Return the rows of all conversations, made once for the same examples.

    Args:
        examples: With a column `conversation`.
        subwords: What cuts them.
        context: Tokens of the window.
    """
    known = _ROWS.setdefault(examples, WeakKeyDictionary()).setdefault(subwords, {})
    if context not in known:
        rows = [
            row
            for conversation in examples["conversation"]
            for row in rows_of(turns_of(str(conversation)), subwords, context)
        ]
        ids, targets = (Ragged.from_rows([row[side] for row in rows], np.int32) for side in (0, 1))
        known[context] = Rows(ids, targets)
    return known[context]


def batches(rows: Rows, feed: Feed) -> tf.data.Dataset:
    """Return batches `(ids, targets)`, int32, `(batch_size, length)`, of rows of like length in training."""
    lengths = rows.ids.lengths if feed.training else None
    return replace(feed, pad_to_multiple=STEP).batches(rows.ids, rows.targets, lengths=lengths)
