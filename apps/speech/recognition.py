"""Recognition: the text that is spoken in a recording, its words with their times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.speech.transcription.decoder import CTCDecoder
from apps.speech.transcription.encoder import SearchOptions, TranscriptEncoder
from apps.speech.transcription.frames import HOP_SECONDS
from apps.speech.transcription.transcribing import Transcribing
from core.errors import UserError
from core.task.contract import Encoder
from core.wording import counted

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from core.data.examples import Examples, Splits
    from core.data.feed import Feed

MOST_NEW_WORDS = 0.2  # share of what is said, beyond which words are the wrong units
LABELS_MULTIPLE = 16  # units that transcripts of a batch are padded to a multiple of
PADDING = -1


class Recognition(Transcribing):
    """Writes down what is said in a recording, and when each word was said.

    A net scores characters, word pieces or words for every few frames of a spectrogram, by connectionist
    temporal classification (Graves et al., 2006). The sample is split by voice, if nothing else is asked for.

    Example:

    ```
    quartet train speech/recognition data=manifest.jsonl
    quartet train speech/recognition data=LJSpeech-1.1 units=characters stride=4 test_when='{id: ["LJ05*"]}'
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = TranscriptEncoder

    units: Literal["characters", "pieces", "words"] = Field(
        "characters", description="what transcripts are made of; words for a closed vocabulary"
    )
    num_pieces: int = Field(300, ge=30, le=20_000, description="word pieces, at most")
    net: Literal["recurrent", "convolutional"] = Field(
        "recurrent", description="what knows of the frames before and after"
    )
    unit_bonus: float = Field(
        0.5, ge=-10, le=10, description="for each unit, against the taste of that model for short transcripts"
    )

    def encode(self, train: Examples) -> TranscriptEncoder:
        """Return the units of the training transcripts, and the full scale of recordings."""
        from apps.speech.transcription.units import learnt_units
        from core.data.audio import full_scale_of

        if self.language_order and self.beams == 1:
            raise UserError(
                "A model of transcripts is asked by beams alone: give beams=8 or more, or language_order=0. "
                f"Received: language_order={self.language_order}, beams=1."
            )
        texts = train["text"].tolist()
        if self.units == "words":
            _require_closed_vocabulary(texts, train.source)
        units = learnt_units(texts, self.units, self.num_pieces)
        encoder = TranscriptEncoder(
            kind=units.kind,
            names=list(units.names),
            tokenizer=units.tokenizer,
            transcripts=texts if self.language_order else [],
            order=self.language_order,
            full_scale=full_scale_of(train),
        )
        if not self._fits(train, encoder).any():
            raise UserError(
                f"All recordings of {train.source} are too short for their text: each unit takes "
                f"{10 * self.stride} ms. Look whether their headers say a wrong sample rate, or learn "
                f"units=words. Received: {len(train)} recordings."
            )
        return encoder

    def encode_from(self, train: Examples, source: TranscriptEncoder) -> TranscriptEncoder:
        """Return what `encode` does, with the units that the weights know."""
        known = source.model_dump(include={"kind", "names", "tokenizer"})
        return self.encode(train).model_copy(update=known)

    def _labels(self, examples: Examples, encoder: TranscriptEncoder) -> np.ndarray:
        """Return for each example its number of frames and its units, padded, int32."""
        ids = [encoder.units.ids(text) for text in examples["text"].tolist()]
        labels = np.full((len(ids), 1 + max(map(len, ids), default=0)), PADDING, np.int32)
        labels[:, 0] = self.num_frames(examples.ragged("wave").lengths)
        for row, own in zip(labels, ids, strict=True):
            row[1 : 1 + len(own)] = own
        return labels

    def _fits(self, examples: Examples, encoder: TranscriptEncoder) -> np.ndarray:
        """Return which examples have frames enough for their units, bool."""
        labels = self._labels(examples, encoder)
        units = labels[:, 1:]
        repeats = (units[:, 1:] == units[:, :-1]) & (units[:, 1:] != PADDING)
        return (units != PADDING).sum(axis=1) + repeats.sum(axis=1) <= labels[:, 0]

    def left_out(self, splits: Splits, encoder: TranscriptEncoder) -> Sequence[str]:
        """Return notes of recordings that are too short for their text, and of letters that are not known."""
        notes = []
        short = np.flatnonzero(~self._fits(splits.train, encoder))
        if len(short):
            known = "id" in splits.train
            first = str(splits.train["id"][short[0]]) if known else f"row {short[0]} of train"
            counted_short = counted(len(short), "training recording is", "training recordings are")
            notes.append(f"{counted_short} too short for the text, such as {first}, and not learnt")
        strange = {name for text in splits.test["text"].tolist() for name in encoder.units.unknown(text)}
        if strange:
            notes.append(
                f"{counted(len(strange), 'unit')} of the test part that training never saw can't be "
                f"recognised: {', '.join(sorted(strange)[:8])}"
            )
        said = set(splits.train["text"].tolist())
        new = np.mean([text not in said for text in splits.test["text"].tolist()])
        return (*notes, f"{new:.0%} of the test transcripts stand in no training example")

    def count(self, examples: Examples, encoder: TranscriptEncoder) -> int:
        """Return how many recordings are long enough for their text."""
        return int(self._fits(examples, encoder).sum())

    def batches(self, examples: Examples, encoder: TranscriptEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of waves with their lengths, and of frames with units, of like length together."""
        from apps.speech.transcription.speed import with_new_speed

        if feed.training:
            examples = examples.take(self._fits(examples, encoder))
        waves = examples.ragged("wave")
        x = {"wave": waves, "num_samples": waves.lengths.astype(np.int32)}
        y = self._labels(examples, encoder) if "text" in examples else None

        def transform(x: Any, y: Any, seed: Any) -> tuple[Any, Any]:
            return with_new_speed(x, y, seed, self.speed, self.bucket, self.num_frames)

        return replace(feed, pad_to_multiple=self.bucket).batches(
            x, y, lengths=waves.lengths, prepare=_prepared, transform=transform if self.speed else None
        )

    def build(self, encoder: TranscriptEncoder) -> keras.Model:
        """Return the model from waves and their lengths to logits of units, a row for every few frames."""
        from apps.speech.transcription.nets import recogniser

        return recogniser(
            self._listen,
            net=self.net,
            num_units=len(encoder.names),
            stages=self.stages,
            width=self.width,
            depth=self.depth,
            dropout=self.dropout,
        )

    def loss(self, encoder: TranscriptEncoder) -> keras.losses.Loss:
        """Return the loss of connectionist temporal classification, with the true lengths."""
        from core.losses import CTC

        return CTC(blank_index=encoder.units.blank)

    def decoder(
        self, model: keras.Model, encoder: TranscriptEncoder, options: SearchOptions | None = None
    ) -> CTCDecoder:
        """Return what makes words of the scores of units."""
        asked = options or SearchOptions()
        return CTCDecoder(
            encoder.units,
            asked.beams or self.beams,
            self.stride * HOP_SECONDS,
            encoder.language,
            self.language_weight if asked.language_weight is None else asked.language_weight,
            self.unit_bonus if encoder.order else 0.0,
        )

    @property
    def loader(self) -> str:
        """The module that answers by an export."""
        return "apps.speech.transcription.loader"


def _prepared(x: Any, y: Any) -> tuple[Any, Any]:
    """Return waves as floats, full scale at 1, and transcripts as long as the longest of the batch needs."""
    import tensorflow as tf

    x = {**x, "wave": tf.cast(x["wave"], tf.float32) / 32768.0}
    if y is None:
        return x, None
    longest = tf.reduce_max(tf.reduce_sum(tf.cast(y[:, 1:] >= 0, tf.int32), axis=1))
    whole = tf.maximum(-(-longest // LABELS_MULTIPLE), 1) * LABELS_MULTIPLE
    return x, y[:, : 1 + whole]


def _require_closed_vocabulary(texts: Sequence[str], source: str) -> None:
    """Refuse words as units where much of what is said next will be words that training never heard.

    Their share is that of the words that occur once (Good, 1953: The population frequencies of species).

    Raises:
        UserError: It is more than a fifth.
    """
    counts = Counter(word for text in texts for word in text.split())
    share = sum(count == 1 for count in counts.values()) / max(counts.total(), 1)
    if share > MOST_NEW_WORDS:
        raise UserError(
            f"Some {share:.0%} of what is said as in {source} are words that training never hears: give "
            "task.units=characters task.stride=4 instead. Received: units=words."
        )
