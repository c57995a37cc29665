//! Settings: read once from the environment, parsed into types, and never looked up again.

mod address;
mod environment;
mod seed;
pub mod variables;

pub use address::{Network, PublicUrl};
pub use environment::{ConfigError, Environment};
pub use seed::{Seed, SeedOperator};

use std::net::SocketAddr;
use std::path::PathBuf;

/// Characters of a site's name: it stands in the header of every page at 360 px.
const SITE_NAME_LIMIT: usize = 60;
/// Shortest token for `/metrics`; shorter ones can be guessed.
const METRICS_TOKEN_FLOOR: usize = 16;

/// All settings of a server.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// `None`: the address listened on, known once the socket is bound.
    pub public_url: Option<PublicUrl>,
    pub data: PathBuf,
    pub site_name: String,
    pub trusted_proxies: Vec<Network>,
    pub security_contact: Option<String>,
    pub metrics_token: Option<Secret>,
    pub seed: Seed,
}

/// Text that is never printed.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Config {
    /// # Errors
    /// The first variable that cannot be used.
    pub fn read(environment: &Environment) -> Result<Config, ConfigError> {
        let listen = environment
            .parse(&variables::LISTEN, |text| text.parse().ok())?
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = environment.parse(&variables::PUBLIC_URL, PublicUrl::parse)?;
        let metrics_token = environment
            .secret_file(&variables::METRICS_TOKEN_FILE)?
            .map(|token| {
                if token.len() < METRICS_TOKEN_FLOOR {
                    let found = format!("a token of {} characters", token.len());
                    return Err(ConfigError::new(&variables::METRICS_TOKEN_FILE, found));
                }
                Ok(Secret(token))
            })
            .transpose()?;
        let seed = Seed::read(environment, listen, public_url.as_ref())?;
        Ok(Config {
            listen,
            public_url,
            data: Config::data(environment)?,
            site_name: Config::site_name(environment)?,
            trusted_proxies: environment
                .parse(&variables::TRUSTED_PROXIES, Network::parse_list)?
                .unwrap_or_default(),
            security_contact: environment.parse(&variables::SECURITY_CONTACT, contact)?,
            metrics_token,
            seed,
        })
    }

    /// The folder of the database.
    ///
    /// # Errors
    /// It is not set, and there is no home folder to put it in.
    pub fn data(environment: &Environment) -> Result<PathBuf, ConfigError> {
        if let Some(path) = environment.get(&variables::DATA)? {
            return Ok(PathBuf::from(path));
        }
        if let Some(share) = environment.foreign("XDG_DATA_HOME") {
            return Ok(PathBuf::from(share).join("beacon"));
        }
        environment
            .foreign("HOME")
            .map(|home| PathBuf::from(home).join(".local/share/beacon"))
            .ok_or_else(|| {
                ConfigError::new(&variables::DATA, "nothing, and HOME is not set either")
            })
    }

    /// The name on the pages.
    ///
    /// # Errors
    /// It is too long, or not one line.
    pub fn site_name(environment: &Environment) -> Result<String, ConfigError> {
        let name = environment.parse(&variables::SITE_NAME, |text| {
            let name = text.trim();
            let fits = (1..=SITE_NAME_LIMIT).contains(&name.chars().count());
            (fits && !name.chars().any(char::is_control)).then(|| name.to_owned())
        })?;
        Ok(name.unwrap_or_else(|| "Beacon".to_owned()))
    }

    /// The address that people type, when the server listens on `bound`.
    #[must_use]
    pub fn public_url(&self, bound: SocketAddr) -> PublicUrl {
        self.public_url.clone().unwrap_or_else(|| PublicUrl::of_listener(bound))
    }
}

/// A contact as RFC 9116 allows it, on one line.
fn contact(text: &str) -> Option<String> {
    let has_scheme = ["https://", "mailto:", "tel:"].iter().any(|s| text.starts_with(s));
    let is_plain = text.chars().all(|c| c.is_ascii_graphic());
    (has_scheme && is_plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Config, String> {
        let values = values.iter().copied().chain([("HOME", "/home/someone")]);
        Config::read(&values.collect()).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_need_nothing_but_a_home() {
        let config = read(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.data, PathBuf::from("/home/someone/.local/share/beacon"));
        assert_eq!(config.public_url(config.listen).origin(), "http://127.0.0.1:8080");
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        assert_eq!(read(&[("BEACON_SITE_NAME", "")]).unwrap().site_name, "Beacon");
    }

    #[test]
    fn errors_name_variable_expected_and_found() {
        let error = read(&[("BEACON_LISTEN", "eighty")]).unwrap_err();
        assert_eq!(
            error,
            "BEACON_LISTEN: expected an address and port such as 127.0.0.1:8080, found \"eighty\" \
             (`beacon config` lists all variables)"
        );
        for (name, value) in [
            ("BEACON_PUBLIC_URL", "http://status.example.com"),
            ("BEACON_PUBLIC_URL", "https://status.example.com/path"),
            ("BEACON_PUBLIC_URL", "ftp://localhost"),
            ("BEACON_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("BEACON_SITE_NAME", "two\nlines"),
            ("BEACON_SECURITY_CONTACT", "me@example.com"),
            ("BEACON_METRICS_TOKEN_FILE", "/nowhere/at/all"),
            ("BEACON_SEED", "everything"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name}: expected ")), "{error}");
        }
    }

    #[test]
    fn a_password_in_the_environment_is_for_loopback_only() {
        let secret = "correct horse battery";
        let account = [
            ("BEACON_SEED_OPERATOR_EMAIL", "me@example.com"),
            ("BEACON_SEED_OPERATOR_PASSWORD", secret),
        ];
        assert!(read(&account).unwrap().seed.operator.is_some());
        for exposed in
            [("BEACON_LISTEN", "0.0.0.0:80"), ("BEACON_PUBLIC_URL", "https://status.example.com")]
        {
            let error = read(&[account[0], account[1], exposed]).unwrap_err();
            assert!(error.starts_with("BEACON_SEED_OPERATOR_PASSWORD: "), "{error}");
            assert!(!error.contains(secret), "{error}");
        }
    }

    #[test]
    fn unknown_names_are_told_of() {
        let environment: Environment =
            [("BEACON_LISTNE", "x"), ("BEACON_DATA", "y"), ("HOME", "z")].into_iter().collect();
        assert_eq!(environment.unknown(), ["BEACON_LISTNE"]);
    }
}
