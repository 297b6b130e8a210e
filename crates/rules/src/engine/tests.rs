//! The index against asking every rule.
