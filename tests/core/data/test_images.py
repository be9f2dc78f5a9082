from __future__ import annotations

import gzip
import io
import os

import numpy as np
import pytest
from PIL import Image

from core.data.images import decoded, decoded_upload, read_images
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


def test_a_lone_picture_that_can_t_be_read_is_told_with_the_reason(tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"1\.png can't be read as a picture: cannot identify"):
        decoded([tmp_path / "1.png"])


def test_a_pipe_or_a_folder_named_like_a_picture_is_none(tmp_path):
    saved(tmp_path / "cat" / "1.png", GREY)
    os.mkfifo(tmp_path / "cat" / "2.png")
    (tmp_path / "cat" / "3.png").mkdir()
    assert len(read_images(tmp_path)[0]["train"]) == 1


def test_a_link_that_leads_nowhere_is_told(tmp_path):
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
