//! Gradient descent: optimisers as chains of small transformations, a trainer with epochs, metrics, progress and history
