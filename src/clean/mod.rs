//! Cleaning: what a document says, apart from what stood around it. Pure, and cannot fail.
//!
//! ```text
//! text --lines--\
//!                Lines --grammar--> what each line is --assemble--> Article + Ledger
//! tree --page---/
//! ```

pub mod finding;
pub mod likeness;
pub mod line;
pub mod metadata;
pub mod page;
