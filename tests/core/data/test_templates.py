from __future__ import annotations

import pytest

from core.data.templates import FILLINGS, filled_templates
from tests.small_data import written

HEADER = (
    "GivenName,Surname,StreetAddress,City,State,CountryFull,Country,ZipCode,EmailAddress,TelephoneNumber,"
    "Birthday,Age,Occupation,Title,NameSet,Domain"
)
PERSON = "Ann,Lee,9 High Street,Bath,SO,England,GB,BA1,ann@lee.uk,01 23,3/29/1982,37,smith,Ms.,Scot,Lee.uk"


@pytest.fixture
def filled(tmp_path):
    def fill(template: str):
        return filled_templates(
            written(tmp_path / "templates.txt", template + "\n"),
            written(tmp_path / "people.csv", f"\ufeff{HEADER}\n{PERSON}\n"),
            written(tmp_path / "organisations.csv", "organization\nLee & Sons\n"),
        )

    return fill


def test_a_slot_is_filled_and_marked_where_it_stands(filled):
    sentence = filled("I am {{person}} of {{organization}}, {{age}}.")[0]
    assert sentence.text == "I am Ann Lee of Lee & Sons, 37."
    assert [(sentence.text[start:end], kind) for start, end, kind in sentence.spans] == [
        ("Ann Lee", "PERSON"),
        ("Lee & Sons", "ORGANIZATION"),
    ]


def test_parts_of_one_address_are_one_entity_and_two_people_are_two(filled):
    sentence = filled("{{building_number}} {{street_name}}, {{city}}\\n{{name}} {{last_name}}")[0]
    marked = [(sentence.text[start:end], kind) for start, end, kind in sentence.spans]
    assert [kind for _, kind in marked] == ["ADDRESS", "PLACE", "PERSON", "PERSON"]
    assert marked[0][0].endswith(" High Street")
    assert "\n" in sentence.text


def test_a_template_is_filled_several_times_and_one_without_slots_is_told_once(filled):
    assert len(filled("In {{city}}\nHello.")) == FILLINGS + 1


def test_fillings_are_the_same_each_time(filled):
    template = "{{credit_card_number}} {{ssn}}"
    assert filled(template) == filled(template)
