"""Texts are read alike whatever their script, their spelling of marks, and the language of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata

import numpy as np
import pytest

from apps.nlp.loader import pieces as pieces_of_loader
from core.data.text import Pieces

STRINGS = np.dtypes.StringDType()

SCRIPTS = {
    "Latin": ("Déjà vu à l'opéra", ["déjà", "vu", "à", "l'opéra"]),
    "Vietnamese": ("Tiếng VIỆT rất đẹp", ["tiếng", "việt", "rất", "đẹp"]),
    "Greek": ("Ο ΣΊΣΥΦΟΣ γελά", ["ο", "σίσυφοσ", "γελά"]),
    "Cyrillic": ("Чёрный Й кот", ["чёрный", "й", "кот"]),
    "Armenian": ("ԲԱՐԵՎ ձեզ", ["բարեվ", "ձեզ"]),
    "Hebrew": ("שָׁלוֹם עֲלֵיכֶם", ["שָׁלוֹם", "עֲלֵיכֶם"]),
    "Arabic": ("السَّلَامُ عَلَيْكُم", ["السَّلَامُ", "عَلَيْكُم"]),
    "Persian": ("می\u200cخواهم بروم", ["می\u200cخواهم", "بروم"]),
    "Devanagari": ("बहुत अच्छी फ़िल्म है", ["बहुत", "अच्छी", "फ़िल्म", "है"]),
    "Bengali": ("খুব ভালো ছবি", ["খুব", "ভালো", "ছবি"]),
    "Tamil": ("நல்ல திரைப்படம்", ["நல்ல", "திரைப்படம்"]),
    "Thai": ("หนังดี มาก", ["หนังดี", "มาก"]),
    "Khmer": ("ល្អ ណាស់", ["ល្អ", "ណាស់"]),
    "Korean": ("좋은 영화", ["좋은", "영화"]),
    "Georgian": ("კარგი ფილმი", ["კარგი", "ფილმი"]),
    "Chinese": ("很好　看", ["很好", "看"]),
}


def cut(text: str, **options) -> list[str]:
    return [piece.decode() for piece in Pieces(**options)(np.array([text], STRINGS)).to_list()[0]]


def cut_in_graph(text: str, **options) -> list[str]:
    import tensorflow as tf

    given = unicodedata.normalize("NFC", text)
    return [piece.decode() for piece in Pieces(**options).cut(tf.constant([given])).to_list()[0]]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("read", [cut, cut_in_graph, pieces_of_loader])
def test_words_of_every_script_stay_whole_however_their_marks_are_spelt(script, form, read):
    text, words = SCRIPTS[script]
    expected = [unicodedata.normalize("NFC", word) for word in words]
    given = unicodedata.normalize(form, text)
    options = {"split": "words", "max_length": 99, "reading": "folded"}
    assert read(given, **options) == expected


@pytest.mark.parametrize("read", [cut, cut_in_graph, pieces_of_loader])
def test_a_character_keeps_its_marks_where_texts_are_cut_into_characters(read):
    options = {"split": "characters", "max_length": 99, "reading": "folded"}
    assert read("ที่ 好", **options) == ["ที่", "好"]
    assert read("हिन्दी", **options) == ["हि", "न्", "दी"]


@pytest.mark.parametrize("read", [cut, cut_in_graph, pieces_of_loader])
def test_a_hyphen_that_is_not_seen_parts_no_word_and_an_emoji_keeps_its_variant(read):
    options = {"split": "words", "max_length": 99, "reading": "folded"}
    assert read("Donau\u00addampf \ufeff❤\ufe0f!", **options) == ["donaudampf", "❤\ufe0f", "!"]


def test_every_character_is_made_small_in_the_graph_as_by_python():
    import tensorflow as tf

    from core.data.letters import small_letters
    from core.data.small_letters import in_small_letters

    texts = [chr(code) for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    expected = [small_letters(text).encode() for text in texts]
    assert in_small_letters(tf.constant(texts)).numpy().tolist() == expected


PROGRAM = """
import numpy as np, tensorflow as tf
from core.data.text import Pieces
text = "THIS FILM IS BRILLIANT"
options = {"reading": "READING"}
print(Pieces(**options)(np.array([text], np.dtypes.StringDType())).to_list())
if "READING" == "folded":
    print(Pieces(**options).cut(tf.constant([text])).to_list())
"""


@pytest.mark.parametrize("reading", ["folded", "lowered"])
def test_small_letters_are_the_same_on_a_turkish_machine(reading):
    environment = {**os.environ, "LC_ALL": "tr_TR.UTF-8", "TF_CPP_MIN_LOG_LEVEL": "3"}
    program = PROGRAM.replace("READING", reading)
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    assert set(run.stdout.splitlines()) == {"[[b'this', b'film', b'is', b'brilliant']]"}
