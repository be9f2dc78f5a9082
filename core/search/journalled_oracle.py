"""What every strategy needs besides KerasTuner's oracle.

The configuration's own values come first, a journal brings a killed search back, poor trials are stopped
early, and the trial of a worker that died is given to another.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Mapping
from typing import Any

import keras_tuner as kt
import numpy as np
from keras_tuner.src.engine.trial import Trial

from core.errors import UserError
from core.search.definition import Budget, Search, TrialRecord, best_of
from core.search.failures import FEWEST_TO_FAIL
from core.search.journal import Event, Journal
from core.search.space import chosen_values, own_values, search_space
from core.search.stopping import too_large, worse_than_most
from core.search.weighing import weighted_costs

REASON = "tuner/reason"
LOST_AFTER = 30.0  # seconds without a word from a worker


class JournalledOracle(kt.Oracle):
    """What all strategies share; each of them adds one of KerasTuner's oracles, or its own, behind it.

    Workers call `create_trial`, `update_trial`, `get_trial` (which says no more than that they live) and
    `end_trial`, from threads of this process or through the chief's server.

    Args:
        search: What is searched.
        budget: When to stop proposing.
        journal: What has happened so far, and where it goes on.
        **options: Of the strategy's own oracle.
    """

    def __init__(self, search: Search, budget: Budget, journal: Journal, **options: Any) -> None:
        first = search.objectives[0]
        goal = kt.Objective(first.name, first.direction)
        if len(search.objectives) > 1:
            goal = kt.Objective("weighted objectives", "min")
        super().__init__(
            objective=goal,
            hyperparameters=search_space(search),
            allow_new_entries=False,
            tune_new_entries=False,
            max_consecutive_failed_trials=10**9,
            seed=search.seed + 1,  # KerasTuner takes 0 for no seed
            **options,
        )
        self.verbose = 0
        self.search, self.budget, self.journal = search, budget, journal
        self.records: dict[str, TrialRecord] = {}
        self.stop_reason = ""
        self._heard: dict[str, float] = {}
        self._guard = threading.RLock()
        self._spent, self._started = 0.0, time.monotonic()
        self._replaying = False
        self._replay(journal.events())

    def elapsed(self) -> float:
        """Return the seconds that this search has taken, over all its sittings."""
        return self._spent + time.monotonic() - self._started

    def own_values(self) -> dict[str, Any]:
        """Return the configuration's own values of what is searched."""
        return chosen_values(self.search, own_values(self.hyperparameters))

    def kept(self) -> set[str]:
        """Return the trials that can still go on: the running, the best, and the configuration's own."""
        with self._guard:
            records = list(self.records.values())
            best = best_of(records, self.search.objectives[0])
            return {
                record.name
                for record in records
                if record.status == "running"
                or record is best
                or record.values == self.own_values()
                or (self.search.strategy == "hyperband" and record.status == "finished")
            }

    def stop(self, reason: str) -> None:
        """Propose nothing more, and stop what is running at the end of its epoch."""
        with self._guard:
            self.stop_reason = self.stop_reason or reason

    def finished(self) -> bool:
        """Return whether no trial is running and none will be proposed."""
        with self._guard:
            return (
                self._over() and not self.ongoing_trials and (bool(self.stop_reason) or not self._retry_queue)
            )

    def _over(self) -> bool:
        """Return whether the budget is spent; `stop_reason` says why, where it is not by trials."""
        done = [record for record in self.records.values() if record.status != "running"]
        if self.budget.minutes is not None and self.elapsed() > 60 * self.budget.minutes:
            self.stop_reason = self.stop_reason or f"the {self.budget.minutes:g} minutes are over"
        if len(done) >= FEWEST_TO_FAIL and all(record.status == "failed" for record in done):
            self.stop_reason = self.stop_reason or f"the first {len(done)} trials all failed"
        return bool(self.stop_reason) or len(self.trials) >= self.budget.trials

    def create_trial(self, tuner_id: str) -> Trial:
        """Return the next trial for a worker; its status says whether to run it, to wait, or to leave."""
        with self._guard:
            self._heard[tuner_id] = time.monotonic()
            waiting = bool(self._retry_queue) and not self.stop_reason
            if not self._replaying and not waiting and self._over():
                # One that another worker is running may still come back.
                status = "IDLE" if self.ongoing_trials and not self.stop_reason else "STOPPED"
                (self.tuner_ids.add if status == "IDLE" else self.tuner_ids.discard)(tuner_id)
                return Trial(self.get_space(), trial_id="", status=status)
            trial = super().create_trial(tuner_id)
            if trial.status == "RUNNING":
                self._note(
                    "created", trial=trial.trial_id, worker=tuner_id, values=trial.hyperparameters.values
                )
                self._begin(trial)
            elif trial.status == "STOPPED" and not self._replaying:
                hyperband = self.search.strategy == "hyperband"
                self.stop("hyperband came to its end" if hyperband else "every combination was tried")
            return trial

    def _begin(self, trial: Trial) -> None:
        if trial.trial_id not in self.records:
            values = chosen_values(self.search, trial.hyperparameters.values)
            self.records[trial.trial_id] = TrialRecord(
                trial.trial_id, values, "running", {}, {}, "", self.elapsed(), None
            )

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the strategy's next values."""
        if len(self.search.objectives) > 1:
            self._weigh_objectives()
        return super().populate_space(trial_id)

    def _random_values(self) -> dict[str, Any] | None:
        # The configuration's own values are the first that a strategy that begins at random tries.
        return super()._random_values() if self._tried_so_far else own_values(self.hyperparameters)

    def _weigh_objectives(self) -> None:
        """Score the trials by weights drawn anew for each proposal, so that all of the front is sought."""
        completed = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        if not completed:
            return
        records = [self.records[trial.trial_id] for trial in completed]
        scores = weighted_costs(records, self.search.objectives, [self.search.seed, len(self.trials)])
        for trial, score in zip(completed, scores, strict=True):
            trial.score = float(score)

    def get_trial(self, trial_id: str) -> Trial:
        """Return a trial; whoever asks for the one it runs says that it lives."""
        with self._guard:
            self._hear(trial_id)
            return super().get_trial(trial_id)

    def _hear(self, trial_id: str) -> None:
        for tuner_id, trial in self.ongoing_trials.items():
            if trial.trial_id == trial_id:
                self._heard[tuner_id] = time.monotonic()

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Trial:
        """Take what a trial reports: at step 0 its size, later the figures of an epoch.

        Returns:
            The trial; its status is not `RUNNING` where it is to stop.
        """
        metrics = {name: float(value) for name, value in metrics.items()}
        with self._guard:
            self._hear(trial_id)
            record, trial = self.records[trial_id], self.trials[trial_id]
            if trial.status != "RUNNING":
                return trial
            if step == 0:
                record.measures |= metrics
            else:
                record.history[step] = metrics
                record.measures |= {"epochs": float(step), **metrics}
            self._note("reported", trial=trial_id, step=step, metrics=metrics)
            record.reason = self._reason_to_stop(record, step)
            answer = copy.copy(trial)
            answer.status = "STOPPED" if record.reason else "RUNNING"
            return answer

    def _reason_to_stop(self, record: TrialRecord, step: int) -> str:
        large = too_large(self.search, record)
        if large:
            return large
        if not self._replaying:
            self._over()
        if self.stop_reason or not step:
            return self.stop_reason
        return worse_than_most(self.search, record, self.records.values(), step)

    def end_trial(self, trial: Trial) -> None:
        """Take the end of a trial, unless it was given to another worker that has ended it."""
        with self._guard:
            if trial.trial_id not in {ongoing.trial_id for ongoing in self.ongoing_trials.values()}:
                return
            known, record = self.trials[trial.trial_id], self.records[trial.trial_id]
            reason = record.reason if trial.message is None else trial.message
            # KerasTuner's wire carries no message.
            reason = trial.hyperparameters.values.get(REASON, reason)
            scores = [record.measures.get(goal.name, np.nan) for goal in self.search.objectives]
            judged = trial.status == "COMPLETED" and bool(np.isfinite(scores).all())
            if trial.status == "COMPLETED" and not judged:
                reason = reason or f"{self.search.objectives[0].name} is no finite number"
            judged = judged and not too_large(self.search, record)
            record.status = ("stopped" if reason else "finished") if judged else "failed"
            record.reason, record.ended = reason, self.elapsed()
            known.score = float(scores[0]) if judged else None
            known.status = "COMPLETED" if judged else "FAILED"
            self._note("ended", trial=trial.trial_id, status=known.status, reason=record.reason)
            super().end_trial(known)

    def score_trial(self, trial: Trial) -> None:
        """Keep the score that the trial itself ended with."""

    def give_back_lost(self) -> None:
        """Give the trials of workers that have not been heard of for long to whoever asks next."""
        now = time.monotonic()
        with self._guard:
            for tuner_id in list(self.ongoing_trials):
                if now - self._heard.get(tuner_id, now) > LOST_AFTER:
                    self.give_back(tuner_id)

    def give_back(self, tuner_id: str) -> None:
        """Give the trial of one worker to whoever asks next."""
        with self._guard:
            trial = self.ongoing_trials.pop(tuner_id)
            self._retry_queue.append(trial.trial_id)
            self.tuner_ids.discard(tuner_id)
            self._note("given back", trial=trial.trial_id, worker=tuner_id)

    def save(self) -> None:
        """Write nothing: the journal holds it all."""

    def _save_trial(self, trial: Trial) -> None:
        """Write nothing: the journal holds it all."""

    def _note(self, event: str, **what: Any) -> None:
        if not self._replaying:
            self.journal.append({"event": event, "elapsed": round(self.elapsed(), 3), **what})

    def _replay(self, events: list[Event]) -> None:
        """Do again all that the journal tells, and then take back what was running when it ended."""
        self._replaying = True
        for event in events:
            self._spent, self._started = event["elapsed"], time.monotonic()
            self._repeat(event)
        self._replaying = False
        for tuner_id in list(self.ongoing_trials):
            self.give_back(tuner_id)

    def _repeat(self, event: Event) -> None:
        if event["event"] == "created":
            trial = self.create_trial(event["worker"])
            if trial.trial_id != event["trial"] or trial.hyperparameters.values != event["values"]:
                raise UserError(
                    f"{self.journal.path} was written by another version, whose trials this one would not "
                    f"propose: give another --folder. Received: trial {event['trial']}, {event['values']}."
                )
        elif event["event"] == "reported":
            self.update_trial(event["trial"], event["metrics"], event["step"])
        elif event["event"] == "ended":
            trial = copy.copy(self.trials[event["trial"]])
            trial.status, trial.message = event["status"], event["reason"]
            self.end_trial(trial)
        elif event["event"] == "given back":
            self.give_back(event["worker"])


def ended(trial: Trial, status: str, reason: str | None) -> Trial:
    """Return a trial as its worker ends it, for `end_trial`.

    Args:
        trial: As `create_trial` gave it, which stays as it is.
        status: `COMPLETED` or `FAILED`.
        reason: Of the failure; empty for a trial that came to its end, none for one that was told to stop.
    """
    values = dict(trial.hyperparameters.values)
    if reason is not None:
        values[REASON] = reason
    hyperparameters = trial.hyperparameters.copy()
    hyperparameters.values = values
    return Trial(hyperparameters, trial.trial_id, status)
