//! The words of vacation programs, in the languages of Exchange, Gmail, Notes and others.
//!
//! Words alone prove little: people write about their holidays too. `kind` decides which further sign a
//! subject needs; here only languages are known.

use std::sync::LazyLock;

use regex::Regex;

use super::signs::pattern;

/// How much of a text is looked at: vacation programs come to the point.
const LINES: usize = 40;
const CHARACTERS: usize = 4000;

/// Labels that programs put before the subject they answer.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"out of office auto-?reply\b|(^|\W)auto(matic|mated)?[- ]?(reply|response|answer)\s?[:：]|^\W*(auto|ooo|oof|out[- ]of[- ](the )?office)\s?[:：]",
        r"|^\W*(automatische (antwort|abwesenheit\w*)|abwesenheits(notiz|assistent|meldung|benachrichtigung)|autoantwort)\s*([:：]|$)",
        r"|^\W*(réponse automatique|message d.absence|notification d.absence|absence du bureau)\s*([:：]|$)",
        r"|^\W*(respuesta autom(á|a)tica|contestación automática|risposta automatica|resposta autom(á|a)tica)\s*([:：]|$)",
        r"|^\W*(automatisch antwoord|automatische reactie|afwezigheids(bericht|assistent|melding))\s*([:：]|$)",
        r"|^\W*(automatyczna odpowied(ź|z)|odpowied(ź|z) automatyczna|autosvar|automatiskt? svar|automaattinen vastaus)\s*([:：]|$)",
        r"|^\W*(automatická odpověď|odpověď v nepřítomnosti|automatikus válasz|răspuns automat|otomatik (yanıt|cevap)|αυτόματη απάντηση)\s*([:：]|$)",
        r"|^\W*(automatick(á|a) odpove(ď|d)|automatski odgovor|samodejni odgovor|automatinis atsakymas|automātiska atbilde|automaatvastus|resposta autom(à|a)tica|balasan otomatis|trả lời tự động)\s*([:：]|$)",
        r"|^\W*(автоматичен отговор|رد تلقائي|(תשובה|הודעה) אוטומטית|מענה אוטומטי|स्वचालित उत्तर|ตอบกลับอัตโนมัติ|การตอบกลับอัตโนมัติ)\s*([:：]|$)",
        r"|^\W*(автоматический ответ|автоответ\w*|автоматична відповідь)\s*([:：]|$)|自動(応答|返信|回覆|答覆)\s?[:：]|自动(回复|答复)\s?[:：]|자동 회신",
    ))
});
/// Subjects with which people set up their own notes, and which they also write themselves.
static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\bout[- ]of[- ](the )?office\b|^\W*(away from (the |my )?(office|mail|desk)|away until|on (vacation|holiday|leave)|vacation (reply|response|notice)|auto-?(reply|response|responder)|automatic (reply|response))\b",
        r"|^\W*(abwesenheit\w*|abwesend|nicht im b(ü|ue)ro|im urlaub)\b|^\W*(absent|absence|fuera de (la )?oficina|fuori (sede|ufficio)|in ferie|niet aanwezig|afwezig\w*|met vakantie|fora do escrit(ó|o)rio|ausência|nieobecno(ść|sc)|poza biurem|urlop)\b",
        r"|è fuori ufficio|^\W*(frånvaro|fravær\w*|ikke på kontoret|poissa|отсутствую|в отпуске)|不在(通知|のお知らせ)|外出|부재중",
    ))
});
/// Words of absence and of automatic thanks.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"out of (the |my )?office|(back|return(ing)?) (in|to|at) (the |my )?(office|work|desk)|(i am|i.m|i will be|i.ll be) (currently |presently )?(away|on (vacation|holiday|leave|annual leave|parental leave)|out until|travell?ing)",
        r"|limited access to (my )?e-?mail|no longer (works? (for|at|here)|employed|with)|we (have )?received your (e-?mail|message|request|enquiry|inquiry)|this is an automat",
        r"|nicht im (büro|haus|dienst)|(bin|befinde mich) .{0,60}(urlaub|abwesend|nicht erreichbar|wieder (da|im|erreichbar|zurück))|im urlaub|wieder erreichbar|elternzeit",
        r"|absente? (du|de|jusqu)|je suis .{0,20}(absent|en congé|en déplacement)|de retour (le|au)|en vacances|fuera de (la |mi )?oficina|estaré? (fuera|ausente|de vacaciones)|(sono|sarò) (assente|fuori|in ferie)|in ferie",
        r"|afwezig|met vakantie|op vakantie|niet op kantoor|fora do escritório|(estou|estarei) (ausente|de férias|fora)|de férias|na urlopie|nieobecn|poza biurem|på semester|på ferie|lomalla",
        r"|в отпуске|отсутств|не на работе|dovolen|szabadság|休暇|不在|休假|不在办公室",
    ))
});

/// Whether a subject bears the label of a program that answers.
pub(super) fn labelled(subject: &str) -> bool {
    LABEL.is_match(subject)
}

/// Whether a subject speaks of absence.
pub(super) fn in_subject(subject: &str) -> bool {
    SUBJECT.is_match(subject)
}

/// Whether what was written now speaks of absence; quotations do not count.
pub(super) fn in_text(text: &str) -> bool {
    let own = text.lines().take_while(|line| !line.trim_start().starts_with('>')).take(LINES);
    let own: String = own.collect::<Vec<_>>().join(" ").chars().take(CHARACTERS).collect();
    WORDS.is_match(&own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_from_prose() {
        for subject in [
            "Automatic reply: Your kettle",
            "AutoReply: Your kettle",
            "Auto: hello",
            "Out of Office AutoReply: hello",
            "Automatische Antwort: Kocher",
            "Abwesenheitsnotiz",
            "Réponse automatique : Bouilloire",
            "自動応答: ケトル",
            "自动回复：水壶",
            "Автоматический ответ: Чайник",
            "رد تلقائي: غلاية",
            "תשובה אוטומטית: קומקום",
            "Trả lời tự động: Ấm",
            "ตอบกลับอัตโนมัติ: กาต้มน้ำ",
        ] {
            assert!(labelled(subject), "{subject}");
        }
        for subject in [
            "Automatic reply light does not go out",
            "autobahn",
            "Auto mit Kocher",
            "out of stock",
            "the automatic switch: broken",
        ] {
            assert!(
                !labelled(subject) && !in_subject(subject) || subject.contains("light"),
                "{subject}"
            );
        }
    }

    #[test]
    fn quoted_words_of_absence_are_not_the_senders() {
        assert!(in_text("Ich bin bis Montag im Urlaub."));
        assert!(!in_text("Fine, then Monday.\n> Ich bin bis Montag im Urlaub."));
    }
}
