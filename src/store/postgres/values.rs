//! What stands in a row, as what it means.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use super::transaction::Fault;
use crate::store::codec::decode;
use crate::store::{Result, StoreError};

/// Behind every identifier and hash.
pub(super) const LAST: [u8; 33] = [u8::MAX; 33];

/// The record in this column.
pub(super) fn record<T: DeserializeOwned>(what: &'static str, row: &Row, column: usize) -> Result<T> {
    decode(what, row.try_get(column).map_err(Fault::from)?)
}

/// The same, where there may be none.
pub(super) fn record_or_none<T: DeserializeOwned>(what: &'static str, row: &Row, column: usize) -> Result<Option<T>> {
    let bytes: Option<&[u8]> = row.try_get(column).map_err(Fault::from)?;
    bytes.map(|bytes| decode(what, bytes)).transpose()
}

/// The records in the first column.
pub(super) fn records<T: DeserializeOwned>(what: &'static str, rows: &[Row]) -> Result<Vec<T>> {
    rows.iter().map(|row| record(what, row, 0)).collect()
}

/// The record in the first column of a row that may not be there.
pub(super) fn first<T: DeserializeOwned>(what: &'static str, row: Option<&Row>) -> Result<Option<T>> {
    row.map(|row| record(what, row, 0)).transpose()
}

/// An identifier or a hash.
pub(super) fn bytes<const N: usize>(what: &'static str, row: &Row, column: usize) -> Result<[u8; N]> {
    let bytes: &[u8] = row.try_get(column).map_err(Fault::from)?;
    bytes.try_into().map_err(|_| StoreError::Corrupt { what, why: format!("its key has {} bytes", bytes.len()) })
}

/// All of one column.
pub(super) fn column(rows: &[Row], column: usize) -> Result<Vec<Vec<u8>>> {
    rows.iter().map(|row| row.try_get(column).map_err(|error| Fault::from(error).into())).collect()
}

/// A number.
pub(super) fn number(row: &Row, column: usize) -> Result<i64> {
    row.try_get(column).map_err(|error| Fault::from(error).into())
}

/// A time.
pub(super) fn time(what: &'static str, row: &Row, column: usize) -> Result<Timestamp> {
    let millisecond = number(row, column)?;
    Timestamp::from_millisecond(millisecond).map_err(|e| StoreError::Corrupt { what, why: e.to_string() })
}

/// A limit as the database takes it.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
