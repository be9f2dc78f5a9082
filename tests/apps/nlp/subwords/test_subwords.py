from __future__ import annotations

import numpy as np
import pytest

from apps.nlp.subwords.learnt import SubwordVocabulary, learnt_subwords
from apps.nlp.subwords.subwords import END, NUM_FIRST, UNKNOWN, Subwords

TEXTS = ["the lower the slower, the slowest of the low\n"] * 4 + ["naïve 中国 low lower lowest"]
STRANGE = "naïve 中国 \u0301x  \n\n\t<end> 😀 \x00 the lowest"
KINDS = ("characters", "bytes", "bpe", "unigram")


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_comes_back_from_its_ids(kind):
    subwords = learnt_subwords(TEXTS, kind, 300).subwords
    for text in TEXTS:
        ids = subwords.ids(text)
        assert subwords.text(ids) == text
        assert subwords.num_bytes(ids, text).sum() == len(text.encode())
        assert ids.min() >= NUM_FIRST
        assert ids.max() < subwords.size


@pytest.mark.parametrize("kind", ["bytes", "bpe", "unigram"])
def test_runs_of_bytes_hold_any_text(kind):
    subwords = learnt_subwords(TEXTS, kind, 300).subwords
    assert subwords.text(subwords.ids(STRANGE)) == STRANGE


def test_a_character_that_training_lacks_is_unknown_and_keeps_its_bytes():
    subwords = learnt_subwords(["ab"], "characters", 300).subwords
    ids = subwords.ids("a😀b")
    assert ids.tolist() == [NUM_FIRST, UNKNOWN, NUM_FIRST + 1]
    assert subwords.num_bytes(ids, "a😀b").tolist() == [1, 4, 1]
    assert subwords.nats_of_unknown > 13


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_texts_give_the_same_subwords_and_they_come_back_from_an_encoder(kind):
    learnt = learnt_subwords(TEXTS, kind, 290, special=["answer"])
    assert learnt == learnt_subwords(TEXTS, kind, 290, special=["answer"])
    again = SubwordVocabulary.model_validate_json(learnt.model_dump_json()).subwords
    assert again.ids(STRANGE).tolist() == learnt.subwords.ids(STRANGE).tolist()
    assert Subwords(**again.settings()).size == learnt.subwords.size


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_holds_a_special_id_whatever_it_says(kind):
    subwords = learnt_subwords(TEXTS, kind, 290, special=["<answer>"]).subwords
    assert subwords.special == {"<answer>": NUM_FIRST}
    assert not np.isin(subwords.ids("<answer> <end> low"), [END, NUM_FIRST]).any()
    assert subwords.name(NUM_FIRST) == "<answer>"


def test_a_vocabulary_has_at_most_the_asked_size_with_the_most_frequent_first():
    assert learnt_subwords(["aab", "ac"], "characters", 2).pieces == ["a", "b"]
    assert len(learnt_subwords(TEXTS, "bpe", 270).pieces) == 270


def test_bpe_makes_fewer_ids_of_a_text_than_it_has_bytes():
    text = TEXTS[0]
    assert len(learnt_subwords(TEXTS, "bpe", 290).subwords.ids(text)) < 0.7 * len(text)


def test_a_text_that_grows_shows_no_half_of_a_character():
    subwords = Subwords("bytes")
    ids = subwords.ids("é中")
    grown = [subwords.begun_text(ids[:count]) for count in range(1, 6)]
    assert grown == ["", "é", "é", "é", "é中"]
    assert subwords.name(int(ids[0])) == "<c3>"
