//! The words that training and serving share: tensors, signatures, the model trait, seeds
