from __future__ import annotations

import pytest

from core.data.licences import licence_of


@pytest.mark.parametrize("name", ["LICENSE", "licence.txt", "COPYING"])
def test_a_licence_beside_the_data_is_quoted(name, tmp_path):
    (tmp_path / name).write_text("\nThe MIT License\n\nPermission is hereby granted\n")
    (tmp_path / "reviews.csv").write_text("text,label\n")
    assert licence_of(str(tmp_path / "reviews.csv")) == f"The MIT License ({name})"
    assert licence_of(str(tmp_path)) == f"The MIT License ({name})"


def test_data_without_a_licence_have_none(tmp_path):
    (tmp_path / "reviews.csv").write_text("text,label\n")
    assert licence_of(str(tmp_path / "reviews.csv")) is None


def test_the_sample_has_its_own():
    assert licence_of("sample", "MIT") == "MIT"
