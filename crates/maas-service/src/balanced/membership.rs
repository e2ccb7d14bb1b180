//! Who is in a pool.

use maas_schedule::{Drain, MemberRef, MemberStatus, Policy};

use super::Balanced;
use crate::{ServeError, Service};

impl<S: Service, P: Policy> Balanced<S, P> {
    /// Adds a member, which serves from now on.
    ///
    /// # Errors
    ///
    /// [`ServeError::DifferentSignatures`] when it is not of the pool's model, [`ServeError::Member`] when the name is taken.
    ///
    /// See the type for an example.
    pub fn add(&self, name: impl Into<String>, service: S) -> Result<(), ServeError> {
        let name = name.into();
        if service.describe().signature != self.description.signature {
            return Err(ServeError::DifferentSignatures { name });
        }
        Ok(self.members.add(name, service)?)
    }

    /// Takes a member out: no other request begins there. What is returned says when the last one has ended.
    ///
    /// # Errors
    ///
    /// [`ServeError::Member`] when nobody has this name.
    ///
    /// See the type for an example.
    pub fn remove(&self, name: &str) -> Result<Drain<S>, ServeError> {
        Ok(self.members.remove(name)?)
    }

    /// How much a member serves beside the others, where the policy goes by weights.
    ///
    /// # Errors
    ///
    /// [`ServeError::Member`] when nobody has this name.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Balanced::over([LocalModel::new(model)])?;
    /// pool.set_weight("0", 3)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_weight(&self, name: &str, weight: u32) -> Result<(), ServeError> {
        Ok(self.members.set_weight(name, weight)?)
    }

    /// Whether a member is given requests, whatever it says itself.
    ///
    /// # Errors
    ///
    /// [`ServeError::Member`] when nobody has this name.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Balanced::over([LocalModel::new(model)])?;
    /// pool.set_up("0", false)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_up(&self, name: &str, up: bool) -> Result<(), ServeError> {
        Ok(self.members.set_up(name, up)?)
    }

    /// How each member is, in the order in which they were added.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Balanced::over([LocalModel::new(model)])?;
    /// assert_eq!((pool.members()[0].in_flight, pool.members()[0].served), (0, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn members(&self) -> Vec<MemberStatus> {
        self.members.members()
    }

    /// The member of this name.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Balanced::over([LocalModel::new(model)])?;
    /// assert!(pool.member("0").is_some() && pool.member("1").is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn member(&self, name: &str) -> Option<MemberRef<S>> {
        self.members.get(name)
    }
}
