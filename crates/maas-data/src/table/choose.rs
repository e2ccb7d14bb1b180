use super::Table;
use super::missing::Marks;
use super::recipe::Kind;
use super::target::first_repeated;
use crate::{Error, Missing};

/// Which columns are in use, and how they become numbers.
impl<R> Table<R> {
    /// The names of the columns in use, in order.
    ///
    /// ```
    /// assert_eq!(maas_data::Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?.names(), ["a", "b"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn names(&self) -> Vec<&str> {
        let selected = self.recipe.selected.iter();
        selected
            .map(|&column| self.names[column].as_str())
            .collect()
    }

    /// These columns alone, in this order. The target has to be among them.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`], [`Error::DuplicateColumn`] when one is named twice.
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b,c\n1,2,3\n".as_bytes())?;
    /// assert_eq!(table.columns(&["c", "a"])?.names(), ["c", "a"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn columns(mut self, names: &[&str]) -> Result<Self, Error> {
        if let Some(name) = first_repeated(names) {
            return Err(Error::DuplicateColumn {
                name: (*name).to_owned(),
            });
        }
        self.recipe.selected = self.indices(names)?;
        Ok(self)
    }

    /// All columns but these.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("id,a,b\n7,1,2\n".as_bytes())?;
    /// assert_eq!(table.without(&["id"])?.names(), ["a", "b"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn without(mut self, names: &[&str]) -> Result<Self, Error> {
        let left_out = self.indices(names)?;
        let selected = &mut self.recipe.selected;
        selected.retain(|column| !left_out.contains(column));
        Ok(self)
    }

    /// What is done about missing values, unless [`Table::missing_in`] says otherwise of a column. By default they are
    /// refused; so are those of categories when the rule is a mean or a median, which categories do not have.
    ///
    /// ```
    /// use maas_data::{Dataset, Missing};
    /// let table = Dataset::from_csv_reader("a,b\n1,2\n3,NA\n,4\n".as_bytes())?;
    /// assert_eq!(table.missing(Missing::Drop).target("b")?.rows(), 1);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    #[must_use]
    pub fn missing(mut self, rule: Missing) -> Self {
        self.recipe.missing = rule;
        self
    }

    /// What is done about missing values of these columns.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`]; when data are made, [`Error::NoStatistic`] for the mean or median of categories.
    ///
    /// ```
    /// use maas_data::{Dataset, Missing};
    /// let table = Dataset::from_csv_reader("a,b\n,2\n".as_bytes())?;
    /// let data = table.missing_in(&["a"], Missing::constant(-1))?.target("b")?;
    /// assert_eq!(data.x(), ndarray::array![[-1.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a rule is written where it is given"
    )]
    pub fn missing_in(mut self, names: &[&str], rule: Missing) -> Result<Self, Error> {
        for column in self.indices(names)? {
            self.recipe.rules[column] = Some(rule.clone());
        }
        Ok(self)
    }

    /// Which texts stand for a missing value, beside an empty cell. By default they are `NA`, `N/A`, `n/a`, `#N/A`,
    /// `<NA>`, `NaN`, `nan`, `-nan`, `NULL`, `null` and `?`.
    ///
    /// ```
    /// use maas_data::{Dataset, Missing};
    /// let table = Dataset::from_csv_reader("a,country\n-999,NA\n5,DE\n".as_bytes())?;
    /// let data = table.marks(&["-999"]).missing_in(&["a"], Missing::Mean)?.classes("country")?;
    /// assert_eq!(data.class_labels().unwrap(), ["DE", "NA"]);
    /// assert_eq!(data.x(), ndarray::array![[5.0], [5.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    #[must_use]
    pub fn marks(mut self, marks: &[&str]) -> Self {
        self.recipe.marks = Marks::new(marks);
        self
    }

    /// These columns hold categories; each becomes as many columns as it has categories, 1 for the row's own and 0 for
    /// the others. They are called `column=category`.
    ///
    /// The categories are the texts that occur, in numerical order when all of them are integers, else in the order of
    /// their characters.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("color,b\nred,2\nblue,3\n".as_bytes())?;
    /// let data = table.one_hot(&["color"])?.target("b")?;
    /// assert_eq!(data.feature_names(), ["color=blue", "color=red"]);
    /// assert_eq!(data.x(), ndarray::array![[0.0, 1.0], [1.0, 0.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn one_hot(self, names: &[&str]) -> Result<Self, Error> {
        self.with_kind(names, &Kind::OneHot(None))
    }

    /// This column holds one of these categories, in this order: [`Table::one_hot`] without learning them.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`], [`Error::DuplicateClass`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("color,b\nred,2\n".as_bytes())?;
    /// let data = table.one_hot_among("color", &["red", "green", "blue"])?.target("b")?;
    /// assert_eq!(data.x(), ndarray::array![[1.0, 0.0, 0.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn one_hot_among(self, name: &str, categories: &[&str]) -> Result<Self, Error> {
        let categories = given(categories)?;
        self.with_kind(&[name], &Kind::OneHot(Some(categories)))
    }

    /// These columns hold categories; each becomes a column with the number of the row's category, counted from 0 in
    /// the order of [`Table::one_hot`]. For categories with an order; [`Table::ordinal_among`] says which.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("grade,b\nB,2\nA,3\n".as_bytes())?;
    /// assert_eq!(table.ordinal(&["grade"])?.target("b")?.x(), ndarray::array![[1.0], [0.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn ordinal(self, names: &[&str]) -> Result<Self, Error> {
        self.with_kind(names, &Kind::Ordinal(None))
    }

    /// This column holds one of these categories, in this order.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`], [`Error::DuplicateClass`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("size,b\nM,2\nS,3\n".as_bytes())?;
    /// let data = table.ordinal_among("size", &["S", "M", "L"])?.target("b")?;
    /// assert_eq!(data.x(), ndarray::array![[1.0], [0.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn ordinal_among(self, name: &str, categories: &[&str]) -> Result<Self, Error> {
        let categories = given(categories)?;
        self.with_kind(&[name], &Kind::Ordinal(Some(categories)))
    }

    /// These columns hold categories; each becomes an input of its own, of integers: the number of the row's category,
    /// which an embedding looks up.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("user,a,b\nann,1,2\nbob,3,4\n".as_bytes())?;
    /// let data = table.ids(&["user"])?.target("b")?;
    /// assert_eq!(data.inputs()[1].name(), "user");
    /// assert_eq!(data.inputs()[1].values().as_i32(), Some(&[0, 1][..]));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn ids(self, names: &[&str]) -> Result<Self, Error> {
        self.with_kind(names, &Kind::Ids(None))
    }

    /// This column holds one of these categories, to be looked up by an embedding: [`Table::ids`] without learning them.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`], [`Error::DuplicateClass`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("user,b\nbob,4\n".as_bytes())?;
    /// let data = table.ids_among("user", &["ann", "bob"])?.target("b")?;
    /// assert_eq!(data.inputs()[0].values().as_i32(), Some(&[1][..]));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn ids_among(self, name: &str, categories: &[&str]) -> Result<Self, Error> {
        let categories = given(categories)?;
        self.with_kind(&[name], &Kind::Ids(Some(categories)))
    }

    /// This column holds the weight of each row: [`Dataset::weights`](crate::Dataset::weights).
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`]; when data are made, [`Error::BadWeight`] and [`Error::NoWeight`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,w,b\n1,0.5,2\n".as_bytes())?;
    /// let data = table.weighted_by("w")?.target("b")?;
    /// assert_eq!((data.feature_names().len(), data.weights()), (1, Some(&[0.5][..])));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn weighted_by(mut self, name: &str) -> Result<Self, Error> {
        self.recipe.weights = Some(self.recipe.column(&self.names, name)?);
        Ok(self)
    }

    fn with_kind(mut self, names: &[&str], kind: &Kind) -> Result<Self, Error> {
        for column in self.indices(names)? {
            self.recipe.kinds[column] = kind.clone();
        }
        Ok(self)
    }

    fn indices(&self, names: &[&str]) -> Result<Vec<usize>, Error> {
        let index = |name: &&str| self.recipe.column(&self.names, name);
        names.iter().map(index).collect()
    }
}

fn given(categories: &[&str]) -> Result<Vec<String>, Error> {
    match first_repeated(categories) {
        Some(name) => Err(Error::DuplicateClass {
            name: (*name).to_owned(),
        }),
        None => Ok(categories.iter().map(ToString::to_string).collect()),
    }
}
