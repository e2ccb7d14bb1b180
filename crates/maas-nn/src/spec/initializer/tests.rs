use super::*;

fn drawn(initializer: Initializer, shape: &[usize], seed: u64) -> Vec<f32> {
    let mut values = vec![f32::NAN; shape.iter().product()];
    initializer.fill(&mut values, shape, Seed(seed)).unwrap();
    values
}

/// The mean and the variance.
fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let squares = values.iter().map(|&v| (f64::from(v) - mean).powi(2));
    (mean, squares.sum::<f64>() / n)
}

#[test]
fn fans_follow_keras() {
    assert_eq!(fans(&[5]), (5.0, 5.0));
    assert_eq!(fans(&[4, 3]), (4.0, 3.0));
    assert_eq!(fans(&[3, 3, 8, 16]), (72.0, 144.0));
}

#[test]
fn bits_are_fixed_by_the_seed() {
    for initializer in [
        Initializer::GlorotUniform,
        Initializer::HeNormal,
        Initializer::Normal {
            mean: 1.0,
            deviation: 2.0,
        },
        Initializer::Orthogonal { gain: 1.0 },
    ] {
        let one = drawn(initializer, &[4, 3], 1);
        assert_eq!(one, drawn(initializer, &[4, 3], 1));
        assert_ne!(one, drawn(initializer, &[4, 3], 2));
    }
    // The contract: these bits do not change with a version or a machine.
    let first = drawn(Initializer::HeNormal, &[2, 2], 7);
    let second = drawn(Initializer::Orthogonal { gain: 1.0 }, &[2, 2], 7);
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(first), GOLDEN_NORMAL);
    assert_eq!(bits(second), GOLDEN_ORTHOGONAL);
}

#[test]
fn variances_are_what_the_names_say() {
    let (fan_in, fan_out) = (200.0, 300.0);
    let n = fan_in * fan_out;
    for (initializer, variance, limit) in [
        (Initializer::GlorotUniform, 2.0 / 500.0, 3.0_f64.sqrt()),
        (
            Initializer::GlorotNormal,
            2.0 / 500.0,
            2.0 / DEVIATION_WITHIN_2,
        ),
        (Initializer::HeUniform, 2.0 / fan_in, 3.0_f64.sqrt()),
        (
            Initializer::HeNormal,
            2.0 / fan_in,
            2.0 / DEVIATION_WITHIN_2,
        ),
        (Initializer::LecunUniform, 1.0 / fan_in, 3.0_f64.sqrt()),
        (
            Initializer::LecunNormal,
            1.0 / fan_in,
            2.0 / DEVIATION_WITHIN_2,
        ),
    ] {
        let values = drawn(initializer, &[200, 300], 3);
        let (mean, found) = moments(&values);
        let deviation = f64::sqrt(variance);
        assert!(
            mean.abs() < 4.0 * deviation / f64::sqrt(n),
            "{initializer:?}: {mean}"
        );
        assert!(
            (found / variance - 1.0).abs() < 0.02,
            "{initializer:?}: {found}"
        );
        let largest = values
            .iter()
            .fold(0.0, |m: f64, &v| m.max(f64::from(v).abs()));
        assert!(
            largest <= limit * deviation * (1.0 + 1e-6),
            "{initializer:?}"
        );
        assert!(
            largest > 0.98 * limit * deviation,
            "{initializer:?}: the ends are reached"
        );
    }
}

#[test]
fn normal_laws() {
    let law = Initializer::Normal {
        mean: 0.5,
        deviation: 2.0,
    };
    let values = drawn(law, &[100_000], 4);
    let (mean, variance) = moments(&values);
    assert!(
        (mean - 0.5).abs() < 0.02 && (variance - 4.0).abs() < 0.06,
        "{mean}, {variance}"
    );
    let beyond = values.iter().filter(|&&v| (v - 0.5).abs() > 4.0).count();
    assert!(
        (4_200..4_900).contains(&beyond),
        "4.55 % lie beyond two deviations: {beyond}"
    );

    let law = Initializer::TruncatedNormal {
        mean: 0.5,
        deviation: 2.0,
    };
    let values = drawn(law, &[100_000], 4);
    let (mean, variance) = moments(&values);
    let expected = (2.0 * DEVIATION_WITHIN_2).powi(2);
    assert!(
        (mean - 0.5).abs() < 0.02 && (variance - expected).abs() < 0.04,
        "{mean}, {variance}"
    );
    assert!(values.iter().all(|v| (v - 0.5).abs() <= 4.0));
}

#[test]
fn orthogonal_vectors_are_orthonormal() {
    for (shape, gain) in [
        (&[40, 25][..], 1.0),
        (&[25, 40], 2.0),
        (&[3, 5, 8], 1.0),
        (&[1, 7], 0.5),
        (&[16, 16], 1.0),
    ] {
        let values = drawn(Initializer::Orthogonal { gain }, shape, 5);
        let columns = shape[shape.len() - 1];
        let rows = values.len() / columns;
        let (count, length) = (rows.min(columns), rows.max(columns));
        let at = |vector: usize, element: usize| {
            let index = if rows < columns {
                vector * columns + element
            } else {
                element * columns + vector
            };
            f64::from(values[index])
        };
        for a in 0..count {
            for b in 0..count {
                let dot: f64 = (0..length).map(|i| at(a, i) * at(b, i)).sum();
                let expected = if a == b { f64::from(gain * gain) } else { 0.0 };
                assert!((dot - expected).abs() < 1e-6, "{shape:?}: {a}, {b}: {dot}");
            }
        }
    }
    assert!(drawn(Initializer::Orthogonal { gain: 1.0 }, &[0, 4], 1).is_empty());
    assert!(drawn(Initializer::Orthogonal { gain: 1.0 }, &[4, 0], 1).is_empty());
}

#[test]
fn numbers_without_sense_are_refused() {
    let setting = |initializer: Initializer| {
        let result = initializer.fill(&mut [0.0; 4], &[2, 2], Seed(1));
        assert!(
            matches!(result, Err(Error::Setting { .. })),
            "{initializer:?}: {result:?}"
        );
    };
    setting(Initializer::Constant(f32::NAN));
    setting(Initializer::Uniform {
        low: 0.2,
        high: 0.1,
    });
    setting(Initializer::Uniform {
        low: f32::NEG_INFINITY,
        high: 0.1,
    });
    for (mean, deviation) in [
        (f32::NAN, 1.0),
        (0.0, -1.0),
        (0.0, f32::INFINITY),
        (0.0, f32::NAN),
    ] {
        setting(Initializer::Normal { mean, deviation });
        setting(Initializer::TruncatedNormal { mean, deviation });
    }
    setting(Initializer::Orthogonal {
        gain: f32::INFINITY,
    });
    let vector = Initializer::Orthogonal { gain: 1.0 }.fill(&mut [0.0; 4], &[4], Seed(1));
    assert!(matches!(vector, Err(Error::InitializerShape { found }) if found == [4]));
    let short = Initializer::Ones.fill(&mut [0.0; 3], &[4], Seed(1));
    assert!(matches!(
        short,
        Err(Error::Length {
            expected: 4,
            found: 3
        })
    ));
    assert_eq!(
        drawn(
            Initializer::Uniform {
                low: 0.5,
                high: 0.5
            },
            &[2],
            1
        ),
        [0.5; 2]
    );
}

const GOLDEN_NORMAL: [u32; 4] = [0x3fc2_2edc, 0xbdb8_c7bd, 0xbe72_32ea, 0x3f38_c64a];
const GOLDEN_ORTHOGONAL: [u32; 4] = [0x3f7f_969a, 0x3d68_3520, 0xbd68_3520, 0x3f7f_969a];
