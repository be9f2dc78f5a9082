"""Recognition by hidden Markov models over a net: words of a lexicon, aligned with frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.speech.hidden_markov.decoder import HybridDecoder
from apps.speech.hidden_markov.encoder import HybridEncoder
from apps.speech.transcription.encoder import SearchOptions
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
    from core.fit import Training


class RecognitionHmm(Transcribing):
    """Writes down what is said in a recording by the words of a lexicon, and when each word was said.

    A net says how likely each hidden state of a sound is in each frame (Bourlard and Morgan, Connectionist
    speech recognition, 1994). It learns from an alignment that it makes itself: at first all states of a
    transcript take equally long, later those that the net finds likeliest. Words that training never heard
    can't be recognised.

    Example:

    ```
    quartet train speech/recognition_hmm
    quartet train speech/recognition_hmm data=manifest.jsonl lexicon=cmudict.dict
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = HybridEncoder

    lexicon: str | None = Field(
        None, description="file of pronunciations, as CMUdict is written; by default words are spelt"
    )
    states_each: int = Field(1, ge=1, le=5, description="hidden states of a sound, one after the other")
    realign: int = Field(2, ge=1, description="epochs from one alignment to the next")
    stride: Literal[1, 2, 4, 8] = Field(
        2, description="of how many frames of 10 ms one is scored; each state takes one at the least"
    )
    net: Literal["windows", "recurrent", "convolutional"] = Field(
        "windows", description="what knows of the frames before and after"
    )
    context: int = Field(5, ge=0, le=100, description="frames before and after each, of windows")
    beams: int = Field(
        32, ge=1, le=1024, description="states of the model of transcripts that are followed at once"
    )
    language_order: int = Field(
        2,
        ge=0,
        le=20,
        description="words of the longest n-grams that are counted in the training transcripts; 0 for none",
    )
    language_weight: float = Field(5.0, ge=0, le=50, description="of the model of transcripts in the search")
    unit_bonus: float = Field(0.0, ge=-100, le=100, description="for each word, in the search")

    def encode(self, train: Examples) -> HybridEncoder:
        """Return the vocabulary of the training transcripts with its pronunciations."""
        from apps.speech.hidden_markov.lexicon import by_letters, read_lexicon
        from core.data.audio import full_scale_of
        from core.data.tables import existing

        texts = train["text"].tolist()
        words = sorted({word for text in texts for word in text.split()})
        if self.lexicon is None:
            lexicon = by_letters(words)
        else:
            lexicon = read_lexicon(Path(existing(self.lexicon)), words, self.plain)
        encoder = HybridEncoder(
            kind="words",
            names=words,
            transcripts=texts if self.language_order else [],
            order=self.language_order,
            full_scale=full_scale_of(train),
            lexicon=lexicon,
            states_each=self.states_each,
            num_frames=0,
        )
        fits = self._fits(train, encoder)
        if not fits.any():
            raise UserError(
                f"All recordings of {train.source} are too short for their text: each sound takes "
                f"{10 * self.stride * self.states_each} ms. Look whether their headers say a wrong sample "
                f"rate, or set stride=1 and states_each=1. Received: {len(train)} recordings."
            )
        return encoder.model_copy(update={"num_frames": int(self._lengths(train)[fits].sum())})

    def encode_from(self, train: Examples, source: HybridEncoder) -> HybridEncoder:
        """Return what `encode` does; the words must be said in sounds that the weights know."""
        encoder = self.encode(train)
        if encoder.pronunciations.sounds != source.pronunciations.sounds:
            known, new = (set(each.pronunciations.sounds) for each in (source, encoder))
            raise UserError(
                "The training part must have the sounds of the run that training starts from. Received: "
                f"{', '.join(sorted(known ^ new)[:8])} in one of them alone."
            )
        return encoder

    def _lengths(self, examples: Examples) -> np.ndarray:
        return self.num_frames(examples.ragged("wave").lengths)

    def _fits(self, examples: Examples, encoder: HybridEncoder) -> np.ndarray:
        """Return which examples have frames enough for their states, bool."""
        fewest = [encoder.pronunciations.fewest(words) for words in _words(examples, encoder)]
        # Silence stands around what is said.
        return np.array(fewest, np.int64) + 2 <= self._lengths(examples)

    def left_out(self, splits: Splits, encoder: HybridEncoder) -> Sequence[str]:
        """Return notes of recordings that are too short for their text, and of words that are not known."""
        notes = []
        num_short = int((~self._fits(splits.train, encoder)).sum())
        if num_short:
            short = counted(num_short, "training recording is", "training recordings are")
            notes.append(f"{short} too short for the text, and not learnt")
        strange = {word for text in splits.test["text"].tolist() for word in encoder.units.unknown(text)}
        if strange:
            notes.append(
                f"{counted(len(strange), 'word')} of the test part that training never heard can't be "
                f"recognised: {', '.join(sorted(strange)[:8])}"
            )
        return notes

    def count(self, examples: Examples, encoder: HybridEncoder) -> int:
        """Return how many recordings are long enough for their text."""
        return int(self._fits(examples, encoder).sum())

    def batches(self, examples: Examples, encoder: HybridEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of waves with their lengths; of training, with the numbers of their frames."""
        from apps.speech.hidden_markov.feeding import as_floats, numbered

        y = None
        if feed.training:
            examples = examples.take(self._fits(examples, encoder))
            frames = self._lengths(examples)
            y = np.stack([np.cumsum(frames) - frames, frames], axis=1).astype(np.int32)
        waves = examples.ragged("wave")
        x = {"wave": waves, "num_samples": waves.lengths.astype(np.int32)}
        transform = partial(numbered, speed=self.speed, multiple=self.bucket, num_frames=self.num_frames)
        return replace(feed, pad_to_multiple=self.bucket).batches(
            x, y, lengths=waves.lengths, prepare=as_floats, transform=transform
        )

    def build(self, encoder: HybridEncoder) -> keras.Model:
        """Return the model from waves and their lengths to logits of hidden states, a row a frame."""
        from apps.speech.hidden_markov.nets import hybrid_recogniser

        return hybrid_recogniser(
            self._listen,
            net=self.net,
            num_states=encoder.pronunciations.num_states,
            num_frames=encoder.num_frames,
            stages=self.stages,
            width=self.width,
            depth=self.depth,
            dropout=self.dropout,
            context=self.context,
        )

    def fit(self, training: Training) -> keras.callbacks.History:
        """Train the model in place, and align the training part ever again."""
        from apps.speech.hidden_markov.realignment import Realignment, Spoken

        encoder, splits = training.encoder, training.splits

        def spoken(part: Examples) -> Spoken:
            fitting = part.take(self._fits(part, encoder))
            waves = fitting.ragged("wave")

            def score(model: keras.Model) -> list[np.ndarray]:
                return self.log_probabilities(model, encoder, waves)

            return Spoken(_words(fitting, encoder), self._lengths(fitting), score)

        realignment = Realignment(
            encoder.pronunciations, spoken(splits.train), spoken(splits.validation), every=self.realign
        )
        # The validation part has an alignment, and so a loss, only once the net has made one.
        without = replace(splits, validation=splits.validation.take(np.arange(0)))
        return super().fit(replace(training, splits=without, callbacks=(realignment, *training.callbacks)))

    def decoder(
        self, model: keras.Model, encoder: HybridEncoder, options: SearchOptions | None = None
    ) -> HybridDecoder:
        """Return what makes words of the scores of hidden states."""
        asked = options or SearchOptions()
        return HybridDecoder(
            encoder.pronunciations,
            _log_prior(model),
            self.stride * HOP_SECONDS,
            asked.beams or self.beams,
            encoder.language,
            self.language_weight if asked.language_weight is None else asked.language_weight,
            self.unit_bonus,
        )

    def loaded(self, model: keras.Model) -> Mapping[str, Any]:
        """Return the priors of states."""
        return {"log_prior": _log_prior(model).tolist()}

    @property
    def loader(self) -> str:
        """The module that answers by an export."""
        return "apps.speech.hidden_markov.loader"


def _words(examples: Examples, encoder: HybridEncoder) -> list[list[int]]:
    """Return the words of each transcript by number."""
    return [encoder.units.ids(text) for text in examples["text"].tolist()]


def _log_prior(model: keras.Model) -> np.ndarray:
    import keras

    from apps.speech.hidden_markov.nets import ALIGNMENT

    return np.array(keras.ops.convert_to_numpy(model.get_layer(ALIGNMENT).log_prior))
