from __future__ import annotations

import json

import numpy as np
import pytest

from apps.nlp.chain import Chain, chain_limits, chain_tags
from apps.nlp.entities import Entities
from apps.nlp.entity_rivals import crf_on_features, gazetteer
from apps.nlp.tagged import read_tagged
from apps.nlp.word_ids import WordIds, emissions_of
from apps.nlp.words import words_of
from core.answers.tags.entities import Entity
from core.answers.tags.schemes import SCHEMES, read_tags, scheme_of, tags_of
from core.data.examples import Examples
from core.errors import UserError
from core.experiment import load_experiment
from core.layers import CRF
from core.run import Run
from core.training.train import train
from tests.small_data import tagged_sentences, written

QUICK = [
    "fit.epochs=8",
    "fit.batch_size=16",
    "fit.steps_per_execution=1",
    "fit.tensorboard=false",
    "fit.learning_rate=1e-2",
    "width=16",
    "word_width=16",
    "dropout=0.1",
]
# Neighbours of one type, of two types, one of a single word, and one that ends the sentence.
ENTITIES = [Entity("PER", 0, 1), Entity("PER", 2, 2), Entity("LOC-X", 3, 5), Entity("PER", 7, 7)]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("entities")
    return train(
        load_experiment("nlp/entities", [f"data={tagged_sentences(folder)}", *QUICK]), folder / "run"
    )


def test_a_tagger_learns_which_words_are_names(run):
    assert run.metrics["test"]["entity_f1"] > 0.9


def test_a_raw_text_gets_spans_by_its_own_characters(run):
    text = "  Ann Lee lives in\tNew  York   since3."
    answer = run.experiment.task.predict(run.model, run.encoder, [text])[0]
    assert [(span["text"], span["type"]) for span in answer["spans"]] == [
        ("Ann Lee", "PER"),
        ("New  York", "LOC"),
    ]
    for span in answer["spans"]:
        assert text[span["start"] : span["end"]] == span["text"]
        assert 0.3 < span["probability"] <= 1


@pytest.mark.parametrize("text", ["", " \n", "😀", "a" * 5000])
def test_any_text_gets_an_answer(run, text):
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [text])
    assert answer["text"] == text


def test_a_text_longer_than_what_is_read_at_once_is_answered_to_its_end(run):
    text = "Ann lives in Rome . " * 300
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [text])
    # A name at the edge of a piece, which is read without its neighbours, may be missed.
    assert len(answer["spans"]) > 590
    assert answer["spans"][-1] == answer["spans"][-1] | {"text": "Rome", "end": len(text) - 3}


def test_both_rivals_are_judged_in_the_same_run(run):
    assert set(run.metrics["baseline"]) == {"gazetteer", "CRF on word features"}


def test_rows_say_which_entities_training_has_seen(run):
    rows = [json.loads(line) for line in (run.folder / "predictions.jsonl").read_text().splitlines()]
    seen = [each for row in rows for each in row["seen"]]
    assert (
        len(seen)
        == run.metrics["test"]["per_type"]["PER"]["support"]
        + (run.metrics["test"]["per_type"]["LOC"]["support"])
    )


def test_languages_without_blanks_are_read_by_characters(tmp_path):
    lines = []
    for row in range(60):
        name, place = ("李明", "王芳", "赵云")[row % 3], ("北京", "上海")[row % 2]
        marks = ("B-NAME", "E-NAME", "O", "O", "B-CITY", "E-CITY", "O", "O")
        text = f"{name}住在{place}{row // 10}{row % 10}"
        lines += [*(f"{each} {mark}" for each, mark in zip(text, marks, strict=True)), ""]
    data = written(tmp_path / "train.bmes", "\n".join(lines))
    settings = [f"data={data}", *QUICK, "split=characters", "word_length=2"]
    found = train(load_experiment("nlp/entities", settings), tmp_path / "run")
    (answer,) = found.experiment.task.predict(found.model, found.encoder, ["王芳 住在上海"])
    assert [(span["text"], span["start"]) for span in answer["spans"]] == [("王芳", 0), ("上海", 5)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_entities_are_written_and_read_without_loss(scheme):
    tags = tags_of(ENTITIES, 8, scheme)
    assert read_tags(tags, scheme) == (ENTITIES, 0)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_is_told_by_its_marks(scheme):
    assert scheme_of([tags_of(ENTITIES, 8, scheme)]) == scheme


@pytest.mark.parametrize("scheme", SCHEMES)
def test_columns_of_every_scheme_give_the_same_examples(tmp_path, scheme):
    tags = tags_of(ENTITIES, 8, scheme)
    lines = "".join(f"{place}\tw{place}\tNN\t{tag}\textra\n" for place, tag in enumerate(tags))
    path = written(tmp_path / "some.conll", f"-DOCSTART- -X- O O\n\n{lines}\n\t\n{lines}")
    examples, notes = read_tagged(path, word_column=1, tag_column=3)
    assert examples["text"].tolist() == ["w0 w1 w2 w3 w4 w5 w6 w7"] * 2
    assert examples["tags"][0].split("\t") == tags_of(ENTITIES, 8, "iob2")
    assert not notes


def test_an_entity_without_its_beginning_is_mended_and_counted(tmp_path):
    rows = "Ann B-PER\nand O\nBob I-PER\nLee I-PER\n\nCy B-PER\n"
    examples, notes = read_tagged(written(tmp_path / "some.conll", rows))
    assert examples["tags"][0].split("\t") == ["B-PER", "O", "B-PER", "I-PER"]
    assert notes == (
        "1 entity of some.conll broke the rules of iob2: each is read as begun where its type begins",
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"text": "Ann left", "entities": [[0, 99, "PER"]]}', "lies off the text"),
        ('{"text": "Ann left", "entities": [[3, 4, "PER"]]}', "holds no word"),
        ('{"text": "Ann left", "entities": [[0, 3, "PER"], [1, 8, "LOC"]]}', "overlaps another"),
        ('{"text": "Ann left", "entities": [[0, "3", "PER"]]}', "a start and an end in characters"),
        ('{"text": "Ann left"}', "a list of entities is expected"),
        ('{"text": ', "no JSON"),
    ],
)
def test_offsets_that_can_not_be_are_refused_by_line_or_left_out(tmp_path, line, complaint):
    good = '{"text": "Bob left", "entities": [[0, 3, "PER"]]}'
    path = written(tmp_path / "some.jsonl", f"{good}\n{line}\n")
    with pytest.raises(UserError, match=f"line 2.*{complaint}"):
        read_tagged(path)
    examples, notes = read_tagged(path, skip_bad=True)
    assert (len(examples), notes) == (1, ("1 bad sentence of some.jsonl left out",))


@pytest.mark.parametrize(
    "record",
    [
        {"text": "Ann Lee's dog", "entities": [[0, 7, "PER"]]},
        {"text": "Ann Lee's dog", "label": [[0, 7, "PER"]]},
        {"text": "Ann Lee's dog", "spans": [{"start": 0, "end": 7, "label": "PER"}]},
        {"text": "Ann Lee's dog", "entities": [{"start_offset": 0, "end_offset": 7, "label": "PER"}]},
        ["Ann Lee's dog", {"entities": [[0, 7, "PER"]]}],
    ],
)
def test_offsets_of_every_tool_are_read_alike(tmp_path, record):
    examples, notes = read_tagged(written(tmp_path / "some.jsonl", json.dumps(record)))
    assert examples["words"][0].split("\t") == ["Ann", "Lee", "'s", "dog"]
    assert examples["tags"][0].split("\t") == ["B-PER", "I-PER", "O", "O"]
    assert not notes


def test_a_span_within_a_word_is_widened_and_counted(tmp_path):
    record = {"text": "a Berlin-based firm", "entities": [[2, 8, "LOC"]]}
    examples, notes = read_tagged(written(tmp_path / "some.jsonl", json.dumps(record)))
    assert examples["tags"][0].split("\t") == ["O", "B-LOC", "O"]
    assert notes == ("1 entity of some.jsonl began or ended within a word: widened to whole words",)


def test_a_column_that_is_missing_is_refused_by_line(tmp_path):
    path = written(tmp_path / "some.conll", "Ann B-PER\nleft\n")
    with pytest.raises(UserError, match="line 2: a word in column 0 and a tag in column -1"):
        read_tagged(path)


def test_a_tag_of_another_scheme_is_refused(tmp_path):
    path = written(tmp_path / "some.conll", "Ann X-PER\nleft O\n")
    with pytest.raises(UserError, match=r"line 1: a tag that is none of the scheme iob2.*'X-PER'"):
        read_tagged(path)


def test_texts_without_any_entity_are_refused():
    examples = Examples({"text": ["a b"], "words": ["a\tb"], "tags": ["O\tO"]})
    with pytest.raises(UserError, match="No word is marked"):
        Entities().encode(examples)


def test_words_keep_their_marks_and_their_places():
    text = "नमस्ते, ann@b.com re\u0301sume\u0301"
    words = words_of(text)
    assert [word.text for word in words][:2] == ["नमस्ते", ","]
    assert words[-1].text == "re\u0301sume\u0301"
    assert all(text[word.start : word.end] == word.text for word in words)


def random_chain(seed: int) -> tuple[Chain, CRF, np.ndarray]:
    """Return a chain, the layer of the same scores, and emissions of one sentence."""
    random, tags = np.random.default_rng(seed), chain_tags(["A", "B"])
    emissions = random.normal(0, 2, (1, 7, len(tags))).astype(np.float32)
    crf = CRF(len(tags), *chain_limits(tags))
    crf(emissions)
    crf.set_weights([random.normal(0, 1, weight.shape) for weight in crf.weights])
    return Chain(["A", "B"], *(np.asarray(each) for each in crf.scores())), crf, emissions


@pytest.mark.parametrize("seed", range(5))
def test_the_chain_chooses_the_tags_of_the_layer(seed):
    chain, crf, emissions = random_chain(seed)
    assert chain.best(emissions[0]) == np.asarray(crf.best(emissions))[0].tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_probability_of_an_entity_of_one_word_is_the_marginal_of_its_tag(seed):
    chain, crf, emissions = random_chain(seed)
    marginals = np.asarray(crf.marginals(emissions))[0]
    alone = [each for each in chain.entities(emissions[0]) if each.first == each.last]
    assert alone or seed
    for entity in alone:
        expected = marginals[entity.first, chain.tags.index(f"S-{entity.type}")]
        np.testing.assert_allclose(entity.probability, expected, rtol=1e-4)


def test_the_probability_of_a_longer_entity_is_the_share_of_all_readings_that_have_it():
    tags = np.full((3, 5), -50.0)
    tags[0, 1], tags[1, 3], tags[:, 0] = 1.0, 2.0, 0.0
    plain = Chain(["A"], np.where(chain_limits(chain_tags(["A"]))[0], 0.0, -1e4), np.zeros(5), np.zeros(5))
    (entity,) = plain.entities(tags)
    # Of the readings O O O and B E O, which alone are likely.
    np.testing.assert_allclose(entity.probability, np.exp(3.0) / (np.exp(3.0) + 1.0), rtol=1e-6)
    assert entity[:3] == ("A", 0, 1)


def test_long_sentences_are_scored_in_pieces_and_put_together():
    ids = WordIds(["a", "b"], ["a"], [], word_length=2)
    scored = emissions_of([["a"], [], ["b"] * 5], ids, 2, lambda batch: batch["words"][..., None])
    assert [each.ravel().tolist() for each in scored] == [[2], [], [3] * 5]


def test_a_gazetteer_takes_the_longest_name_and_leaves_words_that_are_seldom_names():
    sentences = [
        (["May", "Lee", "left"], [Entity("PER", 0, 1)]),
        (["Lee", "left"], [Entity("PER", 0, 0)]),
        (["May", "left"], [Entity("PER", 0, 0)]),
        (["in", "may"], []),
        (["a", "may"], []),
    ]
    assert gazetteer(sentences, [["may", "lee", "saw", "Lee", "in", "May"]]) == [
        [Entity("PER", 0, 1), Entity("PER", 3, 3)]
    ]


def test_the_chain_on_features_learns_shapes():
    sentences = [
        ([f"{name}{n}x", "saw", "it"], [Entity("PER", 0, 0)]) for n in range(20) for name in ("Qa", "Zo")
    ]
    sentences += [(["it", f"q{n}a", "saw"], []) for n in range(20)]
    found = crf_on_features(sentences, [["Xu7x", "saw", "qua"], ["qua", "it"]])
    assert found == [[Entity("PER", 0, 0)], []]


def test_a_tagger_that_names_too_little_is_balanced_by_the_validation_part(run):
    task, encoder = run.experiment.task, run.encoder
    model, validation = task.build(encoder), task.load().validation
    model.set_weights(run.model.get_weights())
    last = model.get_layer("emissions")
    kernel, bias = last.get_weights()
    for more in np.arange(0.0, 40.0, 0.5):
        last.set_weights([kernel, bias + more * np.eye(len(bias))[0]])
        shy = task.evaluate(model, encoder, validation)["recall"]
        if shy < 0.9:
            break
    assert shy < 0.9
    task._balance_outside(model, encoder, validation)
    assert task.evaluate(model, encoder, validation)["recall"] > shy
