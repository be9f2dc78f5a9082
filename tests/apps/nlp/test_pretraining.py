from __future__ import annotations

import numpy as np
import pytest

from apps.nlp.corpus.streams import Stream, stream_of
from apps.nlp.masking.filling import filled, ids_with_masks
from apps.nlp.masking.judging import guesses_of, rows_of
from apps.nlp.masking.marks import chosen_places, mask_id, words_of
from apps.nlp.masking.neighbours import Neighbours
from apps.nlp.masking.windows import Masking, masked_windows
from apps.nlp.subwords.learnt import learnt_subwords
from apps.nlp.subwords.subwords import END, Subwords
from core.data.examples import Examples
from core.data.feed import Feed
from core.errors import UserError
from core.experiment import load_experiment

TEXT = "The king lives in Rome, and the queen went to Oslo. " * 30


@pytest.fixture(scope="module")
def subwords() -> Subwords:
    return learnt_subwords([TEXT], "bpe", 300, ["mask"]).subwords


@pytest.fixture(scope="module")
def stream(subwords) -> Stream:
    return stream_of(Examples({"text": [TEXT, TEXT]}), subwords)


def masking(stream: Stream, subwords: Subwords) -> Masking:
    return Masking(words_of(stream.ids, subwords), 0.3, 0)


def training_batches(stream: Stream, subwords: Subwords, epoch: int, step: int, count: int) -> list:
    feed = Feed(4, training=True, seed=1, epoch=epoch, step=step)
    batches = masked_windows(stream, subwords, 16, masking(stream, subwords), feed)
    return [[part.numpy() for part in batch] for batch in batches.take(count)]


def test_words_are_masked_whole_and_ends_of_texts_never(stream, subwords):
    words = words_of(stream.ids, subwords)
    chosen = chosen_places(stream.ids, words, 0.3, 0)
    assert not chosen[stream.ids == END].any()
    assert all(len(set(chosen[words == word])) == 1 for word in np.unique(words))
    assert 0.15 < chosen.mean() < 0.45


def test_masks_of_judging_are_those_of_their_seed(stream, subwords):
    words = words_of(stream.ids, subwords)
    first, again, other = (chosen_places(stream.ids, words, 0.3, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_training_masks_are_a_function_of_seed_epoch_and_step(stream, subwords):
    (_, second), (resumed,) = (
        training_batches(stream, subwords, 1, step, count) for step, count in ((0, 2), (1, 1))
    )
    for one, other in zip(second, resumed, strict=True):
        np.testing.assert_array_equal(one, other)
    (next_epoch,) = training_batches(stream, subwords, 2, 1, 1)
    assert (next_epoch[2] != second[2]).any()


def test_only_masked_places_weigh_and_only_they_are_changed(stream, subwords):
    for ids, targets, weights in training_batches(stream, subwords, 0, 0, 3):
        np.testing.assert_array_equal(ids[weights == 0], targets[weights == 0])
        assert mask_id(subwords) in ids[weights == 1]
        assert (targets != mask_id(subwords)).all()


def test_each_mask_of_a_part_is_judged_once_by_what_stands_there(stream, subwords):
    ids = stream.ids[:37]  # two windows and a bit
    masked = chosen_places(ids, words_of(ids, subwords), 0.5, 0)

    def knows_all(windows: np.ndarray) -> np.ndarray:
        starts = [
            next(
                start
                for start in (0, 16, 21)
                if (window == np.where(masked, mask_id(subwords), ids)[start : start + 16]).all()
            )
            for window in windows
        ]
        truth = np.stack([ids[start : start + 16] for start in starts])
        return 20.0 * (truth[..., None] == np.arange(subwords.size))

    guesses = guesses_of(knows_all, ids, masked, 16, subwords)
    np.testing.assert_array_equal(guesses.likeliest, ids[masked])
    assert guesses.nats.max() < 1e-3
    rows = list(rows_of(ids, masked, guesses, 16, subwords))
    assert sum(len(row["masks"]) for row in rows) == masked.sum()
    assert all(
        row["text"][each["start"] : each["end"]] == each["true"] for row in rows for each in row["masks"]
    )


def test_a_rival_sees_no_neighbour_that_is_masked():
    ids = np.array([3, 4, 5] * 20, np.int32)
    rival = Neighbours(ids, 6)
    masked = np.zeros(9, bool)
    masked[[3, 4, 5]] = True
    middle = rival.guesses(ids[:9], masked).nats[1]
    assert middle == pytest.approx(-np.log(rival.frequencies[4]))
    alone = np.arange(9) == 4
    assert rival.guesses(ids[:9], alone).nats[0] < middle


@pytest.mark.parametrize("sides", [(None, None), (3, None), (None, 5), (3, 5), (5, 3)])
def test_the_guesses_of_counts_are_probabilities(sides):
    ids = np.array([3, 4, 5, 3, 1, 5] * 20, np.int32)
    assert Neighbours(ids, 6).between(*sides).sum() == pytest.approx(1.0)


def test_the_blank_before_a_mark_belongs_to_it(subwords):
    ids = ids_with_masks("The [MASK] lives", subwords)
    place = int(np.flatnonzero(ids == mask_id(subwords))[0])
    assert subwords.text(ids[:place]) == "The"
    assert subwords.text(ids[place + 1 :]) == " lives"


def test_a_text_that_begins_with_a_mark_begins_with_its_word(subwords):
    king = next(id_ for id_ in range(subwords.size) if subwords.name(id_) == " king")
    logits = np.eye(subwords.size)[king]
    answer = filled(
        lambda ids: np.broadcast_to(logits, (*ids.shape, len(logits))), "[MASK].", subwords, 16, 1
    )
    assert answer["text"] == "king."
    assert (answer["masks"][0]["start"], answer["masks"][0]["end"]) == (0, 4)


@pytest.mark.parametrize("before", [0, 200])
def test_marks_are_filled_by_the_likeliest_word_wherever_they_stand(subwords, before):
    king = next(id_ for id_ in range(subwords.size) if subwords.name(id_) == " king")

    def says_king(windows: np.ndarray) -> np.ndarray:
        assert windows.shape[1] == 16
        return np.broadcast_to(5.0 * (np.arange(subwords.size) == king), (*windows.shape, subwords.size))

    text = "so " * before + "The [MASK] and the [MASK]."
    answer = filled(says_king, text, subwords, 16, 3)
    assert answer["text"] == "so " * before + "The king and the king."
    for mask in answer["masks"]:
        assert answer["text"][mask["start"] : mask["end"]] == mask["word"] == "king"
        assert len(mask["candidates"]) == 3


def test_a_text_without_a_mark_is_refused(subwords):
    with pytest.raises(UserError, match=r"The text has no \[MASK\].*Received: 'The king'"):
        ids_with_masks("The king", subwords)


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(UserError, match="width must be a multiple of twice the heads, 8"):
        load_experiment("nlp/pretraining", ["width=30"])
