//! Setters that look alike.

/// Setters of a link's own numbers, each with an example.
macro_rules! settings {
    ($type:ident, $make:literal: $($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl $type {
            $(
                $(#[$doc])*
                ///
                /// ```
                #[doc = concat!("let link = maas_train::", $make, ".", stringify!($name), "(", $value, ");")]
                /// ```
                pub fn $name(self, $name: f32) -> Self {
                    Self { $name, ..self }
                }
            )*
        }
    };
}

/// Setters of the numbers of an optimiser's link.
macro_rules! link_settings {
    ($type:ident, $field:ident: $($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl $type {
            $(
                $(#[$doc])*
                ///
                /// ```
                #[doc = concat!("let optimizer = maas_train::", stringify!($type), "::new(1e-3).", stringify!($name), "(", $value, ");")]
                /// ```
                pub fn $name(self, $name: f32) -> Self {
                    Self { $field: self.$field.$name($name), ..self }
                }
            )*
        }
    };
}

/// `apply` and `step_fused` of a link whose direction is a kernel's.
macro_rules! directed {
    () => {
        fn acts(&self) -> Acts {
            Acts::BeforeStep
        }

        fn apply(&self, step: &Step, block: &mut Block<'_>) {
            let direction = self.direction(step, block.scalars);
            let state = block.state.all();
            step.kernels.direct(block.update, state, direction);
        }

        fn step_fused(&self, step: &Step, block: &mut Block<'_>) -> Fused {
            let direction = self.direction(step, block.scalars);
            let (state, around) = (block.state.all(), Around::step(step.learning_rate));
            step.kernels
                .step_along(block.parameters, block.update, state, direction, around);
            Fused::Done
        }
    };
}

pub(super) use {directed, link_settings, settings};
