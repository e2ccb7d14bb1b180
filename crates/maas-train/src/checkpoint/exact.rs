//! Numbers in JSON as their bits: what is read is what was written, NaN and infinities included.

pub(super) mod double {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(number.to_bits())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

pub(super) mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(number: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        number.map(f64::to_bits).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(f64::from_bits))
    }
}

pub(super) mod history {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::{EpochRecord, History};

    #[derive(Serialize, Deserialize)]
    struct Bits {
        epoch: usize,
        loss: u32,
        validation_loss: Option<u32>,
        metrics: BTreeMap<String, u64>,
        validation_metrics: BTreeMap<String, u64>,
        learning_rate: Option<u32>,
        seconds: u64,
    }

    pub(crate) fn serialize<S: Serializer>(history: &History, to: S) -> Result<S::Ok, S::Error> {
        let bits = |metrics: &BTreeMap<String, f64>| {
            let bits = |(name, value): (&String, &f64)| (name.clone(), value.to_bits());
            metrics.iter().map(bits).collect()
        };
        to.collect_seq(history.epochs.iter().map(|record| Bits {
            epoch: record.epoch,
            loss: record.loss.to_bits(),
            validation_loss: record.validation_loss.map(f32::to_bits),
            metrics: bits(&record.metrics),
            validation_metrics: bits(&record.validation_metrics),
            learning_rate: record.learning_rate.map(f32::to_bits),
            seconds: record.seconds.to_bits(),
        }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<History, D::Error> {
        let numbers = |bits: BTreeMap<String, u64>| {
            let number = |(name, bits)| (name, f64::from_bits(bits));
            bits.into_iter().map(number).collect()
        };
        let mut history = History::default();
        for bits in Vec::<Bits>::deserialize(from)? {
            let mut record = EpochRecord::new(bits.epoch, f32::from_bits(bits.loss));
            record.validation_loss = bits.validation_loss.map(f32::from_bits);
            record.metrics = numbers(bits.metrics);
            record.validation_metrics = numbers(bits.validation_metrics);
            record.learning_rate = bits.learning_rate.map(f32::from_bits);
            record.seconds = f64::from_bits(bits.seconds);
            history.push(record);
        }
        Ok(history)
    }
}
