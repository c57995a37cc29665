//! The renderers of a run, and the warnings that they and the runner itself have to tell.

use crate::pipeline::event::Event;
use crate::render::Renderer;

/// Who watches a run.
pub struct Audience<'a> {
    renderers: &'a mut [Box<dyn Renderer>],
    /// A renderer that failed once is not asked again: its output has a hole already.
    is_broken: Vec<bool>,
    pub warnings: Vec<String>,
}

impl<'a> Audience<'a> {
    pub fn new(renderers: &'a mut [Box<dyn Renderer>]) -> Audience<'a> {
        let is_broken = vec![false; renderers.len()];
        Audience { renderers, is_broken, warnings: Vec::new() }
    }

    pub fn tell(&mut self, event: &Event<'_>) {
        self.each(|renderer| renderer.on(event));
    }

    pub fn tick(&mut self) {
        self.each(Renderer::tick);
    }

    /// Tells a warning and keeps it for the report. The same one is told once.
    pub fn warn(&mut self, message: String) {
        if !self.warnings.contains(&message) {
            self.tell(&Event::Warning { message: &message });
            self.warnings.push(message);
        }
    }

    fn each(&mut self, mut act: impl FnMut(&mut (dyn Renderer + 'static)) -> anyhow::Result<()>) {
        let mut complaints = Vec::new();
        for (renderer, is_broken) in self.renderers.iter_mut().zip(&mut self.is_broken) {
            if *is_broken {
                continue;
            }
            if let Err(error) = act(renderer.as_mut()) {
                *is_broken = true;
                complaints.push(format!("failed to show the run: {error:#}"));
            }
        }
        for complaint in complaints {
            self.warn(complaint);
        }
    }
}
