from __future__ import annotations

import pytest
import yaml

from core.errors import UserError
from core.experiment import Experiment, experiment_from, load_experiment
from core.search.definition import Search
from core.search.space import chosen_values, own_values, search_space
from tests.miniatures.nested_settings import Noise, Privacy

TASK = {"type": "tests.miniatures.nested_settings.Nested"}


@pytest.fixture
def load(tmp_path):
    def loaded(*overrides: str, **tree) -> Experiment:
        path = tmp_path / "nested.yaml"
        path.write_text(yaml.safe_dump({"task": TASK, **tree}))
        return load_experiment(str(path), list(overrides))

    return loaded


@pytest.mark.parametrize("prefix", ["", "task."])
def test_a_setting_of_any_depth_is_set_and_the_others_keep_the_defaults_of_their_field(prefix, load):
    path = f"{prefix}privacy.noise.scale" if prefix else "task.privacy.noise.scale"
    assert load(f"{path}=0.3").task.privacy == Privacy(clip=0.5, noise=Noise(scale=0.3, seed=7))


def test_two_overrides_of_one_nest_both_count(load):
    privacy = load("task.privacy.noise.scale=2", "task.privacy.clip=3").task.privacy
    assert privacy == Privacy(clip=3, noise=Noise(scale=2, seed=7))


def test_a_setting_below_one_that_is_off_turns_it_on(load):
    assert load("task.rehearsal.noise.seed=3").task.rehearsal == Privacy(noise=Noise(seed=3))


def test_items_of_lists_and_mappings_are_set_one_at_a_time(load):
    task = load("task.blocks.1.width=2", "task.sizes.0=9", "task.named.second.width=5").task
    assert [block.width for block in task.blocks] == [8, 2]
    assert task.sizes == (9, 4)
    assert {name: block.width for name, block in task.named.items()} == {"first": 8, "second": 5}


def test_a_nested_field_that_is_text_takes_what_is_typed_as_it_stands(load):
    assert load("task.blocks.0.name=007").task.blocks[0].name == "007"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("task.privacy.noise.scael=1", r"key task\.privacy\.noise\.scael\. Did .*\.privacy\.noise\.scale\?"),
        ("task.privacy.nois.scale=1", r"key task\.privacy\.nois\. Did you mean task\.privacy\.noise\?"),
        ("task.privcy.noise.scale=1", r"Unknown key task\.privcy\. Did you mean task\.privacy\?"),
        ("task.blocks.0.widht=1", r"key task\.blocks\.0\.widht\. Did you mean task\.blocks\.0\.width\?"),
        ("task.named.first.widht=1", r"Did you mean task\.named\.first\.width\?"),
        ("task.blocks.2.width=1", r"task\.blocks is a list of 2.*Received: task\.blocks\.2"),
        ("task.blocks.last.width=1", r"task\.blocks is a list of 2.*Received: task\.blocks\.last"),
        ("task.privacy.clip.norm=1", r"task\.privacy\.clip is a value and has no key 'norm'.*: 0\.5"),
        ("fit.epochs.first=1", r"fit\.epochs is a value and has no key 'first'"),
        ("fit.privacy.noise=1", r"Unknown key fit\.privacy\. "),
        ("task.privacy.noise.scale=-1", r"task\.privacy\.noise\.scale should be greater.*Received: -1"),
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_refused_in_one_line_where_it_goes_wrong(override, message, load):
    with pytest.raises(UserError, match=message) as caught:
        load(override)
    assert len(str(caught.value).splitlines()) == 1


def test_a_nested_key_that_a_yaml_misspells_is_refused_with_the_nearest_of_its_depth():
    with pytest.raises(UserError, match=r"Did you mean task\.privacy\.noise\.seed\?"):
        experiment_from({"task": {**TASK, "privacy": {"noise": {"sede": 1}}}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("task.privacy.noise.seed", 7),
        ("task.blocks.1.width", 16),
        ("task.sizes.1", 4),
        ("task.named.first.name", "block"),
        ("task.rehearsal.noise.seed", None),
    ],
)
def test_the_value_at_a_path_of_any_depth_is_read_and_changed(path, value, load):
    experiment = load()
    assert experiment.value_at(path) == value
    changed = 5 if value != "block" else "other"
    assert experiment.with_values({path: changed}).value_at(path) == changed
    assert experiment.value_at(path) == value


def test_the_value_at_a_path_that_leads_nowhere_is_refused(load):
    with pytest.raises(UserError, match=r"Did you mean task\.privacy\.noise\.seed\?"):
        load().value_at("task.privacy.noise.sed")
    with pytest.raises(UserError, match=r"task\.blocks holds no 5"):
        load().value_at("task.blocks.5.width")


SPACE = {
    "task.privacy.noise.scale": {"min": 0.5, "max": 2.0},
    "task.blocks.1.width": [8, 16, 32],
    "task.named.first.name": ["block", "other"],
}


def test_a_search_space_over_nested_settings_starts_from_their_values_and_sets_them(load):
    search = Search(load(tune=SPACE))
    values = chosen_values(search, own_values(search_space(search)))
    assert values == {
        "task.privacy.noise.scale": 1.0,
        "task.blocks.1.width": 16,
        "task.named.first.name": "block",
    }
    other = search.experiment.with_values({**values, "task.blocks.1.width": 32})
    assert [block.width for block in other.task.blocks] == [8, 32]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("task.privacy.noise.scael", r"Did you mean tune\.task\.privacy\.noise\.scale\?"),
        ("task.privacy.nois.scale", r"Did you mean tune\.task\.privacy\.noise\?"),
        ("task.blocks.1.widht", r"Did you mean tune\.task\.blocks\.1\.width\?"),
        ("task.privacy.clip.norm", r"tune\.task\.privacy\.clip has no keys"),
        ("task", "Unknown key tune.task"),
        ("audit.leaks", r"Unknown key tune\.audit"),
    ],
)
def test_a_searched_path_that_leads_nowhere_is_refused_where_it_goes_wrong(path, message, load):
    with pytest.raises(UserError, match=message):
        load(tune={path: [1, 2]})


def test_a_nested_space_is_overridden_whole_or_in_part(load):
    tune = load(
        "tune.task.privacy.noise.scale.max=9",
        "tune.task.privacy.noise.seed.values=[7,8]",
        "tune.task.privacy.noise.seed.when.task.named.first.name=[block]",
        "tune.task.sizes.0=[3,4]",
        tune=SPACE,
    ).tune
    assert (tune["task.privacy.noise.scale"].min, tune["task.privacy.noise.scale"].max) == (0.5, 9)
    assert tune["task.privacy.noise.seed"].values == [7, 8]
    assert tune["task.privacy.noise.seed"].when == {"task.named.first.name": ["block"]}
    assert tune["task.sizes.0"].values == [3, 4]
