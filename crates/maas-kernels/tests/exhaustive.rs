//! Elementary functions over every float there is: at most 2 ulp off, and the same in every set. Takes minutes:
//! `cargo test -p maas-kernels --release --features exhaustive --test exhaustive`.

mod common;

use common::reference::{FUNCTIONS, ulps};
use common::{assert_same, others};
use maas_kernels::Kernels;

const STEP: u32 = 1 << 16;

#[test]
fn every_float() {
    for (name, kernel, reference) in FUNCTIONS {
        let worst = std::thread::scope(|scope| {
            let halves = [0..STEP / 2, STEP / 2..STEP].map(|high| {
                scope.spawn(move || {
                    let (mut y, mut other) = (vec![0.0; STEP as usize], vec![0.0; STEP as usize]);
                    let mut worst = (0.0, 0.0);
                    for high in high {
                        let x: Vec<f32> = (0..STEP)
                            .map(|low| f32::from_bits(high << 16 | low))
                            .collect();
                        kernel(Kernels::best(), &x, &mut y);
                        for set in others() {
                            kernel(set, &x, &mut other);
                            assert_same(&other, &y, name);
                        }
                        for (&x, &y) in x.iter().zip(&y) {
                            let error = ulps(y, reference(f64::from(x)));
                            if error > worst.0 {
                                worst = (error, x);
                            }
                        }
                    }
                    worst
                })
            });
            halves
                .map(|half| half.join().expect("the half passed"))
                .into_iter()
                .fold((0.0, 0.0), |a, b| if a.0 < b.0 { b } else { a })
        });
        println!("{name}: at most {:.3} ulp, at {:e}", worst.0, worst.1);
        assert!(
            worst.0 <= 2.0,
            "{name}({:e}) is {} ulp off",
            worst.1,
            worst.0
        );
    }
}
