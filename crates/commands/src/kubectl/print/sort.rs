//! `--sort-by`: what comes before what, and in which order Go leaves what is equal.
//!
//! Models kubectl/pkg/cmd/get/sorter.go and Go's sort.Sort, a pattern-defeating quicksort. It is not
//! stable, so that objects of one age come out in an order of its own.

use std::cmp::Ordering;

use api::Value;

/// Slices up to this length are sorted by insertion.
const SHORT: usize = 12;
/// From this length on the pivot is a median of medians, and single elements are moved.
const LONG: usize = 50;

/// Sorts as `sort.Sort` does. `less` may fail, which ends the sorting.
pub(crate) fn go_sort<T, E>(
    items: &mut [T],
    less: impl FnMut(&T, &T) -> Result<bool, E>,
) -> Result<(), E> {
    let bits = usize::BITS - items.len().leading_zeros();
    let end = items.len();
    Sort { items, less }.quick(0, end, bits)
}

struct Sort<'a, T, F> {
    items: &'a mut [T],
    less: F,
}

/// What choosing the pivot showed of the order there is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

impl<T, E, F: FnMut(&T, &T) -> Result<bool, E>> Sort<'_, T, F> {
    fn less(&mut self, a: usize, b: usize) -> Result<bool, E> {
        (self.less)(&self.items[a], &self.items[b])
    }

    fn quick(&mut self, mut from: usize, mut to: usize, mut patience: u32) -> Result<(), E> {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = to - from;
            if length <= SHORT {
                return self.insertion(from, to);
            }
            if patience == 0 {
                return self.heap(from, to);
            }
            if !balanced {
                self.break_patterns(from, to);
                patience -= 1;
            }
            let (mut pivot, mut hint) = self.pivot(from, to)?;
            if hint == Hint::Decreasing {
                self.items[from..to].reverse();
                pivot = (to - 1) - (pivot - from);
                hint = Hint::Increasing;
            }
            let sorted = balanced && partitioned && hint == Hint::Increasing;
            if sorted && self.nearly_sorted(from, to)? {
                return Ok(());
            }
            // Many are equal: those that are go to the front at once.
            if from > 0 && !self.less(from - 1, pivot)? {
                from = self.partition_equal(from, to, pivot)?;
                continue;
            }
            let (middle, already) = self.partition(from, to, pivot)?;
            partitioned = already;
            let (left, right) = (middle - from, to - middle);
            balanced = left.min(right) >= length / 8;
            if left < right {
                self.quick(from, middle, patience)?;
                from = middle + 1;
            } else {
                self.quick(middle + 1, to, patience)?;
                to = middle;
            }
        }
    }

    fn insertion(&mut self, from: usize, to: usize) -> Result<(), E> {
        for i in from + 1..to {
            let mut j = i;
            while j > from && self.less(j, j - 1)? {
                self.items.swap(j, j - 1);
                j -= 1;
            }
        }
        Ok(())
    }

    fn heap(&mut self, from: usize, to: usize) -> Result<(), E> {
        let length = to - from;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift_down(root, length, from)?;
        }
        for end in (0..length).rev() {
            self.items.swap(from, from + end);
            self.sift_down(0, end, from)?;
        }
        Ok(())
    }

    fn sift_down(&mut self, mut root: usize, end: usize, first: usize) -> Result<(), E> {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return Ok(());
            }
            if child + 1 < end && self.less(first + child, first + child + 1)? {
                child += 1;
            }
            if !self.less(first + root, first + child)? {
                return Ok(());
            }
            self.items.swap(first + root, first + child);
            root = child;
        }
    }

    /// The elements before and after the pivot, and whether they were parted already.
    fn partition(&mut self, from: usize, to: usize, pivot: usize) -> Result<(usize, bool), E> {
        self.items.swap(from, pivot);
        let (mut i, mut j) = (from + 1, to - 1);
        let mut already = true;
        loop {
            while i <= j && self.less(i, from)? {
                i += 1;
            }
            while i <= j && !self.less(j, from)? {
                j -= 1;
            }
            if i > j {
                self.items.swap(j, from);
                return Ok((j, already));
            }
            already = false;
            self.items.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    /// Those equal to the pivot first; gives where the greater ones begin.
    fn partition_equal(&mut self, from: usize, to: usize, pivot: usize) -> Result<usize, E> {
        self.items.swap(from, pivot);
        let (mut i, mut j) = (from + 1, to - 1);
        loop {
            while i <= j && !self.less(from, i)? {
                i += 1;
            }
            while i <= j && self.less(from, j)? {
                j -= 1;
            }
            if i > j {
                return Ok(i);
            }
            self.items.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    /// Repairs a few elements that are out of order. Says whether all is sorted.
    fn nearly_sorted(&mut self, from: usize, to: usize) -> Result<bool, E> {
        let mut i = from + 1;
        for _ in 0..5 {
            while i < to && !self.less(i, i - 1)? {
                i += 1;
            }
            if i == to {
                return Ok(true);
            }
            if to - from < LONG {
                return Ok(false);
            }
            self.items.swap(i, i - 1);
            if i - from >= 2 {
                let mut j = i - 1;
                while j >= 1 && self.less(j, j - 1)? {
                    self.items.swap(j, j - 1);
                    j -= 1;
                }
            }
            if to - i >= 2 {
                let mut j = i + 1;
                while j < to && self.less(j, j - 1)? {
                    self.items.swap(j, j - 1);
                    j += 1;
                }
            }
        }
        Ok(false)
    }

    /// Scatters three elements, where the pivots were badly chosen.
    fn break_patterns(&mut self, from: usize, to: usize) {
        let length = to - from;
        if length < 8 {
            return;
        }
        let mut random = length as u64;
        let mask = (1usize << (usize::BITS - length.leading_zeros())) - 1;
        let at = from + (length / 4) * 2 - 1;
        for i in 0..3 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = random as usize & mask;
            if other >= length {
                other -= length;
            }
            self.items.swap(at - 1 + i, from + other);
        }
    }

    fn pivot(&mut self, from: usize, to: usize) -> Result<(usize, Hint), E> {
        let length = to - from;
        let quarter = length / 4;
        let [mut i, mut j, mut k] = [1, 2, 3].map(|n| from + quarter * n);
        let mut swaps = 0;
        if length >= 8 {
            if length >= LONG {
                i = self.median([i - 1, i, i + 1], &mut swaps)?;
                j = self.median([j - 1, j, j + 1], &mut swaps)?;
                k = self.median([k - 1, k, k + 1], &mut swaps)?;
            }
            j = self.median([i, j, k], &mut swaps)?;
        }
        let hint = match swaps {
            0 => Hint::Increasing,
            12 => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        Ok((j, hint))
    }

    fn median(&mut self, [mut a, mut b, mut c]: [usize; 3], swaps: &mut u32) -> Result<usize, E> {
        let mut order = |a: &mut usize, b: &mut usize| -> Result<(), E> {
            if self.less(*b, *a)? {
                *swaps += 1;
                std::mem::swap(a, b);
            }
            Ok(())
        };
        order(&mut a, &mut b)?;
        order(&mut b, &mut c)?;
        order(&mut a, &mut b)?;
        Ok(b)
    }
}

/// Whether a value of a field comes before another: numbers by value, quantities by amount, texts
/// with the numbers in them by value. A value that nothing can be said of fails with Go's name for
/// its type.
pub(crate) fn is_less(a: &Value, b: &Value) -> Result<bool, &'static str> {
    Ok(match (a, b) {
        (Value::Null, b) => !b.is_null(),
        (_, Value::Null) => false,
        (Value::Int(a), Value::Int(b)) => a < b,
        (Value::Float(a), Value::Float(b)) => a < b,
        (Value::Str(a), Value::Str(b)) => {
            match (api::Quantity::parse(a), api::Quantity::parse(b)) {
                (Ok(a), Ok(b)) => a < b,
                _ => natural(a, b) == Ordering::Less,
            }
        }
        (Value::Bool(_), _) => return Err("bool"),
        (Value::Int(_), _) => return Err("int64"),
        (Value::Float(_), _) => return Err("float64"),
        (Value::Str(_), _) => return Err("string"),
        (Value::List(_), _) => return Err("[]interface {}"),
        (Value::Map(_), _) => return Err("map[string]interface {}"),
    })
}

/// Texts with the numbers in them by value: `web-2` before `web-10`. Of equal numbers the one with
/// fewer zeros in front comes first.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let mut zeros = Ordering::Equal;
    while let ([first, ..], [second, ..]) = (a, b) {
        if !(first.is_ascii_digit() && second.is_ascii_digit()) {
            if first != second {
                return first.cmp(second);
            }
            (a, b) = (&a[1..], &b[1..]);
            continue;
        }
        let number = |text: &[u8]| {
            let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
            let zeros = text.iter().take_while(|c| **c == b'0').count();
            (zeros.min(digits), digits)
        };
        let ((za, ea), (zb, eb)) = (number(a), number(b));
        let value = (ea - za)
            .cmp(&(eb - zb))
            .then_with(|| a[za..ea].cmp(&b[zb..eb]));
        if value != Ordering::Equal {
            return value;
        }
        zeros = zeros.then(za.cmp(&zb));
        (a, b) = (&a[ea..], &b[eb..]);
    }
    a.len().cmp(&b.len()).then(zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_slices_stay_as_they_are_and_long_ones_do_not() {
        let sorted = |n: u32, key: fn(u32) -> u32| {
            let mut items: Vec<u32> = (0..n).collect();
            let less = |a: &u32, b: &u32| Ok::<_, ()>(key(*a) < key(*b));
            go_sort(&mut items, less).map(|()| items)
        };
        assert_eq!(sorted(12, |_| 0), Ok((0..12).collect()));
        let three = sorted(200, |n| n % 3).unwrap_or_default();
        assert!(three.is_sorted_by_key(|n| n % 3));
        assert_ne!(three.first_chunk::<3>(), Some(&[0, 3, 6]));
        assert_eq!(sorted(200, |n| 200 - n), Ok((0..200).rev().collect()));
    }

    #[test]
    fn a_failure_ends_the_sorting() {
        let mut items = [3, 1, 2];
        let failed = go_sort(&mut items, |a: &i32, _: &i32| match a {
            1 => Err("one"),
            _ => Ok(false),
        });
        assert_eq!(failed, Err("one"));
    }

    #[test]
    fn values_compare_as_kubectl_compares_them() {
        #[track_caller]
        fn check(a: impl Into<Value>, b: impl Into<Value>, expect: Result<bool, &'static str>) {
            assert_eq!(is_less(&a.into(), &b.into()), expect);
        }
        check("web-2", "web-10", Ok(true));
        check("web-10", "web-2", Ok(false));
        check("a1", "a01", Ok(true));
        check("1Gi", "200Mi", Ok(false));
        check("abc", "abd", Ok(true));
        check("ab", "abc", Ok(true));
        check(2, 10, Ok(true));
        check(Value::Null, 1, Ok(true));
        check(true, false, Err("bool"));
        check(1, "1", Err("int64"));
        check(Value::empty_map(), 1, Err("map[string]interface {}"));
    }
}
