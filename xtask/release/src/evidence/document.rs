//! Evidence with its signature, as one JSON document:
//!
//! ```json
//! {
//!   "evidence": {
//!     "version": 1,
//!     …
//!   },
//!   "signature": "untrusted comment: …\n…"
//! }
//! ```
//!
//! The signature covers the bytes of the value of `evidence` as they stand in the document, so that
//! nothing has to be written anew, alike, to prove it. All else in the document is fixed: these
//! names, this white space. A value of JSON cannot hold a bare line break and this indentation, so
//! where it ends is never in doubt.

use crate::evidence::{EVIDENCE_VERSION, Evidence};
use crate::signing::{InvalidKey, SigningKey};
use serde::Deserialize;

const BEFORE: &str = "{\n  \"evidence\": ";
const BETWEEN: &str = ",\n  \"signature\": ";
const AFTER: &str = "\n}\n";

/// Evidence as it was recorded, with what has to be known to prove it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub evidence: Evidence,
    /// What the signature covers.
    pub(super) signed: String,
    /// The signature file; `None` for a document that has none.
    pub(super) signature: Option<String>,
}

impl Document {
    /// The signed document of some evidence.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn sign(evidence: Evidence, key: &SigningKey) -> Result<Document, InvalidKey> {
        let invalid = |error: serde_json::Error| InvalidKey::Generate { reason: error.to_string() };
        let signed =
            serde_json::to_string_pretty(&evidence).map_err(invalid)?.replace('\n', "\n  ");
        let signature = Some(key.sign(signed.as_bytes(), &evidence.statement())?);
        Ok(Document { evidence, signed, signature })
    }

    /// The document's text.
    pub fn text(&self) -> String {
        let signature = serde_json::Value::from(self.signature.clone());
        format!("{BEFORE}{}{BETWEEN}{signature}{AFTER}", self.signed)
    }

    /// Reads a document. Whether it is to be believed is another question: see
    /// [`check`](crate::evidence::check).
    ///
    /// # Errors
    /// Why it is none, as a text.
    pub fn parse(text: &str) -> Result<Document, String> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let inside = text.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER));
        let (signed, signature) = inside
            .and_then(|inside| inside.rsplit_once(BETWEEN))
            .ok_or("it is not laid out as `ci` writes evidence")?;
        let wrong = |error: serde_json::Error| error.to_string();
        let Versioned { version } = serde_json::from_str(signed).map_err(wrong)?;
        if version != u64::from(EVIDENCE_VERSION) {
            return Err(format!("expected evidence version {EVIDENCE_VERSION}, found {version}"));
        }
        let document = Document {
            evidence: serde_json::from_str(signed).map_err(wrong)?,
            signed: signed.to_owned(),
            signature: serde_json::from_str(signature).map_err(wrong)?,
        };
        if document.text() != text {
            return Err("its signature has another spelling".to_owned());
        }
        Ok(document)
    }
}
