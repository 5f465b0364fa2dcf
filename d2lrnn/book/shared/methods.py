"""Methods of tensors as functions, for frameworks whose tensors have them under these names."""


def reshape(x, *args, **kwargs):
    """Return a tensor in another shape."""
    return x.reshape(*args, **kwargs)


def reduce_sum(x, *args, **kwargs):
    """Return the sum of all elements, or the sums along an axis."""
    return x.sum(*args, **kwargs)


def reduce_mean(x, *args, **kwargs):
    """Return the mean of all elements, or the means along an axis."""
    return x.mean(*args, **kwargs)


def argmax(x, *args, **kwargs):
    """Return the index of the largest element, or the indices along an axis."""
    return x.argmax(*args, **kwargs)


def swapaxes(x, *args, **kwargs):
    """Return a tensor with two axes exchanged."""
    return x.swapaxes(*args, **kwargs)


def repeat(x, *args, **kwargs):
    """Return a tensor with its content repeated, as the framework's ``repeat`` does."""
    return x.repeat(*args, **kwargs)
