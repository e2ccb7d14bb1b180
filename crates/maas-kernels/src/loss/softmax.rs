use crate::Kernels;
use crate::elementwise::{Update, update};
use crate::kernels::Work;
use crate::math;
use crate::reduce::{Reduction, reduce};
use crate::simd::{Scalar, Simd, Vectors};
use crate::softmax::{Multiply, check_rows, shifted_exp};

/// What the classes of a batch should have been.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ClassTargets<'a> {
    /// One class index a row.
    Labels(&'a [u32]),
    /// One probability a row and class, in the layout of the logits.
    Probabilities(&'a [f32]),
}

/// The loss of classes from logits, with its gradient.
impl Kernels {
    /// losses\[i\] = −Σⱼ tᵢⱼ · ln softmax(logitsᵢ)ⱼ and, where asked for, gradient = softmax(logits) − t, unscaled;
    /// with `smoothing` s, t is (1 − s)·t + s/columns.
    ///
    /// A class of probability zero adds nothing, even where its logit is −∞.
    ///
    /// # Panics
    /// When lengths do not fit `columns` classes a row, or a label is not below `columns`.
    ///
    /// ```
    /// use maas_kernels::{ClassTargets, Kernels};
    ///
    /// let (mut losses, mut gradient) = ([0.0], [0.0; 2]);
    /// let target = ClassTargets::Labels(&[1]);
    /// Kernels::best().softmax_cross_entropy(&[3.0, 3.0], 2, target, 0.0, &mut losses, Some(&mut gradient));
    /// assert!((losses[0] - 2f32.ln()).abs() < 1e-6);
    /// assert_eq!(gradient, [0.5, -0.5]);
    /// ```
    #[track_caller]
    pub fn softmax_cross_entropy(
        self,
        logits: &[f32],
        columns: usize,
        target: ClassTargets<'_>,
        smoothing: f32,
        losses: &mut [f32],
        gradient: Option<&mut [f32]>,
    ) {
        check_rows(logits.len(), columns);
        assert_eq!(losses.len() * columns, logits.len(), "one loss a row");
        match target {
            ClassTargets::Labels(labels) => {
                assert_eq!(labels.len(), losses.len(), "one label a row");
                for &label in labels {
                    assert!(
                        (label as usize) < columns,
                        "label {label} among {columns} classes"
                    );
                }
            }
            ClassTargets::Probabilities(p) => {
                assert_eq!(p.len(), logits.len(), "one probability a logit");
            }
        }
        if columns == 0 {
            losses.fill(0.0);
            return;
        }
        if let Some(gradient) = &gradient {
            assert_eq!(gradient.len(), logits.len(), "slices of different lengths");
        }
        self.run(SoftmaxCrossEntropy {
            logits,
            columns,
            target,
            smoothing,
            losses,
            gradient,
        });
    }
}

struct SoftmaxCrossEntropy<'a> {
    logits: &'a [f32],
    columns: usize,
    target: ClassTargets<'a>,
    smoothing: f32,
    losses: &'a mut [f32],
    gradient: Option<&'a mut [f32]>,
}

impl Work for SoftmaxCrossEntropy<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self {
            logits,
            columns,
            target,
            smoothing,
            losses,
            mut gradient,
        } = self;
        let (kept, spread) = (1.0 - smoothing, smoothing / columns as f32);
        for (i, loss) in losses.iter_mut().enumerate() {
            let row = i * columns..(i + 1) * columns;
            let x = &logits[row.clone()];
            let (max, sum) = match &mut gradient {
                Some(gradient) => {
                    let y = &mut gradient[row.clone()];
                    let (max, sum) = shifted_exp(s, x, y);
                    update(s, &Multiply(1.0 / sum), [], y);
                    (max, sum)
                }
                None => max_and_sum(s, x),
            };
            let log_sum = math::ln(Scalar, sum);
            match target {
                ClassTargets::Labels(labels) => {
                    let label = labels[i] as usize;
                    *loss = log_sum - (x[label] - max);
                    if let Some(gradient) = &mut gradient {
                        let y = &mut gradient[row];
                        if smoothing != 0.0 {
                            update(s, &Subtract(spread), [], y);
                        }
                        y[label] -= kept;
                    }
                }
                ClassTargets::Probabilities(p) => {
                    let p = &p[row.clone()];
                    *loss = reduce(s, &WeightedLoss { max, log_sum }, [x, p]);
                    if let Some(gradient) = &mut gradient {
                        update(s, &SubtractTarget { kept, spread }, [p], &mut gradient[row]);
                    }
                }
            }
            if smoothing != 0.0 {
                let all = reduce(s, &Surprise { max, log_sum }, [x]);
                *loss = kept * *loss + spread * all;
            }
        }
    }
}

/// max x and Σ exp(x − max x), through a block of scratch; the sum has the bits of a pass over the whole row.
#[inline(always)]
fn max_and_sum<S: Simd>(s: S, x: &[f32]) -> (f32, f32) {
    let max = reduce(s, &crate::reduce::Max, [x]);
    (max, reduce(s, &SumOfShiftedExp(max), [x]))
}

struct SumOfShiftedExp(f32);

impl Reduction<1> for SumOfShiftedExp {
    const START: f32 = 0.0;
    // exp(−∞) = 0, the filling of a sum.
    const PADDING: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn step<S: Simd>(&self, s: S, lanes: S::F, [x]: [S::F; 1]) -> S::F {
        s.add(lanes, math::exp(s, s.sub(x, s.splat(self.0))))
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        a + b
    }
}

/// Σ p·(log Σ exp − (x − max)), skipping p = 0.
struct WeightedLoss {
    max: f32,
    log_sum: f32,
}

impl Reduction<2> for WeightedLoss {
    const START: f32 = 0.0;
    const PADDING: f32 = 0.0;

    #[inline(always)]
    fn step<S: Simd>(&self, s: S, lanes: S::F, [x, p]: [S::F; 2]) -> S::F {
        let surprise = s.sub(s.splat(self.log_sum), s.sub(x, s.splat(self.max)));
        let sum = s.fma(p, surprise, lanes);
        s.select(s.le(s.abs(p), s.zero()), lanes, sum)
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        a + b
    }
}

/// Σ log Σ exp − (x − max): what a row costs if every class has weight 1.
struct Surprise {
    max: f32,
    log_sum: f32,
}

impl Reduction<1> for Surprise {
    const START: f32 = 0.0;
    // Left out; where a logit is +∞, the label's loss is NaN already.
    const PADDING: f32 = f32::INFINITY;

    #[inline(always)]
    fn step<S: Simd>(&self, s: S, lanes: S::F, [x]: [S::F; 1]) -> S::F {
        let surprise = s.sub(s.splat(self.log_sum), s.sub(x, s.splat(self.max)));
        let there = s.lt(x, s.splat(f32::INFINITY));
        s.select(there, s.add(lanes, surprise), lanes)
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        a + b
    }
}

struct Subtract(f32);

impl Update<0> for Subtract {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, []: [S::F; 0], y: S::F) -> S::F {
        s.sub(y, s.splat(self.0))
    }
}

struct SubtractTarget {
    kept: f32,
    spread: f32,
}

impl Update<1> for SubtractTarget {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [target]: [S::F; 1], y: S::F) -> S::F {
        let target = s.fma(target, s.splat(self.kept), s.splat(self.spread));
        s.sub(y, target)
    }
}
