"""PyTorch with the fused Adam: `torch_dense.py FOLDER eager|compile`, or `eager-bf16|compile-bf16` with autocast."""

import itertools
import sys

import torch

import peer

work = peer.load(sys.argv[1])
x, y = torch.from_numpy(work.x), torch.from_numpy(work.y)
if work.classifies:
    y = y.long()

layers = [torch.nn.Linear(rows, columns) for rows, columns in itertools.pairwise(work.widths)]
between = [module for layer in layers for module in (layer, torch.nn.ReLU())]
network = torch.nn.Sequential(*between[:-1])
criterion = torch.nn.CrossEntropyLoss() if work.classifies else torch.nn.MSELoss()


mode, _, autocast = sys.argv[2].partition("-")


def loss_of(x, y):
    return criterion(network(x), y)


if autocast == "bf16":
    loss_of = torch.autocast("cpu", torch.bfloat16)(loss_of)
if mode == "compile":
    loss_of = torch.compile(loss_of, dynamic=False)
generator = torch.Generator().manual_seed(7)


def batches():
    if work.shuffled:
        for rows in torch.randperm(work.rows, generator=generator).split(work.batch):
            yield len(rows), x[rows], y[rows]
    else:
        for xs, ys in zip(x.split(work.batch), y.split(work.batch)):
            yield len(xs), xs, ys


def train():
    with torch.no_grad():
        for layer, kernel, bias in zip(layers, work.weights[::2], work.weights[1::2]):
            layer.weight.copy_(torch.from_numpy(kernel.T))
            layer.bias.copy_(torch.from_numpy(bias))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7, fused=True)
    for _ in range(work.epochs):
        losses = []
        for rows, xs, ys in batches():
            loss = loss_of(xs, ys)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach() * rows)
        last = torch.stack(losses).sum() / work.rows
    return last


peer.serve(train, f"torch {torch.__version__}, {torch.get_num_threads()} threads")
