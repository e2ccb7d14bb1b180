//! Tensors that fit a model's signature, in all forms of the protocol.

use serde_json::{Value, json};

/// A tensor of some sample values.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) datatype: String,
    pub(crate) shape: Vec<usize>,
}

/// Rows where their number is free.
const ROWS: usize = 2;

impl Tensor {
    /// From the metadata of an input.
    pub(crate) fn of(metadata: &Value) -> Result<Self, String> {
        let text = |key: &str| {
            metadata[key]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("an input without {key}: {metadata}"))
        };
        let shape = metadata["shape"]
            .as_array()
            .ok_or_else(|| format!("an input without shape: {metadata}"))?;
        let length = |(axis, length): (usize, &Value)| match length.as_i64() {
            Some(-1) if axis == 0 => Ok(ROWS),
            Some(-1) => Ok(1),
            Some(length) => usize::try_from(length).map_err(|_| format!("a length of {length}")),
            None => Err(format!("a length of {length}")),
        };
        let shape = shape
            .iter()
            .enumerate()
            .map(length)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: text("name")?,
            datatype: text("datatype")?,
            shape,
        })
    }

    pub(crate) fn with_rows(&self, rows: usize) -> Self {
        let mut tensor = self.clone();
        if let Some(first) = tensor.shape.first_mut() {
            *first = rows;
        }
        tensor
    }

    pub(crate) fn has_json(&self) -> bool {
        !matches!(&*self.datatype, "FP16" | "BF16")
    }

    fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    fn values(&self) -> Vec<Value> {
        let value = |element: usize| match &*self.datatype {
            "BOOL" => json!(element.is_multiple_of(2)),
            "BYTES" => json!(format!("text {element}")),
            "FP32" | "FP64" => json!(0.5 * (element % 7) as f64),
            _ => json!(element % 7),
        };
        (0..self.elements()).map(value).collect()
    }

    /// With flat data.
    pub(crate) fn flat(&self) -> Value {
        self.with_data(&self.values().into())
    }

    /// With data nested as the shape is.
    pub(crate) fn nested(&self) -> Value {
        let mut values = self.values();
        for &length in self.shape.iter().skip(1).rev() {
            values = values
                .chunks(length.max(1))
                .map(|chunk| chunk.to_vec().into())
                .collect();
        }
        self.with_data(&values.into())
    }

    fn with_data(&self, data: &Value) -> Value {
        json!({ "name": self.name, "datatype": self.datatype, "shape": self.shape, "data": data })
    }

    /// What stands in the JSON for data that come as bytes.
    pub(crate) fn binary(&self) -> Value {
        json!({
            "name": self.name, "datatype": self.datatype, "shape": self.shape,
            "parameters": { "binary_data_size": self.bytes().len() },
        })
    }

    /// Little-endian, row by row; texts behind their lengths.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (element, value) in self.values().iter().enumerate() {
            let whole = (element % 7) as u64;
            match &*self.datatype {
                "BOOL" => bytes.push(u8::from(value == true)),
                "BYTES" => {
                    let text = value.as_str().unwrap_or_default();
                    bytes.extend((text.len() as u32).to_le_bytes());
                    bytes.extend(text.as_bytes());
                }
                "FP16" => bytes.extend(0x3800_u16.to_le_bytes()),
                "BF16" => bytes.extend(0x3f00_u16.to_le_bytes()),
                "FP32" => bytes.extend((0.5 * whole as f32).to_le_bytes()),
                "FP64" => bytes.extend((0.5 * whole as f64).to_le_bytes()),
                name => bytes.extend(&whole.to_le_bytes()[..width(name)]),
            }
        }
        bytes
    }
}

/// The bytes of a whole number.
fn width(datatype: &str) -> usize {
    match datatype.trim_start_matches(|letter: char| !letter.is_ascii_digit()) {
        "8" => 1,
        "16" => 2,
        "32" => 4,
        _ => 8,
    }
}

/// The values of an output that came as bytes, as JSON would have them.
pub(crate) fn decode(datatype: &str, bytes: &[u8]) -> Result<Value, String> {
    let mut values = Vec::new();
    let mut rest = bytes;
    let size = match datatype {
        "BOOL" => 1,
        "FP16" | "BF16" => 2,
        "FP32" | "BYTES" => 4,
        "FP64" => 8,
        name => width(name),
    };
    while !rest.is_empty() {
        let (element, behind) = rest
            .split_at_checked(size)
            .ok_or_else(|| format!("{} bytes are left over", rest.len()))?;
        rest = behind;
        let mut wide = [0; 8];
        wide[..size].copy_from_slice(element);
        let whole = u64::from_le_bytes(wide);
        values.push(match datatype {
            "BOOL" => json!(whole == 1),
            "FP32" => json!(f32::from_bits(whole as u32)),
            "FP64" => json!(f64::from_bits(whole)),
            "BYTES" => {
                let (text, behind) = rest
                    .split_at_checked(whole as usize)
                    .ok_or("a text is cut off")?;
                rest = behind;
                json!(String::from_utf8_lossy(text))
            }
            "INT8" => json!(whole as u8 as i8),
            "INT16" => json!(whole as u16 as i16),
            "INT32" => json!(whole as u32 as i32),
            "INT64" => json!(whole as i64),
            _ => json!(whole),
        });
    }
    Ok(values.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_json_say_the_same() {
        for datatype in [
            "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
            "FP32", "FP64", "BYTES",
        ] {
            let tensor = Tensor {
                name: "x".to_owned(),
                datatype: datatype.to_owned(),
                shape: vec![2, 3],
            };
            assert_eq!(
                decode(datatype, &tensor.bytes()),
                Ok(tensor.flat()["data"].clone()),
                "{datatype}"
            );
        }
        assert!(decode("INT32", &[0; 5]).is_err());
        assert!(decode("BYTES", &[9, 0, 0, 0, 1]).is_err());
    }

    #[test]
    fn nested_data_have_the_shape() {
        let tensor = Tensor {
            name: "x".to_owned(),
            datatype: "INT32".to_owned(),
            shape: vec![2, 3],
        };
        assert_eq!(tensor.nested()["data"], json!([[0, 1, 2], [3, 4, 5]]));
    }
}
