from __future__ import annotations

import keras
import keras_hub
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from apps.vision.classification import PictureClassification
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.data.picture_levels import Levels
from core.errors import UserError
from core.experiment import Experiment
from core.fit import Fit
from core.pictures.classification import PictureEncoder, statistics
from core.run import Run
from core.training.train import train

SIDE = 16
LABELS = ("left", "top")


def picture(row: int, random: np.random.Generator, channels: int = 1) -> np.ndarray:
    """Noise that is lighter in the half that its label names."""
    pixels = random.integers(0, 80, (SIDE, SIDE, channels), np.uint8)
    half = pixels[:, : SIDE // 2] if LABELS[row % 2] == "left" else pixels[: SIDE // 2]
    half += 150
    return pixels


def pictures(num_examples: int, seed: int = 0, channels: int = 1) -> Examples:
    random = np.random.default_rng(seed)
    images = np.stack([picture(row, random, channels) for row in range(num_examples)])
    return Examples({"image": images, "label": [LABELS[row % 2] for row in range(num_examples)]}, "noise")


def parts(channels: int = 1) -> Splits:
    return Splits(
        pictures(64, channels=channels), pictures(8, 1, channels), pictures(32, 2, channels), "by seed"
    )


def experiment(**task: object) -> Experiment:
    fit = Fit(epochs=6, batch_size=16, learning_rate=1e-2, tensorboard=False, checkpoint_seconds=600)
    return Experiment(task=PictureClassification(width=8, **task), fit=fit)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return train(experiment(shift=0), tmp_path_factory.mktemp("runs") / "run", splits=parts())


@pytest.fixture(scope="module")
def presets(tmp_path_factory) -> dict[str, str]:
    """Preset folders: convolutions for colour of any size, a Transformer of fixed size, a text encoder."""
    folder = tmp_path_factory.mktemp("presets")
    backbones = {
        "convolutions": keras_hub.models.VGGBackbone([1, 1], [8, 16], image_shape=(None, None, 3)),
        "transformer": keras_hub.models.ViTBackbone((24, 24, 3), 8, 1, 2, 16, 16),
        "text": keras_hub.models.BertBackbone(100, 1, 2, 16, 16),
    }
    for name, backbone in backbones.items():
        backbone.save_to_preset(str(folder / name))
    converter = keras_hub.layers.ViTImageConverter(image_size=(24, 24), scale=1 / 255)
    converter.save_to_preset(str(folder / "transformer"))
    return {name: str(folder / name) for name in backbones}


def answers_the_same_when_loaded(run: Run) -> bool:
    task, loaded, test = run.experiment.task, Run(run.folder), parts().test
    return task.evaluate(loaded.model, loaded.encoder, test) == run.metrics["test"]


def test_a_residual_net_learns_and_answers_the_same_when_loaded(run):
    assert run.metrics["test"]["accuracy"] > 0.9
    assert answers_the_same_when_loaded(run)


@pytest.mark.parametrize("batch", [4, 64])
def test_a_probability_value_is_that_of_the_model_itself_in_one_batch_and_in_several(monkeypatch, batch):
    monkeypatch.setattr("core.task.classification.EVALUATION_BATCH", batch)
    task, examples = PictureClassification(width=8), pictures(10)
    encoder = task.encode(examples)
    model = task.build(encoder)
    own = keras.ops.softmax(model(examples["image"].astype("float32"), training=False))
    probabilities = task.probabilities(model, encoder, examples)
    np.testing.assert_allclose(probabilities, keras.ops.convert_to_numpy(own), atol=1e-5)


@pytest.mark.parametrize("net", ["alexnet", "vgg"])
def test_another_net_learns_and_answers_the_same_when_loaded(net, tmp_path):
    run = train(experiment(net=net, shift=0), tmp_path / "run", splits=parts())
    assert run.metrics["test"]["accuracy"] > 0.9
    assert answers_the_same_when_loaded(run)


def test_a_backbone_is_trained_from_its_preset_folder_and_answers_the_same_when_loaded(presets, tmp_path):
    settings = experiment(net="backbone", preset=presets["convolutions"], shift=0)
    run = train(settings, tmp_path / "run", splits=parts())
    start = keras_hub.models.Backbone.from_preset(presets["convolutions"])
    layer = next(layer for layer in run.model.layers if isinstance(layer, keras_hub.models.Backbone))
    assert any((a != b).any() for a, b in zip(start.get_weights(), layer.get_weights(), strict=True))
    assert answers_the_same_when_loaded(run)


def test_an_answer_of_a_backbone_is_explained_by_its_own_maps(presets):
    task = PictureClassification(net="backbone", preset=presets["convolutions"], size=32)
    encoder = task.encode(pictures(4))
    model = task.build(encoder)
    anatomy = task.anatomy(model, encoder, pictures(1)["image"][0])
    backbone = next(layer for layer in model.layers if isinstance(layer, keras_hub.models.Backbone))
    maps = model.get_layer(anatomy.maps).output
    assert maps.shape[1:] == backbone.compute_output_shape((1, 32, 32, 3))[1:]
    explanation = task.explain(model, encoder, pictures(1)["image"][0], "grad_cam")
    assert explanation.method == "grad_cam"
    assert np.isfinite([part.adds for part in explanation.parts]).all()


def test_a_frozen_backbone_leaves_two_weights_to_train(presets):
    task = PictureClassification(net="backbone", preset=presets["convolutions"], frozen=True)
    assert len(task.build(task.encode(pictures(4))).trainable_weights) == 2


def test_a_backbone_sees_pictures_in_the_size_and_scale_of_its_preset(presets):
    task = PictureClassification(net="backbone", preset=presets["transformer"])
    model = task.build(task.encode(pictures(4)))
    backbone = next(layer for layer in model.layers if isinstance(layer, keras_hub.models.Backbone))
    seen = keras.Model(model.input, model.layers[model.layers.index(backbone) - 1].output)
    white = keras.ops.convert_to_numpy(seen(np.full((1, SIDE, SIDE, 1), 255, np.uint8)))
    assert white.shape == (1, 24, 24, 3)
    np.testing.assert_allclose(white, 1.0, rtol=1e-6)


@pytest.mark.parametrize(("preset", "message"), [("text", "no image backbone"), ("nowhere", "nowhere")])
def test_a_preset_that_is_no_image_backbone_is_refused(preset, message, presets):
    task = PictureClassification(net="backbone", preset=presets.get(preset, preset))
    with pytest.raises(UserError, match=message):
        task.build(task.encode(pictures(4)))


def test_a_backbone_without_a_preset_is_refused():
    with pytest.raises(ValidationError, match="belong together"):
        PictureClassification(net="backbone")


def test_a_net_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="alexnet"):
        PictureClassification(net="lenet")


@pytest.mark.parametrize("channels", [1, 3])
def test_raw_pictures_leave_the_first_layer_with_mean_0_and_variance_1(channels):
    task, train_part = PictureClassification(), pictures(64, channels=channels)
    model = task.build(task.encode(train_part))
    scaled = keras.Model(model.input, model.layers[1].output)(train_part["image"])
    scaled = keras.ops.convert_to_numpy(scaled)
    np.testing.assert_allclose(scaled.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=(0, 1, 2)), 1, rtol=1e-5)


def test_statistics_of_many_pictures_are_those_of_numpy(monkeypatch):
    monkeypatch.setattr("core.data.larger_than_memory.BLOCK_BYTES", 5 * 3 * SIDE**2)
    images = pictures(64, channels=3)["image"]
    mean, deviation = statistics(images)
    np.testing.assert_allclose(mean, images.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(deviation, images.std(axis=(0, 1, 2)))


def test_pictures_that_are_no_files_are_resized_inside_the_model():
    task = PictureClassification(size=24, width=4)
    model = task.build(task.encode(pictures(4)))
    resized = keras.Model(model.input, model.layers[1].output)(np.full((1, SIDE, SIDE, 1), 77, np.uint8))
    np.testing.assert_allclose(resized, np.full((1, 24, 24, 1), 77.0))
    assert np.isfinite(model.predict_on_batch(pictures(4)["image"])).all()


def test_a_channel_without_contrast_stays_finite():
    task = PictureClassification(width=4)
    dark = Examples({"image": np.zeros((4, SIDE, SIDE, 1), np.uint8), "label": ["a", "b"] * 2})
    model = task.build(task.encode(dark))
    assert np.isfinite(model.predict_on_batch(dark["image"])).all()


def test_pictures_of_any_size_and_colour_mode_get_the_answer_of_their_content(run, tmp_path):
    random = np.random.default_rng(5)
    grey = Image.fromarray(picture(1, random)[..., 0])
    files = {
        "grey.png": grey,
        "large.jpg": grey.resize((3 * SIDE, 2 * SIDE)),
        "colour.png": grey.convert("RGB"),
        "palette.gif": grey.convert("P"),
        "see-through.png": grey.convert("RGBA"),
        "bits.png": Image.fromarray(np.asarray(grey).astype(np.uint16) * 257),
    }
    for name, image in files.items():
        image.save(tmp_path / name)
    answers = run.experiment.task.predict(run.model, run.encoder, [tmp_path / name for name in files])
    assert [answer["label"] for answer in answers] == ["top"] * len(files)
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_picture_that_is_not_there_is_refused_by_its_path(run):
    with pytest.raises(UserError, match=r"nowhere\.png"):
        run.experiment.task.predict(run.model, run.encoder, ["nowhere.png"])


def test_a_corrupt_picture_is_refused_by_its_path(run, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(UserError, match=r"broken\.png"):
        run.experiment.task.predict(run.model, run.encoder, [tmp_path / "broken.png"])


def test_arrays_of_another_shape_are_refused_with_both_shapes(run):
    with pytest.raises(UserError, match=r"\(16, 16, 1\).*\(16, 16, 3\)"):
        run.experiment.task.evaluate(run.model, run.encoder, pictures(4, channels=3))


def test_a_folder_of_pictures_of_another_size_is_judged_in_the_shape_of_the_model(run, tmp_path):
    random = np.random.default_rng(6)
    for row in range(40):
        folder = tmp_path / "data" / LABELS[row % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(row, random)[..., 0]).resize((24, 24)).convert("RGB").save(
            folder / f"{row}.png"
        )
    splits = run.experiment.task.model_copy(update={"data": str(tmp_path / "data")}).load()
    assert splits.test["image"].shape[1:] == (24, 24, 3)
    assert run.experiment.task.evaluate(run.model, run.encoder, splits.test)["accuracy"] > 0.9


def test_a_folder_of_pictures_of_different_sizes_is_read_in_the_size_asked_for(tmp_path):
    for row in range(20):
        folder = tmp_path / "data" / LABELS[row % 2]
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(row).integers(0, 255, (10 + row, 12, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{row}.png")
    with pytest.raises(UserError, match="size"):
        PictureClassification(data=str(tmp_path / "data")).load()
    splits = PictureClassification(data=str(tmp_path / "data"), size=8, channels=1).load()
    assert splits.train["image"].shape[1:] == (8, 8, 1)


def test_a_training_batch_is_a_function_of_the_seed_and_stays_raw():
    task = PictureClassification(flip=True, rotation=20, erasing=0.5, mix="cutmix", mix_alpha=1.0)
    examples = pictures(16)
    encoder = task.encode(examples)
    first, again, other = (
        next(iter(task.batches(examples, encoder, Feed(16, training=True, seed=seed)))) for seed in (0, 0, 1)
    )
    assert first[0].dtype == "uint8"
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0].numpy() != other[0].numpy()).any()


def test_pictures_that_are_judged_are_not_changed():
    task, examples = PictureClassification(flip=True, rotation=20, mix="mixup"), pictures(16)
    images, labels = next(iter(task.batches(examples, task.encode(examples), Feed(16))))
    np.testing.assert_array_equal(images, examples["image"])
    np.testing.assert_array_equal(np.argmax(labels, axis=1), np.arange(16) % 2)


def test_the_rival_tells_the_sides_apart_by_their_edges():
    task, splits = PictureClassification(), parts()
    figures = task.baseline(task.encode(splits.train), splits)["HOG + linear SVM"]
    assert set(figures) == {"accuracy", "macro_f1"}
    assert figures["accuracy"] > 0.9


@pytest.fixture
def deep_task(tmp_path) -> PictureClassification:
    """A task on a folder of pictures of 12 bits."""
    random = np.random.default_rng(0)
    for row in range(40):
        path = tmp_path / "deep" / LABELS[row % 2] / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 4096 if row % 2 else 256, (8, 8), np.uint16)).save(path)
    return PictureClassification(data=str(tmp_path / "deep"), test=0.3)


def test_what_deep_pictures_are_brightest_at_is_kept_with_the_run(deep_task):
    splits = deep_task.load()
    encoder = deep_task.encode(splits.train)
    assert encoder.levels == Levels(0, 4095, False)
    assert PictureEncoder.model_validate_json(encoder.model_dump_json()) == encoder


def test_a_deep_picture_is_seen_by_itself_as_among_others(deep_task):
    splits = deep_task.load()
    encoder = deep_task.encode(splits.train)
    alone = [deep_task.features(deep_task.read([path]), encoder)[0] for path in splits.test["path"].tolist()]
    np.testing.assert_array_equal(alone, deep_task.features(splits.test, encoder))


def test_other_data_are_seen_at_the_levels_of_the_training(deep_task, tmp_path):
    encoder = deep_task.encode(deep_task.load().train)
    brighter = encoder.model_copy(update={"levels": Levels(0, 8190, False)})
    dark, seen = (deep_task.features(deep_task.load().train, each) for each in (brighter, encoder))
    np.testing.assert_allclose(dark, seen // 2, atol=1)


def test_reports_tell_no_slices_by_levels(deep_task):
    splits = deep_task.load()
    assert "levels" not in deep_task.slices(splits, deep_task.encode(splits.train))


def test_levels_whose_black_is_lighter_than_their_white_are_refused():
    with pytest.raises(ValidationError, match="the lower one first"):
        PictureClassification(levels=(5, 5))
