//! Sets of completion indexes, and how they are written: `0-2,5`.
//! Models pkg/controller/job/indexed_job_utils.go (`orderedIntervals`).

use std::collections::BTreeSet;

/// `0-2,5`
pub(super) fn ranges(indexes: &BTreeSet<i64>) -> String {
    let mut parts: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => parts.push((*index, *index)),
        }
    }
    let shown = parts.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(",")
}

/// The indexes of a text, as far as they are below `most`.
pub(super) fn parse_ranges(text: &str, most: i64) -> BTreeSet<i64> {
    let mut indexes = BTreeSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) {
            indexes.extend(first..=last.min(most - 1));
        }
    }
    indexes.retain(|index| *index < most);
    indexes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, most: i64, expect: &str) {
        assert_eq!(ranges(&parse_ranges(text, most)), expect);
    }

    #[test]
    fn read_and_written() {
        check("", 5, "");
        check("0-2,5", 9, "0-2,5");
        check("1,2", 9, "1,2");
        check("0-9", 3, "0-2");
    }
}
