//! The protocol's calls.

use std::sync::Arc;

use maas_service::{InferRequest, InferResponse, ServeError, VersionStatus};
use tonic::{Request, Response, Status, Streaming};

use super::proto::grpc_inference_service_server::GrpcInferenceService;
use super::proto::repository_index_response::ModelIndex;
use super::proto::{
    ModelConfigRequest, ModelConfigResponse, ModelInferRequest, ModelInferResponse,
    ModelMetadataRequest, ModelMetadataResponse, ModelReadyRequest, ModelReadyResponse,
    ModelStatistics, ModelStatisticsRequest, ModelStatisticsResponse, RepositoryIndexRequest,
    RepositoryIndexResponse, RepositoryModelLoadRequest, RepositoryModelLoadResponse,
    RepositoryModelUnloadRequest, RepositoryModelUnloadResponse, ServerLiveRequest,
    ServerLiveResponse, ServerMetadataRequest, ServerMetadataResponse, ServerReadyRequest,
    ServerReadyResponse,
};
use super::request::given;
use super::stream::{self, Answers, Call};
use super::{metadata, request, response, statistics, status, timeout};
use crate::access::Caller;
use crate::hub::Hosted;
use crate::shared::{EXTENSIONS, Shared};
use crate::{Error, ModelState, Models};

#[derive(Clone, Debug)]
pub(super) struct Inference(pub(super) Arc<Shared>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl GrpcInferenceService for Inference {
    async fn server_live(&self, _: Request<ServerLiveRequest>) -> Answer<ServerLiveResponse> {
        Ok(Response::new(ServerLiveResponse { live: true }))
    }

    async fn server_ready(&self, _: Request<ServerReadyRequest>) -> Answer<ServerReadyResponse> {
        let ready = self.0.is_ready();
        Ok(Response::new(ServerReadyResponse { ready }))
    }

    /// What is not there is not ready, which the protocol's clients expect to be told, not an error.
    async fn model_ready(&self, request: Request<ModelReadyRequest>) -> Answer<ModelReadyResponse> {
        let ModelReadyRequest { name, version } = request.into_inner();
        let ready = self.0.is_model_ready(&name, given(&version)) == Some(true);
        Ok(Response::new(ModelReadyResponse { ready }))
    }

    async fn server_metadata(
        &self,
        _: Request<ServerMetadataRequest>,
    ) -> Answer<ServerMetadataResponse> {
        Ok(Response::new(ServerMetadataResponse {
            name: self.0.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            extensions: EXTENSIONS.map(str::to_owned).into(),
        }))
    }

    async fn model_metadata(
        &self,
        request: Request<ModelMetadataRequest>,
    ) -> Answer<ModelMetadataResponse> {
        let ModelMetadataRequest { name, version } = request.into_inner();
        let (hosted, status) = self.find(&name, &version)?;
        let metadata = metadata::metadata(name, &status.description, &hosted.statuses());
        Ok(Response::new(metadata))
    }

    async fn model_infer(&self, call: Request<ModelInferRequest>) -> Answer<ModelInferResponse> {
        let deadline = timeout::deadline(call.metadata())?;
        let caller = call.extensions().get::<Caller>().cloned();
        let mut message = call.into_inner();
        let (mut request, form) =
            request::read(&mut message, deadline).map_err(status::of_rejection)?;
        request.tenant = caller.map(|caller| caller.0);
        let answer = self.infer(request).await;
        let answer = answer.map_err(|error| status::of(&error))?;
        Ok(Response::new(response::write(answer, form)))
    }

    type ModelStreamInferStream = Answers;

    async fn model_stream_infer(
        &self,
        call: Request<Streaming<ModelInferRequest>>,
    ) -> Answer<Answers> {
        let terms = Call {
            shared: Arc::clone(&self.0),
            deadline: timeout::deadline(call.metadata())?,
            caller: call.extensions().get().cloned(),
        };
        Ok(Response::new(stream::answers(terms, call.into_inner())))
    }

    async fn model_config(
        &self,
        request: Request<ModelConfigRequest>,
    ) -> Answer<ModelConfigResponse> {
        let ModelConfigRequest { name, version } = request.into_inner();
        let (_, status) = self.find(&name, &version)?;
        let config = Some(metadata::config(name, &status.description));
        Ok(Response::new(ModelConfigResponse { config }))
    }

    async fn model_statistics(
        &self,
        request: Request<ModelStatisticsRequest>,
    ) -> Answer<ModelStatisticsResponse> {
        let ModelStatisticsRequest { name, version } = request.into_inner();
        let model_stats = if name.is_empty() {
            let models = self.0.models.all();
            models
                .iter()
                .flat_map(|hosted| of_all_versions(hosted))
                .collect()
        } else if version.is_empty() {
            let hosted = self.0.models.find(&name);
            of_all_versions(&*hosted.map_err(|error| status::of(&error))?)
        } else {
            let (hosted, status) = self.find(&name, &version)?;
            of_version(&hosted, &status).into_iter().collect()
        };
        Ok(Response::new(ModelStatisticsResponse { model_stats }))
    }

    async fn repository_index(
        &self,
        request: Request<RepositoryIndexRequest>,
    ) -> Answer<RepositoryIndexResponse> {
        let only_ready = request.into_inner().ready;
        let index = self.change(|models| Ok(models.index())).await?;
        let entries = index
            .into_iter()
            .filter(|entry| !only_ready || entry.state == ModelState::Ready);
        let models = entries.map(|entry| ModelIndex {
            name: entry.name,
            version: entry.version,
            state: entry.state.name().to_owned(),
            reason: entry.reason,
        });
        Ok(Response::new(RepositoryIndexResponse {
            models: models.collect(),
        }))
    }

    async fn repository_model_load(
        &self,
        request: Request<RepositoryModelLoadRequest>,
    ) -> Answer<RepositoryModelLoadResponse> {
        let request = request.into_inner();
        if let Some(name) = request.parameters.keys().next() {
            return Err(Status::unimplemented(format!(
                "parameter `{name}`: a model is loaded as the source has it"
            )));
        }
        self.change(move |models| models.load(&request.model_name))
            .await?;
        Ok(Response::new(RepositoryModelLoadResponse {}))
    }

    async fn repository_model_unload(
        &self,
        request: Request<RepositoryModelUnloadRequest>,
    ) -> Answer<RepositoryModelUnloadResponse> {
        let model = request.into_inner().model_name;
        self.change(move |models| Ok(models.unload(&model)?))
            .await?;
        Ok(Response::new(RepositoryModelUnloadResponse {}))
    }
}

impl Inference {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let hosted = self.0.models.find(&request.model)?;
        self.0.infer(&hosted, request).await
    }

    fn find(&self, model: &str, version: &str) -> Result<(Arc<Hosted>, VersionStatus), Status> {
        let find = || {
            let hosted = self.0.models.find(model)?;
            let status = hosted.status(given(version))?;
            Ok((hosted, status))
        };
        find().map_err(|error| status::of(&error))
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Models) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Status> {
        let changed = self.0.models.blocking(change).await;
        changed.map_err(|error| status::of_change(&error))
    }
}

fn of_all_versions(hosted: &Hosted) -> Vec<ModelStatistics> {
    let statuses = hosted.statuses().into_iter().rev();
    statuses
        .filter_map(|status| of_version(hosted, &status))
        .collect()
}

fn of_version(hosted: &Hosted, status: &VersionStatus) -> Option<ModelStatistics> {
    let read = hosted.read(&status.version)?;
    Some(statistics::of_version(&hosted.name, &status.version, &read))
}
