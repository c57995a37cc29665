//! A step for tests.

use crate::pipeline::step::{Command, Step, Version};

pub fn step(name: &str, outputs: &[&str]) -> Step {
    Step {
        versions: vec![Version { name: "make".to_owned(), value: "4.4".to_owned() }],
        inputs: vec!["src/**".to_owned()],
        outputs: outputs.iter().map(|glob| (*glob).to_owned()).collect(),
        ..Step::new(name, Command::Shell("make".to_owned()))
    }
}
