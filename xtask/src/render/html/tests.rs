use super::*;
use crate::render::fixture;
use proptest::prelude::*;

#[test]
fn a_failed_run() {
    let page = page(&fixture::failed(), &fixture::outputs(), "../../../../");
    insta::assert_snapshot!(page.replace(STYLE, "…"));
}

#[test]
fn a_page_stands_alone() {
    for report in [fixture::passed(), fixture::failed(), fixture::interrupted()] {
        let page = page(&report, &fixture::outputs(), "../");
        for loading in ["<script", "<img", "<iframe", "@import", "url(", " src=", "stylesheet"] {
            assert!(!page.contains(loading), "{loading}");
        }
    }
}

#[test]
fn links_lead_from_the_page_to_the_root() {
    let way = |page: &str| way_to_root(Path::new(page), Path::new("/p/a b")).unwrap();
    assert_eq!(way("/p/a b/target/xtask/runs/1/report.html"), "../../../../");
    assert_eq!(way("/p/a b/report.html"), "");
    assert_eq!(way("/elsewhere/report.html"), "../p/a%20b/");
}

/// Contrast of two colours as `#rrggbb` (WCAG 2.1, relative luminance).
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    if one > other { one / other } else { other / one }
}

#[test]
fn every_text_keeps_wcag_aa_contrast_in_light_and_dark() {
    let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").unwrap();
    for scheme in [light, dark] {
        let colour = |name: &str| {
            let start = scheme.find(&format!("--{name}: #")).unwrap() + name.len() + 4;
            &scheme[start..start + 7]
        };
        let text = ["ink", "soft", "good", "bad", "care", "calm", "link"];
        let mut pairs: Vec<(&str, &str)> =
            text.iter().flat_map(|text| [(*text, "paper"), (*text, "card")]).collect();
        for tint in ["good-tint", "bad-tint", "care-tint", "calm-tint"] {
            pairs.extend([("ink", tint), ("soft", tint), ("care", tint)]);
        }
        pairs.extend([("good", "good-tint"), ("bad", "bad-tint"), ("calm", "calm-tint")]);
        for (text, ground) in pairs {
            let ratio = contrast(colour(text), colour(ground));
            assert!(ratio >= 4.5, "{text} on {ground}: {ratio:.2}");
        }
        // What is no text but has a meaning: 3 to 1 (WCAG 1.4.11).
        for fill in ["good-fill", "bad-fill", "care-fill", "calm-fill"] {
            let ratio = contrast(colour(fill), colour("card"));
            assert!(ratio >= 3.0, "{fill}: {ratio:.2}");
        }
    }
}

/// The tags of a page in their order, names only, without those that backticks make.
fn tags(page: &str) -> Vec<String> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '!';
    let names = page.split('<').skip(1).map(|tag| tag.split(ends).next().unwrap_or(""));
    names.filter(|name| !name.ends_with("code")).map(str::to_owned).collect()
}

proptest! {
    // Each case renders two pages.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_foreign_is_markup(
        text in "x(\\PC{0,6}(<script>|</pre>|\"|'|&lt;|-->|</style>| onload=|javascript:|\u{0}|\u{1b}\\[1m)){1,4}",
    ) {
        // The same run with harmless text has the same tags.
        let (report, outputs) = fixture::filled_with(&text);
        let (calm, calm_outputs) = fixture::filled_with("calm");
        let shown = page(&report, &outputs, "../");
        let is_same = tags(&shown) == tags(&page(&calm, &calm_outputs, "../"));
        prop_assert!(is_same, "another element appeared");
        prop_assert!(!shown.contains("href=\"javascript:"));
    }
}
