//! Whether a text says thank you and nothing else. Such an answer need not wake a resolved thread.
//!
//! Conservative: every word must be known to be harmless, names only where names stand. A thank you that is not
//! recognised costs a click; a request that is taken for one costs a customer.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The longest text that is considered, in bytes.
const LENGTH_MAX: usize = 240;
/// The most words.
const WORDS_MAX: usize = 24;

/// Words that thank.
const THANKS: &str = "\
    thanks thank thankyou thx thnx tks ty tysm cheers appreciated grateful danke dankeschön dank \
    dankend vielendank merci remercie remerciements gracias agradezco agradecido agradecida obrigado \
    obrigada obg agradeço grazie ringrazio bedankt dankjewel dankuwel tack tak takk kiitos kiitoksia \
    dzięki dziękuję dziekuje děkuji děkuju díky ďakujem köszönöm köszi mulțumesc multumesc hvala \
    aitäh tänan ačiū paldies teşekkürler teşekkür sağolun спасибо благодарю дякую благодаря \
    ευχαριστώ gràcies хвала شكرا תודה";
/// Words that say nothing more.
const HARMLESS: &str = "\
    you so very much a lot many again for your the help support quick fast great perfect awesome \
    excellent wonderful super ok okay all good nice best kind warm regards and have day weekend \
    evening really reply response answer it works now that is was solved got i we appreciate \
    everything well wishes sincerely yours too to im vielen herzlichen besten lieben schönen für \
    ihre ihren deine die das den der schnelle hilfe antwort rückmeldung info sehr gut prima toll \
    alles klar mit freundlichen grüßen viele liebe beste grüße gruß lg mfg vg tag noch einen ein \
    schönes wochenende und unterstützung beaucoup bien parfait votre pour aide réponse rapide \
    cordialement bonne journée je vous à muchas muchísimas mil por su tu la ayuda respuesta perfecto \
    saludos un saludo cordial todo muy amable muito pela pelo ajuda resposta perfeito abraço \
    atenciosamente bom dia mille tante molte molto per il suo tuo aiuto risposta perfetto cordiali \
    saluti gentile hartelijk heel erg voor de het uw hulp snelle antwoord reactie fijne dag groet \
    groeten met vriendelijke wel så mycket för hjälpen hjälp snabbt svar hälsningar vänliga mvh \
    tusen mange hjælpen hjelpen hilsen venlig vennlig med paljon avusta terveisin za pomoc odpowiedź \
    pozdrawiam bardzo moc s pozdravem szépen çok ederim большое огромное за помощь ответ вам \
    уважением с дуже";
/// Words before a name.
const GREETING: &str = "\
    hi hello hey dear hallo lieber liebe guten moin servus bonjour salut bonsoir hola estimado \
    estimada olá ola oi ciao buongiorno beste hoi dag hej hei moi cześć dzień dobry ahoj dobrý den \
    morgen abend merhaba привет здравствуйте добрый день mr mrs ms herr frau";
/// Single words that are requests, though they can stand where a name stands.
const REQUEST: &str = "\
    unsubscribe cancel cancelled stop refund urgent wrong broken error rejected no not never \
    unresolved open reopen delete remove call problem still nein nicht stornieren kündigung fehler \
    falsch non annuler annulation erreur cancelar reembolso annullare errore rimborso nee annuleren \
    nej nie нет please bitte wait";
/// Thanks in languages that are written without blanks.
const PHRASES: &str = "\
    どうもありがとうございました | ありがとうございました | ありがとうございます | ありがとう | 感謝します | 承知しました | 了解しました | 非常感谢 | 多谢 | 谢谢你 | \
    谢谢您 | 谢谢 | 感谢 | 非常感謝 | 謝謝您 | 謝謝 | 感謝 | 好的 | 대단히 | 정말 | 감사합니다 | 고맙습니다 | 감사드립니다 | cảm ơn | cám ơn \
    | terima kasih | ขอบคุณครับ | ขอบคุณค่ะ | ขอบคุณ";

type Words = LazyLock<HashSet<&'static str>>;

static THANKS_SET: Words = LazyLock::new(|| THANKS.split_whitespace().collect());
static HARMLESS_SET: Words = LazyLock::new(|| HARMLESS.split_whitespace().collect());
static GREETING_SET: Words = LazyLock::new(|| GREETING.split_whitespace().collect());
static REQUEST_SET: Words = LazyLock::new(|| REQUEST.split_whitespace().collect());

/// Whether the new text of an answer is only a thank you: no question, no number, no word beyond courtesy.
pub fn is_bare_thanks(new_text: &str) -> bool {
    let text = new_text.trim();
    if text.is_empty() || text.len() > LENGTH_MAX {
        return false;
    }
    if text.chars().any(|c| {
        c.is_numeric() || matches!(c, '?' | '？' | '؟' | '¿' | '@' | '/' | '#' | '%' | '€' | '$')
    }) {
        return false;
    }
    let mut rest = text.to_lowercase();
    let mut thanked = false;
    for phrase in PHRASES.split(" | ") {
        thanked |= rest.contains(phrase);
        rest = rest.replace(phrase, " ");
    }
    if thanked && !rest.chars().any(char::is_alphabetic) {
        return true;
    }
    courteous(text)
}

fn courteous(text: &str) -> bool {
    let mut thanked = false;
    let mut count = 0;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for (at, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line
            .split(|c: char| !c.is_alphabetic() && c != '\'' && c != '’')
            .filter(|word| !word.is_empty())
            .collect();
        count += words.len();
        // A name on the last line, below the thanks.
        let signs = thanked && at > 0 && at + 1 == lines.len() && words.len() <= 3;
        let mut before_name = false;
        for (place, word) in words.iter().enumerate() {
            let lower = word.to_lowercase().replace('’', "'");
            let known = THANKS_SET.contains(lower.as_str());
            thanked |= known;
            let greeting = GREETING_SET.contains(lower.as_str());
            let ends = place + 1 == words.len() && !line.contains(['.', ';', ':']);
            let name = name(word) && (signs || before_name && (ends || at == 0));
            if !(known
                || greeting
                || HARMLESS_SET.contains(lower.trim_end_matches("'s"))
                || lower == "i'm"
                || name)
            {
                return false;
            }
            before_name = known || greeting;
        }
    }
    thanked && count <= WORDS_MAX
}

fn name(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
        && !REQUEST_SET.contains(word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thanks_alone_are_known() {
        for text in [
            "Thanks!",
            "Thank you so much!",
            "Thanks Ana",
            "Hi Ana,\n\nthank you very much for your quick help.\n\nBest regards\nEva Roe",
            "Perfect, thanks 👍",
            "Vielen Dank!",
            "Danke für die schnelle Hilfe!\n\nViele Grüße\nEva",
            "Merci beaucoup",
            "Muchas gracias",
            "Grazie mille!",
            "Bedankt!",
            "Muito obrigado",
            "Tack så mycket",
            "Tak for hjælpen",
            "Dziękuję bardzo",
            "Děkuji moc",
            "Спасибо большое!",
            "ありがとうございます。",
            "谢谢！",
            "감사합니다",
            "Teşekkürler",
            "Kiitos paljon!",
        ] {
            assert!(is_bare_thanks(text), "{text}");
        }
    }

    #[test]
    fn thanks_with_anything_else_are_not() {
        for text in [
            "",
            "Hello",
            "Thanks, but it still fails",
            "Thanks. When will it arrive?",
            "Thanks, my number is 5551",
            "Thanks\n\nUnsubscribe",
            "No thanks",
            "Thanks for nothing",
            "Danke, aber der Fehler ist noch da",
            "Merci, mais non",
            "谢谢，但是还不行",
            "Thanks. Rejected.",
            "Thanks, see http://x.example",
            "Thank you. Please cancel",
            "ok",
            "Best regards\nEva",
            "Thanks! It does not work",
        ] {
            assert!(!is_bare_thanks(text), "{text}");
        }
    }
}
