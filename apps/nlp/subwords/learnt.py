"""Sub-words that are learnt from training texts and kept with a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field

from apps.nlp.subwords.subwords import Kind, Subwords
from core.settings import Settings

DECIMALS = 6  # of the scores of unigram, whose last digits depend on the order in which threads end


class SubwordVocabulary(Settings):
    """A vocabulary of sub-words as an encoder keeps it; `subwords` is what cuts texts by it."""

    kind: Kind
    pieces: list[str] = Field([], description="characters, or runs of bytes as GPT-2 writes them")
    scores: list[float] = Field([], description="of unigram: the logarithm of each piece's probability")
    merges: list[str] = Field(
        [], description="of BPE: pairs of pieces, in the order in which they are joined"
    )
    special: list[str] = Field([], description="names of ids that no text holds")

    @cached_property
    def subwords(self) -> Subwords:
        """What makes ids of texts, and texts of ids."""
        return Subwords(**self.model_dump())


def learnt_subwords(
    texts: Iterable[str], kind: Kind, size: int, special: Sequence[str] = ()
) -> SubwordVocabulary:
    """Return the sub-words of training texts.

    Args:
        texts: Of the training part.
        kind: Characters, bytes, BPE or unigram.
        size: Of characters, BPE and unigram: how many pieces there are at most, without the first ids.
        special: Names of ids that no text holds.

    Reference:
        BPE: Sennrich, Haddow and Birch, 2016; unigram: Kudo, Subword Regularization (2018)

    Example:

    >>> learnt_subwords(["abba", "b"], "characters", 100).pieces
    ['b', 'a']
    >>> vocabulary = learnt_subwords(["low lower lowest"] * 9, "bpe", 260)
    >>> vocabulary.merges
    ['l o', 'lo w', 'Ġ low', 'Ġlow e']
    """
    learnt: dict[str, Any] = {}
    if kind == "characters":
        counts = Counter[str]()
        for text in texts:
            counts.update(text)
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        learnt = {"pieces": [character for character, _ in ranked][:size]}
    elif kind == "bpe":
        learnt = _bpe(texts, size)
    elif kind == "unigram":
        learnt = _unigram(texts, size)
    return SubwordVocabulary(kind=kind, special=list(special), **learnt)


def _bpe(texts: Iterable[str], size: int) -> dict[str, Any]:
    import json

    from tokenizers import models, trainers

    model = _trained(texts, models.BPE(), trainers.BpeTrainer, size)
    tree = json.loads(model.to_str())["model"]
    pieces = sorted(tree["vocab"], key=tree["vocab"].__getitem__)
    merges = [each if isinstance(each, str) else " ".join(each) for each in tree["merges"]]
    return {"pieces": pieces, "merges": merges}


def _unigram(texts: Iterable[str], size: int) -> dict[str, Any]:
    import json

    from tokenizers import models, trainers

    model = _trained(texts, models.Unigram(), trainers.UnigramTrainer, size)
    scores = dict(json.loads(model.to_str())["model"]["vocab"])
    # Bytes that no text holds are given scores in an order of chance: all that are rarer than any run of
    # several get the same.
    floor = min((score for piece, score in scores.items() if len(piece) > 1), default=-20.0) - 1
    scored = [(piece, round(max(score, floor), DECIMALS)) for piece, score in scores.items()]
    scored.sort(key=lambda pair: (-pair[1], pair[0]))
    return {"pieces": [piece for piece, _ in scored], "scores": [score for _, score in scored]}


def _trained(texts: Iterable[str], model: Any, trainer: Any, size: int) -> Any:
    from tokenizers import Tokenizer, pre_tokenizers

    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    settings = {"vocab_size": max(size, 256), "initial_alphabet": alphabet, "show_progress": False}
    tokenizer.train_from_iterator(iter(texts), trainer(**settings))
    return tokenizer
