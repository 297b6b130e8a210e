//! `fetch`: asks for an answer before the actions, and takes its values.

use mynah_core::{Captures, FetchFailure, FetchNote, FetchRequest, Quiet, to_map};

use super::actions::Actor;
use super::scene::{Draws, SceneValues};
use crate::decision::{Fetches, Warning};
use crate::explain::Verdict;
use crate::fetching::{Fetching, MOST_FETCHES, take};
use crate::inputs::{Fetched, Lack};
use crate::model::{Shape, Step};

/// The step of random names in a request: after all actions.
const STEP: usize = usize::MAX - 1;

/// The outcome of a `fetch`.
pub(crate) enum Outcome {
    /// These values were taken.
    Taken(Captures),
    /// The decision lacks the answer, or something before it: it is taken again.
    Lacking,
    /// There is no good answer; the reply for that was said.
    Failed,
}

impl Actor<'_, '_> {
    /// Takes values of an answer. Without one, says the reply for that.
    pub(crate) fn fetch(&mut self, fetching: &Fetching) -> Outcome {
        if self.out.fetched() >= MOST_FETCHES {
            return self.fails(fetching, None, &FetchFailure::TooMany);
        }
        let draws = Draws { at: self.at, key: self.key, step: STEP };
        let values = SceneValues { scene: self.scene, pending: self.pending, draws };
        let request = match fetching.request(&values) {
            Ok(request) => request,
            Err(failure) => return self.fails(fetching, None, &failure),
        };
        // Names may have had no values yet.
        if self.pending.has_lacks() {
            return Outcome::Lacking;
        }
        let taken = match self.at.inputs.fetched(&request) {
            None => {
                self.pending.lack(Lack::Fetch(Box::new(request)));
                return Outcome::Lacking;
            }
            Some(Fetched::Standing) => {
                Ok(to_map(fetching.taken().map(|name| (name.to_owned(), format!("{{{name}}}")))))
            }
            Some(Fetched::Answer(answer)) => take::take(answer, &fetching.take),
            Some(Fetched::Failed(failure)) => Err(failure.clone()),
        };
        match taken {
            Ok(taken) => {
                self.out.note_fetch(FetchNote::new(request.line(), &fetching.fixed_line(), None));
                Outcome::Taken(taken)
            }
            Err(failure) => self.fails(fetching, Some(&request), &failure),
        }
    }

    /// Fetches, and does these steps with the taken values.
    pub(crate) fn fetch_and_perform(&mut self, fetching: Option<&Fetching>, steps: &[Step]) {
        let Some(fetching) = fetching else { return self.perform(steps) };
        let Outcome::Taken(taken) = self.fetch(fetching) else { return };
        let mut scene = self.scene.clone();
        scene.captures.extend(taken);
        let mut with_values = Actor {
            book: self.book,
            at: self.at,
            scene: &scene,
            key: self.key,
            pending: self.pending,
            out: self.out,
            delay: self.delay,
            step: self.step,
        };
        with_values.perform(steps);
    }

    fn fails(
        &mut self,
        fetching: &Fetching,
        request: Option<&FetchRequest>,
        failure: &FetchFailure,
    ) -> Outcome {
        let note = if let Some(request) = request {
            FetchNote::new(request.line(), &fetching.fixed_line(), Some(failure))
        } else {
            let origin = format!("{} {}", fetching.method, fetching.origin());
            FetchNote::new(origin.clone(), &origin, Some(failure))
        };
        let shown = note.for_logs();
        let words = failure.words();
        self.out.warnings.push(Warning {
            en: format!("the request {shown} failed: {}", words.en),
            zh: format!("请求失败（{shown}）：{}", words.zh),
        });
        self.out.note_fetch(note);
        self.out.quiet = self.out.quiet.or(Some(Quiet::Fetch));
        if let Some(reply) = &fetching.reply {
            self.say(reply, Shape::default());
        }
        Outcome::Failed
    }
}

impl Fetches {
    /// The verdict about the last request.
    pub(crate) fn last_verdict(&self) -> Option<Verdict> {
        self.all().last().cloned().map(Verdict::Fetched)
    }
}
