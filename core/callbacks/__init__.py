from core.callbacks.exact_resume import ExactResume
from core.callbacks.gradient_norms import GradientNorms
from core.callbacks.learning_rate_finder import LearningRateFinder
from core.callbacks.nan_rescue import DivergedError, NaNRescue
from core.callbacks.sample_predictions import SamplePredictions
from core.callbacks.throughput import Throughput

__all__ = [
    "DivergedError",
    "ExactResume",
    "GradientNorms",
    "LearningRateFinder",
    "NaNRescue",
    "SamplePredictions",
    "Throughput",
]
