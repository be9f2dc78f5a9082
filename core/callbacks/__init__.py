from core.callbacks.exact_resume import ExactResume

__all__ = ["ExactResume"]
