//! From gradient to request: train, compress, balance and serve models in one language and one process
