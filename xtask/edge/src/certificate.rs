//! When the edge's certificate expires, and what those who run it are told before.

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::{CertificateDer, UnixTime};
use std::path::Path;
use std::time::Duration;
use tokio_rustls::rustls;
use webpki::{EndEntityCert, Error, KeyUsage};

/// Whoever renews certificates by themselves does so a month before; what is left then is for people, who
/// have weekends and holidays.
const WARN_WITHIN: SignedDuration = SignedDuration::from_hours(21 * 24);

/// Between two warnings.
pub const WARN_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Later than X.509 can tell (RFC 5280, section 4.1.2.5): 10000-01-01.
const AFTER_ALL: Duration = Duration::from_secs(253_402_300_800);

/// When a certificate expires; `None` when it is none.
pub fn not_after(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    // Its dates are looked at first of all; by then it has expired, and the error says since when.
    let late = UnixTime::since_unix_epoch(AFTER_ALL);
    let usage = KeyUsage::server_auth();
    match certificate.verify_for_usage(&[], &[], &[], late, usage, None, None) {
        Err(Error::CertExpired { not_after, .. }) => {
            Timestamp::from_second(i64::try_from(not_after.as_secs()).ok()?).ok()
        }
        _ => None,
    }
}

/// What there is to say at `now` of a certificate in `file`; nothing as long as there is time.
pub fn warning(file: &Path, not_after: Timestamp, now: Timestamp) -> Option<String> {
    let left = not_after.duration_since(now);
    if left > WARN_WITHIN {
        return None;
    }
    let file = file.display();
    let help = "replace it and its key: the edge reads them again by itself";
    Some(match left.as_hours() {
        _ if left.is_negative() => {
            format!(
                "error: the certificate {file} expired at {not_after}: clients refuse it; {help}"
            )
        }
        hours @ ..48 => {
            format!("warning: the certificate {file} expires in {hours} h, at {not_after}; {help}")
        }
        hours => {
            let days = hours / 24;
            format!(
                "warning: the certificate {file} expires in {days} days, at {not_after}; {help}"
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, IsCa, KeyPair};

    #[test]
    fn the_date_is_read_of_any_certificate() {
        let key = KeyPair::generate().unwrap();
        for (year, is_ca) in [(1999, IsCa::NoCa), (2049, IsCa::ExplicitNoCa), (2051, IsCa::NoCa)] {
            let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
            params.is_ca = is_ca;
            params.not_after = rcgen::date_time_ymd(year, 2, 3);
            let certificate = params.self_signed(&key).unwrap();
            let expected = format!("{year}-02-03T00:00:00Z").parse().unwrap();
            assert_eq!(not_after(certificate.der()), Some(expected));
        }
        assert_eq!(not_after(&CertificateDer::from(vec![0x30, 0])), None);
    }

    #[test]
    fn there_are_three_weeks_to_act() {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        for (not_after, expected) in [
            ("2026-11-22T00:00:01Z", None),
            (
                "2026-11-22T00:00:00Z",
                Some("warning: the certificate c.pem expires in 21 days, at 2026-11-22T00:00:00Z;"),
            ),
            ("2026-11-03T00:00:00Z", Some("warning: the certificate c.pem expires in 2 days, at")),
            ("2026-11-02T23:59:59Z", Some("warning: the certificate c.pem expires in 47 h, at")),
            ("2026-11-01T00:00:00Z", Some("warning: the certificate c.pem expires in 0 h, at")),
            (
                "2026-10-31T23:59:59Z",
                Some("error: the certificate c.pem expired at 2026-10-31T23:59:59Z:"),
            ),
        ] {
            let found = warning(Path::new("c.pem"), not_after.parse().unwrap(), now);
            match expected {
                None => assert_eq!(found, None),
                Some(start) => assert!(found.as_ref().unwrap().starts_with(start), "{found:?}"),
            }
        }
    }
}
