//! A network learns from what another one says (Hinton, Vinyals & Dean, *Distilling the knowledge in a neural network*, 2015).

use anyhow::Result;
use maas::data::{Input, Targets};
use maas::nn::{Graph, Link, Source};
use maas::prelude::*;

/// How much probabilities are evened out: logits are divided by it.
const TEMPERATURE: f32 = 2.0;

/// How much the teacher's word counts; the labels have the rest.
const TRUST: f32 = 0.9;

/// A frozen network, and what it is asked about.
#[derive(Debug)]
pub(crate) struct Teacher {
    network: Network,
    digits: Dataset,
}

impl Teacher {
    pub(crate) fn new(network: &Network, digits: &Dataset) -> Result<Self> {
        let inputs: Vec<Input> = digits.inputs().to_vec();
        let labels: Vec<u32> = digits.labels().unwrap_or_default().to_vec();
        // Of the pair's outputs the teacher's are no digit's class.
        let classes = 2 * network.output_width();
        let targets = Targets::Labels {
            classes,
            data: labels,
        };
        Ok(Self {
            network: network.clone(),
            digits: Dataset::from_inputs(inputs, targets)?,
        })
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// How many digits it is asked about.
    pub(crate) fn rows(&self) -> usize {
        self.digits.rows()
    }

    /// Trains the student on the logits that the teacher has for the same digits, moved in the same way.
    pub(crate) fn teach(
        &self,
        student: &mut Network,
        trainer: impl FnOnce(Distillation) -> Trainer<'static>,
    ) -> Result<()> {
        let mut pair = self.pair(student)?;
        trainer(Distillation).fit(&mut pair, &self.digits)?;
        copy(&pair, STUDENT, student, "")
    }

    /// Both networks beside each other, their logits one after the other.
    fn pair(&self, student: &Network) -> Result<Network> {
        let mut graph = Graph::new(student.signature().inputs().to_vec());
        let digit = graph.input(0);
        let digit = graph.flatten(digit);
        let answer = logits(&mut graph, student, digit, STUDENT);
        let wanted = logits(&mut graph, &self.network, digit, TEACHER);
        let both = graph.concatenate(&[answer, wanted]);
        let mut pair = graph.build(both, Seed(0))?;
        copy(student, "", &mut pair, STUDENT)?;
        copy(&self.network, "", &mut pair, TEACHER)?;
        for (name, _) in layers(&self.network) {
            pair.freeze(&format!("{TEACHER}{name}"))?;
        }
        Ok(pair)
    }
}

/// What the names of their layers begin with.
const STUDENT: &str = "student_";
const TEACHER: &str = "teacher_";

/// Names and units of the dense layers of a network, from its first to its last.
fn layers(network: &Network) -> impl Iterator<Item = (&str, usize)> {
    let segments = network.segments().iter();
    segments.filter_map(|segment| Some((segment.name.strip_suffix(".kernel")?, segment.shape[1])))
}

/// The network again, without the softmax at its end.
fn logits(graph: &mut Graph, network: &Network, digit: Source, prefix: &str) -> Source {
    let mut value = digit;
    for (number, (name, units)) in layers(network).enumerate() {
        if number > 0 {
            value = graph.relu(value);
        }
        value = graph.dense(value, units);
        graph.name(format!("{prefix}{name}"));
    }
    value
}

/// Parameters and masks, to or from layers whose names have a prefix.
fn copy(from: &Network, from_prefix: &str, to: &mut Network, to_prefix: &str) -> Result<()> {
    for segment in from.segments() {
        let Some(name) = segment.name.strip_prefix(from_prefix) else {
            continue;
        };
        let name = format!("{to_prefix}{name}");
        to.segment_mut(&name)?.assign(&from.segment(&segment.name)?);
        if let Some(mask) = from.mask(&segment.name)? {
            to.set_mask(&name, mask.clone())?;
        }
    }
    Ok(())
}

/// (1 − a)·H(y, softmax(z)) + a·T²·H(softmax(t/T), softmax(z/T)) for labels y, the student's logits z and the teacher's t.
#[derive(Debug)]
pub(crate) struct Distillation;

impl Loss for Distillation {
    fn name(&self) -> &str {
        "distillation"
    }

    fn config(&self) -> serde_json::Value {
        serde_json::json!({ "temperature": TEMPERATURE, "trust": TRUST })
    }

    fn link(&self) -> Link {
        Link::Identity
    }

    fn evaluate(
        &self,
        batch: &LossBatch<'_>,
        gradient: Option<&mut [f32]>,
    ) -> Result<f32, maas::nn::Error> {
        let classes = batch.width / 2;
        let (mut answers, mut wanted) = (Vec::new(), Vec::new());
        for logits in batch.predictions.chunks_exact(batch.width) {
            answers.extend_from_slice(&logits[..classes]);
            wanted.extend(softmax(&logits[classes..]));
        }
        let cooled: Vec<f32> = answers.iter().map(|z| z / TEMPERATURE).collect();
        let mut slopes = [vec![0.0; answers.len()], vec![0.0; answers.len()]];
        let [by_label, by_teacher] = &mut slopes;
        let cross_entropy = |logits, targets, slope| {
            let batch = LossBatch::new(logits, targets, batch.rows)?
                .weights(batch.weights)?
                .compute(batch.compute);
            CategoricalCrossEntropy.evaluate(&batch, Some(slope))
        };
        let label = cross_entropy(&answers, batch.targets, by_label)?;
        let teacher = cross_entropy(&cooled, maas::nn::Targets::Values(&wanted), by_teacher)?;
        if let Some(gradient) = gradient {
            let rows = gradient.chunks_exact_mut(batch.width);
            let slopes = by_label
                .chunks_exact(classes)
                .zip(by_teacher.chunks_exact(classes));
            for (row, (by_label, by_teacher)) in rows.zip(slopes) {
                row[classes..].fill(0.0);
                for (g, (l, t)) in row.iter_mut().zip(by_label.iter().zip(by_teacher)) {
                    *g = (1.0 - TRUST) * l + TRUST * TEMPERATURE * t;
                }
            }
        }
        Ok((1.0 - TRUST) * label + TRUST * TEMPERATURE * TEMPERATURE * teacher)
    }
}

/// softmax(t/T).
fn softmax(logits: &[f32]) -> impl Iterator<Item = f32> {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let power = move |&logit: &f32| ((logit - largest) / TEMPERATURE).exp();
    let sum: f32 = logits.iter().map(power).sum();
    logits.iter().map(move |logit| power(logit) / sum)
}
