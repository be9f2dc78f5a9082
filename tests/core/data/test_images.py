from __future__ import annotations

import gzip
import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from core.data.images import decoded, decoded_upload, levels_of, read_images
from core.data.picture_levels import Levels
from core.errors import UserError


def saved(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)
COLOUR = np.stack([GREY, GREY * 2, GREY * 3], axis=-1)


def test_a_folder_for_each_class_is_read_with_its_labels(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    saved(tmp_path / "dog" / "2.png", GREY + 1)
    parts, _ = read_images(tmp_path)
    assert parts["train"]["label"].tolist() == ["cat", "dog"]
    np.testing.assert_array_equal(parts["train"]["image"][..., 0], [GREY, GREY + 1])


def test_parts_are_folders_of_classes(tmp_path):
    for part in ("train", "val", "test"):
        saved(tmp_path / part / "cat" / "1.png", GREY)
    assert sorted(read_images(tmp_path)[0]) == ["test", "train", "validation"]


def test_one_picture_in_colour_makes_all_of_them_so(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    saved(tmp_path / "dog" / "2.png", COLOUR)
    assert read_images(tmp_path)[0]["train"]["image"].shape == (2, 8, 8, 3)


def test_parts_of_different_sizes_are_refused_and_not_resized(tmp_path):
    saved(tmp_path / "train" / "cat" / "1.png", GREY)
    saved(tmp_path / "test" / "cat" / "1.png", GREY[:4, :4])
    with pytest.raises(UserError, match=r"differ in size.*test \(4, 4\), train \(8, 8\)"):
        read_images(tmp_path)
    assert read_images(tmp_path, size=(8, 8))[0]["test"]["image"].shape == (1, 8, 8, 1)


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    for name in ("cat/._1.png", ".cache/1.png", "__MACOSX/1.png"):
        saved(tmp_path / name, GREY)
    assert len(read_images(tmp_path)[0]["train"]) == 1


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="Give a folder with a folder for each class"):
        read_images(saved(tmp_path / "1.png", GREY))


def test_idx_files_may_have_their_first_names_and_no_test_part(tmp_path):
    (tmp_path / "train-images.idx3-ubyte").write_bytes(b"\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\1\7")
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\1\5")
    parts, _ = read_images(tmp_path)
    assert list(parts) == ["train"]
    assert parts["train"]["label"].tolist() == ["5"]


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_read(tmp_path, packed):
    pictures, labels = np.arange(3 * 2 * 2, dtype=np.uint8).reshape(3, 2, 2), np.array([0, 1, 0], np.uint8)
    for prefix in ("train", "t10k"):
        for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            content = head + array.tobytes()
            name = f"{prefix}-{kind}-ubyte" + (".gz" if packed else "")
            (tmp_path / name).write_bytes(gzip.compress(content, mtime=0) if packed else content)
    parts, _ = read_images(tmp_path)
    np.testing.assert_array_equal(parts["test"]["image"][..., 0], pictures)
    assert parts["train"]["label"].tolist() == ["0", "1", "0"]


def test_an_idx_file_cut_short_is_refused_by_name(tmp_path):
    for kind in ("images-idx3", "labels-idx1"):
        (tmp_path / f"train-{kind}-ubyte").write_bytes(b"\0\0\x08\x03\0\0\0\x09")
    with pytest.raises(UserError, match="train-images-idx3-ubyte is no whole idx file"):
        read_images(tmp_path)


def test_grey_pictures_stay_grey_and_one_in_colour_makes_all_of_its_kind(tmp_path):
    assert decoded([saved(tmp_path / "a.png", GREY)])[0].shape == (1, 8, 8, 1)
    assert decoded([saved(tmp_path / "b.png", COLOUR)])[0].shape == (1, 8, 8, 3)
    assert decoded([tmp_path / "a.png"], channels=3)[0].shape == (1, 8, 8, 3)


def test_pictures_of_another_size_are_brought_to_the_size_asked_for(tmp_path):
    files = [saved(tmp_path / "a.png", GREY), saved(tmp_path / "b.png", np.zeros((5, 9), np.uint8))]
    assert decoded(files, size=(4, 6))[0].shape == (2, 4, 6, 1)
    with pytest.raises(UserError, match=r"b\.png is 9 x 5 and others are 8 x 8"):
        decoded(files)


def test_a_transparent_picture_lies_on_white(tmp_path):
    clear = np.zeros((4, 4, 4), np.uint8)
    assert decoded([saved(tmp_path / "a.png", clear)])[0].min() == 255


def test_sixteen_bits_become_eight(tmp_path):
    deep = (GREY.astype(np.uint16) << 8) + 7
    np.testing.assert_array_equal(decoded([saved(tmp_path / "a.png", deep)])[0][0, ..., 0], GREY)


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    upright = Image.fromarray(np.repeat(GREY, 2, axis=1))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.save(tmp_path / "a.png", exif=exif)
    assert decoded([tmp_path / "a.png"])[0].shape == (1, 16, 8, 1)


def test_a_corrupt_picture_is_refused_by_name_or_left_out_and_counted(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    whole = (tmp_path / "cat" / "1.png").read_bytes()
    (tmp_path / "cat" / "2.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"2\.png can't be read as a picture"):
        read_images(tmp_path)
    parts, notes = read_images(tmp_path, skip_bad=True)
    assert len(parts["train"]) == 1
    assert notes == ("1 picture of train left out that can't be read",)


def test_a_lone_picture_that_can_t_be_read_is_reported_with_the_reason(tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"1\.png can't be read as a picture: cannot identify"):
        decoded([tmp_path / "1.png"])


def test_a_pipe_or_a_folder_named_like_a_picture_is_none(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    os.mkfifo(tmp_path / "cat" / "2.png")
    (tmp_path / "cat" / "3.png").mkdir()
    assert len(read_images(tmp_path)[0]["train"]) == 1


def test_a_link_that_leads_nowhere_is_reported(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    (tmp_path / "cat" / "2.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(UserError, match=r"no picture at this path.*2\.png"):
        read_images(tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "readme.md").write_text("x")
    with pytest.raises(UserError, match="holds no pictures"):
        read_images(tmp_path)


def content(array, format="PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, format)
    return file.getvalue()


def test_an_upload_is_read_as_a_file_of_the_same_content_is(tmp_path):
    path = saved(tmp_path / "1.png", COLOUR)
    expected = decoded([path], size=(4, 4), channels=1)[0][0]
    np.testing.assert_array_equal(decoded_upload(path.read_bytes(), (4, 4), 1), expected)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_an_upload_may_be_what_browsers_show(format):
    assert decoded_upload(content(COLOUR, format), (8, 8), 3).shape == (8, 8, 3)


@pytest.mark.parametrize("format", ["EPS", "TIFF", "PPM", "ICO"])
def test_an_upload_of_another_format_is_not_even_tried(format):
    with pytest.raises(UserError, match="must be one of PNG"):
        decoded_upload(content(COLOUR, format), (8, 8), 3)


def test_an_upload_of_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "convert", lambda *arguments: pytest.fail("it was decoded"))
    with pytest.raises(UserError, match="more than 63 pixels"):
        decoded_upload(content(GREY), (8, 8), 1, max_pixels=63)


@pytest.mark.parametrize("end", [0, 1, 20, 40])
def test_a_broken_upload_is_refused(end):
    with pytest.raises(UserError):
        decoded_upload(content(GREY)[:end], (8, 8), 1)


def test_a_picture_of_values_that_are_no_numbers_is_refused(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "a.tif")
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(tmp_path / "b.tif")
    with pytest.raises(UserError, match=r"b\.tif.*not numbers"):
        decoded([tmp_path / "a.tif", tmp_path / "b.tif"], channels=1)


def folder_of(tmp_path, kinds):
    """Write a picture of each array into a class of its own."""
    for name, array in kinds.items():
        saved(tmp_path / name / "1.tif", array)
    return tmp_path


def test_deep_pictures_keep_their_brightness_to_each_other(tmp_path):
    dim, lit = GREY.astype(np.uint16), 30 * GREY.astype(np.uint16)
    parts, notes = read_images(folder_of(tmp_path, {"dim": dim, "lit": lit}))
    first, second = parts["train"]["image"][..., 0]
    np.testing.assert_array_equal(first, dim // 16)
    np.testing.assert_array_equal(second, lit // 16)
    assert notes == ("values of 0 to 4095 in pictures of more than 8 bits are taken for black to white",)


@pytest.mark.parametrize(
    ("array", "black", "white"),
    [
        (GREY.astype(np.float32) / 64, 0, 1),
        (GREY.astype(np.float32) / 32 - 1, -1, 1),
        (GREY.astype(np.float32) * 4, 0, 255),
        (GREY.astype(np.float32) / 2000, 0, 0.0315),
        (GREY.astype(np.int32) * 30 - 1000, -1000, 890),
        (GREY.astype(np.uint16) * 1000, 0, 65535),
    ],
)
def test_deep_pictures_are_seen_from_black_to_white(tmp_path, array, black, white):
    parts, _ = read_images(folder_of(tmp_path, {"a": array, "b": array}))
    assert levels_of(parts["train"])[:2] == pytest.approx((black, white))
    expected = (array.astype(float) - black) / (white - black) * 255
    np.testing.assert_allclose(parts["train"]["image"][0, ..., 0], expected, atol=1.01)


def test_the_levels_of_the_training_part_are_those_of_all_parts(tmp_path):
    for part, factor in (("train", 60), ("test", 1)):
        folder_of(tmp_path / part, {"a": GREY.astype(np.uint16) * factor})
    parts, _ = read_images(tmp_path)
    np.testing.assert_array_equal(parts["test"]["image"][0, ..., 0], GREY // 16)


def test_levels_may_be_given(tmp_path):
    folder_of(tmp_path, {"a": GREY.astype(np.uint16) * 20 + 100})
    parts, _ = read_images(tmp_path, levels=Levels(100, 1361))
    np.testing.assert_allclose(parts["train"]["image"][0, ..., 0], GREY * 4.05, atol=1.01)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (GREY.astype(np.float32) / 64, "others fractions"),
        (GREY, "some have 8 bits"),
    ],
)
def test_pictures_whose_scales_do_not_go_together_are_refused(tmp_path, other, reason):
    folder_of(tmp_path, {"a": GREY.astype(np.uint16) * 30, "b": other})
    with pytest.raises(UserError, match=f"black and white can't be known: .*{reason}"):
        read_images(tmp_path)


@pytest.mark.parametrize(
    ("array", "levels"),
    [
        (GREY.astype(np.uint16) * 1000, Levels(0, 4095, False)),
        (GREY.astype(np.float32) / 64, Levels(0, 4095, False)),
        (GREY.astype(np.float32) / 64, Levels(0, 300, True)),
        (GREY, Levels(0, 4095, False)),
        (GREY.astype(np.uint16) * 30, None),
        (GREY.astype(np.float32) * 30, None),
        (GREY.astype(np.int32) - 300, None),
    ],
)
def test_a_picture_on_another_scale_than_those_of_training_is_refused(tmp_path, array, levels):
    with pytest.raises(UserError, match=r"a\.tif.*its scale can't be known"):
        decoded([saved(tmp_path / "a.tif", array)], levels=levels)


def test_every_ending_that_pillow_reads_is_read(tmp_path):
    for place, ending in enumerate(("jfif", "jpe", "avif", "webp", "jp2", "tga", "pcx", "ico", "PNG", "dib")):
        saved(tmp_path / "a" / f"{place}.{ending}", np.repeat(np.repeat(COLOUR, 2, 0), 2, 1))
    parts, notes = read_images(tmp_path, size=(8, 8))
    assert len(parts["train"]) == 10
    assert notes == ()


def test_files_that_are_passed_over_are_counted_and_named(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    saved(tmp_path / "cat" / "._1.png", GREY)
    saved(tmp_path / "loose.png", GREY)
    for name in ("cat/2.heic", "cat/3.heic", "cat/label.txt", "dog/4.heic"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    passed_over, empty = read_images(tmp_path)[1]
    assert passed_over.startswith(f"6 files of {tmp_path.name} passed over that are not read as pictures")
    for reason in (".heic (3)", ".txt (1)", "._* or __MACOSX of a Mac (1)", "in no class's folder (1)"):
        assert reason in passed_over
    assert empty.endswith("holds no pictures that can be read: dog")


def test_a_class_may_begin_with_an_underscore(tmp_path):
    for name in ("_defect", "fine"):
        saved(tmp_path / name / "1.png", GREY)
    assert read_images(tmp_path)[0]["train"]["label"].tolist() == ["_defect", "fine"]


def test_linked_folders_are_searched_and_circles_of_links_end(tmp_path):
    saved(tmp_path / "elsewhere" / "deep" / "1.png", GREY)
    (tmp_path / "data" / "cat").mkdir(parents=True)
    (tmp_path / "data" / "cat" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "circle").symlink_to(tmp_path / "elsewhere")
    assert read_images(tmp_path / "data")[0]["train"]["label"].tolist() == ["cat", "dog"]


def test_a_link_to_a_pipe_is_no_picture(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "cat" / "2.png").symlink_to(tmp_path / "pipe")
    parts, (note,) = read_images(tmp_path)
    assert len(parts["train"]) == 1
    assert "no files but pipes or devices (1)" in note


def test_a_pipe_in_the_place_of_a_picture_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "1.png")
    with pytest.raises(UserError, match=r"1\.png can't be read as a picture: it is no file"):
        decoded([tmp_path / "1.png"])


def test_classes_may_be_named_like_parts(tmp_path):
    for name in ("train", "bus"):
        saved(tmp_path / name / "1.png", GREY)
    assert read_images(tmp_path)[0]["train"]["label"].tolist() == ["bus", "train"]


def test_classes_beside_parts_are_refused(tmp_path):
    for name in ("train/steam", "train/diesel", "bus"):
        saved(tmp_path / name / "1.png", GREY)
    with pytest.raises(UserError, match=r"can't be known which are classes.*parts train; others bus"):
        read_images(tmp_path)


def test_two_folders_for_one_part_are_refused(tmp_path):
    for name in ("train/cat", "val/cat", "valid/cat"):
        saved(tmp_path / name / "1.png", GREY)
    with pytest.raises(UserError, match=r"several folders for one part.*val, valid"):
        read_images(tmp_path)


def png(width, height, rows, bits=8):
    """Return a PNG file that claims a size, and holds these rows."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def cut_jpeg(**options):
    """Return half of the stream of a JPEG, which ends as a whole one does."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    Image.fromarray(noise).save(file, "JPEG", **options)
    return file.getvalue()[: len(file.getvalue()) // 2] + b"\xff\xd9"


UNFINISHED = {
    "few bytes for many pixels": png(5000, 4000, b"\0" * 4),
    "half of the rows": png(10, 10, (b"\0" + b"\x80" * 10) * 5),
    "half of the rows, none of them black": png(10, 9, (b"\0" + b"\xff" * 10) * 5),
    "half of a jpeg": cut_jpeg(),
    "half of a progressive jpeg": cut_jpeg(progressive=True),
    "a very long one": content(np.zeros((3, 65500), np.uint8), "JPEG"),
    "a long and narrow one": content(np.zeros((5000, 40), np.uint8)),
}


@pytest.mark.parametrize("kind", UNFINISHED)
def test_what_is_no_whole_picture_is_refused_in_training_and_from_strangers(tmp_path, kind):
    saved(tmp_path / "cat" / "1.png", GREY)
    (tmp_path / "cat" / "2.png").write_bytes(UNFINISHED[kind])
    with pytest.raises(UserError, match=r"2\.png can't be read as a picture"):
        read_images(tmp_path, size=(8, 8))
    with pytest.raises(UserError, match="can't be read as a picture"):
        decoded_upload(UNFINISHED[kind], (8, 8), 1)


@pytest.mark.parametrize(
    "whole",
    [
        png(10, 10, (b"\0" + bytes(10)) * 10),
        png(10, 10, (b"\0" + bytes(2)) * 10, bits=1),
        content(np.full((50, 50), 128, np.uint8), "JPEG"),
        content(np.full((50, 50, 3), 128, np.uint8), "JPEG"),
    ],
)
def test_a_whole_picture_may_end_in_what_an_unfinished_one_ends_in(whole):
    assert decoded_upload(whole, (8, 8), 1).shape == (8, 8, 1)


@pytest.mark.parametrize(("ending", "many"), [("png", 200), ("gif", 200), ("webp", 60), ("bmp", 200)])
def test_a_file_cut_off_anywhere_is_refused_or_gives_the_whole_picture(ending, many):
    noise = np.random.default_rng(0).integers(0, 255, (12, 12), np.uint8)
    whole = content(noise, ending.upper())
    expected = decoded_upload(whole, (12, 12), 1)
    for end in np.linspace(0, len(whole) - 1, many, dtype=int):
        try:
            picture = decoded_upload(whole[:end], (12, 12), 1)
        except UserError:
            continue
        np.testing.assert_array_equal(picture, expected)
