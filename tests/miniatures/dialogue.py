"""The next turn of a dialogue, which depends on an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, ClassVar

import numpy as np

from core.answers.kind import Answers
from core.answers.rows import Direction
from core.answers.texts import Texts
from core.data.examples import Splits
from core.inputs.kind import Input
from core.inputs.turns import Turns
from tests.miniatures.generated import tenths
from tests.miniatures.translation import Translation

NAMES = ["ann", "bob", "cleo", "dan", "eve"]
THINGS = ["tea", "rain", "chess", "bread"]
GREETINGS = ["hello", "hi"]


class Replies(Texts):
    """What was replied to each dialogue, too short for BLEU."""

    figures: ClassVar[Mapping[str, Direction]] = {"chrf": "max", "exact_match": "max"}


class Dialogue(Translation):
    """Remembers what a user is called and likes."""

    takes: ClassVar[Mapping[str, Input]] = {"turns": Turns()}
    gives: ClassVar[type[Answers] | None] = Replies
    figures: ClassVar[Mapping[str, Direction]] = Replies.figures

    def load(self) -> Splits:
        rows = []
        for name, thing, greeting in product(NAMES, THINGS, GREETINGS):
            beginning = f"user {greeting} i am {name} and like {thing}"
            rows += [
                (f"{beginning} assistant {greeting} user who am i", f"you are {name}"),
                (f"{beginning} assistant {greeting} user what do i like", f"you like {thing}"),
                (beginning, greeting),
            ]
        order = np.random.default_rng(0).permutation(len(rows))
        sources, targets = zip(*(rows[place] for place in order), strict=True)
        return tenths({"source": sources, "target": targets})

    def source(self, value: Any) -> str:
        return " ".join(f"{turn['role']} {turn['text'].lower()}" for turn in value)
