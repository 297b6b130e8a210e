//! `when`: captures and variables held against their comparisons, with the values that earlier rules left.

use mynah_matching::conditions::Taken;
use mynah_matching::fold::Folding;
use mynah_matching::template::{Template, Values};

use super::after;
use super::conditions::{self, FailedCondition};
use super::rule::{Rest, Rule};
use super::scene::{Draws, Scene, SceneValues};
use super::search::Run;
use crate::comparison::Comparison;
use crate::explain::{Failed, Verdict};
use crate::likeness::Similar;

impl<'r> Run<'r, '_> {
    /// Checks `when`; rules without it cost nothing here.
    pub(super) fn check_values(
        &self,
        rule: &Rule,
        rest: &Rest,
        taken: &Taken,
    ) -> Result<(), FailedCondition> {
        if rest.comparisons.is_empty() {
            return Ok(());
        }
        let scene = self.scene_of(rule, taken);
        let fails = |one: &Comparison| !self.values(&scene).pass(one);
        let failed = rest.comparisons.iter().position(fails);
        failed.map_or(Ok(()), |place| Err(FailedCondition::When(place)))
    }

    /// Whether the words of the sender are like one of these sentences.
    pub(super) fn is_similar(&self, similar: &Similar) -> bool {
        similar.holds(self.facts.sentence())
    }

    /// The words for a condition that fails.
    pub(super) fn describe(&self, fails: FailedCondition, rule: &Rule) -> Verdict {
        if let (FailedCondition::After, Some(after)) =
            (fails, rule.rest.as_ref().and_then(|rest| rest.after.as_ref()))
        {
            return after::describe(after, &self.pending, self.at.now);
        }
        let FailedCondition::When(place) = fails else {
            return conditions::describe(fails, rule, self.facts);
        };
        let taken =
            conditions::check(rule, self.facts, false, self.search).unwrap_or_default().taken;
        let comparisons = rule.rest.as_ref().map(|rest| rest.comparisons.as_slice());
        let Some(one) = comparisons.and_then(|all| all.get(place)) else {
            return conditions::describe(fails, rule, self.facts);
        };
        let scene = self.scene_of(rule, &taken);
        let values = self.values(&scene);
        let wanted = one.test.shown(|template| values.text(template));
        Verdict::Failed(Failed {
            key: "when",
            expected: format!("{} {wanted}", one.written),
            actual: values.of(&one.name),
        })
    }

    fn scene_of(&self, rule: &Rule, taken: &Taken) -> Scene<'r> {
        let scene = self.scene(taken.captures.clone(), taken.rest.clone(), Vec::new());
        Scene { text: conditions::fitting_text(rule, self.facts), ..scene }
    }

    fn values<'a>(&'a self, scene: &'a Scene<'r>) -> Compared<'a, 'r> {
        let folding = Folding::new(false, self.facts.text.hant());
        let draws = Draws { at: self.at, key: "when", step: 0 };
        Compared { values: SceneValues { scene, pending: &self.pending, draws }, folding }
    }
}

/// The values of a moment, for comparing.
struct Compared<'a, 'r> {
    values: SceneValues<'a, 'r>,
    folding: Folding,
}

impl Compared<'_, '_> {
    fn pass(&self, one: &Comparison) -> bool {
        one.test.passes(&self.of(&one.name), self.folding, |template| self.text(template))
    }

    fn of(&self, name: &str) -> String {
        self.values.value(name).map(Into::into).unwrap_or_default()
    }

    fn text(&self, template: &Template) -> String {
        template.render_text(&self.values)
    }
}
