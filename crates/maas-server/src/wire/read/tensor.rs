use std::borrow::Cow;

use maas_core::{DType, Shape, Tensor};
use maas_service::{NamedTensor, Parameter, Parameters};

use super::{Rejection, field, parameter};
use crate::wire::data;
use crate::wire::json::{Number, Scanner, Stop};
use crate::wire::tail::Tail;

/// What of the protocol's extensions would change the answer's meaning, if it were not looked at.
const UNSUPPORTED: [(&str, &str); 2] = [
    ("shared_memory_region", "shared memory"),
    ("classification", "classification"),
];

/// A shape has no more dimensions: errors name shapes in full.
pub(crate) const DIMENSIONS: usize = 64;

/// Reads an array of tensors, each of which is `what`.
pub(super) fn all(
    scanner: &mut Scanner<'_>,
    what: &str,
    tail: &mut Tail,
) -> Result<Vec<NamedTensor>, Stop> {
    let mut tensors = Vec::new();
    scanner.array("an array of tensors", |scanner| {
        let mut description = Description::default();
        scanner.object("a tensor", |scanner, key| {
            description.member(&key, scanner, what)
        })?;
        tensors.push(description.tensor(scanner, what, tail)?);
        Ok(())
    })?;
    Ok(tensors)
}

pub(crate) fn check_supported(
    what: &str,
    name: &str,
    parameters: &Parameters,
) -> Result<(), Rejection> {
    match parameters.iter().find_map(|(name, _)| unsupported(name)) {
        Some(feature) => Err(no_feature(what, name, feature)),
        None => Ok(()),
    }
}

/// The feature that a parameter asks for, if it is one that is not there.
fn unsupported(parameter: &str) -> Option<&'static str> {
    let found = UNSUPPORTED.iter().find(|(name, _)| *name == parameter);
    found.map(|&(_, feature)| feature)
}

fn no_feature(what: &str, name: &str, feature: &str) -> Rejection {
    Rejection::Unsupported(format!("{what} `{name}`: {feature} is not supported"))
}

/// What a message says of a tensor.
#[derive(Default)]
struct Description<'a> {
    name: Option<Option<Cow<'a, str>>>,
    datatype: Option<Option<Cow<'a, str>>>,
    shape: Option<Option<Shape>>,
    beside: Option<Option<Beside>>,
    data: Option<Option<Data<'a>>>,
}

/// What matters of a tensor's parameters.
#[derive(Default)]
struct Beside {
    binary_size: Option<Parameter>,
    unsupported: Option<&'static str>,
}

enum Data<'a> {
    Read(Tensor),
    /// The tensor's type or shape was not known yet.
    At(Scanner<'a>),
}

impl<'a> Description<'a> {
    fn member(&mut self, key: &str, scanner: &mut Scanner<'a>, what: &str) -> Result<(), Stop> {
        match key {
            "name" => field(&mut self.name, "name", scanner, |scanner| {
                scanner.string("a string")
            }),
            "datatype" => field(&mut self.datatype, "datatype", scanner, |scanner| {
                scanner.string("a string")
            }),
            "shape" => field(&mut self.shape, "shape", scanner, shape),
            "parameters" => field(&mut self.beside, "parameters", scanner, beside),
            "data" => {
                let known = self.known();
                field(&mut self.data, "data", scanner, |scanner| match known {
                    Some((name, dtype, shape)) => data::tensor(dtype, shape, scanner)
                        .map(Data::Read)
                        .map_err(|stop| within(what, &name, stop)),
                    None => {
                        let at = scanner.clone();
                        data::count(scanner)?;
                        Ok(Data::At(at))
                    }
                })
            }
            _ => scanner.skip(),
        }
    }

    /// What is needed to read the data, if all of it came before them.
    fn known(&self) -> Option<(Cow<'a, str>, DType, Shape)> {
        let dtype = self.datatype.as_ref()?.as_ref()?.parse().ok()?;
        let shape = self.shape.as_ref()?.as_ref()?.clone();
        Some((self.name.as_ref()?.as_ref()?.clone(), dtype, shape))
    }

    fn tensor(
        self,
        scanner: &Scanner<'_>,
        what: &str,
        tail: &mut Tail,
    ) -> Result<NamedTensor, Stop> {
        let name = self.name.flatten().ok_or_else(|| scanner.missing("name"))?;
        let shape = self
            .shape
            .flatten()
            .ok_or_else(|| scanner.missing("shape"))?;
        let datatype = self
            .datatype
            .flatten()
            .ok_or_else(|| scanner.missing("datatype"))?;
        let beside = self.beside.flatten().unwrap_or_default();
        if let Some(feature) = beside.unsupported {
            return Err(no_feature(what, &name, feature).into());
        }
        let tensor = values(
            &datatype,
            shape,
            self.data.flatten(),
            beside.binary_size,
            tail,
        )
        .map_err(|stop| within(what, &name, stop))?;
        Ok(NamedTensor::new(&*name, tensor))
    }
}

fn values(
    datatype: &str,
    shape: Shape,
    data: Option<Data<'_>>,
    binary_size: Option<Parameter>,
    tail: &mut Tail,
) -> Result<Tensor, Stop> {
    let dtype: DType = datatype
        .parse()
        .map_err(|error: maas_core::Error| error.to_string())?;
    match (data, binary_size) {
        (Some(Data::Read(tensor)), None) => Ok(tensor),
        (Some(Data::At(mut scanner)), None) => data::tensor(dtype, shape, &mut scanner),
        (None, Some(size)) => Ok(tail.tensor(dtype, shape, bytes(&size)?)?),
        (None, None) => Err("`data` is missing".into()),
        (Some(_), Some(_)) => {
            Err("there is `data` and `binary_data_size`: expected one of them".into())
        }
    }
}

fn beside(scanner: &mut Scanner<'_>) -> Result<Beside, Stop> {
    let mut beside = Beside::default();
    scanner.object("an object of parameters", |scanner, name| {
        let value = parameter(scanner, &name)?;
        if name == "binary_data_size" && beside.binary_size.replace(value).is_some() {
            return Err(scanner.duplicate(&name));
        }
        beside.unsupported = beside.unsupported.or(unsupported(&name));
        Ok(())
    })?;
    Ok(beside)
}

fn bytes(size: &Parameter) -> Result<usize, String> {
    let bytes = size.as_u64().and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or_else(|| {
        format!("parameter `binary_data_size` must be a number of bytes, found {size:?}")
    })
}

fn shape(scanner: &mut Scanner<'_>) -> Result<Shape, Stop> {
    let mut lengths = Vec::new();
    scanner.array("an array of lengths", |scanner| {
        if lengths.len() == DIMENSIONS {
            return Err(format!("a shape has at most {DIMENSIONS} dimensions").into());
        }
        let is_negative = scanner.peek() == Some(b'-');
        match u64::read(scanner.rest()) {
            Some((length, bytes)) if !is_negative => {
                lengths.push(usize::try_from(length).map_err(|error| error.to_string())?);
                scanner.advance(bytes);
                Ok(())
            }
            _ => Err(scanner.no_length()),
        }
    })?;
    Ok(lengths.into())
}

/// Says which tensor it is about.
fn within(what: &str, name: &str, stop: Stop) -> Stop {
    match stop {
        Stop::Rejected(Rejection::Malformed(reason)) => format!("{what} `{name}`: {reason}").into(),
        other => other,
    }
}
