"""Rivals of a generative net: distributions that are fitted in closed form."""

from __future__ import annotations

import numpy as np

COMPONENTS = 64


class ComponentGaussians:
    """Principal components of all pictures, and a Gaussian over them for each class.

    Args:
        pictures: uint8, shape `(num_pictures, height, width, channels)`.
        labels: int, shape `(num_pictures,)`; each class has a picture at least.
        components: At most.
    """

    def __init__(self, pictures: np.ndarray, labels: np.ndarray, components: int = COMPONENTS) -> None:
        from sklearn.decomposition import PCA

        self.shape = pictures.shape[1:]
        flat = pictures.reshape(len(pictures), -1).astype(np.float32)
        self.axes = PCA(min(components, *flat.shape), svd_solver="randomized", random_state=0)
        places = self.axes.fit_transform(flat)
        self.gaussians = {}
        for label in np.unique(labels).tolist():
            own = places[labels == label]
            self.gaussians[label] = own.mean(axis=0), _root(own - own.mean(axis=0))

    def drawn(self, labels: np.ndarray, seed: int = 0) -> np.ndarray:
        """Return a picture for each class that is asked for, uint8."""
        normal = np.random.default_rng(seed).normal(size=(len(labels), self.axes.n_components_))
        places = np.zeros_like(normal)
        for label in np.unique(labels).tolist():
            mean, root = self.gaussians[label]
            places[labels == label] = mean + normal[labels == label] @ root
        flat = self.axes.inverse_transform(places)
        return flat.reshape(-1, *self.shape).round().clip(0, 255).astype(np.uint8)


def _root(centred: np.ndarray) -> np.ndarray:
    """Return what turns standard normal noise into noise of the covariance of these rows."""
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    scaled = sizes[:, None] * axes / np.sqrt(max(len(centred) - 1, 1))
    return axes.T @ scaled
