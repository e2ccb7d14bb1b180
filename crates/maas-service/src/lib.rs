//! One trait for every inference service: requests, responses, errors, local models, balanced replicas
