from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from core.answers.pictures import Pictures, likeness
from tests.core.answers.pages import page_of_rows

RANDOM = np.random.default_rng(0)


def pair(noise: float) -> tuple[np.ndarray, np.ndarray]:
    true = np.linspace(0, 255, 24 * 32).reshape(24, 32).round()
    noisy = np.clip(true + RANDOM.normal(0, noise, true.shape), 0, 255)
    return noisy.astype(np.uint8), true.astype(np.uint8)


def rows(count: int = 20) -> list[dict]:
    made = []
    for place in range(count):
        predicted, true = pair(40 if place < 2 else 3 + place % 7)
        made.append({"row": place, "predicted": predicted, "true": true, **likeness(predicted, true)})
    return made


ROWS = rows()
SAMPLES = [{"row": place, "predicted": pair(5)[0]} for place in range(4)]


def test_likeness_is_that_of_scikit_image():
    predicted, true = pair(8)
    figures = likeness(predicted, true)
    assert figures["psnr"] == pytest.approx(peak_signal_noise_ratio(true, predicted), abs=1e-3)
    # scikit-image goes on over the edges of the picture, 5 pixels wide, where the window does not fit.
    whole = structural_similarity(
        true,
        predicted,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]
    assert figures["ssim"] == pytest.approx(whole[5:-5, 5:-5].mean(), abs=1e-3)


def test_likeness_within_a_border_leaves_the_edges_out():
    predicted, true = pair(8)
    inside = likeness(predicted[4:-4, 4:-4], true[4:-4, 4:-4])
    cut = likeness(predicted, true, border=4)
    assert (cut["psnr"], cut["ssim"]) == pytest.approx((inside["psnr"], inside["ssim"]))


def test_a_picture_too_small_for_structure_has_no_ssim():
    assert "ssim" not in likeness(np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8))


def test_pictures_of_other_shapes_are_not_compared():
    with pytest.raises(ValueError, match="one shape"):
        likeness(np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8))


def test_the_figures_are_the_means_of_the_rows():
    answers = Pictures.from_rows(ROWS)
    received = answers.statistics(np.arange(len(answers)))
    assert received == pytest.approx(
        {name: np.mean([row[name] for row in ROWS]) for name in ("psnr", "ssim")}
    )
    assert answers.statistics(np.array([0, 0, 5]))["psnr"] == pytest.approx(
        (2 * ROWS[0]["psnr"] + ROWS[5]["psnr"]) / 3
    )


def test_what_a_row_does_not_tell_is_measured_on_its_pictures():
    bare = [{"row": row["row"], "predicted": row["predicted"], "true": row["true"]} for row in ROWS]
    received, expected = Pictures.from_rows(bare), Pictures.from_rows(ROWS)
    np.testing.assert_array_equal(received.truth, expected.truth)
    np.testing.assert_array_equal(received.losses, expected.losses)


def test_paths_without_a_likeness_are_refused():
    with pytest.raises(KeyError, match="psnr"):
        Pictures.from_rows([{"predicted": "answers/a.png", "true": "answers/b.png"}])


def test_slices_are_compared_by_the_mean_psnr():
    answers = Pictures.from_rows(ROWS)
    assert answers.of_loss(float(answers.losses.mean())) == pytest.approx(
        answers.statistics(np.arange(len(answers)))["psnr"]
    )


def test_the_least_like_come_first():
    assert set(Pictures.from_rows(ROWS).mistakes(2).tolist()) == {0, 1}


def test_samples_have_no_figures_of_their_own_and_are_paired_with_nothing():
    answers = Pictures.from_rows(SAMPLES)
    assert answers.statistics(np.arange(4)) == {}
    assert answers.mistakes(2).tolist() == [0, 1]
    assert not np.array_equal(answers.truth, answers.truth)


def titles(rows: list[dict]) -> list[str]:
    return [each.title for each in Pictures.findings({"details": Pictures.from_rows(rows).details()})]


def test_a_few_pictures_that_make_much_of_the_error_are_named():
    assert titles(ROWS) == ["Few pictures make much of the error"]
    assert titles(ROWS[2:9]) == []
    assert titles(SAMPLES) == []


def picture_of(item) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(item.content.partition(",")[2]))).convert("RGB"))


def test_of_large_pictures_the_place_that_differs_most_is_shown_pixel_by_pixel():
    before = np.zeros((300, 400, 3), np.uint8)
    after = before.copy()
    after[210:230, 250:270] = 255
    [plain] = Pictures.shown({"predicted": before}, {})[:1]
    [strip] = Pictures.shown({"predicted": after}, {"before": before})[:1]
    height = len(picture_of(plain))
    assert len(picture_of(strip)) == 2 * height
    # The 20 x 20 light pixels are drawn twice as high and wide.
    assert (picture_of(strip)[height + 20 :, 166:326] == 255).all(axis=2).sum() >= 40 * 40


def test_input_answer_and_truth_stand_side_by_side():
    row = {
        "predicted": np.full((8, 8), 90, np.uint8),
        "true": np.full((8, 8, 1), 160, np.uint8),
        "psnr": 11.2,
    }
    strip, text, answer = Pictures.shown(row, {"coarse": np.full((4, 4, 3), 20, np.uint8), "place": "sea"})
    assert strip.name == "coarse, answer, truth"
    middle = picture_of(strip)[100, :, 0]
    assert [middle[80], middle[80 + 166], middle[80 + 2 * 166]] == [20, 90, 160]
    assert (text.content, answer.content) == ("sea", "psnr 11.2")


def test_a_picture_whose_file_is_gone_is_reported():
    (answer,) = Pictures.shown({"row": 3, "predicted": "answers/predictions-3-predicted.png"}, {})
    assert answer.content == "sample 3 (its file is gone)"


def test_the_report_shows_the_section_and_the_pictures():
    page, figures, drawn = page_of_rows(Pictures, ROWS, [{"before": row["predicted"]} for row in ROWS])
    assert figures["figures"][0]["value"] == pytest.approx(np.mean([row["psnr"] for row in ROWS]))
    assert figures["slice_figure"] == "psnr"
    assert "Likeness to the truth" in page
    assert "psnr" in drawn
    assert page.count('alt="before, answer, truth"') == len(figures["mistakes"]) == 12


def test_the_report_of_samples_shows_them_without_figures():
    page, figures, drawn = page_of_rows(Pictures, SAMPLES, [{}] * 4)
    assert figures["figures"] == []
    assert figures["slices"] == []
    assert "there are no true ones" in page
    assert page.count('alt="answer"') == 4
    assert "psnr" not in drawn
