"""A voice of a closed vocabulary: what it reads, learns from and makes sound of."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from apps.speech.synthesis import Synthesis
from apps.speech.voice.coding import Coding
from apps.speech.voice.crops import Recordings
from apps.speech.voice.encoder import SpeakingOptions, VoiceEncoder
from apps.speech.voice.frames import Framing
from apps.speech.voice.judging import Judge
from apps.speech.voice.predicting import predicted_frames
from apps.speech.voice.references import positions, reference_of
from apps.speech.voice.words import read
from core.errors import UserError
from tests.small_data import hummed_words

RATE = 8000
FRAMING = Framing(RATE, 16)
CODING = Coding(256, 0.85)
WORDS = ["7", "no", "turn", "turn on"]


def hum(hertz: float, seconds: float = 0.3) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    overtones = np.sin(2 * np.pi * hertz * np.arange(1, 6)[:, None] * time).mean(axis=0)
    return (20_000 * overtones * np.hanning(len(time))).astype(np.int16)


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    """A voice before any training: an answer's shape doesn't depend on what was learnt."""
    source = hummed_words(tmp_path_factory.mktemp("hums"))
    task = Synthesis(data=str(source), num_mels=16, width=4, depth=1, dilations=3, validation=0)
    splits = task.load()
    encoder = task.encode(splits.train)
    return task, splits, encoder, task.build(encoder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No, NO!", ["no", "no"]),
        ("seven 77", ["7", "7", "7"]),
        ("turn on turn", ["turn on", "turn"]),
    ],
)
def test_a_text_is_read_as_words_of_the_vocabulary(text, said):
    assert read(text, WORDS) == said


@pytest.mark.parametrize(("text", "named"), [("no way", "'way'"), ("78", "'8'"), (" … ", "no word to say")])
def test_what_a_voice_never_learnt_is_refused_in_one_line_with_what_it_says(text, named):
    with pytest.raises(UserError, match=named) as refusal:
        read(text, WORDS)
    assert "\n" not in str(refusal.value)
    assert "turn on" in str(refusal.value)


def test_a_text_of_too_many_words_is_refused():
    with pytest.raises(UserError, match="201 words"):
        read("no " * 201, WORDS)


def test_a_word_that_only_the_test_part_says_is_refused_by_name(voice):
    task, splits, encoder, model = voice
    strange = splits.test.with_columns(label=["hm"] * len(splits.test))
    with pytest.raises(UserError, match="no training recording says 'hm'"):
        task.evaluate(model, encoder, strange)


def test_levels_come_back_as_a_wave_that_is_nearly_the_same():
    wave = hum(110)
    error = CODING.wave(CODING.levels(wave)).astype(float) - wave
    assert np.square(error).mean() < 1e-3 * np.square(wave.astype(float)).mean()


def test_frames_tell_the_pitch_and_where_there_is_a_voice():
    frames = FRAMING.frames(np.concatenate([hum(110), np.zeros(1600, np.int16)]))
    assert frames[10, -2] == pytest.approx(np.log2(110), abs=0.02)
    assert (frames[10, -1], frames[-5, -1]) == (1, 0)
    np.testing.assert_allclose(frames[-1, :-2], FRAMING.silence()[:-2])


def test_the_spectrum_of_griffin_lim_is_that_of_its_frames():
    frames = FRAMING.frames(hum(150))
    again = FRAMING.frames(FRAMING.griffin_lim(frames))
    loud = frames[:, :-2] > frames[:, :-2].max() - 5
    assert np.abs(again[:, :-2] - frames[:, :-2])[loud].mean() < 0.5


def test_a_slower_take_is_laid_along_the_reference():
    reference = np.eye(5)
    assert (
        positions(np.repeat(reference, 2, axis=0), reference).tolist()
        == np.repeat(np.linspace(0, 1, 5), 2).tolist()
    )


def test_the_reference_is_no_outlier():
    usual = [np.full((4, 2), value) for value in (0.0, 0.1, 0.2)]
    strange = np.full((4, 2), 9.0)
    assert reference_of([strange, *usual]).max() < 1


def test_a_crop_holds_the_samples_of_its_frames_and_the_sample_before_each():
    waves = [hum(110), hum(220)]
    frames = [FRAMING.frames(wave) for wave in waves]
    recordings = Recordings.joined(
        np.array([0, 1]),
        waves,
        [np.linspace(0, 1, len(each)) for each in frames],
        frames,
        [FRAMING.lags(each) for each in frames],
        FRAMING.silence(),
        4,
        FRAMING.hop,
        CODING,
    )
    words, _, crop, lags, before, levels = recordings.crops(np.array([1, 1]), np.array([0.0, 1.0]), 10)
    assert words.tolist() == [1, 1]
    own = CODING.levels(waves[1])
    np.testing.assert_array_equal(levels[0], own[:800])
    np.testing.assert_array_equal(levels[1], own[-800:])
    np.testing.assert_array_equal(crop[1], frames[1][-10:])
    np.testing.assert_array_equal(before[:, 1:], CODING.values[levels[:, :-1]])
    assert lags[:, 5].tolist() == [36, 36]
    assert before[0, 0] == CODING.values[CODING.zero]


def test_a_seed_gives_the_same_sound_and_another_a_different_one(voice):
    task, _, encoder, model = voice
    waves = [
        task.predict(model, encoder, ["low"], SpeakingOptions(seed=seed))[0]["sound"].wave
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(waves[0], waves[1])
    assert (waves[0] != waves[2]).any()


def test_twice_the_speed_takes_half_the_time_and_a_pause_lies_between_words(voice):
    task, _, encoder, model = voice
    usual, fast, two = (
        len(task.predict(model, encoder, [text], SpeakingOptions(speed=speed, pause=0.1))[0]["sound"].wave)
        for text, speed in (("low", 1.0), ("low", 2.0), ("low low", 1.0))
    )
    assert fast == usual / 2
    assert two == 2 * usual + 0.1 * RATE


def test_a_text_is_streamed_word_by_word(voice):
    task, _, encoder, model = voice
    *_, last = states = list(task.stream(model, encoder, "low high"))
    assert [state["said"] for state in states] == ["low", "low high"]
    first = states[0]["sound"].wave
    np.testing.assert_array_equal(last["sound"].wave[: len(first)], first)


def test_semitones_move_the_pitch_alone(voice):
    task, _, encoder, model = voice
    usual = task.frames_of(model, encoder, "low", SpeakingOptions())
    higher = task.frames_of(model, encoder, "low", SpeakingOptions(semitones=12))
    moved = encoder.as_measured(higher) - encoder.as_measured(usual)
    np.testing.assert_allclose(moved[:, -2], 1.0, atol=1e-4)
    np.testing.assert_allclose(np.delete(moved, -2, axis=1), 0.0, atol=1e-4)


def test_frames_depend_on_the_word(voice):
    _, _, encoder, model = voice
    low, high = (predicted_frames(model, encoder, word, 1.0) for word in ("low", "high"))
    assert np.abs(low[: len(high)] - high[: len(low)]).max() > 1e-3


def test_another_vocabulary_goes_on_with_the_normalisation_of_the_run_it_starts_from(voice):
    task, splits, encoder, _ = voice
    source = VoiceEncoder(
        words=["a"], references=[""], means=[1.0] * 18, deviations=[2.0] * 18, full_scale=1.0
    )
    begun = task.encode_from(splits.train, source)
    assert (begun.means, begun.words) == (source.means, encoder.words)


def test_several_speakers_are_told(tmp_path):
    for number in range(12):
        name = f"{('low', 'high')[number % 2]}_{('ann', 'bob')[number // 6]}_{number}.wav"
        soundfile.write(tmp_path / name, hum(100 + number), RATE)
    task = Synthesis(data=str(tmp_path), names="{label}_{speaker}_{take}", validation=0)
    splits = task.load()
    assert "2 speakers become one voice" in task.left_out(splits, None)[0]
    alone = task.model_copy(update={"only": {"speaker": ["ann"]}}).load()
    assert set(alone.train["speaker"]) == {"ann"}
    with pytest.raises(UserError, match="speaker is one of ann, bob"):
        task.model_copy(update={"only": {"speaker": ["eve"]}}).load()


def test_a_recogniser_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="no run folder"):
        Judge(RATE, str(tmp_path))
