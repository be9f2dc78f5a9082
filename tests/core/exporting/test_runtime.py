from __future__ import annotations

import numpy as np
from PIL import Image

from core.exporting.runtime import with_files


def test_pictures_of_an_answer_become_files_and_all_else_stays(tmp_path):
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)
    answer = {"picture": picture, "score": 0.5, "ids": np.arange(3)}
    written = with_files(answer, 2, tmp_path)
    assert written["score"] == 0.5
    np.testing.assert_array_equal(np.asarray(Image.open(written["picture"])), picture[..., 0])
    np.testing.assert_array_equal(np.load(written["ids"]), answer["ids"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer-2-ids.npy", "answer-2-picture.png"]
