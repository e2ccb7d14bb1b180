"""JAX with one compiled scan an epoch: `jax_dense.py FOLDER`."""

import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
import optax

import peer

work = peer.load(sys.argv[1])
optimizer = optax.adam(1e-3, eps=1e-7)


def loss_of(parameters, x, y):
    for index in range(0, len(parameters), 2):
        x = x @ parameters[index] + parameters[index + 1]
        if index + 2 < len(parameters):
            x = jax.nn.relu(x)
    if work.classifies:
        return optax.softmax_cross_entropy_with_integer_labels(x, y).mean()
    return jnp.mean((x - y) ** 2)


def step(carry, order):
    parameters, state = carry
    whole = not work.shuffled and work.batch == work.rows
    x, y = (xs, ys) if whole else (xs[order], ys[order])
    loss, gradient = jax.value_and_grad(loss_of)(parameters, x, y)
    updates, state = optimizer.update(gradient, state)
    return (optax.apply_updates(parameters, updates), state), loss


@jax.jit
def epoch(carry, full, rest):
    carry, losses = jax.lax.scan(step, carry, full)
    total = losses.sum() * work.batch
    if rest.size:
        carry, loss = step(carry, rest)
        total += loss * rest.size
    return carry, total / work.rows


xs, ys = jnp.asarray(work.x), jnp.asarray(work.y)
generator = np.random.default_rng(7)


def train():
    parameters = [jnp.asarray(w) for w in work.weights]
    carry = (parameters, optimizer.init(parameters))
    for _ in range(work.epochs):
        order = generator.permutation(work.rows) if work.shuffled else np.arange(work.rows)
        order = order.astype(np.int32)
        whole = work.rows // work.batch * work.batch
        carry, loss = epoch(carry, order[:whole].reshape(-1, work.batch), order[whole:])
    return jax.block_until_ready(loss)


peer.serve(train, f"jax {jax.__version__}, optax {optax.__version__}")
