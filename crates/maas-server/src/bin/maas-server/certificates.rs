//! Certificates that others renew.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use maas_server::Tls;
use maas_server::inside::with_causes;

/// Where a certificate and its key are, and the certificates of those who sign clients' certificates.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) clients: Option<PathBuf>,
}

impl Files {
    pub(crate) fn tls(&self) -> Result<Tls, String> {
        let (chain, key) = (read(&self.chain)?, read(&self.key)?);
        let tls = match &self.clients {
            None => Tls::from_pem(chain, key),
            Some(clients) => Tls::mutual(chain, key, read(clients)?),
        };
        tls.map_err(|error| {
            let (chain, key) = (self.chain.display(), self.key.display());
            let clients = match &self.clients {
                None => String::new(),
                Some(clients) => format!(" and {}", clients.display()),
            };
            format!("TLS by {chain}, {key}{clients}: {}", with_causes(&error))
        })
    }

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
            match self.tls() {
                Ok(new) => {
                    tls.replace_with(&new);
                    tracing::info!("the certificate was replaced");
                }
                Err(error) => tracing::error!("the new certificate is not taken: {error}"),
            }
            seen = times;
        }
    }

    fn times(&self) -> [Option<SystemTime>; 3] {
        let time = |path: &PathBuf| fs::metadata(path).ok()?.modified().ok();
        [
            time(&self.chain),
            time(&self.key),
            self.clients.as_ref().and_then(time),
        ]
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}
