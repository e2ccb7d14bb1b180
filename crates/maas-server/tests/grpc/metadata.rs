//! What the server and its models are.

use maas_server::Server;
use tonic::Code;

use crate::calls::{panicking, serve};
use crate::proto::*;

#[tokio::test]
async fn health_and_metadata() {
    let server = Server::new()
        .model("sums", panicking())
        .model_version("old", "9", panicking())
        .model_version("old", "10", panicking());
    let (server, mut client) = serve(server).await;
    assert!(
        client
            .server_live(ServerLiveRequest {})
            .await
            .unwrap()
            .into_inner()
            .live
    );
    assert!(
        client
            .server_ready(ServerReadyRequest {})
            .await
            .unwrap()
            .into_inner()
            .ready
    );
    for (name, version, ready) in [
        ("sums", "", true),
        ("sums", "1", true),
        ("old", "9", true),
        ("sums", "2", false),
        ("none", "", false),
    ] {
        let request = ModelReadyRequest {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let answer = client.model_ready(request).await.unwrap().into_inner();
        assert_eq!(answer.ready, ready, "{name} {version}");
    }
    let metadata = client
        .server_metadata(ServerMetadataRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (&*metadata.name, &*metadata.version),
        ("maas", env!("CARGO_PKG_VERSION"))
    );
    assert!(
        metadata
            .extensions
            .iter()
            .any(|extension| extension == "statistics")
    );

    let of = |name: &str, version: &str| ModelMetadataRequest {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    let metadata = client
        .model_metadata(of("old", ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(metadata.versions, ["9", "10"]);
    assert_eq!((&*metadata.name, &*metadata.platform), ("old", "maas"));
    assert_eq!(
        (&*metadata.inputs[0].name, &*metadata.inputs[0].datatype),
        ("x", "FP32")
    );
    assert_eq!(
        (&*metadata.inputs[0].shape, &*metadata.outputs[0].shape),
        (&[-1, 2][..], &[-1, 1][..])
    );
    let error = client.model_metadata(of("none", "")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Code::NotFound, "no model is called `none`")
    );
    let error = client.model_metadata(of("old", "11")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);

    let request = ModelConfigRequest {
        name: "sums".to_owned(),
        version: String::new(),
    };
    let config = client
        .model_config(request)
        .await
        .unwrap()
        .into_inner()
        .config
        .unwrap();
    assert_eq!((&*config.name, &*config.platform), ("sums", "maas"));
    assert_eq!(config.max_batch_size, 65_536);
    assert_eq!(
        (&*config.input[0].name, config.input[0].data_type()),
        ("x", DataType::TypeFp32)
    );
    assert_eq!(
        (&*config.input[0].dims, &*config.output[0].dims),
        (&[2][..], &[1][..])
    );
    server.shutdown().await.unwrap();
}
