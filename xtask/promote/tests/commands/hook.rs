//! Those who are told, in small.

use super::server::{Server, answer};
use std::sync::{Arc, Mutex};

/// Gives all the same answer, and keeps what they sent.
pub struct Hook {
    server: Server,
    bodies: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Hook {
    pub fn start(status: u16) -> Hook {
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        let server = Server::start(move |request| {
            kept.lock().unwrap().push(serde_json::from_str(&request.body).unwrap());
            answer(status, &[], "")
        });
        Hook { server, bodies }
    }

    /// With a part that nobody else may see.
    pub fn url(&self) -> String {
        format!("{}/T0/secret", self.server.url())
    }

    pub fn bodies(&self) -> Vec<serde_json::Value> {
        std::mem::take(&mut *self.bodies.lock().unwrap())
    }
}
