//! Labels, shares and shadows over gRPC, in single requests and in those of streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::stream::{self, StreamExt};
use maas_server::{Models, Server};
use maas_service::Shadow;
use tonic::Code;

use crate::calls::{Client, bytes, infer, raw, serve};
use crate::common::{number, wait_until};
use crate::proto::{ModelInferRequest, ModelInferResponse};

fn models() -> Models {
    let models = Models::new();
    for version in [1_u8, 2] {
        let answers = number(f32::from(version), || ());
        models.add("m", version.to_string(), answers).unwrap();
    }
    models
}

fn request(version: &str) -> ModelInferRequest {
    ModelInferRequest {
        model_name: "m".to_owned(),
        model_version: version.to_owned(),
        ..raw(&[1.0, 2.0])
    }
}

/// The version that has answered, which is the one that the answer names.
fn version(answer: &ModelInferResponse) -> String {
    let number: f32 = answer.model_version.parse().unwrap();
    assert_eq!(answer.raw_output_contents, [bytes(&[number])]);
    answer.model_version.clone()
}

async fn streamed(client: &mut Client, asked: &str, requests: usize) -> Vec<String> {
    let requests = stream::iter(vec![request(asked); requests]);
    let answers = client.model_stream_infer(requests).await.unwrap();
    let answers = answers.into_inner().map(|answer| {
        let answer = answer.unwrap();
        assert_eq!(answer.error_message, "");
        version(&answer.infer_response.unwrap())
    });
    answers.collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_moves_under_load_and_no_request_fails() {
    let models = models();
    models.label("m", "stable", "1").unwrap();
    let (server, mut client) = serve(Server::new().models(models.clone())).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let asking = |mut client: Client| {
        let is_over = Arc::clone(&is_over);
        tokio::spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                version(&infer(&mut client, request("stable")).await.unwrap());
                streamed(&mut client, "stable", 3).await;
            }
        })
    };
    let asking: Vec<_> = (0..4).map(|_| asking(client.clone())).collect();
    for expected in ["2", "1"].repeat(30) {
        models.label("m", "stable", expected).unwrap();
        let answer = infer(&mut client, request("stable")).await.unwrap();
        assert_eq!(version(&answer), expected);
        assert_eq!(streamed(&mut client, "stable", 2).await, [expected; 2]);
    }
    is_over.store(true, Ordering::Relaxed);
    for asker in asking {
        asker.await.unwrap();
    }
    models.unlabel("m", "stable").unwrap();
    let gone = infer(&mut client, request("stable")).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn requests_are_divided_by_weight() {
    let models = models();
    models.weigh("m", [("1", 3), ("2", 1)]).unwrap();
    let (server, mut client) = serve(Server::new().models(models)).await;
    let mut versions = streamed(&mut client, "", 40).await;
    for _ in 0..40 {
        versions.push(version(&infer(&mut client, request("")).await.unwrap()));
    }
    for quarter in versions.chunks(4) {
        assert_eq!(quarter.iter().filter(|version| *version == "2").count(), 1);
    }
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_shadow_gets_requests_and_its_failures_are_not_seen() {
    let models = models();
    models.weigh("m", [("1", 1)]).unwrap();
    let panicking = number(3.0, || panic!("a secret of the shadow"));
    models.add("m", "3", panicking).unwrap();
    let failed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&failed);
    let shadow = Shadow::of("3").compare(move |compared| {
        counted.fetch_add(usize::from(compared.shadow.is_err()), Ordering::SeqCst);
    });
    models.shadow("m", shadow).unwrap();
    let (server, mut client) = serve(Server::new().models(models)).await;
    for _ in 0..10 {
        let answer = infer(&mut client, request("")).await.unwrap();
        assert_eq!(version(&answer), "1");
    }
    wait_until(|| failed.load(Ordering::SeqCst) == 10);
    // Streams are not copied.
    assert_eq!(streamed(&mut client, "", 10).await, ["1"; 10]);
    assert_eq!(
        version(&infer(&mut client, request("")).await.unwrap()),
        "1"
    );
    wait_until(|| failed.load(Ordering::SeqCst) >= 11);
    assert_eq!(failed.load(Ordering::SeqCst), 11);
    server.shutdown().await.unwrap();
}
