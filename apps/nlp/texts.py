"""What tasks that read texts share: where the texts stand, how they are cut, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.letters import Reading
from core.errors import UserError
from core.inputs import Input, Text
from core.task.classification import LabelEncoder
from core.task.contract import Task
from core.task.tables import FromTables

if TYPE_CHECKING:
    from pathlib import Path

    import tensorflow as tf

    from core.data.examples import Examples


class TextEncoder(LabelEncoder):
    """The classes, and the pieces of text that the model knows."""

    vocabulary: list[str] = Field(description="pieces of text by falling frequency; empty with a preset")
    counts: list[list[int]] = Field(
        [], description="bag: how many training texts of each class hold each id, a list a class"
    )

    max_length: int | None = Field(
        None, description="words or characters that are read of each text; runs that do not say name a number"
    )
    reading: Reading = Field("lowered", description="how letters are read; runs that do not say lower them")

    @property
    def num_ids(self) -> int:
        """How many ids a text may hold: those of the vocabulary, of padding and of unknown pieces."""
        return len(self.vocabulary) + 2

    @cached_property
    def id_table(self) -> tf.lookup.StaticHashTable:
        """The table from pieces of text to ids."""
        from core.data.text import id_table

        return id_table(self.vocabulary)


class TextTask(FromTables, Task):
    """A task whose examples are texts."""

    content: ClassVar[tuple[str, ...]] = ("text",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text()}

    text_column: str = Field(
        "text", description="column of the texts; a position from 0 in a file without header"
    )
    label_column: str = Field("label", description="column of the classes, likewise")
    split: Literal["words", "characters"] = Field(
        "words", description="characters for languages that write no blanks"
    )
    max_length: Annotated[int, Field(ge=1, le=8192)] | Literal["auto"] = Field(
        "auto",
        description="words or characters that are read of each text; auto: the whole of 95% of the training "
        "texts, bounded by what the encoder can hold",
    )
    vocabulary_size: int = Field(20_000, ge=2, description="pieces of text that are known, at most")
    min_count: int = Field(1, ge=1, description="pieces in fewer training texts are unknown")

    def inputs(self, encoder: Any) -> dict[str, Input]:
        """Return texts, which stand in tables as those of the training data did."""
        return {"text": Text(self.text_column)}

    def read_parts(self) -> tuple[dict[str, Examples], Sequence[str]]:
        """Return the texts and labels of the parts that the source names, and what was left out of them.

        Raises:
            UserError: The source is missing, or lacks a column.
        """
        from core.data.archives import unpacked
        from core.data.samples import reviews
        from core.data.sources import PREFIX, read_tfds
        from core.data.tables import existing

        if self.data == "sample":
            return {"train": reviews()}, ()
        if self.data.startswith(PREFIX):
            return read_tfds(self.data, {"text": ("text", "sentence"), "label": ("label",)}), ()
        with unpacked(existing(self.data)) as path:
            return self._read_files(path)

    def _read_files(self, path: Path) -> tuple[dict[str, Examples], Sequence[str]]:
        from core.data.class_texts import text_parts

        paths, notes = text_parts(path)
        read = {part: self._read_part(each) for part, each in paths.items()}
        notes += [note for _, notes in read.values() for note in notes]
        return {part: examples for part, (examples, _) in read.items()}, notes

    def _read_part(self, path: Path) -> tuple[Examples, Sequence[str]]:
        """Return the texts and labels of a table, of lines that labels begin, or of a folder of classes."""
        from core.data.class_texts import labels_lead, read_class_texts, read_labelled_lines
        from core.data.column_names import LABEL_NAMES, TEXT_NAMES
        from core.data.tables import read_table

        if path.is_dir():
            return read_class_texts(path, self.form)
        columns = {"text": self.text_column, "label": self.label_column}
        if (self.text_column, self.label_column) == (TEXT_NAMES[0], LABEL_NAMES[0]) and labels_lead(
            path, self.form
        ):
            return read_labelled_lines(path, self.form, skip_bad=self.skip_bad)
        usual = {"text": TEXT_NAMES, "label": LABEL_NAMES}
        return read_table(
            path, columns, skip_bad=self.skip_bad, classes=("label",), usual=usual, form=self.form
        )

    def read(self, inputs: list[Any]) -> Examples:
        """Return texts as examples."""
        from core.data.examples import Examples

        kind = Text()
        return Examples({"text": [kind.typed(str(text)) for text in inputs]}, "the inputs")

    def require_pieces(self, vocabulary: Sequence[str], num_texts: int) -> None:
        """Refuse a vocabulary without any piece of text.

        Raises:
            UserError: It is empty.
        """
        if not vocabulary:
            raise UserError(
                f"No word stands in so many of the {num_texts} training texts: lower task.min_count. "
                f"Received: {self.min_count}."
            )
