//! Laws of passes.

use std::num::NonZeroUsize;

use maas_core::Values;
use maas_kernels::Kernels;
use ndarray::Array2;

use super::subject::{Data, ROWS, Subject, Way, same};
use super::{Breach, Quantity};
use crate::{Mode, PackedNetwork};

/// Numbers that are enough for several threads to have work.
const NUMBERS: usize = 80_000;
/// The most rows that are taken for it.
const MANY_ROWS: usize = 4096;

pub(super) fn row_alone(subject: &Subject) -> Result<(), Breach> {
    let (data, width) = (subject.data(ROWS, 1), subject.width());
    let expected = subject.run(Way::new(ROWS, Mode::Infer), &data)?.output;
    for size in [1, 2, 5, ROWS - 1] {
        for start in [0, 1, ROWS - size] {
            let rows = start..(start + size).min(ROWS);
            let part: Vec<Data> = data.iter().map(|x| x.rows(ROWS, rows.clone())).collect();
            let way = Way::new(rows.len(), Mode::Infer);
            let found = subject.run(way, &part)?.output;
            let expected = &expected[rows.start * width..rows.end * width];
            same(Quantity::Output, &found, expected)?;
        }
    }
    Ok(())
}

pub(super) fn neighbours(subject: &Subject) -> Result<(), Breach> {
    let (mut data, width) = (subject.data(ROWS, 1), subject.width());
    let way = Way::new(ROWS, Mode::Infer);
    let expected = subject.run(way, &data)?.output;
    let hostile = [(0, f32::NAN), (3, f32::INFINITY), (ROWS - 1, -3e38)];
    for data in &mut data {
        if let Data::F32(values) = data {
            let width = values.len() / ROWS;
            for (row, bad) in hostile {
                values[row * width..(row + 1) * width].fill(bad);
            }
        }
    }
    let found = subject.run(way, &data)?.output;
    for row in (0..ROWS).filter(|row| hostile.iter().all(|(bad, _)| bad != row)) {
        let row = row * width..(row + 1) * width;
        same(Quantity::Output, &found[row.clone()], &expected[row])?;
    }
    Ok(())
}

pub(super) fn split(subject: &Subject) -> Result<(), Breach> {
    let (data, width) = (subject.data(ROWS, 2), subject.width());
    let whole = subject.run(Way::new(ROWS, subject.training(0)), &data)?;
    for rows in [0..4, 4..ROWS, 5..6] {
        let part: Vec<Data> = data.iter().map(|x| x.rows(ROWS, rows.clone())).collect();
        let way = Way::new(rows.len(), subject.training(rows.start as u64));
        let found = subject.run(way, &part)?;
        let expected = &whole.output[rows.start * width..rows.end * width];
        same(Quantity::Output, &found.output, expected)?;
    }
    Ok(())
}

pub(super) fn cut(subject: &Subject) -> Result<(), Breach> {
    let data = subject.data(ROWS, 10);
    for mode in [Mode::Infer, subject.training(0)] {
        let way = Way::new(ROWS, mode);
        let expected = subject.run(way, &data)?;
        for threads in (1..=4).filter_map(NonZeroUsize::new) {
            let way = way.on(Kernels::best(), threads);
            let mut plan = subject.plan(way)?;
            plan.cut_finest();
            subject.pass(&mut plan, way, &data)?.same(&expected)?;
        }
    }
    Ok(())
}

pub(super) fn fewer_rows(subject: &Subject) -> Result<(), Breach> {
    let data = subject.data(ROWS, 3);
    for mode in [Mode::Infer, subject.training(0)] {
        let exact = Way::new(ROWS, mode);
        let larger = Way {
            max_rows: 3 * ROWS,
            ..exact
        };
        let expected = subject.run(exact, &data)?;
        subject.run(larger, &data)?.same(&expected)?;
    }
    Ok(())
}

pub(super) fn nothing_behind(subject: &Subject) -> Result<(), Breach> {
    let data = subject.data(ROWS, 4);
    let mut others = subject.data(ROWS + 3, 5);
    for other in &mut others {
        if let Data::F32(values) = other {
            values.fill(f32::NAN);
        }
    }
    for mode in [Mode::Infer, subject.training(0)] {
        let way = Way::new(ROWS, mode);
        let expected = subject.run(way, &data)?;
        let dirty = Way {
            rows: ROWS + 3,
            max_rows: ROWS + 3,
            ..way
        };
        let mut plan = subject.plan(dirty)?;
        subject.pass(&mut plan, dirty, &others)?;
        subject.pass(&mut plan, way, &data)?.same(&expected)?;
        subject.pass(&mut plan, way, &data)?.same(&expected)?;
    }
    Ok(())
}

pub(super) fn packed(subject: &Subject) -> Result<(), Breach> {
    let data = subject.data(ROWS, 11);
    let inputs: Vec<Values<'_>> = data.iter().map(Data::values).collect();
    let expected = subject.network.predict_values(ROWS, &inputs)?;
    for &representation in subject.network.architecture.plans[0].representations {
        let packed = PackedNetwork::new(subject.network.clone(), |_| representation)?;
        let found = packed.predict_values(ROWS, &inputs)?;
        let numbers = |array: &Array2<f32>| array.iter().copied().collect::<Vec<_>>();
        same(Quantity::Output, &numbers(&found), &numbers(&expected))?;
    }
    Ok(())
}

pub(super) fn no_rows(subject: &Subject) -> Result<(), Breach> {
    let (none, some) = (subject.data(0, 6), subject.data(ROWS, 6));
    for mode in [Mode::Infer, subject.training(0)] {
        let mut plan = subject.plan(Way::new(ROWS, mode))?;
        subject.pass(&mut plan, Way::new(ROWS, mode), &some)?;
        let found = subject.pass(&mut plan, Way::new(0, mode), &none)?;
        let zeros = vec![0.0; found.gradient().len()];
        let found: Vec<f32> = found.gradient().iter().map(|g| g + 0.0).collect();
        same(Quantity::Gradient, &found, &zeros)?;
    }
    Ok(())
}

pub(super) fn compute(subject: &Subject) -> Result<(), Breach> {
    let widths = subject.inputs().iter().map(crate::RowType::width);
    let width = widths.fold(subject.width(), usize::max).max(1);
    let rows = NUMBERS.div_ceil(width).clamp(ROWS, MANY_ROWS);
    for rows in [ROWS, rows] {
        let data = subject.data(rows, 7);
        for mode in [Mode::Infer, subject.training(0)] {
            let way = Way::new(rows, mode);
            let expected = subject.run(way.on(Kernels::portable(), NonZeroUsize::MIN), &data)?;
            for kernels in Kernels::available() {
                for threads in (1..=3).filter_map(NonZeroUsize::new) {
                    let found = subject.run(way.on(kernels, threads), &data)?;
                    found.same(&expected)?;
                }
            }
        }
    }
    Ok(())
}

pub(super) fn nan(subject: &Subject) -> Result<(), Breach> {
    let (data, width) = (subject.data(ROWS, 8), subject.width());
    if width == 0 {
        return Ok(());
    }
    for input in 0..data.len() {
        let mut data = data.clone();
        let row = 2;
        let Data::F32(values) = &mut data[input] else {
            continue;
        };
        let numbers = values.len() / ROWS;
        if numbers == 0 {
            continue;
        }
        values[row * numbers..(row + 1) * numbers].fill(f32::NAN);
        let output = subject.run(Way::new(ROWS, Mode::Infer), &data)?.output;
        let answer = &output[row * width..(row + 1) * width];
        if !answer.iter().any(|y| y.is_nan()) {
            return Err(Breach::Swallowed { input, row });
        }
    }
    Ok(())
}
