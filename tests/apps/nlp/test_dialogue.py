from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from apps.nlp.conversation.asked import Asked
from apps.nlp.conversation.judging import CANDIDATES, candidates_of, nats_of, pair_of
from apps.nlp.conversation.reading import conversation_of, read_parts, written
from apps.nlp.conversation.rivals import nearest_answers
from apps.nlp.conversation.turns import ROLES, Turn, answers_of, ids_of, prompt_of, rows_of
from apps.nlp.corpus.memorised import KnownRuns
from apps.nlp.dialogue import Dialogue, DialogueEncoder
from apps.nlp.generation import Generation, GenerationEncoder
from apps.nlp.subwords.learnt import learnt_subwords
from apps.nlp.subwords.subwords import END, PADDING, Subwords
from core.data.examples import Examples
from core.errors import UserError
from tests.small_data import written as write_file

BYTES = Subwords("bytes", special=ROLES)
TALK = [
    Turn("user", "Hi"),
    Turn("assistant", "Hello!"),
    Turn("user", "Who are you?"),
    Turn("assistant", "Me."),
]
SMALL = {"subwords": "bytes", "context": 32, "depth": 1, "width": 8, "heads": 1}


@pytest.fixture(scope="module")
def task() -> Dialogue:
    return Dialogue(**SMALL)


@pytest.fixture(scope="module")
def encoder(task) -> DialogueEncoder:
    return task.encode(Examples({"conversation": [written(TALK)]}))


@pytest.fixture(scope="module")
def model(task, encoder) -> keras.Model:
    keras.utils.set_random_seed(0)
    return task.build(encoder)


def learnt(rows) -> list[str]:
    """Return the texts of what is learnt, in order, with a bar for an end."""
    ids = [int(id_) for row in rows for id_ in row.targets if id_ != PADDING]
    return "".join("|" if id_ == END else BYTES.text([id_]) for id_ in ids).split("|")[:-1]


@pytest.mark.parametrize(
    "item",
    [
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]},
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]},
        {"instruction": "Hi", "input": "", "output": "Hello!"},
        ["Hi", "Hello!"],
        {"messages": ["Hi", "Hello!", "Bye"]},
    ],
)
def test_every_shape_of_a_conversation_is_read_up_to_its_last_answer(item):
    assert conversation_of(item, "here") == TALK[:2]


def test_yaml_json_and_json_lines_of_a_folder_are_read_together(tmp_path):
    write_file(tmp_path / "a.yml", "categories: [x]\nconversations:\n- - Hi\n  - Hello!\n- - 1 + 1?\n  - 2\n")
    write_file(tmp_path / "b.json", json.dumps([{"instruction": "Sum", "output": "3"}]))
    write_file(tmp_path / "c.jsonl", json.dumps(["Hey", "Ho"]) + "\n")
    parts, _ = read_parts(str(tmp_path))
    answers = answers_of([str(each) for each in parts["train"]["conversation"]])
    assert [each.text for each in answers] == ["Hello!", "2", "3", "Ho"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"messages": [{"role": "user", "content": "Hi"}]}', "Line 2 of .* has no answer"),
        ('{"messages": [{"role": "judge", "content": "Hi"}]}', "Turn 1 of Line 2 .* must have a role"),
        ('{"text": "Hi"}', "Line 2 of .* is no conversation"),
        ("{", "Line 2 of .* is no JSON"),
    ],
)
def test_a_line_that_is_no_conversation_is_refused_by_its_number_or_left_out(tmp_path, line, message):
    path = write_file(tmp_path / "talk.jsonl", f'["Hi", "Hello!"]\n{line}\n')
    with pytest.raises(UserError, match=message):
        read_parts(str(path))
    parts, notes = read_parts(str(path), skip_bad=True)
    assert len(parts["train"]) == 1
    assert "1 conversation of talk.jsonl left out" in notes[0]


def test_answers_and_their_ends_alone_are_learnt():
    assert learnt(rows_of(TALK, BYTES, context=64)) == ["Hello!", "Me."]


def test_each_answer_of_a_conversation_that_is_longer_than_the_window_is_learnt_once():
    talk = [
        Turn(role, f"{name}{number}")
        for number in range(9)
        for role, name in (("user", "question"), ("assistant", "answer"))
    ]
    rows = list(rows_of(talk, BYTES, context=64))
    assert len(rows) > 1
    assert max(len(row.ids) for row in rows) <= 64
    assert learnt(rows) == [f"answer{number}" for number in range(9)]


def test_a_row_begins_as_the_prompt_of_its_answer_does():
    turns = [ids_of(turn, BYTES) for turn in TALK[:3]]
    (row,) = rows_of(TALK, BYTES, context=64)
    prompt = prompt_of(turns, BYTES, context=64).ids
    assert row.ids[: len(prompt)].tolist() == prompt


def test_a_long_history_loses_its_middle_and_keeps_the_first_turn_and_the_last():
    turns = [ids_of(Turn(("user", "assistant")[place % 2], f"turn {place}"), BYTES) for place in range(9)]
    prompt = prompt_of(turns, BYTES, context=48)
    text = BYTES.text(prompt.ids)
    assert text.startswith("turn 0")
    assert text.endswith("turn 7turn 8")
    assert len(prompt.ids) <= 48 - 48 // 4
    assert prompt.dropped == 9 - text.count("turn")


def test_a_turn_that_is_longer_than_the_window_loses_its_middle(task, encoder, model):
    (answer,) = task.predict(model, encoder, ["begin " + "x" * 99 + " end"], Asked(length=2))
    assert answer["notes"] == ["a turn is longer than the window: its middle was left out"]
    with pytest.raises(UserError, match="longer than the model's window of 32 tokens"):
        task.predict(model, encoder, ["x" * 99], Asked(long_histories="refuse"))


def test_an_answer_says_what_of_its_history_was_left_out(task, encoder, model):
    turns = [{"role": ("user", "assistant")[place % 2], "text": f"turn {place}"} for place in range(5)]
    (answer,) = task.predict(model, encoder, [turns], Asked(length=2))
    assert "after the first left out" in answer["notes"][0]
    assert set(answer) == {"text", "tokens", "ended", "notes"}


def test_a_blank_turn_is_refused(task, encoder, model):
    with pytest.raises(UserError, match="blank"):
        task.predict(model, encoder, ["  "])


def test_an_answer_never_holds_a_role(task, encoder, model):
    biased = keras.models.clone_model(model)
    (table,) = biased.get_layer("tokens").get_weights()
    table[3:6] *= 1e3  # roles are by far the likeliest
    biased.get_layer("tokens").set_weights([table])
    (answer,) = task.predict(biased, encoder, ["Hi"], Asked(length=4, temperature=0))
    assert answer["tokens"] == 4 or answer["ended"] == "end"
    assert len(answer["text"].encode(errors="replace")) >= answer["tokens"]


def test_what_answers_cost_is_the_same_one_by_one_and_padded_together(model):
    prompts = [[4, 70, 5], [4, 70, 71, 72, 73, 5]]
    pairs = [pair_of(prompt, text, BYTES, 32) for prompt, text in zip(prompts, ("abc", "d"), strict=True)]
    expected = []
    for pair in pairs:
        ids = np.array([[*pair.prompt, *pair.answer]], np.int32)
        logits = keras.ops.convert_to_numpy(model(ids[:, :-1]))[0].astype(np.float64)
        log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        places = np.arange(len(pair.prompt) - 1, ids.shape[1] - 1)
        expected.append(-log_p[places, ids[0, places + 1]].sum())
    np.testing.assert_allclose(nats_of(model, pairs, BYTES), expected, rtol=1e-4)


def test_candidates_are_a_hundred_different_answers_of_which_the_first_is_true():
    answers = answers_of(
        [written([Turn("user", "?"), Turn("assistant", f"{each % 150}")]) for each in range(300)]
    )
    for place, texts in candidates_of(answers).items():
        assert texts[0] == answers[place].text
        assert len(set(texts)) == len(texts) == CANDIDATES


def test_the_nearest_question_gives_its_answer_and_ranks_what_is_like_it_first():
    known, asked = (
        answers_of(
            [written([Turn("user", question), Turn("assistant", answer)]) for question, answer in talk]
        )
        for talk in (
            [("What is rain?", "Water that falls."), ("Who sings?", "A bird sings.")],
            [("Do you know what rain is?", "It is water that falls down."), ("Who was it?", "A fox.")],
        )
    )
    said, ranks = nearest_answers(known, asked)
    assert said[0] == "Water that falls."
    assert ranks[0] == (1, 2)


def test_weights_of_a_generation_run_are_taken_and_roles_begin_near_its_end(task):
    vocabulary = learnt_subwords([], "bytes", 256)
    source_encoder = GenerationEncoder(vocabulary=vocabulary, several=True, runs=KnownRuns.of([]))
    source = Generation(**SMALL).build(source_encoder)
    encoder = task.encode_from(Examples({"conversation": [written(TALK)]}), source_encoder)
    model = task.build(encoder)
    assert {"tokens", "block_0", "last_norm"} <= set(task.take_weights(model, encoder, source))
    (before,), (after,) = (each.get_layer("tokens").get_weights() for each in (source, model))
    np.testing.assert_array_equal(after[[0, 1, 2, *range(6, len(after))]], before)
    assert np.abs(after[3:6] - before[END]).max() < 0.02
    ids = np.array([encoder.vocabulary.subwords.ids("water")])
    np.testing.assert_allclose(model(ids)[..., 6:], _logits(source, ids - 3)[..., 3:], atol=1e-5)


def test_adapters_alone_are_learnt_and_a_saved_model_has_them_merged(task, encoder, model, tmp_path):
    adapted = Dialogue(**SMALL, start="anywhere", lora_rank=2)
    learner = adapted.build(encoder)
    assert "block_0" in adapted.take_weights(learner, encoder, model)
    ids = np.array([[4, 70, 71, 5, 72, 73]])
    before = keras.ops.convert_to_numpy(learner(ids))
    np.testing.assert_allclose(before, keras.ops.convert_to_numpy(model(ids)), atol=1e-6)
    learner.compile(optimizer=keras.optimizers.Adam(0.1), loss=adapted.loss(encoder))
    learner.train_on_batch(ids[:, :-1], ids[:, 1:])
    base = [weight for weight in learner.weights if not weight.name.startswith("lora_")]
    assert not any(weight.trainable for weight in base)
    for weight, expected in zip(base, model.get_weights(), strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), expected)
    after = keras.ops.convert_to_numpy(learner(ids))
    assert np.abs(after - before).max() > 0.01
    learner.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loaded(ids)), after, atol=1e-5)


def test_adapters_without_a_start_are_refused():
    with pytest.raises(ValueError, match="name their run by start"):
        Dialogue(**SMALL, lora_rank=2)


def _logits(source: keras.Model, ids: np.ndarray) -> np.ndarray:
    padded = np.pad(ids, ((0, 0), (0, 32 - ids.shape[1])))
    return keras.ops.convert_to_numpy(source(padded))[:, : ids.shape[1]]
