//! What a fresh database starts with: the first operator, made from the environment for servers
//! that nobody has a shell on, and a made-up site for looking around. Neither touches a database
//! that already has operators, or components.

use super::{ConfigError, Environment, PublicUrl, Secret, variables};
use crate::model::Email;
use crate::password;
use std::net::SocketAddr;

/// What to put into an empty database.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    pub demo: bool,
    pub operator: Option<SeedOperator>,
}

/// The first operator.
#[derive(Debug, Clone)]
pub struct SeedOperator {
    pub email: Email,
    pub password: Secret,
}

impl Seed {
    pub(super) fn read(
        environment: &Environment,
        listen: SocketAddr,
        public_url: Option<&PublicUrl>,
    ) -> Result<Seed, ConfigError> {
        let demo = environment
            .parse(&variables::SEED, |text| (text == "demo").then_some(true))?
            .unwrap_or(false);
        let email = environment.parse(&variables::SEED_OPERATOR_EMAIL, Email::parse)?;
        let from_file = environment.secret_file(&variables::SEED_OPERATOR_PASSWORD_FILE)?;
        let from_variable = environment.get(&variables::SEED_OPERATOR_PASSWORD)?;
        let is_reachable =
            !listen.ip().is_loopback() || public_url.is_some_and(|u| !u.is_loopback());
        if from_variable.is_some() && is_reachable {
            return Err(ConfigError::new(
                &variables::SEED_OPERATOR_PASSWORD,
                format!(
                    "a server that others may reach; use {}",
                    variables::SEED_OPERATOR_PASSWORD_FILE.name
                ),
            ));
        }
        let (source, password) = match (from_file, from_variable) {
            (Some(_), Some(_)) => {
                let found = format!("{} as well", variables::SEED_OPERATOR_PASSWORD_FILE.name);
                return Err(ConfigError::new(&variables::SEED_OPERATOR_PASSWORD, found));
            }
            (Some(password), None) => (&variables::SEED_OPERATOR_PASSWORD_FILE, Some(password)),
            (None, password) => (&variables::SEED_OPERATOR_PASSWORD, password.map(str::to_owned)),
        };
        let operator = match (email, password) {
            (None, None) => None,
            (Some(email), Some(password)) => {
                password::check_strength(&password, &email).map_err(|weakness| ConfigError {
                    variable: source.name,
                    expected: "a strong password".to_owned(),
                    found: weakness.to_string(),
                })?;
                Some(SeedOperator { email, password: Secret(password) })
            }
            (Some(_), None) => {
                let found =
                    format!("no {} to go with it", variables::SEED_OPERATOR_PASSWORD_FILE.name);
                return Err(ConfigError::new(&variables::SEED_OPERATOR_EMAIL, found));
            }
            (None, Some(_)) => {
                let found = "nothing, but a password".to_owned();
                return Err(ConfigError::new(&variables::SEED_OPERATOR_EMAIL, found));
            }
        };
        Ok(Seed { demo, operator })
    }
}
