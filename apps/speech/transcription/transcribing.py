"""What every way to write down speech shares: recordings with transcripts in, words with times out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.speech.front_end import SPECTROGRAM, Listening
from apps.speech.transcription.answers import in_batches, log_probabilities
from apps.speech.transcription.decoder import Decoder
from apps.speech.transcription.encoder import SearchOptions, TranscriptEncoder
from apps.speech.transcription.frames import FRAME_SECONDS, HOP_SECONDS, frames_of
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.texts import Transcripts
from core.errors import UserError
from core.inputs import Input, Sound
from core.task.contract import Ability, Options, Task

if TYPE_CHECKING:
    import keras

    from core.data.examples import Examples, Ragged, Splits
    from core.task.explanation import Explanation
    from core.task.portable import Portable

AT_ONCE = 16  # recordings that are answered in one batch
LONGEST_MASK = 0.06  # share of a recording that one mask over time hides at most


class Transcribing(Listening, Task):
    """How a task writes down speech: a net scores frames of a recording, a decoder makes words of them."""

    content: ClassVar[tuple[str, ...]] = ("wave",)
    sample_licence: ClassVar[str | None] = "GPL 3 or later (spoken by eSpeak NG)"
    takes: ClassVar[Mapping[str, Input]] = {"wave": Sound()}
    gives: ClassVar[type[Answers] | None] = Transcripts
    figures: ClassVar[Mapping[str, Direction]] = Transcripts.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export"})
    options: ClassVar[type[Options]] = SearchOptions

    names: str | None = Field(
        None, description="of words spoken alone: what file names say, such as {label}_{speaker}_{take}"
    )
    joined: tuple[int, int] | None = Field(
        None, description="of words spoken alone: join so many, at least and at most, with pauses"
    )
    full_scale: float | None = Field(
        None,
        gt=0,
        description="of recordings with floats for samples; by default learnt from the training part",
    )
    test_when: dict[str, list[str]] = Field(
        {},
        description="test part: the recordings with one of these values, or patterns such as LJ002-01*, in "
        "each of these columns",
    )
    plain: bool = Field(True, description="learn and compare transcripts in lower case without punctuation")
    speed: float = Field(0.1, ge=0, lt=1, description="training: largest change of speed and pitch, share")
    bucket_seconds: float = Field(
        0.5, gt=0, le=60, description="batches are padded to a multiple of it, so that there are few shapes"
    )
    stride: Literal[1, 2, 4, 8] = Field(
        4, description="of how many frames of 10 ms one is scored: 8 for words, 2 for many letters a second"
    )
    width: int = Field(96, ge=4, le=2048, description="units in each direction")
    depth: int = Field(2, ge=1, le=32, description="layers over the frames")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of units dropped")
    beams: int = Field(
        1, ge=1, le=256, description="transcripts that are weighed at once; 1 takes the best path"
    )
    language_order: int = Field(
        0,
        ge=0,
        le=20,
        description="units of the longest n-grams that a model of the training transcripts counts, for beams "
        "to ask; 0 for none",
    )
    language_weight: float = Field(0.5, ge=0, le=10, description="of the model of transcripts in the search")

    @abstractmethod
    def decoder(self, model: keras.Model, encoder: Any, options: SearchOptions | None = None) -> Decoder:
        """Return what makes words of the scores of frames.

        Args:
            model: A trained model.
            encoder: The encoder it was trained with.
            options: What is asked of the search.
        """

    def loaded(self, model: keras.Model) -> Mapping[str, Any]:
        """Return what the decoder of an export needs of a model beside its graph."""
        return {}

    @property
    @abstractmethod
    def loader(self) -> str:
        """The module that answers by an export."""

    @property
    def window(self) -> int:
        """The samples of one frame of the spectrogram."""
        return round(FRAME_SECONDS * self.sample_rate)

    @property
    def hop(self) -> int:
        """The samples from one frame of the spectrogram to the next."""
        return round(HOP_SECONDS * self.sample_rate)

    @property
    def stages(self) -> int:
        """The convolutions that each leave every second frame."""
        return self.stride.bit_length() - 1

    @property
    def bucket(self) -> int:
        """The samples that batches are padded to a multiple of."""
        return max(round(self.bucket_seconds * self.sample_rate), self.window)

    def num_frames(self, num_samples: np.ndarray) -> np.ndarray:
        """Return how many frames the net makes of so many samples, int32."""
        return frames_of(num_samples, self.window, self.hop, self.stages)

    def load(self) -> Splits:
        """Return the recordings in their parts, with transcripts as they are compared."""
        from apps.speech.dividing import divided_where
        from apps.speech.transcription.sources import as_compared, read_transcribed

        parts, notes = read_transcribed(
            self.data,
            self.sample_rate,
            names=self.names,
            full_scale=self.full_scale,
            skip_bad=self.skip_bad,
        )
        parts, more = as_compared(parts, self.sample_rate, self.plain, self.skip_bad)
        notes = (*notes, *more)
        if self.test_when:
            splits = divided_where(self, parts, self.test_when, notes)
        elif self.data == "sample" and not (self.split_group or self.split_time):
            splits = self.model_copy(update={"split_group": "speaker"}).divided(parts, notes)
        else:
            splits = self.divided(parts, notes)
        splits = self._joined(splits) if self.joined else splits
        compared = "words in lower case without punctuation" if self.plain else "words as they are written"
        return replace(splits, protocol=f"{splits.protocol}; {compared}")

    def _joined(self, splits: Splits) -> Splits:
        from apps.speech.transcription.joining import joined_words

        shortest, longest = self.joined or (1, 1)
        if not 1 <= shortest <= longest:
            raise UserError(f"joined says how many words at least and at most. Received: {self.joined}.")
        train, validation, test = (
            joined_words(part, shortest, longest, self.sample_rate, self.split_seed) if len(part) else part
            for part in (splits.train, splits.validation, splits.test)
        )
        protocol = f"{splits.protocol}; strings of {shortest} to {longest} words by one speaker"
        return replace(splits, train=train, validation=validation, test=test, protocol=protocol)

    def _listen(self, waves: Any, num_samples: Any) -> tuple[Any, Any]:
        import keras
        from keras import ops

        from core.layers import FrameMask, LogMelSpectrogram, RandomEqualizer, RandomNoise, SpecAugment

        num_frames = ops.maximum((num_samples - self.window + self.hop) // self.hop, 0)
        x = RandomNoise(self.noise)(waves)
        x = LogMelSpectrogram(
            self.sample_rate,
            self.num_mels,
            frame_seconds=FRAME_SECONDS,
            hop_seconds=HOP_SECONDS,
            decibels=self.decibels,
            name=SPECTROGRAM,
        )(x)
        x = keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False)(x)
        x = RandomEqualizer(self.equalizer)(x)
        x = SpecAugment(self.masks, time_share=LONGEST_MASK)(x)
        return FrameMask()([x, num_frames]), num_frames

    def log_probabilities(
        self, model: keras.Model, encoder: TranscriptEncoder, waves: Sequence[np.ndarray] | Ragged
    ) -> list[np.ndarray]:
        """Return the logarithms of the probabilities of units in each frame of each wave."""

        def score(padded: np.ndarray, lengths: np.ndarray) -> np.ndarray:
            batch = {"wave": padded.astype(np.float32) / 32768, "num_samples": lengths}
            return log_probabilities(np.asarray(model.predict_on_batch(batch), np.float32))

        rows = [waves[row] for row in range(len(waves))]
        return in_batches(rows, self.window, self.bucket, AT_ONCE, score, self.num_frames)

    def evaluate(
        self, model: keras.Model, encoder: TranscriptEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return the word and character error rates over all recordings: edits by the length of the truth."""
        scored = self.log_probabilities(model, encoder, examples.ragged("wave"))
        return self.figures_of(self.decoder(model, encoder), examples, scored, write)

    def figures_of(
        self,
        decoder: Decoder,
        examples: Examples,
        scored: Sequence[np.ndarray],
        write: Write | None = None,
    ) -> Figures:
        """Return the figures of `evaluate`, from the logarithms of probabilities."""
        return _judged(examples, [decoder.text(log_p) for log_p in scored], write)

    def predict(
        self, model: keras.Model, encoder: TranscriptEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the text of each recording, its words with times, and other texts that were weighed."""
        decoder = self.decoder(model, encoder, options)
        scored = self.log_probabilities(model, encoder, self.waves(encoder, inputs))
        return [decoder.answer(log_p) for log_p in scored]

    def waves(self, encoder: TranscriptEncoder, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return raw inputs, the paths of sound files or waves, as waves at the rate of the task."""
        from core.data.audio import decoded

        if all(isinstance(wave, np.ndarray) for wave in inputs):
            return list(inputs)
        decoded_waves, _ = decoded(
            [Path(path) for path in inputs], self.sample_rate, full_scale=encoder.full_scale
        )
        return [decoded_waves[row] for row in range(len(decoded_waves))]

    def explain(
        self, model: keras.Model, encoder: TranscriptEncoder, value: Any, method: str | None = None
    ) -> Explanation:
        """Return which stretches of a recording made each of its words."""
        import keras

        from apps.speech.transcription.explanation import explained_words

        (wave,) = self.waves(encoder, [value])
        padded = np.zeros((1, max(len(wave), self.window)), np.float32)
        padded[0, : len(wave)] = wave / 32768
        given, heard = model.input, model.get_layer(SPECTROGRAM).output
        listen = keras.Model(given["wave"], heard)
        understand = keras.Model([heard, given["num_samples"]], model.output)

        def scores(points: np.ndarray) -> np.ndarray:
            lengths = np.full(len(points), len(wave), np.int32)
            logits = understand([np.asarray(points, np.float32), lengths], training=False)
            return log_probabilities(np.asarray(keras.ops.convert_to_numpy(logits)))

        spectrogram = np.asarray(keras.ops.convert_to_numpy(listen(padded, training=False)))[0]
        return explained_words(
            self.predict(model, encoder, [value])[0],
            spectrogram,
            scores,
            self.decoder(model, encoder).heard(scores(spectrogram[None])[0]),
            HOP_SECONDS,
            method,
        )

    def inputs(self, encoder: TranscriptEncoder) -> dict[str, Input]:
        """Return sounds at the task's own rate."""
        return {"wave": Sound(self.sample_rate, encoder.full_scale)}

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return the recording to listen to, and what else is known of it than its text."""
        values = super().shown(answer, examples, encoder)
        values.pop("text", None)
        return {**values, "wave": Sound(self.sample_rate).shown(values["wave"])} if values else {}

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell recordings apart by: their length, and what else is known of them."""
        columns = super().slices(splits, encoder)
        columns.pop("full_scale", None)
        return {"seconds of wave": columns.pop("length of wave") / self.sample_rate, **columns}

    def portable(self, model: keras.Model, encoder: TranscriptEncoder) -> Portable:
        """Return the graph from waves to scores of frames, with what its loader searches by."""
        from apps.speech.transcription.export import portable_recogniser

        def raw(examples: Examples) -> list[np.ndarray]:
            waves = examples.ragged("wave")
            return [waves[row] for row in range(len(waves))]

        decoder = self.decoder(model, encoder)
        return portable_recogniser(
            model,
            self.loader,
            {
                **encoder.model_dump(),
                **self.loaded(model),
                **self.model_dump(include={"sample_rate", "beams", "language_weight", "unit_bonus"}),
                "window": self.window,
                "hop": self.hop,
                "stages": self.stages,
                "bucket": self.bucket,
                "batch_size": AT_ONCE,
                "frame_seconds": self.stride * HOP_SECONDS,
            },
            raw=raw,
            score=lambda inputs: self.log_probabilities(model, encoder, self.waves(encoder, inputs)),
            figures=lambda score, examples: self.figures_of(decoder, examples, score(raw(examples))),
            requires=("soundfile", "soxr"),
        )

    def baseline(
        self, encoder: TranscriptEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of the text of the most similar training recording, and of the most frequent."""
        from apps.speech.transcription.rivals import frequent_text, nearest_texts

        rivals = {
            "nearest training recording, warped in time": nearest_texts(splits, self.sample_rate),
            "the most frequent training transcript": frequent_text(splits),
        }
        return {name: _judged(splits.test, texts, written_by(name, write)) for name, texts in rivals.items()}


def _judged(examples: Examples, texts: Sequence[str], write: Write | None) -> Figures:
    rows = [
        {"row": row, "true": [true], "predicted": said}
        for row, (true, said) in enumerate(zip(examples["text"].tolist(), texts, strict=True))
    ]
    for row in rows:
        if write:
            write(row)
    return Transcripts.from_rows(rows).statistics(np.arange(len(rows)))
