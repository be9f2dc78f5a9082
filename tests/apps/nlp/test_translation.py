from __future__ import annotations

import gzip
import itertools
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

from apps.nlp.decoder.beams import BeamSearch
from apps.nlp.decoder.plain_beams import PlainBeamSearch
from apps.nlp.decoder.weighed import penalty
from apps.nlp.subwords.learnt import learnt_subwords
from apps.nlp.subwords.subwords import END
from apps.nlp.translation import Translation
from apps.nlp.translator.alignment import places_of_words
from apps.nlp.translator.asked import Searched
from apps.nlp.translator.documents import pieces_of, scripts_of
from apps.nlp.translator.lengths import LENGTHS
from apps.nlp.translator.memory import nearest_translations
from apps.nlp.translator.net import TranslatorSteps
from apps.nlp.translator.parallel import read_parts
from apps.nlp.translator.word_for_word import WordForWord
from core.data.examples import Examples
from core.data.feed import Feed
from core.errors import UserError
from tests.small_data import written

GERMAN = ["ein Hund", "eine Katze", "zwei Hunde und eine Katze"]
ENGLISH = ["a dog", "a cat", "two dogs and a cat"]


@pytest.fixture(scope="module")
def untrained():
    """A task, its encoder, and a model as it is before any training."""
    keras.utils.set_random_seed(3)
    task = Translation(depth=1, width=16, heads=2, max_length=16, vocabulary_size=270)
    encoder = task.encode(Examples({"source": GERMAN * 9, "target": ENGLISH * 9}))
    return task, encoder, task.build(encoder)


def parallel_files(folder, **parts):
    for name, sides in parts.items():
        for ending, lines in zip(("de", "en"), sides, strict=True):
            written(folder / f"{name}.{ending}", "\n".join(lines) + "\n")
    return folder


def test_parallel_files_of_a_folder_are_read_by_their_parts(tmp_path):
    parallel_files(tmp_path, train=(GERMAN, ENGLISH), val=(GERMAN[:1], ENGLISH[:1]))
    for ending, line in (("de", "zwei"), ("en", "two")):
        (tmp_path / f"test_2016_flickr.{ending}.gz").write_bytes(gzip.compress(f"{line}\n".encode()))
    parts, notes = read_parts(str(tmp_path), "de", "en")
    assert {part: examples["target"].tolist() for part, examples in parts.items()} == {
        "train": ENGLISH,
        "validation": ENGLISH[:1],
        "test": ["two"],
    }
    assert notes == []


@pytest.mark.parametrize("name", ["news", "news.de", "news.en"])
def test_two_parallel_files_are_read_by_the_name_they_share(tmp_path, name):
    parallel_files(tmp_path, news=(GERMAN, ENGLISH))
    parts, _ = read_parts(str(tmp_path / name), "de", "en")
    assert parts["train"]["source"].tolist() == GERMAN


def test_parallel_files_of_different_lengths_are_refused(tmp_path):
    parallel_files(tmp_path, train=(GERMAN, ENGLISH[:2]))
    with pytest.raises(UserError, match=r"train.de and train.en .* 3 lines of de and 2 of en"):
        read_parts(str(tmp_path), "de", "en")


def test_pairs_with_an_empty_side_are_left_out_and_counted(tmp_path):
    parallel_files(tmp_path, train=([*GERMAN, " ", "drei"], [*ENGLISH, "three", ""]))
    parts, notes = read_parts(str(tmp_path), "de", "en")
    assert parts["train"]["source"].tolist() == GERMAN
    assert notes == ["2 pairs of train left out of which a side is empty"]


def test_lines_are_parted_by_line_feeds_alone(tmp_path):
    parallel_files(tmp_path, train=(["ein\u2028Hund\x0b", "zwei\r"], ["a dog", "two"]))
    parts, _ = read_parts(str(tmp_path), "de", "en")
    assert parts["train"]["source"].tolist() == ["ein\u2028Hund", "zwei"]


def test_one_of_several_test_parts_is_chosen_by_name(tmp_path):
    parallel_files(
        tmp_path,
        train=(GERMAN, ENGLISH),
        test_2016=(["eins"], ["one"]),
        test_2017=(["zwei"], ["two"]),
    )
    with pytest.raises(UserError, match=r"name one by test_name. Received: test_2016, test_2017"):
        read_parts(str(tmp_path), "de", "en")
    parts, _ = read_parts(str(tmp_path), "de", "en", test_name="test_2017")
    assert parts["test"]["target"].tolist() == ["two"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "there are .de, .en"),
        ({"source": "de", "target": "fr"}, "has train.de and no train.fr"),
        ({"source": "de", "target": "de"}, "must be two"),
        ({"source": "de", "target": "en", "test_name": "wmt"}, "has no file wmt.de"),
    ],
)
def test_endings_that_do_not_fit_a_folder_are_refused(tmp_path, settings, reason):
    parallel_files(tmp_path, train=(GERMAN, ENGLISH))
    asked = {"source": "source", "target": "target", **settings}
    with pytest.raises(UserError, match=reason):
        read_parts(str(tmp_path), **asked)


def test_a_table_is_read_by_names_or_positions(tmp_path):
    plain = written(tmp_path / "plain.tsv", "ein Hund\ta dog\n")
    rows = [json.dumps({"de": "ein Hund", "en": "a dog"}), json.dumps({"de": "eine Katze", "en": "a cat"})]
    lines = written(tmp_path / "named.jsonl", "\n".join(rows))
    assert read_parts(str(plain), "0", "1")[0]["train"]["target"].tolist() == ["a dog"]
    assert read_parts(str(lines), "de", "en")[0]["train"]["target"].tolist() == ["a dog", "a cat"]


def translation_memory(folder, units):
    body = "".join(
        "<tu>"
        + "".join(f'<tuv xml:lang="{name}"><seg>{text}</seg></tuv>' for name, text in unit.items())
        + "</tu>"
        for unit in units
    )
    return written(
        folder / "memory.tmx", f'<?xml version="1.0"?><tmx version="1.4"><body>{body}</body></tmx>'
    )


def test_a_translation_memory_gives_its_units_in_both_languages(tmp_path):
    units = [
        {"de-DE": "ein <hi>Hund</hi>", "EN": "a dog", "fr": "un chien"},
        {"de": "eine Katze", "fr": "un chat"},
    ]
    parts, notes = read_parts(str(translation_memory(tmp_path, units)), "de", "en")
    assert parts["train"]["source"].tolist() == ["ein Hund"]
    assert parts["train"]["target"].tolist() == ["a dog"]
    assert notes == ["1 unit of memory.tmx left out that lack de or en"]


def test_a_translation_memory_without_a_language_is_refused_with_those_it_has(tmp_path):
    path = translation_memory(tmp_path, [{"de": "ein Hund", "fr": "un chien"}])
    with pytest.raises(UserError, match=r"both de and en.* Received the languages: de \(1\), fr \(1\)"):
        read_parts(str(path), "de", "en")


def test_a_broken_translation_memory_is_refused_with_its_line(tmp_path):
    path = written(tmp_path / "broken.tmx", "<tmx>\n<body>\n<tu></body></tmx>")
    with pytest.raises(UserError, match=r"broken\.tmx, line 3: no translation memory"):
        read_parts(str(path), "de", "en")


def test_training_batches_have_few_lengths_and_hold_every_pair_once():
    task = Translation(max_length=64, subwords="characters", vocabulary_size=50)
    sources = ["x" * length for length in range(1, 61)]
    examples = Examples({"source": sources, "target": sources[::-1]})
    encoder = task.encode(examples)
    feed = Feed(4, training=True, seed=1)
    batches = list(task.batches(examples, encoder, feed).take(feed.steps(60)).as_numpy_iterator())
    lengths = {ids.shape[1] for x, y in batches for ids in (*x.values(), y)}
    assert lengths <= set(LENGTHS.tolist())
    assert sorted((ids > END).sum() for x, _ in batches for ids in x["source"]) == list(range(1, 61))


def test_pairs_that_are_too_long_are_left_out_of_training_and_told(untrained):
    task, encoder, _ = untrained
    part = Examples({"source": [*GERMAN, "Hund " * 40], "target": [*ENGLISH, "dog"]})
    splits = SimpleNamespace(train=part, validation=part.take([0]), test=part.take([1]))
    assert task.count(part, encoder) == 3
    assert task.left_out(splits, encoder) == ["1 pair of train left out that are longer than 16 tokens"]


class Chances:
    """Says how likely a token follows another, whatever stood before."""

    model = None

    def __init__(self, size: int) -> None:
        self.table = np.random.default_rng(5).normal(0, 2, (size, size)).astype(np.float32)

    def begin(self, given, beams, length):
        rows = ops.repeat(given, beams, axis=0)
        return rows, [(ops.cast(rows, "float32"), ops.cast(rows, "float32"))]

    def step(self, tokens, memory, cache, places):
        return ops.take(ops.convert_to_tensor(self.table), tokens[:, 0], axis=0), cache


@pytest.mark.parametrize("power", [0.0, 0.6, 1.5])
def test_beams_that_leave_nothing_out_find_the_best_of_all_texts(power):
    steps, length = Chances(6), 4
    logs = steps.table.copy()
    logs[:, [0, 2]] = -1e9
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    texts = [(*text, END) for count in range(length) for text in itertools.product((3, 4, 5), repeat=count)]

    def score(text):
        steps_taken = zip((END, *text[:-1]), text, strict=True)
        return sum(logs[pair] for pair in steps_taken) / penalty(len(text), power)

    best = max(texts, key=score)
    *_, beams = BeamSearch(steps).states(
        np.array([[1], [1]], np.int32), beams=64, length=length, length_penalty=power
    )
    whole = int(beams.ended[0].argmax())
    assert beams.ids(0, whole) == list(best[:-1])
    assert beams.scores[0, whole] == pytest.approx(score(best), abs=1e-4)


def test_greedy_takes_the_likeliest_token_at_every_step():
    steps = Chances(6)
    *_, beams = BeamSearch(steps).states(np.array([[1]], np.int32), beams=1, length=5, length_penalty=0.6)
    expected, token = [], END
    for _ in range(5):
        row = steps.table[token].copy()
        row[[0, 2]] = -1e9
        token = int(row.argmax())
        if token == END:
            break
        expected.append(token)
    assert beams.ids(0) == expected


@pytest.mark.parametrize("beams", [1, 3])
def test_an_export_searches_as_the_compiled_loop_does(beams):
    steps, given, asked = (
        Chances(9),
        np.array([[4], [1], [7]], np.int32),
        {"length": 6, "length_penalty": 0.6},
    )

    def begin(given, beams):
        return None, (np.zeros((len(given) * beams, 1), np.float32),)

    def step(tokens, memory, cache, place):
        return steps.table[tokens[:, 0]], cache

    *_, expected = BeamSearch(steps).states(given, beams=beams, **asked)
    *_, received = PlainBeamSearch(begin, step).states(given, beams=beams, **asked)
    np.testing.assert_array_equal(received.tokens, expected.tokens)
    np.testing.assert_array_equal(received.ended, expected.ended)
    np.testing.assert_allclose(received.scores, expected.scores, rtol=1e-5)


def test_token_by_token_gives_the_logits_of_the_whole_text(untrained):
    _, _, model = untrained
    source = np.array([[5, 9, 7, END, 0], [4, END, 0, 0, 0]], np.int32)
    target = np.array([[END, 8, 6, 11], [END, 4, 4, 9]], np.int32)
    steps = TranslatorSteps(model)
    memory, cache = steps.begin(ops.convert_to_tensor(source), beams=1, length=4)
    stepped = []
    for place in range(4):
        places = ops.full((2,), place, dtype="int32")
        logits, cache = steps.step(ops.convert_to_tensor(target[:, place : place + 1]), memory, cache, places)
        stepped.append(ops.convert_to_numpy(logits))
    whole = ops.convert_to_numpy(model({"source": source, "target": target}))
    np.testing.assert_allclose(np.stack(stepped, axis=1), whole, atol=1e-4)


def test_what_is_searched_does_not_depend_on_what_is_searched_beside_it(untrained):
    task, encoder, model = untrained
    translator = task.translator(model, encoder)
    together = translator.sentences(GERMAN, Searched(beams=3))
    alone = [translator.sentences([text], Searched(beams=3))[0] for text in GERMAN]
    assert [each.texts for each in together] == [each.texts for each in alone]


def test_a_stream_ends_with_the_answer_of_predict(untrained):
    task, encoder, model = untrained
    asked = Searched(beams=2, alternatives=1)
    *begun, last = task.stream(model, encoder, "ein Hund\n\n- eine Katze", asked)
    assert [last] == task.predict(model, encoder, ["ein Hund\n\n- eine Katze"], asked)
    assert begun
    assert all(state["finished"] is False for state in begun)


def test_marks_and_blank_lines_of_a_document_stay(untrained):
    task, encoder, model = untrained
    (answer,) = task.predict(model, encoder, ["# Hund\n\n  * eine Katze\n---\n1. zwei\n"])
    lines = answer["text"].split("\n")
    assert [line[:4] for line in (lines[1], lines[3], lines[5])] == ["", "---", ""]
    assert lines[0].startswith("# ")
    assert lines[2].startswith("  * ")
    assert lines[4].startswith("1. ")


@pytest.mark.parametrize("text", ["", " \n", "😀", "---", "42"])
def test_a_text_without_letters_stays_as_it_is(untrained, text):
    task, encoder, model = untrained
    assert task.predict(model, encoder, [text]) == [{"text": text}]


def test_a_script_unknown_to_training_is_told(untrained):
    task, encoder, model = untrained
    (answer,) = task.predict(model, encoder, ["ένας"], Searched(beams=1))
    assert "no training text had letters of this script: Greek" in answer["notes"]


def test_a_sentence_that_had_to_be_cut_is_told(untrained):
    task, encoder, model = untrained
    (answer,) = task.predict(model, encoder, ["q" * 47], Searched(beams=1))
    assert "sentences longer than 15 tokens were cut: 1" in answer["notes"]


@pytest.mark.parametrize("method", ["occlusion", "attention"])
def test_an_explanation_names_the_words_of_a_text_and_what_each_word_was_written_from(untrained, method):
    task, encoder, model = untrained
    told = task.explain(model, encoder, "zwei Hunde", method).to_json()
    assert [part["name"] for part in told["parts"]] == ["zwei", "Hunde"]
    assert {row["from"] for row in told["alignment"]} <= {"zwei", "Hunde"}


def test_several_lines_are_not_explained_at_once(untrained):
    task, encoder, model = untrained
    with pytest.raises(UserError, match="Received: 2 lines"):
        task.explain(model, encoder, "ein Hund\neine Katze")


def test_ids_are_parts_of_the_words_that_they_stand_in():
    subwords = learnt_subwords([" 打开 the 文件"] * 9, "bpe", 257).subwords
    text = "打开 the 文"
    places = places_of_words(text, subwords)
    assert len(places) == len(subwords.ids(f" {text}"))
    assert places.tolist() == sorted(places)
    assert set(places) == {0, 1, 2, 3}


def test_long_lines_are_read_sentence_by_sentence():
    text = "One dog. Two cats! 一只狗。两只猫。"
    assert "".join(piece.text for piece in pieces_of(text, 10)) == text
    sentences = [piece.text for piece in pieces_of(text, 10) if piece.translates]
    assert sentences == ["One dog.", "Two cats!", "一只狗。", "两只猫。"]


def test_signs_and_digits_have_no_script():
    assert scripts_of(["Ünï 12 µ… ½ ªº €"]) == {"Latin"}


def test_a_lexicon_learns_which_words_belong_together():
    lexicon = WordForWord([*GERMAN, "ein Hund und ein Haus"], [*ENGLISH, "a dog and a house"])
    assert lexicon.translated("Katze und Hund, neu") == "cat and dog, neu"


def test_a_lexicon_writes_ideographs_without_blanks():
    lexicon = WordForWord(["open", "file", "open file"], ["开", "文", "开文"])
    assert lexicon.translated("open file") == "开文"


def test_a_memory_answers_with_the_nearest_text():
    assert nearest_translations(GERMAN, ENGLISH, ["Katze", "Hund?"]) == ["a cat", "a dog"]
