from __future__ import annotations

import keras_hub
import numpy as np
import pytest

from apps.nlp.baselines import nbsvm, tfidf_regression
from core.data.examples import Examples
from core.errors import UserError
from core.experiment import load_experiment
from core.exporting.export import export_run
from core.run import Run
from core.training.train import train
from tests.export_alone import answers_without
from tests.small_data import reviews

QUICK = [
    "fit.epochs=4",
    "fit.steps_per_execution=1",
    "fit.batch_size=16",
    "fit.tensorboard=false",
    "fit.learning_rate=1e-2",
    "fit.schedule=constant",
    "vocabulary_size=2000",
]


def trained(tmp_path, *overrides: str) -> Run:
    data = reviews(tmp_path)
    return train(load_experiment("nlp/sentiment", [f"data={data}", *QUICK, *overrides]), tmp_path / "run")


@pytest.fixture(scope="module")
def bag(tmp_path_factory) -> Run:
    return trained(tmp_path_factory.mktemp("bag"))


def test_a_bag_learns_the_word_that_tells(bag):
    assert bag.metrics["test"]["accuracy"] > 0.9


@pytest.mark.parametrize("encoder", ["convolutional", "recurrent", "transformer"])
def test_every_net_learns_the_word_that_tells(tmp_path, encoder):
    run = trained(tmp_path, f"encoder={encoder}", "width=16", "dropout=0.1", "fit.epochs=8")
    assert run.metrics["test"]["accuracy"] > 0.9
    inputs = [f"film plot scene actor story {word}" for word in ("lovely", "awful")]
    answers = run.experiment.task.predict(run.model, run.encoder, inputs)
    assert [answer["label"] for answer in answers] == ["good", "bad"]


def test_a_bag_begins_with_the_naive_bayes_weights_of_its_pieces():
    task = load_experiment("nlp/sentiment", ["ngrams=1", "character_ngrams=null", "min_count=1"]).task
    train_part = Examples({"text": ["good film", "good", "bad film", "bad"], "label": ["1", "1", "0", "0"]})
    encoder = task.encode(train_part)
    weights = task.build(encoder).get_layer("pieces").get_weights()[0]
    # Of good, 2 + 1 texts of class 1 and 0 + 1 of class 0 hold it; both classes hold as many pieces in all.
    half = 0.3 * np.log(3) / 2
    expected = {"good": [-half, half], "bad": [half, -half], "film": [0, 0]}
    for piece, row in expected.items():
        np.testing.assert_allclose(weights[2 + encoder.vocabulary.index(piece)], row, atol=1e-6)


def test_the_rivals_are_judged_in_the_same_run(bag):
    rivals = bag.metrics["baseline"]
    assert set(rivals) == {"TF-IDF + logistic regression", "NBSVM"}
    assert all(figures["accuracy"] > 0.9 for figures in rivals.values())


@pytest.mark.parametrize("rival", [nbsvm, tfidf_regression])
@pytest.mark.parametrize("split", ["words", "characters"])
def test_rivals_tell_any_number_of_classes(rival, split):
    texts = np.array(["很好 good", "坏 bad", "中 middling"] * 10, np.dtypes.StringDType())
    answers = rival(texts, np.array([0, 1, 2] * 10), texts[:3], split=split)
    np.testing.assert_allclose(answers.sum(axis=1), 1.0)
    assert answers.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_text_that_is_no_text_is_refused(bag):
    with pytest.raises(UserError, match="Received: 'bad \\\\udcff'"):
        bag.experiment.task.predict(bag.model, bag.encoder, ["good", "bad \udcff"])


def test_answers_to_texts_do_not_depend_on_what_stands_beside_them(bag):
    task = bag.experiment.task
    alone = task.predict(bag.model, bag.encoder, ["a lovely film"])[0]
    beside = task.predict(bag.model, bag.encoder, ["a lovely film", "word " * 300])[0]
    assert beside["probability"] == pytest.approx(alone["probability"], abs=1e-5)


def test_texts_that_are_empty_unknown_or_endless_get_an_answer(bag):
    inputs = ["", "日本", "x" * 100_000, "long " * 20_000]
    answers = bag.experiment.task.predict(bag.model, bag.encoder, inputs)
    assert all(np.isfinite(answer["probability"]) for answer in answers)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory) -> Run:
    """A run on a small BERT whose preset is a local folder."""
    folder = tmp_path_factory.mktemp("backbone")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "lovely", "awful", "film", "plot", "scene"]
    tokenizer = keras_hub.tokenizers.BertTokenizer(vocabulary=words, lowercase=True)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=16)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(words),
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=16,
    )
    keras_hub.models.BertTextClassifier(backbone, 2, preprocessor).save_to_preset(folder / "preset")
    return trained(
        folder,
        "encoder=backbone",
        f"preset={folder / 'preset'}",
        "max_length=16",
        "dropout=0.0",
        "fit.epochs=10",
    )


def test_a_keras_hub_backbone_reads_from_a_preset_folder(backbone):
    assert backbone.metrics["test"]["accuracy"] > 0.9
    loaded = Run(backbone.folder)
    task = backbone.experiment.task
    assert task.predict(loaded.model, loaded.encoder, ["lovely"]) == task.predict(
        backbone.model, backbone.encoder, ["lovely"]
    )


def test_a_backbone_is_explained_by_leaving_words_out(backbone):
    task = backbone.experiment.task

    def log_odds(text: str) -> float:
        chances = task.probabilities(backbone.model, backbone.encoder, task.read([text]))[0]
        return float(np.log(chances[1]) - np.log(chances[0]))

    explanation = task.explain(backbone.model, backbone.encoder, "a lovely film").to_json()
    sign = 1 if explanation["target"] == backbone.encoder.labels[1] else -1
    adds = {part["name"]: part["adds"] for part in explanation["parts"]}
    fall = sign * (log_odds("a lovely film") - log_odds("a film"))
    assert adds["lovely"] == pytest.approx(fall, abs=1e-3)
    assert list(adds) == ["a", "lovely", "film"]


def test_exports_of_a_backbone_read_texts_without_keras_and_all_but_one_without_tensorflow(
    backbone, tmp_path
):
    report = export_run(backbone, folder=tmp_path)
    assert [row["name"] for row in report["exports"]] == ["saved_model", "onnx", "litert"]
    text = "a LOVELY film, naïve"
    [expected] = backbone.experiment.task.predict(backbone.model, backbone.encoder, [text])
    for kind, missing in {
        "saved_model": ["keras_hub", "core", "apps"],
        "onnx": ["keras", "tensorflow", "core", "apps"],
        "litert": ["keras", "tensorflow", "core", "apps"],
    }.items():
        [found] = answers_without(missing, tmp_path / kind, [text])
        assert found["probability"] == pytest.approx(expected["probability"], abs=1e-4)


def test_a_word_that_praises_speaks_for_praise(bag):
    task = bag.experiment.task
    explanation = task.explain(bag.model, bag.encoder, "a lovely film").to_json()
    adds = {part["name"]: part["adds"] for part in explanation["parts"]}
    assert max(adds, key=adds.__getitem__) == "lovely"
    assert explanation["checks"]["gap"] < 0.01


def test_a_preset_that_does_not_exist_is_refused_by_name(tmp_path):
    with pytest.raises(UserError, match="Received: preset='no_such_preset'"):
        trained(tmp_path, "encoder=backbone", "preset=no_such_preset")


@pytest.mark.parametrize(
    ("length", "message"), [(2, "leaves no room.* Received: 2"), (17, "at most 16 .*Received: 17")]
)
def test_a_length_that_a_backbone_can_not_read_is_refused(backbone, tmp_path, length, message):
    preset = backbone.experiment.task.preset
    with pytest.raises(UserError, match=message):
        trained(tmp_path, "encoder=backbone", f"preset={preset}", f"max_length={length}")


def test_a_preset_for_pictures_is_refused(tmp_path):
    backbone = keras_hub.models.VGGBackbone([1], [4], image_shape=(None, None, 3))
    backbone.save_to_preset(str(tmp_path / "preset"))
    with pytest.raises(UserError, match="no text encoder, but a VGGBackbone"):
        trained(tmp_path, "encoder=backbone", f"preset={tmp_path / 'preset'}")


def test_a_backbone_without_a_preset_is_refused():
    with pytest.raises(UserError, match="belong together"):
        load_experiment("nlp/sentiment", ["encoder=backbone"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("remark\tlabel\na\tb\n", "no column 'text'"),
        ("text\tlabel\n" + "".join(f"text {row}\tgood\n" for row in range(30)), "two labels or more"),
        ("text\tlabel\n", "no lines of data"),
    ],
)
def test_texts_that_can_not_be_learnt_from_are_refused(tmp_path, content, message):
    (tmp_path / "bad.tsv").write_text(content)
    with pytest.raises(UserError, match=message):
        train(load_experiment("nlp/sentiment", [f"data={tmp_path / 'bad.tsv'}", *QUICK]), tmp_path / "run")


def test_a_label_that_training_never_saw_is_refused(tmp_path):
    (tmp_path / "train.tsv").write_text(
        "text\tlabel\n" + "".join(f"text {row}\t{row % 2}\n" for row in range(40))
    )
    (tmp_path / "test.tsv").write_text("text\tlabel\nsomething\tstrange\n")
    with pytest.raises(UserError, match=r"labels that training never saw.*strange"):
        train(load_experiment("nlp/sentiment", [f"data={tmp_path}", *QUICK]), tmp_path / "run")
