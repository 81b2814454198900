//! Test forms such as `(0-5),(0,1),<path>` read as parameter ranges, so that what `=?` prints is what is enforced.

use crate::at::Arg;

/// One parameter of a test form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Decimal ranges: `(0-5)` or `(1,2,255)`.
    Numbers(Vec<(u64, u64)>),
    /// Hexadecimal codes, unquoted: `(0X0035,0XFFFF)`.
    Codes(Vec<(u128, u128)>),
    /// One of these words, quoted: `("off","pulse")`.
    Words(Vec<String>),
    /// Any text.
    Text,
}

impl Slot {
    /// Whether this argument is in range. `quoted_numbers`: numbers may stand in quotes.
    pub(crate) fn accepts(&self, arg: &Arg, quoted_numbers: bool) -> bool {
        match self {
            Self::Numbers(ranges) => {
                (quoted_numbers || !arg.quoted)
                    && arg.number().is_some_and(|n| {
                        ranges.iter().any(|(low, high)| (*low..=*high).contains(&n))
                    })
            }
            Self::Codes(ranges) => {
                (quoted_numbers || !arg.quoted)
                    && arg.code().is_some_and(|n| {
                        ranges.iter().any(|(low, high)| (*low..=*high).contains(&n))
                    })
            }
            Self::Words(words) => {
                arg.quoted
                    && words
                        .iter()
                        .any(|word| word.as_bytes().eq_ignore_ascii_case(&arg.text))
            }
            Self::Text => true,
        }
    }
}

/// Splits a test form into its parameters; optional brackets are dropped.
pub(crate) fn parse_form(form: &str) -> Vec<Slot> {
    let form: String = form
        .chars()
        .filter(|c| !matches!(c, '[' | ']' | ' '))
        .collect();
    let mut slots = Vec::new();
    let mut depth = 0u32;
    let mut piece = String::new();
    for c in form.chars().chain([',']) {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                if !piece.is_empty() {
                    slots.push(slot(&piece));
                }
                piece.clear();
            }
            c => piece.push(c),
        }
    }
    slots
}

fn slot(piece: &str) -> Slot {
    if piece.starts_with('"') && piece.contains(',') {
        return Slot::Words(
            piece
                .split(',')
                .map(|word| word.trim_matches('"').to_owned())
                .collect(),
        );
    }
    let parts: Vec<(&str, &str)> = piece
        .split(',')
        .map(|part| part.split_once('-').unwrap_or((part, part)))
        .collect();
    let decimal: Option<Vec<_>> = parts
        .iter()
        .map(|(low, high)| Some((low.parse::<u64>().ok()?, high.parse::<u64>().ok()?)))
        .collect();
    if let Some(ranges) = decimal {
        return Slot::Numbers(ranges);
    }
    let hex: Option<Vec<_>> = parts
        .iter()
        .map(|(low, high)| Some((hex(low)?, hex(high)?)))
        .collect();
    hex.map_or(Slot::Text, Slot::Codes)
}

fn hex(text: &str) -> Option<u128> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text);
    u128::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let cases = [
            (
                "(0-5),(0,1)",
                vec![
                    Slot::Numbers(vec![(0, 5)]),
                    Slot::Numbers(vec![(0, 0), (1, 1)]),
                ],
            ),
            (
                "(0-5),<path>",
                vec![Slot::Numbers(vec![(0, 5)]), Slot::Text],
            ),
            (
                "(0X0035,0XFFFF)",
                vec![Slot::Codes(vec![(0x35, 0x35), (0xFFFF, 0xFFFF)])],
            ),
            ("(0-F)", vec![Slot::Codes(vec![(0, 15)])]),
            (
                "(\"off\",\"pulse\"),(5-2000)",
                vec![
                    Slot::Words(vec!["off".to_owned(), "pulse".to_owned()]),
                    Slot::Numbers(vec![(5, 2000)]),
                ],
            ),
            (
                "(0-5),<key>[,<pwd>]",
                vec![Slot::Numbers(vec![(0, 5)]), Slot::Text, Slot::Text],
            ),
        ];
        for (form, slots) in cases {
            assert_eq!(parse_form(form), slots, "{form}");
        }
    }

    #[test]
    fn ranges_are_enforced() {
        let arg = |text: &str, quoted| Arg {
            text: text.as_bytes().to_vec(),
            quoted,
        };
        let numbers = Slot::Numbers(vec![(10, 300)]);
        assert!(numbers.accepts(&arg("300", false), false));
        assert!(!numbers.accepts(&arg("301", false), false));
        assert!(!numbers.accepts(&arg("300", true), false));
        assert!(numbers.accepts(&arg("300", true), true));
        let codes = Slot::Codes(vec![(0xFFFF, 0xFFFF)]);
        for text in ["0XFFFF", "0xFFFF", "0xffff"] {
            assert!(codes.accepts(&arg(text, false), false));
        }
        assert!(!codes.accepts(&arg("0XFFFF", true), false));
    }
}
