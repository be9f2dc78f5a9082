"""Tasks: the contract, what families of tasks share, explanations, and what leaves with an export."""

from core.task.contract import Ability, Encoder, Options, Task

__all__ = ["Ability", "Encoder", "Options", "Task"]
