//! What differs between the lines of two texts.

/// The lines that only one side has, or all of them if the same lines stand in another order.
pub(crate) fn lines_difference(of: &str, a: &[String], b: &[String]) -> Vec<String> {
    if a == b {
        return Vec::new();
    }
    let mut only_a = a.to_vec();
    let mut only_b = Vec::new();
    for line in b {
        match only_a.iter().position(|other| other == line) {
            Some(at) => drop(only_a.remove(at)),
            None => only_b.push(line.clone()),
        }
    }
    let in_another_order = only_a.is_empty() && only_b.is_empty();
    let mut found = vec![match in_another_order {
        true => format!("{of}: in another order"),
        false => format!("{of}:"),
    }];
    if in_another_order {
        (only_a, only_b) = (a.to_vec(), b.to_vec());
    }
    found.extend(only_a.iter().map(|line| format!("< {line}")));
    found.extend(only_b.iter().map(|line| format!("> {line}")));
    found
}
