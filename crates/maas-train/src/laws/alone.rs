//! Laws of a link on its own, block by block.

use maas_kernels::Kernels;
use maas_nn::{Acts, Block, BlockState, Fused, Reduces, Role, Step, Transform};

use super::{Law, noise, same};

type Holds = fn(&dyn Transform) -> bool;

pub(super) const LAWS: &[(Law, Holds)] = &[
    (Law::Identity, identity),
    (Law::Averages, averages),
    (Law::ReductionDeclared, reduction_declared),
    (Law::ActsDeclared, acts_declared),
    (Law::Cuts, cuts),
    (Law::KernelSets, kernel_sets),
    (Law::Fusion, fusion),
    (Law::ZeroGradient, zero_gradient),
    (Law::NanStays, nan_stays),
];

/// A segment longer than a block, that no vector divides.
const LENGTH: usize = 4333;
const STEPS: u64 = 6;
const ROLES: [Role; 2] = [Role::Weight, Role::Bias];

fn identity(link: &dyn Transform) -> bool {
    let answers = || {
        (
            link.name().to_owned(),
            link.config(),
            (link.buffers(), link.scalars()),
            (link.reduces(), link.acts(), link.averages()),
        )
    };
    !link.name().is_empty() && answers() == answers()
}

fn averages(link: &dyn Transform) -> bool {
    link.averages().is_none_or(|buffer| buffer < link.buffers())
}

fn reduction_declared(link: &dyn Transform) -> bool {
    let update: Vec<f32> = (0..LENGTH).map(|i| noise(1, i)).collect();
    link.reduces() != Reduces::Nothing || link.reduce(&step(1, Kernels::best()), &update) == 0.0
}

fn acts_declared(link: &dyn Transform) -> bool {
    ROLES.into_iter().all(|role| {
        let mut run = Run::new(link, role, Kernels::best());
        run.step(&[LENGTH], gradient);
        let before = run.clone();
        let step = step(2, run.kernels);
        let reduction = run.reduction(&step);
        run.blocks(&[LENGTH], reduction, |link, block| match link.acts() {
            Acts::BeforeStep => link.after(&step, block),
            Acts::AfterStep => link.apply(&step, block),
            _ => {}
        });
        run.same(&before)
    })
}

fn cuts(link: &dyn Transform) -> bool {
    ROLES.into_iter().all(|role| {
        let run = |cuts: &[usize]| {
            let mut run = Run::new(link, role, Kernels::best());
            for _ in 0..STEPS {
                run.step(cuts, gradient);
            }
            run
        };
        let whole = run(&[LENGTH]);
        let cut = [
            &[1, 64, LENGTH - 65][..],
            &[4096, LENGTH - 4096],
            &[7, 17, 1000, 3, LENGTH - 1027],
        ];
        cut.into_iter().all(|cuts| run(cuts).same(&whole))
    })
}

fn kernel_sets(link: &dyn Transform) -> bool {
    ROLES.into_iter().all(|role| {
        let run = |kernels| {
            let mut run = Run::new(link, role, kernels);
            for _ in 0..STEPS {
                run.step(&[LENGTH], gradient);
            }
            run
        };
        let first = run(Kernels::portable());
        Kernels::available()
            .into_iter()
            .all(|kernels| run(kernels).same(&first))
    })
}

fn fusion(link: &dyn Transform) -> bool {
    if link.acts() == Acts::AfterStep {
        return true;
    }
    ROLES.into_iter().all(|role| {
        let mut apart = Run::new(link, role, Kernels::best());
        apart.step(&[LENGTH], gradient);
        for number in 2..=STEPS {
            let mut joined = apart.clone();
            joined.begin(gradient);
            let untouched = joined.clone();
            let step = step(number, joined.kernels);
            let reduction = joined.reduction(&step);
            let mut fused = Fused::Unsupported;
            joined.blocks(&[LENGTH], reduction, |link, block| {
                fused = link.step_fused(&step, block);
            });
            if fused == Fused::Unsupported {
                if !joined.same(&untouched) {
                    return false;
                }
                apart.step(&[LENGTH], gradient);
                continue;
            }
            joined.blocks(&[LENGTH], reduction, |link, block| link.after(&step, block));
            apart.step(&[LENGTH], gradient);
            // What is left of the direction does not matter.
            if !same(&joined.parameters, &apart.parameters) || !same(&joined.state, &apart.state) {
                return false;
            }
        }
        true
    })
}

fn zero_gradient(link: &dyn Transform) -> bool {
    ROLES.into_iter().all(|role| {
        let mut run = Run::new(link, role, Kernels::best());
        (0..STEPS).all(|_| {
            run.step(&[LENGTH], |_, _| 0.0);
            let finite = |x: &[f32]| x.iter().all(|x| x.is_finite());
            finite(&run.parameters) && finite(&run.update)
        })
    })
}

fn nan_stays(link: &dyn Transform) -> bool {
    let index = 4107;
    ROLES.into_iter().all(|role| {
        let mut of_gradient = Run::new(link, role, Kernels::best());
        let mut of_parameter = of_gradient.clone();
        of_gradient.step(&[LENGTH], |step, i| {
            if i == index {
                f32::NAN
            } else {
                gradient(step, i)
            }
        });
        of_parameter.parameters[index] = f32::NAN;
        of_parameter.step(&[LENGTH], gradient);
        of_gradient.parameters[index].is_nan() && of_parameter.parameters[index].is_nan()
    })
}

fn gradient(step: u64, index: usize) -> f32 {
    noise(step, index)
}

/// The rate falls.
fn step(number: u64, kernels: Kernels) -> Step {
    let rate = |number: u64| 0.05 / (number.max(1) as f32).sqrt();
    Step::new(number, 0.0, kernels).rate(rate(number), rate(number - 1))
}

/// A link at work on one segment.
#[derive(Clone)]
struct Run<'a> {
    link: &'a dyn Transform,
    kernels: Kernels,
    role: Role,
    steps: u64,
    parameters: Vec<f32>,
    update: Vec<f32>,
    /// Buffer after buffer, each of the whole segment.
    state: Vec<f32>,
    scalars: Vec<f64>,
}

impl<'a> Run<'a> {
    fn new(link: &'a dyn Transform, role: Role, kernels: Kernels) -> Self {
        let mut run = Self {
            link,
            kernels,
            role,
            steps: 0,
            parameters: (0..LENGTH).map(|i| noise(77, i)).collect(),
            update: vec![0.0; LENGTH],
            state: vec![0.0; LENGTH * link.buffers()],
            scalars: vec![0.0; link.scalars()],
        };
        run.blocks(&[LENGTH], 0.0, Transform::start);
        run
    }

    fn step(&mut self, cuts: &[usize], gradient: impl Fn(u64, usize) -> f32) {
        self.begin(gradient);
        let step = step(self.steps, self.kernels);
        let reduction = self.reduction(&step);
        self.blocks(cuts, reduction, |link, block| {
            if link.acts() != Acts::AfterStep {
                link.apply(&step, block);
            }
            step.kernels
                .gradient_descent(block.parameters, block.update, step.learning_rate);
            if link.acts() != Acts::BeforeStep {
                link.after(&step, block);
            }
        });
    }

    fn begin(&mut self, gradient: impl Fn(u64, usize) -> f32) {
        self.steps += 1;
        for (index, update) in self.update.iter_mut().enumerate() {
            *update = gradient(self.steps, index);
        }
        self.link
            .begin(&step(self.steps, self.kernels), &mut self.scalars);
    }

    fn reduction(&self, step: &Step) -> f32 {
        match self.link.reduces() {
            Reduces::Nothing => 0.0,
            _ => self.link.reduce(step, &self.update),
        }
    }

    fn blocks(
        &mut self,
        cuts: &[usize],
        reduction: f32,
        mut act: impl FnMut(&dyn Transform, &mut Block<'_>),
    ) {
        let mut start = 0;
        for &len in cuts {
            let range = start..start + len;
            let mut state: Vec<f32> = self
                .state
                .chunks_exact(LENGTH)
                .flat_map(|buffer| &buffer[range.clone()])
                .copied()
                .collect();
            let mut block = Block::new(
                &mut self.parameters[range.clone()],
                &mut self.update[range.clone()],
                BlockState::new(&mut state, len),
                self.role,
                reduction,
            )
            .scalars(&self.scalars);
            act(self.link, &mut block);
            for (buffer, state) in self
                .state
                .chunks_exact_mut(LENGTH)
                .zip(state.chunks_exact(len))
            {
                buffer[range.clone()].copy_from_slice(state);
            }
            start = range.end;
        }
        debug_assert_eq!(start, LENGTH);
    }

    fn same(&self, other: &Self) -> bool {
        same(&self.parameters, &other.parameters)
            && same(&self.update, &other.update)
            && same(&self.state, &other.state)
    }
}
