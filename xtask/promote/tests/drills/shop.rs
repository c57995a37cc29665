//! A shop with one environment: a page, two files that belong to it, and a server if it has one.

use crate::project::{Project, Ran};
use crate::server::{Manner, program};
use crate::visitors::{Seen, Visitors};
use release::ReleaseId;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

/// Answered by the server.
pub const CART: &str = "/cart";

pub struct Shop {
    pub project: Project,
    pub address: SocketAddr,
    has_server: bool,
}

impl Shop {
    /// `production`: further lines of `[environments.production]`.
    pub fn new(has_server: bool, production: &str) -> Shop {
        let project = Project::new("");
        let config = config::Config::load(project.root()).unwrap();
        let address = config.environments["production"].listen.0;
        let server = "[build.server]\npath = \"server\"\nready = \"/health\"\n\
                      args = [\"backend\", \"--exact\", \"--ignored\", \"--nocapture\"]\n\
                      [[smoke]]\npath = \"/health\"\nexpect = { status = 200 }\n";
        project.write(
            "xtask.toml",
            &format!(
                "[project]\nname = \"shop\"\n[build]\nsite = \"site\"\n\
                 [steps.audit]\nwhen = \"never\"\n{}\
                 [environments.production]\nstore = \"env/production\"\nlisten = \"{address}\"\n\
                 evidence = [\"build\"]\n{production}\n",
                if has_server { server } else { "" }
            ),
        );
        Shop { project, address, has_server }
    }

    /// A release whose files all say its number.
    pub fn release(&self, number: u32, manner: Manner) -> ReleaseId {
        self.release_with(number, manner, |_| ())
    }

    /// The same, with what `add` puts into the site.
    pub fn release_with(&self, number: u32, manner: Manner, add: impl Fn(&Shop)) -> ReleaseId {
        let root = self.project.root();
        fs::remove_dir_all(root.join("site")).ok();
        let mut page = String::new();
        for (name, kind) in [("app", "js"), ("look", "css")] {
            let path = format!("assets/{name}.{number:06x}a1.{kind}");
            let text = format!("{kind} of {number}");
            self.project.write(&format!("site/{path}"), &text);
            page += &format!("/{path} {text}\n");
        }
        add(self);
        if self.has_server {
            self.project.write("server", &program(manner));
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(root.join("server"), mode).unwrap();
        }
        self.project.release(&page)
    }

    pub fn visitors(&self) -> Visitors {
        Visitors::come(self.address, self.has_server.then_some(CART))
    }

    /// Makes a sound release live, lets visitors come, and tries a candidate that must come back by
    /// itself, with none of those hurt who did not get it. Gives what the promoter said.
    pub fn turns_back(&self, candidate: Manner) -> (Ran, Seen) {
        let live = self.release(1, Manner::Sound);
        self.project.promote(&[]).expect(0);
        let visitors = self.visitors();
        visitors.wait_for_answers(live.as_str(), 50);
        let candidate = self.release(2, candidate);
        let ran = self.project.promote(&[]);
        ran.expect(1);
        // What is live goes on answering, and to everybody.
        visitors.wait_for_answers(live.as_str(), 50);
        let seen = visitors.end();
        let hurt = seen.failures_beside(candidate.as_str());
        assert!(hurt.is_empty(), "visitors of the live release were hurt: {hurt:#?}");
        assert!(seen.mixtures.is_empty(), "{:#?}", seen.mixtures);

        let status = self.project.status("production");
        assert_eq!(status["live"], live.as_str());
        assert_eq!(status["candidate"], serde_json::Value::Null);
        self.project.run("history", &["verify"]).expect(0);
        (ran, seen)
    }

    /// The output, the journal and the record all say why it turned back.
    pub fn tells_why(&self, ran: &Ran, why: &[&str]) {
        // Lines are broken to fit a terminal.
        let output = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let (journal, record) = (self.reason(), self.record());
        for words in why {
            assert!(output.contains(words), "the output lacks {words:?}: {}", ran.stdout);
            assert!(journal.contains(words), "the journal lacks {words:?}: {journal}");
            assert!(record.contains(words), "the record lacks {words:?}: {record}");
        }
        assert!(output.contains("Turned back in production"), "{output}");
    }

    /// Why the last rollout turned back, as the journal says it.
    fn reason(&self) -> String {
        let history = self.project.run("history", &["--json", "--env", "production"]);
        let lines = history.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut acts = lines.map(|line: serde_json::Value| line["record"]["act"].clone());
        let last = acts.rfind(|act| act["kind"] == "turn-back").unwrap();
        last["reason"].as_str().unwrap().to_owned()
    }

    /// The HTML record of the last rollout.
    fn record(&self) -> String {
        let folder = self.project.root().join("target/xtask/rollouts");
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let pages = paths.filter(|path| path.extension().is_some_and(|it| it == "html"));
        let last = pages.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        let page = fs::read_to_string(last.unwrap()).unwrap();
        // What stands between backticks elsewhere is marked as code here.
        page.replace("<code>", "`").replace("</code>", "`")
    }
}
