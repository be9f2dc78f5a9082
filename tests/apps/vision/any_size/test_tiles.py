from __future__ import annotations

import numpy as np
import pytest

from apps.vision.any_size.tiles import by_tiles


def blurred(tiles: np.ndarray) -> np.ndarray:
    """Return means over three pixels down and three across, as a net with zeros around it does."""
    around = np.pad(tiles, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows = around[:, :-2] + around[:, 1:-1] + around[:, 2:]
    return (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (17, 16), (40, 23)])
def test_tiles_give_what_the_whole_gives_with_its_edges_mirrored(shape):
    picture = np.random.default_rng(0).normal(size=(*shape, 2))
    whole = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="symmetric")
    expected = blurred(whole[None])[0, 1:-1, 1:-1]
    np.testing.assert_allclose(by_tiles(picture, blurred, tile=8, margin=1), expected)


def test_a_larger_answer_is_put_together_in_its_own_size():
    picture = np.random.default_rng(0).integers(0, 9, (11, 13, 1))
    larger = by_tiles(picture, lambda tiles: tiles.repeat(3, 1).repeat(3, 2), tile=8, margin=2, scale=3)
    np.testing.assert_array_equal(larger, picture.repeat(3, 0).repeat(3, 1))


def test_a_net_is_never_given_more_than_a_few_tiles():
    counts = []

    def work(tiles: np.ndarray) -> np.ndarray:
        counts.append(len(tiles))
        return tiles

    by_tiles(np.zeros((200, 200, 1)), work, tile=16, margin=4)
    assert max(counts) <= 8
