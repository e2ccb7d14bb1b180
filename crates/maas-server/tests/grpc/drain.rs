//! How calls end with their server.

use std::time::{Duration, Instant};

use futures_util::stream;
use maas_server::Server;
use tonic::Code;

use crate::calls::{panicking, raw, serve};
use crate::proto::ServerReadyRequest;

#[tokio::test]
async fn calls_are_answered_while_balancers_hear_of_the_end() {
    let server = Server::new()
        .model("sums", panicking())
        .drain_delay(Duration::from_secs(1));
    let (server, mut client) = serve(server).await;
    let open = stream::unfold(0, |sent| async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Some((raw(&[1.0, 2.0]), sent + 1))
    });
    let mut answers = client.model_stream_infer(open).await.unwrap().into_inner();
    let began = Instant::now();
    let shutdown = tokio::spawn(server.shutdown());
    loop {
        let ready = client.server_ready(ServerReadyRequest {}).await;
        if !ready.unwrap().into_inner().ready {
            break;
        }
    }
    client.model_infer(raw(&[1.0, 2.0])).await.unwrap();
    let error = loop {
        match answers.message().await {
            Ok(answer) => assert!(answer.unwrap().error_message.is_empty()),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::Unavailable);
    assert!(began.elapsed() >= Duration::from_secs(1));
    shutdown.await.unwrap().unwrap();
}
