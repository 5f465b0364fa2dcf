"""From a minibatch to scores, a loss and an update; names no framework."""
