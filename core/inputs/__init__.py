"""What tasks take: a file a kind of input."""

from core.inputs.choice import Choice
from core.inputs.history import History
from core.inputs.kind import Input
from core.inputs.number import Number
from core.inputs.picture import Picture
from core.inputs.position import Position
from core.inputs.ratings import Ratings
from core.inputs.row import Column, Row
from core.inputs.several import Several, joined
from core.inputs.sound import Sound
from core.inputs.text import Text
from core.inputs.turns import Turns

__all__ = [
    "Choice",
    "Column",
    "History",
    "Input",
    "Number",
    "Picture",
    "Position",
    "Ratings",
    "Row",
    "Several",
    "Sound",
    "Text",
    "Turns",
    "joined",
]
