//! Whether two short texts (headlines, names) say the same, whatever their case, signs and blanks.

/// Letters and digits in lower case, parted by single spaces.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut blank = false;
    for char in text.chars() {
        if char.is_alphanumeric() {
            if blank && !folded.is_empty() {
                folded.push(' ');
            }
            blank = false;
            match char.is_ascii() {
                true => folded.push(char.to_ascii_lowercase()),
                false => folded.extend(char.to_lowercase()),
            }
        } else if !matches!(char, '\u{ad}' | '\u{301}') {
            blank = true;
        }
    }
    folded
}

/// How much two folded texts are alike, 0 to 100: the share of the shorter's words that the longer has.
pub fn likeness(a: &str, b: &str) -> u32 {
    if a == b {
        return 100;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return 0;
    }
    if long.contains(short) {
        return (60 + 40 * short.len() / long.len()) as u32;
    }
    let words = short.split(' ').count();
    let shared = short
        .split(' ')
        .filter(|word| long.split(' ').any(|other| other == *word))
        .count();
    (90 * shared / words) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_signs_and_blanks_do_not_matter() {
        assert_eq!(fold(" “Yes”,  he SAID… "), "yes he said");
        assert_eq!(likeness("yes he said", "yes he said"), 100);
        assert!(likeness("yes he said", "yes he said the gazette") > 60);
        assert_eq!(likeness("yes", ""), 0);
    }
}
