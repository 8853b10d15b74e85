//! The JSON Schema of lesson.yaml, for editors to complete and check with.

use crate::file::LessonFile;

/// The schema, pretty-printed, with a final newline.
pub fn schema() -> String {
    let schema = schemars::schema_for!(LessonFile);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn the_schema_knows_every_field_and_forbids_others() {
        let schema: Value = serde_json::from_str(&super::schema()).expect("JSON");
        assert_eq!(schema["title"], "Lesson");
        assert_eq!(schema["additionalProperties"], false);
        let step = &schema["$defs"]["StepFile"];
        for field in [
            "title", "text", "checks", "hints", "solution", "predict", "mistakes",
        ] {
            let description = &step["properties"][field]["description"];
            assert!(description.is_string(), "{field} has no description");
        }
        assert_eq!(step["additionalProperties"], false);
        assert_eq!(
            schema["$defs"]["StaysFile"]["required"],
            serde_json::json!(["for"])
        );
        assert!(schema["$defs"]["CheckFile"]["oneOf"].is_array());
    }
}
