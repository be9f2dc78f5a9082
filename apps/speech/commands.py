"""Spoken commands: which of some words a short recording holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from apps.speech.front_end import SPECTROGRAM, FrontEnd, exportable
from core.answers.classes.figures import figures_of
from core.answers.rows import Figures, Write, written_by
from core.inputs import Input, Sound
from core.task.classification import Classification, LabelEncoder, labels_of
from core.task.contract import Ability, Encoder
from core.task.tables import FromTables

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
    from matplotlib.figure import Figure

    from core.data.audio import SpokenColumns
    from core.data.examples import Examples, Splits
    from core.task.explanation import Anatomy, Part
    from core.task.portable import Portable

BANDS = ("lowest quarter", "low quarter", "high quarter", "highest quarter")


class CommandsEncoder(LabelEncoder):
    """The words, and how loud recordings are at most."""

    full_scale: float = Field(1.0, gt=0, description="of recordings with floats for samples")


class Commands(FrontEnd, FromTables, Classification):
    """Names the word that is spoken in a recording, out of the words it was trained on.

    Every recording is heard through a window of fixed length: a shorter one stands in its middle, and of a
    longer one the loudest stretch is heard. The sample is split by voice, if nothing else is asked for.

    Example:

    ```
    quartet train speech/commands data=recordings.zip \\
        names={label}_{speaker}_{take} test_when='{take: [0, 1, 2, 3, 4]}'
    ```
    """

    encoder_class: ClassVar[type[Encoder]] = CommandsEncoder
    content: ClassVar[tuple[str, ...]] = ("wave",)
    sample_licence: ClassVar[str | None] = "GPL 3 or later (spoken by eSpeak NG)"
    takes: ClassVar[Mapping[str, Input]] = {"wave": Sound()}
    abilities: ClassVar[frozenset[Ability]] = frozenset({"explain", "export", "calibrate"})

    names: str | None = Field(
        None,
        description="what file names say, such as {label}_{speaker}_{take}, each of which becomes a column; "
        "{label=turn_on|turn_off} lists values",
    )
    audio_column: str | None = Field(
        None, description="of a manifest: the files of recordings; by default found by usual names"
    )
    label_column: str | None = Field(None, description="of a manifest: what they hold, likewise")
    full_scale: float | None = Field(
        None,
        gt=0,
        description="of recordings with floats for samples; by default learnt from the training part",
    )
    test_when: dict[str, list[str]] = Field(
        {}, description="test part: the recordings with one of these values in each of these columns"
    )
    seconds: float = Field(1.0, ge=0.1, le=60, description="length of the window over each recording")
    net: Literal["convolutional", "recurrent"] = Field(
        "convolutional", description="what reads the spectrogram"
    )
    width: int = Field(16, ge=1, le=512, description="channels of the net's first stage")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of units dropped")

    @property
    def num_samples(self) -> int:
        """The length of the window in samples."""
        return round(self.seconds * self.sample_rate)

    @property
    def columns(self) -> SpokenColumns:
        """What a manifest calls its columns."""
        from core.data.audio import SpokenColumns

        return SpokenColumns(self.audio_column, self.label_column, self.form)

    def load(self) -> Splits:
        """Return the recordings in their parts."""
        from apps.speech.dividing import divided_where
        from apps.speech.recordings import read_source

        parts, notes = read_source(
            self.data,
            self.sample_rate,
            names=self.names,
            full_scale=self.full_scale,
            skip_bad=self.skip_bad,
            columns=self.columns,
        )
        if self.test_when:
            return divided_where(self, parts, self.test_when, notes)
        if self.data == "sample" and not (self.split_group or self.split_time):
            return self.model_copy(update={"split_group": "speaker"}).divided(parts, notes)
        return self.divided(parts, notes)

    def encode(self, train: Examples) -> CommandsEncoder:
        """Return the words, and the full scale of recordings."""
        from core.data.audio import full_scale_of

        return CommandsEncoder(labels=labels_of(train), full_scale=full_scale_of(train))

    def features(self, examples: Examples, encoder: CommandsEncoder) -> np.ndarray:
        """Return what is heard of each wave, int16, shape `(num_examples, num_samples)`."""
        from core.data.audio import decoded
        from core.data.larger_than_memory import allocated
        from core.data.sound import in_window

        if "wave" in examples:
            waves = examples.ragged("wave")
        else:
            files = [Path(path) for path in examples["path"]]
            waves, _ = decoded(files, self.sample_rate, full_scale=encoder.full_scale)
        windows = allocated((len(waves), self.num_samples), np.int16)
        for row, window in enumerate(windows):
            window[:] = in_window(waves[row], self.num_samples)
        return windows

    def prepare(self, x: tf.Tensor) -> tf.Tensor:
        """Return windows as float32, full scale at 1."""
        import tensorflow as tf

        return tf.cast(x, tf.float32) / 32768.0

    def read(self, inputs: list[Any]) -> Examples:
        """Return the paths of sound files, of any rate and number of channels, or waves as examples."""
        from core.data.examples import Examples, Ragged

        if all(isinstance(wave, np.ndarray) for wave in inputs):
            return Examples({"wave": Ragged.from_rows(inputs, np.int16)}, "the inputs")
        return Examples({"path": [str(path) for path in inputs]}, "the inputs")

    def shown(self, answer: Mapping[str, Any], examples: Examples | None, encoder: Any) -> dict[str, Any]:
        """Return the recording to listen to, and what else is known of it."""
        values = super().shown(answer, examples, encoder)
        return {**values, "wave": Sound(self.sample_rate).shown(values["wave"])} if values else {}

    def slices(self, splits: Splits, encoder: Any) -> dict[str, np.ndarray]:
        """Return what reports tell recordings apart by: their length, and what else is known of them."""
        columns = super().slices(splits, encoder)
        columns.pop("full_scale", None)
        return {"seconds of wave": columns.pop("length of wave") / self.sample_rate, **columns}

    def inputs(self, encoder: CommandsEncoder) -> dict[str, Input]:
        """Return sounds at the task's own rate."""
        return {"wave": Sound(self.sample_rate, encoder.full_scale)}

    def build(self, encoder: CommandsEncoder) -> keras.Model:
        """Return the model from waves to logits."""
        import keras

        from apps.speech.nets import NETS

        waves = keras.Input((self.num_samples,), name="wave")
        heard = NETS[self.net](self.spectrogram(waves), self.width, self.dropout)
        heard = keras.layers.Dropout(self.dropout)(heard)
        logits = keras.layers.Dense(len(encoder.labels), dtype="float32", name="logits")(heard)
        return keras.Model(waves, logits, name="commands")

    def anatomy(self, model: keras.Model, encoder: CommandsEncoder, value: Any) -> Anatomy:
        """Return stretches of time in bands of pitch, by the log-mel spectrogram."""
        from core.task.explanation import Anatomy, grid

        seconds = self.num_samples / self.sample_rate

        def parts(frames: np.ndarray) -> tuple[list[str], np.ndarray]:
            cells = grid(frames.shape, (max(round(10 * seconds), 1), len(BANDS)))
            masks = np.zeros((len(cells), *frames.shape), bool)
            for mask, cell in zip(masks, cells, strict=True):
                mask[cell] = True
            second = seconds / len(frames)
            return [
                f"{time.start * second:.2f} to {time.stop * second:.2f} s, {BANDS[place % len(BANDS)]}"
                for place, (time, _) in enumerate(cells)
            ], masks

        def draw(figure: Figure, frames: np.ndarray, adds: np.ndarray, cells: Sequence[Part]) -> None:
            figure.set_size_inches(7, 5)
            heard, added = figure.subplots(2, 1, sharex=True)
            place = {"origin": "lower", "aspect": "auto", "extent": (0, seconds, 0, frames.shape[1])}
            heard.imshow(frames.T, cmap="gray_r", **place)
            heard.set_title("what it heard")
            most = np.abs(adds).max() or 1.0
            drawn = added.imshow(adds.T, cmap="PuOr_r", vmin=-most, vmax=most, **place)
            added.set_title("what each point adds")
            added.set_xlabel("seconds")
            for panel in (heard, added):
                panel.set_ylabel("mel band")
            figure.colorbar(drawn, ax=added, label="log-odds of the label")

        return Anatomy(SPECTROGRAM, parts, draw)

    def portable(self, model: keras.Model, encoder: CommandsEncoder) -> Portable:
        """Return the graph from windows over waves to probabilities."""
        import tensorflow as tf

        from core.exporting.classification import portable_classification

        return portable_classification(
            self,
            model,
            encoder,
            signature=[tf.TensorSpec([None, self.num_samples], tf.int16, name="waves")],
            loader="apps.speech.loader",
            settings={
                "sample_rate": self.sample_rate,
                "num_samples": self.num_samples,
                "full_scale": encoder.full_scale,
            },
            apply=exportable(model),
            exact=(SPECTROGRAM,),
            requires=("soundfile", "soxr"),
        )

    def baseline(
        self, encoder: CommandsEncoder, splits: Splits, write: Write | None = None
    ) -> dict[str, Figures]:
        """Return the figures of a logistic regression on the mean log spectrum of each recording."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        rival = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        train, test = splits.train, splits.test
        rival.fit(self._mean_spectra(train, encoder), encoder.ids(train["label"], train.source))
        answers = rival.predict_proba(self._mean_spectra(test, encoder))
        name, targets = "logistic regression, mean log spectrum", encoder.ids(test["label"], test.source)
        return {name: figures_of(targets, answers, encoder.labels, written_by(name, write))}

    def _mean_spectra(self, examples: Examples, encoder: CommandsEncoder) -> np.ndarray:
        """Return the mean log-mel spectrum of the frames that hold sound, `(num_examples, num_mels)`."""
        import keras

        from core.data.feed import Feed
        from core.layers import LogMelSpectrogram

        listen = LogMelSpectrogram(self.sample_rate, self.num_mels, decibels=self.decibels)
        means = []
        for batch in self.batches(examples, encoder, Feed(256)):
            frames = keras.ops.convert_to_numpy(listen(batch[0]))
            sound = np.sum(frames.max(axis=2) > 0, axis=1, keepdims=True)
            means.append(frames.sum(axis=1) / np.maximum(sound, 1))
        return np.concatenate(means)
