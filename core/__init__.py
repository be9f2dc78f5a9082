"""The work all applications share: settings, data, training, evaluation, losses, metrics, callbacks."""
