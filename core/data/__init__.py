"""From a source (a path, tensorflow-datasets, a sample) to examples, splits and batches."""
