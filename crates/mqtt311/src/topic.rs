//! Topic names and topic filters.

use crate::TopicError;

/// Checks a topic name: what a PUBLISH may carry.
///
/// # Errors
///
/// It is empty, too long, or contains U+0000, `+` or `#`.
///
/// # Reference
///
/// MQTT 3.1.1, 4.7.1 and 4.7.3.
pub fn check_topic_name(name: &str) -> Result<(), TopicError> {
    check_text(name)?;
    match name.chars().find(|c| matches!(c, '+' | '#')) {
        Some(wildcard) => Err(TopicError::WildcardInName(wildcard)),
        None => Ok(()),
    }
}

/// Checks a topic filter: what a SUBSCRIBE or UNSUBSCRIBE may carry.
///
/// # Errors
///
/// It is empty, too long, contains U+0000, or a wildcard is not alone in its level, or `#` is not
/// in the last level.
///
/// # Reference
///
/// MQTT 3.1.1, 4.7.1 and 4.7.3.
pub fn check_topic_filter(filter: &str) -> Result<(), TopicError> {
    check_text(filter)?;
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.contains('#') && (level != "#" || levels.peek().is_some()) {
            return Err(TopicError::MultiLevelWildcard);
        }
        if level.contains('+') && level != "+" {
            return Err(TopicError::SingleLevelWildcard);
        }
    }
    Ok(())
}

/// Whether a message with topic `name` goes to a subscription with this `filter`.
///
/// Both must be valid; the result for anything else means nothing. A filter that begins with a
/// wildcard does not match a name that begins with `$`.
///
/// ```
/// use mqtt311::filter_matches;
///
/// assert!(filter_matches("$iothub/twin/res/#", "$iothub/twin/res/200/?$rid=1"));
/// assert!(!filter_matches("#", "$iothub/twin/res/200/?$rid=1"));
/// ```
///
/// # Reference
///
/// MQTT 3.1.1, 4.7.1 and 4.7.2.
#[must_use]
pub fn filter_matches(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut names = name.split('/');
    for level in filter.split('/') {
        // `sport/#` also matches the parent level `sport`.
        if level == "#" {
            return true;
        }
        match names.next() {
            Some(text) if level == "+" || level == text => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

fn check_text(text: &str) -> Result<(), TopicError> {
    if text.is_empty() {
        Err(TopicError::Empty)
    } else if text.len() > usize::from(u16::MAX) {
        Err(TopicError::TooLong)
    } else if text.contains('\0') {
        Err(TopicError::Nul)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TopicError as E;

    #[test]
    fn names_and_filters() {
        let long = "a".repeat(65_536);
        let rows = [
            ("a", Ok(()), Ok(())),
            ("/", Ok(()), Ok(())),
            ("a//b", Ok(()), Ok(())),
            ("", Err(E::Empty), Err(E::Empty)),
            (&long, Err(E::TooLong), Err(E::TooLong)),
            ("a\0", Err(E::Nul), Err(E::Nul)),
            ("#", Err(E::WildcardInName('#')), Ok(())),
            ("+", Err(E::WildcardInName('+')), Ok(())),
            ("/+/+/#", Err(E::WildcardInName('+')), Ok(())),
            ("a/#", Err(E::WildcardInName('#')), Ok(())),
            (
                "a#",
                Err(E::WildcardInName('#')),
                Err(E::MultiLevelWildcard),
            ),
            (
                "a/#/b",
                Err(E::WildcardInName('#')),
                Err(E::MultiLevelWildcard),
            ),
            (
                "a/#/",
                Err(E::WildcardInName('#')),
                Err(E::MultiLevelWildcard),
            ),
            (
                "a+/b",
                Err(E::WildcardInName('+')),
                Err(E::SingleLevelWildcard),
            ),
            (
                "a/++",
                Err(E::WildcardInName('+')),
                Err(E::SingleLevelWildcard),
            ),
        ];
        for (text, name, filter) in rows {
            assert_eq!(check_topic_name(text), name, "name {text}");
            assert_eq!(check_topic_filter(text), filter, "filter {text}");
        }
    }

    #[test]
    fn matching() {
        // The examples of MQTT 3.1.1, 4.7.1 and 4.7.2, and the hub's own.
        for (filter, name, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/ranking",
                true,
            ),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/wimbledon",
                true,
            ),
            ("sport/tennis/player1/#", "sport/tennis/player10", false),
            ("sport/#", "sport", true),
            ("#", "sport", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/x", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
            ("a", "A", false),
            ("a", "a/", false),
            (
                "devices/+/messages/devicebound/#",
                "devices/d/messages/devicebound/%24.mid=1",
                true,
            ),
            (
                "devices/d/messages/devicebound/#",
                "devices/e/messages/devicebound/",
                false,
            ),
            (
                "$iothub/methods/POST/#",
                "$iothub/methods/POST/reboot/?$rid=a1",
                true,
            ),
        ] {
            assert_eq!(filter_matches(filter, name), expected, "{filter} {name}");
        }
    }
}
