"""The work that every application shares: settings, data, training, evaluation, losses, metrics, callbacks."""
