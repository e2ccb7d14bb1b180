//! The program of Keras' first page, line by line beside its form here.
//!
//! `cargo run --release --example keras_port`

#![allow(clippy::print_stdout)]

use anyhow::Result;
use maas::prelude::*;

fn main() -> Result<()> {
    // data = pandas.read_csv("winequality-red.csv")
    // y = data.pop("quality"); X = data
    // X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=7)
    let wine = concat!(env!("CARGO_MANIFEST_DIR"), "/data/winequality-red.csv");
    let data = Dataset::from_csv(wine)?.target("quality")?;
    let (train, test) = data.split_off(0.2, Seed(7))?;

    // normalize = keras.layers.Normalization()
    // normalize.adapt(X_train)
    // model = keras.Sequential([
    //     normalize,
    //     keras.layers.Dense(128, activation="relu"),
    //     keras.layers.Dense(64, activation="relu"),
    //     keras.layers.Dense(32, activation="relu"),
    //     keras.layers.Dense(1),
    // ])
    let mut network = Sequential::new(train.features())
        .normalize(&train) // and the targets, which Keras leaves to you
        .dense(128)
        .relu()
        .dense(64)
        .relu()
        .dense(32)
        .relu()
        .dense(1)
        .build(Seed(7))?;

    // model.summary()
    println!("{}", network.summary());

    // model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError)
        .metric(AbsoluteError)
        // model.fit(X_train, y_train, epochs=10)
        .epochs(10);
    let history = trainer.fit(&mut network, &train)?;

    // history.history["loss"]
    println!(
        "{:?}",
        history
            .epochs
            .iter()
            .map(|epoch| epoch.loss)
            .collect::<Vec<_>>()
    );

    // loss, mae = model.evaluate(X_test, y_test)
    let evaluation = trainer.evaluate(&network, &test)?;
    println!(
        "mean absolute error {:.3}",
        evaluation.metrics["mean_absolute_error"]
    );

    // predictions = model.predict(X_test)
    let predictions = network.predict(test.x())?;
    println!("{:?}", predictions.row(0));

    // model.save("wine.keras"); keras.models.load_model("wine.keras")
    let path = std::env::temp_dir().join(format!("wine-{}.safetensors", std::process::id()));
    network.save(&path)?;
    let loaded = Network::load(&path)?;
    std::fs::remove_file(&path)?;
    assert_eq!(loaded.predict(test.x())?, predictions);
    Ok(())
}
