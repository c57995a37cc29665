//! What a page is made to believe about its device and network.

use super::Page;
use crate::Result;
use serde_json::{Value, json};

/// What the user prefers, as the page's style sheets ask by `prefers-color-scheme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorScheme {
    Light,
    Dark,
}

/// A slower network and processor. Applied by the browser to each request (latency, then
/// throughput shared by all of a page), so it is lab throttling: stated, repeatable, not a radio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttling {
    /// Least time from a request to the first byte of its answer.
    pub rtt_ms: f64,
    /// Kilobits (1,000) per second.
    pub download_kbps: f64,
    /// Kilobits (1,000) per second.
    pub upload_kbps: f64,
    /// How many times slower the processor is; 1 for its own speed.
    pub cpu_factor: f64,
}

impl Page {
    /// Sets the size of the viewport in CSS pixels, its scale, and whether it is a phone's (with
    /// the `viewport` meta tag, touch and overlay scrollbars).
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn set_viewport(&self, width: u32, height: u32, scale: f64, is_mobile: bool) -> Result {
        let touch = json!({ "enabled": is_mobile });
        self.call("Emulation.setDeviceMetricsOverride", metrics(width, height, scale, is_mobile))?;
        self.call("Emulation.setTouchEmulationEnabled", touch).map(drop)
    }

    /// Sets the preferred colour scheme.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn set_color_scheme(&self, scheme: ColorScheme) -> Result {
        let value = match scheme {
            ColorScheme::Light => "light",
            ColorScheme::Dark => "dark",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", features).map(drop)
    }

    /// Turns the page's own scripts off or on, from the next navigation. Locators, actions and
    /// assertions go on working.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn set_javascript(&self, is_enabled: bool) -> Result {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !is_enabled })).map(drop)
    }

    /// Slows network and processor down; `None` for their own speed.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn set_throttling(&self, throttling: Option<Throttling>) -> Result {
        const BYTES_PER_KILOBIT: f64 = 125.0;
        let (network, cpu_factor) = match throttling {
            // -1 turns throttling off.
            None => ((0.0, -1.0, -1.0), 1.0),
            Some(Throttling { rtt_ms, download_kbps, upload_kbps, cpu_factor }) => (
                (rtt_ms, download_kbps * BYTES_PER_KILOBIT, upload_kbps * BYTES_PER_KILOBIT),
                cpu_factor,
            ),
        };
        let (latency, download, upload) = network;
        self.call(
            "Network.emulateNetworkConditions",
            json!({
                "offline": false, "latency": latency,
                "downloadThroughput": download, "uploadThroughput": upload,
            }),
        )?;
        self.call("Emulation.setCPUThrottlingRate", json!({ "rate": cpu_factor })).map(drop)
    }
}

/// The parameters of `Emulation.setDeviceMetricsOverride`.
pub(super) fn metrics(width: u32, height: u32, scale: f64, is_mobile: bool) -> Value {
    json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_mobile })
}
