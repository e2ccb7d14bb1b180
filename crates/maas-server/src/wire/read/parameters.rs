use maas_service::{Parameter, Parameters};

use crate::wire::json::{Scanner, Stop, found};

/// Reads an object of strings, numbers and booleans.
pub(super) fn parameters(scanner: &mut Scanner<'_>) -> Result<Parameters, Stop> {
    let mut parameters = Parameters::default();
    scanner.object("an object of parameters", |scanner, name| {
        if parameters.get(&name).is_some() {
            return Err(scanner.duplicate(&name));
        }
        let value = parameter(scanner, &name)?;
        parameters.set(name, value);
        Ok(())
    })?;
    Ok(parameters)
}

/// Reads the value of a parameter.
pub(super) fn parameter(scanner: &mut Scanner<'_>, name: &str) -> Result<Parameter, Stop> {
    if scanner.peek() == Some(b'"') {
        return Ok(scanner.string("a string")?.into_owned().into());
    }
    let text = scanner.value()?;
    scalar(text).ok_or_else(|| {
        let found = found(text);
        format!("parameter `{name}` must be a string, a number or a boolean, found {found}").into()
    })
}

/// The number or boolean that a text is.
fn scalar(text: &[u8]) -> Option<Parameter> {
    match text {
        b"true" => return Some(true.into()),
        b"false" => return Some(false.into()),
        [b'-' | b'0'..=b'9', ..] => {}
        _ => return None,
    }
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    let value = text.parse::<f64>().ok()?;
    value.is_finite().then(|| value.into())
}
