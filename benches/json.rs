//! Requests and responses as bytes: rows × 32 numbers, read and written by the server's code, beside `serde_json` with
//! structs that fit. The server's code checks everything and ends with tensors, the structs check the syntax.
//!
//! The bodies take turns, 32 of them: a processor that sees the same one again learns its digits by heart.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput};
use maas_core::{Seed, Tensor};
use maas_server::inside::{Encoding, read_request, write_response};
use maas_service::{InferRequest, InferResponse, NamedTensor};
use serde::{Deserialize, Serialize};

const BODIES: u64 = 32;
const COLUMNS: usize = 32;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    for rows in [1, 32, 1024] {
        let tables: Vec<Vec<f32>> = (0..BODIES).map(|body| numbers(rows, Seed(body))).collect();
        read(&mut criterion, rows, &tables);
        write(&mut criterion, rows, &tables);
    }
    criterion.final_summary();
}

/// Between -4 and 4, of six places: 0.03 to 3 mostly.
fn numbers(rows: usize, seed: Seed) -> Vec<f32> {
    let mut state = seed.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..rows * COLUMNS)
        .map(|_| (uniform() + uniform() + uniform() + uniform()) * 1e6)
        .map(|millionths| (f64::from(millionths.round()) / 1e6) as f32)
        .collect()
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "to be read is all that these are for")]
struct Request<'a> {
    id: Option<String>,
    #[serde(borrow)]
    inputs: Vec<Input<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "to be read is all that these are for")]
struct Input<'a> {
    name: &'a str,
    datatype: &'a str,
    shape: Vec<usize>,
    data: Vec<f32>,
}

/// How a client writes a number.
type Writer = fn(f32) -> String;

const WRITERS: [(&str, Writer); 2] = [
    ("", |number| format!("{number:.6}")),
    (", 17 digits", |number| f64::from(number).to_string()),
];

fn read(criterion: &mut Criterion, rows: usize, tables: &[Vec<f32>]) {
    for (name, writer) in WRITERS {
        read_json(criterion, name, rows, &json(rows, tables, writer));
    }
    let binary: Vec<(Bytes, Option<usize>)> = tables
        .iter()
        .map(|table| {
            let tensor = Tensor::from_slice([rows, COLUMNS], table).expect("they fit");
            let request = InferRequest::new("m").input("x", tensor);
            let (body, text) = maas_server::inside::write_request(&request, Encoding::Binary)
                .expect("bytes can be written");
            (body.into(), text)
        })
        .collect();
    let mut turn = binary.iter().cycle();
    criterion.bench_function(&format!("read/ours, binary/{rows}x{COLUMNS}"), |bencher| {
        bencher.iter(|| {
            let (body, text) = black_box(turn.next().expect("it has no end"));
            read_request(body, *text).expect("it is a request")
        });
    });
}

fn json(rows: usize, tables: &[Vec<f32>], writer: Writer) -> Vec<Bytes> {
    let body = |table: &Vec<f32>| {
        let data: Vec<String> = table.iter().copied().map(writer).collect();
        let body = format!(
            r#"{{"inputs":[{{"name":"x","shape":[{rows},{COLUMNS}],"datatype":"FP32","data":[{}]}}]}}"#,
            data.join(",")
        );
        body.into()
    };
    tables.iter().map(body).collect()
}

fn read_json(criterion: &mut Criterion, name: &str, rows: usize, bodies: &[Bytes]) {
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(bodies[0].len() as u64));
    let shape = format!("{rows}x{COLUMNS}");
    let mut turn = bodies.iter().cycle();
    let mut next = move || black_box(turn.next().expect("it has no end"));
    group.bench_function(BenchmarkId::new(format!("ours{name}"), &shape), |bencher| {
        bencher.iter(|| read_request(next(), None).expect("it is a request"));
    });
    group.bench_function(
        BenchmarkId::new(format!("serde_json{name}"), &shape),
        |bencher| {
            bencher.iter(|| serde_json::from_slice::<Request<'_>>(next()).expect("it is one"));
        },
    );
    group.finish();
}

#[derive(Serialize)]
struct Response<'a> {
    model_name: &'a str,
    model_version: &'a str,
    outputs: Vec<Output<'a>>,
}

#[derive(Serialize)]
struct Output<'a> {
    name: &'a str,
    datatype: &'a str,
    shape: [usize; 2],
    data: &'a [f32],
}

fn write(criterion: &mut Criterion, rows: usize, tables: &[Vec<f32>]) {
    let responses: Vec<InferResponse> = tables
        .iter()
        .map(|table| {
            let tensor = Tensor::from_slice([rows, COLUMNS], table).expect("they fit");
            let mut response = InferResponse::to(&InferRequest::new("m").version("1"));
            response.outputs.push(NamedTensor::new("y", tensor));
            response
        })
        .collect();
    let mut group = criterion.benchmark_group("write");
    let shape = format!("{rows}x{COLUMNS}");
    let mut turn = (0..responses.len()).cycle();
    let mut next = move || turn.next().expect("it has no end");
    group.bench_function(BenchmarkId::new("ours", &shape), |bencher| {
        bencher.iter(|| write_response(black_box(&responses[next()]), Encoding::Json));
    });
    group.bench_function(BenchmarkId::new("serde_json", &shape), |bencher| {
        bencher.iter(|| {
            let output = Output {
                name: "y",
                datatype: "FP32",
                shape: [rows, COLUMNS],
                data: black_box(&tables[next()]),
            };
            let response = Response {
                model_name: "m",
                model_version: "1",
                outputs: vec![output],
            };
            serde_json::to_vec(&response)
        });
    });
    group.bench_function(BenchmarkId::new("ours, binary", &shape), |bencher| {
        bencher.iter(|| write_response(black_box(&responses[next()]), Encoding::Binary));
    });
    group.finish();
}
