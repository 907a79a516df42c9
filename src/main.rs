//! Reads arguments, runs one command, sets the exit code.
use baton::mail::kind;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    for file in args.iter().filter(|a| !a.starts_with("--") && *a != "inspect") {
        let raw = std::fs::read(file).unwrap_or_default();
        let Some(m) = mail_parser::MessageParser::default().parse(&raw) else { continue };
        let text: String =
            (0..m.text_body_count()).filter_map(|i| m.body_text(i)).collect::<Vec<_>>().join("\n");
        let f = kind::of(&m, &raw, &text);
        let from = m.from().and_then(|a| a.first()).and_then(|a| a.address()).unwrap_or_default();
        println!(
            "{}",
            serde_json::json!({"file": file, "message_id": m.message_id(), "from": [{"address": from}], "kind": f.kind,
            "kind_reason": f.reason, "bounce": f.bounce, "may_answer_automatically": f.may_answer_automatically,
            "subject": m.subject(), "text": text})
        );
    }
}
