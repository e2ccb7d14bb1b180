//! What became of requests.

use std::time::Duration;

use super::proto::{InferBatchStatistics, InferStatistics, ModelStatistics, StatisticDuration};
use crate::hub::Read;

pub(super) fn of_version(model: &str, version: &str, read: &Read) -> ModelStatistics {
    let batches = read.batches.iter().map(|of_size| InferBatchStatistics {
        batch_size: of_size.rows as u64,
        compute_input: Some(StatisticDuration::default()),
        compute_infer: duration((of_size.batches, of_size.compute)),
        compute_output: Some(StatisticDuration::default()),
    });
    ModelStatistics {
        name: model.to_owned(),
        version: version.to_owned(),
        last_inference: read.last,
        inference_count: read.rows,
        execution_count: read.executions(),
        inference_stats: Some(InferStatistics {
            success: duration(read.succeeded()),
            fail: duration(read.failed()),
            queue: duration((read.queue.count(), read.queue.sum)),
            compute_input: Some(StatisticDuration::default()),
            compute_infer: duration((read.compute.count(), read.compute.sum)),
            compute_output: Some(StatisticDuration::default()),
            cache_hit: Some(StatisticDuration::default()),
            cache_miss: Some(StatisticDuration::default()),
        }),
        batch_stats: batches.collect(),
        ..ModelStatistics::default()
    }
}

fn duration((count, sum): (u64, Duration)) -> Option<StatisticDuration> {
    let ns = u64::try_from(sum.as_nanos()).unwrap_or(u64::MAX);
    Some(StatisticDuration { count, ns })
}
