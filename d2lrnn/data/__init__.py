"""Read texts and data sets, and convert them to ids and minibatches, in NumPy."""
