//! One port for both protocols.

use maas_server::Server;
use tonic::{Code, Request};

use crate::calls::{channel, infer, panicking, raw, serve};
use crate::common::Http;
use crate::proto::{ServerLiveRequest, ServerLiveResponse};

#[tokio::test]
async fn both_protocols_share_a_port() {
    let (server, mut client) = serve(Server::new().model("sums", panicking())).await;
    infer(&mut client, raw(&[1.0, 2.0])).await.unwrap();
    let address = server.addr();
    let rest = tokio::task::spawn_blocking(move || {
        let mut http = Http::at(address);
        (
            http.get("/v2/models/sums").status,
            http.get("/nowhere").error(),
        )
    });
    let (status, error) = rest.await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(error, "nothing is at /nowhere");

    let mut grpc = tonic::client::Grpc::new(channel(&server).await);
    for path in [
        "/inference.GRPCInferenceService/TraceSetting",
        "/inference.Other/Call",
    ] {
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<ServerLiveRequest, ServerLiveResponse>::default();
        let call = grpc.unary(
            Request::new(ServerLiveRequest {}),
            path.parse().unwrap(),
            codec,
        );
        assert_eq!(
            call.await.unwrap_err().code(),
            Code::Unimplemented,
            "{path}"
        );
    }
    server.shutdown().await.unwrap();
}
