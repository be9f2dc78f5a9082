import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from apps.recommendation.clicks import Clicks
from apps.recommendation.impressions.nets import NETS, Shape, Sizes, click_model
from apps.recommendation.impressions.regression import fitted, indicators, put
from apps.recommendation.impressions.trees import DEEPEST, MOST_LEAVES, booster_of, nodes_of
from core.data.examples import Examples
from core.layers import FactorisationMachine, FieldEmbedding, TreeEnsemble


def test_a_factorisation_machine_adds_up_the_products_of_all_pairs():
    vectors = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    pairs = [sum(row[i] @ row[j] for i in range(4) for j in range(i)) for row in vectors]
    np.testing.assert_allclose(FactorisationMachine()(vectors)[:, 0], pairs, rtol=1e-5)


def test_a_field_of_several_values_gets_their_mean_and_of_none_zeros():
    layer = FieldEmbedding([1, 3], input_dim=5, output_dim=2)
    vectors = np.asarray(layer(np.array([[1, 2, 4, 0], [1, 0, 0, 0]])))
    table = np.asarray(layer.embeddings)
    np.testing.assert_allclose(vectors[:, 0], table[[1, 1]])
    np.testing.assert_allclose(vectors[0, 1], (table[2] + table[4]) / 2, rtol=1e-6)
    np.testing.assert_array_equal(vectors[1, 1], 0)


@pytest.mark.parametrize("method", NETS)
def test_a_fresh_net_says_the_rate_of_training_of_a_row_of_unknown_values(method):
    shape = Shape([1, 2], num_ids=6, num_numbers=1, log_odds=-3.0)
    model = click_model(shape, Sizes(dim=4, width=8, depth=1, dropout=0.5), method)
    if method != "logistic":
        model.get_layer("fields").set_weights([np.zeros((6, 4))])
    rows = {"ids": np.array([[1, 2, 0]], np.int32), "numbers": np.array([[np.nan]], np.float32)}
    np.testing.assert_allclose(np.asarray(model(rows)), [[0, -3]], atol=1e-5)


def test_a_net_begins_with_what_a_logistic_regression_says():
    random = np.random.default_rng(0)
    train = Examples(
        {
            "device": random.choice(["phone", "desk", ""], 300),
            "topics": random.choice(["sport", "news|sport", ""], 300),
            "price": np.where(random.random(300) < 0.1, np.nan, random.gamma(2, 2, 300)),
            "label": random.choice(["0", "1"], 300),
        }
    )
    task = Clicks(data="nowhere", method="deepfm", dim=4, width=8, depth=1)
    encoder = task.encode(train)
    model, features = task.build(encoder), encoder.features(train)
    model.get_layer("fields").set_weights([np.zeros((encoder.num_ids, 4))])
    regression = fitted(encoder, features, encoder.ids(train["label"], "train"))
    put(model, regression, encoder.num_ids)
    says = regression.decision_function(indicators(encoder, features))
    model.get_layer("deep").set_weights([np.zeros_like(model.get_layer("deep").get_weights()[0])])
    np.testing.assert_allclose(np.asarray(model(features))[:, 1], says, atol=1e-4)


def test_trees_in_keras_say_what_those_of_scikit_learn_say():
    random = np.random.default_rng(0)
    rows = random.normal(size=(500, 4)).astype(np.float32).round(1)
    rows[random.random(rows.shape) < 0.1] = np.nan
    clicks = (np.nansum(rows[:, :2], axis=1) > random.normal(size=500)).astype(int)
    booster: HistGradientBoostingClassifier = booster_of(20, 0.1, 0).fit(rows, clicks)
    layer = TreeEnsemble(20, 2 * MOST_LEAVES - 1, DEEPEST)
    layer.build((None, 4))
    trees = [nodes_of(predictors[0].nodes) for predictors in booster._predictors]
    layer.set_trees(0, trees, float(booster._baseline_prediction.item()))
    np.testing.assert_allclose(layer(rows)[:, 0], booster.decision_function(rows), atol=1e-5)


def test_a_number_at_a_threshold_in_single_precision_goes_the_way_it_goes_in_double():
    values = np.array([0.1, 0.2, 0.30000001], np.float32)
    rows = np.repeat(values, 50)[:, None]
    booster = booster_of(1, 1.0, 0).fit(rows, np.repeat([0, 1, 0], 50))
    layer = TreeEnsemble(1, 2 * MOST_LEAVES - 1, DEEPEST)
    layer.build((None, 1))
    layer.set_trees(
        0, [nodes_of(booster._predictors[0][0].nodes)], float(booster._baseline_prediction.item())
    )
    np.testing.assert_allclose(layer(rows)[:, 0], booster.decision_function(rows), atol=1e-6)
