//! A comparison as others read it: `json` for programs, `markdown` for a README, `html` with plots.

pub mod html;
pub mod json;
pub mod markdown;
mod plot;
