"""What the code that all frameworks share needs from MXNet."""

from d2lrnn.mxnet.framework import mxnet, npx

Layer = Model = mxnet.gluon.nn.Block
Dropout = mxnet.gluon.nn.Dropout
batch_dot = npx.batch_dot
