use std::fs;
use std::path::Path;

use maas_core::{Context, Model, Outputs, Scratch, Signature, TensorView};
use maas_data::Dataset;
use maas_nn::{Layers, Network, PackedNetwork, Representation};
use ndarray::{Array2, ArrayView2};

use crate::compile::{LayerChoice, Sample, Target, choose};
use crate::file::save;
use crate::{Error, Pruned, format};

/// A network packed for answers, whose file is as short as its zeros and few distinct values let it be.
///
/// It answers with the bits of the network that it was made of, whatever its layers are packed as: which
/// representation is the fastest is measured ([`CompressedNetwork::compile`]), and can change nothing else.
///
/// Its file holds masks, positions of the weights that are not zero, and the weights as codes on a grid, places in a palette,
/// or numbers of as many bits as they need, whichever is shortest, all of it entropy coded. `docs/formats.md` says which bytes.
///
/// ```
/// use maas_compress::{CompressedNetwork, Prune, SoftThreshold};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
/// use ndarray::array;
///
/// let mut network = Sequential::rows(64).dense(128).relu().dense(1).build(Seed(7))?;
/// SoftThreshold::to_sparsity(0.9).prune(&mut network)?;
///
/// let bytes = CompressedNetwork::new(network.clone())?.to_bytes()?;
/// assert!(bytes.len() * 5 < network.parameters().len() * size_of::<f32>());
///
/// let compressed = CompressedNetwork::from_bytes(&bytes)?;
/// assert_eq!(compressed.network().parameters(), network.parameters());
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CompressedNetwork {
    packed: PackedNetwork,
    choices: Vec<LayerChoice>,
}

impl CompressedNetwork {
    /// A compressed network with the parameters, state and masks of this one, every layer dense; the masks are applied.
    ///
    /// # Errors
    /// [`Error::Network`] when the weights of a layer of eight bits are not finite.
    ///
    /// See the type for an example.
    pub fn new(network: Network) -> Result<Self, Error> {
        Self::pack(network, |_| Representation::Dense)
    }

    fn pack(
        mut network: Network,
        representation: impl FnMut(&str) -> Representation,
    ) -> Result<Self, Error> {
        network.apply_masks();
        Ok(Self {
            packed: PackedNetwork::new(network, representation)?,
            choices: Vec::new(),
        })
    }

    /// The network with each dense layer in the representation that suits the target best. The layers are timed on this
    /// machine, on what reaches them when the network's inputs are standard normal.
    ///
    /// # Errors
    /// As for [`CompressedNetwork::new`].
    ///
    /// ```
    /// use maas_compress::{CompressedNetwork, HardThreshold, Prune, Target};
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let mut network = Sequential::rows(64).dense(64).relu().dense(1).build(Seed(7))?;
    /// HardThreshold::to_sparsity(0.95).prune(&mut network)?;
    /// let compiled = CompressedNetwork::compile(network, &Target::rows(16))?;
    /// for choice in compiled.choices() {
    ///     println!("{}: {}, {}", choice.layer, choice.chosen, choice.measured().latency);
    /// }
    /// # assert_eq!(compiled.choices().len(), 2);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn compile(network: Network, target: &Target) -> Result<Self, Error> {
        let sample = Sample::normal(&network, target.rows);
        Self::compile_with(network, target, &sample)
    }

    /// As [`CompressedNetwork::compile`], timed on rows of these data.
    ///
    /// # Errors
    /// As for [`CompressedNetwork::new`], and [`Error::Network`] when the data do not fit the network.
    ///
    /// ```
    /// use maas_compress::{CompressedNetwork, Target};
    /// use maas_core::Seed;
    /// use maas_data::Dataset;
    /// use maas_nn::Sequential;
    /// use ndarray::Array2;
    ///
    /// let network = Sequential::rows(4).dense(8).relu().dense(1).build(Seed(7))?;
    /// let data = Dataset::unlabelled(Array2::ones((10, 4)).view()).unwrap();
    /// let compiled = CompressedNetwork::compile_on(network, &Target::rows(32), &data)?;
    /// assert_eq!(compiled.choices().len(), 2);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn compile_on(network: Network, target: &Target, data: &Dataset) -> Result<Self, Error> {
        let sample = Sample::of(data, target.rows);
        Self::compile_with(network, target, &sample)
    }

    /// This network compiled anew: for another target, or on another machine than where its file was written.
    ///
    /// # Errors
    /// As for [`CompressedNetwork::new`].
    ///
    /// ```
    /// use maas_compress::{CompressedNetwork, HardThreshold, Prune, Target};
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let mut network = Sequential::rows(64).dense(64).relu().dense(1).build(Seed(7))?;
    /// HardThreshold::to_sparsity(0.95).prune(&mut network)?;
    /// let bytes = CompressedNetwork::compile(network, &Target::rows(1))?.to_bytes()?;
    ///
    /// let as_stored = CompressedNetwork::from_bytes(&bytes)?;
    /// let anew = as_stored.recompile(&Target::rows(64))?;
    /// assert_eq!(anew.choices().len(), 2);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn recompile(self, target: &Target) -> Result<Self, Error> {
        Self::compile(self.into_network(), target)
    }

    fn compile_with(mut network: Network, target: &Target, sample: &Sample) -> Result<Self, Error> {
        network.apply_masks();
        let choices = choose(&network, target, sample)?;
        let forms: Vec<_> = (choices.iter())
            .map(|choice| (&choice.layer, choice.chosen))
            .collect();
        let packed = PackedNetwork::new(network, |layer| form_of(layer, &forms))?;
        Ok(Self { packed, choices })
    }

    /// What was chosen for each dense layer, and from what; nothing where the network was not compiled here.
    ///
    /// ```
    /// # use {maas_compress::CompressedNetwork, maas_core::Seed, maas_nn::Sequential};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// assert!(CompressedNetwork::new(network)?.choices().is_empty());
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn choices(&self) -> &[LayerChoice] {
        &self.choices
    }

    /// The network in packed form, with the representation of each layer.
    ///
    /// ```
    /// # use {maas_compress::CompressedNetwork, maas_core::Seed, maas_nn::Sequential};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// assert_eq!(CompressedNetwork::new(network)?.packed().packed_bytes(), 0);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn packed(&self) -> &PackedNetwork {
        &self.packed
    }

    /// The network, with its zeros.
    ///
    /// ```
    /// # use {maas_compress::CompressedNetwork, maas_core::Seed, maas_nn::Sequential};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// assert_eq!(CompressedNetwork::new(network)?.network().segments().len(), 2);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn network(&self) -> &Network {
        self.packed.network()
    }

    /// The network, to be fine-tuned further; its masks are those that it was compressed with.
    ///
    /// ```
    /// # use {maas_compress::CompressedNetwork, maas_core::Seed, maas_nn::Sequential};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// assert_eq!(CompressedNetwork::new(network)?.into_network().segments().len(), 2);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn into_network(self) -> Network {
        self.packed.into_network()
    }

    /// How many weights there are and how many are zero.
    ///
    /// ```
    /// # use {maas_compress::CompressedNetwork, maas_core::Seed, maas_nn::Sequential};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// assert_eq!(CompressedNetwork::new(network)?.pruned().weights, 4);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn pruned(&self) -> Pruned {
        Pruned::of(self.network())
    }

    /// The answers for rows × inputs numbers, as rows × outputs.
    ///
    /// # Errors
    /// Those of [`Network::predict`].
    ///
    /// ```
    /// # use {maas_compress::CompressedNetwork, maas_core::Seed, maas_nn::Sequential, ndarray::array};
    /// let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// let rows = array![[1.0, 2.0]];
    /// assert_eq!(CompressedNetwork::new(network.clone())?.predict(rows.view())?, network.predict(rows.view())?);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn predict(&self, rows: ArrayView2<'_, f32>) -> Result<Array2<f32>, Error> {
        Ok(self.packed.predict(rows)?)
    }

    /// The content of the file: the network, and the representation of each layer.
    ///
    /// Those that were chosen by a stopwatch may be others the next time; a network that was not compiled has the same bytes always.
    ///
    /// # Errors
    /// [`FileFault::Header`](crate::FileFault::Header) when a layer's configuration cannot be written as JSON.
    ///
    /// ```
    /// # use {maas_compress::CompressedNetwork, maas_core::Seed, maas_nn::Sequential};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// assert!(CompressedNetwork::new(network)?.to_bytes()?.starts_with(b"MAAS"));
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok(self.written()?.bytes)
    }

    pub(crate) fn written(&self) -> Result<format::Written, Error> {
        let forms: Vec<_> = self.packed.representations().collect();
        Ok(format::write(self.network(), |layer| {
            form_of(layer, &forms)
        })?)
    }

    /// The network that the bytes of a file hold, made of standard layers, in the representations that it was written with;
    /// [`recompile`](Self::recompile) chooses anew.
    ///
    /// # Errors
    /// [`Error::File`] with what is wrong with the bytes, [`Error::Network`] when they describe no sound network. Whatever
    /// the bytes, no more than 1024 times their length of memory is taken for the network, and a small multiple of that while it
    /// is read.
    ///
    /// ```
    /// assert!(maas_compress::CompressedNetwork::from_bytes(b"").is_err());
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_bytes_with(bytes, &Layers::standard())
    }

    /// As [`CompressedNetwork::from_bytes`], with a table that knows the network's own layers.
    ///
    /// # Errors
    /// Those of [`CompressedNetwork::from_bytes`].
    ///
    /// ```
    /// use maas_nn::Layers;
    /// assert!(maas_compress::CompressedNetwork::from_bytes_with(b"", &Layers::standard()).is_err());
    /// ```
    pub fn from_bytes_with(bytes: &[u8], layers: &Layers) -> Result<Self, Error> {
        let content = format::read(bytes, layers)?;
        Self::pack(content.network, |layer| {
            form_of(layer, &content.representations)
        })
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`]; those of [`CompressedNetwork::to_bytes`].
    ///
    /// ```
    /// # use {maas_compress::CompressedNetwork, maas_core::Seed, maas_nn::Sequential};
    /// # let path = std::env::temp_dir().join(format!("maas-compress-save-{}", std::process::id()));
    /// let network = CompressedNetwork::new(Sequential::rows(4).dense(1).build(Seed(7))?)?;
    /// network.save(&path)?;
    /// let again = CompressedNetwork::load(&path)?;
    /// assert_eq!(again.network().fingerprint(), network.network().fingerprint());
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        save(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads a file of a network made of standard layers, each in the representation that it was written with:
    /// `CompressedNetwork::load(path)?.recompile(&target)?` chooses anew, for a target and this machine.
    ///
    /// # Errors
    /// [`Error::Io`]; those of [`CompressedNetwork::from_bytes`].
    ///
    /// ```
    /// let error = maas_compress::CompressedNetwork::load("no-such-file.maas").unwrap_err();
    /// assert_eq!(error.to_string(), "cannot access no-such-file.maas");
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::load_with(path, &Layers::standard())
    }

    /// As [`CompressedNetwork::load`], with a table that knows the network's own layers.
    ///
    /// # Errors
    /// Those of [`CompressedNetwork::load`].
    ///
    /// ```
    /// use maas_nn::Layers;
    /// assert!(maas_compress::CompressedNetwork::load_with("no-such-file.maas", &Layers::standard()).is_err());
    /// ```
    pub fn load_with(path: impl AsRef<Path>, layers: &Layers) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes_with(&bytes, layers)
    }
}

impl Model for CompressedNetwork {
    fn signature(&self) -> &Signature {
        self.packed.signature()
    }

    fn scratch(&self, max_rows: usize) -> Result<Scratch, maas_core::Error> {
        self.packed.scratch(max_rows)
    }

    fn predict(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut Outputs<'_>,
        context: &mut Context,
    ) -> Result<(), maas_core::Error> {
        Model::predict(&self.packed, inputs, outputs, context)
    }

    fn platform(&self) -> &str {
        "maas_compressed"
    }
}

/// Of a layer among these, by name; others are dense.
fn form_of(layer: &str, forms: &[(impl AsRef<str>, Representation)]) -> Representation {
    let known = forms.iter().find(|(name, _)| name.as_ref() == layer);
    known.map_or(Representation::Dense, |&(_, form)| form)
}
