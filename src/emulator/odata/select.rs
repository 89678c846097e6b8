//! `$select`: the names that an answer is cut down to.

use serde_json::Value;

/// Which names of an entity were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select(Vec<&'static str>);

impl Select {
    /// Reads a list of names; their case does not count.
    ///
    /// # Errors
    /// A sentence that names the first one the entity does not have.
    pub fn read(text: &str, fields: &'static [&'static str]) -> Result<Self, String> {
        let known = |name: &str| {
            let found = fields.iter().find(|field| field.eq_ignore_ascii_case(name));
            found
                .copied()
                .ok_or_else(|| format!("`{name}` is no property of the resource"))
        };
        text.split(',')
            .map(|name| known(name.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Says whether a name was asked for.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    /// Drops what was not asked for.
    #[must_use]
    pub fn cut(&self, mut entity: Value) -> Value {
        if let Some(object) = entity.as_object_mut() {
            object.retain(|name, _| self.has(name));
        }
        entity
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::POOLS;
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_kept() {
        let select = Select::read("id, STATE", POOLS.fields).unwrap();
        let cut = select.cut(json!({ "id": "p", "state": "active", "vmSize": "a" }));
        assert_eq!(cut, json!({ "id": "p", "state": "active" }));
    }

    #[test]
    fn an_unknown_name_is_told() {
        for (text, name) in [("id,colour", "`colour`"), ("", "``"), ("id,,state", "``")] {
            let error = Select::read(text, POOLS.fields).unwrap_err();
            assert!(error.starts_with(name), "{text}: {error}");
        }
    }
}
