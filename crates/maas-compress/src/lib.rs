//! Weight pruning: soft thresholds, masks that survive fine-tuning, sparse files, a report that proves the gain
