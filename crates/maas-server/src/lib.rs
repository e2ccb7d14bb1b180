//! The Open Inference Protocol over REST for any service
