from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.vision.boxes.annotated import Annotated, Passed
from apps.vision.boxes.formats.coco import coco_of
from apps.vision.boxes.reading import Seen, cleaned, labels_in, read_boxes, shape_for, turned
from core.data.examples import Examples
from core.errors import UserError

Read = tuple[dict[str, Examples], tuple[str, ...]]


def read(path: Path, skip_bad: bool = False) -> Read:
    return read_boxes(path, longest=None, channels=None, skip_bad=skip_bad)


def picture(path: Path, width: int = 64, height: int = 32, orientation: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.arange(width * height).astype(np.uint8).reshape(height, width))
    exif = image.getexif()
    if orientation:
        exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


def voc(stem: str, *objects: tuple[str, int, int, int, int], size: tuple[int, int] = (64, 32)) -> str:
    inside = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax>"
        f"<ymax>{bottom}</ymax></bndbox></object>"
        for name, left, top, right, bottom in objects
    )
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    return f"<annotation><filename>{stem}.png</filename>{sides}{inside}</annotation>"


def as_voc(folder: Path) -> Path:
    (folder / "Annotations").mkdir(parents=True)
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    for stem, label in (("a", "cat"), ("b", "dog")):
        picture(folder / "JPEGImages" / f"{stem}.png")
        (folder / "Annotations" / f"{stem}.xml").write_text(voc(stem, (label, 4, 8, 20, 24)))
    (folder / "ImageSets" / "Main" / "train.txt").write_text("a\n")
    (folder / "ImageSets" / "Main" / "trainval.txt").write_text("a\nb\n")
    (folder / "ImageSets" / "Main" / "test.txt").write_text("b\n")
    return folder


def as_coco(folder: Path) -> Path:
    for part, stem, label in (("train", "a", "cat"), ("test", "b", "dog")):
        picture(folder / part / f"{stem}.png")
        tree = {
            "images": [{"id": 7, "file_name": f"{stem}.png", "width": 64, "height": 32}],
            "annotations": [
                {"id": 1, "image_id": 7, "category_id": 3, "bbox": [4, 8, 16, 16]},
                {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 64, 32], "iscrowd": 1},
            ],
            "categories": [{"id": 3, "name": label}],
        }
        (folder / part / "_annotations.coco.json").write_text(json.dumps(tree))
    return folder


def as_yolo(folder: Path) -> Path:
    for part, stem, number in (("train", "a", 0), ("test", "b", 1)):
        picture(folder / part / "images" / f"{stem}.png")
        (folder / part / "labels").mkdir()
        (folder / part / "labels" / f"{stem}.txt").write_text(f"{number} 0.1875 0.5 0.25 0.5\n")
    lines = ["names: [cat, dog]", "train: ../train/images", "test: ../test/images"]
    (folder / "data.yaml").write_text("\n".join(lines))
    return folder


def as_csv(folder: Path) -> Path:
    for stem in "ab":
        picture(folder / "pictures" / f"{stem}.png")
    rows = ["filename,width,height,class,xmin,ymin,xmax,ymax,split"]
    rows += ["a.png,64,32,cat,4,8,20,24,train", "b.png,64,32,dog,4,8,20,24,test"]
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.parametrize("write", [as_voc, as_coco, as_yolo, as_csv])
def test_every_format_tells_the_same_boxes_in_the_same_parts(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    parts, _ = read(write(tmp_path / "cats"))
    for part, label in (("train", "cat"), ("test", "dog")):
        assert labels_in(parts[part]) == [[label]]
        assert parts[part].ragged("boxes")[0].tolist() == [[4, 8, 20, 24]]
        assert parts[part]["size"].tolist() == [[32, 64]]
        assert parts[part]["image"].shape == (1, 32, 64, 1)


def test_a_folder_within_the_given_one_is_enough(tmp_path: Path) -> None:
    as_voc(tmp_path / "published" / "VOC")
    (tmp_path / "published" / "README.md").write_text("cats")
    assert len(read(tmp_path / "published")[0]["train"]) == 1


def test_several_formats_in_one_folder_are_refused(tmp_path: Path) -> None:
    as_csv(tmp_path / "cats")
    as_yolo(tmp_path / "cats")
    with pytest.raises(UserError, match=r"in several ways.*YOLO, CSV"):
        read(tmp_path / "cats")
    assert len(read(tmp_path / "cats" / "data.yaml")[0]["train"]) == 1


FLAWED = [
    ("cat", 4, 8, 20, 24),
    ("cat", 4, 8, 20, 24),  # twice
    ("cat", 9, 9, 9, 9),  # no area
    ("cat", 70, 4, 90, 20),  # outside
    ("cat", 40, 4, 90, 20),  # half outside
]


def test_boxes_that_make_no_sense_are_found_and_counted(tmp_path: Path) -> None:
    picture(tmp_path / "cats" / "a.png")
    picture(tmp_path / "cats" / "b.png")
    (tmp_path / "cats" / "a.xml").write_text(voc("a", *FLAWED))
    (tmp_path / "cats" / "b.xml").write_text(voc("b"))
    parts, notes = read(tmp_path / "cats")
    assert parts["train"].ragged("boxes")[0].tolist() == [[4, 8, 20, 24], [40, 4, 64, 20]]
    assert set(notes) == {
        "1 box left out that stands there twice",
        "1 box without area left out",
        "1 box outside of its picture left out",
        "1 box cut off at the border of its picture",
        "1 picture without boxes",
    }


BAD = {
    "no number": (
        as_csv,
        "boxes.csv",
        "a.png,64,32,cat,4,8,20,24",
        "a.png,64,32,cat,x,8,20,24",
        "line 2.*'x'",
    ),
    "no such picture": (as_csv, "boxes.csv", "b.png", "c.png", "line 3.*'c.png'"),
    "no such part": (as_csv, "boxes.csv", ",test", ",later", "line 3.*'later'"),
    "no class": (as_csv, "boxes.csv", "cat", "", "line 2 has no class"),
    "other column": (as_csv, "boxes.csv", "xmin", "horizontal", "needs columns for the sides"),
    "broken XML": (as_voc, "Annotations/a.xml", "</annotation>", "", "a.xml can't be read as XML"),
    "not in the list": (as_voc, "ImageSets/Main/test.txt", "b", "zebra", "line 1.*'zebra'"),
    "another size": (as_voc, "Annotations/a.xml", "<width>64", "<width>99", "another size.*99 x 32"),
    "strange category": (
        as_coco,
        "train/_annotations.coco.json",
        '"category_id": 3',
        '"category_id": 4',
        "category 4",
    ),
    "strange class": (as_yolo, "train/labels/a.txt", "0 ", "5 ", "line 1.*does not name.*5"),
    "pixels for shares": (as_yolo, "train/labels/a.txt", "0.1875", "12", "line 1.*0 to 1"),
    "too few fields": (as_yolo, "train/labels/a.txt", " 0.5\n", "\n", "line 1 must hold"),
    "no such folder": (as_yolo, "data.yaml", "../train/images", "nowhere", "does not exist.*nowhere"),
}


@pytest.mark.parametrize("flaw", BAD)
def test_a_flaw_is_refused_in_one_line_with_its_file(flaw: str, tmp_path: Path) -> None:
    write, file, old, new, told = BAD[flaw]
    path = write(tmp_path / "cats") / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=told) as raised:
        read(tmp_path / "cats")
    assert "\n" not in str(raised.value)


def test_a_picture_that_cannot_be_read_is_refused_or_counted(tmp_path: Path) -> None:
    folder = as_csv(tmp_path / "cats")
    (folder / "pictures" / "b.png").write_bytes(b"\x89PNG no picture")
    with pytest.raises(UserError, match=r"b\.png can't be read"):
        read(folder)
    parts, notes = read(folder, skip_bad=True)
    assert len(parts["train"]) == 1
    assert not len(parts["test"])
    assert "1 picture left out that can't be read" in notes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_turned_upright_with_their_picture(orientation: int, tmp_path: Path) -> None:
    stored = np.zeros((20, 30), np.uint8)
    stored[2:9, 4:10] = 255
    image = Image.fromarray(stored)
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    (tmp_path / "a.xml").write_text(voc("a", ("cat", 4, 2, 10, 9), size=(30, 20)))
    parts, _ = read(tmp_path)
    left, top, right, bottom = turned(np.array([[4.0, 2, 10, 9]]), Seen((20, 30), orientation, True))[0]
    upright = parts["train"]["image"][0, :, :, 0]
    height, width = parts["train"]["size"][0]
    y, x = np.nonzero(upright[: upright.shape[0]] == 255)
    scale = max(np.ptp(x) + 1, 1) / (right - left)
    assert np.ptp(y) + 1 == pytest.approx(scale * (bottom - top), abs=2)
    assert (height, width) == ((20, 30) if orientation < 5 else (30, 20))
    if orientation >= 5:  # where nothing tells whether the boxes were turned already, they stay
        assert parts["train"].ragged("boxes")[0][0].tolist() == [left, top, right, bottom]


def test_boxes_of_a_picture_that_was_shrunk_are_scaled_alike() -> None:
    passed = Passed()
    told = Annotated(Path("a.png"), [(8, 8, 16, 24)], ["cat"], (64, 128), "a.xml")
    mended = cleaned(told, Seen((32, 64), 1, True), passed, skip_bad=False)
    assert mended is not None
    assert mended.boxes == [[4.0, 4.0, 8.0, 12.0]]
    assert passed.notes() == ("1 picture of another size than its boxes tell, which were scaled alike",)


@pytest.mark.parametrize(
    ("sizes", "longest", "expected"),
    [
        ([(480, 640)], None, (256, 320)),
        ([(480, 640)], 640, (480, 640)),
        ([(100, 100), (100, 100)], None, (128, 128)),
        ([(64, 32)], None, (64, 32)),
        ([(200, 400), (400, 200)], None, (320, 320)),
    ],
)
def test_the_shape_has_the_usual_proportions(
    sizes: list[tuple[int, int]], longest: int | None, expected: tuple[int, int]
) -> None:
    assert shape_for(sizes, longest) == expected


def test_answers_are_written_as_coco_reads_them(tmp_path: Path) -> None:
    answers = [{"boxes": [{"label": "dog", "box": [4, 8, 20, 24], "score": 0.5}], "size": [32, 64]}]
    picture(tmp_path / "a.png")
    (tmp_path / "boxes.json").write_text(json.dumps(coco_of(["a.png"], answers, ["cat", "dog"])))
    parts, _ = read(tmp_path / "boxes.json")
    assert parts["train"].ragged("boxes")[0].tolist() == [[4, 8, 20, 24]]
    assert labels_in(parts["train"]) == [["dog"]]
