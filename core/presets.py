"""What KerasHub keeps under a name: pretrained backbones, and what prepares their inputs."""

from __future__ import annotations

import re
from typing import Any

from core.errors import UserError

_UNREACHED = re.compile(r"host='([^']+)'.*(?:Max retries|Connection|NameResolution|timed out)", re.DOTALL)


def from_preset(kind: str, preset: str, **options: Any) -> Any:
    """Return what a preset of KerasHub holds.

    Args:
        kind: A class of `keras_hub.models`, such as `Backbone`.
        preset: A name that KerasHub knows, or a local preset folder.
        **options: Of the class.

    Raises:
        UserError: There is no such preset, it can't be fetched, or it holds nothing of this kind.

    Example:

    >>> from_preset("Backbone", "no_such_preset")
    Traceback (most recent call last):
    core.errors.UserError: KerasHub can't give this preset: ... Received: preset='no_such_preset'.
    """
    import keras_hub

    try:
        return getattr(keras_hub.models, kind).from_preset(preset, **options)
    except Exception as error:  # whatever a folder, a hub or a network may do
        host = _UNREACHED.search(str(error))
        if host:
            raise UserError(
                f"KerasHub can't give this preset: {host[1]} can't be reached. Without a network give the "
                f"folder of a preset that was fetched before. Received: preset={preset!r}."
            ) from None
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        # A list of all presets follows what ends in a colon.
        reason = reason.rpartition(".")[0] if reason.endswith(":") else reason.rstrip(".")
        raise UserError(f"KerasHub can't give this preset: {reason}. Received: preset={preset!r}.") from None
