"""What tasks share that learn from plain texts: where these stand, and how few of them are divided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from core.task.contract import Task

if TYPE_CHECKING:
    from core.data.examples import Splits


class PlainTexts(Task):
    """Learns from texts as they are, without labels: files, folders, columns of tables, or the sample."""

    content: ClassVar[tuple[str, ...]] = ("text",)
    sample_licence: ClassVar[str | None] = "public domain outside of the United Kingdom (King James version)"

    validation: float = Field(
        0.05, ge=0, lt=1, description="share that becomes the validation part, where the source names none"
    )
    test: float = Field(
        0.1, gt=0, lt=1, description="share that becomes the test part, where the source names none"
    )
    text_column: str = Field("text", description="of tables: the column of the texts")

    def load(self) -> Splits:
        """Return the texts in their parts; of few texts, the ends of each are validation and test."""
        from apps.nlp.corpus.reading import FEW, cleaned_examples, ends_of_texts, read_parts
        from core.data.samples import king_james
        from core.data.sources import PREFIX, read_tfds

        notes: Sequence[str] = ()
        if self.data == "sample":
            parts = {"train": king_james()}
        elif self.data.startswith(PREFIX):
            read = read_tfds(self.data, {"text": (self.text_column, "text", "sentence", "document")})
            parts = {name: cleaned_examples(part) for name, part in read.items()}
        else:
            parts, notes = read_parts(self.data, self.text_column, skip_bad=self.skip_bad)
        if len(parts["train"]) >= FEW or self.split_group or self.split_time:
            return self.divided(parts, notes)
        shares = {"validation": self.validation, "test": self.test}
        return ends_of_texts(parts, self.content, **shares, notes=notes)
