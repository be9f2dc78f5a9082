from __future__ import annotations

import pytest
from pydantic import Field

from core.errors import UserError
from core.fit import Fit
from core.settings import Settings, parsed_override, read_yaml, validated, with_override


class Net(Settings):
    width: int = Field(8, ge=1, le=1024)
    rate: float = 0.1
    data: str = "sample"


def test_an_unknown_key_is_refused_with_the_nearest_right_one():
    with pytest.raises(UserError, match=r"Unknown key task\.widht\. Did you mean task\.width\?"):
        validated(Net, {"widht": 3}, "task")


def test_an_unknown_key_that_resembles_nothing_is_answered_with_all_keys():
    with pytest.raises(UserError, match="Known keys: data, rate, width"):
        validated(Net, {"zzz": 3}, "task")


def test_a_value_out_of_range_is_refused_with_key_limit_and_value():
    with pytest.raises(UserError, match=r"task\.width should be greater than or equal to 1\. Received: 0"):
        validated(Net, {"width": 0}, "task")


def test_a_value_of_the_wrong_type_is_refused_with_key_and_value():
    with pytest.raises(UserError, match=r"task\.width .*integer.*Received: 'wide'"):
        validated(Net, {"width": "wide"}, "task")


def test_every_message_is_one_line():
    with pytest.raises(UserError) as caught:
        validated(Net, {"width": 0, "rate": "fast", "x": 1}, "task")
    assert len(str(caught.value).splitlines()) == 1


def test_a_rate_that_yaml_reads_as_text_becomes_a_number():
    assert validated(Net, {"rate": "1e-3"}, "").rate == 1e-3


def test_a_number_given_for_a_text_becomes_text():
    assert validated(Net, {"data": 5}, "").data == "5"


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Net().width = 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=3", 3),
        ("a=1.5", 1.5),
        ("a=true", True),
        ("a=[1, 2]", [1, 2]),
        ("a=null", None),
        ("a=C:/x: y #1", "C:/x: y #1"),
        ("a=b=c", "b=c"),
        ("a=", None),
    ],
)
def test_an_override_is_typed_as_yaml_and_text_is_kept_as_given(text, value):
    assert parsed_override(text) == (["a"], value)


def test_an_override_without_a_value_is_refused():
    with pytest.raises(UserError, match="key=value"):
        parsed_override("epochs")


def test_an_override_leaves_the_mapping_it_came_from_as_it_was():
    tree = {"fit": {"epochs": 1}}
    assert with_override(tree, ["fit", "epochs"], 2) == {"fit": {"epochs": 2}}
    assert tree == {"fit": {"epochs": 1}}


def test_an_override_below_a_plain_value_is_refused():
    with pytest.raises(UserError, match="fit is a value"):
        with_override({"fit": 3}, ["fit", "epochs"], 2)


def test_broken_yaml_is_refused_with_file_and_line(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text("task:\n  a: [1\nfit: 2\n")
    with pytest.raises(UserError, match=r"task\.yaml, line \d+: not valid YAML"):
        read_yaml(path)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_yaml(tmp_path / "none.yaml")


def test_a_yaml_list_is_refused(tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("- 1\n")
    with pytest.raises(UserError, match="must hold keys and values"):
        read_yaml(path)


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(UserError, match=r"fit\.learning_rate should be a finite number"):
        validated(Fit, {"learning_rate": float("inf")}, "fit")
