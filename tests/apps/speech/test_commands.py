from __future__ import annotations

import keras
import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from apps.speech.commands import Commands
from core.data.examples import Examples, Ragged, Splits
from core.data.feed import Feed
from core.errors import UserError
from core.exporting.formats import quantise_onnx, write_litert, write_onnx
from core.exporting.runtime import Graph
from core.fit import Fit
from core.inputs.limits import Limits

RATE = 8000
TASK = Commands(sample_rate=RATE, seconds=0.5, width=4)
HERTZ = {"low": 300.0, "high": 1200.0}


def tone(hertz: float, seconds: float, random: np.random.Generator) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * hertz * random.uniform(0.9, 1.1) * time) + random.normal(0, 0.05, len(time))
    return np.int16(8000 * wave)


def tones(num_examples: int, seed: int = 0) -> Examples:
    random = np.random.default_rng(seed)
    labels = [("low", "high")[row % 2] for row in range(num_examples)]
    waves = [tone(HERTZ[label], random.uniform(0.2, 0.8), random) for label in labels]
    takes = [str(row // 2) for row in range(num_examples)]
    return Examples({"wave": Ragged.from_rows(waves), "label": labels, "take": takes}, "tones")


@pytest.fixture(scope="module")
def splits() -> Splits:
    return Splits(tones(80), tones(10, seed=1), tones(40, seed=2), "by seed")


@pytest.fixture(scope="module")
def trained(splits):
    keras.utils.set_random_seed(0)
    encoder = TASK.encode(splits.train)
    model = TASK.build(encoder)
    model.compile(Fit(learning_rate=0.01).keras_optimizer(25), TASK.loss(encoder), jit_compile=False)
    feed = Feed(16, training=True)
    model.fit(TASK.batches(splits.train, encoder, feed), steps_per_epoch=feed.steps(80), epochs=5, verbose=0)
    return model, encoder


@pytest.fixture
def files(tmp_path):
    """Sound files of each word: mono, stereo at another rate, and much longer than the window."""
    random = np.random.default_rng(3)
    paths = [str(tmp_path / name) for name in ("mono.wav", "stereo.flac", "long.wav")]
    soundfile.write(paths[0], tone(300, 0.4, random), RATE)
    time = np.arange(22050) / 44100
    soundfile.write(paths[1], 0.4 * np.sin(2 * np.pi * 1200 * time)[:, None] * [1, 0.5], 44100)
    silence = random.normal(0, 10, 20 * RATE).astype(np.int16)
    soundfile.write(paths[2], np.concatenate([silence, tone(1200, 0.4, random), silence]), RATE)
    return paths


def test_tones_are_told_apart_and_so_are_those_of_the_rival(splits, trained):
    model, encoder = trained
    assert TASK.evaluate(model, encoder, splits.test)["accuracy"] == 1
    rivals = TASK.baseline(encoder, splits)
    assert [figures["accuracy"] for figures in rivals.values()] == [1]


def test_sound_files_of_any_rate_channels_and_length_get_their_word(trained, files):
    answers = TASK.predict(*trained, files)
    assert [answer["label"] for answer in answers] == ["low", "high", "high"]
    assert all(sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4) for answer in answers)


def test_the_gain_of_a_recording_makes_no_difference(trained, splits):
    model, _ = trained
    (waves, _), *_ = TASK.batches(splits.test, trained[1], Feed(8))
    np.testing.assert_allclose(model(waves), model(waves * 0.01), atol=1e-3)


def test_a_loaded_model_answers_as_the_saved_one_did(trained, files, tmp_path):
    model, encoder = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert TASK.predict(loaded, encoder, files) == TASK.predict(model, encoder, files)


@pytest.mark.parametrize("net", ["convolutional", "recurrent"])
def test_waves_are_varied_in_training_alone(net):
    task = TASK.model_copy(update={"net": net})
    model = task.build(task.encode(tones(4)))
    waves = np.float32(np.random.default_rng(0).normal(0, 0.1, (2, task.num_samples)))
    assert model(waves).shape == (2, 2)
    np.testing.assert_array_equal(model(waves), model(waves))
    heard = keras.Model(model.input, model.get_layer("log_mel").output)
    assert np.abs(heard(waves, training=True) - heard(waves, training=True)).max() > 0.1


def test_a_short_wave_stands_in_the_middle_of_the_window():
    examples = Examples({"wave": Ragged.from_rows([[16384] * 1000, [-16384] * 4000], np.int16)})
    ((waves,),) = TASK.batches(examples, TASK.encode(tones(2)), Feed(2))
    expected = np.zeros((2, 4000), np.float32)
    expected[0, 1500:2500], expected[1] = 0.5, -0.5
    np.testing.assert_array_equal(waves, expected)


def write_words(folder, num_takes: int = 6) -> None:
    random = np.random.default_rng(0)
    for label, hertz in HERTZ.items():
        for speaker in ("ann", "bob"):
            for take in range(num_takes):
                (folder / label).mkdir(parents=True, exist_ok=True)
                wave = tone(hertz, 0.3, random)
                soundfile.write(folder / label / f"{label}_{speaker}_{take}.wav", wave, RATE)


def test_a_folder_for_each_word_is_split_by_content(tmp_path):
    write_words(tmp_path)
    task = TASK.model_copy(update={"data": str(tmp_path), "test": 0.4})
    splits = task.load()
    assert task.encode(splits.train).labels == ["high", "low"]
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 24


def test_names_and_test_when_choose_the_test_part_and_say_so(tmp_path):
    write_words(tmp_path)
    names = "{label}_{speaker}_{take}"
    task = Commands(
        data=str(tmp_path), sample_rate=RATE, names=names, test_when={"take": [0, 1]}, validation=0
    )
    splits = task.load()
    assert sorted(set(splits.test["take"].tolist())) == ["0", "1"]
    assert sorted(set(splits.train["take"].tolist())) == ["2", "3", "4", "5"]
    assert len(splits.validation) == 0
    assert splits.protocol.startswith("test part where take is 0, 1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_when": {"take": [9]}}, "chooses 0"),
        ({"test_when": {"take": [1, 9]}}, "Each value of test_when.*take 9"),
        ({"test_when": {"take": [0, 1, 2, 3, 4, 5]}}, "not all"),
        ({"test_when": {"day": [1]}}, "no column 'day'"),
        ({"names": "{label}-{take}", "test_when": {}}, "is not named as"),
        ({"names": "{speaker}_{take}", "test_when": {}}, "must say the label"),
        ({"data": "sample"}, "has none"),
    ],
)
def test_names_and_test_when_that_do_not_fit_are_refused(tmp_path, arguments, message):
    write_words(tmp_path)
    task = Commands(**{"data": str(tmp_path), "names": "{label}_{speaker}_{take}"} | arguments)
    with pytest.raises(UserError, match=message):
        task.load()


def test_test_when_beside_a_published_test_part_is_refused(tmp_path):
    write_words(tmp_path / "train")
    write_words(tmp_path / "test")
    with pytest.raises(UserError, match="names its own test part"):
        Commands(data=str(tmp_path), test_when={"label": ["low"]}).load()


def test_a_file_that_is_no_recording_is_refused_by_name(trained, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing")
    for name in ("broken.wav", "missing.wav"):
        with pytest.raises(UserError, match=name):
            TASK.predict(*trained, [str(tmp_path / name)])


def test_a_label_never_seen_in_training_is_refused(trained):
    model, encoder = trained
    with pytest.raises(UserError, match="never saw"):
        TASK.evaluate(model, encoder, tones(4).with_columns(label=["low", "high", "low", "middle"]))


@pytest.mark.parametrize("field", [{"seconds": 0}, {"sample_rate": 100}, {"net": "quantum"}, {"speed": 1.0}])
def test_values_out_of_range_are_refused(field):
    with pytest.raises(ValidationError):
        Commands(**field)


def test_litert_can_hold_the_graph_from_waves_to_probabilities(trained, splits, tmp_path):
    model, encoder = trained
    portable = TASK.portable(model, encoder)
    write_litert(portable.graph, tmp_path / "model.tflite")
    scores = Graph(tmp_path)({"waves": TASK.features(splits.test, encoder)})
    inputs = [splits.test.ragged("wave")[row] for row in range(len(splits.test))]
    np.testing.assert_allclose(scores, portable.score(inputs), atol=1e-5)


def test_a_quantised_graph_hears_soft_recordings_as_well_as_the_loud_ones_it_was_fitted_to(
    trained, splits, tmp_path
):
    model, encoder = trained
    portable, path = TASK.portable(model, encoder), tmp_path / "model.onnx"
    write_onnx(portable.graph, path)
    waves = TASK.features(splits.test, encoder)
    quantise_onnx(path, [{"waves": waves}], portable.exact)
    soft = waves // 100
    scores = Graph(tmp_path)({"waves": soft})
    np.testing.assert_allclose(scores, portable.score(list(soft)), atol=0.1)


def test_the_full_scale_of_floats_is_kept_with_the_run_and_used_for_each_file(tmp_path):
    for row in range(20):
        path = tmp_path / ("low" if row % 2 else "high") / f"{row}.wav"
        path.parent.mkdir(exist_ok=True)
        noise = np.random.default_rng(row).normal(0, 30 if row % 2 else 8000, RATE // 2)
        soundfile.write(path, noise.round().clip(-32768, 32767), RATE, subtype="FLOAT")
    task = TASK.model_copy(update={"data": str(tmp_path)})
    train = task.load().train
    encoder = task.encode(train)
    assert encoder.full_scale == 32768
    quiet = tmp_path / "low" / "1.wav"
    expected = soundfile.read(quiet)[0]
    np.testing.assert_array_equal(task.features(task.read([str(quiet)]), encoder)[0], expected)
    uploaded = task.inputs(encoder)["wave"].raw(quiet.read_bytes(), Limits())
    np.testing.assert_array_equal(uploaded, expected)
