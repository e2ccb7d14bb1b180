//! The formula alone: θ ← θ − α ∇J(θ) on any slice or view.

use maas_kernels::Kernels;
use ndarray::{ArrayView, ArrayViewMut, Dimension, Zip};

use crate::{Error, Horizon, LearningRate};

/// Plain gradient descent on numbers that live anywhere: a slice, a `Vec`, an ndarray of any shape, a strided view.
///
/// θ(t+1) = θ(t) − α ∇J(θ(t))
///
/// [`step`](Self::step) does this once with a gradient that you have; [`minimize`](Self::minimize) repeats it with a
/// closure that computes one. To train a network with it, hand it to a [`Trainer`](crate::Trainer).
///
/// ```
/// use maas_train::GradientDescent;
///
/// // J(θ) = (θ₀ − 3)² + (θ₁ + 1)²
/// let mut theta = [0.0, 0.0];
/// let minimum = GradientDescent::new(0.1).minimize(&mut theta, |theta, gradient| {
///     gradient[0] = 2.0 * (theta[0] - 3.0);
///     gradient[1] = 2.0 * (theta[1] + 1.0);
///     (theta[0] - 3.0).powi(2) + (theta[1] + 1.0).powi(2)
/// })?;
/// assert!(minimum.converged);
/// assert!((theta[0] - 3.0).abs() < 1e-5 && (theta[1] + 1.0).abs() < 1e-5);
/// # Ok::<(), maas_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct GradientDescent {
    pub(crate) learning_rate: LearningRate,
    steps: u64,
    tolerance: f32,
    kernels: Kernels,
}

impl GradientDescent {
    /// Descent at the given learning rate, for at most 1,000 steps, until the gradient's norm is at most 10⁻⁶.
    ///
    /// ```
    /// let descent = maas_train::GradientDescent::new(0.1);
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            steps: 1000,
            tolerance: 1e-6,
            kernels: Kernels::best(),
        }
    }

    /// Take at most this many steps in [`minimize`](Self::minimize).
    ///
    /// ```
    /// let minimum = maas_train::GradientDescent::new(0.1).steps(5).minimize(&mut [1.0], |theta, gradient| {
    ///     gradient[0] = theta[0];
    ///     0.5 * theta[0] * theta[0]
    /// })?;
    /// assert_eq!((minimum.steps, minimum.converged), (5, false));
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub fn steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }

    /// Stop [`minimize`](Self::minimize) when the Euclidean norm of the gradient is at most `tolerance`.
    ///
    /// ```
    /// let minimum = maas_train::GradientDescent::new(0.1).tolerance(2.0).minimize(&mut [1.0], |theta, gradient| {
    ///     gradient[0] = theta[0];
    ///     0.5 * theta[0] * theta[0]
    /// })?;
    /// assert_eq!((minimum.steps, minimum.converged), (0, true));
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub fn tolerance(self, tolerance: f32) -> Self {
        Self { tolerance, ..self }
    }

    /// Use this set of kernels; every set gives the same bits.
    ///
    /// ```
    /// let descent = maas_train::GradientDescent::new(0.1).kernels(maas_kernels::Kernels::portable());
    /// ```
    pub fn kernels(self, kernels: Kernels) -> Self {
        Self { kernels, ..self }
    }

    /// One step: θ ← θ − α·gradient.
    ///
    /// ```
    /// use maas_train::GradientDescent;
    /// use ndarray::array;
    ///
    /// let mut theta = array![[1.0, 2.0], [3.0, 4.0]];
    /// let gradient = array![[1.0, 0.0], [0.0, -2.0]];
    /// GradientDescent::new(0.5).step(&mut theta, &gradient)?;
    /// assert_eq!(theta, array![[0.5, 2.0], [3.0, 5.0]]);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::LearningRate`], and [`Error::GradientShape`] when the shapes differ; θ is then as it was.
    pub fn step<'a, 'b, D: Dimension>(
        &self,
        theta: impl Into<ArrayViewMut<'a, f32, D>>,
        gradient: impl Into<ArrayView<'b, f32, D>>,
    ) -> Result<(), Error> {
        let (mut theta, gradient) = (theta.into(), gradient.into());
        let rate = self.learning_rate.at(1, self.horizon())?;
        if theta.shape() != gradient.shape() {
            return Err(Error::GradientShape {
                expected: theta.shape().into(),
                found: gradient.shape().into(),
            });
        }
        match (theta.as_slice_mut(), gradient.as_slice()) {
            (Some(theta), Some(gradient)) => self.kernels.gradient_descent(theta, gradient, rate),
            _ => Zip::from(&mut theta)
                .and(&gradient)
                .for_each(|theta, &gradient| *theta = (-rate).mul_add(gradient, *theta)),
        }
        Ok(())
    }

    /// Descend from `theta` until the gradient vanishes or the steps are used up.
    ///
    /// The closure gets θ, writes ∇J(θ) into its second argument and returns J(θ). θ and gradient are flat, in
    /// row-major order whatever the strides of the view. After *n* steps the closure has been called *n* + 1 times, and
    /// the report describes θ as it is left.
    ///
    /// ```
    /// use maas_train::GradientDescent;
    /// use ndarray::{Array2, array};
    ///
    /// // Only the first column of a matrix, a strided view, is descended on.
    /// let mut matrix = array![[4.0, 9.0], [-2.0, 9.0]];
    /// GradientDescent::new(0.25).steps(60).minimize(matrix.column_mut(0), |theta, gradient| {
    ///     gradient.copy_from_slice(theta);
    ///     theta.iter().map(|x| 0.5 * x * x).sum()
    /// })?;
    /// assert!(matrix[[0, 0]].abs() < 1e-6 && matrix[[0, 1]] == 9.0);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::LearningRate`]; [`Error::Tolerance`] when the tolerance is negative or not a number;
    /// [`Error::Diverged`] when loss or gradient stop being finite: θ is then where it happened.
    pub fn minimize<'a, D: Dimension>(
        &self,
        theta: impl Into<ArrayViewMut<'a, f32, D>>,
        objective: impl FnMut(&[f32], &mut [f32]) -> f32,
    ) -> Result<Minimum, Error> {
        let mut theta = theta.into();
        if let Some(theta) = theta.as_slice_mut() {
            return self.descend(theta, objective);
        }
        let mut copy: Vec<f32> = theta.iter().copied().collect();
        let outcome = self.descend(&mut copy, objective);
        theta
            .iter_mut()
            .zip(copy)
            .for_each(|(theta, value)| *theta = value);
        outcome
    }

    /// The whole run is the most steps that are taken, and each of them is an epoch.
    fn horizon(&self) -> Horizon {
        Horizon::new(1, self.steps)
    }

    fn descend(
        &self,
        theta: &mut [f32],
        mut objective: impl FnMut(&[f32], &mut [f32]) -> f32,
    ) -> Result<Minimum, Error> {
        self.learning_rate.at(1, self.horizon())?;
        if self.tolerance.is_nan() || self.tolerance < 0.0 {
            return Err(Error::Tolerance {
                value: self.tolerance,
            });
        }
        let mut gradient = vec![0.0; theta.len()];
        let mut steps = 0;
        loop {
            let loss = objective(theta, &mut gradient);
            let gradient_norm = norm(&gradient);
            if !loss.is_finite() || !gradient_norm.is_finite() {
                return Err(Error::Diverged {
                    step: steps,
                    loss,
                    gradient_norm,
                });
            }
            let converged = gradient_norm <= self.tolerance;
            if converged || steps == self.steps {
                return Ok(Minimum {
                    loss,
                    steps,
                    gradient_norm,
                    converged,
                });
            }
            steps += 1;
            let rate = self.learning_rate.at(steps, self.horizon())?;
            self.kernels.gradient_descent(theta, &gradient, rate);
        }
    }
}

/// What [`GradientDescent::minimize`] reached.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Minimum {
    /// J(θ) at the θ that was left.
    pub loss: f32,
    /// Steps taken.
    pub steps: u64,
    /// The Euclidean norm of ∇J(θ) at the θ that was left.
    pub gradient_norm: f32,
    /// Whether the norm is within the tolerance.
    pub converged: bool,
}

/// In `f64`, so that a finite gradient has a finite norm.
fn norm(gradient: &[f32]) -> f32 {
    gradient
        .iter()
        .map(|&g| f64::from(g).powi(2))
        .sum::<f64>()
        .sqrt() as f32
}
