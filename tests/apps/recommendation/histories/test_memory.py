"""What has followed before, and how it is mixed with what a net says."""

import numpy as np

from apps.recommendation.histories import followers
from apps.recommendation.histories.followers import followed_in
from apps.recommendation.histories.memory import mixed
from core.data.examples import Ragged

ROWS = Ragged.from_rows([[1, 2, 3], [1, 2], [3, 1]], np.int32)
NET = np.log(np.array([[1.0, 0.5, 0.25, 0.25]], np.float32))


def after(*items: int) -> np.ndarray:
    return followed_in(ROWS, num_items=4).after(np.array(items), np.array([0, len(items)]))[0]


def test_what_followed_sooner_and_more_often_has_the_larger_share():
    np.testing.assert_allclose(after(1), [0, 0, 2 / 2.5, 0.5 / 2.5], rtol=1e-6)


def test_the_last_item_of_a_history_counts_twice_as_much_as_the_one_before():
    # 1 is followed by 2 (twice) and by 3 (two steps later); 3 is followed by 1.
    np.testing.assert_allclose(after(1, 3), [0, 1 / 2.25, 1 / 2.25, 0.25 / 2.25], rtol=1e-6)


def test_one_person_s_last_item_is_not_followed_by_another_s_first():
    followed = followed_in(Ragged.from_rows([[1], [2]], np.int32), num_items=3)
    assert len(followed.items) == 0


def test_only_the_most_frequent_followers_of_an_item_are_kept(monkeypatch):
    monkeypatch.setattr(followers, "MOST_FOLLOWERS", 1)
    followed = followed_in(ROWS, num_items=4)
    assert followed.items.tolist() == [2, 3, 1]
    assert followed.offsets.tolist() == [0, 0, 1, 2, 3]


def test_a_mixture_is_of_probabilities():
    followed = np.array([[0, 0, 1, 0]], np.float32)
    np.testing.assert_allclose(np.exp(mixed(NET, followed, 0.6))[0, 1:], [0.2, 0.7, 0.1], rtol=1e-5)


def test_the_net_answers_alone_where_nothing_has_followed():
    nothing = np.zeros((1, 4), np.float32)
    np.testing.assert_allclose(np.exp(mixed(NET, nothing, 1.0))[0, 1:], [0.5, 0.25, 0.25], rtol=1e-5)


def test_what_never_followed_is_put_in_order_by_the_net_even_where_it_has_no_share():
    followed = np.array([[0, 0, 0, 1]], np.float32)
    assert np.argsort(-mixed(NET, followed, 1.0))[0, :3].tolist() == [3, 1, 2]
