"""Synthesis: words spoken by a voice that was learnt from recordings of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from apps.speech.voice.coding import Coding
from apps.speech.voice.encoder import SpeakingOptions, VoiceEncoder
from apps.speech.voice.frames import Framing
from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write, written_by
from core.answers.sounds import SpokenSounds
from core.inputs import Input, Text
from core.shown import Sound
from core.task.contract import Ability, Encoder, Options, Task

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.speech.voice.crops import Recordings
    from core.data.examples import Examples, Ragged, Splits
    from core.data.feed import Feed

COPY = "copy_"  # begins the figures of true frames made into sound


class Synthesis(Task):
    """Says words of a closed vocabulary with the voice of one speaker, who recorded each some times.

    A small net predicts frames, log-mel spectra with pitch, from a word and places in it, and a WaveNet (van
    den Oord et al., 2016) makes sound from them, sample by sample at constant cost.

    Example:

    ```
    quartet train speech/synthesis data=recordings.zip names={label}_{speaker}_{take} \\
        only='{speaker: [jackson]}' test_when='{take: [0, 1, 2, 3, 4]}'
    quartet predict runs/synthesis "seven three" --to sounds
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = VoiceEncoder
    content: ClassVar[tuple[str, ...]] = ("wave",)
    label: ClassVar[str | None] = "label"
    sample_licence: ClassVar[str | None] = "GPL 3 or later (spoken by eSpeak NG)"
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example="one", rows=2)}
    gives: ClassVar[type[Answers] | None] = SpokenSounds
    figures: ClassVar[Mapping[str, Direction]] = {
        **SpokenSounds.figures,
        f"{COPY}mel_cepstral_distortion": "min",
        f"{COPY}f0_error": "min",
        f"{COPY}voicing_error": "min",
    }
    abilities: ClassVar[frozenset[Ability]] = frozenset({"stream"})
    options: ClassVar[type[Options]] = SpeakingOptions

    names: str | None = Field(
        None,
        description="what file names say, such as {label}_{speaker}_{take}, each of which becomes a column",
    )
    only: dict[str, list[str]] = Field(
        {},
        description="the voice: learn and judge by the recordings with these values in these columns alone",
    )
    full_scale: float | None = Field(
        None,
        gt=0,
        description="of recordings with floats for samples; by default learnt from the training part",
    )
    test_when: dict[str, list[str]] = Field(
        {}, description="test part: the recordings with one of these values in each of these columns"
    )
    sample_rate: int = Field(8000, ge=4000, le=24000, description="samples a second of the voice")
    num_mels: int = Field(32, ge=8, le=80, description="bands of the spectra that sound is made from")
    num_levels: int = Field(256, ge=16, le=1024, description="of a sample, by the mu-law")
    emphasis: float = Field(
        0.85, ge=0, lt=1, description="of high frequencies before the mu-law, taken back behind it"
    )
    width: int = Field(32, ge=4, le=256, description="channels of the net over samples")
    depth: int = Field(2, ge=1, le=6, description="how often the dilations are gone through")
    dilations: int = Field(8, ge=1, le=12, description="of which each doubles the one before, from 1")
    periods: bool = Field(
        True,
        description="show the net the samples one period of the pitch before, so that voices don't croak",
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="of the net that predicts frames")
    crop: int = Field(30, ge=4, le=400, description="frames of 10 ms that are learnt from at once")
    predicted: float = Field(
        0.3, ge=0, le=1, description="share of crops whose sound is learnt from predicted frames"
    )
    temperature: float = Field(0.8, ge=0.1, le=1.5, description="of the samples that are drawn")
    recogniser: str | None = Field(
        None, description="run of speech/commands that names the words of what is said, to judge it"
    )

    @property
    def framing(self) -> Framing:
        """How frames are cut."""
        return Framing(self.sample_rate, self.num_mels)

    @property
    def coding(self) -> Coding:
        """How samples become levels."""
        return Coding(self.num_levels, self.emphasis)

    def load(self) -> Splits:
        """Return the recordings of the voice in their parts."""
        from apps.speech.dividing import chosen_where, divided_where
        from apps.speech.recordings import read_source
        from core.data.samples import spoken_words

        if self.data == "sample":
            parts: Mapping[str, Examples] = {"train": spoken_words(self.sample_rate)}
            notes: tuple[str, ...] = ()
        else:
            parts, notes = read_source(
                self.data,
                self.sample_rate,
                names=self.names,
                full_scale=self.full_scale,
                skip_bad=self.skip_bad,
            )
        if self.only:
            parts = {part: chosen_where(examples, self.only) for part, examples in parts.items()}
        if self.test_when:
            return divided_where(self, parts, self.test_when, notes)
        return self.divided(parts, notes)

    def left_out(self, splits: Splits, encoder: VoiceEncoder) -> Sequence[str]:
        """Return a note where several people speak, whose voices would be mixed."""
        if "speaker" not in splits.train or len(speakers := np.unique(splits.train["speaker"])) == 1:
            return ()
        return (f"{len(speakers)} speakers become one voice: only={{speaker: [{speakers[0]}]}} learns one",)

    def encode(self, train: Examples) -> VoiceEncoder:
        """Return the words, a reference of each, and the normalisation of frames."""
        together = np.concatenate(self._frames(train.ragged("wave"))).astype(np.float64)
        deviations = np.maximum(together.std(axis=0), 1e-2)
        deviations[-1] = 0.5  # of voice, which is 0 or 1
        return self._encoded(train, together.mean(axis=0).tolist(), deviations.tolist())

    def encode_from(self, train: Examples, source: VoiceEncoder) -> VoiceEncoder:
        """Return what `encode` does, with frames normalised as the weights know them."""
        return self._encoded(train, source.means, source.deviations)

    def _encoded(self, train: Examples, means: list[float], deviations: list[float]) -> VoiceEncoder:
        from apps.speech.voice.references import packed, reference_of
        from core.data.audio import full_scale_of

        words, of_words = np.unique(train["label"].tolist(), return_inverse=True)
        encoder = VoiceEncoder(
            words=words.tolist(),
            references=[],
            means=means,
            deviations=deviations,
            full_scale=full_scale_of(train),
        )
        frames = [encoder.normalised(each) for each in self._frames(train.ragged("wave"))]
        references = [
            packed(reference_of([frames[row] for row in np.flatnonzero(of_words == word)]))
            for word in range(len(words))
        ]
        return encoder.model_copy(update={"references": references})

    def _frames(self, waves: Ragged) -> list[np.ndarray]:
        return [self.framing.frames(waves[row]) for row in range(len(waves))]

    def _recordings(self, examples: Examples, encoder: VoiceEncoder) -> Recordings:
        """Return recordings as they are learnt from, with their places in the references of their words."""
        from apps.speech.voice.crops import Recordings
        from apps.speech.voice.references import positions

        waves = examples.ragged("wave")
        words = np.array([encoder.number_of(str(word), examples.source) for word in examples["label"]])
        measured = self._frames(waves)
        frames = [encoder.normalised(each) for each in measured]
        return Recordings.joined(
            words,
            [waves[row] for row in range(len(waves))],
            [
                positions(each, encoder.frames_of_words[word])
                for each, word in zip(frames, words, strict=True)
            ],
            frames,
            [self.framing.lags(each) for each in measured],
            encoder.normalised(self.framing.silence()),
            self.crop,
            self.framing.hop,
            self.coding,
        )

    def _rows(self, examples: Examples) -> np.ndarray:
        """Return recordings, each as often as crops fit into it."""
        num_frames = -(-examples.ragged("wave").lengths // self.framing.hop)
        return np.repeat(np.arange(len(examples)), -(-num_frames // self.crop)).astype(np.int32)

    def count(self, examples: Examples, encoder: VoiceEncoder) -> int:
        """Return how many crops an epoch has."""
        return len(self._rows(examples))

    def batches(self, examples: Examples, encoder: VoiceEncoder, feed: Feed) -> tf.data.Dataset:
        """Return batches of crops, which begin anywhere while training and side by side otherwise."""
        from apps.speech.voice.crops import cut, drawn_anew

        rows = self._rows(examples)
        nth = np.arange(len(rows)) - np.searchsorted(rows, rows)
        last = np.bincount(rows)[rows] - 1
        x = {
            "row": rows,
            "share": (nth / np.maximum(last, 1)).astype(np.float32),
            "predicts": np.zeros(len(rows), np.float32),
        }
        made = feed.batches(x, transform=drawn_anew(self.predicted))
        return made.map(cut(self._recordings(examples, encoder), self.crop), num_parallel_calls=2)

    def build(self, encoder: VoiceEncoder) -> keras.Model:
        """Return the net that predicts frames and the net that makes sound from them, as one model."""
        from apps.speech.voice.nets import speaking_model

        return speaking_model(
            len(encoder.words),
            self.framing.num_features,
            self.num_mels,
            num_levels=self.num_levels,
            hop=self.framing.hop,
            width=self.width,
            dilations=[2**power for power in range(self.dilations)] * self.depth,
            dropout=self.dropout,
            longest_lag=self.framing.longest_lag if self.periods else 0,
        )

    def frames_of(
        self, model: keras.Model, encoder: VoiceEncoder, word: str, options: SpeakingOptions
    ) -> np.ndarray:
        """Return the normalised frames that are predicted of a word, float32."""
        from apps.speech.voice.predicting import predicted_frames

        frames = predicted_frames(model, encoder, word, options.speed)
        frames[:, -2] += options.semitones / 12 / encoder.deviations[-2]
        return frames

    def waves_of(
        self,
        model: keras.Model,
        encoder: VoiceEncoder,
        frames: np.ndarray,
        random: np.random.Generator,
        options: SpeakingOptions,
    ) -> np.ndarray:
        """Return the sound of normalised frames, int16."""
        from apps.speech.voice.generation import generated

        temperature = options.temperature or self.temperature
        lags = self.framing.lags(encoder.as_measured(frames))
        pieces = generated(model, frames, lags, random, temperature)
        return self.coding.wave(np.concatenate(list(pieces)))

    def stream(
        self, model: keras.Model, encoder: VoiceEncoder, value: Any, options: Any = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the sound of a text, one word longer each time."""
        from apps.speech.voice.words import read

        asked = options or SpeakingOptions()
        words = read(value, encoder.words)
        pause = np.zeros(round(asked.pause * self.sample_rate), np.int16)
        said: list[np.ndarray] = []
        for number, word in enumerate(words):
            frames = self.frames_of(model, encoder, word, asked)
            random = np.random.default_rng([asked.seed, number])
            said += [pause, self.waves_of(model, encoder, frames, random, asked)]
            wave = np.concatenate(said[1:])
            yield {"sound": Sound(wave, self.sample_rate), "said": " ".join(words[: number + 1])}

    def predict(
        self, model: keras.Model, encoder: VoiceEncoder, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        """Return the sound of each text, and the words that are said in it."""
        from apps.speech.voice.words import read

        for value in inputs:
            read(value, encoder.words)  # before any of them costs time
        return [list(self.stream(model, encoder, value, options))[-1] for value in inputs]

    def evaluate(
        self, model: keras.Model, encoder: VoiceEncoder, examples: Examples, write: Write | None = None
    ) -> Figures:
        """Return how like the recordings the same words are, and the copies made from their true frames."""
        from apps.speech.voice.judging import Judge

        asked, judge = SpeakingOptions(), Judge(self.sample_rate, self.recogniser)
        words, recordings = _words_and_waves(examples)
        for word in words:
            encoder.number_of(word, examples.source)
        said: list[np.ndarray] = []
        copies: list[np.ndarray] = []
        for row, (word, wave) in enumerate(zip(words, recordings, strict=True)):
            true = encoder.normalised(self.framing.frames(wave))
            for sounds, frames in ((said, self.frames_of(model, encoder, word, asked)), (copies, true)):
                sounds.append(self.waves_of(model, encoder, frames, np.random.default_rng([0, row]), asked))
        copied = judge.judged(words, copies, recordings)
        figures = judge.judged(words, said, recordings, write)
        return {**figures, **{f"{COPY}{name}": value for name, value in copied.items()}}

    def baseline(
        self, encoder: VoiceEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of recorded words, played again, and of true frames by Griffin-Lim."""
        from apps.speech.voice.judging import Judge
        from apps.speech.voice.rivals import recorded_words

        judge = Judge(self.sample_rate, self.recogniser)
        words, recordings = _words_and_waves(splits.test)
        rivals = {
            "a recorded take of the word": recorded_words(splits.train, words, encoder, self.framing),
            "Griffin-Lim, true frames": [
                self.framing.griffin_lim(self.framing.frames(wave))[: len(wave)] for wave in recordings
            ],
        }
        return {
            name: judge.judged(words, sounds, recordings, written_by(name, write))
            for name, sounds in rivals.items()
        }

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return what is known of the true recording, which stands beside the answer already."""
        values = super().shown(answer, examples, encoder)
        return {name: value for name, value in values.items() if name not in ("wave", "full_scale")}

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell sounds apart by: the words, and what else is known of the recordings."""
        columns = super().slices(splits, encoder)
        columns.pop("full_scale", None)
        seconds = columns.pop("length of wave") / self.sample_rate
        return {"seconds of the recording": seconds, "word": splits.test["label"], **columns}

    def inputs(self, encoder: VoiceEncoder) -> dict[str, Input]:
        """Return a text, with words of the voice as examples."""
        return {"text": Text(example=" ".join(encoder.words[:2]), short=encoder.words[0], rows=2)}


def _words_and_waves(examples: Examples) -> tuple[list[str], list[np.ndarray]]:
    waves = examples.ragged("wave")
    return [str(word) for word in examples["label"]], [waves[row] for row in range(len(waves))]
