//! Tables and arrays into data sets: CSV, seeded shuffles, splits, statistics
