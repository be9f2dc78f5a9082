"""Sentences made of templates, whose slots are filled with made names: half-made, no real text."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

FILLINGS = 12  # sentences of each template
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_KINDS = {
    "PERSON": "person|name|name_male|name_female|first_name|first_name_male|first_name_female|"
    "first_name_nonbinary|last_name|last_name_male|last_name_female",
    "ADDRESS": "address|street_name|building_number|secondary_address",
    "PLACE": "city|country|state_abbr|postcode|zipcode",
    "ORGANIZATION": "organization",
    "NATIONALITY": "nationality|nation_woman|nation_plural",
    "DATE": "date_time|date_of_birth|year|day_of_week",
    "CARD": "credit_card_number",
    "PHONE": "phone_number",
    "EMAIL": "email",
    "LINK": "url",
    "NUMBER": "iban|ssn|ip_address|us_driver_license",
}
_TYPE_OF = {slot: kind for kind, slots in _KINDS.items() for slot in slots.split("|")}
# What may stand between two parts of one entity, such as the house and the street of an address.
_JOINS = re.compile(r"[ ,\n]*")


class Filled(NamedTuple):
    """A sentence made of a template.

    Args:
        text: The sentence.
        spans: Start, end and type of its entities.
        template: The number of its template.
    """

    text: str
    spans: list[tuple[int, int, str]]
    template: int


def filled_templates(templates: Path, people: Path, organisations: Path) -> list[Filled]:
    """Return each template filled several times, with other people, places and numbers each time.

    Args:
        templates: One a line, with slots such as `{{city}}`.
        people: A table of made people.
        organisations: Their names, one a line after a header.
    """
    lines = templates.read_text(encoding="utf-8", errors="replace").splitlines()
    with people.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    names = organisations.read_text(encoding="utf-8").splitlines()[1:]
    random = np.random.default_rng(0)
    return [
        _filled(line.replace("\\n", "\n").replace("\\", ""), number, rows, names, random)
        for number, line in enumerate(lines)
        if line.strip()
        for _ in range(FILLINGS if _SLOT.search(line) else 1)
    ]


def _filled(
    template: str,
    number: int,
    people: Sequence[Mapping[str, str]],
    organisations: Sequence[str],
    random: np.random.Generator,
) -> Filled:
    text, end, spans = "", 0, list[tuple[int, int, str]]()
    for slot in _SLOT.finditer(template):
        text += template[end : slot.start()]
        value = _value(slot[1], people[int(random.integers(len(people)))], organisations, random)
        start, end = len(text), slot.end()
        text += value
        kind = _TYPE_OF.get(slot[1])
        if kind is None:
            continue
        if (
            spans
            and spans[-1][2] == kind in ("ADDRESS", "PLACE")
            and _JOINS.fullmatch(text, spans[-1][1], start)
        ):
            start = spans.pop()[0]
        spans.append((start, len(text), kind))
    return Filled(text + template[end:], spans, number)


def _value(
    slot: str, person: Mapping[str, str], organisations: Sequence[str], random: np.random.Generator
) -> str:
    given, surname = person["GivenName"], person["Surname"]
    street = re.sub(r"^[\d\W]+|[\d\W]+$", "", person["StreetAddress"]) or person["City"]
    month, day, year = person["Birthday"].split("/")

    def digits(pattern: str) -> str:
        return re.sub("0", lambda _: str(random.integers(1, 10)), pattern)

    values = {
        "address": f"{person['StreetAddress']}, {person['City']}",
        "street_name": street,
        "building_number": digits("000"),
        "secondary_address": f"{('Apt.', 'Suite')[random.integers(2)]} {digits('000')}",
        "city": person["City"],
        "country": person["CountryFull"],
        "state_abbr": person["State"] or "TX",
        "postcode": person["ZipCode"] or digits("00000"),
        "zipcode": digits("00000"),
        "organization": organisations[int(random.integers(len(organisations)))],
        "nationality": person["NameSet"],
        "nation_woman": person["NameSet"],
        "nation_plural": person["NameSet"] + "s",
        "date_time": f"{year}-{int(month):02}-{int(day):02}",
        "date_of_birth": person["Birthday"],
        "year": year,
        "day_of_week": _DAYS[random.integers(7)],
        "credit_card_number": digits(("0000-0000-0000-0000", "0000000000000000")[random.integers(2)]),
        "phone_number": person["TelephoneNumber"],
        "email": person["EmailAddress"],
        "url": f"https://www.{person['Domain'].lower()}",
        "iban": f"{person['Country']}{digits('00 0000 0000 0000 0000')}",
        "ssn": digits("000-00-0000"),
        "ip_address": digits("100.00.00.00"),
        "us_driver_license": digits("A0000000"),
        "age": person["Age"],
        "job": person["Occupation"],
        "prefix": person["Title"],
        "prefix_male": "Mr.",
        "prefix_female": "Ms.",
    }
    if slot.startswith("first_name"):
        return given
    if slot.startswith("last_name"):
        return surname
    return values.get(slot, f"{given} {surname}")
