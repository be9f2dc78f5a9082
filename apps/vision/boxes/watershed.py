"""The rival without a net: a threshold, a watershed that parts what touches, a forest that names regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from apps.vision.boxes.answers import LEAST_SCORE, OVERLAP, boxes_of
from apps.vision.boxes.letterbox import Letterbox

TRIED = 12  # training pictures that thresholds are chosen on
LEARNT = 300  # training pictures whose regions the forest learns from, at most
DISTANCES = (0, 4, 8, 14, 22)  # pixels between the middles of objects that touch; 0 is no watershed
LEAST_AREA = 12  # pixels of a region
MOST_REGIONS = 400  # of a picture, the largest
CROP = 14  # pixels along each side of what the forest sees of a region
HIT = 0.5  # overlap from which a region is an object


class Setting(NamedTuple):
    """How regions are found.

    Args:
        projection: What of the colours is looked at.
        light: Whether objects are lighter than the ground.
        distance: Pixels between the middles of objects that touch, at least.
    """

    projection: str
    light: bool
    distance: int


def _projections(picture: np.ndarray) -> dict[str, np.ndarray]:
    """Return what may tell objects from the ground, each uint8, `(height, width)`."""
    if picture.shape[-1] == 1:
        return {"grey": picture[..., 0]}
    lowest, highest = picture.min(axis=-1), picture.max(axis=-1)
    names = ("red", "green", "blue")
    return {name: picture[..., place] for place, name in enumerate(names)} | {"saturation": highest - lowest}


def settings_for(channels: int) -> list[Setting]:
    """Return all settings that are tried on pictures of so many channels."""
    names = _projections(np.zeros((1, 1, channels), np.uint8))
    return [Setting(*each) for each in product(names, (True, False), DISTANCES)]


def regions(picture: np.ndarray, setting: Setting) -> list[Any]:
    """Return the regions of a picture, as scikit-image describes them, the largest first.

    Args:
        picture: uint8, `(height, width, channels)`.
        setting: How they are found.
    """
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.filters import threshold_otsu
    from skimage.measure import label, regionprops
    from skimage.segmentation import watershed

    values = _projections(picture)[setting.projection]
    if values.min() == values.max():
        return []
    level = threshold_otsu(values)
    objects = values > level if setting.light else values <= level
    if setting.distance:
        objects = ndimage.binary_fill_holes(objects)
        depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(objects), 1.0)
        peaks = peak_local_max(depth, min_distance=setting.distance, labels=label(objects))
        markers = np.zeros(objects.shape, np.int32)
        markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
        parted = watershed(-depth, markers, mask=objects)
    else:
        parted = label(objects)
    found = [each for each in regionprops(parted) if each.area >= LEAST_AREA]
    return sorted(found, key=lambda each: -each.area)[:MOST_REGIONS]


def boxes_around(found: Sequence[Any]) -> np.ndarray:
    """Return the boxes of regions, `(left, top, right, bottom)`, `(num_regions, 4)`."""
    return np.array([[each.bbox[place] for place in (1, 0, 3, 2)] for each in found], np.float64).reshape(
        -1, 4
    )


def features(picture: np.ndarray, found: Sequence[Any]) -> np.ndarray:
    """Return what the forest sees of regions: colours, size, form, and what they look like when small."""
    from PIL import Image

    rows = []
    for each in found:
        top, left, bottom, right = each.bbox
        inside = picture[top:bottom, left:right]
        own = inside[each.image]
        small = Image.fromarray(inside.mean(axis=-1).astype(np.uint8)).resize((CROP, CROP))
        rows.append(
            [
                *own.mean(axis=0),
                *own.std(axis=0),
                *np.log([each.area, bottom - top, right - left]),
                each.extent,
                each.solidity,
                each.eccentricity,
                *np.asarray(small, np.float64).ravel(),
            ]
        )
    return np.array(rows, np.float32)


class Watershed:
    """Finds objects by the threshold that suits each class best, and names them by a random forest.

    Args:
        pictures: Of the training part, uint8, `(num_pictures, height, width, channels)`.
        objects: Of each: class, left, top, right, bottom in its pixels, `(num_objects, 5)`.
        num_labels: Classes.
        seed: Of the forest and of which pictures it learns from.
    """

    def __init__(
        self, pictures: np.ndarray, objects: Sequence[np.ndarray], num_labels: int, seed: int = 0
    ) -> None:
        order = np.random.default_rng(seed).permutation(len(pictures)).tolist()
        self.num_labels = num_labels
        chosen = self._chosen(pictures, objects, order[:TRIED])
        self.forests = {
            setting: (labels, self._forest(pictures, objects, order[:LEARNT], setting, seed))
            for setting, labels in chosen.items()
        }

    def _chosen(
        self, pictures: np.ndarray, objects: Sequence[np.ndarray], rows: Sequence[int]
    ) -> dict[Setting, list[int]]:
        """Return the settings that find most of some classes, and these classes."""
        best: dict[int, tuple[float, Setting]] = {}
        for setting in settings_for(pictures.shape[-1]):
            hits, count, true = np.zeros(self.num_labels), 0, np.zeros(self.num_labels)
            for row in rows:
                boxes = boxes_around(regions(pictures[row], setting))
                classes = objects[row][:, 0].astype(int)
                count += len(boxes)
                np.add.at(true, classes, 1)
                np.add.at(
                    hits, classes[_overlap(objects[row][:, 1:], boxes).max(axis=1, initial=0) >= HIT], 1
                )
            for label in range(self.num_labels):
                # Regions of other classes are no mistake: the forest tells them apart.
                others = hits.sum() - hits[label]
                worth = 2 * hits[label] / max(count - others + true[label], 1)
                if label not in best or worth > best[label][0]:
                    best[label] = (worth, setting)
        chosen: dict[Setting, list[int]] = {}
        for label, (_, setting) in best.items():
            chosen.setdefault(setting, []).append(label)
        return chosen

    def _forest(
        self,
        pictures: np.ndarray,
        objects: Sequence[np.ndarray],
        rows: Sequence[int],
        setting: Setting,
        seed: int,
    ) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        seen, named = [], []
        for row in rows:
            found = regions(pictures[row], setting)
            if not found:
                continue
            overlap = _overlap(boxes_around(found), objects[row][:, 1:])
            names = np.full(len(found), self.num_labels)
            if overlap.shape[1]:
                hit = overlap.max(axis=1) >= HIT
                names[hit] = objects[row][overlap.argmax(axis=1)[hit], 0]
            seen.append(features(pictures[row], found))
            named.append(names)
        if not seen:
            return None
        forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=seed)
        return forest.fit(np.concatenate(seen), np.concatenate(named))

    def candidates(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes, `(num_regions, 4)`, and what the forest says, `(num_regions, num_labels)`."""
        boxes, probabilities = [np.zeros((0, 4))], [np.zeros((0, self.num_labels))]
        for setting, (labels, forest) in self.forests.items():
            found = regions(picture, setting)
            if not found or forest is None:
                continue
            every = np.zeros((len(found), self.num_labels + 1))
            every[:, forest.classes_.astype(int)] = forest.predict_proba(features(picture, found))
            own = np.zeros((len(found), self.num_labels))
            own[:, labels] = every[:, labels]
            boxes.append(boxes_around(found))
            probabilities.append(own)
        return np.concatenate(boxes), np.concatenate(probabilities)

    def answers(
        self, pictures: np.ndarray, sizes: np.ndarray, labels: Sequence[str]
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the boxes of each picture in the pixels of its own size."""
        for picture, size in zip(pictures, sizes.tolist(), strict=True):
            fitted = Letterbox.of((size[0], size[1]), picture.shape[:2])
            candidates = self.candidates(np.asarray(picture))
            yield boxes_of(*candidates, labels, fitted, confidence=LEAST_SCORE, overlap=OVERLAP)


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    from core.metrics.detection import intersection_over_union

    return intersection_over_union(boxes, others)
