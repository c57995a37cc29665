//! JSON over a WebSocket: numbered calls, events fanned out by session.
//!
//! One thread reads; callers write for themselves and sleep until their answer, so that a call
//! costs what the browser takes and nothing more. Invariants: every call ends, by its answer, by
//! its timeout, or because the connection died, which fails every waiter at once; what the reader
//! does not understand is dropped, never fatal, since browsers add to the protocol all the time.

use crate::{Error, Result};
use headless_chrome::protocol::cdp::types::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

/// How long a call may take; no call that the library makes should take a tenth of it, but a
/// loaded machine may stall a renderer for seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the handshake on loopback may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest message taken: a full-page screenshot in base64 stays far below.
const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// Receives the events of one session, on the reader's thread: it must not make calls.
type Listener = Arc<dyn Fn(&str, &Value) + Send + Sync>;
type Answer = std::result::Result<Value, (i64, String)>;

/// A connection to a browser.
pub(crate) struct Wire {
    socket: Mutex<WebSocket<Half>>,
    stream: TcpStream,
    next_id: AtomicU64,
    shared: Arc<Shared>,
}

/// A call that was sent and is not yet answered.
#[must_use]
pub(crate) struct Pending {
    id: u64,
    method: String,
    answer: Receiver<Answer>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    calls: Mutex<Calls>,
    listeners: Mutex<HashMap<String, Listener>>,
}

#[derive(Default)]
struct Calls {
    waiting: HashMap<u64, SyncSender<Answer>>,
    /// Why the connection ended, once it has.
    gone: Option<String>,
}

impl Wire {
    /// Connects to a browser's WebSocket address.
    pub(crate) fn connect(url: &str) -> Result<Wire> {
        let gone =
            |error: &dyn std::fmt::Display| Error::Gone(format!("connecting to {url}: {error}"));
        let address = url.trim_start_matches("ws://").split('/').next().unwrap_or_default();
        let stream = TcpStream::connect(address).map_err(|error| gone(&error))?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(HANDSHAKE_TIMEOUT)))
            .map_err(|error| gone(&error))?;
        let clone = || stream.try_clone().map_err(|error| gone(&error));
        let (handshaken, _) = tungstenite::client(url, clone()?).map_err(|error| gone(&error))?;
        stream.set_read_timeout(None).map_err(|error| gone(&error))?;
        drop(handshaken);

        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let writer = Arc::new(Mutex::new(clone()?));
        let half = |reader| {
            let half = Half { reader, writer: Arc::clone(&writer) };
            WebSocket::from_raw_socket(half, Role::Client, Some(config))
        };
        let mut incoming = half(clone()?);
        let outgoing = half(clone()?);
        let shared = Arc::new(Shared::default());
        let reading = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("browser-events".to_owned())
            .spawn(move || {
                let reason = loop {
                    match incoming.read() {
                        Ok(Message::Text(text)) => reading.receive(text.as_str()),
                        Ok(_) => {}
                        Err(error) => break error.to_string(),
                    }
                };
                reading.end(reason);
            })
            .map_err(|error| gone(&error))?;
        Ok(Wire { socket: Mutex::new(outgoing), stream, next_id: AtomicU64::new(1), shared })
    }

    /// Calls a typed method and waits for its typed answer.
    pub(crate) fn typed<M: Method + serde::Serialize>(
        &self,
        session: Option<&str>,
        method: &M,
    ) -> Result<M::ReturnObject> {
        let params = serde_json::to_value(method).unwrap_or_default();
        let answer = self.call(session, M::NAME, params)?;
        serde_json::from_value(answer).map_err(|error| Error::Unexpected {
            method: M::NAME.to_owned(),
            expected: "an answer of the protocol's shape",
            found: error.to_string(),
        })
    }

    /// Calls a method by its name and waits for the answer.
    pub(crate) fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value> {
        self.send(session, method, params)?.wait()
    }

    /// Sends a call; several can be on their way at once. The answer may be left unread.
    #[expect(clippy::needless_pass_by_value, reason = "callers build it in place")]
    pub(crate) fn send(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Pending> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = sync_channel(1);
        {
            let mut calls = lock(&self.shared.calls);
            if let Some(reason) = &calls.gone {
                return Err(Error::Gone(reason.clone()));
            }
            calls.waiting.insert(id, sender);
        }
        let pending =
            Pending { id, method: method.to_owned(), answer, shared: Arc::clone(&self.shared) };
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        lock(&self.socket)
            .send(Message::text(message.to_string()))
            .map_err(|error| Error::Gone(error.to_string()))?;
        Ok(pending)
    }

    /// Hears the events of a session from now on; an empty session stands for the browser's own.
    pub(crate) fn listen(&self, session: &str, listener: Listener) {
        lock(&self.shared.listeners).insert(session.to_owned(), listener);
    }

    /// Stops hearing a session.
    pub(crate) fn unlisten(&self, session: &str) {
        lock(&self.shared.listeners).remove(session);
    }

    /// Whether the connection has ended.
    pub(crate) fn is_gone(&self) -> bool {
        lock(&self.shared.calls).gone.is_some()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Wakes the reader, which then ends; the other side may be gone already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Pending {
    /// Waits for the answer.
    pub(crate) fn wait(self) -> Result<Value> {
        match self.answer.recv_timeout(CALL_TIMEOUT) {
            Ok(Ok(result)) => Ok(result),
            Ok(Err((code, message))) => {
                Err(Error::Refused { method: self.method.clone(), code, message })
            }
            Err(RecvTimeoutError::Timeout) => {
                Err(Error::NoAnswer { method: self.method.clone(), after: CALL_TIMEOUT })
            }
            Err(RecvTimeoutError::Disconnected) => {
                let reason = lock(&self.shared.calls).gone.clone();
                Err(Error::Gone(reason.unwrap_or_else(|| "the connection ended".to_owned())))
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        lock(&self.shared.calls).waiting.remove(&self.id);
    }
}

impl Shared {
    fn receive(&self, text: &str) {
        let Ok(mut message) = serde_json::from_str::<Value>(text) else { return };
        if let Some(id) = message["id"].as_u64() {
            let answer = match message.get("error") {
                None => Ok(message["result"].take()),
                Some(error) => Err((
                    error["code"].as_i64().unwrap_or_default(),
                    error["message"].as_str().unwrap_or("no reason given").to_owned(),
                )),
            };
            if let Some(sender) = lock(&self.calls).waiting.remove(&id) {
                // The channel holds one answer and this is the only one; a waiter may have left.
                let _ = sender.try_send(answer);
            }
            return;
        }
        let session = message["sessionId"].as_str().unwrap_or_default();
        let listener = lock(&self.listeners).get(session).cloned();
        if let (Some(listener), Some(method)) = (listener, message["method"].as_str()) {
            listener(method, &message["params"]);
        }
    }

    fn end(&self, reason: String) {
        let mut calls = lock(&self.calls);
        calls.gone = Some(reason);
        calls.waiting.clear();
        drop(calls);
        let listeners: Vec<Listener> =
            lock(&self.listeners).drain().map(|(_, each)| each).collect();
        for listener in listeners {
            listener(GONE, &Value::Null);
        }
    }
}

/// The event that every listener gets last, when the connection has ended.
pub(crate) const GONE: &str = "gone";

/// The reading or the writing end of one connection. Both write through the same lock, a whole
/// frame at a time, since the reading end answers pings.
struct Half {
    reader: TcpStream,
    writer: Arc<Mutex<TcpStream>>,
}

impl Read for Half {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl Write for Half {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        lock(&self.writer).write_all(buffer)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        lock(&self.writer).flush()
    }
}

/// Locks; what a panicking journey held is still sound, since every change under a lock is whole.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
