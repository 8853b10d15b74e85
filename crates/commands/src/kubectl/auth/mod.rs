//! `kubectl auth`: what one may do, and who one is.
//!
//! Models kubectl/pkg/cmd/auth.

mod can_i;
mod reconcile;
mod whoami;

use super::Verb;

/// The verbs of the group.
pub(super) const VERBS: [&Verb; 3] = [&can_i::VERB, &reconcile::VERB, &whoami::VERB];

/// Cells in columns that end three blanks after their widest.
fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0) + 3
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            text.push_str(cell);
            if at + 1 < row.len() {
                let pad = widths[at].saturating_sub(cell.chars().count());
                text.extend(std::iter::repeat_n(' ', pad));
            }
        }
        text.push('\n');
    }
    text
}
