"""scikit-learn's multilayer perceptron: `sklearn_dense.py FOLDER`."""

import sys
import warnings

import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

import peer

work = peer.load(sys.argv[1])
warnings.simplefilter("ignore", ConvergenceWarning)
kind = MLPClassifier if work.classifies else MLPRegressor
y = work.y if work.classifies else work.y.ravel()


def train():
    network = kind(
        hidden_layer_sizes=work.widths[1:-1],
        alpha=0,
        batch_size=work.batch,
        max_iter=work.epochs,
        n_iter_no_change=work.epochs + 1,
        epsilon=1e-7,
        shuffle=work.shuffled,
        random_state=7,
    )
    network.fit(work.x, y)
    # Half of the squared error is what it minimises and tells.
    return network.loss_ if work.classifies else 2 * network.loss_


peer.serve(train, f"scikit-learn {sklearn.__version__}")
