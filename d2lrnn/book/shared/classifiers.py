"""The models of the first chapters that contain their parameters (sections 3.4 and 4.3)."""

from __future__ import annotations

import sys
from typing import Any

from .basics import squared_loss
from .design import Module
from .operations import cross_entropy, random_input

d2l = sys.modules[__package__]


class LinearRegressionScratch(Module):
    """Linear regression from scratch (section 3.4)."""

    w: Any
    b: Any

    def forward(self, X: Any) -> Any:
        """Return X w + b."""
        return d2l.matmul(X, self.w) + self.b

    def loss(self, y_hat: Any, y: Any) -> Any:
        """Return the mean of half the squared errors."""
        return d2l.reduce_mean(squared_loss(y_hat, y))


class Classifier(Module):
    """The base class of models that choose one of several classes (section 4.3)."""

    def validation_step(self, batch: Any) -> None:
        """Plot the loss and the accuracy of a validation minibatch (inputs..., targets)."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    def accuracy(self, Y_hat: Any, Y: Any, averaged: bool = True) -> Any:
        """Return the share of rows whose largest output is the target's, or each row's 0 or 1."""
        rows = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        chosen = d2l.astype(d2l.argmax(rows, axis=1), Y.dtype)
        right = d2l.astype(chosen == d2l.reshape(Y, -1), d2l.float32)
        return d2l.reduce_mean(right) if averaged else right

    def loss(self, Y_hat: Any, Y: Any, averaged: bool = True) -> Any:
        """Return the mean cross-entropy of outputs (..., q) for targets (...), or each row's."""
        rows = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        return cross_entropy(rows, d2l.reshape(Y, (-1,)), averaged)

    def layer_summary(self, X_shape: tuple[int, ...]) -> None:
        """Print the shapes of the outputs of the layers of ``net`` for an input of a shape."""
        X = random_input(X_shape)
        layers: Any = getattr(self.net, "layers", self.net)
        for layer in layers:
            X = layer(X)
            print(f"{type(layer).__name__} output shape:\t", X.shape)
