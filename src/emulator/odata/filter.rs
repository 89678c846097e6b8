//! `$filter`: text → tests over the properties that a list allows → does an item pass.

use std::cmp::Ordering;
use std::str::FromStr;

use pest::Parser;
use pest::iterators::{Pair, Pairs};
use serde_json::Value;

use crate::base::Timestamp;

/// The longest filter that is read: a few hundred tests.
const CHARS_MAX: usize = 8_192;
/// The deepest nesting of parentheses: reading is recursive, and nobody writes more by hand.
const DEPTH_MAX: usize = 32;

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/filter.pest"]
struct Grammar;

/// A property that a list may be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its path, such as `executionInfo/poolId`.
    pub path: &'static str,
    /// What it is compared with.
    pub kind: Kind,
    /// How it may be compared.
    pub operators: Operators,
}

/// What a property is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text whose case does not count, as in ids, states and VM sizes.
    Text,
    /// `true` or `false`.
    Truth,
    /// A number.
    Number,
    /// `datetime'2026-11-22T00:00:00Z'`, an instant.
    Time,
}

/// How a property may be compared (the tables of operators in the page on filters in list operations).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operators {
    /// `eq`.
    Equal,
    /// `eq` and `ne`.
    Differ,
    /// `eq`, `ne`, `gt`, `ge`, `lt` and `le`.
    Order,
    /// All of these, and `startswith`.
    All,
}

/// A filter that was read; an item without a property passes no test of it but `ne`.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Test);

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Starts(&'static str, String),
    Is(&'static str, Operator, Literal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Text(String),
    Truth(bool),
    Number(f64),
    Time(Timestamp),
}

impl Filter {
    /// Reads a filter over these properties.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it and what would be right.
    pub fn read(text: &str, properties: &'static [Property]) -> Result<Self, String> {
        if CHARS_MAX < text.len() {
            return Err(format!("the filter is longer than {CHARS_MAX} characters"));
        }
        let mut depth = 0_usize;
        for byte in text.bytes() {
            match byte {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if DEPTH_MAX < depth {
                return Err(format!("parentheses are nested more than {DEPTH_MAX} deep"));
            }
        }
        let mut pairs = Grammar::parse(Rule::filter, text).map_err(|error| misread(&error))?;
        let filter = pairs.next().expect("a filter was read");
        let either = filter.into_inner().next().expect("the grammar has one inside");
        test(either, properties).map(Self)
    }

    /// Says whether an item passes, looking its properties up by their paths.
    pub fn passes(&self, look: &impl Fn(&str) -> Option<Value>) -> bool {
        self.0.passes(look)
    }

    /// Says whether an item passes as it is printed.
    pub fn passes_value(&self, item: &Value) -> bool {
        self.passes(&|path| {
            let mut names = path.split('/');
            names.try_fold(item, |value, name| value.get(name)).cloned()
        })
    }

    /// Returns the text that a property must equal for an item to pass, if the filter says so at its top.
    ///
    /// A list of many can be looked up then instead of walked.
    pub fn must_equal(&self, path: &str) -> Option<&str> {
        let Test::Any(either) = &self.0 else { return None };
        let [Test::All(tests)] = either.as_slice() else {
            return None;
        };
        tests.iter().find_map(|test| match test {
            Test::Is(name, Operator::Eq, Literal::Text(text)) if *name == path => Some(text.as_str()),
            _ => None,
        })
    }
}

fn misread(error: &pest::error::Error<Rule>) -> String {
    let column = match error.line_col {
        pest::error::LineColLocation::Pos((_, column))
        | pest::error::LineColLocation::Span((_, column), _) => column,
    };
    format!(
        "syntax error at position {column}: expected tests such as `state eq 'active'` or `startswith(id,'a')`, \
         joined by `and` or `or`"
    )
}

fn test(pair: Pair<'_, Rule>, properties: &'static [Property]) -> Result<Test, String> {
    let rule = pair.as_rule();
    let mut inner = pair.into_inner();
    match rule {
        Rule::either => joined(inner, properties).map(Test::Any),
        Rule::both => joined(inner, properties).map(Test::All),
        Rule::starts => {
            let property = named(
                inner.next().expect("the grammar has a property").as_str(),
                properties,
            )?;
            if property.operators != Operators::All {
                return Err(format!("`{}` does not support `startswith`", property.path));
            }
            Ok(Test::Starts(
                property.path,
                unquoted(inner.next().expect("the grammar has a text")).to_lowercase(),
            ))
        }
        Rule::test => {
            let property = named(
                inner.next().expect("the grammar has a property").as_str(),
                properties,
            )?;
            let name = inner
                .next()
                .expect("the grammar has an operator")
                .as_str()
                .to_lowercase();
            let operator = Operator::named(&name);
            if !property.operators.allow(operator) {
                return Err(format!("`{}` does not support `{name}`", property.path));
            }
            let literal = literal(inner.next().expect("the grammar has a literal"), property)?;
            Ok(Test::Is(property.path, operator, literal))
        }
        _ => unreachable!("the grammar has tests here"),
    }
}

/// The tests between the words that join them.
fn joined(inner: Pairs<'_, Rule>, properties: &'static [Property]) -> Result<Vec<Test>, String> {
    let tests = inner.filter(|pair| !matches!(pair.as_rule(), Rule::and | Rule::or));
    tests.map(|pair| test(pair, properties)).collect()
}

fn named(name: &str, properties: &'static [Property]) -> Result<&'static Property, String> {
    let found = properties
        .iter()
        .find(|property| property.path.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let known: Vec<_> = properties.iter().map(|property| property.path).collect();
        format!("`{name}` cannot be filtered by; what can is {}", known.join(", "))
    })
}

fn literal(pair: Pair<'_, Rule>, property: &Property) -> Result<Literal, String> {
    let written = pair.as_str().to_owned();
    let literal = match (pair.as_rule(), property.kind) {
        (Rule::text, Kind::Text) => Some(Literal::Text(unquoted(pair).to_lowercase())),
        (Rule::truth, Kind::Truth) => Some(Literal::Truth(written.eq_ignore_ascii_case("true"))),
        (Rule::number, Kind::Number) => written.parse().ok().map(Literal::Number),
        (Rule::time, Kind::Time) => {
            let text = unquoted(pair.into_inner().next().expect("the grammar has a text"));
            Timestamp::from_str(&text).ok().map(Literal::Time)
        }
        _ => None,
    };
    literal.ok_or_else(|| {
        let wanted = match property.kind {
            Kind::Text => "a text such as 'active'",
            Kind::Truth => "true or false",
            Kind::Number => "a number",
            Kind::Time => "a time such as datetime'2026-11-22T00:00:00Z'",
        };
        format!(
            "`{}` is compared with {wanted}, not with {written}",
            property.path
        )
    })
}

/// The inside of a quoted text; a quote is written twice there.
fn unquoted(text: Pair<'_, Rule>) -> String {
    let inside = text.into_inner().next().expect("the grammar has an inside");
    inside.as_str().replace("''", "'")
}

impl Operators {
    fn allow(self, operator: Operator) -> bool {
        match operator {
            Operator::Eq => true,
            Operator::Ne => self != Self::Equal,
            _ => matches!(self, Self::Order | Self::All),
        }
    }
}

impl Operator {
    fn named(name: &str) -> Self {
        match name {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => unreachable!("the grammar has six operators"),
        }
    }

    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Eq => order.is_some_and(Ordering::is_eq),
            Self::Ne => !order.is_some_and(Ordering::is_eq),
            Self::Gt => order.is_some_and(Ordering::is_gt),
            Self::Ge => order.is_some_and(Ordering::is_ge),
            Self::Lt => order.is_some_and(Ordering::is_lt),
            Self::Le => order.is_some_and(Ordering::is_le),
        }
    }
}

impl Test {
    fn passes(&self, look: &impl Fn(&str) -> Option<Value>) -> bool {
        match self {
            Self::Any(tests) => tests.iter().any(|test| test.passes(look)),
            Self::All(tests) => tests.iter().all(|test| test.passes(look)),
            Self::Starts(path, start) => {
                let value = look(path);
                let text = value.as_ref().and_then(Value::as_str);
                text.is_some_and(|text| text.to_lowercase().starts_with(start))
            }
            Self::Is(path, operator, literal) => {
                let order = look(path).and_then(|value| literal.order(&value));
                operator.holds(order)
            }
        }
    }
}

impl Literal {
    /// How a value stands to this; none where they cannot be compared.
    fn order(&self, value: &Value) -> Option<Ordering> {
        match self {
            Self::Text(text) => Some(value.as_str()?.to_lowercase().as_str().cmp(text)),
            Self::Truth(truth) => Some(value.as_bool()?.cmp(truth)),
            Self::Number(number) => value.as_f64()?.partial_cmp(number),
            Self::Time(at) => Some(Timestamp::from_str(value.as_str()?).ok()?.cmp(at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{NODES, POOLS, TASKS};
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let pools = [
            json!({ "id": "A-1", "state": "active", "vmSize": "standard_d2s_v5", "enableAutoScale": true,
                    "creationTime": "2026-11-22T09:00:00.1234567Z" }),
            json!({ "id": "b's", "state": "deleting", "vmSize": "standard_d4s_v5", "enableAutoScale": false,
                    "creationTime": "2026-11-23T09:00:00Z" }),
            json!({ "id": "c" }),
        ];
        let filter = Filter::read(text, POOLS.properties).unwrap_or_else(|error| panic!("{text}: {error}"));
        let passed: Vec<_> = pools
            .iter()
            .filter(|pool| filter.passes_value(pool))
            .map(|pool| pool["id"].as_str().unwrap())
            .collect();
        assert_eq!(passed, expected, "{text}");
    }

    #[test]
    fn tests_are_joined_and_nested() {
        check("state eq 'active'", &["A-1"]);
        check("state eq 'ACTIVE'", &["A-1"]);
        check("startswith(id,'a')", &["A-1"]);
        check("StartsWith( id , 'b''' )", &["b's"]);
        check("id eq 'b''s'", &["b's"]);
        check("id gt 'a-1'", &["b's", "c"]);
        check("id le 'b''s'", &["A-1", "b's"]);
        check("enableAutoScale eq true", &["A-1"]);
        check("enableAutoScale ne true", &["b's", "c"]);
        check("vmSize ne 'Standard_D2s_v5'", &["b's", "c"]);
        check(
            "creationTime ge datetime'2026-11-22T09:00:00.1234567Z'",
            &["A-1", "b's"],
        );
        check("creationTime lt datetime'2026-11-22T09:00:00.1234568Z'", &["A-1"]);
        check("id eq 'c' or id eq 'b''s' and state eq 'active'", &["c"]);
        check("(id eq 'c' or id eq 'b''s') and state eq 'deleting'", &["b's"]);
        check("((id eq 'c'))", &["c"]);
    }

    fn refuse(text: &str, properties: &'static [Property], part: &str) {
        let error = Filter::read(text, properties).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    }

    #[test]
    fn what_the_service_refuses_is_refused_with_the_reason() {
        refuse(
            "isDedicated eq true",
            NODES.properties,
            "`isDedicated` cannot be filtered by",
        );
        refuse(
            "state ne 'active'",
            POOLS.properties,
            "`state` does not support `ne`",
        );
        refuse(
            "startswith(vmSize,'a')",
            POOLS.properties,
            "does not support `startswith`",
        );
        refuse("enableAutoScale eq 'true'", POOLS.properties, "true or false");
        refuse("creationTime gt '2026-11-22'", POOLS.properties, "a time such as");
        refuse(
            "creationTime gt datetime'yesterday'",
            POOLS.properties,
            "a time such as",
        );
        refuse("state eq active", POOLS.properties, "position 10");
        refuse("", POOLS.properties, "position 1");
        refuse("state eq 'active' and", POOLS.properties, "syntax error");
        refuse("not state eq 'active'", POOLS.properties, "syntax error");
        refuse(&"(".repeat(100), POOLS.properties, "nested");
        refuse(&"x".repeat(9_000), POOLS.properties, "longer");
    }

    #[test]
    fn inner_properties_and_numbers() {
        let filter = Filter::read(
            "executionInfo/exitCode ge -1 and executionInfo/result ne 'success'",
            TASKS.properties,
        )
        .unwrap();
        assert!(filter.passes_value(&json!({ "executionInfo": { "exitCode": 3, "result": "failure" } })));
        assert!(!filter.passes_value(&json!({ "executionInfo": { "exitCode": -2, "result": "failure" } })));
        assert!(!filter.passes_value(&json!({ "executionInfo": { "result": "failure" } })));
    }

    #[test]
    fn what_must_be_equal_can_be_looked_up() {
        let read = |text| Filter::read(text, POOLS.properties).unwrap();
        assert_eq!(
            read("id eq 'X' and state eq 'active'").must_equal("id"),
            Some("x")
        );
        assert_eq!(read("id eq 'x' or id eq 'y'").must_equal("id"), None);
        assert_eq!(read("startswith(id,'x')").must_equal("id"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[ -~é]{0,60}") {
            let _ = Filter::read(&text, POOLS.properties);
        }

        #[test]
        fn no_soup_of_words_panics(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "id", "state", "creationTime", "eq", "ne", "and", "or", "(", ")", "'x'", "startswith(id,'", "'", ",",
                    "true", "1", "-", "datetime'2026-11-22T00:00:00Z'", "datetime''", "/", "''",
                ]),
                0..24,
            ),
        ) {
            if let Ok(filter) = Filter::read(&words.join(" "), POOLS.properties) {
                let _ = filter.passes_value(&json!({ "id": "x", "state": 1, "creationTime": "no time" }));
            }
        }
    }

    #[test]
    fn every_allowed_property_and_operator_is_read_and_every_other_refused() {
        for list in super::super::kinds::ALL {
            for property in list.properties {
                let literal = match property.kind {
                    Kind::Text => "'x'",
                    Kind::Truth => "true",
                    Kind::Number => "1",
                    Kind::Time => "datetime'2026-11-22T00:00:00Z'",
                };
                for (name, least) in [("eq", 0), ("ne", 1), ("gt", 2), ("ge", 2), ("lt", 2), ("le", 2)] {
                    let text = format!("{} {name} {literal}", property.path);
                    let allowed = least <= property.operators as usize;
                    assert_eq!(
                        Filter::read(&text, list.properties).is_ok(),
                        allowed,
                        "{}: {text}",
                        list.name
                    );
                }
                let text = format!("startswith({},'x')", property.path);
                let allowed = property.operators == Operators::All;
                assert_eq!(
                    Filter::read(&text, list.properties).is_ok(),
                    allowed,
                    "{}: {text}",
                    list.name
                );
            }
        }
    }
}
