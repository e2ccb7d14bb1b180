//! Answers have the form of their requests: raw or typed.

use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
use maas_server::Server;
use maas_service::LocalModel;

use crate::calls::{bytes, infer, panicking, raw, serve, typed};
use crate::proto::model_infer_request::InferRequestedOutputTensor;

#[tokio::test]
async fn answers_have_the_form_of_their_requests() {
    let (server, mut client) = serve(Server::new().model("sums", panicking())).await;
    let mut request = raw(&[1.0, 2.0, 3.5, -4.0]);
    request.id = "42".to_owned();
    request.model_version = "1".to_owned();
    request.outputs = vec![InferRequestedOutputTensor {
        name: "y".to_owned(),
        ..InferRequestedOutputTensor::default()
    }];
    let answer = infer(&mut client, request).await.unwrap();
    assert_eq!(
        (&*answer.model_name, &*answer.model_version, &*answer.id),
        ("sums", "1", "42")
    );
    let output = &answer.outputs[0];
    assert_eq!(
        (&*output.name, &*output.datatype, &*output.shape),
        ("y", "FP32", &[2, 1][..])
    );
    assert_eq!(
        (&output.contents, &answer.raw_output_contents),
        (&None, &vec![bytes(&[3.0, -0.5])])
    );
    assert!(answer.parameters.contains_key("replica"));

    let answer = infer(&mut client, typed(&[1.0, 2.0])).await.unwrap();
    assert_eq!(
        answer.outputs[0].contents.as_ref().unwrap().fp32_contents,
        [3.0]
    );
    assert!(answer.raw_output_contents.is_empty() && answer.id.is_empty());

    // Rows of nothing, in any way of saying so.
    for request in [raw(&[]), typed(&[]), {
        let mut request = raw(&[]);
        request.raw_input_contents.clear();
        request
    }] {
        let is_typed = request.inputs[0].contents.is_some();
        let answer = infer(&mut client, request).await.unwrap();
        assert_eq!(answer.outputs[0].shape, [0, 1]);
        assert_eq!(answer.raw_output_contents.len(), usize::from(!is_typed));
    }
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn answers_without_typed_fields_are_raw() {
    let spec = |name: &str, dtype| TensorSpec::rows(name, dtype, &[1]);
    let signature = Signature::new(spec("x", DType::Fp32), spec("y", DType::Fp16)).unwrap();
    let model = FnModel::new(
        signature,
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            outputs
                .tensor(0, DType::Fp16, &[inputs[0].rows(), 1])
                .map(drop)
        },
    );
    let (server, mut client) = serve(Server::new().model("sums", LocalModel::new(model))).await;
    let mut request = typed(&[1.0, 2.0]);
    request.inputs[0].shape = vec![2, 1];
    let answer = infer(&mut client, request).await.unwrap();
    assert_eq!(
        (
            &*answer.outputs[0].datatype,
            answer.raw_output_contents[0].len()
        ),
        ("FP16", 4)
    );
    server.shutdown().await.unwrap();
}
