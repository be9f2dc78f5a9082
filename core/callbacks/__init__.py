from core.callbacks.exact_resume import ExactResume
from core.callbacks.nan_rescue import DivergedError, NaNRescue

__all__ = ["DivergedError", "ExactResume", "NaNRescue"]
