from __future__ import annotations

import numpy as np

from core.data.examples import Ragged
from core.data.text import Pieces, class_counts

STRINGS = np.dtypes.StringDType()


def pieces(text: str, **options) -> list[str]:
    return [piece.decode() for piece in Pieces(**options)(np.array([text], STRINGS)).to_list()[0]]


def test_words_are_lower_cased_and_marks_are_words_of_their_own():
    assert pieces("Not BAD, isn't it?") == ["not", "bad", ",", "isn't", "it", "?"]


def test_letters_of_every_alphabet_are_letters():
    assert pieces("Größe ЖИЗНЬ") == ["größe", "жизнь"]


def test_languages_without_blanks_are_cut_into_characters():
    assert pieces("很好 看", split="characters") == ["很", "好", "看"]


def test_runs_of_words_are_pieces():
    assert pieces("not so bad", ngrams=3) == ["not", "so", "bad", "not so", "so bad", "not so bad"]


def test_runs_of_characters_know_where_a_word_begins_and_ends():
    assert pieces("ab c", character_ngrams=(3, 4)) == ["ab", "c", "#<ab", "#ab>", "#<ab>", "#<c>"]


def test_no_more_words_are_read_than_asked_for():
    assert pieces("a b c d", max_length=2) == ["a", "b"]


def test_an_empty_text_is_one_unknown_piece():
    cut = Pieces()
    texts = np.array(["", "   ", "good"], STRINGS)
    ids = cut.ids(texts, cut.vocabulary(np.array(["good"], STRINGS), 10))
    assert [row.tolist() for row in (ids[0], ids[1], ids[2])] == [[1], [1], [2]]


def test_the_vocabulary_ranks_pieces_by_the_number_of_texts_that_hold_them():
    texts = np.array(["b b b b a", "a c", "a c"], STRINGS)
    assert Pieces().vocabulary(texts, 10) == ["a", "c", "b"]
    assert Pieces().vocabulary(texts, 2) == ["a", "c"]
    assert Pieces().vocabulary(texts, 10, min_count=2) == ["a", "c"]


def test_a_piece_that_training_never_saw_is_unknown():
    ids = Pieces().ids(np.array(["good new"], STRINGS), ["good"])
    assert ids[0].tolist() == [2, 1]


def test_a_text_of_100000_characters_is_read():
    ids = Pieces(max_length=50, ngrams=2, character_ngrams=(3, 6)).ids(
        np.array(["word " * 20_000], STRINGS), ["word"]
    )
    assert ids.lengths[0] > 50


def test_a_run_within_a_word_is_not_the_word_that_is_spelt_like_it():
    assert set(pieces("not")).isdisjoint(pieces("nothing", character_ngrams=(3, 3)))


def test_a_word_of_100000_letters_costs_no_more_than_a_sentence():
    cut = Pieces(ngrams=2, character_ngrams=(3, 6))
    texts = np.array(["x" * 100_000, "a b"], STRINGS)
    vocabulary = cut.vocabulary(texts, 10_000)
    assert max(len(piece) for piece in vocabulary) <= 64
    assert cut.ids(texts, vocabulary).lengths[0] < 300


def test_class_counts_tell_how_many_texts_of_a_class_hold_an_id():
    rows = [[2, 2, 3], [3], [2]] * 1500
    counts = class_counts(Ragged.from_rows(rows), np.array([0, 1, 1] * 1500), num_classes=2, num_ids=5)
    assert counts.tolist() == [[0, 0, 1500, 1500, 0], [0, 0, 1500, 1500, 0]]


def test_texts_longer_than_what_is_read_are_known():
    texts = np.array(["a b c", "a b", "a, b", "abcdefgh", ""], STRINGS)
    assert Pieces(max_length=2, ngrams=3).cut_off(texts).tolist() == [True, False, True, False, False]
    assert Pieces("characters", max_length=3).cut_off(texts).tolist() == [False, False, False, True, False]
