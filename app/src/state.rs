//! What every request may reach.

use crate::config::{Config, Network, PublicUrl, Secret};
use crate::metrics::Metrics;
use crate::model::Email;
use crate::password::Verifier;
use crate::rate_limit::RateLimit;
use crate::store::Store;
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Failed sign-ins of one address: 10, then one in 30 s.
const SIGN_IN_BY_ADDRESS: (u32, Duration) = (10, Duration::from_secs(30));
/// Failed sign-ins to one account, whoever tries: 10, then one a minute. Password guessing stays
/// hopeless, and an operator under attack still gets in between the attempts.
const SIGN_IN_BY_ACCOUNT: (u32, Duration) = (10, Duration::from_mins(1));
/// Reports of one address: a family, an office or a test suite behind one address has 20.
const REPORT_BY_ADDRESS: (u32, Duration) = (20, Duration::from_mins(1));

/// Shared by all requests; a clone is a pointer.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Shared>);

#[derive(Debug)]
pub struct Shared {
    pub site: Site,
    pub trusted_proxies: Vec<Network>,
    pub metrics_token: Option<Secret>,
    pub store: Store,
    pub verifier: Verifier,
    pub limits: Limits,
    pub metrics: Metrics,
}

/// What pages say about the site itself.
#[derive(Debug, Clone)]
pub struct Site {
    pub name: String,
    pub public_url: PublicUrl,
    pub security_contact: Option<String>,
}

#[derive(Debug)]
pub struct Limits {
    pub sign_in_by_address: RateLimit<IpAddr>,
    pub sign_in_by_account: RateLimit<Email>,
    pub report_by_address: RateLimit<IpAddr>,
}

impl AppState {
    /// `bound`: the address that the server listens on.
    ///
    /// # Errors
    /// No randomness or memory to prepare sign-in with.
    pub fn new(config: &Config, bound: SocketAddr, store: Store) -> anyhow::Result<AppState> {
        let site = Site {
            name: config.site_name.clone(),
            public_url: config.public_url(bound),
            security_contact: config.security_contact.clone(),
        };
        let (burst, interval) = SIGN_IN_BY_ADDRESS;
        let sign_in_by_address = RateLimit::new(burst, interval);
        let (burst, interval) = SIGN_IN_BY_ACCOUNT;
        let sign_in_by_account = RateLimit::new(burst, interval);
        let (burst, interval) = REPORT_BY_ADDRESS;
        let report_by_address = RateLimit::new(burst, interval);
        Ok(AppState(Arc::new(Shared {
            site,
            trusted_proxies: config.trusted_proxies.clone(),
            metrics_token: config.metrics_token.clone(),
            store,
            verifier: Verifier::new()?,
            limits: Limits { sign_in_by_address, sign_in_by_account, report_by_address },
            metrics: Metrics::default(),
        })))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
