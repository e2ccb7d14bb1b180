use maas_core::Moments;
use maas_nn::{Layers, Mask, Network, NetworkSpec, Representation, Updates};

use super::array::Array;
use super::coder::{Coder, Decoder};
use super::header::{columns, dense_layers, moments, representations};
use super::text::text;
use super::{EXPANSION, FLOAT, MAGIC, PREFIX, TEXT, VERSION, checksum};
use crate::{Error, FileFault};

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) network: Network,
    /// How each dense layer is to be packed, by name.
    pub(crate) representations: Vec<(String, Representation)>,
}

/// What these bytes hold.
///
/// Every length is checked against the bytes that there are before memory is taken for it.
pub(crate) fn read(bytes: &[u8], layers: &Layers) -> Result<Content, Error> {
    let stream = open(bytes)?;
    let mut reader = Reader {
        decoder: Decoder::new(stream),
        memory: 0,
        file: bytes.len() as u64,
    };
    let spec = reader.spec()?;
    reader.take(FLOAT, spec.buffer_len(layers)? as u64)?;
    let mut network = Network::zeroed(spec, layers)?;
    reader.parameters(&mut network)?;
    reader.state(&mut network)?;
    let representations = reader.representations(network.spec());
    reader.end(stream)?;
    Ok(Content {
        network,
        representations,
    })
}

/// The coded stream of a file that is what was written.
fn open(bytes: &[u8]) -> Result<&[u8], FileFault> {
    let start = &bytes[..bytes.len().min(MAGIC.len())];
    if start != MAGIC {
        return Err(FileFault::Magic {
            found: start.to_vec(),
        });
    }
    let Some(([_, _, _, _, version, sum @ ..], stream)) = bytes.split_first_chunk::<PREFIX>()
    else {
        return Err(FileFault::Truncated {
            expected: PREFIX as u64,
            found: bytes.len() as u64,
        });
    };
    if *version != VERSION {
        return Err(FileFault::Version {
            expected: VERSION,
            found: *version,
        });
    }
    let (expected, found) = (u32::from_le_bytes(*sum), checksum(stream));
    if expected != found {
        return Err(FileFault::Checksum { expected, found });
    }
    Ok(stream)
}

struct Reader<'a> {
    decoder: Decoder<'a>,
    /// What is taken for the content so far, in bytes.
    memory: u64,
    /// Bytes of the file.
    file: u64,
}

impl Reader<'_> {
    /// Accounts for memory before it is taken.
    fn take(&mut self, size: u64, count: u64) -> Result<(), FileFault> {
        self.memory = self.memory.saturating_add(size.saturating_mul(count));
        let limit = self.file.saturating_mul(EXPANSION);
        if self.memory > limit {
            return Err(FileFault::Expansion {
                file: self.file,
                limit,
                found: self.memory,
            });
        }
        Ok(())
    }

    fn spec(&mut self) -> Result<NetworkSpec, Error> {
        let limit = (self.file * EXPANSION / TEXT) as usize;
        let json = text(&mut self.decoder, "", limit);
        self.take(TEXT, json.len() as u64)?;
        let mut spec: NetworkSpec = serde_json::from_slice(&json).map_err(FileFault::Header)?;
        for moments in moments(&mut spec) {
            let length = self.decoder.length(0);
            let mut numbers = || {
                self.take(FLOAT, length.into())?;
                let mut array = Array::new(vec![0.0; length as usize], 1);
                array.read(&mut self.decoder)?;
                Ok::<_, FileFault>(array.numbers)
            };
            *moments = Moments::new(numbers()?, numbers()?).map_err(maas_nn::Error::from)?;
        }
        Ok(spec)
    }

    fn parameters(&mut self, network: &mut Network) -> Result<(), Error> {
        for segment in network.segments().to_vec() {
            let array = self.array(&segment.name, &segment.shape, segment.range.len())?;
            network.parameters_mut()[segment.range].copy_from_slice(&array.numbers);
            if let Some(kept) = array.mask {
                let mask = Mask::from_fn(kept.len(), |at| kept[at]);
                network.set_mask(&segment.name, mask)?;
            }
        }
        Ok(())
    }

    fn state(&mut self, network: &mut Network) -> Result<(), Error> {
        let mut state = network.state().to_vec();
        for segment in network.state_segments() {
            if segment.updates == Updates::InTraining {
                let array = self.array(&segment.name, &segment.shape, segment.range.len())?;
                state[segment.range.clone()].copy_from_slice(&array.numbers);
            }
        }
        network.set_state(&state)?;
        Ok(())
    }

    fn array(&mut self, name: &str, shape: &[usize], length: usize) -> Result<Array, FileFault> {
        let mut array = Array::new(vec![0.0; length], columns(shape));
        array
            .read(&mut self.decoder)
            .map_err(|source| FileFault::Segment {
                segment: name.to_owned(),
                source: Box::new(source),
            })?;
        if self.decoder.is_exhausted() {
            return Err(FileFault::Exhausted {
                segment: name.to_owned(),
            });
        }
        Ok(array)
    }

    fn representations(&mut self, spec: &NetworkSpec) -> Vec<(String, Representation)> {
        let names: Vec<String> = dense_layers(spec).map(str::to_owned).collect();
        let mut forms = vec![Representation::Dense; names.len()];
        representations(&mut self.decoder, &mut forms);
        names.into_iter().zip(forms).collect()
    }

    /// Checks that nothing but zeros follows, and as many of them as there have to be.
    fn end(&self, stream: &[u8]) -> Result<(), FileFault> {
        let coded = self.decoder.finish();
        let coded = coded.filter(|&coded| coded <= stream.len());
        let padding = coded.map(|coded| &stream[coded..]);
        let Some(padding) = padding.filter(|padding| padding.iter().all(|&byte| byte == 0)) else {
            return Err(FileFault::Ending);
        };
        let coded = self.file - padding.len() as u64;
        let expected = coded.max(self.memory.div_ceil(EXPANSION).max(PREFIX as u64));
        if expected != self.file {
            return Err(FileFault::Length {
                expected,
                found: self.file,
            });
        }
        Ok(())
    }
}
