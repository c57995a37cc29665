//! Every environment variable that Beacon reads, each said once: the reader below and the table
//! that `beacon config` prints both come from here.

/// One environment variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    pub name: &'static str,
    /// What holds when it is absent or empty.
    pub default: &'static str,
    /// The form of the value; follows "expected" in an error.
    pub expects: &'static str,
    pub about: &'static str,
}

pub const LISTEN: Variable = Variable {
    name: "BEACON_LISTEN",
    default: "127.0.0.1:8080",
    expects: "an address and port such as 127.0.0.1:8080",
    about: "Where to listen. Port 0 takes a free one.",
};
pub const PUBLIC_URL: Variable = Variable {
    name: "BEACON_PUBLIC_URL",
    default: "http:// and the address listened on",
    expects: "https://HOST[:PORT] without a path, or http:// on a loopback host",
    about: "The address that people type. With https, cookies are Secure and HSTS is sent.",
};
pub const DATA: Variable = Variable {
    name: "BEACON_DATA",
    default: "$XDG_DATA_HOME/beacon, else ~/.local/share/beacon",
    expects: "the path of a folder",
    about: "Folder of the database; made when it is missing.",
};
pub const SITE_NAME: Variable = Variable {
    name: "BEACON_SITE_NAME",
    default: "Beacon",
    expects: "1 to 60 characters on one line",
    about: "The name at the top of every page.",
};
pub const TRUSTED_PROXIES: Variable = Variable {
    name: "BEACON_TRUSTED_PROXIES",
    default: "none",
    expects: "addresses or networks separated by commas, such as 10.0.0.0/8,::1",
    about: "Proxies whose X-Forwarded-For and X-Request-Id are believed.",
};
pub const SECURITY_CONTACT: Variable = Variable {
    name: "BEACON_SECURITY_CONTACT",
    default: "none",
    expects: "an https:, mailto: or tel: address",
    about: "Served in /.well-known/security.txt (RFC 9116).",
};
pub const METRICS_TOKEN_FILE: Variable = Variable {
    name: "BEACON_METRICS_TOKEN_FILE",
    default: "none: only direct requests from this machine, to a loopback public URL, are answered",
    expects: "the path of a file that holds at least 16 characters",
    about: "Asks scrapers of /metrics for `Authorization: Bearer`, and answers them from anywhere.",
};
pub const LOG: Variable = Variable {
    name: "BEACON_LOG",
    default: "info",
    expects: "error, warn, info, debug, trace, or a filter such as info,app=debug",
    about: "How much is logged, on standard error.",
};
pub const LOG_FORMAT: Variable = Variable {
    name: "BEACON_LOG_FORMAT",
    default: "pretty on a terminal, else json",
    expects: "pretty or json",
    about: "How a log line looks.",
};
pub const SEED: Variable = Variable {
    name: "BEACON_SEED",
    default: "none",
    expects: "demo",
    about: "Fills a database that has no components with a made-up site, to look around in.",
};
pub const SEED_OPERATOR_EMAIL: Variable = Variable {
    name: "BEACON_SEED_OPERATOR_EMAIL",
    default: "none",
    expects: "an email address",
    about: "Makes the first operator at start; ignored once there is one.",
};
pub const SEED_OPERATOR_PASSWORD_FILE: Variable = Variable {
    name: "BEACON_SEED_OPERATOR_PASSWORD_FILE",
    default: "none",
    expects: "the path of a file whose first line is the password",
    about: "The first operator's password.",
};
pub const SEED_OPERATOR_PASSWORD: Variable = Variable {
    name: "BEACON_SEED_OPERATOR_PASSWORD",
    default: "none",
    expects: "a password, on a server that only this machine can reach",
    about: "The same for throw-away servers: refused unless BEACON_LISTEN and BEACON_PUBLIC_URL are loopback.",
};

/// All of them, in the order of the table.
pub const ALL: [&Variable; 13] = [
    &LISTEN,
    &PUBLIC_URL,
    &DATA,
    &SITE_NAME,
    &TRUSTED_PROXIES,
    &SECURITY_CONTACT,
    &METRICS_TOKEN_FILE,
    &LOG,
    &LOG_FORMAT,
    &SEED,
    &SEED_OPERATOR_EMAIL,
    &SEED_OPERATOR_PASSWORD_FILE,
    &SEED_OPERATOR_PASSWORD,
];
