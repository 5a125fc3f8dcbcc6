//! The one provider of cryptography for TLS: rustls over ring.

/// Makes ring the process's provider, unless there is one already. Every HTTP client of this crate is made after it.
pub fn provide() {
    // An error says that another call was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
