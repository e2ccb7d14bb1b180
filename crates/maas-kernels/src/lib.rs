//! Numeric kernels with the same bits on every instruction set, thread count and batch: products, reductions, activations, optimiser passes
