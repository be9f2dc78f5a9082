"""Texts in another language than what they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from core.answers.texts.texts import Texts

if TYPE_CHECKING:
    from core.answers.calibration import Calibration


class Translations(Texts):
    """Translations beside those of people; scripts without blanks are counted character by character.

    Example:

    >>> row = {"source": "un chat", "true": ["a cat on the mat"], "predicted": "a cat on the"}
    >>> Translations.from_rows([row]).length_ratio
    0.8
    """

    kind: ClassVar[str] = "translations"
    mistakes_title: ClassVar[str] = "The worst translations"

    @property
    def length_ratio(self) -> float:
        """Tokens of the translations for each token of the references, of several the closest in length."""
        said, written = self._counts["bleu"][:, :2].sum(axis=0)
        return float(said / max(written, 1.0))

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        return {**super().details(calibration), "length_ratio": self.length_ratio}
