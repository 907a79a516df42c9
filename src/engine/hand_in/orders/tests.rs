//! Which lines are commands; everything else is told in `tests/it/submission`.

use super::*;

#[test]
fn a_first_line_with_a_verb_is_a_command() {
    assert_eq!(command_line("\n  #claim\nDear").as_deref(), Some("#claim"));
    assert_eq!(command_line("#nosuchverb x"), Some("#nosuchverb x".into()));
    for text in ["", "Dear customer", "#1 is done", "# heading", "see #claim", "Dear\n#claim"] {
        assert_eq!(command_line(text), None, "{text}");
    }
}
