use super::{Simd, Vectors};

/// Four vectors of a set as one: as many as hide how long a polynomial or a division takes.
#[inline(always)]
pub(crate) fn four<S: Simd>(s: S) -> Four<S> {
    Twice(Twice(s))
}

pub(crate) type Four<S> = Twice<Twice<S>>;

/// Two vectors as one. Operations come in pairs that do not wait for each other.
#[derive(Clone, Copy)]
pub(crate) struct Twice<V>(V);

macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ident),*) -> $output:ident;)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($argument: [V::$type; 2]),*) -> [V::$output; 2] {
                [self.0.$name($($argument[0]),*), self.0.$name($($argument[1]),*)]
            }
        )*
    };
}

impl<V: Vectors> Vectors for Twice<V> {
    const LANES: usize = 2 * V::LANES;
    type F = [V::F; 2];
    type I = [V::I; 2];
    type M = [V::M; 2];

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> [V::F; 2] {
        // SAFETY: the caller vouches for both vectors.
        unsafe { [self.0.load(p), self.0.load(p.add(V::LANES))] }
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, [low, high]: [V::F; 2]) {
        // SAFETY: the caller vouches for both vectors.
        unsafe {
            self.0.store(p, low);
            self.0.store(p.add(V::LANES), high);
        }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> [V::F; 2] {
        [self.0.splat(x); 2]
    }

    #[inline(always)]
    fn splat_i(self, x: i32) -> [V::I; 2] {
        [self.0.splat_i(x); 2]
    }

    operations! {
        add(a: F, b: F) -> F;
        sub(a: F, b: F) -> F;
        mul(a: F, b: F) -> F;
        div(a: F, b: F) -> F;
        sqrt(a: F) -> F;
        fma(a: F, b: F, c: F) -> F;
        fnma(a: F, b: F, c: F) -> F;
        lt(a: F, b: F) -> M;
        le(a: F, b: F) -> M;
        is_nan(a: F) -> M;
        select(mask: M, a: F, b: F) -> F;
        clear(mask: M, a: F) -> F;
        bits(a: F) -> I;
        of_bits(a: I) -> F;
        to_float(a: I) -> F;
        add_i(a: I, b: I) -> I;
        sub_i(a: I, b: I) -> I;
        and_i(a: I, b: I) -> I;
        or_i(a: I, b: I) -> I;
    }

    #[inline(always)]
    fn shift_left<const N: i32>(self, [low, high]: [V::I; 2]) -> [V::I; 2] {
        [self.0.shift_left::<N>(low), self.0.shift_left::<N>(high)]
    }

    #[inline(always)]
    fn shift_right<const N: i32>(self, [low, high]: [V::I; 2]) -> [V::I; 2] {
        [self.0.shift_right::<N>(low), self.0.shift_right::<N>(high)]
    }
}
