//! `PackText`: a table of rules as text, as cleaning reads it and archives keep it.

use serde::{Deserialize, Serialize};

/// One pack or site file of a set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackText {
    /// Its name.
    pub name: String,
    /// It comes with faircopy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub built_in: bool,
    /// It is for one site.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub site: bool,
    /// The table, TOML.
    pub text: String,
}
