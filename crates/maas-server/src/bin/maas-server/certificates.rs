//! Certificates that others renew.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use maas_server::Tls;
use maas_server::inside::with_causes;

/// Where a certificate and its key are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    /// Takes what the files have whenever they change, which is looked after once in each `period`. What does not fit together
    /// is not taken.
    pub(crate) async fn follow(self, tls: Tls, period: Duration) {
        let mut seen = self.times();
        loop {
            tokio::time::sleep(period).await;
            let times = self.times();
            if times == seen {
                continue;
            }
            match tls.replace_from_files(&self.chain, &self.key) {
                Ok(()) => tracing::info!("the certificate was replaced"),
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::error!("the new certificate is not taken: {error}");
                }
            }
            seen = times;
        }
    }

    fn times(&self) -> [Option<SystemTime>; 2] {
        [&self.chain, &self.key].map(|path| fs::metadata(path).ok()?.modified().ok())
    }
}
