import numpy as np
import pytest

from apps.recommendation.articles.answers import answers
from apps.recommendation.articles.encoder import NumberedImpressions, TitleEncoder, vocabulary
from apps.recommendation.articles.rivals import popularity_lately, title_similarity
from core.data.examples import Examples, Ragged
from core.errors import UserError

TITLES = {"N1": "Rain, rain again", "N2": "A goal at last", "N3": "Rain at noon"}
ENCODER = TitleEncoder(words=vocabulary(TITLES.values(), 1), titles=TITLES)


class FirstTitles:
    """Scores candidates by the number of words that they share with the last title of the history."""

    def scores(self, tokens, impressions):
        for row in range(len(impressions)):
            last = set(tokens[impressions.history[row][-1]].tolist()) - {0, 1}
            yield np.array([len(last & set(tokens[each].tolist())) for each in impressions.candidates[row]])


def asked(history, candidates):
    return answers(
        [{"history": history, "candidates": candidates}],
        ENCODER,
        FirstTitles(),
        title_length=8,
        history_length=5,
    )[0]


def impressions(history, candidates, clicked):
    return NumberedImpressions(
        Ragged.from_rows(history, np.int32),
        Ragged.from_rows(candidates, np.int32),
        Ragged.from_rows(clicked, bool),
    )


def test_the_words_of_most_titles_come_first():
    assert vocabulary(TITLES.values(), 2) == ["at", "rain"]


def test_the_latest_titles_of_a_history_are_kept():
    examples = Examples({"history": ["N1 N2 N3"], "candidates": ["N1 N2"], "clicked": ["1 0"]})
    assert ENCODER.numbered(examples, 2).history[0].tolist() == [2, 3]


def test_candidates_are_named_by_id_or_by_the_title_of_a_new_article():
    rows = asked(["N3"], "N2\nRain at last at noon")["recommendations"]
    assert [row["title"] for row in rows] == ["Rain at last at noon", "A goal at last"]
    assert ["item" in row for row in rows] == [False, True]


def test_a_history_may_hold_titles_and_tells_of_unknown_ids():
    answer = asked(["Sun at noon", "N55"], "N1\nN3")
    assert answer["recommendations"][0]["item"] == "N3"
    assert "N55" in answer["note"]


@pytest.mark.parametrize(
    ("history", "candidates", "said"),
    [(["N55"], "N1", "N55"), (["N1"], "N55", "N55"), (["N1"], " \n ", "none"), ([], "N1", "none")],
)
def test_what_nothing_is_known_of_is_refused_in_one_line(history, candidates, said):
    with pytest.raises(UserError, match=said) as refused:
        asked(history, candidates)
    assert "\n" not in str(refused.value)


def test_late_clicks_weigh_more_than_early_ones():
    train = impressions([[], []], [[1, 2], [3, 2]], [[True, False], [True, False]])
    test = impressions([[]], [[1, 2, 3]], [[True, False, False]])
    early, none, late = next(popularity_lately(train, np.array([0, 1000]), test, 4))
    assert none == 0 < early < late


def test_titles_that_share_words_with_the_history_are_alike():
    test = impressions([[1]], [[2, 3]], [[False, True]])
    other, alike = next(title_similarity(["", *TITLES.values()], np.array([1, 2, 3]), test))
    assert other == 0 < alike
