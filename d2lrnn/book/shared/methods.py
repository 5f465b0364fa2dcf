"""Functions that call a method of a tensor, for frameworks whose tensors have this method."""


def method(name):
    """Return a function that calls the method of this name of its first argument, a tensor."""

    def call(x, *args, **kwargs):
        return getattr(x, name)(*args, **kwargs)

    call.__doc__ = f"Return ``x.{name}(*args, **kwargs)``, see the framework's documentation of it."
    return call


reshape, swapaxes, repeat = method("reshape"), method("swapaxes"), method("repeat")
reduce_sum, reduce_mean, argmax = method("sum"), method("mean"), method("argmax")
