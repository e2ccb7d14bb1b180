//! Which version answers a request, and the versions as one service.

use std::pin::pin;
use std::sync::Arc;

use futures_core::Stream;

use super::Versions;
use super::mirror::{Mirror, Told};
use super::table::Version;
use crate::nest::generate::{Piece, generate, next};
use crate::{Description, InferRequest, InferResponse, Load, Readiness, ServeError, Service};

struct Chosen<S> {
    version: Arc<Version<S>>,
    mirror: Option<Arc<Mirror<S>>>,
}

impl<S: Service + 'static> Versions<S> {
    /// Who answers the request, and the shadow if it may have a copy.
    fn choose(&self, request: &InferRequest) -> Result<Chosen<S>, ServeError> {
        let table = self.table.load();
        let version = match request.version.as_deref() {
            Some(name) => {
                let entry = table.entry(name).ok_or_else(|| self.unknown(name))?;
                &entry.version
            }
            None => table
                .pick(self.split.key(request))
                .ok_or_else(|| ServeError::NoneReady {
                    members: table.entries.len(),
                })?,
        };
        let mirror = table.mirror.as_ref();
        let others = mirror.filter(|mirror| !Arc::ptr_eq(&mirror.version, version));
        Ok(Chosen {
            version: Arc::clone(version),
            mirror: others.cloned(),
        })
    }
}

impl<S: Service + 'static> Service for Versions<S> {
    async fn infer(&self, mut request: InferRequest) -> Result<InferResponse, ServeError> {
        let Chosen { version, mirror } = self.choose(&request)?;
        request.version = None;
        let told: Option<Told> = mirror.and_then(|mirror| mirror.copy(&request, &*self.spawn));
        let _in_flight = version.in_flight.enter();
        let mut response = version.service.infer(request).await?;
        response.version = Some(Arc::clone(&version.name));
        if let Some(told) = told {
            // A shadow that has panicked does not listen.
            let _ = told.send(response.clone());
        }
        Ok(response)
    }

    fn answers(&self, mut request: InferRequest) -> impl Stream<Item = Piece> + Send {
        generate(async move |out| {
            let version = match self.choose(&request) {
                Ok(chosen) => chosen.version,
                Err(error) => return out.give(Err(error)).await,
            };
            request.version = None;
            let _in_flight = version.in_flight.enter();
            let mut pieces = pin!(version.service.answers(request));
            while let Some(mut piece) = next(&mut pieces).await {
                if let Ok(response) = &mut piece {
                    response.version = Some(Arc::clone(&version.name));
                }
                out.give(piece).await;
            }
        })
    }

    /// What the versions say that share requests, or else the first one.
    fn describe(&self) -> Arc<Description> {
        let table = self.table.load();
        Arc::clone(table.described().unwrap_or(&self.description))
    }

    /// Ready as soon as one version is that gets requests without asking for it.
    fn ready(&self) -> Readiness {
        let table = self.table.load();
        let serving = table.entries.iter().filter(|entry| entry.weight > 0);
        let mut all = serving.map(|entry| entry.version.service.ready());
        all.find(|readiness| readiness.is_ready())
            .unwrap_or(Readiness::Down)
    }

    fn load(&self) -> Load {
        let table = self.table.load();
        let all = table.entries.iter();
        Load::of(all.map(|entry| entry.version.in_flight()).sum())
    }
}
