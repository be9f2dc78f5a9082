from __future__ import annotations

import itertools
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.speech.hidden_markov.decoder import HybridDecoder
from apps.speech.hidden_markov.feeding import NO_FRAME, numbered
from apps.speech.hidden_markov.lexicon import read_lexicon
from apps.speech.hidden_markov.nets import ALIGNMENT
from apps.speech.hidden_markov.realignment import Realignment, Spoken
from apps.speech.hidden_markov.states import Pronunciations
from apps.speech.hidden_markov.token_passing import AnyWord, Search, WordNetwork
from apps.speech.recognition_hmm import RecognitionHmm
from apps.speech.transcription.language import Transcribed
from apps.speech.transcription.units import Units
from core.data.examples import Examples, Ragged
from core.errors import UserError
from core.language.viterbi import best_paths

RATE = 8000
TASK = RecognitionHmm(sample_rate=RATE, width=8, depth=1, num_mels=16)
WORDS = ["no", "on"]
SAID = Pronunciations(WORDS, {"no": [["n", "o"]], "on": [["o", "n"], ["n"]]}, states_each=1)
RANDOM = np.random.default_rng(0)


def examples(texts: list[str], seconds: float = 0.8) -> Examples:
    waves = [np.int16(RANDOM.normal(0, 3000, round(seconds * RATE))) for _ in texts]
    return Examples({"wave": Ragged.from_rows(waves), "text": texts}, "noises")


def test_the_search_finds_the_best_of_all_transcripts():
    language = Transcribed(["no on", "on no on", "no"], Units("words", WORDS), order=2)
    search = Search(WordNetwork(SAID), language, weight=1.5, bonus=-0.5, beams=8)
    every = [words for length in range(1, 4) for words in itertools.product(range(2), repeat=length)]
    for _ in range(5):
        scores = RANDOM.normal(0, 2, (4, SAID.num_states))

        def total(words: tuple[int, ...], scores: np.ndarray = scores) -> float:
            graph, _ = SAID.graph(words)
            (path,) = best_paths([scores], [graph])
            if path is None:
                return -np.inf
            state, told = language.start(), 0.0
            for word in words:
                gain, state = language.next(state, word)
                told += gain
            heard = scores[np.arange(len(path)), graph.states[path]].sum()
            return float(heard + 1.5 * (told + language.end(state)) - 0.5 * len(words))

        spoken = [each for each in search.likely(scores) if each.units]
        best = max(every, key=total)
        assert spoken[0].units == best
        assert spoken[0].score == pytest.approx(total(best))


def test_silence_has_no_words():
    scores = np.full((4, SAID.num_states), -5.0)
    scores[:, SAID.silence] = 0
    assert Search(WordNetwork(SAID), AnyWord(2), 0.0, 0.0, beams=4).likely(scores)[0].units == ()


def test_probabilities_are_divided_by_priors():
    # The second sound is likelier than its prior alone would have it, and the first is not.
    log_p = np.log(np.array([[0.8, 0.19, 0.01]]))
    said = Pronunciations(["a", "b"], {"a": [["a"]], "b": [["b"]]}, states_each=1)
    texts = [
        HybridDecoder(said, np.log(np.array(prior)), 0.01, beams=4).text(log_p)
        for prior in ([0.34, 0.33, 0.33], [0.89, 0.1, 0.01])
    ]
    assert texts == ["a", "b"]


def test_words_of_an_answer_have_the_times_that_they_were_aligned_at():
    log_p = np.log(np.full((6, SAID.num_states), 0.01))
    for frame, state in enumerate([2, 0, 0, 1, 2, 2]):
        log_p[frame, state] = np.log(0.9)
    decoder = HybridDecoder(SAID, np.zeros(SAID.num_states), 0.02, beams=4)
    assert decoder.answer(log_p)["text"] == "no"
    (word,) = decoder.answer(log_p)["words"]
    assert word == {"word": "no", "start": 0.02, "end": 0.08, "probability": pytest.approx(0.9)}


def test_a_lexicon_gives_all_ways_to_say_a_word_without_stress(tmp_path):
    path = tmp_path / "cmudict.dict"
    path.write_text(";;; comment\nREAD  R EH1 D\nREAD(1)  R IY1 D\nGO  G OW1\n")
    lexicon = read_lexicon(path, ["read"], plain=True)
    assert lexicon == {"read": [["R", "EH", "D"], ["R", "IY", "D"]]}


@pytest.mark.parametrize(
    ("content", "message"),
    [("GO  G OW1\n", "lacks 1 word of .*: stop"), ("STOP\n", "line 1: a word and its sounds")],
)
def test_a_lexicon_that_does_not_serve_is_refused(tmp_path, content, message):
    path = tmp_path / "words.dict"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_lexicon(path, ["stop"], plain=True)


def test_at_first_all_states_of_a_transcript_take_equally_long():
    assert SAID.flat([0], 8).tolist() == [2, 2, 0, 0, 1, 1, 2, 2]


def test_realignment_takes_the_likeliest_states_and_their_shares():
    task_model = TASK.build(TASK.encode(examples(["no"])))
    layer = task_model.get_layer(ALIGNMENT)
    said = Pronunciations(["no"], {"no": [["n", "o"]]}, states_each=1)
    length = layer.num_frames
    true = np.repeat([2, 0, 1, 2], [2, length - 6, 3, 1])
    log_p = np.where(np.eye(3)[true] > 0, -0.1, -4.0)
    nobody = Spoken([], np.zeros(0, int), lambda model: [])
    part = Spoken([[0]], np.array([length]), lambda model: [log_p])
    realignment = Realignment(said, part, nobody, every=1)
    realignment.set_model(task_model)
    realignment.on_epoch_begin(0)
    assert layer.states.numpy().tolist() == said.flat([0], length).tolist()
    realignment.on_epoch_begin(1)
    assert layer.states.numpy().tolist() == true.tolist()
    np.testing.assert_allclose(np.exp(layer.log_prior.numpy()), np.bincount(true) / length, rtol=1e-5)


def test_the_loss_is_that_of_the_states_that_frames_are_aligned_with():
    model = TASK.build(TASK.encode(examples(["no"])))
    layer = model.get_layer(ALIGNMENT)
    layer.states.assign(np.arange(layer.num_frames, dtype=np.int32) % 3)
    logits = RANDOM.normal(size=(1, 4, 3)).astype(np.float32)
    frames = np.array([[2, 3, 7, NO_FRAME]])
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = -np.mean([log_p[0, 0, 2], log_p[0, 1, 0], log_p[0, 2, 1]])
    loss = model.compute_loss(y=frames, y_pred=keras.ops.convert_to_tensor(logits))
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_frames_of_another_speed_have_the_numbers_of_those_they_were():
    x = {"wave": tf.zeros((2, RATE)), "num_samples": tf.constant([RATE, RATE // 2])}
    frames = TASK.num_frames(np.array([RATE, RATE // 2]))
    y = tf.constant([[0, frames[0]], [frames[0], frames[1]]])
    new, numbers = numbered(
        x, y, tf.constant([1, 2]), speed=0.2, multiple=TASK.bucket, num_frames=TASK.num_frames
    )
    lengths = TASK.num_frames(new["num_samples"].numpy())
    assert numbers.shape[1] == TASK.num_frames(np.array(new["wave"].shape[1]))
    for row, (first, count), length in zip(numbers.numpy(), y.numpy(), lengths, strict=True):
        own = row[:length]
        assert (row[length:] == NO_FRAME).all()
        assert own[0] == first
        assert first + count - 3 <= own[-1] < first + count
        assert (np.diff(own) >= 0).all()


def test_what_is_too_short_for_its_words_is_not_learnt():
    part = examples(["no", "no on " * 30, "on"])
    encoder = TASK.encode(part)
    assert TASK.count(part, encoder) == 2
    assert encoder.num_frames == 2 * int(TASK.num_frames(np.array(round(0.8 * RATE))))
    splits = SimpleNamespace(train=part, test=examples(["yes"]))
    assert TASK.left_out(splits, encoder) == [
        "1 training recording is too short for the text, and not learnt",
        "1 word of the test part that training never heard can't be recognised: yes",
    ]


def test_weights_for_other_sounds_are_refused():
    source = TASK.encode(examples(["no"]))
    with pytest.raises(UserError, match="sounds of the run"):
        TASK.encode_from(examples(["yes"]), source)
