//! Holds an answer against the description of the interface: types, words, keys that must be there, and none that is not described.

use serde_json::Value;

/// Checks the answer of a request, which panics with the place where it differs.
pub(crate) fn check(document: &Value, (method, path, status): (&str, &str, u16), answer: &Value) {
    let path = path.split('?').next().unwrap();
    let described = document["paths"].as_object().unwrap();
    let (template, operations) = described
        .iter()
        .find(|(template, _)| matches(template, path))
        .unwrap_or_else(|| panic!("{path} is not described"));
    let response = &operations[method]["responses"][status.to_string()];
    assert!(
        response.is_object(),
        "{method} {template}: {status} is not described"
    );
    let content = response["content"].as_object().unwrap().values().next().unwrap();
    hold(
        document,
        &content["schema"],
        answer,
        &format!("{method} {template} {status}"),
    );
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same = |(part, given): (&&str, &&str)| part == given || part.starts_with('{');
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

fn hold(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return hold(document, &document["components"]["schemas"][name], value, at);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(ways) = schema[key].as_array() {
            let fits = |way: &&Value| std::panic::catch_unwind(|| hold(document, way, value, at)).is_ok();
            let quiet = std::panic::take_hook();
            std::panic::set_hook(Box::new(|_| {}));
            let fitting = ways.iter().find(fits).is_some();
            std::panic::set_hook(quiet);
            assert!(fitting, "{at}: {value} fits none of {schema}");
            return;
        }
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = kinds.contains(&kind) || (kind == "integer" && kinds.contains(&"number"));
    assert!(fits, "{at}: {value} is no {kinds:?}");
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is none of {words:?}");
    }
    if let Value::Array(elements) = value {
        for (number, element) in elements.iter().enumerate() {
            hold(document, &schema["items"], element, &format!("{at}[{number}]"));
        }
    }
    let (Value::Object(map), Some(properties)) = (value, schema["properties"].as_object()) else {
        return;
    };
    for (key, inner) in map {
        let described = properties
            .get(key)
            .unwrap_or_else(|| panic!("{at}.{key} is not described"));
        hold(document, described, inner, &format!("{at}.{key}"));
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        let key = key.as_str().unwrap();
        assert!(map.contains_key(key), "{at}: `{key}` is missing in {value}");
    }
}
