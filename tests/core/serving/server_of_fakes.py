"""A program that serves a fake run until it is told to stop: its folder and its port are its arguments."""

import sys

from core.run import Run
from core.serving.server import serve
from core.serving.settings import ServerSettings

if __name__ == "__main__":
    Run.model = None  # the fakes have none, and importing Keras takes long
    serve([sys.argv[1]], port=int(sys.argv[2]), settings=ServerSettings(drain_seconds=0.3))
