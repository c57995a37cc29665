//! What kind of project this is, read from the files at its root.

use anyhow::Context;
use report::Fault;
use serde_json::Value;
use std::path::Path;

/// What was found out about a project.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Project {
    pub(super) name: String,
    /// For a person: `a Vite project (npm)`.
    pub(super) kind: String,
    pub(super) setup: Option<SetupHint>,
    pub(super) site: Option<Site>,
    /// Steps that run a command of the project's own: name, command.
    pub(super) steps: Vec<(&'static str, String)>,
}

/// How the dependencies are brought in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SetupHint {
    pub(super) run: String,
    pub(super) creates: &'static str,
    pub(super) from: String,
}

/// The folder of files that the project is served from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Site {
    pub(super) run: Option<String>,
    pub(super) folder: String,
    pub(super) exclude: Vec<&'static str>,
    /// Text of the front page, if it is known before the build.
    pub(super) title: Option<String>,
}

/// Where the well-known generators of the npm world leave their site: dependency, name, folder.
const GENERATORS: [(&str, &str, &str); 10] = [
    ("next", "Next.js", "out"),
    ("astro", "Astro", "dist"),
    ("@docusaurus/core", "Docusaurus", "build"),
    ("gatsby", "Gatsby", "public"),
    ("@11ty/eleventy", "Eleventy", "_site"),
    ("@sveltejs/kit", "SvelteKit", "build"),
    ("react-scripts", "Create React App", "build"),
    ("vitepress", "VitePress", ".vitepress/dist"),
    ("parcel", "Parcel", "dist"),
    ("vite", "Vite", "dist"),
];

/// The package managers: lockfile, name, command that installs exactly what it says.
const MANAGERS: [(&str, &str, &str); 4] = [
    ("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
    ("yarn.lock", "yarn", "yarn install --frozen-lockfile"),
    ("bun.lock", "bun", "bun install --frozen-lockfile"),
    ("package-lock.json", "npm", "npm ci"),
];

/// Folders that a plain site may stand in, the root itself last.
const SITE_FOLDERS: [&str; 7] = ["public", "site", "www", "dist", "_site", "docs", "."];

/// What `npm init` writes where there are no tests.
const NPM_PLACEHOLDER: &str = "no test specified";

/// Finds out what a project is.
///
/// # Errors
/// When nothing is recognised, or a file that would tell cannot be read.
pub(super) fn detect(root: &Path) -> anyhow::Result<Project> {
    let folder = root.file_name().map_or_else(|| "site".into(), |name| name.to_string_lossy());
    let mut project = Project { name: folder.into_owned(), ..Project::default() };
    let mut kinds = Vec::new();
    if root.join("Cargo.toml").is_file() {
        kinds.push("a cargo project".to_owned());
    }
    if root.join("package.json").is_file() {
        kinds.push(npm(root, &mut project)?);
    }
    if project.site.is_none() && root.join("book.toml").is_file() {
        kinds.push("an mdBook".to_owned());
        project.site = Some(mdbook(root)?);
    }
    if project.site.is_none()
        && let Some(site) = plain_site(root)
    {
        kinds.push(match site.folder.as_str() {
            "." => "a folder of HTML".to_owned(),
            folder => format!("a folder of HTML, {folder}/"),
        });
        project.site = Some(site);
    }
    if kinds.is_empty() {
        return Err(Fault::usage(format!(
            "found no project in {}: expected a Cargo.toml, a package.json, a book.toml or an \
             index.html there; name another folder with `cargo xtask -C DIR init`",
            root.display()
        ))
        .into());
    }
    project.kind = kinds.join(" and ");
    Ok(project)
}

fn npm(root: &Path, project: &mut Project) -> anyhow::Result<String> {
    let path = root.join("package.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    let package: Value = serde_json::from_str(&text)
        .map_err(|error| Fault::usage(format!("{} is not JSON: {error}", path.display())))?;
    if let Some(name) = package["name"].as_str().filter(|name| !name.trim().is_empty()) {
        name.clone_into(&mut project.name);
    }
    let manager = MANAGERS.iter().find(|(lock, ..)| root.join(lock).is_file());
    let (command, install, from) = match manager {
        Some((lock, name, install)) => (*name, *install, *lock),
        None => ("npm", "npm install", "package.json"),
    };
    project.setup =
        Some(SetupHint { run: install.to_owned(), creates: "node_modules", from: from.to_owned() });
    let script = |names: &[&str]| {
        names.iter().find_map(|name| {
            let text = package["scripts"][name].as_str()?;
            (!text.contains(NPM_PLACEHOLDER)).then(|| format!("{command} run {name}"))
        })
    };
    for (step, names) in [
        ("fmt", ["format:check", "fmt:check", "check:format"].as_slice()),
        ("lint", ["lint"].as_slice()),
        ("test", ["test:ci", "test"].as_slice()),
    ] {
        // A cargo project has these steps already.
        if let Some(run) = script(names).filter(|_| !root.join("Cargo.toml").is_file()) {
            project.steps.push((step, run));
        }
    }
    let depends_on = |name: &str| {
        ["dependencies", "devDependencies"].iter().any(|kind| package[kind][name].is_string())
    };
    let generator = GENERATORS.iter().find(|(dependency, ..)| depends_on(dependency));
    if let Some(build) = script(&["build"]) {
        let folder = generator.map_or("dist", |(.., folder)| folder);
        project.site = Some(Site {
            run: Some(build),
            folder: folder.to_owned(),
            exclude: Vec::new(),
            title: title(&root.join("index.html")),
        });
    }
    Ok(match generator {
        Some((_, name, _)) => format!("a {name} project ({command})"),
        None => format!("a package.json ({command})"),
    })
}

fn mdbook(root: &Path) -> anyhow::Result<Site> {
    let path = root.join("book.toml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    // Only two keys matter here, and mdBook itself refuses what is not TOML.
    let value = |wanted: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            let value = value.trim().strip_prefix('"')?.split('"').next()?;
            (key.trim() == wanted).then(|| value.to_owned())
        })
    };
    Ok(Site {
        run: Some("mdbook build".to_owned()),
        folder: value("build-dir").unwrap_or_else(|| "book".to_owned()),
        exclude: vec![".nojekyll"],
        title: value("title"),
    })
}

fn plain_site(root: &Path) -> Option<Site> {
    let folder =
        SITE_FOLDERS.into_iter().find(|folder| root.join(folder).join("index.html").is_file())?;
    let exclude = match folder {
        "." => vec!["xtask.toml", "budgets/**", "target/**", ".git*", ".git*/**", "*.md"],
        _ => Vec::new(),
    };
    Some(Site {
        run: None,
        folder: folder.to_owned(),
        exclude,
        title: title(&root.join(folder).join("index.html")),
    })
}

/// The text of a page's title, where it is plain enough to be looked for in the page again.
fn title(page: &Path) -> Option<String> {
    let text = std::fs::read_to_string(page).ok()?;
    let start = text.find("<title>")? + "<title>".len();
    let title = text[start..].split("</title>").next()?.trim();
    let is_plain = !title.is_empty() && title.len() < 200 && !title.contains(['<', '&', '\n', '%']);
    is_plain.then(|| title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> anyhow::Result<Project> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        detect(folder.path())
    }

    #[test]
    fn a_vite_project_is_built_by_its_own_scripts() {
        let package = r#"{"name": "shop", "scripts": {"build": "vite build", "lint": "eslint .",
            "test": "echo \"Error: no test specified\" && exit 1"},
            "devDependencies": {"vite": "^8"}}"#;
        let found = project(&[
            ("package.json", package),
            ("package-lock.json", "{}"),
            ("index.html", "<title>Shop</title>"),
        ])
        .unwrap();
        assert_eq!(found.kind, "a Vite project (npm)");
        assert_eq!(found.name, "shop");
        assert_eq!(found.steps, [("lint", "npm run lint".to_owned())]);
        assert_eq!(found.setup.unwrap().run, "npm ci");
        let site = found.site.unwrap();
        assert_eq!((site.folder.as_str(), site.run.as_deref()), ("dist", Some("npm run build")));
        assert_eq!(site.title.as_deref(), Some("Shop"));
    }

    #[test]
    fn a_folder_of_html_is_served_as_it_is() {
        let found = project(&[("index.html", "<h1>hello</h1>")]).unwrap();
        let site = found.site.unwrap();
        assert_eq!((site.folder.as_str(), site.run), (".", None));
        assert!(site.exclude.contains(&"xtask.toml"));
    }

    #[test]
    fn a_book_names_its_own_folder() {
        let found =
            project(&[("book.toml", "[book]\ntitle = \"Guide\"\n[build]\nbuild-dir = \"out\"\n")]);
        let site = found.unwrap().site.unwrap();
        assert_eq!(site.folder, "out");
        assert_eq!(site.title.as_deref(), Some("Guide"));
    }

    #[test]
    fn an_empty_folder_says_what_was_looked_for() {
        let error = project(&[]).unwrap_err();
        assert_eq!(Fault::exit_of(&error), report::Exit::Usage);
        assert!(error.to_string().contains("expected a Cargo.toml"), "{error}");
    }

    #[test]
    fn a_broken_package_json_is_named() {
        let error = project(&[("package.json", "{")]).unwrap_err();
        assert!(error.to_string().contains("package.json is not JSON"), "{error}");
    }
}
