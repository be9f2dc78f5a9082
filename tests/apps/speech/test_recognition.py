from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from apps.speech.recognition import Recognition
from apps.speech.transcription.encoder import TranscriptEncoder
from apps.speech.transcription.rivals import warped_distances
from apps.speech.transcription.speed import with_new_speed
from core.data.examples import Examples, Ragged, Splits
from core.data.feed import Feed
from core.errors import MethodError, UserError

RATE = 8000
TASK = Recognition(sample_rate=RATE, width=8, depth=1, num_mels=16)
SECONDS = (0.3, 0.8, 0.55, 1.2)


def waves() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [np.int16(random.normal(0, 3000, round(seconds * RATE))) for seconds in SECONDS]


def examples(texts: list[str]) -> Examples:
    return Examples({"wave": Ragged.from_rows(waves()), "text": texts}, "four noises")


@pytest.fixture(scope="module")
def built() -> tuple[keras.Model, TranscriptEncoder]:
    keras.utils.set_random_seed(0)
    encoder = TASK.encode(examples(["on", "off", "on", "on off"]))
    return TASK.build(encoder), encoder


@pytest.mark.parametrize("net", ["recurrent", "convolutional"])
def test_the_scores_of_a_recording_do_not_depend_on_those_that_it_is_padded_beside(net):
    task = TASK.model_copy(update={"net": net})
    encoder = task.encode(examples(["on", "off", "on", "on off"]))
    model = task.build(encoder)
    together = task.log_probabilities(model, encoder, waves())
    alone = [task.log_probabilities(model, encoder, [wave])[0] for wave in waves()]
    for first, second in zip(together, alone, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


def test_the_frames_that_are_counted_are_those_of_the_model(built):
    model, _ = built
    for seconds in SECONDS:
        num_samples = round(seconds * RATE)
        wave = np.zeros((1, num_samples), np.float32)
        logits = model({"wave": wave, "num_samples": np.array([num_samples], np.int32)})
        assert logits.shape[1] == TASK.num_frames(np.array(num_samples))


def test_a_sound_shorter_than_a_frame_has_no_text(built):
    assert TASK.predict(*built, [np.zeros(10, np.int16)]) == [{"text": "", "words": []}]


def test_what_is_too_short_for_its_text_is_not_learnt_and_is_told():
    texts = ["far too many letters for so short a sound", "off", "on", "on off"]
    part = examples(texts).with_columns(id=["short", "b", "c", "d"])
    encoder = TASK.encode(part)
    assert TASK.count(part, encoder) == 3
    (x, _), *_ = TASK.batches(part, encoder, Feed(4, training=True)).take(1)
    assert len(x["wave"]) == 3
    notes = TASK.left_out(Splits(part, part, part, ""), encoder)
    assert "1 training recording is too short for the text, such as short, and not learnt" in notes


def test_sound_that_is_too_short_throughout_is_refused():
    with pytest.raises(UserError, match=r"too short for their text.*sample rate"):
        TASK.encode(examples(["a text that takes much longer than this to say out loud"] * 4))


def test_letters_of_the_test_part_alone_are_told(built):
    _, encoder = built
    train, test = examples(["on"] * 4), examples(["øn"] * 4)
    (note, *_) = TASK.left_out(Splits(train, train, test, ""), encoder)
    assert note == "1 unit of the test part that training never saw can't be recognised: ø"


def test_speed_is_a_function_of_the_seed_and_frames_follow_it():
    wave = np.random.default_rng(0).normal(size=(3, 8000)).astype(np.float32)
    x = {"wave": tf.constant(wave), "num_samples": tf.constant([8000, 6000, 4000])}
    y = tf.constant([[0, 1], [0, 2], [0, 3]])

    def changed(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        new, labels = with_new_speed(x, y, tf.constant([seed, 0]), 0.2, 4000, TASK.num_frames)
        return new["wave"].numpy(), new["num_samples"].numpy(), labels.numpy()

    first, again, other = changed(1), changed(1), changed(2)
    for left, right in zip(first, again, strict=True):
        np.testing.assert_array_equal(left, right)
    assert (first[1] != other[1]).all()
    new_wave, lengths, labels = first
    assert (lengths <= new_wave.shape[1]).all()
    assert labels[:, 0].tolist() == TASK.num_frames(lengths).tolist()
    assert labels[:, 1].tolist() == [1, 2, 3]
    assert all(np.abs(row[length:]).sum() == 0 for row, length in zip(new_wave, lengths, strict=True))


def test_a_wave_keeps_its_shape_at_another_speed():
    time = np.arange(8000) / RATE
    x = {
        "wave": tf.constant(np.sin(2 * np.pi * 50 * time)[None], tf.float32),
        "num_samples": tf.constant([8000]),
    }
    new, _ = with_new_speed(x, tf.constant([[0]]), tf.constant([3, 4]), 0.2, 4000, TASK.num_frames)
    length = int(new["num_samples"][0])
    spectrum = np.abs(np.fft.rfft(new["wave"].numpy()[0, :length]))
    assert spectrum.argmax() == pytest.approx(50, abs=1)  # as many waves as before, in another time


def test_a_broken_file_is_refused_by_name(built, tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF and no more")
    with pytest.raises(UserError, match=r"broken.wav can't be read as a recording"):
        TASK.predict(*built, [str(path)])


def test_a_method_that_explains_no_transcripts_is_refused(built):
    with pytest.raises(MethodError, match="occlusion"):
        TASK.explain(*built, waves()[1], "grad_cam")


def test_an_explanation_says_of_each_word_what_made_it(built):
    model, encoder = built
    explanation = TASK.explain(model, encoder, waves()[3])
    said = TASK.predict(model, encoder, [waves()[3]])[0]
    words = [each["word"] for each in said["words"]] or ["(no word)"]
    assert [each["word"] for each in explanation.more["words"]] == words
    assert len(explanation.parts) == 11
    assert explanation.parts[0].name == "0.00 to 0.10 s"


def test_units_of_another_run_are_kept():
    source = TASK.encode(examples(["xyz"] * 4))
    assert TASK.encode_from(examples(["on"] * 4), source).names == ["x", "y", "z"]


def test_warping_finds_the_same_sound_at_another_speed():
    random = np.random.default_rng(0)
    frames = random.normal(size=(6, 3))
    slow, other = np.repeat(frames, 2, axis=0), random.normal(size=(12, 3))
    near, far = warped_distances(frames, [slow, other])
    assert near == pytest.approx(0, abs=1e-3)
    assert far > 0.5


def test_warped_distances_are_those_of_the_plain_recursion():
    random = np.random.default_rng(1)
    frames, other = random.normal(size=(5, 2)), random.normal(size=(7, 2))
    costs = np.linalg.norm(frames[:, None] - other, axis=2)
    total = np.full((6, 8), np.inf)
    total[0, 0] = 0
    for row in range(5):
        for column in range(7):
            ways = total[row, column], total[row, column + 1], total[row + 1, column]
            total[row + 1, column + 1] = costs[row, column] + min(ways)
    (distance,) = warped_distances(frames, [other])
    assert distance == pytest.approx(total[-1, -1] / 12, rel=1e-3)


def test_words_are_refused_as_units_where_most_of_them_occur_once():
    heard = examples(["the first of many", "quite another sentence", "nothing comes twice", "on"])
    with pytest.raises(UserError, match="units=characters"):
        Recognition(units="words").encode(heard)
