"""Sequences: what somebody chooses next, from what they chose before, in its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.recommendation.catalogue.tables import FromChoices
from apps.recommendation.histories.encoder import HistoryEncoder
from apps.recommendation.histories.examples import CONTENT, ids_of
from core.answers.kind import Answers
from core.answers.rankings import Rankings
from core.answers.rows import Direction, Figures, Write, written_by
from core.errors import MethodError, UserError
from core.inputs import History, Input
from core.task.contract import Ability, Encoder, Predict

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    import tensorflow as tf

    from apps.recommendation.catalogue.judging import ScoreUsers
    from apps.recommendation.histories.encoder import Histories
    from apps.recommendation.histories.memory import Followed
    from apps.recommendation.histories.scoring import Reader
    from core.data.examples import Examples, Splits
    from core.data.feed import Feed
    from core.fit import Training
    from core.task.explanation import Explanation
    from core.task.portable import Portable

VALIDATION_PEOPLE = 5_000  # are judged after each epoch, at most
EASE_PENALTIES = (100.0, 300.0)  # chosen from by NDCG on validation
SHOWN_ITEMS = 10  # of a history, in reports


class Sequences(FromChoices):
    """Recommends what somebody will choose next, of whom nothing is known but what they chose before."""

    encoder_class: ClassVar[type[Encoder]] = HistoryEncoder
    content: ClassVar[tuple[str, ...]] = CONTENT
    takes: ClassVar[Mapping[str, Input]] = {"history": History()}
    gives: ClassVar[type[Answers] | None] = Rankings
    figures: ClassVar[Mapping[str, Direction]] = Rankings.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export"})
    objective: ClassVar[str] = "val_ndcg@10"
    direction: ClassVar[Direction] = "max"
    sample_licence: ClassVar[str | None] = "MovieLens 100K: research alone, not to be sold (GroupLens)"

    net: Literal["attention", "recurrent"] = Field(
        "attention", description="self-attention (SASRec) or gated recurrent layers (GRU4Rec)"
    )
    training_loss: Literal["sampled_softmax", "softmax", "binary"] = Field(
        "sampled_softmax",
        description="the next item among negatives, or among all items; or it and each negative on its own, "
        "with probabilities set right (gSASRec)",
    )
    negatives: int = Field(
        256, ge=1, le=65_536, description="items that are drawn each step and shared by all of a batch"
    )
    popularity: float = Field(
        0.0,
        ge=0,
        le=1,
        description="how negatives are drawn: 0 all alike, 1 as often as they were chosen; sampled_softmax "
        "sets right what that does to the scores",
    )
    calibration: float = Field(
        0.75, ge=0, le=1, description="how far binary undoes what too few negatives do; binary only"
    )
    length: int = Field(50, ge=2, le=4096, description="latest items of a history that are read")
    width: int = Field(64, ge=4, le=2048, description="units of a vector and of a state")
    depth: int = Field(1, ge=1, le=32, description="blocks of attention, or recurrent layers")
    heads: int = Field(1, ge=1, le=64, description="of each block; attention only")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of units dropped while training")
    positions: Literal["relative", "absolute", "none"] = Field(
        "relative",
        description="whether attention tells how far apart items stand, which place they have, or neither",
    )
    tied: bool = Field(True, description="an item has one vector, in histories and as what is recommended")
    memory: Literal["auto"] | Annotated[float, Field(ge=0, le=1)] = Field(
        "auto",
        description="share of an answer that is what has followed the items before, as counted in training; "
        "auto: the best of some on validation; 0: the net alone",
    )
    mask_seen: bool = Field(
        True,
        description="never recommend an item of the history; false where people choose the same again, which "
        "the figures then count too",
    )
    leave_last_out: bool = Field(
        True,
        description="test on the last choice of each person and validate on the one before; false divides "
        "people, of whom those of the test part never train",
    )
    ordered: bool = Field(
        False, description="the order of lines is that of events, where the source has no times"
    )
    validation_data: str | None = Field(None, description="file of the validation part, as data names one")
    test_data: str | None = Field(None, description="file of the test part, likewise")
    cutoffs: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(
        (), description="other lengths of the lists, beside 10, at which rankings are judged"
    )
    titles_data: str | None = Field(
        None, description="table with a column of items and one of titles; by default found beside data"
    )
    top: int = Field(10, ge=1, le=1000, description="how many items to recommend")

    def load(self) -> Splits:
        """Return the histories of a file of choices, or of the sample, and what was chosen next.

        Raises:
            UserError: The source is missing or no file of choices, or does not tell what came after what.
        """
        from apps.recommendation.catalogue.reading import read_parts, require_times
        from apps.recommendation.histories.examples import as_published, by_person, last_out

        named = {"validation_data": self.validation_data, "test_data": self.test_data}
        parts, notes = read_parts(self.data, self._choices, **named)
        if len(parts) > 1:
            splits = self.divided(as_published(parts), notes)
        elif self.leave_last_out and (self.split_time or self.split_group):
            raise UserError(
                "leave_last_out says what the test part is, so split_time and split_group must be null. "
                f"Received: split_time={self.split_time}, split_group={self.split_group}."
            )
        elif self.leave_last_out:
            splits = last_out(parts["train"], notes)
        else:
            require_times(parts, self.split_time)
            splits = self.divided({"train": by_person(parts["train"])}, notes)
        ranked = "left out" if self.mask_seen else "ranked too"
        said = f"{splits.protocol}; all items ranked, those of the history {ranked}"
        return replace(splits, protocol=said)

    def _choices(self, path: Path) -> tuple[Examples, Sequence[str]]:
        from apps.recommendation.catalogue.reading import in_order
        from core.data.choices import read_choices

        examples, notes = read_choices(path, skip_bad=self.skip_bad, how=self.how)
        return in_order(examples, ordered=self.ordered), notes

    def encode(self, train: Examples) -> HistoryEncoder:
        """Return the items that were chosen, how often, and their titles."""
        from apps.recommendation.catalogue.reading import read_titles_of, titles_of_items

        chosen = [item for name in ("history", "next") for text in train[name] for item in ids_of(text)]
        items, counts = np.unique(np.array(chosen, np.dtypes.StringDType()), return_counts=True)
        names = items.tolist()
        encoder = HistoryEncoder(
            items=names,
            item_counts=counts.tolist(),
            titles=titles_of_items(read_titles_of(self.data, self.titles_data), names, train.source),
            people=len(train),
        )
        return self._with_pairs(encoder, train)

    def _with_pairs(self, encoder: HistoryEncoder, train: Examples) -> HistoryEncoder:
        pairs = len(self._followed(encoder, train).items) if self.memory != 0 else 0
        return encoder.model_copy(update={"pairs": pairs})

    def _followed(self, encoder: HistoryEncoder, train: Examples) -> Followed:
        from apps.recommendation.histories.followers import followed_in

        return followed_in(encoder.histories(train).whole(), encoder.num_items)

    def encode_from(self, train: Examples, source: HistoryEncoder) -> HistoryEncoder:
        """Return the items of the run that training starts from, with how often each was chosen here."""
        own = self.encode(train)
        counts = dict(zip(own.items, own.item_counts, strict=True))
        update = {
            "item_counts": [counts.get(item, 0) for item in source.items],
            "titles": {**own.titles, **source.titles},
            "people": own.people,
        }
        return self._with_pairs(source.model_copy(update=update), train)

    def left_out(self, splits: Splits, encoder: HistoryEncoder) -> Sequence[str]:
        """Return notes of what can't be found in the test part: new items, and repeated ones."""
        from apps.recommendation.histories.examples import notes_of_test

        return notes_of_test(splits.test, set(encoder.items), masked=self.mask_seen)

    def batches(self, examples: Examples, encoder: HistoryEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of histories and of the item after each of theirs; in training, of negatives too."""
        from apps.recommendation.histories.batches import negatives_drawn, shifted

        pieces = self._pieces(examples, encoder)
        draw = None
        if self.training_loss != "softmax":
            draw = negatives_drawn(encoder.counts**self.popularity, self.negatives)
        return feed.batches(pieces, lengths=pieces.lengths, prepare=shifted, transform=draw)

    def count(self, examples: Examples, encoder: HistoryEncoder) -> int:
        """Return how many pieces of histories an epoch has."""
        return len(self._pieces(examples, encoder))

    def _pieces(self, examples: Examples, encoder: HistoryEncoder) -> Any:
        from apps.recommendation.histories.encoder import windows

        pieces = windows(encoder.histories(examples).whole(), self.length + 1)
        if not len(pieces):
            raise UserError(
                f"Nobody in {examples.source} has chosen two known items in turn, so there is no next item "
                f"to learn. Received: {len(examples):,} histories."
            )
        return pieces

    def build(self, encoder: HistoryEncoder) -> keras.Model:
        """Return the net from histories to states, which are compared with the vectors of the items."""
        from apps.recommendation.histories import nets

        shared: dict[str, Any] = {
            "width": self.width,
            "depth": self.depth,
            "dropout": self.dropout,
            "tied": self.tied,
            "num_pairs": encoder.pairs,
        }
        if self.net == "recurrent":
            return nets.recurrent_net(encoder.num_items, **shared)
        return nets.attention_net(
            encoder.num_items, **shared, length=self.length, heads=self.heads, positions=self.positions
        )

    def loss(self, encoder: HistoryEncoder) -> keras.losses.Loss | None:
        """Return the loss of the next item beside negatives; none where it is told from all items."""
        from core.losses import GeneralizedBinaryCrossentropy, SampledSoftmax

        mean = "mean_with_sample_weight"
        if self.training_loss == "softmax":
            return None
        if self.training_loss == "binary":
            return GeneralizedBinaryCrossentropy(encoder.num_items - 1, self.calibration, reduction=mean)
        weights = np.maximum(encoder.counts, 1.0) ** self.popularity if self.popularity else None
        return SampledSoftmax(weights, reduction=mean)

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train the net, and rank by it alone for the people of the validation part after each epoch.

        How much of an answer is what has followed before, is chosen last, for the net as it then is.

        Raises:
            UserError: The training part holds what is judged.
        """
        import keras

        from apps.recommendation.histories.examples import require_apart
        from apps.recommendation.histories.followers import SHARES
        from apps.recommendation.histories.nets import memory_layer

        model, encoder, splits = training.model, training.encoder, training.splits
        for held_out in (splits.validation, splits.test):
            require_apart(splits.train, held_out)
        judged = splits.validation.take(np.arange(min(len(splits.validation), VALIDATION_PEOPLE)))
        histories, memory = encoder.histories(judged), memory_layer(model)
        if memory is not None:
            memory.remember(self._followed(encoder, splits.train))

        def ranked(share: float) -> Figures:
            return self.figures_of(self.reader(model, encoder, share)(histories), histories)

        def rank(epoch: int, logs: dict[str, float]) -> None:
            figures = ranked(0.0)
            logs.update({f"val_{name}": figures[name] for name in self.figures})

        # The first of the callbacks, so that those which watch the figure find it.
        first = [keras.callbacks.LambdaCallback(on_epoch_end=rank)] if len(histories) else []
        alone = replace(splits, validation=splits.validation.take([]))  # whose loss nobody asks for
        history = super().fit(replace(training, splits=alone, callbacks=(*first, *training.callbacks)))
        if memory is not None:
            tried = SHARES if self.memory == "auto" else (self.memory,)
            best = max(tried, key=lambda share: ranked(share)["ndcg@10"]) if len(histories) else tried[0]
            memory.share.assign(best)
        return history

    def reader(self, model: keras.Model, encoder: HistoryEncoder, share: float | None = None) -> Reader:
        """Return what a net says of histories.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            share: Of what has followed before; by default what the model holds.
        """
        from apps.recommendation.histories.scoring import Reader

        return Reader(model, self.length, encoder.counts, share)

    def figures_of(self, score: ScoreUsers, histories: Histories) -> Figures:
        """Return HitRate, NDCG, MRR and Recall over the full catalogue.

        Args:
            score: From numbers of people, from 1, to their scores of all items.
            histories: Of these people, with what should be found.
        """
        from apps.recommendation.catalogue.judging import ranking_figures

        seen = histories.seen(masked=self.mask_seen)
        return ranking_figures(score, histories.targets(), seen, cutoffs=self.cutoffs)

    def evaluate(
        self, model: keras.Model, encoder: HistoryEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return HitRate, NDCG, MRR and Recall over the full catalogue."""
        histories = encoder.histories(examples)
        reader = self.reader(model, encoder)
        score = reader(histories)
        self._write_rankings(score, histories, encoder, examples, write)
        return {**self.figures_of(score, histories), "memory": round(reader.share, 3)}

    def _write_rankings(
        self,
        score: ScoreUsers,
        histories: Histories,
        encoder: HistoryEncoder,
        examples: Examples,
        write: Write | None,
    ) -> None:
        """Write a row for each person: what was recommended, and what they chose."""
        from apps.recommendation.catalogue.judging import TOP
        from apps.recommendation.histories.answers import recommended

        if write is None:
            return
        seen, users = histories.seen(masked=self.mask_seen), examples["user"].tolist()
        for row, (items, _) in enumerate(recommended(score, seen, TOP)):
            names = [encoder.items[item - 1] for item in items.tolist()]
            chosen = ids_of(examples["next"][row])
            write({"row": row, "user": users[row], "recommended": names, "chosen": chosen})

    def predict(
        self, model: keras.Model, encoder: HistoryEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Recommend what comes next after each history, `{"history": [...]}` or a list of raw ids.

        Items that training never saw are passed over, and the answer counts them.

        Raises:
            UserError: An input is no history, or training saw none of its items.
        """
        return self.predictor(model, encoder)(inputs)

    def predictor(self, model: keras.Model, encoder: HistoryEncoder, options: Any = None) -> Predict:
        """Return `predict` of one model; the vectors of the items are taken once."""
        from apps.recommendation.histories.answers import answers

        reader = self.reader(model, encoder)
        return lambda inputs: answers(inputs, encoder, reader, self.top, masked=self.mask_seen)

    def inputs(self, encoder: HistoryEncoder) -> dict[str, Input]:
        """Return histories, with the items that training saw, those that were chosen most first."""
        items = [encoder.items[number - 1] for number in encoder.popular.tolist()]
        return {"history": History({item: encoder.title(item) for item in items})}

    def explain(
        self, model: keras.Model, encoder: HistoryEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return how much each item of a history adds to the logarithm of the first answer's probability.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            value: A history.
            method: There is one: what the net would say without an item.

        Raises:
            MethodError: Another method is asked for.
            UserError: It is no history, training saw none of its items, or nothing is left to recommend.
        """
        from apps.recommendation.histories.explanations import explained_history

        if method not in (None, "occlusion"):
            raise MethodError(f"Histories are explained by occlusion. Received: {method!r}.")
        answer = self.predict(model, encoder, [value])[0]
        return explained_history(self.reader(model, encoder), encoder, value, answer)

    def portable(self, model: keras.Model, encoder: HistoryEncoder) -> Portable:
        """Return the graph from histories to the scores of all items."""
        from apps.recommendation.histories.export import portable_net

        return portable_net(
            self.reader(model, encoder), encoder, self.figures_of, top=self.top, mask_seen=self.mask_seen
        )

    def shown(
        self, answer: Mapping[str, Any], examples: Examples | None, encoder: HistoryEncoder
    ) -> dict[str, Any]:
        """Return the user and the titles of what they had chosen, chose next, and were recommended."""
        shown = {"user": answer["user"]}
        if examples is not None:
            history = ids_of(examples["history"][answer["row"]])[-SHOWN_ITEMS:]
            shown["history"] = "; ".join(encoder.title(item) for item in history)
        for name in ("chosen", "recommended"):
            shown[name] = "; ".join(encoder.title(item) for item in answer[name])
        return shown

    def slices(self, splits: Splits, encoder: HistoryEncoder) -> dict[str, np.ndarray]:
        """Return how long each history is, and how often training saw what was chosen next."""
        histories = encoder.histories(splits.test)
        popularity = [encoder.counts[histories.after[row]].mean() for row in range(len(histories))]
        return {
            "items of the history": histories.before.lengths,
            "training choices of the next item": np.array(popularity).round().astype(np.int64),
        }

    def baseline(
        self, encoder: HistoryEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of popularity, item neighbours, what has followed before, and EASE."""
        from apps.recommendation.histories import rivals
        from apps.recommendation.linear.ease import ease_name

        train, validation, test = (
            encoder.histories(part) for part in (splits.train, splits.validation, splits.test)
        )
        judged = validation if len(validation) else test
        all_rivals = {
            "popularity": rivals.popularity(encoder.counts),
            "item neighbours": rivals.item_neighbours(train),
            "what has followed": rivals.followers(self._followed(encoder, splits.train), self.length),
            ease_name(encoder.num_items - 1): rivals.ease(
                train, EASE_PENALTIES, lambda rival: self.figures_of(rival(judged), judged)["ndcg@10"]
            ),
        }
        scores = {name: rival(test) for name, rival in all_rivals.items()}
        for name, score in scores.items():
            self._write_rankings(score, test, encoder, splits.test, written_by(name, write))
        return {name: self.figures_of(score, test) for name, score in scores.items()}
