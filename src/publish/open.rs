//! The stores that the configuration names.

use std::{fs, io, path::Path, path::PathBuf, sync::Arc, time::Duration};

use tidegate_planner::Settings;

use super::{
    EdgeGrid, EdgeGridError, EmbeddedStore, NatsAddress, NatsLogin, NatsStore, PublishSettings, RateStore, RedisAddress, RedisStore,
    Secret, SecretError, SecretSource, StoreError,
    akamai::{self, AkamaiAddress},
    cloudflare::{self, CloudflareAddress},
    fastly::{self, FastlyAddress},
    provider::ProviderApi,
};
use crate::{clock::Clock, config};

/// File of the embedded store in the data folder.
const EMBEDDED: &str = "rates.redb";

/// Why a store is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder.
    #[error("{}: {source}", path.display())]
    Folder {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its address or its file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its password.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Akamai's credentials.
    #[error(transparent)]
    EdgeGrid(#[from] EdgeGridError),
}

/// Opens the embedded store in `data_dir` and every other that `publish` names. A server need not be up.
///
/// # Errors
/// [`OpenError`]: the embedded store's file is unusable or in use, or an address or a password cannot be one.
pub fn open_stores(publish: &config::Publish, data_dir: &Path, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn RateStore>>, OpenError> {
    fs::create_dir_all(data_dir).map_err(|source| OpenError::Folder { path: data_dir.into(), source })?;
    let mut stores: Vec<Arc<dyn RateStore>> = vec![Arc::new(EmbeddedStore::open(&data_dir.join(EMBEDDED), Arc::clone(clock))?)];
    if let Some(url) = &publish.redis_url {
        let source = match (&publish.redis_password_file, &publish.redis_password_env) {
            (Some(path), _) => Some(SecretSource::File(path.clone())),
            (None, name) => name.clone().map(SecretSource::Env),
        };
        let password = source.map(|source| Secret::read(&source)).transpose()?;
        let username = publish.redis_username.clone();
        let address = RedisAddress { url: url.clone(), username, password, deadline: Duration::from_secs(publish.timeout_s) };
        stores.push(Arc::new(RedisStore::connect(&address, Arc::clone(clock))?));
    }
    if let Some(address) = nats_address(publish)? {
        stores.push(Arc::new(NatsStore::new(address, Arc::clone(clock))));
    }
    if let Some(address) = cloudflare_address(publish)? {
        stores.push(Arc::new(cloudflare::fenced(address, Arc::clone(clock))?));
    }
    if let Some(address) = fastly_address(publish)? {
        stores.push(Arc::new(fastly::fenced(address, Arc::clone(clock))?));
    }
    if let Some(address) = akamai_address(publish)? {
        if address.price.is_none() {
            tracing::info!("what EdgeKV costs is not known, as Akamai quotes by contract: set [publish.akamai.price] to have it estimated");
        }
        stores.push(Arc::new(akamai::fenced(address, Arc::clone(clock))?));
    }
    Ok(stores)
}

fn akamai_address(publish: &config::Publish) -> Result<Option<AkamaiAddress>, OpenError> {
    let section = &publish.akamai;
    let Some((namespace, edgerc)) = section.destination() else { return Ok(None) };
    let credentials = EdgeGrid::parse(&Secret::read(&edgerc)?, &section.section)?;
    Ok(Some(AkamaiAddress {
        base_url: section.base_url.clone().unwrap_or_else(|| format!("https://{}", credentials.host)),
        credentials,
        network: section.network.to_string(),
        namespace: namespace.into(),
        group: section.group.clone(),
        deadline: Duration::from_secs(publish.timeout_s),
        price: section.price.clone(),
    }))
}

fn nats_address(publish: &config::Publish) -> Result<Option<NatsAddress>, SecretError> {
    let section = &publish.nats;
    let Some(url) = section.url.clone() else { return Ok(None) };
    let login = match (&section.credentials_file, section.password(), section.username.clone()) {
        (Some(file), ..) => NatsLogin::Credentials(Secret::read(&SecretSource::File(file.clone()))?),
        (None, Some(password), Some(username)) => NatsLogin::Password { username, password: Secret::read(&password)? },
        (None, Some(token), None) => NatsLogin::Token(Secret::read(&token)?),
        (None, None, _) => NatsLogin::None,
    };
    let deadline = Duration::from_secs(publish.timeout_s);
    Ok(Some(NatsAddress { url, bucket: section.bucket.clone(), replicas: section.replicas, login, deadline }))
}

fn fastly_address(publish: &config::Publish) -> Result<Option<FastlyAddress>, SecretError> {
    let section = &publish.fastly;
    let Some((store_id, token)) = section.destination() else { return Ok(None) };
    let api = provider_api(publish, &section.base_url, &token, &section.price)?;
    Ok(Some(FastlyAddress { api, store_id: store_id.into() }))
}

fn cloudflare_address(publish: &config::Publish) -> Result<Option<CloudflareAddress>, SecretError> {
    let section = &publish.cloudflare;
    let Some((account_id, namespace_id, token)) = section.destination() else { return Ok(None) };
    let api = provider_api(publish, &section.base_url, &token, &section.price)?;
    Ok(Some(CloudflareAddress { api, account_id: account_id.into(), namespace_id: namespace_id.into() }))
}

fn provider_api(
    publish: &config::Publish,
    base_url: &str,
    token: &SecretSource,
    price: &config::Price,
) -> Result<ProviderApi, SecretError> {
    let deadline = Duration::from_secs(publish.timeout_s);
    Ok(ProviderApi { base_url: base_url.into(), token: Secret::read(token)?, deadline, price: price.clone() })
}

/// The highest epoch that any of `stores` has seen: plans have to begin above it. One that does not answer is left out, and
/// fences this writer off should it turn out to be ahead.
pub async fn highest_epoch(stores: &[Arc<dyn RateStore>]) -> u64 {
    let mut highest = 0;
    for store in stores {
        match store.highest_epoch().await {
            Ok(epoch) => highest = highest.max(epoch),
            Err(error) => tracing::warn!(store = store.name(), %error, "the highest epoch of this store is not known"),
        }
    }
    highest
}

impl PublishSettings {
    /// As configured: the guard's dead-band, and tables kept for as long as the planner reserves safe rates.
    pub fn new(publish: &config::Publish, planner: &Settings) -> Self {
        Self {
            deadline: Duration::from_secs(publish.timeout_s),
            interval_s: planner.interval_s,
            dead_band: planner.guard.dead_band,
            retain_s: planner.lease.forget_after_s,
            writes_per_s: publish.writes_per_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::ManualClock,
        publish::{Entry, testing::ISSUED},
    };

    #[tokio::test]
    async fn the_stores_of_the_configuration_are_opened_and_the_highest_epoch_found() {
        let dir = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(ISSUED));
        // Nothing listens on port 1 of the loopback interface.
        let mut publish = config::Publish { redis_url: Some("redis://127.0.0.1:1/0".into()), timeout_s: 60, ..Default::default() };
        let token = dir.path().join("token");
        fs::write(&token, "token").unwrap();
        let edgerc = dir.path().join("edgerc");
        fs::write(&edgerc, "[default]\nhost = a.example.net\nclient_token = c\nclient_secret = s\naccess_token = a\n").unwrap();
        publish.akamai = config::Akamai {
            namespace: Some("tidegate".into()),
            edgerc_file: Some(edgerc),
            base_url: Some("http://127.0.0.1:1".into()),
            ..Default::default()
        };
        publish.nats = config::Nats { url: Some("nats://127.0.0.1:1".into()), ..Default::default() };
        publish.cloudflare = config::Cloudflare {
            account_id: Some("a".into()),
            namespace_id: Some("n".into()),
            token_file: Some(token.clone()),
            base_url: "http://127.0.0.1:1".into(),
            ..Default::default()
        };
        publish.fastly = config::Fastly {
            store_id: Some("s".into()),
            token_file: Some(token),
            base_url: "http://127.0.0.1:1".into(),
            ..Default::default()
        };
        let stores = open_stores(&publish, &dir.path().join("data"), &clock).unwrap();
        assert_eq!(stores.iter().map(|s| s.name()).collect::<Vec<_>>(), ["embedded", "redis", "nats", "cloudflare", "fastly", "akamai"]);
        let entry = Entry { key: "k".into(), value: "v".into(), epoch: 9, expires_at: ISSUED.plus_secs(1) };
        stores[0].put_batch(&[entry]).await;
        assert_eq!(highest_epoch(&stores).await, 9, "a store that is down leaves out its own");
    }

    #[tokio::test]
    async fn a_password_that_cannot_be_read_stops_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(ISSUED));
        let publish = config::Publish {
            redis_url: Some("redis://127.0.0.1:1/0".into()),
            redis_password_file: Some(dir.path().join("absent")),
            ..Default::default()
        };
        let error = open_stores(&publish, dir.path(), &clock).err().unwrap();
        assert!(matches!(error, OpenError::Secret(_)) && error.to_string().contains("absent"), "{error}");
    }
}
