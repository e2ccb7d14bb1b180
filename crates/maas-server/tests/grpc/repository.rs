//! Models that are loaded and unloaded.

use maas_core::DType;
use maas_server::{Models, Server, Source, SourceError};
use maas_service::BoxService;
use tonic::Code;

use crate::calls::serve;
use crate::common::echo;
use crate::proto::*;

/// One model that copies what it is given.
#[derive(Debug)]
struct Copies;

impl Source for Copies {
    fn models(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec!["copy".to_owned()])
    }

    fn versions(&self, model: &str) -> Result<Vec<String>, SourceError> {
        Ok(if model == "copy" {
            vec!["1".to_owned()]
        } else {
            Vec::new()
        })
    }

    fn load(&self, _model: &str, _version: &str) -> Result<BoxService, SourceError> {
        Ok(BoxService::new(echo(DType::Fp32)))
    }
}

#[tokio::test]
async fn models_are_loaded_and_unloaded() {
    let (server, mut client) = serve(Server::new().models(Models::from(Copies))).await;
    let index = |ready| RepositoryIndexRequest {
        repository_name: String::new(),
        ready,
    };
    let load = |name: &str| RepositoryModelLoadRequest {
        model_name: name.to_owned(),
        ..RepositoryModelLoadRequest::default()
    };
    let answer = client
        .repository_index(index(false))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (&*answer.models[0].name, &*answer.models[0].state),
        ("copy", "UNAVAILABLE")
    );
    let answer = client
        .repository_index(index(true))
        .await
        .unwrap()
        .into_inner();
    assert!(answer.models.is_empty());
    client.repository_model_load(load("copy")).await.unwrap();
    let answer = client
        .repository_index(index(true))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (&*answer.models[0].version, &*answer.models[0].state),
        ("1", "READY")
    );
    let error = client
        .repository_model_load(load("none"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let mut with_config = load("copy");
    with_config
        .parameters
        .insert("config".to_owned(), ModelRepositoryParameter::default());
    let error = client.repository_model_load(with_config).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    let unload = RepositoryModelUnloadRequest {
        model_name: "copy".to_owned(),
        ..RepositoryModelUnloadRequest::default()
    };
    client
        .repository_model_unload(unload.clone())
        .await
        .unwrap();
    let error = client.repository_model_unload(unload).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    server.shutdown().await.unwrap();
}
