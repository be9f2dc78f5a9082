"""Requests of a household by a small grammar, spoken by the synthetic voices: the sample of recognition."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np

from core.data.examples import Examples
from core.data.spoken_lines import Line, spoken_lines
from core.data.voices import ACCENTS, TIMBRES

# Words in braces are replaced by one of the choices of that name.
REQUESTS = (
    "turn {on or off} the {thing} in the {room} {day}",
    "please turn {on or off} the {thing} and the {thing} in the {room}",
    "set the {thing} in the {room} to {number}",
    "set a timer for {number} minutes in the {room}",
    "wake {name} at {hour} {part of an hour} {day}",
    "what is the weather like in {town} {day}",
    "will it rain in {town} {day} at {hour}",
    "play some {music} in the {room} for {number} minutes",
    "play {music} and turn {on or off} the {thing}",
    "call {name} and {name} {day} at {hour}",
    "remind {name} to {chore} {day}",
    "ask {name} to {chore} and to {chore}",
    "who will {chore} {day} {name} or {name}",
    "open the {opening} in the {room} at {hour}",
    "close the {opening} and the {opening} {day}",
)
CHOICES = {
    "on or off": ("on", "off"),
    "thing": ("light", "lamp", "heating", "radio", "fan", "oven"),
    "room": ("kitchen", "bedroom", "bathroom", "garden", "office", "hall"),
    "number": ("five", "ten", "fifteen", "twenty", "twenty five", "thirty", "forty", "forty five", "sixty"),
    "hour": ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    "part of an hour": ("fifteen", "thirty", "forty five", "in the morning"),
    "day": ("today", "tomorrow", "on monday", "on friday", "this evening", "next week"),
    "town": ("london", "paris", "rome", "dublin", "boston"),
    "music": ("jazz", "rock", "piano music", "old songs", "quiet music"),
    "name": ("anna", "peter", "martha", "george", "susan", "oliver"),
    "chore": ("buy milk", "feed the cat", "water the garden", "pay the bills", "walk the dog"),
    "opening": ("window", "door", "curtain", "gate"),
}
OF_A_VOICE = 12  # requests that each voice speaks in each accent
SEED = 1


def spoken_requests(cache: Path, sample_rate: int) -> Examples:
    """Return requests as 44 voices speak them in four accents, 12 each.

    Args:
        cache: An existing folder.
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16), `text`, `speaker` (the voice) and `accent`.

    Raises:
        UserError: The speech library does not load on this machine.
    """
    random = np.random.default_rng(SEED)
    lines, speakers, accents = [], [], []
    for timbre, (accent, speed), _ in itertools.product(TIMBRES, ACCENTS.items(), range(OF_A_VOICE)):
        lines.append(Line(request(random), f"{accent}+{timbre}", speed))
        speakers.append(timbre)
        accents.append(accent)
    waves = spoken_lines(cache, "requests", lines, sample_rate)
    texts = [line.text for line in lines]
    return Examples(
        {"wave": waves, "text": texts, "speaker": speakers, "accent": accents},
        "the sample of spoken requests",
    )


def request(random: np.random.Generator) -> str:
    """Return one request, drawn from the grammar.

    Example:

    >>> request(np.random.default_rng(0))
    'who will pay the bills on friday peter or peter'
    """

    def one_of(match: re.Match[str]) -> str:
        return str(random.choice(CHOICES[match[1]]))

    return re.sub(r"\{([^}]*)\}", one_of, str(random.choice(REQUESTS)))
