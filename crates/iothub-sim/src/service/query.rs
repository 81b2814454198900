//! Twin queries of a simple form.

use core::cmp::Ordering;

use serde_json::Value;

/// `SELECT * | COUNT() AS name FROM devices | devices.modules [WHERE field op literal [AND …]]`
#[derive(Debug, PartialEq)]
pub(super) struct Query {
    /// Count under this name instead of listing.
    pub(super) count_as: Option<String>,
    pub(super) modules: bool,
    conditions: Vec<Condition>,
}

#[derive(Debug, PartialEq)]
struct Condition {
    path: Vec<String>,
    operator: Operator,
    literal: Value,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const GRAMMAR: &str = "only `SELECT * FROM devices [WHERE field = literal [AND …]]` is understood here, also with COUNT() AS name and devices.modules";

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let tokens = tokens(text)?;
        let mut rest = tokens.as_slice();
        word(&mut rest, "SELECT")?;
        let count_as = match rest {
            [Token::Word(star), tail @ ..] if star == "*" => {
                rest = tail;
                None
            }
            [Token::Word(count), tail @ ..] if count.eq_ignore_ascii_case("COUNT()") => {
                rest = tail;
                word(&mut rest, "AS")?;
                Some(take_word(&mut rest)?)
            }
            _ => return Err(GRAMMAR),
        };
        word(&mut rest, "FROM")?;
        let modules = match take_word(&mut rest)?.to_ascii_lowercase().as_str() {
            "devices" => false,
            "devices.modules" => true,
            _ => return Err(GRAMMAR),
        };
        let mut conditions = Vec::new();
        if !rest.is_empty() {
            word(&mut rest, "WHERE")?;
            loop {
                conditions.push(condition(&mut rest)?);
                if rest.is_empty() {
                    break;
                }
                word(&mut rest, "AND")?;
            }
        }
        Ok(Self {
            count_as,
            modules,
            conditions,
        })
    }

    /// Whether a twin document is one of those asked for.
    pub(super) fn matches(&self, twin: &Value) -> bool {
        self.conditions.iter().all(|condition| {
            let field = condition
                .path
                .iter()
                .try_fold(twin, |value, name| value.get(name));
            condition.holds(field.unwrap_or(&Value::Null))
        })
    }
}

impl Condition {
    fn holds(&self, field: &Value) -> bool {
        let order = match (field, &self.literal) {
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            (Value::Number(a), Value::Number(b)) => a
                .as_f64()
                .zip(b.as_f64())
                .and_then(|(a, b)| a.partial_cmp(&b)),
            (a, b) => (a == b).then_some(Ordering::Equal),
        };
        match self.operator {
            Operator::Equal => order == Some(Ordering::Equal),
            Operator::NotEqual => order != Some(Ordering::Equal),
            Operator::Less => order == Some(Ordering::Less),
            Operator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Operator::Greater => order == Some(Ordering::Greater),
            Operator::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Operator(Operator),
}

fn tokens(text: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let operator = [
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ]
        .into_iter()
        .find_map(|(sign, operator)| Some((operator, rest.strip_prefix(sign)?)));
        if let Some((operator, tail)) = operator {
            tokens.push(Token::Operator(operator));
            rest = tail;
        } else if matches!(first, '\'' | '"') {
            let (text, tail) = rest
                .get(1..)
                .and_then(|tail| tail.split_once(first))
                .ok_or("a quoted text has no end")?;
            tokens.push(Token::Text(text.to_owned()));
            rest = tail;
        } else {
            let ends = |c: char| c.is_whitespace() || "=<>!'\"".contains(c);
            let length = rest.find(ends).unwrap_or(rest.len());
            let (word, tail) = rest.split_at_checked(length).ok_or(GRAMMAR)?;
            if word.is_empty() {
                return Err(GRAMMAR);
            }
            tokens.push(Token::Word(word.to_owned()));
            rest = tail;
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn take_word(rest: &mut &[Token]) -> Result<String, &'static str> {
    match rest {
        [Token::Word(word), tail @ ..] => {
            *rest = tail;
            Ok(word.clone())
        }
        _ => Err(GRAMMAR),
    }
}

fn word(rest: &mut &[Token], expected: &str) -> Result<(), &'static str> {
    if take_word(rest)?.eq_ignore_ascii_case(expected) {
        Ok(())
    } else {
        Err(GRAMMAR)
    }
}

fn condition(rest: &mut &[Token]) -> Result<Condition, &'static str> {
    let path = take_word(rest)?;
    let [Token::Operator(operator), literal, tail @ ..] = rest else {
        return Err(GRAMMAR);
    };
    let literal = match literal {
        Token::Text(text) => Value::from(text.as_str()),
        Token::Word(word) => serde_json::from_str(word).map_err(|_| GRAMMAR)?,
        Token::Operator(_) => return Err(GRAMMAR),
    };
    let condition = Condition {
        path: path.split('.').map(str::to_owned).collect(),
        operator: *operator,
        literal,
    };
    *rest = tail;
    Ok(condition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selections() {
        let twin = json!({
            "deviceId": "dev-1",
            "status": "enabled",
            "tags": {"floor": 3, "site": "north"},
            "properties": {"reported": {"t": 21.5, "on": true}},
        });
        for (text, expected) in [
            ("SELECT * FROM devices", true),
            ("select * from devices where deviceId = 'dev-1'", true),
            ("SELECT * FROM devices WHERE deviceId='dev-2'", false),
            (
                "SELECT * FROM devices WHERE tags.floor = 3 AND tags.site != \"south\"",
                true,
            ),
            ("SELECT * FROM devices WHERE tags.floor > 3", false),
            ("SELECT * FROM devices WHERE tags.floor >= 3", true),
            (
                "SELECT * FROM devices WHERE properties.reported.t < 22",
                true,
            ),
            (
                "SELECT * FROM devices WHERE properties.reported.on = true",
                true,
            ),
            ("SELECT * FROM devices WHERE tags.gone = 1", false),
            ("SELECT * FROM devices WHERE tags.gone != 1", true),
            ("SELECT * FROM devices WHERE tags.gone < 1", false),
            ("SELECT * FROM devices WHERE tags.site < 'o'", true),
        ] {
            assert_eq!(
                Query::parse(text).map(|q| q.matches(&twin)),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn forms() {
        let counted = Query::parse("SELECT COUNT() AS n FROM devices.modules").unwrap();
        assert_eq!(
            (counted.count_as.as_deref(), counted.modules),
            (Some("n"), true)
        );
        for text in [
            "",
            "SELECT",
            "SELECT * FROM",
            "SELECT * FROM jobs",
            "SELECT a FROM devices",
            "SELECT * FROM devices WHERE",
            "SELECT * FROM devices WHERE a",
            "SELECT * FROM devices WHERE a =",
            "SELECT * FROM devices WHERE a = =",
            "SELECT * FROM devices WHERE a = b",
            "SELECT * FROM devices WHERE a = 'b",
            "SELECT * FROM devices WHERE a = 1 OR b = 2",
            "SELECT * FROM devices WHERE a = 1 AND",
            "SELECT * FROM devices!",
        ] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
    }
}
