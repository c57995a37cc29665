//! How pages look: on a narrow screen, and in the dark.

use crate::everyone::{OPERATORS, PUBLIC};
use crate::operator::sign_in;
use e2e::{ColorScheme, Page, Result};

pub fn fits_a_phone(page: &Page) -> Result {
    // The width of the narrowest phones in use.
    page.set_viewport(360, 740, 2.0, true)?;
    sign_in(page)?;
    for path in PUBLIC.iter().chain(&OPERATORS) {
        page.goto(path)?;
        let (content, viewport): (f64, f64) = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        )?;
        assert!(content <= viewport, "{path} is {content} px wide on a screen of {viewport} px");
        assert!((viewport - 360.0).abs() < 1.0, "{path} is laid out {viewport} px wide");
    }
    Ok(())
}

pub fn follows_the_dark_scheme(page: &Page) -> Result {
    // Relative luminance (WCAG 2.2) of the page's background and text.
    const LUMINANCES: &str = "(() => { \
        const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true }); \
        const luminance = (color) => { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); \
          const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((c) => c / 255) \
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)); \
          return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
        const html = getComputedStyle(document.documentElement), body = getComputedStyle(document.body); \
        const opaque = [body.backgroundColor, html.backgroundColor].find((c) => c !== 'rgba(0, 0, 0, 0)'); \
        return [luminance(opaque), luminance(body.color)]; })()";
    for path in ["/", "/history", "/report", "/sign-in"] {
        for (scheme, is_dark) in [(ColorScheme::Light, false), (ColorScheme::Dark, true)] {
            page.set_color_scheme(scheme)?;
            page.goto(path)?;
            let (background, text): (f64, f64) = page.evaluate(LUMINANCES)?;
            assert_eq!(background < text, is_dark, "{path} in {scheme:?}");
            let contrast = (background.max(text) + 0.05) / (background.min(text) + 0.05);
            assert!(contrast >= 7.0, "{path} in {scheme:?}: contrast of the text is {contrast:.1}");
        }
    }
    Ok(())
}
