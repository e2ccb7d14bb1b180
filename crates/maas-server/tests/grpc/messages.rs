//! Messages that are compressed, and such that are large.

use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
use maas_server::Server;
use maas_service::LocalModel;
use tonic::Code;
use tonic::codec::CompressionEncoding;

use crate::calls::{infer, panicking, raw, serve};

/// Gives back rows of a million numbers.
fn wide() -> LocalModel {
    let spec = |name: &str| TensorSpec::rows(name, DType::Fp32, &[1_000_000]);
    LocalModel::new(FnModel::new(
        Signature::new(spec("x"), spec("y")).unwrap(),
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]),
    ))
}

#[tokio::test]
async fn compressed_and_large_messages() {
    let server = Server::new()
        .model("wide", wide())
        .model("sums", panicking());
    let (server, client) = serve(server).await;
    let values: Vec<f32> = (0..2_000_000).map(|i| (i % 7) as f32).collect();
    let mut large = raw(&values);
    large.model_name = "wide".to_owned();
    large.inputs[0].shape = vec![2, 1_000_000];
    let mut client = client.max_decoding_message_size(64 << 20);
    let answer = infer(&mut client, large.clone()).await.unwrap();
    assert_eq!(answer.raw_output_contents, large.raw_input_contents);
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Deflate] {
        let mut client = client
            .clone()
            .send_compressed(encoding)
            .accept_compressed(encoding);
        let answer = client.model_infer(large.clone()).await.unwrap();
        let said = answer
            .metadata()
            .get("grpc-encoding")
            .unwrap()
            .to_str()
            .unwrap();
        assert_eq!(said, encoding.to_string());
        let answer = answer.into_inner();
        assert_eq!(answer.raw_output_contents, large.raw_input_contents);
    }
    // Who could read it and did not ask for it gets it as it is.
    let mut client = client.accept_compressed(CompressionEncoding::Gzip);
    let answer = client.model_infer(raw(&[1.0, 2.0])).await.unwrap();
    assert!(answer.metadata().get("grpc-encoding").is_none());
    server.shutdown().await.unwrap();

    let server = Server::new().model("sums", panicking()).body_limit(1000);
    let (server, client) = serve(server).await;
    let error = infer(&mut client.clone(), raw(&[0.0; 1000]))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "{error:?}");
    let mut client = client.send_compressed(CompressionEncoding::Gzip);
    let error = infer(&mut client, raw(&[0.0; 1000])).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "{error:?}");
    server.shutdown().await.unwrap();
}
