//! Values of `[environments.NAME]` with a notation of their own.

use crate::values::through_text;
use crate::{Duration, Share};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// An address and port, written `"127.0.0.1:8080"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

/// A share of the traffic and how long it is watched, written `"5% for 2m"`; `"100%"` at the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftStep {
    /// Per mille of the traffic, 1 to 1000.
    pub per_mille: u16,
    pub watch: Option<Duration>,
}

/// A condition that a rollout must meet, written `"smoke"`, `"e2e:TAG"`, `"command:NAME"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    Smoke,
    /// All journeys, or those with a tag.
    E2e(Option<String>),
    Budget,
    Load,
    Analysis,
    Approval,
    Window,
    /// A name in `commands`.
    Command(String),
}

/// The most that a number may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Max {
    Share(Share),
    Time(Duration),
    Number(f64),
}

/// How much worse than the live release a candidate may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AgainstLive {
    /// `"no worse"`, beyond what chance explains.
    NoWorse,
    /// `"+20%"`: at most by this share of the live release's number.
    Within(Share),
}

/// A day of the week, written `"mon"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A time of day, written `"09:00"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// 0 to 23; 24 only as `"24:00"`, a day's end.
    pub hour: u8,
    pub minute: u8,
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<ListenAddress, String> {
        text.parse().map(ListenAddress).map_err(|_| {
            format!("expected an address and port such as \"127.0.0.1:8080\", found {text:?}")
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ShiftStep {
    type Err = String;

    fn from_str(text: &str) -> Result<ShiftStep, String> {
        let wrong = || {
            format!(
                "expected a share in steps of 0.1% and how long it is watched, such as \
                 \"5% for 2m\" or \"100%\", found {text:?}"
            )
        };
        let (share, watch) = match text.split_once(" for ") {
            Some((share, watch)) => (share, Some(watch.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let Share(share) = share.parse().map_err(|_| wrong())?;
        let per_mille = (share * 1000.0).round();
        if per_mille < 1.0 || (share * 1000.0 - per_mille).abs() > 1e-6 {
            return Err(wrong());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share is at most 1"
        )]
        Ok(ShiftStep { per_mille: per_mille as u16, watch })
    }
}

impl fmt::Display for ShiftStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Share(f64::from(self.per_mille) / 1000.0))?;
        self.watch.map_or(Ok(()), |watch| write!(f, " for {watch}"))
    }
}

impl FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Gate, String> {
        Ok(match text {
            "smoke" => Gate::Smoke,
            "e2e" => Gate::E2e(None),
            "budget" => Gate::Budget,
            "load" => Gate::Load,
            "analysis" => Gate::Analysis,
            "approval" => Gate::Approval,
            "window" => Gate::Window,
            _ => match text.split_once(':') {
                Some(("command", name)) if !name.is_empty() => Gate::Command(name.to_owned()),
                Some(("e2e", tag)) if !tag.is_empty() => Gate::E2e(Some(tag.to_owned())),
                _ => {
                    return Err(format!(
                        "expected a gate: smoke, e2e, e2e:TAG, budget, load, analysis, approval, \
                         window or command:NAME, found {text:?}"
                    ));
                }
            },
        })
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gate::Smoke => "smoke",
            Gate::E2e(None) => "e2e",
            Gate::E2e(Some(tag)) => return write!(f, "e2e:{tag}"),
            Gate::Budget => "budget",
            Gate::Load => "load",
            Gate::Analysis => "analysis",
            Gate::Approval => "approval",
            Gate::Window => "window",
            Gate::Command(name) => return write!(f, "command:{name}"),
        })
    }
}

impl FromStr for Max {
    type Err = String;

    fn from_str(text: &str) -> Result<Max, String> {
        if let Ok(share) = text.parse() {
            return Ok(Max::Share(share));
        }
        if let Ok(time) = text.parse() {
            return Ok(Max::Time(time));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(Max::Number(number)),
            _ => Err(format!(
                "expected a share such as \"0.1%\", a span of time such as \"300ms\" or a number \
                 such as \"0.1\", found {text:?}"
            )),
        }
    }
}

impl fmt::Display for Max {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Max::Share(share) => share.fmt(f),
            Max::Time(time) => time.fmt(f),
            Max::Number(number) => number.fmt(f),
        }
    }
}

impl FromStr for AgainstLive {
    type Err = String;

    fn from_str(text: &str) -> Result<AgainstLive, String> {
        if text == "no worse" {
            return Ok(AgainstLive::NoWorse);
        }
        let share = text.strip_prefix('+').and_then(|share| share.parse().ok());
        share
            .map(AgainstLive::Within)
            .ok_or_else(|| format!("expected \"no worse\" or such as \"+20%\", found {text:?}"))
    }
}

impl fmt::Display for AgainstLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AgainstLive::NoWorse => f.write_str("no worse"),
            AgainstLive::Within(share) => write!(f, "+{share}"),
        }
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<TimeOfDay, String> {
        let wrong = || format!("expected a time such as \"09:00\", found {text:?}");
        let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str| match digits.len() {
            2 if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse::<u8>().ok(),
            _ => None,
        };
        match (number(hour), number(minute)) {
            (Some(24), Some(0)) => Ok(TimeOfDay { hour: 24, minute: 0 }),
            (Some(hour @ 0..24), Some(minute @ 0..60)) => Ok(TimeOfDay { hour, minute }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

through_text!(ListenAddress, ShiftStep, Gate, Max, AgainstLive, TimeOfDay);

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways<T: FromStr<Err = String> + fmt::Display>(texts: &[&str]) {
        for text in texts {
            assert_eq!(
                text.parse::<T>().unwrap_or_else(|error| panic!("{error}")).to_string(),
                *text
            );
        }
    }

    #[test]
    fn notations_come_back_as_they_were_written() {
        both_ways::<ShiftStep>(&["5% for 2m", "0.1% for 30s", "33.3% for 1h", "100%"]);
        both_ways::<Gate>(&["smoke", "analysis", "command:licences"]);
        both_ways::<Max>(&["0.1%", "300ms", "0.25"]);
        both_ways::<AgainstLive>(&["no worse", "+20%"]);
        both_ways::<TimeOfDay>(&["00:00", "09:30", "24:00"]);
        both_ways::<ListenAddress>(&["127.0.0.1:8080", "[::1]:443"]);
    }

    #[test]
    fn slips_are_refused_with_what_was_found() {
        let errors = [
            "0% for 1m".parse::<ShiftStep>().unwrap_err(),
            "0.05% for 1m".parse::<ShiftStep>().unwrap_err(),
            "5% 2m".parse::<ShiftStep>().unwrap_err(),
            "smoke:fast".parse::<Gate>().unwrap_err(),
            "command:".parse::<Gate>().unwrap_err(),
            "much".parse::<Max>().unwrap_err(),
            "20%".parse::<AgainstLive>().unwrap_err(),
            "9:00".parse::<TimeOfDay>().unwrap_err(),
            "24:01".parse::<TimeOfDay>().unwrap_err(),
            "localhost:80".parse::<ListenAddress>().unwrap_err(),
        ];
        for error in errors {
            assert!(error.starts_with("expected ") && error.contains("found "), "{error}");
        }
    }
}
