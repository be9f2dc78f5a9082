from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from apps.nlp.corpus.streams import Stream
from apps.nlp.decoder.drawing import NEVER, Drawing, draws, next_tokens
from apps.nlp.decoder.judging import Costs, judged_nats, passages_of, rows_of, windows_to_judge
from apps.nlp.decoder.language_model import LanguageModelSteps, language_model
from apps.nlp.decoder.prompts import continued, padded_prompts
from apps.nlp.decoder.writing import Writer
from apps.nlp.subwords.subwords import END, PADDING, UNKNOWN, Subwords

SIZE, CONTEXT = 20, 16
PROMPTS = [[5, 6, 7], [8], [9, 4] * 6]


@pytest.fixture(scope="module")
def model():
    model = language_model(
        SIZE, CONTEXT, depth=2, width=16, num_heads=4, num_key_value_heads=2, activation="gelu"
    )
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(weight + 0.4 * random.normal(size=weight.shape))
    return model


@pytest.fixture(scope="module")
def writer(model):
    return Writer(LanguageModelSteps(model))


def written_plainly(model, prompt: list[int], drawing: Drawing, seed: int, count: int) -> list[int]:
    """Return what is written on without any cache, reading the whole text for each token."""
    text, at = list(prompt), draws(seed, 0, count)
    banned = np.zeros(SIZE, np.float32)
    banned[[PADDING, UNKNOWN]] = NEVER
    for place in range(count):
        ids = np.zeros((1, CONTEXT), np.int32)
        ids[0, : len(text)] = text
        logits = model.predict_on_batch(ids)[:, len(text) - 1] + banned
        seen = np.isin(np.arange(SIZE), text)[None] if drawing.penalises else None
        token = int(next_tokens(np, logits, at[place : place + 1], drawing.numbers, seen)[0])
        if token == END:
            break
        text.append(token)
    return text[len(prompt) :]


@pytest.mark.parametrize("drawing", [Drawing(0.0), Drawing(), Drawing(0.9, 7, 0.9, 0.02, 1.4)])
@pytest.mark.parametrize("at_a_call", [32, 1])
def test_several_texts_are_written_as_each_is_alone_without_a_cache(model, writer, drawing, at_a_call):
    settings = {"count": 4, "size": SIZE, "at_a_call": at_a_call}
    *_, written = continued(writer, PROMPTS, drawing, [0, 1, 2], **settings)
    expected = [written_plainly(model, prompt, drawing, seed, 4) for seed, prompt in enumerate(PROMPTS)]
    assert written == expected


def test_a_text_goes_on_beyond_the_window_whose_later_half_is_then_read_anew(writer):
    *_, (written,) = continued(writer, [PROMPTS[2]], Drawing(0.0), [0], count=50, size=SIZE)
    assert len(written) == 50
    half = [*PROMPTS[2], *written[: CONTEXT - 12]][-CONTEXT // 2 :]
    *_, (again,) = continued(writer, [half], Drawing(0.0), [0], count=8, size=SIZE)
    assert written[CONTEXT - 12 :][:8] == again


def test_a_text_that_has_ended_stays_as_it_is_while_others_go_on():
    class Ends:
        """Writes the end at once after token 5, and 7 for ever after others."""

        model, length = SimpleNamespace(variables=[]), CONTEXT

        def begin(self, given):
            import keras

            ids, _ = given
            is_five = keras.ops.any(keras.ops.equal(ids, 5), axis=1)[:, None]
            places = keras.ops.arange(SIZE)[None]
            wanted = keras.ops.where(is_five, END, 7)
            return keras.ops.where(places == wanted, 9.0, 0.0), keras.ops.where(is_five, 1.0, 0.0)

        def step(self, tokens, cache, places):
            import keras

            return keras.ops.where(keras.ops.arange(SIZE)[None] == 7, 9.0, 0.0) + 0.0 * cache, cache

    *_, written = continued(Writer(Ends()), [[5], [6]], Drawing(0.0), [0, 0], count=40, size=SIZE)
    assert written == [[], [7] * 40]


def test_neither_the_length_of_a_prompt_nor_of_an_answer_compiles_anything_anew(model):
    traced = []

    class Counted(LanguageModelSteps):
        def begin(self, given):
            traced.append("begin")
            return super().begin(given)

        def step(self, *arguments):
            traced.append("step")
            return super().step(*arguments)

    writer = Writer(Counted(model), forbidden=[END])
    for length in (1, 2, 7, 15, 20):
        list(continued(writer, [[5] * length], Drawing(0.7 + 0.01 * length), [0], count=length, size=SIZE))
    assert traced == ["begin", "step"]


def test_prompts_are_cut_at_their_beginning():
    ids, lengths = padded_prompts([[1, 2, 3], [4]], longest=2, window=2)
    assert ids.tolist() == [[2, 3], [4, 0]]
    assert lengths.tolist() == [2, 1]


@pytest.mark.parametrize(("num_ids", "overlap"), [(5, 0.5), (17, 0.0), (18, 0.5), (60, 0.5), (61, 0.9)])
def test_every_token_is_judged_once_by_what_stands_before_it(model, num_ids, overlap):
    ids = np.random.default_rng(1).integers(3, SIZE, num_ids).astype(np.int32)
    nats = judged_nats(model, ids, overlap)
    starts, first = windows_to_judge(num_ids - 1, CONTEXT, overlap)
    judged = [
        start + place
        for start, least in zip(starts, first, strict=True)
        for place in range(least, min(CONTEXT, num_ids - 1 - start))
    ]
    assert judged == list(range(num_ids - 1))
    for target in (0, num_ids // 2, num_ids - 2):
        (start,) = [start for start, least in zip(starts, first, strict=True) if target - start - least >= 0][
            -1:
        ]
        read = np.zeros((1, CONTEXT), np.int32)
        read[0, : target - start + 1] = ids[start : target + 1]
        logits = model.predict_on_batch(read)[0, target - start]
        expected = np.log(np.exp(logits).sum()) - logits[ids[target + 1]]
        assert nats[target] == pytest.approx(expected, rel=1e-4)


def test_passages_are_all_of_a_part_and_their_costs_sum_up_to_its():
    subwords = Subwords("characters", list("abcdef"))
    ids = np.concatenate([[END], np.arange(1000) % 6 + 3, [END], np.arange(500) % 6 + 3, [END]])
    num_bytes = np.where(ids == END, 0, 1)
    stream, nats = Stream(ids.astype(np.int32), num_bytes), np.arange(len(ids) - 1.0)
    passages = passages_of(stream, 64)
    rows = rows_of(stream, nats, passages, subwords)
    assert len(rows) == 11
    assert "".join(row["source"] + row["true"][0] for row in rows) == subwords.text(ids)
    assert sum(row["tokens"] for row in rows) == 1500
    whole = Costs.of(stream, nats)
    assert sum(row["nats"] for row in rows) == pytest.approx(whole.nats)
    assert whole.nats == pytest.approx(nats.sum() - nats[1000] - nats[1501])
    assert whole.bits_per_byte == pytest.approx(whole.nats_per_token / np.log(2))
