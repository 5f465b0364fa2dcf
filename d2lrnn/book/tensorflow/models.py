"""The models of the first chapters in TensorFlow: regression and classifiers."""

import sys

from d2lrnn.book.tensorflow import classifiers
from d2lrnn.book.tensorflow.classifiers import Classifier
from d2lrnn.book.tensorflow.design import Module
from d2lrnn.book.tensorflow.framework import keras, tf

d2l = sys.modules[__package__]


class LinearRegressionScratch(classifiers.LinearRegressionScratch):
    """Linear regression from scratch (section 3.4)."""

    def __init__(self, num_inputs, lr, sigma=0.01):
        """Draw the weights (num_inputs, 1) from N(0, sigma²)."""
        super().__init__()
        self.save_hyperparameters()
        self.w = tf.Variable(tf.random.normal((num_inputs, 1), stddev=sigma))
        self.b = tf.Variable(tf.zeros(1))

    def configure_optimizers(self):
        """Return the optimizer."""
        return d2l.SGD(self.lr)


class LinearRegression(Module):
    """Linear regression with Keras' own layer (section 3.5)."""

    def __init__(self, lr):
        """Make the layer, with weights from N(0, 0.01²)."""
        super().__init__()
        self.save_hyperparameters()
        normal = keras.initializers.RandomNormal(stddev=0.01)
        self.net = keras.layers.Dense(1, kernel_initializer=normal)

    def loss(self, y_hat, y):
        """Return the mean squared error."""
        return keras.losses.MeanSquaredError()(y, y_hat)

    def configure_optimizers(self):
        """Return the optimizer."""
        return keras.optimizers.SGD(self.lr)

    def get_w_b(self):
        """Return the weights and the bias, as NumPy arrays."""
        weights, bias = self.get_weights()
        return weights, bias


class SoftmaxRegression(Classifier):
    """Softmax regression (section 4.5)."""

    def __init__(self, num_outputs, lr):
        """Make the layer, with one output for each class."""
        super().__init__()
        self.save_hyperparameters()
        self.net = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(num_outputs)])
