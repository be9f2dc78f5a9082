from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from apps.vision.any_size.bicubic import resized
from apps.vision.any_size.reading import examples_of, picture_at
from apps.vision.enhancement import TILE, Enhancement, EnhancementEncoder
from apps.vision.restoring.colour import rgb, ycbcr
from apps.vision.restoring.nets import bicubic_kernel
from apps.vision.restoring.patches import Patches
from core.data.feed import Feed
from core.errors import UserError
from core.experiment import load_experiment


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


def enhancement(**settings) -> Enhancement:
    return Enhancement(**{"width": 4, "depth": 1, "patch": 8, **settings})


def untrained(task: Enhancement, channels: int = 3):
    """Return a model whose weights are far from doing nothing."""
    model = task.build(EnhancementEncoder(channels=channels))
    random = np.random.default_rng(0)
    model.set_weights([random.normal(0, 0.2, weight.shape) for weight in model.get_weights()])
    return model


def test_the_convolution_that_enlarges_interpolates_as_resizing_does():
    import keras

    for scale in (2, 3, 4):
        x = np.random.default_rng(0).normal(size=(1, 9, 10, 2)).astype(np.float32)
        kernel = bicubic_kernel(scale, 2)
        answer = keras.ops.depth_to_space(keras.ops.conv(x, kernel, padding="same"), scale)
        inside = slice(2 * scale, -2 * scale)
        expected = resized(x[0], (9 * scale, 10 * scale))
        np.testing.assert_allclose(np.asarray(answer)[0][inside, inside], expected[inside, inside], atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"net": "edsr", "depth": 2},
        {"net": "fsrcnn", "scale": 3},
        {"net": "dncnn", "degradation": "noise"},
        {"net": "dncnn", "degradation": "noise", "halved": True},
    ],
    ids=str,
)
def test_the_seams_between_tiles_can_t_be_seen(settings):
    task = enhancement(planes="rgb", channels=3, **settings)
    model, whole = untrained(task), picture(TILE, TILE).astype(np.float32)
    # The picture as the middle of a larger one, so that no edge is near.
    around = np.pad(whole, ((TILE, TILE), (TILE, TILE), (0, 0)), mode="symmetric")
    at_once = 255 * np.asarray(model.predict_on_batch(around[None]))[0]
    times = task.scale if task.degradation == "resolution" else 1
    inside = slice(times * TILE, 2 * times * TILE)
    np.testing.assert_allclose(task.restorer(model).planes(whole), at_once[inside, inside], atol=0.02)


def test_patches_are_a_function_of_their_seed():
    patches = Patches(examples_of([picture(40, 60), picture(50, 30)], ["a", "b"], "here"), noisy(), 8)
    first, again, other = (patches.cut(5, seed) for seed in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any()


def noisy():
    return enhancement(degradation="noise", planes="rgb").degrading


def test_a_patch_of_fewer_pixels_lies_where_the_sharp_one_does():
    plane = np.zeros((48, 48, 3), np.uint8)
    plane[12:24, 30:42] = 255
    task = enhancement(scale=3, planes="rgb")
    seen, true = Patches(examples_of([plane], ["a"], "here"), task.degrading, 8).cut(20, [0])
    for low, sharp in zip(seen, true, strict=True):
        assert sharp.shape == (24, 24, 3)
        np.testing.assert_allclose(low.mean(), sharp.mean(), atol=12)


def test_a_resumed_feed_gives_the_patches_that_an_uninterrupted_one_gives():
    task = enhancement(patches=12)
    examples = examples_of([picture(40, 60)], ["a"], "here")
    encoder = EnhancementEncoder(channels=3)
    whole = list(task.batches(examples, encoder, Feed(4, training=True, seed=3)).take(5).as_numpy_iterator())
    rest = task.batches(examples, encoder, Feed(4, training=True, seed=3, epoch=1, step=1))
    np.testing.assert_array_equal(next(rest.as_numpy_iterator())[0], whole[4][0])


def test_colours_survive_luma_and_chroma():
    colours = picture(9, 9)
    np.testing.assert_allclose(rgb(ycbcr(colours)), colours, atol=0.01)


def test_chroma_of_a_larger_picture_is_interpolated():
    task = enhancement()
    small, encoder = 100 + picture(20, 30) // 4, EnhancementEncoder(channels=3)
    answer = task.predict(task.build(encoder), encoder, [small])[0]["picture"]
    assert answer.shape == (40, 60, 3)
    expected = resized(ycbcr(small), (40, 60))[..., 1:]
    np.testing.assert_allclose(ycbcr(answer)[..., 1:], expected, atol=1)


def test_noise_is_the_same_in_each_judgement():
    task = enhancement(degradation="noise", channels=1)
    sharp = picture(20, 20, 1)
    pairs = [task.degrading.judged_pair(sharp, (0, row)) for row in (1, 1, 2)]
    np.testing.assert_array_equal(pairs[0][0], pairs[1][0])
    assert (pairs[0][0] != pairs[2][0]).any()


def folder_of(tmp_path, sizes, name="photos"):
    folder = tmp_path / name
    folder.mkdir()
    for place, (height, width) in enumerate(sizes):
        Image.fromarray(picture(height, width)).save(folder / f"{place}.png")
    return folder


def test_a_picture_smaller_than_a_patch_is_refused_by_name(tmp_path):
    folder = folder_of(tmp_path, [(40, 40), (40, 10)])
    with pytest.raises(UserError, match=r"1\.png is too small .* 16 x 16 .* Received: 10 x 40"):
        enhancement(data=str(folder)).load()


def test_a_broken_picture_is_left_out_if_asked_for_and_counted(tmp_path):
    folder = folder_of(tmp_path, [(40, 40)] * 6)
    whole = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"3\.png can't be read as a picture"):
        enhancement(data=str(folder)).load()
    splits = enhancement(data=str(folder), skip_bad=True, split_seed=1).load()
    assert "1 picture of train left out that can't be used" in splits.notes


def test_a_turn_that_exif_tells_is_applied(tmp_path):
    sharp = picture(30, 40)
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "turned").mkdir()
    Image.fromarray(sharp).save(tmp_path / "turned" / "a.png", exif=exif)
    parts, _ = enhancement()._read(str(tmp_path / "turned"), None)
    np.testing.assert_array_equal(picture_at(parts["train"], 0), np.rot90(sharp, -1))


def test_pictures_to_judge_by_may_lie_in_another_folder(tmp_path):
    task = enhancement(
        data=str(folder_of(tmp_path, [(40, 40)] * 5)),
        test_data=str(folder_of(tmp_path, [(30, 30), (31, 33)], "judged")),
    )
    assert len(task.load().test) == 2


def test_an_answer_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("apps.vision.restoring.restorer.MOST_PIXELS", 1000)
    task = enhancement()
    with pytest.raises(UserError, match="too large: 2 times as wide and high, 20 x 20 pixels"):
        task.predict(untrained(task), EnhancementEncoder(channels=3), [picture(20, 20)])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("noise=[30,10]", "the lower one first"),
        ("halved=true", "degradation=noise or jpeg"),
        ("depth=60", "less depth"),
    ],
)
def test_settings_that_can_t_be_are_refused(override, message):
    with pytest.raises(UserError, match=message):
        load_experiment("vision/enhancement", [f"task.{override}"])


def test_the_sample_is_divided_into_photographs_that_no_two_parts_share():
    splits = Enhancement().load()
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [7, 1, 3]
