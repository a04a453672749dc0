//! `/api/v1/provisioning/alert-rules`.

pub mod fields;
pub mod provenance;
pub mod refused;
pub mod writes;
