//! What is wrong with a request.

use std::collections::BTreeMap;

use maas_server::Server;
use tonic::Code;

use crate::calls::{bytes, infer, panicking, parameter, raw, serve, typed};
use crate::proto::ModelInferRequest;
use crate::proto::infer_parameter::ParameterChoice;
use crate::proto::model_infer_request::InferRequestedOutputTensor;

/// What makes a request bad, and what is said of it.
type Broken<'a> = (&'a dyn Fn(&mut ModelInferRequest), Code, &'a str);

#[tokio::test]
async fn errors_say_what_is_wrong_and_nothing_of_the_insides() {
    let (server, mut client) = serve(Server::new().model("sums", panicking())).await;
    let change = |change: &dyn Fn(&mut ModelInferRequest)| {
        let mut request = raw(&[1.0, 2.0]);
        change(&mut request);
        request
    };
    let beside = |request: &mut ModelInferRequest, name: &str, choice| {
        request
            .parameters
            .insert(name.to_owned(), parameter(choice));
    };
    let of_input = |name: &str| {
        BTreeMap::from([(
            name.to_owned(),
            parameter(ParameterChoice::StringParam("r".to_owned())),
        )])
    };
    let table: [Broken<'_>; 22] = [
        (
            &|r| r.model_name = "none".to_owned(),
            Code::NotFound,
            "no model is called `none`",
        ),
        (&|r| r.model_name.clear(), Code::NotFound, "no model"),
        (
            &|r| r.model_version = "7".to_owned(),
            Code::NotFound,
            "no version `7`",
        ),
        (
            &|r| r.inputs.clear(),
            Code::InvalidArgument,
            "`inputs` is empty",
        ),
        (
            &|r| r.inputs[0].name = "z".to_owned(),
            Code::InvalidArgument,
            "no input `z`",
        ),
        (
            &|r| r.inputs[0].datatype = "FP33".to_owned(),
            Code::InvalidArgument,
            "FP33",
        ),
        (
            &|r| r.inputs[0].datatype = "INT32".to_owned(),
            Code::InvalidArgument,
            "INT32",
        ),
        (
            &|r| r.inputs[0].shape = vec![1, -2],
            Code::InvalidArgument,
            "negative",
        ),
        (
            &|r| r.inputs[0].shape = vec![2, 1],
            Code::InvalidArgument,
            "must be of shape [any, 2]",
        ),
        (
            &|r| r.inputs[0].shape = vec![2, 2],
            Code::InvalidArgument,
            "16",
        ),
        (
            &|r| r.inputs[0].shape = vec![i64::MAX; 3],
            Code::InvalidArgument,
            "more elements than memory",
        ),
        (
            &|r| r.inputs[0].shape = vec![1; 1 << 20],
            Code::InvalidArgument,
            "at most 64 dimensions",
        ),
        (
            &|r| r.raw_input_contents.clear(),
            Code::InvalidArgument,
            "no values",
        ),
        (
            &|r| r.raw_input_contents.push(bytes(&[1.0])),
            Code::InvalidArgument,
            "2 entries",
        ),
        (
            &|r| r.inputs[0].contents = typed(&[1.0, 2.0]).inputs[0].contents.clone(),
            Code::InvalidArgument,
            "beside `raw_input_contents`",
        ),
        (
            &|r| {
                *r = typed(&[1.0, 2.0]);
                r.inputs[0].contents.as_mut().unwrap().int_contents = vec![1, 2];
            },
            Code::InvalidArgument,
            "`int_contents`",
        ),
        (
            &|r| {
                *r = {
                    let mut r = typed(&[1.0]);
                    r.inputs[0].shape = vec![1, 2];
                    r
                }
            },
            Code::InvalidArgument,
            "2 elements",
        ),
        (
            &|r| {
                r.outputs = vec![InferRequestedOutputTensor {
                    name: "z".to_owned(),
                    ..Default::default()
                }];
            },
            Code::InvalidArgument,
            "no output `z`",
        ),
        (
            &|r| r.inputs[0].parameters = of_input("shared_memory_region"),
            Code::Unimplemented,
            "shared memory",
        ),
        (
            &|r| beside(r, "a", ParameterChoice::DoubleParam(f64::NAN)),
            Code::InvalidArgument,
            "`a`",
        ),
        (
            &|r| beside(r, "priority", ParameterChoice::BoolParam(true)),
            Code::InvalidArgument,
            "`priority`",
        ),
        (
            &|r| r.raw_input_contents = vec![bytes(&[-1.0, 2.0])],
            Code::Internal,
            "panicked",
        ),
    ];
    for (broken, code, text) in table {
        let error = infer(&mut client, change(broken)).await.unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert!(error.message().contains(text), "{error:?}: {text}");
        assert!(!error.message().contains("secret"), "{error:?}");
    }
    infer(&mut client, raw(&[1.0, 2.0])).await.unwrap();
    server.shutdown().await.unwrap();
}
