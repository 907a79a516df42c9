//! What mail programs write in the languages of the world, as tables; `headings` reads them.
//!
//! Taken from what Outlook, Gmail, Apple Mail, Thunderbird, Yahoo and the phones write in each language. All lower case.

use super::headings::Label;

/// Labels of a header block, separated by `|`.
pub(super) const LABELS: &[(Label, &str)] = &[
    (
        Label::From,
        "\
         from|von|de|da|van|från|fra|lähettäjä|od|feladó|de la|expeditor|saatja|kellelt|kimden\
         |gönderen|от|от кого|отправитель|від|від кого|από|差出人|送信者|送信元|发件人|寄件人|寄件者|發件人|보낸 사람|보낸사람\
         |발신|remitente|mittente|expéditeur|nadawca|odesílatel|odosielateľ|pošiljatelj|šalje|nuo\
         |من|מאת|từ|dari|จาก|frá|absender|afzender|remetente|avsender|avsändare|afsender\
         |відправник|message de|expeditorul|od koga",
    ),
    (
        Label::Date,
        "\
         date|sent|datum|gesendet|gesendet am|envoyé|envoyé le|envoye|fecha|enviado|enviado el\
         |enviado em|enviada em|enviada|enviada a|enviat|data|inviato|inviato il|data invio\
         |verzonden|datum verzonden|skickat|skickades|dato|sendt|sendt dato|päivämäärä|päiväys\
         |lähetetty|pvm|wysłano|wysłane|odesláno|odoslané|dátum|elküldve|küldve|küldés ideje\
         |trimis|trimisă|trimis la|poslano|poslané|saadetud|kuupäev|saatmisaeg|tarih\
         |gönderilme tarihi|gönderildi|gönderme tarihi|gönderim tarihi|дата|отправлено\
         |дата отправки|надіслано|відправлено|дата надсилання|στάλθηκε|ημερομηνία|εστάλη|日付|送信日時\
         |日時|发送时间|日期|發送時間|寄件日期|傳送日期|时间|날짜|보낸 날짜|일시|message du|išsiųsta|nosūtīts|datums\
         |تاريخ الإرسال|التاريخ|נשלח|תאריך|ngày|đã gửi|tanggal|วันที่|dags|sent at|date sent\
         |datum odeslání|vrijeme|dată|dátum odoslania|poslato|sent on",
    ),
    (
        Label::To,
        "\
         to|an|à|a|pour|para|aan|till|til|vastaanottaja|kenelle|do|komu|címzett|către|catre|za\
         |prima|saaja|kellele|kime|alıcı|кому|προς|宛先|收件人|收件者|받는 사람|받는사람|수신|envoyé à|destinatario\
         |destinatário|destinataire|odbiorca|adresat|adresát|kam|per a|إلى|אל|đến|tới|kepada|ถึง\
         |получатель|одержувач|destinatar|empfänger|ontvanger|mottaker|mottagare|modtager|pre",
    ),
    (
        Label::Subject,
        "\
         subject|betreff|objet|sujet|asunto|oggetto|assunto|onderwerp|ämne|emne|aihe|temat\
         |předmět|predmet|tárgy|subiect|subiectul|teema|konu|тема|θέμα|件名|主题|主旨|主題|标题|제목|assumpte\
         |tema|الموضوع|נושא|chủ đề|tiêu đề|subjek|perihal|เรื่อง|efni|относно|naslov\
         |otsikko|predmet poruke",
    ),
    (
        Label::Other,
        "\
         cc|bcc|kopie|kopie (cc)|copie|copie à|copie carbone|cópia|cópia para|copia|copia a|kopia\
         |kopio|kopi|kopi til|dw|udw|do wiadomości|másolatot kap|másolat|másolat (cc)|bilgi|копия\
         |копія|kopija|koopia|kópia|kopie an|抄送|副本|副本抄送|참조|cc (kopi)|reply-to|reply to|antwort an\
         |répondre à|responder a|responder para|rispondi a|svar til|svara till|svar till\
         |vastausosoite|odpowiedz do|odpověď|odpovědět komu|válaszcím|răspunde la|yanıt adresi\
         |ответить|кому ответить|відповісти|antwoord aan|antwoord-aan|返信先|回复|回复至|回覆\
         |답장 받는 사람|importance|wichtigkeit|priorität|priority|priorité|importancia|priorità\
         |prioriteit|prioritet|prioriteetti|attachments|anlagen|anhang|pièces jointes\
         |archivos adjuntos|datos adjuntos|allegati|anexos|bijlagen|bifogade filer\
         |vedhæftede filer|vedlegg|liitteet|załączniki|přílohy|mellékletek|ekler|вложения\
         |organization|organisation|list-id|envoi|resent-from",
    ),
];

/// Verbs of attributions, as an alternation.
pub(super) const VERBS: &str = concat!(
    r"\b(?:wrote|writes|schrieb|schreibt|geschrieben|[aà] [ée]crit|[ée]crivait|ha escrit[o]?|escribi[óo]|va escriure|ha scritto|scrive|schreef|",
    r"geschreven|escreveu|skrev|skreiv|skrifaði|kirjoitti|napisał|napisała|napisal|pisze|napsal|napsala|napísal|napísala|írta|",
    r"a scris|scrie|je napisa[ol]|je napisala|napisao|napisala|je pisal|kirjutas|yazdı|yazmış|написал|написала|писал|пишет|",
    r"написав|написала|пише|написа|έγραψε|rašė|parašė|rakstīja|menulis|đã viết|viết|shkruajti)\b",
    r"|^(?:zitat von|quoting|mensaje citado por|citando a|citerar|citát od)\b",
    r"|のメッセージ|書きました|写道|写到|寫道|寫到|작성|님이 쓴|썼습니다|كتب|כתב|เขียนว่า",
);

/// "Original message", between dashes.
pub(super) const ORIGINAL: &str = "\
    original message|originalmeddelande|originalnachricht|original-nachricht\
    |ursprüngliche nachricht|ursprüngliche mail|ursprüngliche e-mail|message d'origine\
    |message d’origine|message original|message initial|courriel original|mensaje original\
    |mensagem original|messaggio originale|messaggio original|oorspronkelijk bericht\
    |origineel bericht|oorspronkelijke bericht|ursprungligt meddelande|ursprungligt mail\
    |original meddelelse|oprindelig meddelelse|oprindelig besked|originalbesked\
    |opprinnelig melding|opprinnelig e-post|original melding|alkuperäinen viesti\
    |oryginalna wiadomość|wiadomość oryginalna|oryginalny e-mail|původní zpráva\
    |původní e-mail|pôvodná správa|pôvodný e-mail|eredeti üzenet|eredeti levél\
    |mesaj original|mesajul original|mesajul inițial|mesaj inițial|izvorna poruka\
    |izvirno sporočilo|originalna poruka|algne sõnum|algne kiri|algne teade|orijinal mesaj\
    |özgün ileti|orijinal ileti|исходное сообщение|исходное письмо|пользователь написал\
    |первоначальное сообщение|оригинальное сообщение|оригінальне повідомлення\
    |вихідне повідомлення|початкове повідомлення|αρχικό μήνυμα|元のメッセージ|オリジナルメッセージ|原始邮件|原始郵件\
    |原邮件|원본 메시지|원본 메일|missatge original|pesan asli|tin nhắn gốc|الرسالة الأصلية|הודעה מקורית\
    |reply message|antwort nachricht";

/// "Forwarded message", between dashes or alone.
pub(super) const FORWARDED: &str = "\
    forwarded message|begin forwarded message|forwarded by|forwarded mail\
    |start of forwarded message|weitergeleitete nachricht|weitergeleitete mail\
    |weitergeleitete e-mail|anfang der weitergeleiteten nachricht\
    |anfang der weitergeleiteten e-mail|weitergeleitet von\
    |beginn der weitergeleiteten nachricht|ende der weitergeleiteten nachricht\
    |message transféré|message transmis|message réexpédié|courriel transféré\
    |début du message réexpédié|début du message transféré|transféré par|mensaje reenviado\
    |inicio del mensaje reenviado|comienzo del mensaje reenviado|reenviado por\
    |messaggio inoltrato|inizio messaggio inoltrato|inizio del messaggio inoltrato\
    |inoltrato da|doorgestuurd bericht|doorgezonden bericht|begin doorgestuurd bericht\
    |doorgestuurde bericht|begin van doorgestuurd bericht|mensagem encaminhada\
    |mensagem reencaminhada|início da mensagem encaminhada|início da mensagem reencaminhada\
    |encaminhado por|vidarebefordrat meddelande|vidarebefordrat mejl|vidarebefordrat brev\
    |vidarebefordrat e-postmeddelande|början på vidarebefordrat meddelande\
    |början på det vidarebefordrade brevet|början av vidarebefordrat meddelande\
    |start på vidarebefordrat meddelande|videresendt meddelelse|videresendt besked\
    |videresendt mail|videresendt e-mail|start på videresendt besked\
    |start på videresendt meddelelse|videresendt melding|videresendt e-post\
    |begynnelse på videresendt melding|start på videresendt melding\
    |begynnelsen på videresendt melding|begynnelsen på videresendt e-post\
    |start på videresendt e-post|videresend|välitetty viesti|välitetty viesti alkaa\
    |edelleenlähetetty viesti|lähetetty edelleen|przekazana wiadomość|wiadomość przekazana\
    |wiadomość przekazana dalej|treść przekazanej wiadomości\
    |początek przekazywanej wiadomości|początek przekazanej wiadomości|przesłana wiadomość\
    |przesłana dalej wiadomość|przeposlaná zpráva|přeposlaná zpráva|přeposlaný e-mail\
    |začátek přeposílané zprávy|začátek přeposlané zprávy|preposlaná správa\
    |preposlaný e-mail|začiatok preposlanej správy|preposlaná pošta|továbbított üzenet\
    |továbbított levél|továbbított levél kezdete|továbbított üzenet kezdete\
    |eredeti továbbított üzenet|mesaj redirecționat|mesajul redirecționat\
    |mesaj redirecţionat|mesajul redirecţionat|început mesaj redirecționat\
    |începutul mesajului redirecționat|începe mesajul redirecționat\
    |începe mesajul redirecţionat|mesaj retrimis|mesaj transmis|mesaj înaintat\
    |proslijeđena poruka|započinje proslijeđena poruka|proslijeđena e-pošta\
    |početak proslijeđene poruke|prosleđena poruka|posredovano sporočilo|edastatud sõnum\
    |edastatud kiri|edastatud kirja algus|algab edastatud sõnum|edastatud e-kiri\
    |edastatud sõnumi algus|iletilen mesaj|iletilen ileti|iletilmiş mesaj\
    |iletilen ileti başlangıcı|iletinin başlangıcı|yönlendirilen mesaj|yönlendirilmiş mesaj\
    |yönlendirilen ileti|yönlendirilen e-posta|пересылаемое сообщение|пересланное сообщение\
    |пересылаемое письмо|перенаправленное сообщение|начало переадресованного сообщения\
    |начало пересылаемого сообщения|начало пересланного сообщения|пересланное письмо\
    |перенаправлено|переадресованное сообщение|переслане повідомлення|переслане сообщение\
    |переслане повiдомлення|початок листа, що пересилається|початок пересланого листа\
    |початок переадресованого повідомлення|початок пересланого повідомлення|пересланий лист\
    |перенаправлене повідомлення|προωθημένο μήνυμα|έναρξη προωθημένου μηνύματος\
    |αρχή προωθημένου μηνύματος|препратено съобщение|転送されたメッセージ|転送されたメール|転送メッセージ|转发的邮件|转发邮件\
    |转发邮件信息|转发的信件|已转发邮件|以下是转发的邮件|被转发邮件|開始轉寄郵件|開始轉寄訊息|轉寄的郵件|轉寄郵件|转寄|전달된 메시지|전달된 메일|전달받은 메시지\
    |inici del missatge reenviat|missatge reenviat|pesan terusan|pesan yang diteruskan\
    |tin nhắn được chuyển tiếp|thư được chuyển tiếp|الرسالة المعاد توجيهها\
    |رسالة معاد توجيهها|הודעה שהועברה|pārsūtītā ziņa|persiųstas laiškas|persiųsta žinutė\
    |započni proslijeđenu poruku|početak proslijeđene e-pošte|ileti başlangıcı\
    |iletilmiş ileti|edasi saadetud sõnum|edasi saadetud kiri|mesaj retransmis\
    |mesaj transmis mai departe|början på vidarebefordrat mejl|vidarebefordrat e-postbrev\
    |start på vidarebefordrat mejl";
