from __future__ import annotations

import keras_hub
import numpy as np
import pytest
from tokenizers import Tokenizer

from apps.nlp.tokenizer import portable_tokenizer

LENGTH = 12
TEXTS = [
    "lovely film",
    "A Film, the PLOT awful!",
    "",
    " film  scene\t\nlovely ",
    "naïve café film",
    "film你好scene",
    "[CLS] lovely [SEP]",
    "don't — film…",
    "films lovelyly",
    "film\u00a0plot ﬁlm ½ film… ！ Straße ΛΌΓΟΣ λόγος",
    "lovely " * 20,
]
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "lovely",
    "awful",
    "film",
    "plot",
    "naive",
    "你",
    "##s",
]
PUNCTUATION = [",", "!", "[", "]", "'", "…", "a", "the", "##ly", "café", "Film", "strasse", "λογοσ", "1"]


def assert_cuts_as(preprocessor):
    made = Tokenizer.from_str(portable_tokenizer(preprocessor, preprocessor.sequence_length))
    expected, cut = preprocessor(TEXTS), made.encode_batch(TEXTS)
    np.testing.assert_array_equal([each.ids for each in cut], expected["token_ids"])
    np.testing.assert_array_equal([each.attention_mask for each in cut], expected["padding_mask"])


@pytest.mark.parametrize("lower", [True, False])
def test_pieces_of_words_are_those_of_keras_hub(lower):
    tokenizer = keras_hub.tokenizers.BertTokenizer(
        vocabulary=WORDS + PUNCTUATION, lowercase=lower, strip_accents=lower
    )
    assert_cuts_as(keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=LENGTH))


def test_one_piece_is_left_of_a_text_between_the_two_that_are_added():
    tokenizer = keras_hub.tokenizers.BertTokenizer(vocabulary=WORDS)
    assert_cuts_as(keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=3))


def test_pairs_of_bytes_are_those_of_keras_hub():
    from tokenizers import ByteLevelBPETokenizer

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(TEXTS, 400, special_tokens=["<s>", "<pad>", "</s>", "<mask>"])
    vocabulary = trained.get_vocab()
    letters = [token for token in vocabulary if len(token) > 1 and not token.startswith("<")]
    merges = [
        f"{token[:cut]} {token[cut:]}"
        for token in sorted(letters, key=vocabulary.__getitem__)
        for cut in range(1, len(token))
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    ]
    tokenizer = keras_hub.tokenizers.RobertaTokenizer(vocabulary=vocabulary, merges=merges)
    assert_cuts_as(keras_hub.models.RobertaTextClassifierPreprocessor(tokenizer, sequence_length=LENGTH))


def test_another_tokenizer_is_not_turned():
    class Bytes:
        tokenizer = keras_hub.tokenizers.ByteTokenizer()

    assert portable_tokenizer(Bytes(), LENGTH) is None
