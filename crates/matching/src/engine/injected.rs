//! Mistakes that tests can plant in the engine, to see that its comparison with the ordered scan finds them.

/// A fault to inject here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// Rules without a literal are forgotten.
    AlwaysForgotten,
    /// Candidates come in the order of the text.
    Unsorted,
    /// A rule that is found twice is a candidate twice.
    Doubled,
    /// Only the first literal of a set is looked for.
    FirstOfSet,
    /// Literals keep their case.
    CaseKept,
    /// A hit in the text without case proves a rule that distinguishes case.
    CaseForgotten,
    /// Literals keep traditional characters.
    HantForgotten,
    /// Marks that combine are not looked at one by one.
    MarksForgotten,
    /// Hits in the text with its marks one by one are taken as certain.
    MarksCertain,
    /// A long literal at the end is cut like one at the beginning.
    CutAtWrongEnd,
    /// Only spaces that are not there are allowed before the beginning.
    SpacesForgotten,
    /// The end of the text is not looked at.
    EndForgotten,
    /// Optional parts of a regex are required.
    OptionalRequired,
    /// Only the first branch of an alternative is looked at.
    FirstBranch,
    /// A class means its first member.
    FirstOfClass,
    /// `none` is read like `all`.
    NoneRequired,
    /// A star at an end of an item lifts no whole-word rule.
    StarsForgotten,
    /// The end of the text is behind its final punctuation.
    PunctuationForgotten,
    /// No literal begins inside of a word.
    InsideForgotten,
    /// Of literals that begin with one another only the longest is found.
    ShorterForgotten,
}

#[cfg(test)]
thread_local! {
    /// The mistake that is injected at present.
    pub(super) static PLANTED: std::cell::Cell<Option<Mistake>> = const { std::cell::Cell::new(None) };
}

/// Whether that mistake is to be made; never outside of tests.
#[cfg(test)]
pub(super) fn injected(mistake: Mistake) -> bool {
    PLANTED.get() == Some(mistake)
}

/// Whether that mistake is to be made; never outside of tests.
#[cfg(not(test))]
pub(super) const fn injected(_mistake: Mistake) -> bool {
    false
}
