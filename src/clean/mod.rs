//! Cleaning: what a document says, apart from what stood around it. Pure, and cannot fail.
//!
//! ```text
//! text --lines--\
//!                Lines --grammar--> what each line is --assemble--> Article + Ledger
//! tree --page---/
//! ```

pub mod assemble;
pub mod credit;
pub mod date;
pub mod finding;
pub mod fold;
pub mod language;
pub mod likeness;
pub mod line;
pub mod lines;
pub mod look;
pub mod metadata;
pub mod page;
pub mod rules;
