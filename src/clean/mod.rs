//! Cleaning: what a document says, apart from what stood around it. Pure, and cannot fail.
//!
//! ```text
//! text --lines--\
//!                Lines --grammar--> what each line is --assemble--> Article + Ledger
//! tree --page---/
//! ```

pub mod line;
pub mod page;
