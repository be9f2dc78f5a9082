from __future__ import annotations

import numpy as np
import pytest
import seqeval.metrics.sequence_labeling
import seqeval.metrics.v1
import seqeval.scheme

from core.metrics import EntityF1, entities_of
from tests.core.metrics.streaming import streamed

RANDOM = np.random.default_rng(0)


def tagged(marks: str) -> tuple[list[list[str]], list[list[str]]]:
    """60 sentences of tags at random, whether they make sense or not, and changed ones."""
    tags = ["O", "O", *(f"{mark}-{kind}" for mark in marks for kind in ("PER", "LOC"))]
    true = [RANDOM.choice(tags, RANDOM.integers(1, 12)).tolist() for _ in range(60)]
    predicted = [[tag if RANDOM.random() < 0.7 else str(RANDOM.choice(tags)) for tag in row] for row in true]
    return true, predicted


TAGS = {
    "iob2": tagged("BI"),
    "iobes": tagged("BIES"),
    "conll": tagged("BIES"),
    "iob1": tagged("BI"),
    "bioes": tagged("BIES"),
}
STRICT = {
    "iob1": seqeval.scheme.IOB1,
    "iob2": seqeval.scheme.IOB2,
    "iobes": seqeval.scheme.IOBES,
    "bioes": seqeval.scheme.IOBES,
}


def by_seqeval(scheme, average):
    """Return precision, recall, F1 and support."""
    if scheme in STRICT:
        judge = seqeval.metrics.v1.precision_recall_fscore_support
        return judge(*TAGS[scheme], average=average, scheme=STRICT[scheme])
    return seqeval.metrics.sequence_labeling.precision_recall_fscore_support(*TAGS[scheme], average=average)


@pytest.mark.parametrize("scheme", TAGS)
@pytest.mark.parametrize("batch_size", [1, 7, 60])
def test_f1_is_seqevals_whatever_the_batch_size(scheme, batch_size):
    metric = streamed(EntityF1(scheme), *TAGS[scheme], batch_size)
    assert metric.result() == pytest.approx(by_seqeval(scheme, "micro")[2], abs=1e-9)


@pytest.mark.parametrize("scheme", TAGS)
def test_figures_of_each_type_are_seqevals(scheme):
    figures = streamed(EntityF1(scheme), *TAGS[scheme], 60).per_type()
    expected = by_seqeval(scheme, None)
    assert sorted(figures) == ["LOC", "PER"]
    for place, kind in enumerate(sorted(figures)):
        assert list(figures[kind].values()) == pytest.approx([column[place] for column in expected])


def test_entities_that_touch_are_apart():
    tags = ["S-PER", "O", "B-LOC", "I-LOC", "E-LOC", "S-LOC", "B-PER", "E-PER"]
    assert entities_of(tags, "iobes") == {("PER", 0, 0), ("LOC", 2, 4), ("LOC", 5, 5), ("PER", 6, 7)}


def test_bmes_is_bioes_with_another_mark_inside():
    for tags in TAGS["bioes"][0]:
        renamed = [tag.replace("I-", "M-") for tag in tags]
        assert entities_of(renamed, "bmes") == entities_of(tags, "bioes")


def test_in_iob1_a_mark_of_beginning_only_divides():
    tags = ["I-PER", "B-PER", "I-PER", "O", "I-LOC", "B-PER"]
    assert entities_of(tags, "iob1") == {("PER", 0, 0), ("PER", 1, 2), ("LOC", 4, 4)}


def test_a_hyphen_within_a_type_belongs_to_it():
    assert entities_of(["B-geo-loc", "I-geo-loc"]) == {("geo-loc", 0, 1)}


def test_sentences_of_weight_zero_do_not_count():
    true, predicted = TAGS["iob2"]
    weighted = streamed(EntityF1(), true, predicted, 7, np.arange(60) < 5)
    assert weighted.result() == streamed(EntityF1(), true[:5], predicted[:5], 5).result()


def test_reset_forgets_all_sentences():
    metric = streamed(EntityF1(), *TAGS["iob2"], 60)
    metric.reset_state()
    assert (metric.result(), metric.per_type()) == (0.0, {})


def test_a_sentence_with_too_few_tags_is_refused():
    with pytest.raises(ValueError, match="Received: 1 for 2"):
        EntityF1().update_state([["O", "O"]], [["O"]])


@pytest.mark.parametrize("tag", ["S-PER", "BI-PER", "PER", ""])
def test_a_tag_of_another_scheme_is_refused(tag):
    with pytest.raises(ValueError, match=rf"'iob2' is O or one of B, I .*Received: '{tag}' in"):
        entities_of(["O", tag])


@pytest.mark.parametrize("judge", [EntityF1, lambda scheme: entities_of(["O"], scheme)])
def test_a_scheme_that_does_not_exist_is_refused(judge):
    with pytest.raises(ValueError, match=r"iob2, iobes, conll. Received: scheme='bilou'"):
        judge("bilou")
