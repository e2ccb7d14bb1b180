//! Who serves next: lock-free round robin, the policy trait, clocks
