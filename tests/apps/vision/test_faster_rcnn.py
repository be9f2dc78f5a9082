from __future__ import annotations

import keras
import numpy as np
import pytest

from apps.vision.boxes.faster_rcnn import Moved, Proposals, anchors_of, loss_of_anchors, loss_of_proposals

SHAPE = (32, 64)
TRUTH = np.array([[[1.0, 8.0, 4.0, 40.0, 28.0], [-1.0, 0.0, 0.0, 0.0, 0.0]]], "float32")
BOX = TRUTH[:, :1, 1:]


def test_anchors_of_a_place_have_one_area_and_three_forms() -> None:
    anchors = anchors_of(SHAPE)
    assert len(anchors) == 3 * (4 * 8 + 2 * 4 + 1 * 2)
    sides = anchors[:3, 2:] - anchors[:3, :2]
    assert sides.prod(axis=1) == pytest.approx([1024.0] * 3)
    assert (sides[:, 1] / sides[:, 0]) == pytest.approx([0.5, 1.0, 2.0])


def test_boxes_are_moved_by_shares_of_their_sides_and_stretched_by_exponents() -> None:
    changes = np.array([[[0.5, 0.0, np.log(2.0), 0.0]]], "float32")
    moved = Moved()(changes, np.array([[[0.0, 0.0, 8.0, 4.0]]], "float32"))
    assert keras.ops.convert_to_numpy(moved)[0, 0] == pytest.approx([0.0, 0.0, 16.0, 4.0])


def test_proposals_are_the_surest_boxes_without_those_on_surer_ones() -> None:
    boxes = np.array([[[0, 0, 20, 20], [0, 0, 20, 19], [30, 0, 90, 20], [0, 0, 8, 8]]], "float32")
    proposals = Proposals(3, SHAPE)(np.array([[2.0, 3.0, 1.0, 0.0]], "float32"), boxes)
    expected = [[0, 0, 20, 19], [30, 0, 64, 20], [0, 0, 8, 8]]
    assert keras.ops.convert_to_numpy(proposals)[0].tolist() == expected


def test_layers_come_back_from_their_configuration() -> None:
    for layer in (Moved(SHAPE), Proposals(3, SHAPE)):
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_anchors_that_know_their_objects_cost_less() -> None:
    anchors = anchors_of(SHAPE)
    boxes = np.tile(BOX, (1, len(anchors), 1))
    low, high = np.maximum(anchors[:, :2], BOX[0, 0, :2]), np.minimum(anchors[:, 2:], BOX[0, 0, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    fits = common / (np.prod(anchors[:, 2:] - anchors[:, :2], axis=1) + 32 * 24 - common) >= 0.6
    knowing = np.where(fits, 8.0, -8.0).astype("float32")[None]
    losses = [
        float(loss_of_anchors(TRUTH, {"objects": objects, "anchored": boxes}, anchors))
        for objects in (knowing, -knowing)
    ]
    assert losses[0] < 0.05 < losses[1]


def test_proposals_that_are_named_right_cost_less() -> None:
    proposals = np.concatenate([BOX, [[[44, 0, 64, 20]]]], axis=1).astype("float32")
    right = np.array([[[-6.0, 6.0, -6.0], [-6.0, -6.0, 6.0]]], "float32")
    said = {"proposals": proposals, "boxes": np.tile(BOX, (1, 2, 1)).astype("float32")}
    assert float(loss_of_proposals(TRUTH, {**said, "classes": right})) < 0.01
    assert float(loss_of_proposals(TRUTH, {**said, "classes": right[..., ::-1]})) > 5


def test_a_picture_without_objects_has_a_loss_too() -> None:
    nothing = np.array([[[-1.0, 0.0, 0.0, 0.0, 0.0]]], "float32")
    anchors = anchors_of(SHAPE)
    said = {
        "objects": np.zeros((1, len(anchors)), "float32"),
        "anchored": anchors[None],
        "proposals": anchors[None, :4],
        "classes": np.zeros((1, 4, 3), "float32"),
        "boxes": anchors[None, :4],
    }
    assert np.isfinite(float(loss_of_anchors(nothing, said, anchors) + loss_of_proposals(nothing, said)))
