//! All series in columns.
