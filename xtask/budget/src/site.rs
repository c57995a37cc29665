//! The release's files against their limits: on disk, and as they travel in an encoding.
//!
//! A file without a variant in an encoding travels as it is, because the release keeps a variant
//! only where it saves; so that is what counts.

use crate::Found;
use crate::breach::Limited;
use crate::kind::Kind;
use crate::schema::{Bytes, Site, Sizes};
use globset::GlobBuilder;
use release::{Encoding, FileEntry};
use report::{Fault, Finding, Place, Unit};

/// Checks a release's files; `file` is the budget's, for the findings.
pub fn check(site: &Site, files: &[FileEntry], file: &str) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for (kind, sizes) in &site.kinds {
        let files: Vec<&FileEntry> =
            files.iter().filter(|entry| kind.counts(Kind::of(&entry.content_type))).collect();
        for (coding, encoding, max) in limits(sizes) {
            let mut sized: Vec<(&str, u64)> =
                files.iter().map(|entry| (entry.path.as_str(), size(entry, encoding))).collect();
            sized.sort_by_key(|(path, bytes)| (std::cmp::Reverse(*bytes), *path));
            let total: u64 = sized.iter().map(|(_, bytes)| bytes).sum();
            found.add(Limited {
                name: format!("site.{kind}.{coding}"),
                rule: "budget::site",
                value: exact(total),
                max: exact(max.0),
                unit: Unit::Bytes,
                place: Place::file(file),
                file,
                contributors: sized
                    .iter()
                    .map(|(path, bytes)| format!("{path} {}", Unit::Bytes.show(exact(*bytes))))
                    .collect(),
            });
        }
    }
    for (glob, sizes) in &site.files {
        check_files(glob, sizes, files, file, &mut found)?;
    }
    Ok(found)
}

fn check_files(
    glob: &str,
    sizes: &Sizes,
    files: &[FileEntry],
    file: &str,
    found: &mut Found,
) -> anyhow::Result<()> {
    let matcher = GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .map_err(|error| Fault::usage(format!("{file}: {glob:?} is not a glob: {error}")))?
        .compile_matcher();
    let files: Vec<&FileEntry> =
        files.iter().filter(|entry| matcher.is_match(&entry.path)).collect();
    if files.is_empty() {
        // A budget of nothing would be kept for ever, whatever the file is called now.
        let finding =
            Finding::error("budget::unused", format!("no file of the site matches {glob:?}"));
        let help = "write the glob relative to the site's folder, or remove the budget";
        found.findings.push(finding.at(Place::file(file)).help(help));
    }
    for entry in files {
        for (coding, encoding, max) in limits(sizes) {
            found.add(Limited {
                name: format!("site.{}.{coding}", entry.path),
                rule: "budget::file",
                value: exact(size(entry, encoding)),
                max: exact(max.0),
                unit: Unit::Bytes,
                place: Place::file(file),
                file,
                contributors: Vec::new(),
            });
        }
    }
    Ok(())
}

fn limits(sizes: &Sizes) -> impl Iterator<Item = (&'static str, Option<Encoding>, Bytes)> {
    [
        ("raw", None, sizes.raw),
        ("gzip", Some(Encoding::Gzip), sizes.gzip),
        ("brotli", Some(Encoding::Br), sizes.brotli),
    ]
    .into_iter()
    .filter_map(|(coding, encoding, max)| max.map(|max| (coding, encoding, max)))
}

/// Bytes of a file as it travels in an encoding; `None` for as it is on disk.
fn size(entry: &FileEntry, encoding: Option<Encoding>) -> u64 {
    let variant = entry.variants.iter().find(|variant| Some(variant.encoding) == encoding);
    variant.map_or(entry.size_bytes, |variant| variant.size_bytes)
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53, 9 petabytes")]
fn exact(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Budget;
    use release::Sha256;
    use std::path::Path;

    fn entries(files: &[(&str, &str, u64, Option<u64>)]) -> Vec<FileEntry> {
        let sha256 = Sha256::of(b"");
        files
            .iter()
            .map(|(path, content_type, size_bytes, brotli)| FileEntry {
                path: (*path).to_owned(),
                size_bytes: *size_bytes,
                sha256,
                content_type: (*content_type).to_owned(),
                cache: release::CacheClass::Revalidate,
                variants: brotli
                    .iter()
                    .map(|size_bytes| release::Variant {
                        encoding: Encoding::Br,
                        path: format!("{path}.br"),
                        size_bytes: *size_bytes,
                        sha256,
                    })
                    .collect(),
            })
            .collect()
    }

    fn checked(budget: &str) -> Found {
        let files = entries(&[
            ("a.css", "text/css", 9_000, Some(2_000)),
            ("b.css", "text/css", 1_000, None),
            ("img/c.png", "image/png", 50_000, None),
        ]);
        let budget = format!("{{\"site\": {budget}}}");
        let budget = Budget::parse(Path::new("a.json"), &budget).unwrap();
        check(&budget.site.unwrap(), &files, "budgets/a.json").unwrap()
    }

    #[test]
    fn kinds_are_added_up_as_they_travel() {
        let found = checked(
            r#"{"kinds": {"css": {"raw": 10000, "brotli": 3000}, "total": {"brotli": 50000}}}"#,
        );
        let values: Vec<f64> = found.measures.iter().map(|measure| measure.value).collect();
        assert_eq!(values, [10_000.0, 3_000.0, 53_000.0]);
        assert_eq!(found.findings.len(), 1);
        insta::assert_snapshot!(found.findings[0].message);
    }

    #[test]
    fn each_file_that_matches_has_the_limit() {
        let found =
            checked(r#"{"files": {"*.css": {"raw": 5000}, "**/*.png": {"brotli": 50000}}}"#);
        let names: Vec<&str> = found.measures.iter().map(|measure| measure.name.as_str()).collect();
        assert_eq!(names, ["site.img/c.png.brotli", "site.a.css.raw", "site.b.css.raw"]);
        assert_eq!(found.findings.len(), 1);
        assert!(found.findings[0].message.starts_with("site.a.css.raw is 9.0 KB"));
    }

    #[test]
    fn a_glob_that_matches_nothing_is_an_error() {
        let found = checked(r#"{"files": {"*.js": {"raw": 5000}}}"#);
        assert_eq!(found.findings[0].rule, "budget::unused");
    }
}
