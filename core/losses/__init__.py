"""The losses that Keras, KerasRS and KerasHub lack; they need Keras and NumPy alone.

Importing this package registers them all, so `keras.saving.load_model` finds them.
"""

from __future__ import annotations

from core.losses.adversarial import (
    HingeAdversarial,
    NonSaturatingAdversarial,
    WassersteinAdversarial,
    gradient_penalty,
)
from core.losses.annotators import AnnotatorsCrossentropy
from core.losses.calibrated import GeneralizedBinaryCrossentropy
from core.losses.classification import FocalCrossentropy
from core.losses.contrastive import InfoNCE, NTXent
from core.losses.ctc import CTC, ctc_feasible
from core.losses.detection import GeneralizedIoU
from core.losses.image import Charbonnier
from core.losses.ranking import BayesianPersonalizedRanking, SampledSoftmax
from core.losses.segmentation import DiceCrossentropy
from core.losses.sequence import SequenceCrossentropy
from core.losses.task_aligned import TaskAlignedDetection

__all__ = [
    "CTC",
    "AnnotatorsCrossentropy",
    "BayesianPersonalizedRanking",
    "Charbonnier",
    "DiceCrossentropy",
    "FocalCrossentropy",
    "GeneralizedBinaryCrossentropy",
    "GeneralizedIoU",
    "HingeAdversarial",
    "InfoNCE",
    "NTXent",
    "NonSaturatingAdversarial",
    "SampledSoftmax",
    "SequenceCrossentropy",
    "TaskAlignedDetection",
    "WassersteinAdversarial",
    "ctc_feasible",
    "gradient_penalty",
]
