//! Every type of element.

use maas_core::DType;
use maas_server::Server;
use tonic::Code;

use crate::calls::{infer, serve, tensor};
use crate::common::echo;
use crate::proto::{InferTensorContents, ModelInferRequest};

#[tokio::test]
async fn every_type_comes_back_as_it_went() {
    let mut server = Server::new();
    for dtype in DType::ALL {
        server = server.model(dtype.name(), echo(dtype));
    }
    let (server, mut client) = serve(server).await;
    for dtype in DType::ALL {
        let content: Vec<u8> = match dtype {
            DType::Bytes => b"\x02\0\0\0ab\0\0\0\0".to_vec(),
            DType::Bool => vec![1, 0],
            _ => (0..2 * u8::try_from(dtype.size().unwrap()).unwrap())
                .map(|i| 0x3b + i)
                .collect(),
        };
        let mut request = ModelInferRequest {
            model_name: dtype.name().to_owned(),
            inputs: vec![tensor("in", dtype.name(), &[1, 2])],
            raw_input_contents: vec![content.clone().into()],
            ..ModelInferRequest::default()
        };
        let answer = infer(&mut client, request.clone()).await.unwrap();
        assert_eq!(answer.raw_output_contents, [&*content], "{dtype}");

        let mut contents = InferTensorContents::default();
        match dtype {
            DType::Bool => contents.bool_contents = vec![true, false],
            DType::Int8 => contents.int_contents = vec![-128, 127],
            DType::Int16 => contents.int_contents = vec![-32768, 32767],
            DType::Int32 => contents.int_contents = vec![i32::MIN, i32::MAX],
            DType::Int64 => contents.int64_contents = vec![i64::MIN, i64::MAX],
            DType::UInt8 => contents.uint_contents = vec![0, 255],
            DType::UInt16 => contents.uint_contents = vec![0, 65535],
            DType::UInt32 => contents.uint_contents = vec![0, u32::MAX],
            DType::UInt64 => contents.uint64_contents = vec![0, u64::MAX],
            DType::Fp32 => contents.fp32_contents = vec![f32::INFINITY, -0.0],
            DType::Fp64 => contents.fp64_contents = vec![f64::NEG_INFINITY, 1e-300],
            DType::Bytes => contents.bytes_contents = vec!["".into(), vec![0xff].into()],
            _ => contents.fp32_contents = vec![1.0, 2.0],
        }
        request.raw_input_contents.clear();
        request.inputs[0].contents = Some(contents.clone());
        let answer = infer(&mut client, request.clone()).await;
        if matches!(dtype, DType::Fp16 | DType::Bf16) {
            let error = answer.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(error.message().contains("raw_input_contents"), "{error:?}");
            continue;
        }
        assert_eq!(
            answer.unwrap().outputs[0].contents.as_ref(),
            Some(&contents),
            "{dtype}"
        );
        if let Some(most) = match dtype {
            DType::Int8 | DType::Int16 => Some(i32::from(i16::MAX) + 1),
            _ => None,
        } {
            request.inputs[0].contents = Some(InferTensorContents {
                int_contents: vec![0, most],
                ..InferTensorContents::default()
            });
            let error = infer(&mut client, request).await.unwrap_err();
            assert!(error.message().contains("element 1"), "{error:?}");
        }
    }
    server.shutdown().await.unwrap();
}
