"""The tokenizers of KerasHub's text backbones for programs that have no TensorFlow."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any

import numpy as np

# Blanks and controls part words; punctuation, and characters of languages without blanks, are words.
BETWEEN_WORDS = r"[ \t\n\r\f]|\p{Cc}|\p{Cf}"
PUNCTUATION = r"[!-/:-@\[-`{-~]|\p{P}"
IDEOGRAPHS = (
    r"[\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}"
    r"\x{2B820}-\x{2CEAF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}]"
)
# Of private use, so that no vocabulary has them: a mark, and a part of a word.
NO_MARK, NO_LETTER = "\ue000", "\ue001"


def portable_tokenizer(preprocessor: Any, length: int) -> str | None:
    """Return a tokenizer of KerasHub as one of the `tokenizers` library, with what its preprocessor adds.

    Args:
        preprocessor: A `keras_hub.models.TextClassifierPreprocessor`.
        length: Tokens of a text, those that are added and padding among them.

    Returns:
        JSON for `tokenizers.Tokenizer.from_str`; nothing, where KerasHub cuts by neither words' pieces nor
        pairs of bytes.

    Reference:
        Wu et al., Google's Neural Machine Translation System (2016), section 4.1, for words' pieces;
        Radford et al., Language Models are Unsupervised Multitask Learners (2019), section 2.2, for bytes.
    """
    import keras_hub

    kinds = {
        keras_hub.tokenizers.WordPieceTokenizer: _word_pieces,
        keras_hub.tokenizers.BytePairTokenizer: _byte_pairs,
    }
    own = preprocessor.tokenizer
    made = next((make(own) for kind, make in kinds.items() if isinstance(own, kind)), None)
    if made is None:
        return None
    before, after = _added(preprocessor)
    made.enable_truncation(length)
    made.enable_padding(length=length, pad_id=own.pad_token_id, pad_token=own.pad_token)
    made.post_processor = _adding(own, before, after)
    return made.to_str()


def _word_pieces(own: Any) -> Any:
    import tokenizers
    from tokenizers import normalizers, pre_tokenizers

    ids = {token: place for place, token in enumerate(own.get_vocabulary())}
    made = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(
            ids, unk_token=own.oov_token, continuing_subword_prefix=own.suffix_indicator
        )
    )
    without_accents = [normalizers.NFD(), normalizers.Replace(tokenizers.Regex(r"\p{Mn}"), "")]
    made.normalizer = normalizers.Sequence(
        [*(without_accents if own.strip_accents else []), *(_lowered() if own.lowercase else [])]
    )
    alone = f"{PUNCTUATION}|{NO_MARK}" + (f"|{IDEOGRAPHS}" if own.split_on_cjk else "")
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(BETWEEN_WORDS), "removed"),
            pre_tokenizers.Split(tokenizers.Regex(alone), "isolated"),
        ]
    )
    return made


def _lowered() -> list[Any]:
    """Return what folds case as KerasHub does: once words are cut, so that what falls apart stays one word.

    An ellipsis becomes three dots and a blank that does not break becomes one that does, which no vocabulary
    has in a word: they are set to what is unknown before they can part words here.
    """
    import tokenizers
    from tokenizers import normalizers

    falls_apart = re.compile(r"[\s!-/:-@\[-`{-~]")
    marks: list[str] = []
    letters: list[str] = []
    for character in map(chr, range(128, sys.maxunicode + 1)):
        folded = unicodedata.normalize("NFKC", character)
        if folded != character and falls_apart.search(folded):
            is_mark = unicodedata.category(character).startswith("P")
            if not (is_mark and len(folded) == 1):
                (marks if is_mark else letters).append(character)
    return [
        normalizers.Replace(tokenizers.Regex(f"[{''.join(marks)}]"), NO_MARK),
        normalizers.Replace(tokenizers.Regex(f"[{''.join(letters)}]"), NO_LETTER),
        normalizers.NFKC(),
        normalizers.Lowercase(),
        normalizers.Replace("ß", "ss"),
        normalizers.Replace("ς", "σ"),
    ]


def _byte_pairs(own: Any) -> Any:
    import tokenizers
    from tokenizers import pre_tokenizers

    ids = {own.id_to_token(place): place for place in range(own.vocabulary_size())}
    rules = [str(rule).partition(" ") for rule in own.merges if not str(rule).startswith("#version")]
    merges = [(first, second) for first, _, second in rules]
    made = tokenizers.Tokenizer(tokenizers.models.BPE(ids, merges))
    made.add_special_tokens(list(own.unsplittable_tokens or []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=own.add_prefix_space)
    return made


def _added(preprocessor: Any) -> tuple[list[int], list[int]]:
    """Return the ids that stand before and after those of a text."""
    told = preprocessor(["a"])
    whole = np.asarray(told["token_ids"])[0][np.asarray(told["padding_mask"])[0].astype(bool)]
    text = np.asarray(preprocessor.tokenizer("a"))
    starts = range(len(whole) - len(text) + 1)
    start = next(place for place in starts if (whole[place : place + len(text)] == text).all())
    return whole[:start].tolist(), whole[start + len(text) :].tolist()


def _adding(own: Any, before: list[int], after: list[int]) -> Any:
    from tokenizers.processors import TemplateProcessing

    names = {number: own.id_to_token(number) for number in (*before, *after)}
    template = [*(names[number] for number in before), "$A", *(names[number] for number in after)]
    return TemplateProcessing(single=template, special_tokens=[(name, n) for n, name in names.items()])
