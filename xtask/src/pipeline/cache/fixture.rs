//! A step for tests.

use crate::pipeline::step::{Command, Step, Version};
use config::When;
use std::time::Duration;

pub fn step(name: &str, outputs: &[&str]) -> Step {
    Step {
        name: name.to_owned(),
        about: String::new(),
        command: Command::Shell("make".to_owned()),
        versions: vec![Version { name: "make".to_owned(), value: "4.4".to_owned() }],
        needs: Vec::new(),
        prepares_with: None,
        inputs: vec!["src/**".to_owned()],
        outputs: outputs.iter().map(|glob| (*glob).to_owned()).collect(),
        env: Vec::new(),
        pass_env: Vec::new(),
        timeout: Duration::from_secs(60),
        retries: 0,
        exclusive: None,
        alone: false,
        cache: true,
        junit: Vec::new(),
        sarif: Vec::new(),
        allow_failure: false,
        when: When::Always,
    }
}
