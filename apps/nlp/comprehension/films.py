"""Half-made questions about the films of MovieLens: their titles, years and genres are real."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from apps.nlp.comprehension.questions import Question

FILMS_OF_A_TEXT = 3
SOURCE = "the sample of questions about films"
# A slot of the context, whose place answers what is asked for it.
_SLOT = re.compile(r"\{(\w+)\}")
CONTEXTS = (
    "{title}, {kind} of {year}, was seen by {people} people.",
    "In {year} came {title}, {kind}, which {people} people have rated.",
    "{title} is {kind}. It came out in {year}, and {people} people rated it.",
    "Among {people} people who saw {title}, many remember {year}, when this {plain} was new.",
    "The {plain} {title} is from {year} and has {people} ratings.",
)
QUESTIONS = {
    "year": (
        "When did {title} come out?",
        "In which year was {title} new?",
        "From what year is the film {title}?",
    ),
    "people": (
        "How many people have rated {title}?",
        "How many ratings does {title} have?",
    ),
    "title": (
        "Which film came out in {year}?",
        "What is the name of the film of {year}?",
        "Which film has {people} ratings?",
    ),
    "plain": (
        "What kind of film is {title}?",
        "Of which genre is {title}?",
    ),
}
PLAIN = {
    "Children's": "children's film",
    "Film-Noir": "film noir",
    "Sci-Fi": "science fiction film",
    "Action": "action film",
    "Adventure": "adventure film",
    "Animation": "animated film",
    "War": "war film",
    "Crime": "crime film",
    "Fantasy": "fantasy film",
    "Horror": "horror film",
    "Mystery": "mystery film",
}
UNANSWERABLE = 0.1  # share of the questions, which are about a film of another text


class Film(NamedTuple):
    """What is known of a film.

    Args:
        title: As people say it.
        year: In which it came out.
        genre: Its first.
        people: Who rated it.
    """

    title: str
    year: str
    genre: str
    people: str

    def slots(self) -> dict[str, str]:
        """Return what fills the slots of contexts and questions."""
        plain = PLAIN.get(self.genre, self.genre.lower())
        article = "an" if plain[0] in "aeiou" else "a"
        return {
            "title": self.title,
            "year": self.year,
            "people": self.people,
            "plain": plain,
            "kind": f"{article} {plain}",
        }


def films_of(
    titles: Sequence[str], years: Sequence[str], genres: Sequence[str], people: Sequence[int]
) -> list[Film]:
    """Return films as people speak of them, each title once; those with little to tell are left out.

    Args:
        titles: As MovieLens lists them, such as `Usual Suspects, The`.
        years: In which they came out.
        genres: Of each, with blanks between.
        people: How many rated each.
    """
    films: dict[str, Film] = {}
    for title, year, own_genres, count in zip(titles, years, genres, people, strict=True):
        if year.isdigit() and own_genres and own_genres != "unknown" and count > 1:
            spoken = spoken_title(title)
            films.setdefault(spoken, Film(spoken, year, own_genres.split()[0], str(count)))
    return list(films.values())


def spoken_title(title: str) -> str:
    """Return a title as people say it, from how a list has it.

    Example:

    >>> spoken_title("Postman, The (Postino, Il)"), spoken_title("L'Atalante")
    ('The Postman', "L'Atalante")
    """
    plain = re.sub(r"\s*\(.*", "", title) or title
    name, comma, article = plain.rpartition(", ")
    return f"{article} {name}" if comma and len(article) < 4 and article.isalpha() else plain


def questions_about(films: Sequence[Film]) -> list[Question]:
    """Return questions about texts of a few films each, some of which their text does not answer.

    No two texts have a film in common, so that those of the test part are new.

    Args:
        films: More than one text of them.
    """
    random = np.random.default_rng(0)
    order = random.permutation(len(films))
    count = len(films) // FILMS_OF_A_TEXT
    places = order[: count * FILMS_OF_A_TEXT].reshape(count, FILMS_OF_A_TEXT)
    texts = [[films[place] for place in row] for row in places]
    questions: list[Question] = []
    for number, own in enumerate(texts):
        others = texts[(number + 1) % len(texts)]
        questions += _of_text(own, others, str(number), random)
    return questions


def _of_text(
    films: Sequence[Film], others: Sequence[Film], document: str, random: np.random.Generator
) -> Iterator[Question]:
    context, places = "", []
    for film in films:
        sentence, slots = _filled(CONTEXTS[random.integers(len(CONTEXTS))], film.slots())
        shift = len(context) + bool(context)
        context = f"{context} {sentence}".strip()
        places.append({name: (start + shift, end + shift) for name, (start, end) in slots.items()})
    for film, slots in zip(films, places, strict=True):
        for slot, templates in QUESTIONS.items():
            template = templates[random.integers(len(templates))]
            asked = [name for name in ("year", "people") if f"{{{name}}}" in template]
            if any(sum(getattr(each, name) == getattr(film, name) for each in films) > 1 for name in asked):
                continue  # two films would answer
            if random.random() < UNANSWERABLE:
                other = others[int(random.integers(len(others)))]
                if all(other.year != each.year and other.people != each.people for each in films):
                    yield Question(_filled(template, other.slots())[0], context, (), document)
                continue
            start, end = slots[slot] if slot in slots else slots["kind"]
            if slot not in slots:  # the article is no part of the answer
                start += context[start:end].index(" ") + 1
            yield Question(_filled(template, film.slots())[0], context, ((start, end),), document)


def _filled(template: str, values: dict[str, str]) -> tuple[str, dict[str, tuple[int, int]]]:
    """Return a template whose slots are filled, and where each value stands."""
    text, places, done = "", {}, 0
    for match in _SLOT.finditer(template):
        text += template[done : match.start()]
        places[match[1]] = (len(text), len(text) + len(values[match[1]]))
        text += values[match[1]]
        done = match.end()
    return text + template[done:], places
