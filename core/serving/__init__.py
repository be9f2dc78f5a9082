"""Serving: finished runs over HTTP, with a page to try them."""

from core.errors import UserError

try:
    import fastapi  # noqa: F401
    import jinja2  # noqa: F401
    import prometheus_client  # noqa: F401
    import python_multipart  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError as error:
    raise UserError(
        f'Serving needs more packages: pip install "keras-quartet[serve]". Received: {error}.'
    ) from None
