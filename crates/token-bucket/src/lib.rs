//! token-bucket
