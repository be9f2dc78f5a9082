from core.callbacks.exact_resume import ExactResume
from core.callbacks.nan_rescue import DivergedError, NaNRescue
from core.callbacks.throughput import Throughput

__all__ = ["DivergedError", "ExactResume", "NaNRescue", "Throughput"]
