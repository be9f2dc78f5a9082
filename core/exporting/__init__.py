"""From a run to files that other programs use: SavedModel, ONNX and LiteRT, checked, sized and timed."""
