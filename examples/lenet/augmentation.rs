//! Digits moved and turned.

use maas::data::{Augmentation, RowRandom, RowValues};

/// Turned, stretched, sheared and shifted at random, at most by 0.2 radians, an eighth, an eighth and 1.5 pixels times
/// `amount`.
pub(crate) fn moved(amount: f32) -> Augmentation {
    Augmentation::new(move |row: &mut RowValues<'_>, random: &mut RowRandom| {
        let (height, width) = (row.shape()[0], row.shape()[1]);
        let mut within = |most: f32| amount * random.between(-most..most);
        let (sine, cosine) = within(0.2).sin_cos();
        let (wide, high) = (1.0 + within(0.12), 1.0 + within(0.12));
        let shear = within(0.12);
        let (right, down) = (within(1.5), within(1.5));
        let image = row.numbers().to_vec();
        let pixel = |x: i32, y: i32| match (usize::try_from(x), usize::try_from(y)) {
            (Ok(x), Ok(y)) if x < width && y < height => image[y * width + x],
            _ => 0.0,
        };
        let centre = ((width - 1) as f32 / 2.0, (height - 1) as f32 / 2.0);
        for (index, to) in row.numbers().iter_mut().enumerate() {
            let u = (index % width) as f32 - centre.0;
            let v = (index / width) as f32 - centre.1;
            let x = centre.0 + right + cosine * wide * u + (shear - sine * high) * v;
            let y = centre.1 + down + sine * wide * u + cosine * high * v;
            let (left, top) = (x.floor(), y.floor());
            let (a, b) = (x - left, y - top);
            let (left, top) = (left as i32, top as i32);
            let above = (1.0 - a) * pixel(left, top) + a * pixel(left + 1, top);
            let below = (1.0 - a) * pixel(left, top + 1) + a * pixel(left + 1, top + 1);
            *to = (1.0 - b) * above + b * below;
        }
    })
}
