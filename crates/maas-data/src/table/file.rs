use std::path::PathBuf;
use std::sync::Arc;

use super::cells::Cells;
use super::encoding::{Encoding, TargetColumns};
use super::learn::Learner;
use super::{Table, Target};
use crate::csv::Records;
use crate::source::DEFAULT_CHUNK_ROWS;
use crate::{Chunks, Classes, Csv, Dataset, Error, Input, Schema, Source, TargetKind};

/// The rows of a [`Table`] that stay in their file.
///
/// ```
/// # let path = std::env::temp_dir().join("maas-doc-on-disk.csv");
/// # std::fs::write(&path, "a,b\n1,2\n").unwrap();
/// let table: maas_data::Table<maas_data::OnDisk> = maas_data::Csv::new().stream(&path)?;
/// assert_eq!(table.names(), ["a", "b"]);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OnDisk {
    csv: Csv,
    path: PathBuf,
}

/// Tables on disk, and sources of them. To learn what is to be learnt of it, the file is read once.
impl Table<OnDisk> {
    pub(crate) fn on_disk(csv: Csv, path: PathBuf) -> Result<Self, Error> {
        let names = Arc::clone(Records::open(csv, &path)?.names());
        Self::with_rows(names, OnDisk { csv, path })
    }

    /// A regression: this column is to be learnt from all others in use.
    ///
    /// # Errors
    /// Those of [`Table::target`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-file-target.csv");
    /// # std::fs::write(&path, "a,b\n1,2\n3,4\n").unwrap();
    /// use maas_data::{Dataset, Source};
    /// let source = Dataset::stream_csv(&path)?.target("b")?.chunk_rows(1);
    /// assert_eq!((source.rows(), source.open(0)?.count()), (Some(2), 2));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn target(&self, name: &str) -> Result<CsvSource, Error> {
        self.targets(&[name])
    }

    /// A regression: these columns are to be learnt from all others in use.
    ///
    /// # Errors
    /// Those of [`Table::targets`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-file-targets.csv");
    /// # std::fs::write(&path, "a,b,c\n1,2,3\n").unwrap();
    /// use maas_data::{Dataset, Source, TargetKind};
    /// let source = Dataset::stream_csv(&path)?.targets(&["b", "c"])?;
    /// assert_eq!(source.schema().targets(), TargetKind::Values { width: 2 });
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn targets(&self, names: &[&str]) -> Result<CsvSource, Error> {
        self.source(Target::values(names))
    }

    /// A classification: this column names the class of each row.
    ///
    /// # Errors
    /// Those of [`Table::classes`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-file-classes.csv");
    /// # std::fs::write(&path, "a,b\n1,x\n2,y\n").unwrap();
    /// use maas_data::{Dataset, Source, TargetKind};
    /// let source = Dataset::stream_csv(&path)?.classes("b")?;
    /// assert_eq!(source.schema().targets(), TargetKind::Labels { classes: 2 });
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn classes(&self, name: &str) -> Result<CsvSource, Error> {
        self.source(Target::classes(name))
    }

    /// A classification whose classes are known.
    ///
    /// # Errors
    /// Those of [`Table::classes_among`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-file-classes-among.csv");
    /// # std::fs::write(&path, "a,b\n1,0\n2,1\n").unwrap();
    /// use maas_data::{Dataset, Source, TargetKind};
    /// let source = Dataset::stream_csv(&path)?.classes_among("b", 10)?;
    /// assert_eq!(source.schema().targets(), TargetKind::Labels { classes: 10 });
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn classes_among(
        &self,
        name: &str,
        classes: impl Into<Classes>,
    ) -> Result<CsvSource, Error> {
        self.source(Target::classes_among(name, classes))
    }

    /// Rows to be predicted: all columns in use are inputs.
    ///
    /// # Errors
    /// Those of [`Table::target`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-file-unlabelled.csv");
    /// # std::fs::write(&path, "a,b\n1,2\n").unwrap();
    /// use maas_data::{Dataset, Source, TargetKind};
    /// assert_eq!(Dataset::stream_csv(&path)?.unlabelled()?.schema().targets(), TargetKind::Unknown);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn unlabelled(&self) -> Result<CsvSource, Error> {
        self.source(Target::Unknown)
    }

    /// How these rows become numbers, to do the same to others. The file is read once, in bounded memory but for what a
    /// median has to keep: all numbers of its column.
    ///
    /// # Errors
    /// Those of [`Table::encoding`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-file-encoding.csv");
    /// # std::fs::write(&path, "a,b\nx,2\ny,4\n").unwrap();
    /// use maas_data::{Dataset, Target};
    /// let table = Dataset::stream_csv(&path)?.one_hot(&["a"])?;
    /// assert_eq!(table.encoding(Target::values(&["b"]))?.categories("a").unwrap(), ["x", "y"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn encoding(&self, target: Target) -> Result<Encoding, Error> {
        self.learn(target).map(|(encoding, _)| encoding)
    }

    /// The file as an encoding that was learnt elsewhere has it. Nothing but the header is read; the choices that were
    /// made of this table do not count.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-file-encoded.csv");
    /// # std::fs::write(&path, "a;b\n1;2\n").unwrap();
    /// use maas_data::{Csv, Dataset, Source, Target};
    /// let encoding = Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?.encoding(Target::values(&["b"]))?;
    /// let source = Csv::new().delimiter(b';').stream(&path)?.encoded_by(&encoding)?;
    /// assert_eq!(source.rows(), None);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn encoded_by(&self, encoding: &Encoding) -> Result<CsvSource, Error> {
        // An encoder finds all columns even if there are no rows.
        encoding.encode(&Cells::new(Arc::clone(&self.names)))?;
        CsvSource::new(self.rows.clone(), encoding.clone(), None)
    }

    fn source(&self, target: Target) -> Result<CsvSource, Error> {
        let (encoding, rows) = self.learn(target)?;
        CsvSource::new(self.rows.clone(), encoding, Some(rows))
    }

    fn learn(&self, target: Target) -> Result<(Encoding, u64), Error> {
        let mut learner = Learner::new(&self.names, &self.recipe, target)?;
        let mut records = Records::open(self.rows.csv, &self.rows.path)?;
        let mut cells = Cells::new(Arc::clone(records.names()));
        let mut rows = 0;
        while records.read(&mut cells, DEFAULT_CHUNK_ROWS)? > 0 {
            rows += learner.observe(&cells)?;
            cells.clear();
        }
        if rows == 0 {
            return Err(Error::NoRows);
        }
        Ok((learner.finish()?, rows))
    }
}

/// The rows of a file of separated values, chunk by chunk.
///
/// It is made by a `Table<OnDisk>` or by an [`Encoding`], and gives the same rows as a [`Table`] in memory does.
///
/// ```
/// # let path = std::env::temp_dir().join("maas-doc-csv-source.csv");
/// # std::fs::write(&path, "size,sex,species\n1,f,cat\n2,m,cat\n3,m,dog\n").unwrap();
/// use maas_data::{Dataset, Prefetch, Source};
///
/// let source = Dataset::stream_csv(&path)?.one_hot(&["sex"])?.classes("species")?;
/// for chunk in Prefetch::new(source.chunk_rows(2)).open(0)? {
///     let chunk = chunk?;
///     assert!(chunk.rows() <= 2);
///     assert_eq!(chunk.feature_names(), ["size", "sex=f", "sex=m"]);
/// }
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CsvSource {
    file: OnDisk,
    encoding: Arc<Encoding>,
    schema: Schema,
    rows: Option<u64>,
    chunk_rows: usize,
}

impl CsvSource {
    fn new(file: OnDisk, encoding: Encoding, rows: Option<u64>) -> Result<Self, Error> {
        Ok(Self {
            file,
            schema: schema(&encoding)?,
            encoding: Arc::new(encoding),
            rows,
            chunk_rows: DEFAULT_CHUNK_ROWS,
        })
    }

    /// Chunks of this many lines, at least one; by default of 8,192. Where rows are dropped a chunk has fewer.
    ///
    /// ```no_run
    /// use maas_data::Dataset;
    /// let source = Dataset::stream_csv("large.csv")?.target("price")?.chunk_rows(50_000);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn chunk_rows(mut self, rows: usize) -> Self {
        self.chunk_rows = rows.max(1);
        self
    }

    /// How its rows become numbers, to do the same to others.
    ///
    /// ```no_run
    /// use maas_data::Dataset;
    /// let source = Dataset::stream_csv("train.csv")?.one_hot(&["city"])?.target("price")?;
    /// let test = source.encoding().stream("test.csv")?;
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }
}

impl Source for CsvSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn rows(&self) -> Option<u64> {
        self.rows
    }

    fn open(&self, _epoch: u64) -> Result<Chunks, Error> {
        let records = Records::open(self.file.csv, &self.file.path)?;
        Ok(Box::new(Pass {
            cells: Cells::new(Arc::clone(records.names())),
            records,
            encoding: Arc::clone(&self.encoding),
            chunk_rows: self.chunk_rows,
        }))
    }
}

struct Pass {
    records: Records,
    cells: Cells,
    encoding: Arc<Encoding>,
    chunk_rows: usize,
}

impl Iterator for Pass {
    type Item = Result<Dataset, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.cells.clear();
            let read = self.records.read(&mut self.cells, self.chunk_rows);
            let encoded = match read {
                Ok(0) => return None,
                Ok(_) => self.encoding.encode(&self.cells),
                Err(error) => Err(error),
            };
            if let Some(item) = encoded.transpose() {
                return Some(item);
            }
        }
    }
}

fn schema(encoding: &Encoding) -> Result<Schema, Error> {
    let width = encoding.feature_names().len();
    let mut features = Vec::new();
    if width > 0 {
        features.push(Input::new("x", &[width], Vec::<f32>::new())?.spec());
    }
    for name in encoding.ids() {
        features.push(Input::new(name, &[1], Vec::<i32>::new())?.spec());
    }
    let targets = match &encoding.target {
        TargetColumns::Values(names) => TargetKind::Values { width: names.len() },
        TargetColumns::Classes { count, .. } => TargetKind::Labels { classes: *count },
        TargetColumns::Unknown => TargetKind::Unknown,
    };
    Ok(Schema::new(features, targets))
}
