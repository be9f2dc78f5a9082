from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from core.data import dicom
from core.data.dicom import MAGIC, PREAMBLE, is_dicom, opened_picture, shares_of_white
from core.data.images import decoded, decoded_upload
from core.data.picture_levels import Levels
from core.errors import UserError


class Attributes(dict):
    """What pydicom reads of a file, as far as a picture goes."""

    def __getattr__(self, name: str):
        return self[name]


def grey(values: list, **attributes) -> Attributes:
    usual = {"PhotometricInterpretation": "MONOCHROME2", "PixelData": b"", "pixel_array": np.array([values])}
    return Attributes({**usual, **attributes})


@pytest.fixture
def picture(monkeypatch):
    """From attributes to the values of the picture, in one row."""

    def read(data: Attributes, levels: Levels | None = None) -> list[int]:
        monkeypatch.setattr(dicom, "dicom_data", lambda file: data)
        return np.asarray(dicom.dicom_picture("any.dcm", levels))[0].tolist()

    return read


def test_a_linear_window_ends_half_a_value_before_its_edges():
    # The figures of C.11.2.1.2.1: centre 2048, width 4096 leave 0 to 4095 as they are.
    shares = shares_of_white(np.array([0.0, 4095.0, 2047.5]), ("LINEAR", 2048, 4096))
    assert shares.tolist() == pytest.approx([0.0, 1.0, 0.5])


def test_a_sigmoid_window_is_half_white_at_its_centre():
    assert shares_of_white(np.array([40.0]), ("SIGMOID", 40, 400)).tolist() == [0.5]


def test_values_are_seen_in_their_units_through_the_first_window(picture):
    data = grey(
        [824, 1064, 1264],
        RescaleSlope=1,
        RescaleIntercept=-1024,
        WindowCenter=[40, 300],
        WindowWidth=[400, 1500],
        VOILUTFunction="LINEAR_EXACT",
    )
    assert picture(data) == [0, 128, 255]


def test_levels_that_a_person_gives_are_the_window(picture):
    data = grey([0, 50, 100], WindowCenter=10, WindowWidth=2)
    assert picture(data, Levels(0, 100)) == [0, 128, 255]


def test_without_a_window_the_lowest_value_is_black_and_the_highest_white(picture):
    assert picture(grey([100, 150, 200])) == [0, 128, 255]


def test_low_values_of_monochrome_1_are_light_and_padding_is_black(picture):
    data = grey([0, 100, 200, -5], PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=-5)
    assert picture(data) == [255, 128, 0, 0]


def test_a_window_with_a_table_beside_it_is_not_used():
    data = grey([1], WindowCenter=5, WindowWidth=2, VOILUTSequence=[])
    assert dicom.window_of(data, np.array([1.0, 3.0]), None) == ("LINEAR_EXACT", 2.0, 2.0)


def test_several_frames_are_refused(picture):
    with pytest.raises(ValueError, match="9 frames"):
        picture(grey([1], NumberOfFrames=9))


@pytest.fixture
def scan(tmp_path, monkeypatch):
    """A file that says it is of DICOM, where nothing reads such."""
    monkeypatch.setitem(sys.modules, "pydicom", None)
    path = tmp_path / "scan"
    path.write_bytes(bytes(PREAMBLE) + MAGIC + b"\2\0")
    return path


def test_a_file_is_of_dicom_by_what_it_says_whatever_its_name(scan, tmp_path):
    assert is_dicom(scan)
    Image.new("L", (2, 3)).save(tmp_path / "other.dcm", "PNG")
    assert opened_picture(tmp_path / "other.dcm").size == (2, 3)


def test_without_a_reader_a_line_says_what_to_install(scan):
    with pytest.raises(UserError, match=r"keras-quartet\[dicom\].*Received: .*scan"):
        decoded([scan], skip_bad=True)
    with pytest.raises(UserError, match=r"keras-quartet\[dicom\]"):
        decoded_upload(scan.read_bytes(), None, 1)


def test_a_file_of_dicom_is_read_as_its_window_says(tmp_path):
    pydicom = pytest.importorskip("pydicom", reason="the extra dicom is not installed")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    data = FileDataset(str(tmp_path / "scan.dcm"), {}, file_meta=meta, preamble=bytes(PREAMBLE))
    data.Rows, data.Columns, data.SamplesPerPixel = 1, 3, 1
    data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.RescaleSlope, data.RescaleIntercept = 1, -1024
    data.WindowCenter, data.WindowWidth, data.VOILUTFunction = 40, 400, "LINEAR_EXACT"
    data.PixelData = np.array([[824, 1064, 1264]], np.uint16).tobytes()
    data.save_as(tmp_path / "scan.dcm")
    images, _ = decoded([tmp_path / "scan.dcm"])
    assert images[0, 0, :, 0].tolist() == [0, 128, 255]
