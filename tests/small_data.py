"""Small data with something to learn, a source for each family of tasks, in the formats that readers take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from PIL import Image


def reviews(folder: Path) -> Path:
    """Write 120 short reviews whose label depends on one word."""
    random = np.random.default_rng(0)
    words = ["film", "plot", "scene", "actor", "story", "music", "light", "camera"]
    lines = ["text\tlabel"]
    for row in range(120):
        label = ("bad", "good")[row % 2]
        chosen = [*random.choice(words, 5), {"bad": "awful", "good": "lovely"}[label], f"take{row}"]
        lines.append(" ".join(chosen) + "\t" + label)
    path = folder / "reviews.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def pictures(folder: Path) -> Path:
    """Write 60 pictures of 28 x 28, light above or below, in a folder a class."""
    random = np.random.default_rng(0)
    for row in range(60):
        label = ("above", "below")[row % 2]
        picture = random.integers(0, 80, (28, 28), np.uint8)
        picture[slice(0, 14) if label == "above" else slice(14, 28)] += 150
        (folder / "pictures" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / "pictures" / label / f"{row}.png")
    return folder / "pictures"


def patients(folder: Path) -> Path:
    """Write 60 pictures of 28 x 28 of 30 people, ill where there is a light spot, and a table of them."""
    random = np.random.default_rng(0)
    (folder / "patients").mkdir()
    lines = ["file,diagnosis,patient,age,sex"]
    for row in range(60):
        patient, ill = row // 2, row // 2 % 3 == 0
        picture = random.integers(0, 80, (28, 28), np.uint8)
        if ill:
            picture[8:20, 8:20] += 150
        Image.fromarray(picture).save(folder / "patients" / f"{row}.png")
        lines.append(f"{row}.png,{('well', 'ill')[ill]},p{patient},{30 + patient},{'fm'[patient % 2]}")
    return written(folder / "patients" / "patients.csv", "\n".join(lines) + "\n")


def examined_people(folder: Path) -> Path:
    """Write 120 rows of what was measured of people, ill where one number is high, or of one sex."""
    random = np.random.default_rng(0)
    lines = ["age,sex,pressure,pain,disease"]
    for row in range(120):
        sex, pressure, pain = random.choice(["f", "m"]), random.normal(120, 15), random.integers(1, 4)
        ill = pressure + 15 * (sex == "m") > 130
        shown = "" if row % 15 == 0 else f"{pressure:.1f}"
        lines.append(f"{random.integers(30, 80)},{sex},{shown},{pain},{('no', 'yes')[int(ill)]}")
    return written(folder / "people.csv", "\n".join(lines) + "\n")


def pictures_with_boxes(folder: Path) -> Path:
    """Write 60 pictures of 64 x 64 with one or two light or middling squares, and a CSV of their boxes."""
    random = np.random.default_rng(0)
    lines = ["file,xmin,ymin,xmax,ymax,label"]
    (folder / "scenes").mkdir()
    for row in range(60):
        picture = random.integers(0, 40, (64, 64), np.uint8)
        for half in range(1 + row % 2):
            label, shade = (("light", 240), ("middling", 140))[random.integers(2)]
            side = int(random.integers(16, 26))
            left, top = 32 * half + int(random.integers(0, 32 - side)), int(random.integers(0, 64 - side))
            picture[top : top + side, left : left + side] = shade
            lines.append(f"{row}.png,{left},{top},{left + side},{top + side},{label}")
        Image.fromarray(picture).save(folder / "scenes" / f"{row}.png")
    written(folder / "scenes" / "boxes.csv", "\n".join(lines) + "\n")
    return folder / "scenes"


def ratings(folder: Path) -> Path:
    """Write ratings of 40 users for 30 films, high where both parities agree, and links of like users."""
    random = np.random.default_rng(0)
    lines = ["userId,movieId,rating,timestamp"]
    for user in range(40):
        for item in random.choice(30, 15, replace=False):
            rating = (4 if user % 2 == item % 2 else 2) + random.choice([-0.5, 0, 0.5])
            lines.append(f"{user},{item},{rating},{1_000_000 + random.integers(1_000_000)}")
    path = folder / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    links = [f"{user},{(user + step) % 40}" for user in range(40) for step in (2, 4)]
    links += [f"{name},{user}" for name, rest in (("even", 0), ("odd", 1)) for user in range(rest, 40, 2)]
    (folder / "links.csv").write_text("\n".join(["user,friend", *links]) + "\n")
    return path


def words(folder: Path) -> Path:
    """Write 60 recordings, low or high, in a folder a word; they are named after word, speaker and take."""
    random = np.random.default_rng(0)
    time = np.arange(4000) / 8000
    for row in range(60):
        label, pitch = (("low", 300), ("high", 1200))[row % 2]
        wave = np.sin(2 * np.pi * pitch * random.uniform(0.9, 1.1) * time) + random.normal(0, 0.1, 4000)
        (folder / "words" / label).mkdir(parents=True, exist_ok=True)
        name = f"{label}_{('ann', 'bob', 'cy')[row % 3]}_{row // 6}.wav"
        soundfile.write(folder / "words" / label / name, 0.3 * wave, 8000)
    return folder / "words"


def tagged_sentences(folder: Path) -> Path:
    """Write 120 sentences whose names and places are shown by the words around them, in columns."""
    random = np.random.default_rng(0)
    names = ["Ann", "Bob", "Cleo", "Dan", "Ann Lee", "Bob Roe"]
    places = ["Rome", "Oslo", "Lima", "New York"]
    lines = []
    for row in range(120):
        name, place = random.choice(names).split(), random.choice(places).split()
        verb = random.choice(["lives", "sleeps", "works", "waits"])
        tagged = [
            *((word, "I-PER" if each else "B-PER") for each, word in enumerate(name)),
            *((word, "O") for word in (verb, "in")),
            *((word, "I-LOC" if each else "B-LOC") for each, word in enumerate(place)),
            *((word, "O") for word in (f"since{row}", ".")),
        ]
        lines += [*(f"{word}\t{tag}" for word, tag in tagged), ""]
    path = folder / "sentences.conll"
    path.write_text("\n".join(lines))
    return path


def impressions(folder: Path) -> Path:
    """Write 240 shown advertisements, clicked where the device suits the slot, or the price is low."""
    random = np.random.default_rng(0)
    lines = ["device,slot,price,topics,click"]
    for row in range(240):
        device, slot = random.choice(["phone", "tablet", "desk"]), random.choice(["top", "side"])
        price = random.uniform(0, 10)
        topics = "|".join(random.choice(["sport", "news", "film"], random.integers(1, 3), replace=False))
        click = int((device == "phone") == (slot == "top") or price < 2)
        lines.append(f"{device},{slot},{'' if row % 20 == 0 else round(price, 2)},{topics},{click}")
    path = folder / "impressions.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def histories(folder: Path) -> Path:
    """Write what 60 people chose of 20 items, oldest first, each item mostly followed by the next one."""
    random = np.random.default_rng(0)
    lines = []
    for user in range(60):
        items = [int(random.integers(20))]
        for _ in range(random.integers(4, 9)):
            items.append((items[-1] + 1 if random.random() < 0.9 else int(random.integers(20))) % 20)
        lines.append(" ".join([f"u{user}", *(f"i{item}" for item in items)]))
    path = folder / "histories.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def news(folder: Path) -> Path:
    """Write what 40 people clicked of 60 articles, those of one subject each, in the files of MIND."""
    random = np.random.default_rng(0)
    subjects = [("goal", "match", "team"), ("vote", "law", "party")]
    (folder / "news").mkdir()
    lines = []
    for article in range(60):
        title = " ".join([*random.choice(subjects[article % 2], 2, replace=False), f"day{article}"])
        lines.append(f"N{article}\tnews\tall\t{title}\t\thttps://example.org\t[]\t[]\n")
    (folder / "news" / "news.tsv").write_text("".join(lines))
    lines = []
    for number in range(80):
        own = np.arange(number % 2, 60, 2)
        history, clicked = np.split(random.choice(own, 5, replace=False), [3])
        others = random.choice(61 - own, 3, replace=False) % 60
        shown = [*(f"N{each}-1" for each in clicked), *(f"N{each}-0" for each in others)]
        time = f"11/{10 + number // 8}/2019 8:{number % 60:02}:00 AM"
        told = " ".join(f"N{each}" for each in history)
        lines.append(f"{number}\tU{number % 40}\t{time}\t{told}\t{' '.join(shown)}\n")
    (folder / "news" / "behaviors.tsv").write_text("".join(lines))
    return folder / "news"


def sharp_pictures(folder: Path) -> Path:
    """Write 20 pictures of several sizes, each of two greys with straight edges between them."""
    random = np.random.default_rng(0)
    (folder / "sharp").mkdir()
    for row in range(20):
        height, width = random.integers(70, 90, 2)
        y, x = np.mgrid[:height, :width]
        wave = np.sin(x * random.uniform(0.1, 0.5) + y * random.uniform(-0.5, 0.5))
        picture = np.where(wave > 0, 190, 60).astype(np.uint8)
        Image.fromarray(picture).save(folder / "sharp" / f"{row}.png")
    return folder / "sharp"


def masked_pictures(folder: Path) -> Path:
    """Write 20 pictures of several sizes, each with a light disc in it, and their masks beside them."""
    random = np.random.default_rng(0)
    for name in ("image", "label"):
        (folder / "masked" / name).mkdir(parents=True)
    for row in range(20):
        height, width = random.integers(40, 56, 2)
        y, x = np.mgrid[:height, :width]
        radius, middle = random.uniform(6, 14), random.uniform(14, 30, 2)
        disc = (y - middle[0]) ** 2 + (x - middle[1]) ** 2 < radius**2
        picture = np.where(disc, 170, 70) + random.normal(0, 20, disc.shape)
        for name, content in (("image", picture.clip(0, 255)), ("label", 255 * disc)):
            Image.fromarray(content.astype(np.uint8)).save(folder / "masked" / name / f"slice_{row}.png")
    return folder / "masked"


def plain_text(folder: Path) -> Path:
    """Write 600 lines of a text whose words depend on those before them."""
    random = np.random.default_rng(0)
    names, places = ["Ann", "Bob", "Cleo"], ["Rome", "Oslo", "Lima"]
    lines = []
    for _ in range(600):
        name, place = random.integers(0, 3, 2)
        lines.append(f"{names[name]} of {places[name]} went to {places[place]}.")
    path = folder / "story.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def requests(folder: Path) -> Path:
    """Write 120 requests to turn things on or to ask about the weather somewhere, as SNIPS has them."""
    random = np.random.default_rng(0)
    rows = []
    for row in range(120):
        if row % 2:
            thing = random.choice(["lamp", "radio", "night light", "fan"]).split()
            words, name, intent = ["turn", "on", "the"], "thing", "turn_on"
        else:
            thing = random.choice(["rome", "oslo", "new york", "lima"]).split()
            words, name, intent = (
                ["will", "it", random.choice(["rain", "snow"]), "in"],
                "place",
                "ask_weather",
            )
        tags = ["O"] * len(words) + [f"B-{name}", *[f"I-{name}"] * (len(thing) - 1), "O"]
        rows.append((" ".join([*words, *thing, f"now{row}"]), " ".join(tags), intent))
    (folder / "requests").mkdir()
    for name, lines in zip(("seq.in", "seq.out", "label"), zip(*rows, strict=True), strict=True):
        (folder / "requests" / name).write_text("\n".join(lines) + "\n")
    return folder / "requests"


def asked_texts(folder: Path) -> Path:
    """Write 120 questions about who lives where, as SQuAD 2.0 has them; every sixth has no answer."""
    random = np.random.default_rng(0)
    articles = []
    for row in range(60):
        one, other, third = random.choice(["Ann", "Bob Roe", "Cleo", "Dan", "Eve Lee"], 3, replace=False)
        here, there = random.choice(["Rome", "Oslo", "Lima", "New York"], 2, replace=False)
        context = f"{one} lives in {here}. {other} lives in {there}, as of note {row}."
        told = [(f"Who lives in {there}?", other), (f"Where does {one} live?", here)]
        if row % 3 == 0:
            told[1] = (f"Where does {third} live?", "")
        asked = [
            {"id": f"{row}.{number}", "question": question, "is_impossible": not answer}
            | {"answers": [{"text": answer, "answer_start": context.index(answer)}] if answer else []}
            for number, (question, answer) in enumerate(told)
        ]
        articles.append({"title": f"note {row}", "paragraphs": [{"context": context, "qas": asked}]})
    path = folder / "asked.json"
    path.write_text(json.dumps({"version": "v2.0", "data": articles}))
    return path


def spoken_strings(folder: Path) -> Path:
    """Write 60 recordings of strings of two words, low and high, each with its transcript beside it."""
    random = np.random.default_rng(0)
    time = np.arange(2400) / 8000
    (folder / "strings").mkdir()
    for row in range(60):
        words = random.choice(["low", "high"], random.integers(1, 4))
        tones = [np.sin(2 * np.pi * {"low": 300, "high": 1200}[word] * time) for word in words]
        pieces = [piece for tone in tones for piece in (np.zeros(600), tone)]
        wave = np.concatenate(pieces) + random.normal(0, 0.05, sum(map(len, pieces)))
        soundfile.write(folder / "strings" / f"{row}.wav", 0.3 * wave, 8000)
        (folder / "strings" / f"{row}.txt").write_text(" ".join(words) + "\n")
    return folder / "strings"


def hummed_words(folder: Path) -> Path:
    """Write 40 recordings of a fifth of a second, low or high hums with overtones, in a folder a word."""
    random = np.random.default_rng(0)
    time = np.arange(1600) / 8000
    for row in range(40):
        label, pitch = (("low", 110), ("high", 220))[row % 2]
        phases = random.uniform(0, 6, 5)[:, None]
        overtones = np.sin(2 * np.pi * pitch * np.arange(1, 6)[:, None] * time + phases).mean(axis=0)
        wave = overtones * np.hanning(len(time)) + random.normal(0, 0.003, len(time))
        (folder / "hums" / label).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / "hums" / label / f"{row}.wav", wave, 8000)
    return folder / "hums"


def translated_numbers(folder: Path) -> Path:
    """Write 130 numbers in words of German and of English."""
    random = np.random.default_rng(0)
    words = {"eins": "one", "zwei": "two", "drei": "three", "vier": "four", "fünf": "five"}
    rows = dict.fromkeys(tuple(random.choice(list(words), random.integers(2, 6))) for _ in range(160))
    lines = ["source\ttarget"]
    lines += [" ".join(row) + "\t" + " ".join(words[word] for word in row) for row in list(rows)[:130]]
    path = folder / "numbers.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def conversations(folder: Path) -> Path:
    """Write 130 conversations about who likes what, as messages with roles, half of them of two answers."""
    random = np.random.default_rng(0)
    lines = []
    for row in range(130):
        name, thing = random.choice(["Ann", "Bob", "Cleo"]), random.choice(["tea", "rain", "chess", "bread"])
        said = [f"I am {name}, number {row}, and like {thing}.", f"Hello {name}!"]
        if row % 2:
            said += ["What do I like?", f"You like {thing}."]
        roles = ("user", "assistant") * 2
        messages = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
        lines.append(json.dumps({"messages": messages}))
    path = folder / "conversations.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


class Family(NamedTuple):
    """What tasks that take and give the same are tried on.

    Args:
        write: Writes a source into a folder, and returns its path.
        inputs: From the source to raw inputs, as they are typed on a command line.
    """

    write: Callable[[Path], Path]
    inputs: Callable[[Path], list[str]]


def files(folder: Path) -> list[str]:
    """Return the paths of some files of a source."""
    return [str(path) for path in sorted(folder.rglob("*.*")) if path.suffix != ".txt"][:3]


FAMILIES = {
    ("text", "classes"): Family(reviews, lambda source: ["a lovely film", "an awful plot"]),
    ("text", "tags"): Family(tagged_sentences, lambda source: ["Ann lives in Rome .", "Bob Roe, of Oslo"]),
    ("text", "fillings"): Family(
        plain_text, lambda source: ["Ann of [MASK] went to Rome.", "[MASK] of Oslo went [MASK] Lima."]
    ),
    ("text", "texts"): Family(plain_text, lambda source: ["Ann of ", "Bob"]),
    ("text", "labelled_tags"): Family(requests, lambda source: ["turn on the fan", "will it rain in Oslo"]),
    ("text", "text", "spans"): Family(
        asked_texts,
        lambda source: [
            json.dumps({"question": question, "context": "Ann lives in Rome. Bob Roe lives in Lima."})
            for question in ("Who lives in Lima?", "Where does Ann live?")
        ],
    ),
    ("text", "translations"): Family(translated_numbers, lambda source: ["eins zwei", "drei vier eins"]),
    ("picture", "classes"): Family(pictures, files),
    ("picture", "diagnoses"): Family(
        patients, lambda source: [str(source.parent / f"{row}.png") for row in (0, 2)]
    ),
    ("picture", "masks"): Family(masked_pictures, files),
    ("picture", "pictures"): Family(sharp_pictures, files),
    ("number", "choice", "samples"): Family(
        pictures, lambda source: ['{"seed": 1, "class": "above"}', '{"seed": 2, "class": "below"}']
    ),
    ("picture", "boxes"): Family(pictures_with_boxes, files),
    ("sound", "classes"): Family(words, files),
    ("row", "two_classes"): Family(
        impressions,
        lambda source: [
            "device=phone slot=top price=1.5 topics=news|film",
            '{"device": "watch", "slot": null, "price": null, "topics": ["sport"]}',
        ],
    ),
    ("row", "diagnoses"): Family(
        examined_people,
        lambda source: [
            "age=50 sex=f pressure=110.5 pain=2",
            '{"age": 61, "sex": "m", "pressure": null, "pain": 3}',
        ],
    ),
    ("turns", "texts"): Family(
        conversations,
        lambda source: [
            "I am Ann and like tea.",
            json.dumps(
                [
                    {"role": "user", "text": "I am Bob and like rain."},
                    {"role": "assistant", "text": "Hello Bob!"},
                    {"role": "user", "text": "What do I like?"},
                ]
            ),
        ],
    ),
    ("sound", "texts"): Family(spoken_strings, files),
    ("text", "sounds"): Family(hummed_words, lambda source: ["low", "High low!"]),
    ("ratings", "numbers"): Family(ratings, lambda source: ["3", "4"]),
    ("history", "rankings"): Family(histories, lambda source: ["i3 i4", '{"history": ["i7", "nobody\'s"]}']),
    ("history", "text", "impressions"): Family(
        news,
        lambda source: [
            json.dumps({"history": history, "candidates": "team match tonight\nN1"})
            for history in (["N0", "N2"], ["N3", "N999"])
        ],
    ),
    ("ratings", "rankings"): Family(ratings, lambda source: ["3", "4"]),
}
"""By the kinds of inputs that tasks take and, last, the kind of answers that they give."""


def written(path: Path, content: str | bytes) -> Path:
    """Write a file, and return its path."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
