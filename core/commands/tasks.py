"""What there is before any training: the tasks, their settings, and the machine."""

from __future__ import annotations

from core.commands.arguments import Overrides, TaskName
from core.silence import import_quietly


def list_tasks() -> None:
    """List the tasks and their variants."""
    from core.console import print_tasks
    from core.experiment import configurations

    print_tasks(configurations())


def show(task: TaskName, overrides: Overrides = None) -> None:
    """Show a task's resolved experiment and what each field means."""
    from core.console import print_experiment
    from core.experiment import load_experiment

    print_experiment(load_experiment(task, overrides or []))


def doctor() -> None:
    """Show versions, backend, devices and precision, and what is missing."""
    import_quietly()
    from core.commands.doctor import findings
    from core.console import print_findings

    print_findings(findings())
