from __future__ import annotations

import itertools

import numpy as np
import pytest

from apps.speech.transcription.answers import log_probabilities
from apps.speech.transcription.decoder import CTCDecoder
from apps.speech.transcription.decoding import alignment, beam_search, best_path
from apps.speech.transcription.language import Transcribed
from apps.speech.transcription.units import Units, learnt_units

BLANK = 2
UNITS = Units("characters", [" ", "a"])


def scores(num_frames: int, num_units: int = 2, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return log_probabilities(random.normal(0, 1.5, (num_frames, num_units + 1)))


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(unit for unit, _ in itertools.groupby(path) if unit != BLANK)


def by_transcript(log_p: np.ndarray) -> dict[tuple[int, ...], float]:
    """Return the probability of every transcript, by counting all paths."""
    totals: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        probability = float(np.exp(log_p[np.arange(len(path)), path].sum()))
        totals[collapsed(path)] = totals.get(collapsed(path), 0.0) + probability
    return totals


def test_the_best_path_leaves_out_repeats_and_blanks():
    path = [0, 0, BLANK, 0, 1, 1, BLANK]
    assert best_path(np.log(np.eye(3)[path] + 1e-9), BLANK) == (0, 0, 1)


def test_a_wide_beam_finds_the_transcript_that_all_paths_together_make_likeliest():
    for seed in range(20):
        log_p = scores(5, seed=seed)
        totals = by_transcript(log_p)
        best = max(totals, key=lambda units: totals[units])
        found = beam_search(log_p, BLANK, beams=500)[0]
        assert found.units == best
        assert np.exp(found.score) == pytest.approx(totals[best], rel=1e-6)


def test_the_scores_of_all_transcripts_sum_to_one():
    found = beam_search(scores(4), BLANK, beams=500)
    assert sum(np.exp(each.score) for each in found) == pytest.approx(1.0)


class OnlyUnit:
    """A language model that knows transcripts of one unit alone."""

    def __init__(self, unit: int) -> None:
        self.unit = unit

    def start(self) -> int:
        return 0

    def next(self, state: int, unit: int) -> tuple[float, int]:
        return (0.0 if unit == self.unit else -50.0), state + 1

    def end(self, state: int) -> float:
        return 0.0


def test_a_language_model_outweighs_the_sound():
    log_p = np.log([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    assert beam_search(log_p, BLANK, 10)[0].units == (0,)
    assert beam_search(log_p, BLANK, 10, language=OnlyUnit(1), weight=1.0)[0].units == (1,)


def test_a_bonus_for_units_makes_transcripts_longer():
    log_p = np.log([[0.45, 0.05, 0.5], [0.02, 0.45, 0.53]])
    plain, favoured = (beam_search(log_p, BLANK, 10, bonus=bonus)[0].units for bonus in (-2.0, 2.0))
    assert len(plain) < len(favoured)


def test_an_alignment_is_the_likeliest_path_of_its_transcript():
    for seed in range(10):
        log_p = scores(6, seed=seed)
        for units in [(0,), (0, 1), (1, 1), (0, 1, 0)]:
            paths = (
                path for path in itertools.product(range(3), repeat=len(log_p)) if collapsed(path) == units
            )
            best = max(paths, key=lambda path: log_p[np.arange(len(path)), path].sum())
            spans = alignment(log_p, units, BLANK)
            drawn = np.full(len(log_p), BLANK)
            for unit, (start, end) in zip(units, spans, strict=True):
                drawn[start:end] = unit
            assert drawn.tolist() == list(best)


def test_words_get_the_times_of_their_frames():
    path = [BLANK, 1, 1, BLANK, 0, BLANK, 1, BLANK]  # "a a"
    log_p = np.log(np.eye(3)[path] * 0.97 + 0.01)
    answer = CTCDecoder(UNITS, 1, 0.04).answer(log_p)
    assert answer["text"] == "a a"
    assert [(each["word"], each["start"], each["end"]) for each in answer["words"]] == [
        ("a", 0.04, 0.12),
        ("a", 0.24, 0.28),
    ]
    assert answer["words"][0]["probability"] == pytest.approx(0.98)


def test_a_silent_recording_has_no_words():
    log_p = np.log(np.eye(3)[[BLANK] * 4] * 0.97 + 0.01)
    assert CTCDecoder(UNITS, 1, 0.04).answer(log_p) == {"text": "", "words": []}


def test_a_sound_without_a_frame_has_no_words():
    assert CTCDecoder(UNITS, 4, 0.04).answer(scores(0))["text"] == ""


TEXTS = ["low and behold", "below the lowlands", "and so it goes", "holding on"] * 5


@pytest.mark.parametrize("kind", ["characters", "pieces", "words"])
def test_a_transcript_comes_back_from_its_units(kind):
    units = learnt_units(TEXTS, kind, 60)
    for text in TEXTS[:4]:
        ids = units.ids(text)
        assert units.text(ids) == text
        assert [word for word, _, _ in units.words(ids)] == text.split()


def test_word_pieces_are_fewer_than_characters():
    pieces, characters = (learnt_units(TEXTS, kind, 60) for kind in ("pieces", "characters"))
    assert len(pieces.ids(TEXTS[0])) < len(characters.ids(TEXTS[0]))


def test_units_that_training_never_saw_are_passed_over_and_named():
    units = learnt_units(["abc"], "characters", 60)
    assert units.text(units.ids("añb")) == "ab"
    assert units.unknown("añb") == ["ñ"]


def test_a_model_of_transcripts_knows_which_words_follow_and_where_texts_end():
    units = learnt_units(["go left now", "go left now", "go right now"], "words", 60)
    language = Transcribed(["go left now", "go left now", "go right now"], units, order=3)
    go, left, now, right = (units.ids(word)[0] for word in ("go", "left", "now", "right"))
    first, state = language.next(language.start(), go)
    assert first > language.next(language.start(), now)[0]
    assert language.next(state, left)[0] > language.next(state, right)[0] > language.next(state, go)[0]
    _, state = language.next(language.next(state, left)[1], now)
    assert language.end(state) > language.end(language.start())


def test_a_model_of_transcripts_gives_probabilities():
    units = learnt_units(TEXTS, "characters", 60)
    language = Transcribed(TEXTS, units, order=4)
    state = language.start()
    for unit in units.ids("low"):
        logs = [language.next(state, each)[0] for each in range(units.blank)] + [language.end(state)]
        assert np.exp(logs).sum() == pytest.approx(1.0)
        _, state = language.next(state, unit)


def test_a_model_of_single_units_needs_no_history():
    units = learnt_units(TEXTS, "characters", 60)
    assert Transcribed(TEXTS, units, order=1).start() == ()
    assert Transcribed(TEXTS, units, order=1).next((), 0)[1] == ()
