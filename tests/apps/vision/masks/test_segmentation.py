from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from apps.vision.any_size.reading import picture_at
from apps.vision.masks.reading import classes_of, decoded_mask
from apps.vision.masks.segmenter import Segmenter, in_values
from apps.vision.masks.unet import seen
from apps.vision.segmentation import Segmentation, SegmentationEncoder
from core.data.feed import Feed
from core.errors import UserError
from core.experiment import load_experiment

RANDOM = np.random.default_rng(0)


def encoder(**settings) -> SegmentationEncoder:
    plain = {"names": ["0", "255"], "values": [0, 255], "mean": [120.0], "deviation": [60.0], "tile": 32}
    return SegmentationEncoder(**{**plain, **settings})


def folder_of(tmp_path, masks: dict[str, np.ndarray], pictures: str = "images", name: str = "masks"):
    """Write a picture for each mask, of its size, and the masks."""
    for each in (pictures, name):
        (tmp_path / each).mkdir(parents=True, exist_ok=True)
    for stem, mask in masks.items():
        Image.fromarray(mask).save(tmp_path / name / f"{stem}.png")
        picture = RANDOM.integers(0, 256, mask.shape[:2], np.uint8)
        Image.fromarray(picture).save(tmp_path / pictures / f"{stem}.png")
    return tmp_path


def two_values(height: int = 20, width: int = 24, light: int = 255) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[: height // 2] = light
    return mask


def load(path, **settings) -> dict:
    splits = Segmentation(data=str(path), **settings).load()
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}


def test_values_of_masks_become_classes_and_come_back(tmp_path):
    mask = RANDOM.choice(np.array([0, 7, 255], np.uint8), (20, 24))
    parts = load(folder_of(tmp_path, {str(row): mask for row in range(9)}), test=0.5, split_seed=2)
    train = parts["train"]
    assert [each.value for each in classes_of(train)] == [0, 7, 255]
    places = picture_at(train, 0, "mask")[..., 0]
    np.testing.assert_array_equal(in_values(places, [0, 7, 255]), mask)


def test_an_indexed_png_is_read_by_its_indices_and_not_by_its_colours(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
    image.save(tmp_path / "a.png")
    places, values = decoded_mask(tmp_path / "a.png")
    assert values == [0, 1, 2]
    assert places.tolist() == [[0, 1], [2, 1]]


def test_colours_of_a_mask_are_classes(tmp_path):
    colours = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png")
    places, values = decoded_mask(tmp_path / "a.png")
    assert values == ["#0000ff", "#ff0000"]
    np.testing.assert_array_equal(in_values(places, values), colours)


def test_parts_may_stand_above_or_below_the_folders_of_pictures_and_masks(tmp_path):
    masks = {f"{row}": two_values() for row in range(3)}
    for part in ("train", "test"):
        folder_of(tmp_path / "above" / part, masks)
        folder_of(tmp_path / "below", masks, f"img/{part}", f"gt/{part}")
    for kind in ("above", "below"):
        assert len(load(tmp_path / kind, validation=0.0)["test"]) == 3


def test_names_are_ordered_by_their_numbers_the_last_of_which_are_the_test_part(tmp_path):
    folder_of(tmp_path, {f"s{row}": two_values() for row in range(12)})
    parts = load(tmp_path, split_time="number", test=0.25)
    assert parts["test"]["number"].tolist() == [9, 10, 11]


def test_a_mask_of_another_size_is_refused_by_name(tmp_path):
    folder_of(tmp_path, {"a": two_values(), "b": two_values()})
    Image.fromarray(two_values(10, 10)).save(tmp_path / "masks" / "b.png")
    with pytest.raises(
        UserError, match=r"b\.png must have the size of its picture, 24 x 20.*Received: 10 x 10"
    ):
        load(tmp_path)


def test_a_mask_with_a_value_of_no_class_is_refused_by_name(tmp_path):
    folder_of(tmp_path / "train", {"a": two_values()})
    folder_of(tmp_path / "test", {"b": two_values(light=99)})
    with pytest.raises(
        UserError, match=r"b\.png holds pixels of no known class.*Known: 0, 255.*Received: 99"
    ):
        load(tmp_path)


def test_classes_may_be_named_and_others_refused(tmp_path):
    folder_of(tmp_path, {"a": two_values(), "b": two_values(light=3)})
    with pytest.raises(UserError, match="Received: 3"):
        load(tmp_path, classes={"wall": 0, "cell": 255})


def test_pixels_that_nobody_judged_are_no_class(tmp_path):
    mask = two_values()
    mask[0] = 128
    parts = load(folder_of(tmp_path, {str(row): mask for row in range(4)}), unlabelled=128, test=0.5)
    part = next(part for part in parts.values() if len(part))
    assert [each.value for each in classes_of(part)] == [0, 255]
    assert np.unique(picture_at(part, 0, "mask")).tolist() == [0, 1, 255]


def test_a_picture_with_grey_levels_is_no_mask(tmp_path):
    folder_of(tmp_path, {"a": np.arange(240, dtype=np.uint8).reshape(12, 20)})
    with pytest.raises(UserError, match=r"a\.png is no mask: it holds 240 values"):
        load(tmp_path)


def test_a_picture_without_a_mask_is_refused_or_left_out(tmp_path):
    folder_of(tmp_path, {f"{row}": two_values() for row in range(6)})
    (tmp_path / "masks" / "3.png").unlink()
    with pytest.raises(UserError, match=r"3\.png has no mask of its name"):
        load(tmp_path)
    parts = load(tmp_path, skip_bad=True)
    assert sum(map(len, parts.values())) == 5


def test_a_broken_mask_is_refused_by_name(tmp_path):
    folder_of(tmp_path, {"a": RANDOM.integers(0, 2, (80, 80), np.uint8)})
    path = tmp_path / "masks" / "a.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match=r"a\.png can't be read as a mask"):
        load(tmp_path)


def test_a_turn_that_exif_tells_is_applied_to_pictures_and_masks(tmp_path):
    folder_of(tmp_path, {"a": two_values(), "b": two_values()})
    exif = Image.Exif()
    exif[0x0112] = 6
    for folder in ("images", "masks"):
        for name in ("a", "b"):
            image = Image.open(tmp_path / folder / f"{name}.png")
            image.load()
            image.save(tmp_path / folder / f"{name}.png", exif=exif)
    parts = load(tmp_path, test=0.5)
    part = next(part for part in parts.values() if len(part))
    assert picture_at(part, 0).shape == (24, 20, 1)
    np.testing.assert_array_equal(picture_at(part, 0, "mask")[..., 0], np.rot90(two_values() // 255, -1))


@pytest.mark.parametrize("depth", [1, 2])
def test_the_seams_between_tiles_can_t_be_seen(depth):
    tile = 3 * seen(depth)
    task, known = Segmentation(width=4, depth=depth, crop=16), encoder(tile=tile)
    model = task.build(known)
    model.set_weights([RANDOM.uniform(0.05, 0.4, weight.shape) for weight in model.get_weights()])
    picture = RANDOM.integers(0, 256, (tile + 40, tile + 8, 1), np.uint8)
    around = np.pad(picture, ((tile, tile), (tile, tile), (0, 0)), mode="symmetric")
    around = around[: around.shape[0] // 8 * 8, : around.shape[1] // 8 * 8]
    whole = np.asarray(model.predict_on_batch(around[None]))[0]
    expected = whole[tile : tile + picture.shape[0], tile : tile + picture.shape[1]]
    received = task.segmenter(model, known).logits(picture)
    np.testing.assert_allclose(received, expected, atol=1e-3 * np.abs(expected).max())


def test_a_picture_smaller_than_the_stride_of_the_net_is_answered():
    task, known = Segmentation(width=4, depth=3, crop=16), encoder()
    picture = RANDOM.integers(0, 256, (3, 5, 1), np.uint8)
    [answer] = task.predict(task.build(known), known, [picture])
    assert answer["mask"].shape == (3, 5)
    assert set(np.unique(answer["mask"])) <= {0, 255}
    assert sum(each["share"] for each in answer["classes"]) == pytest.approx(1.0)


def test_a_large_picture_is_answered_tile_by_tile():
    largest = []

    def net(tiles: np.ndarray) -> np.ndarray:
        largest.append(tiles.size)
        return np.zeros((*tiles.shape[:3], 2), np.float32)

    answer = Segmenter(net, 64, 16, ["a", "b"], [0, 1]).answer(np.zeros((700, 900, 1), np.uint8))
    assert answer["mask"].shape == (700, 900)
    assert max(largest) <= 8 * 64 * 64


def test_a_resumed_feed_gives_the_crops_that_an_uninterrupted_one_gives(tmp_path):
    folder_of(tmp_path, {str(row): two_values(40, 40) for row in range(6)})
    task = Segmentation(data=str(tmp_path), crop=16, crops=12, elastic=4, turn=20, flip="both", light=0.2)
    train, known = task.load().train, encoder()
    whole = list(task.batches(train, known, Feed(4, training=True, seed=3)).take(5).as_numpy_iterator())
    rest = task.batches(train, known, Feed(4, training=True, seed=3, epoch=1, step=1)).as_numpy_iterator()
    for expected, received in zip(whole[4], next(rest), strict=True):
        np.testing.assert_array_equal(received, expected)


def test_other_data_with_other_classes_is_refused(tmp_path):
    folder_of(tmp_path, {str(row): two_values(light=3) for row in range(4)})
    task = Segmentation(data=str(tmp_path))
    with pytest.raises(UserError, match="The model knows the classes 0, 255"):
        task._masks(task.load().train, encoder())


def test_classes_are_told_by_name_whatever_their_order(tmp_path):
    folder_of(tmp_path, {str(row): two_values() for row in range(4)})
    task = Segmentation(data=str(tmp_path))
    train = task.load().train
    straight = task._masks(train, encoder())[0]
    np.testing.assert_array_equal(task._masks(train, encoder(names=["255", "0"]))[0], 1 - straight)


def test_a_crop_that_the_net_can_t_halve_is_refused():
    with pytest.raises(UserError, match="multiple of 8"):
        load_experiment("vision/segmentation", ["task.crop=100"])


def test_a_background_of_no_class_is_refused(tmp_path):
    folder_of(tmp_path, {str(row): two_values() for row in range(4)})
    task = Segmentation(data=str(tmp_path), background="sky")
    with pytest.raises(UserError, match="Received: sky"):
        task.encode(task.load().train)
